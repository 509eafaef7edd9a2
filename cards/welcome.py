"""Welcome, privacy in short, and a button for each agency: one tap begins."""

from __future__ import annotations

from cards.page import Page
from cards.parts import Card, buttons, card, container, help_rows, paragraphs, press
from cards.verbs import Verb


def welcome_card(page: Page) -> Card:
    agencies = [
        buttons(
            press(
                page,
                Verb.BEGIN,
                agency.label_in(page.snapshot.nation),
                hint=page.words.verbs[Verb.BEGIN],
                agency=agency.id,
            )
        )
        for agency in page.agencies()
    ]
    return card(
        page,
        [
            *paragraphs(page.text("welcome")),
            container(paragraphs(page.text("privacy_short")), style="emphasis"),
            *paragraphs(page.text("agency_question")),
            *agencies,
            *help_rows(page, Verb.BEGIN),
        ],
    )
