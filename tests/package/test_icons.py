"""The two icons, and the SVG files that they are drawn from."""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path

import pytest

from infra.teams_app import png
from infra.teams_app.draw import HERE, draw_icons
from infra.teams_app.manifest import ACCENT
from tests.package.conftest import Json

NEAR = 2.0
"""How far two versions of a browser may be apart, over all pixels, on a scale of 255."""


def icon(name: str) -> png.Picture:
    return png.read((HERE / name).read_bytes())


def test_the_colour_icon_is_whole_and_of_teams_size(manifest: Json) -> None:
    picture = icon("color.png")
    assert (picture.width, picture.height) == (192, 192)
    assert picture.opacities == {255}
    assert picture.pixels[:3].hex() == ACCENT.removeprefix("#") == manifest["accentColor"][1:]


def test_the_outline_is_white_on_nothing() -> None:
    picture = icon("outline.png")
    assert (picture.width, picture.height) == (32, 32)
    assert picture.colours == {(255, 255, 255)}
    assert {0, 255} <= picture.opacities


def test_they_are_what_their_sources_say(tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not here: install your system's package `chromium`.")
    draw_icons(chromium, tmp_path)
    for name in ("color.png", "outline.png"):
        kept, drawn = icon(name).pixels, png.read((tmp_path / name).read_bytes()).pixels
        apart = sum(abs(a - b) for a, b in zip(kept, drawn, strict=True)) / len(kept)
        assert apart < NEAR


# -- reading PNG files ----------------------------------------------------------------------------

WIDTH, HEIGHT = 3, 2
PIXELS = bytes(range(7, 7 + 12 * WIDTH * HEIGHT, 12)) * 4
assert len(PIXELS) == 4 * WIDTH * HEIGHT


def filtered(kind: int) -> bytes:
    """The picture as a PNG whose rows are all filtered in one way, by the specification's words."""
    stride, rows = 4 * WIDTH, b""
    for start in range(0, len(PIXELS), stride):
        rows += bytes([kind])
        for at in range(start, start + stride):
            a = PIXELS[at - 4] if at - start >= 4 else 0
            b = PIXELS[at - stride] if start else 0
            c = PIXELS[at - stride - 4] if start and at - start >= 4 else 0
            guess = (0, a, b, (a + b) // 2, paeth(a, b, c))[kind]
            rows += bytes([(PIXELS[at] - guess) % 256])
    whole = png.write(png.Picture(WIDTH, HEIGHT, PIXELS))
    before, _, after = whole.partition(zlib.compress(plain(), 9))
    return before[:-8] + chunk(zlib.compress(rows)) + after[4:]


def plain() -> bytes:
    stride = 4 * WIDTH
    return b"".join(b"\0" + PIXELS[at : at + stride] for at in range(0, len(PIXELS), stride))


def chunk(content: bytes) -> bytes:
    check = zlib.crc32(b"IDAT" + content).to_bytes(4)
    return len(content).to_bytes(4) + b"IDAT" + content + check


def paeth(a: int, b: int, c: int) -> int:
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    if pa <= pb and pa <= pc:
        return a
    return b if pb <= pc else c


@pytest.mark.parametrize("kind", range(5))
def test_each_of_the_five_filters_is_undone(kind: int) -> None:
    assert png.read(filtered(kind)) == png.Picture(WIDTH, HEIGHT, PIXELS)


def test_a_filter_that_there_is_not_is_damage() -> None:
    whole = png.write(png.Picture(1, 1, b"\1\2\3\4"))
    before, _, after = whole.partition(zlib.compress(b"\0\1\2\3\4", 9))
    odd = before[:-8] + chunk(zlib.compress(b"\5\1\2\3\4")) + after[4:]
    with pytest.raises(png.NoPicture, match="damaged"):
        png.read(odd)
