"""Whom people can turn to: typed when a snapshot is opened, and put right while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adaptive_cards_python.adaptive_card.Element import ElementType

from cards.inputs import Values, label_of, text_input
from cards.page import Page, say_contacts
from cards.parts import Card, buttons, card, paragraphs, press, problem_box
from cards.verbs import Verb
from snapshot.snapshot import Snapshot
from snapshot.wording import Wording

MOST_IN_A_LINE = 120
MOST_IN_A_NOTE = 200

CONTACTS = {
    "front_door_name": MOST_IN_A_LINE,
    "front_door_phone": 40,
    "front_door_hours": MOST_IN_A_LINE,
    "out_of_hours_phone": 40,
    "allegations_contact": MOST_IN_A_NOTE,
    "staff_support": MOST_IN_A_NOTE,
    "safeguarding_name": MOST_IN_A_LINE,
    "safeguarding_email": MOST_IN_A_LINE,
    "contact_email": MOST_IN_A_LINE,
    "data_controller": MOST_IN_A_LINE,
    "privacy_url": 400,
}
"""The inputs, and how many characters each may have."""


def contact_inputs(words: Wording, typed: Values) -> list[ElementType]:
    return [
        block for id, most in CONTACTS.items() for block in text_input(words, id, typed, most=most)
    ]


def correct_card(page: Page, typed: Values, problems: Sequence[str] = ()) -> Card:
    """Asks for what is right. It knows which contacts were looked at, so that nobody's are lost."""
    seen = len(page.snapshot.corrections)
    return card(
        page,
        [
            *problem_box(problems),
            *paragraphs(page.text("correct_intro")),
            *contact_inputs(page.words, typed),
            buttons(press(page, Verb.CORRECT, save=True, seen=seen)),
            buttons(press(page, Verb.STATUS, page.words.buttons["cancel"])),
        ],
    )


def corrected_card(page: Page, number: int) -> Card:
    """What the correction of this number has changed, from 1. Posted for everyone."""
    said = page.text("contacts_corrected", contact_changes=say_changes(page, number))
    return card(page, [*paragraphs(said), buttons(press(page, Verb.STATUS))])


def say_changes(page: Page, number: int) -> str:
    """One line for each contact that the correction of this number has changed."""
    return "\n".join(_changes(page, number))


def _changes(page: Page, number: int) -> Iterator[str]:
    before, after = _around(page.snapshot, number)
    for id in CONTACTS:
        if before[id] != after[id]:
            label = label_of(page.words, id).text
            said = {"contact_now": after[id], "contact_before": before[id]}
            yield "- " + page.words.word("contact_change", field_label=label, **said)


def _around(snapshot: Snapshot, number: int) -> tuple[Values, Values]:
    corrected, *later = snapshot.corrections[number - 1 :]
    after = later[0].old if later else snapshot.contacts
    return say_contacts(corrected.old), say_contacts(after)
