"""Every card, drawn by Microsoft's own renderer in Chromium, offline: it fits and bars nobody.

What is wrong is kept as a picture in `var/shots/rendered`; with `PICTURES=1`, every card is.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser
from playwright.async_api import Page as BrowserPage

from bot.rehearsal.pages import HOSTS, RENDERER
from cards.page import Page
from tests.browser.teams import SHOTS
from tests.cards.gallery import EXHIBITS, Exhibit, page, statement

pytestmark = pytest.mark.asyncio(loop_scope="session")

DRAWING = Path(__file__).parents[2] / "bot/rehearsal"
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
PICTURES = SHOTS / "rendered"
KEEPS_ALL = bool(os.environ.get("PICTURES"))

PHONE, DESK = 320, 760
THEMES = ("light", "dark")

ENGLISH, WELSH, LONG = page(), page("cy-GB", "Wales"), page("en-GB", "Wales", long=True)

# The renderer's own mistake: its check remembers its place between cards, and fails every other.
HARMLESS = re.compile(r'Invalid value "\w+" for property "lang"')

type Json = dict[str, Any]


class Wall:
    """Where cards are hung: one page of the browser with the renderer in it."""

    def __init__(self, page: BrowserPage) -> None:
        self._page = page

    async def complaints(
        self, card: Json, *, theme: str = "light", width: int = PHONE
    ) -> list[str]:
        """Draw a card; what is wrong with it as the renderer has it, or as it has come out."""
        # As text, since Playwright looks at each value by itself.
        arguments = [json.dumps(card), theme, width]
        found: list[list[str]] = await self._page.evaluate("(all) => hang(...all)", arguments)
        events, misfits = found
        return [event for event in events if not HARMLESS.match(event)] + misfits

    async def barriers_on_it(self) -> list[str]:
        """What of WCAG 2.1 A and AA or of best practice the card that hangs breaks, and where."""
        found: list[str] = await self._page.evaluate("barriers()")
        return found

    async def picture(self, name: str) -> None:
        await self._page.locator("#card").screenshot(path=PICTURES / f"{name}.png")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wall(chromium: Browser) -> AsyncIterator[Wall]:
    if not all(part.exists() for part in (RENDERER, HOSTS, AXE)):
        pytest.skip("The card renderer or axe is not here: `make test` installs both with npm.")
    PICTURES.mkdir(parents=True, exist_ok=True)
    context = await chromium.new_context(offline=True)
    shown = await context.new_page()
    await shown.set_content(Path(__file__).with_name("render.html").read_text(encoding="utf-8"))
    await shown.add_style_tag(path=DRAWING / "card.css")
    await shown.add_script_tag(path=DRAWING / "card.js")
    await shown.add_script_tag(path=RENDERER)
    await shown.add_script_tag(path=AXE)
    hosts = {
        theme: json.loads((HOSTS / f"microsoft-teams-{theme}.json").read_text(encoding="utf-8"))
        for theme in THEMES
    }
    await shown.evaluate("(found) => { hosts = found; }", hosts)
    yield Wall(shown)
    await context.close()


# Welsh is longer, a phone is narrow, and colours hang on the theme: so each card is drawn twice.
@pytest.mark.parametrize(
    ("whose", "width", "theme"),
    [
        pytest.param(WELSH, PHONE, "dark", id="cy-320-dark"),
        pytest.param(ENGLISH, DESK, "light", id="en-760-light"),
    ],
)
@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda exhibit: exhibit.name)
async def test_it_fits_and_nothing_on_it_is_a_barrier(
    wall: Wall, exhibit: Exhibit, whose: Page, width: int, theme: str
) -> None:
    card = exhibit.make(whose).to_dict()
    complaints = await wall.complaints(card, theme=theme, width=width)
    barriers = await wall.barriers_on_it()
    if complaints or barriers or KEEPS_ALL:
        await wall.picture(f"{exhibit.name}-{width}-{theme}")
    assert complaints == []
    assert barriers == []


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda exhibit: exhibit.name)
async def test_it_fits_on_a_phone_in_english(wall: Wall, exhibit: Exhibit) -> None:
    assert await wall.complaints(exhibit.make(ENGLISH).to_dict()) == []


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda exhibit: exhibit.name)
async def test_it_fits_on_a_phone_with_long_names(wall: Wall, exhibit: Exhibit) -> None:
    assert await wall.complaints(exhibit.make(LONG).to_dict()) == []


@pytest.mark.parametrize("whose", [ENGLISH, WELSH], ids=["en", "cy"])
async def test_every_statement_fits_on_a_phone(wall: Wall, whose: Page) -> None:
    for position in range(1, len(whose.instrument.statements) + 1):
        assert await wall.complaints(statement(whose, position).to_dict()) == []


# -- that misfits and barriers would be found -----------------------------------------------------


def _card(*body: Json) -> Json:
    return {"type": "AdaptiveCard", "version": "1.5", "body": list(body)}


def _button(title: str) -> Json:
    return {"type": "Action.Execute", "title": title, "verb": "none"}


@pytest.mark.parametrize(
    "card",
    [
        pytest.param(
            _card({"type": "ActionSet", "actions": [_button("Privacy notice")] * 4}),
            id="four buttons in a row",
        ),
        pytest.param(
            _card({"type": "ActionSet", "actions": [_button("A button that goes on and on " * 3)]}),
            id="a button with too much to say",
        ),
        pytest.param(
            _card({"type": "TextBlock", "text": "Not wrapped, and so cut off at the edge " * 3}),
            id="a text that does not wrap",
        ),
        pytest.param(_card({"type": "Unheard.Of"}), id="a part that the renderer does not know"),
    ],
)
async def test_a_card_that_does_not_fit_is_found(wall: Wall, card: Json) -> None:
    assert await wall.complaints(card)


@pytest.mark.parametrize(
    ("card", "rule"),
    [
        pytest.param(_card({"type": "Input.Text", "id": "area"}), "label", id="a nameless input"),
        pytest.param(
            _card({"type": "TextBlock", "text": "Amber on white", "color": "warning"}),
            "color-contrast",
            id="a text too faint to read",
        ),
        pytest.param(
            _card({"type": "ActionSet", "actions": [_button("")]}),
            "button-name",
            id="a button that says nothing",
        ),
        pytest.param(
            _card({"type": "TextBlock", "style": "heading", "text": " "}),
            "empty-heading",
            id="a heading that says nothing",
        ),
    ],
)
async def test_a_barrier_is_found(wall: Wall, card: Json, rule: str) -> None:
    await wall.complaints(card)
    assert any(found.startswith(f"{rule}:") for found in await wall.barriers_on_it())
