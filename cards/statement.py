"""One statement, one tap."""

from __future__ import annotations

from adaptive_cards_python.adaptive_card.Element import ElementType

from cards.page import Page
from cards.parts import (
    Card,
    buttons,
    card,
    container,
    heading,
    help_rows,
    kept,
    press,
    progress_bar,
    text,
)
from cards.verbs import Verb
from snapshot.instrument import OptionId, Statement


def statement_card(
    page: Page, statement: Statement, *, revision: int, given: OptionId | None = None
) -> Card:
    """`given` is shown when the person asked to see an earlier answer again.

    `revision` is the ballot's: the buttons may overwrite an answer only of that one.
    """
    if given:
        return _build(page, statement, revision, given)
    key = (statement.id, revision)
    return kept(page, key, lambda: _build(page, statement, revision, None))


def _build(page: Page, statement: Statement, revision: int, given: OptionId | None) -> Card:
    position = page.instrument.position(statement.id)
    total = len(page.instrument.statements)
    place = page.words.word("position", position=position, total=total)
    return card(
        page,
        [
            text(page.instrument.domain(statement.domain).title, weight="bolder"),
            text(place, isSubtle=True, spacing="none"),
            progress_bar(position, total, place),
            heading(statement.text),
            text(statement.help, isSubtle=True),
            text(page.instrument.practice.question, weight="bolder", spacing="large"),
            *_given(page, given),
            *_options(page, statement, revision),
            buttons(press(page, Verb.BACK, statement=statement.id)),
            *help_rows(page, Verb.CHANGE, statement=statement.id),
        ],
    )


def _given(page: Page, given: OptionId | None) -> list[ElementType]:
    option = given and page.instrument.option(given)
    if not option:
        return []
    words = page.words.word("your_answer", option=option.label)
    return [text(words, weight="bolder")]


def _options(page: Page, statement: Statement, revision: int) -> list[ElementType]:
    return [
        container(
            [
                buttons(
                    press(
                        page,
                        Verb.ANSWER,
                        option.label,
                        statement=statement.id,
                        option=option.id,
                        revision=revision,
                    )
                ),
                *(
                    [text(option.hint, isSubtle=True, size="small", spacing="small")]
                    if option.hint
                    else []
                ),
            ],
            spacing="medium",
        )
        for option in page.instrument.practice.options
    ]
