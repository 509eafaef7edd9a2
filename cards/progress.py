"""The facilitator's cards: how it stands, and closing."""

from __future__ import annotations

from cards.page import Page
from cards.parts import Card, buttons, card, paragraphs, press
from cards.verbs import Verb


def progress_card(page: Page) -> Card:
    """What was fixed at opening. Progress, as a frozen band, comes with mixing while it runs."""
    return card(
        page,
        [
            *paragraphs(page.text("snapshot_opened")),
            buttons(press(page, Verb.CLOSE)),
        ],
    )


def close_card(page: Page) -> Card:
    return card(
        page,
        [
            *paragraphs(page.text("close_confirm")),
            buttons(press(page, Verb.STATUS, page.words.buttons["cancel"])),
            buttons(press(page, Verb.CLOSE, page.words.buttons["confirm_close"], confirmed=True)),
        ],
    )


def closed_card(page: Page, closed_date: str) -> Card:
    return card(
        page,
        [
            *paragraphs(page.text("closed", closed_date=closed_date)),
            buttons(press(page, Verb.STATUS, page.words.buttons["see_summary"])),
            buttons(press(page, Verb.WORRIED)),
        ],
    )
