"""Signposting, the privacy notice, support, and the words that one may type."""

from __future__ import annotations

from collections.abc import Sequence

from adaptive_cards_python.adaptive_card.Action import Execute
from adaptive_cards_python.adaptive_card.Element import ElementType

from cards.inputs import Values
from cards.page import Page
from cards.parts import (
    Button,
    Card,
    buttons,
    card,
    heading,
    help_rows,
    link_of,
    paragraphs,
    press,
    text,
)
from cards.verbs import Verb
from snapshot.wording import Command

_NOTHING: Values = {}


def worried_card(page: Page, typed: Values = _NOTHING) -> Card:
    """Whom to turn to about a child. The bot passes nothing on by itself.

    `typed`: what stood in boxes of the card before, which the way back carries along.
    """
    way_back = buttons(_back(page, typed))
    return card(page, [*signposting(page), way_back, *help_rows(page, Verb.WORRIED)])


def worried_in_channel_card(page: Page) -> Card:
    """The same for a facilitator, whose way back is the snapshot."""
    return card(page, [*signposting(page), buttons(press(page, Verb.STATUS))])


def privacy_card(page: Page, typed: Values = _NOTHING) -> Card:
    return _help_card(page, Verb.PRIVACY, "privacy_notice", typed, link_of(page, "full_notice"))


def wellbeing_card(page: Page, typed: Values = _NOTHING) -> Card:
    return _help_card(page, Verb.WELLBEING, "wellbeing", typed)


def _help_card(page: Page, verb: Verb, message: str, typed: Values, *links: Button) -> Card:
    """What a help button shows, under the button's own words."""
    return card(
        page,
        [
            heading(page.words.verbs[verb]),
            *paragraphs(page.text(message)),
            *(buttons(found) for found in links),
            buttons(_back(page, typed)),
            *help_rows(page, verb),
        ],
    )


def practitioner_help_card(page: Page, commands: Sequence[Command]) -> Card:
    return card(
        page,
        [
            *_commands(page.text("help_practitioner"), commands),
            buttons(press(page, Verb.SHOW)),
            *help_rows(page, "help"),
        ],
    )


def facilitator_help_card(
    page: Page, commands: Sequence[Command], private: Sequence[Command]
) -> Card:
    """`private`: what only their own chat with the bot understands."""
    return card(
        page,
        [
            *_commands(page.text("help_facilitator"), commands),
            *_commands(page.text("help_facilitator_private"), private),
        ],
    )


def moderator_help_card(page: Page, commands: Sequence[Command]) -> Card:
    return card(
        page,
        [
            *_commands(page.text("help_facilitator"), commands),
            buttons(press(page, Verb.READ_COMMENTS)),
        ],
    )


def _commands(intro: str, commands: Sequence[Command]) -> list[ElementType]:
    return [text(intro), text("\n".join(f"- **{c.words[0]}**: {c.does}" for c in commands))]


def signposting(page: Page) -> list[ElementType]:
    """Whom to call, the front door's number in the largest type, and a chat with a person."""
    act_now, *whom_to_tell = paragraphs(page.text(f"signposting_{page.snapshot.nation.lower()}"))
    front_door = page.text("front_door_large").split("\n\n")
    return [
        act_now,
        *(text(line, size="extraLarge", weight="bolder") for line in front_door),
        *whom_to_tell,
        *paragraphs(page.text("chat_note")),
        buttons(link_of(page, "chat_with")),
    ]


def _back(page: Page, typed: Values) -> Execute:
    """To the boxes where there are words for them: otherwise to whatever comes next."""
    verb = Verb.COMMENTS if typed else Verb.SHOW
    return press(page, verb, page.words.buttons["back_to_survey"], **typed)
