"""Signposting, the privacy notice, support, and the words that one may type."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from adaptive_cards_python.adaptive_card.Action import Execute, OpenUrl
from adaptive_cards_python.adaptive_card.Element import ElementType

from cards.page import Page
from cards.parts import (
    Button,
    Card,
    buttons,
    card,
    heading,
    help_rows,
    link,
    paragraphs,
    press,
    text,
)
from cards.verbs import Verb
from snapshot.wording import Command, fill


def worried_card(page: Page) -> Card:
    """Whom to turn to about a child. The bot passes nothing on by itself."""
    return card(page, [*_signposting(page), buttons(_back(page)), *help_rows(page)])


def worried_in_channel_card(page: Page) -> Card:
    """The same for a facilitator, whose way back is the snapshot."""
    return card(page, [*_signposting(page), buttons(press(page, Verb.STATUS))])


def privacy_card(page: Page) -> Card:
    return _help_card(page, Verb.PRIVACY, "privacy_notice", _open(page, "full_notice"))


def wellbeing_card(page: Page) -> Card:
    return _help_card(page, Verb.WELLBEING, "wellbeing")


def _help_card(page: Page, verb: Verb, message: str, *links: Button) -> Card:
    """What a help button shows, under the button's own words."""
    return card(
        page,
        [
            heading(page.words.verbs[verb]),
            *paragraphs(page.text(message)),
            *(buttons(found) for found in links),
            buttons(_back(page)),
            *help_rows(page),
        ],
    )


def practitioner_help_card(page: Page, commands: Sequence[Command]) -> Card:
    return card(
        page,
        [
            *_commands(page.text("help_practitioner"), commands),
            buttons(press(page, Verb.SHOW)),
            *help_rows(page),
        ],
    )


def facilitator_help_card(page: Page, commands: Sequence[Command]) -> Card:
    return card(page, _commands(page.text("help_facilitator"), commands))


def _commands(intro: str, commands: Sequence[Command]) -> list[ElementType]:
    return [text(intro), text("\n".join(f"- **{c.words[0]}**: {c.does}" for c in commands))]


def _signposting(page: Page) -> list[ElementType]:
    act_now, *whom_to_tell = paragraphs(page.text(f"signposting_{page.snapshot.nation.lower()}"))
    front_door = page.text("front_door_large").split("\n\n")
    return [
        act_now,
        *(text(line, size="extraLarge", weight="bolder") for line in front_door),
        *whom_to_tell,
        *paragraphs(page.text("chat_note")),
        buttons(_open(page, "chat_with")),
    ]


def _back(page: Page) -> Execute:
    return press(page, Verb.SHOW, page.words.buttons["back_to_survey"])


def _open(page: Page, id: str) -> OpenUrl:
    """A link of the pack, with values made safe for a URL; a whole address is one already."""
    found = page.words.links[id]
    safe = {name: quote(value, safe="@") for name, value in page.facts.items()}
    whole = {name: page.facts[name] for name in ("privacy_url", "survey_link")}
    return link(fill(id, found.label, page.facts), fill(id, found.url, safe | whole))
