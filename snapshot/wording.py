"""The words of one language: every text that people read, with its placeholders.

A text with an empty placeholder is never shown: a card that says "call  on " is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from snapshot.errors import EmptyPlaceholder
from snapshot.instrument import Instrument
from snapshot.snapshot import OTHER, Cell

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Label:
    """What stands at an input. `hint` may be empty."""

    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A word that people may type; `id` is the same in every language."""

    id: str
    words: tuple[str, ...]
    does: str


@dataclass(frozen=True, slots=True)
class Wording:
    """`private` and `channel` are the typed commands of the two kinds of place.

    `choices` has the labels of each field that one chooses from, `kinds` words for what the
    check of a comment may find, `report` what the report says.
    """

    language: str
    messages: Mapping[str, str]
    verbs: Mapping[str, str]
    buttons: Mapping[str, str]
    links: Mapping[str, Link]
    words: Mapping[str, str]
    inputs: Mapping[str, Label]
    kinds: Mapping[str, str]
    choices: Mapping[str, Mapping[str, str]]
    private: tuple[Command, ...]
    channel: tuple[Command, ...]
    report: Mapping[str, str]

    def message(self, id: str, values: Mapping[str, str]) -> str:
        """Raises `EmptyPlaceholder` when a value is missing or empty."""
        return fill(id, self.messages[id], values)

    def word(self, id: str, **values: object) -> str:
        """A short piece of text that goes into another."""
        return fill(id, self.words[id], {name: str(value) for name, value in values.items()})

    def told(self, id: str, **values: object) -> str:
        """A text of the report."""
        return fill(id, self.report[id], {name: str(value) for name, value in values.items()})


@dataclass(frozen=True, slots=True)
class Pack:
    """All that is needed to speak one language."""

    instrument: Instrument
    wording: Wording


def say_cell(cell: Cell, nation: str, pack: Pack) -> str:
    """What an agency group is called."""
    label = {a.id: a.label_in(nation) for a in pack.instrument.agencies}
    if cell.id != OTHER:
        return label[cell.agencies[0]]
    if cell.named:
        return pack.wording.word("with_other_agencies", agency_name=label[cell.named])
    return pack.wording.word("other_agencies")


def fill(id: str, text: str, values: Mapping[str, str]) -> str:
    """Put `values` in place of the placeholders of `text`. Raises `EmptyPlaceholder`."""

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1], "")
        if not found.strip():
            raise EmptyPlaceholder(id, match[1])
        return found

    return _PLACEHOLDER.sub(value, text)
