"""Inputs with the pack's labels and hints. What was typed before stands in them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from adaptive_cards_python.adaptive_card.Element import (
    Choice,
    ChoiceSet,
    Date,
    ElementType,
    Number,
    Text,
    Time,
)

from cards.parts import text
from snapshot.wording import Label, Wording, fill

type Values = Mapping[str, str]

_MOST_IN_JSON = 2**53
"""The largest whole number that every reader of JSON takes as it is."""


def label_of(words: Wording, id: str, **values: str) -> Label:
    """The label of an input with its placeholders filled. Raises `EmptyPlaceholder`."""
    found = words.inputs[id]
    return Label(fill(id, found.text, values), found.hint)


def text_input(
    words: Wording,
    id: str,
    typed: Values,
    *,
    label: Label | None = None,
    most: int,
    lines: bool = False,
) -> list[ElementType]:
    """`most`: characters. Clients only hint at it, so it is checked again when it comes back."""
    label = label or label_of(words, id)
    box = Text(type="Input.Text", id=id, label=label.text, maxLength=most, isMultiline=lines)
    if typed.get(id):
        box.value = typed[id]
    return [box, *_hint(label)]


def number_input(
    words: Wording, id: str, typed: Values, *, label: Label | None = None, least: int, most: int
) -> list[ElementType]:
    label = label or label_of(words, id)
    box = Number(type="Input.Number", id=id, label=label.text, min=least, max=most)
    with suppress(KeyError, ValueError):  # what is no number cannot stand in it again
        number = int(typed[id])
        if abs(number) <= _MOST_IN_JSON:
            box.value = number
    return [box, *_hint(label)]


def date_input(words: Wording, id: str, typed: Values, *, first: str = "") -> list[ElementType]:
    """`first`: the earliest day, as YYYY-MM-DD, if there is one."""
    label = label_of(words, id)
    box = Date(type="Input.Date", id=id, label=label.text)
    if first:
        box.min = first
    if typed.get(id):
        box.value = typed[id]
    return [box, *_hint(label)]


def time_input(words: Wording, id: str, typed: Values) -> list[ElementType]:
    label = label_of(words, id)
    box = Time(type="Input.Time", id=id, label=label.text)
    if typed.get(id):
        box.value = typed[id]
    return [box, *_hint(label)]


def choice_input(
    words: Wording, id: str, typed: Values, *, offered: Sequence[str] = ()
) -> list[ElementType]:
    """`offered`: the values that can be chosen; all that the pack has a label for unless given."""
    label, choices = label_of(words, id), words.choices[id]
    box = ChoiceSet(
        type="Input.ChoiceSet",
        id=id,
        label=label.text,
        style="expanded",
        wrap=True,
        choices=[Choice(title=choices[value], value=value) for value in offered or choices],
    )
    if typed.get(id) in choices:
        box.value = typed[id]
    return [box, *_hint(label)]


def list_input(
    words: Wording, id: str, typed: Values, choices: Mapping[str, str]
) -> list[ElementType]:
    """One of many, which unfold; `choices` are labels by their values."""
    label = label_of(words, id)
    box = ChoiceSet(
        type="Input.ChoiceSet",
        id=id,
        label=label.text,
        style="compact",
        wrap=True,
        choices=[Choice(title=title, value=value) for value, title in choices.items()],
    )
    if typed.get(id) in choices:
        box.value = typed[id]
    return [box, *_hint(label)]


def _hint(label: Label) -> list[ElementType]:
    return [text(label.hint, isSubtle=True, size="small", spacing="none")] if label.hint else []
