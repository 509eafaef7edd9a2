"""The message that stays in the chat: the same for everybody, however far they have got."""

from __future__ import annotations

from cards.page import Page
from cards.parts import Card, buttons, card, help_rows, paragraphs, press, refresh
from cards.verbs import Verb


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
