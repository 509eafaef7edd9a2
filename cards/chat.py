"""The message that stays in the chat: the same for everybody, however far they have got."""

from __future__ import annotations

from cards.page import Page
from cards.parts import Card, buttons, card, help_rows, paragraphs, press, refresh
from cards.verbs import Verb


def unfinished_card(page: Page, which: str) -> Card:
    """To somebody who has begun and not sent; `which`: midway or last. Never how far they are."""
    return card(
        page,
        [
            *paragraphs(page.text(f"unfinished_{which}")),
            buttons(press(page, Verb.SHOW)),
            *paragraphs(page.text("stop_reminders")),
            buttons(press(page, Verb.QUIET)),
            *help_rows(page),
        ],
    )


def continue_card(page: Page) -> Card:
    return card(
        page,
        [
            *paragraphs(page.text("continue_card")),
            buttons(press(page, Verb.SHOW)),
            *help_rows(page),
        ],
        refresh=refresh(page),
    )
