"""Which characters the fonts that come along can show; for the others, their names.

A PDF that says it is accessible may hold no character that nobody can see, and there is no font
with all of them. Word brings fonts of its own.
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FONTS = Path(__file__).with_name("fonts")

_SILENT = frozenset({"Mn", "Me", "Cf", "Sk", "Zl", "Zp"})
"""Kinds of characters that shape others and have no name worth reading."""


def shown(text: str) -> str:
    """For example "[grinning cat face]" in place of one that no font has."""
    known = _known()
    return "".join(c if c == "\n" or ord(c) in known else _named(c) for c in text)


def _named(character: str) -> str:
    if character == "\t":
        return " "
    if unicodedata.category(character) in _SILENT:
        return ""
    name = unicodedata.name(character, "")
    return f"[{name.lower()}]" if name else "\N{WHITE SQUARE}"


@cache
def _known() -> frozenset[int]:
    return frozenset(c for path in sorted(FONTS.glob("*.ttf")) for c in _characters(path))


def _characters(path: Path) -> Iterator[int]:
    """Those of a TrueType font, by its tables for the whole of Unicode and for its first plane."""
    font = path.read_bytes()
    tables = struct.unpack_from(">H", font, 4)[0]
    found = (struct.unpack_from(">4sLLL", font, 12 + 16 * n) for n in range(tables))
    start = next(offset for tag, _, offset, _ in found if tag == b"cmap")
    for number in range(struct.unpack_from(">H", font, start + 2)[0]):
        (offset,) = struct.unpack_from(">L", font, start + 4 + 8 * number + 4)
        match struct.unpack_from(">H", font, start + offset)[0]:
            case 4:
                yield from _first_plane(font, start + offset)
            case 12:
                yield from _all_planes(font, start + offset)


def _first_plane(font: bytes, at: int) -> Iterator[int]:
    """Format 4: the ends of runs of characters, then where each begins."""
    (twice,) = struct.unpack_from(">H", font, at + 6)
    ends = struct.unpack_from(f">{twice // 2}H", font, at + 14)
    starts = struct.unpack_from(f">{twice // 2}H", font, at + 16 + twice)
    for start, end in zip(starts, ends, strict=True):
        yield from range(start, min(end, 0xFFFD) + 1)


def _all_planes(font: bytes, at: int) -> Iterator[int]:
    """Format 12: runs of characters, with the glyph of the first."""
    (runs,) = struct.unpack_from(">L", font, at + 12)
    for number in range(runs):
        start, end, _ = struct.unpack_from(">LLL", font, at + 16 + 12 * number)
        yield from range(start, end + 1)
