"""The guides name buttons, boxes and typed words as they are, and each word that one may type."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from content.packs import load_packs
from snapshot.wording import Command, Wording

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
WORDS = {name: pack.wording for name, pack in load_packs().items()}
ENGLISH, WELSH = WORDS["en-GB"], WORDS["cy-GB"]

FOR_FACILITATORS = {"leads", "report"}
FOR_MODERATORS = {"comments", "moderate", "help"}
MOST_WORDS = 560
"""On a sheet of A4."""

OF_TEAMS = {"Allow"}
EXAMPLES = {"words like this", "geiriau fel hyn"}


@dataclass(frozen=True)
class Guide:
    """`commands`: the ids of those that its readers may type."""

    file: str
    words: Wording
    commands: frozenset[str]

    @property
    def text(self) -> str:
        return (GUIDES / self.file).read_text(encoding="utf-8")

    def __str__(self) -> str:
        return self.file


def ids(commands: Iterable[Command]) -> set[str]:
    return {command.id for command in commands}


PRACTITIONERS = frozenset(ids(ENGLISH.private) - FOR_FACILITATORS)
PAGES = [
    Guide("practitioner.en-GB.md", ENGLISH, PRACTITIONERS),
    Guide("practitioner.cy-GB.md", WELSH, PRACTITIONERS),
]
GUIDED = [
    *PAGES,
    Guide("lead.md", ENGLISH, frozenset()),
    Guide(
        "facilitator.md",
        ENGLISH,
        frozenset((ids(ENGLISH.channel) - {"comments"}) | FOR_FACILITATORS),
    ),
    Guide("moderator.md", ENGLISH, frozenset(FOR_MODERATORS)),
]


def in_italics(text: str) -> set[str]:
    return {_in_a_line(found) for found in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", text)}


def in_code(text: str) -> set[str]:
    return {_in_a_line(found) for found in re.findall(r"`([^`]+)`", text)}


def _in_a_line(text: str) -> str:
    return " ".join(text.split())


def labels(words: Wording) -> set[str]:
    """All that stands on a button or a box, and the line that a screen shows of a message."""
    return {
        words.messages["toast"],
        *words.verbs.values(),
        *words.buttons.values(),
        *(link.label for link in words.links.values()),
        *(label.text for label in words.inputs.values()),
        *(label for choices in words.choices.values() for label in choices.values()),
    }


@pytest.mark.parametrize("guide", GUIDED, ids=str)
def test_each_button_and_box_is_called_what_it_is_called(guide: Guide) -> None:
    named = {label for label in in_italics(guide.text) if label.lower() not in EXAMPLES}
    assert named
    assert named - labels(guide.words) - OF_TEAMS == set()


@pytest.mark.parametrize("guide", GUIDED, ids=str)
def test_each_typed_word_is_one_that_the_bot_knows(guide: Guide) -> None:
    known = {word for c in (*guide.words.private, *guide.words.channel) for word in c.words}
    typed = {code for code in in_code(guide.text) if code.lower() not in EXAMPLES}
    assert {t for t in typed if not t.startswith("python -m bot") and t != "@"} - known == set()


@pytest.mark.parametrize("guide", GUIDED, ids=str)
def test_each_word_that_its_readers_may_type_is_named(guide: Guide) -> None:
    all_of_them = [*guide.words.private, *guide.words.channel]
    wanted = {c.words[0] for c in all_of_them if c.id in guide.commands}
    assert wanted - in_code(guide.text) == set()


@pytest.mark.parametrize("guide", PAGES, ids=str)
def test_practitioners_get_one_page(guide: Guide) -> None:
    assert len(guide.text.split()) <= MOST_WORDS


def test_both_languages_say_the_same_things_in_the_same_order() -> None:
    """As far as can be told: the same buttons and typed words, at the same places."""

    def named(guide: Guide) -> list[str]:
        commands = {word: c.id for c in guide.words.private for word in c.words}
        verbs = {label: id for id, label in guide.words.verbs.items()}
        found = re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)|`([^`]+)`", guide.text)
        said = [_in_a_line(italic or code) for italic, code in found]
        return [{**verbs, **commands}.get(each, "") for each in said]

    english, welsh = map(named, PAGES)
    assert sorted(filter(None, english)) == sorted(filter(None, welsh))


def test_whatever_readers_are_quoted_is_what_a_card_says() -> None:
    """The table of what may not be as one expects."""
    (facilitators,) = (guide.text for guide in GUIDED if guide.file == "facilitator.md")
    quoted = re.findall(r'^\| "([^"]+)" \|', facilitators, re.MULTILINE)
    assert len(quoted) > 5
    messages = [m.replace("**", "") for m in ENGLISH.messages.values()]
    assert [q for q in quoted if not any(q in message for message in messages)] == []
