"""Pictures as PNG files: as much of the format as icons need, since nothing we install reads it."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")
_CHANNELS = {2: 3, 6: 4}
"""Of the two colour types that are taken: RGB, and RGB with transparency."""


class NoPicture(Exception):
    """Not a PNG file, or of a kind that we do not read."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`pixels`: red, green, blue and opacity of each, one byte each, in rows from the top left."""

    width: int
    height: int
    pixels: bytes

    @property
    def colours(self) -> set[tuple[int, int, int]]:
        """Of what is not wholly transparent."""
        found = zip(*(self.pixels[channel::4] for channel in range(4)), strict=True)
        return {(red, green, blue) for red, green, blue, opacity in found if opacity}

    @property
    def opacities(self) -> set[int]:
        """0: transparent, 255: nothing shines through."""
        return set(self.pixels[3::4])


def read(file: bytes) -> Picture:
    """Raises `NoPicture` for all but whole files of 8 bits a channel, in colour, not interlaced."""
    if not file.startswith(_SIGNATURE):
        raise NoPicture("not a PNG file")
    try:
        chunks = _chunks(file)
        width, height, depth, kind, *method = _HEADER.unpack(dict(chunks)[b"IHDR"])
        data = zlib.decompress(b"".join(content for name, content in chunks if name == b"IDAT"))
    except (struct.error, KeyError, zlib.error):
        raise NoPicture("a damaged PNG file") from None
    if depth != 8 or kind not in _CHANNELS or any(method):
        raise NoPicture("not a PNG file of 8 bits a channel, RGB or RGBA, without interlacing")
    channels = _CHANNELS[kind]
    if len(data) != height * (width * channels + 1):
        raise NoPicture("a damaged PNG file")
    rows = _rows(data, width * channels, channels)
    return Picture(width, height, rows if channels == 4 else _opaque(rows))


def write(picture: Picture) -> bytes:
    stride = picture.width * 4
    rows = range(0, len(picture.pixels), stride)
    plain = b"".join(b"\0" + picture.pixels[start : start + stride] for start in rows)
    header = _HEADER.pack(picture.width, picture.height, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(plain, 9)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(name, content) for name, content in parts)


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def _chunks(file: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], len(_SIGNATURE)
    while at < len(file):
        (length,) = struct.unpack_from(">I", file, at)
        found.append((file[at + 4 : at + 8], file[at + 8 : at + 8 + length]))
        at += length + 12
    return found


def _rows(data: bytes, stride: int, channels: int) -> bytes:
    """Undo each row's filter, by which it says how it differs from what is left of and above it."""
    above, found = bytearray(stride), bytearray()
    for start in range(0, len(data), stride + 1):
        row = bytearray(data[start + 1 : start + 1 + stride])
        for i, _ in enumerate(row):
            left = row[i - channels] if i >= channels else 0
            corner = above[i - channels] if i >= channels else 0
            row[i] = (row[i] + _guess(data[start], left, above[i], corner)) % 256
        found += row
        above = row
    return bytes(found)


def _guess(kind: int, left: int, above: int, corner: int) -> int:
    """The five filters of the PNG specification, section 9."""
    if kind == 4:
        about = left + above - corner
        return min((left, above, corner), key=lambda near: abs(about - near))
    try:
        return (0, left, above, (left + above) // 2)[kind]
    except IndexError:
        raise NoPicture("a damaged PNG file") from None


def _opaque(rows: bytes) -> bytes:
    return b"".join(rows[at : at + 3] + b"\xff" for at in range(0, len(rows), 3))
