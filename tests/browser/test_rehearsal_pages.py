"""The pages of a rehearsal, opened as files in Chromium, which has no network."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from bot.rehearsal.gallery import Gallery, Viewer
from bot.rehearsal.pages import RENDERER, write_pages

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = "</script><img src=x onerror='window.taken = 1'> and **bold**"
CARD = {
    "type": "AdaptiveCard",
    "version": "1.5",
    "lang": "en",
    "body": [
        {"type": "TextBlock", "text": HOSTILE, "wrap": True},
        {"type": "ActionSet", "actions": [{"type": "Action.Execute", "title": "Go on"}]},
    ],
}


def a_gallery() -> Gallery:
    gallery = Gallery("An act")
    gallery.note(CARD, datetime(2026, 3, 2, 9, 0, tzinfo=UTC), Viewer.PRACTITIONER, "Typed")
    return gallery


@pytest.mark.parametrize("has_renderer", [True, False])
async def test_a_card_is_drawn_and_what_somebody_typed_stays_text(
    chromium: Browser, tmp_path: Path, has_renderer: bool
) -> None:
    if not RENDERER.exists():
        pytest.skip("The card renderer is not here: `make test` installs it with npm.")
    write_pages(a_gallery(), tmp_path)
    if not has_renderer:
        (tmp_path / "pages" / RENDERER.name).unlink()
    context = await chromium.new_context(offline=True)
    page = await context.new_page()
    await page.goto((tmp_path / "index.html").as_uri())
    await page.get_by_role("link", name="and bold").click()
    card = page.locator("#card")
    await expect(card).to_contain_text("</script><img src=x")
    await expect(card).to_contain_text("Go on")
    assert await card.locator("img").count() == 0
    assert (await card.locator(".ac-adaptiveCard").count() == 1) is has_renderer
    assert await page.evaluate("window.taken") is None
    await context.close()
