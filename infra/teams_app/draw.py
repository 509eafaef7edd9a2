"""Draws the icons from their SVG files, with Debian's Chromium: `python -m infra.teams_app.draw`.

Done by hand after a change. The pictures are kept beside their sources, so that packing needs no
browser.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

from infra.teams_app import png
from infra.teams_app.checks import COLOUR, OUTLINE

HERE = Path(__file__).parent
SIZES = {"color": COLOUR, "outline": OUTLINE}
_PAGE = "<body style='margin:0;font-size:0'>{svg}</body>"


def draw_icons(chromium: str, folder: Path) -> None:
    """Both of them, into `folder`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        (folder / "color.png").write_bytes(png.write(_drawn(page, "color")))
        (folder / "outline.png").write_bytes(png.write(_whitened(_drawn(page, "outline"))))
        browser.close()


def _drawn(page: Page, name: str) -> png.Picture:
    page.set_viewport_size(ViewportSize(width=SIZES[name], height=SIZES[name]))
    svg = (HERE / f"{name}.svg").read_text(encoding="utf-8")
    page.set_content(_PAGE.format(svg=svg))
    return png.read(page.screenshot(omit_background=True))


def _whitened(picture: png.Picture) -> png.Picture:
    """Pure white at every opacity: a browser rounds the colour of what is half transparent."""
    pixels = b"".join(b"\xff\xff\xff" + bytes([opacity]) for opacity in picture.pixels[3::4])
    return png.Picture(picture.width, picture.height, pixels)


def main() -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is not here: install your system's package `chromium`.")
    draw_icons(chromium, HERE)


if __name__ == "__main__":
    main()
