"""Before sending: first a choice that shows nothing, then the answers, if the person asks."""

from __future__ import annotations

from adaptive_cards_python.adaptive_card.Element import ElementType

from cards.page import Page
from cards.parts import (
    Card,
    buttons,
    card,
    column,
    columns,
    container,
    heading,
    help_rows,
    paragraphs,
    press,
    text,
    verbatim,
)
from cards.verbs import Verb
from snapshot.envelope import Ballot
from snapshot.instrument import Statement


def all_answered_card(page: Page) -> Card:
    """What stands here in place of the next statement; it shows no answer."""
    return card(
        page,
        [
            *paragraphs(page.text("all_answered")),
            buttons(press(page, Verb.REVIEW)),
            buttons(press(page, Verb.SUBMIT)),
            *help_rows(page),
        ],
    )


def review_card(page: Page, ballot: Ballot) -> Card:
    """Only ever the answer to somebody's own tap, never a message that is sent."""
    rows: list[ElementType] = []
    for domain in page.instrument.domains:
        rows.append(heading(domain.title, size="medium", separator=True, spacing="large"))
        rows += [_row(page, s, ballot) for s in page.instrument.of_domain(domain.id)]
    return card(
        page,
        [
            *paragraphs(page.text("review_intro")),
            *rows,
            *_comments(page, ballot),
            buttons(press(page, Verb.SUBMIT)),
            *help_rows(page, Verb.REVIEW),
        ],
    )


def _row(page: Page, statement: Statement, ballot: Ballot) -> ElementType:
    given = ballot.answers.get(statement.id)
    option = page.instrument.option(given) if given else None
    answer = option.label if option else page.words.word("not_answered")
    change = press(
        page,
        Verb.CHANGE,
        hint=f"{page.words.verbs[Verb.CHANGE]}: {statement.short}",
        statement=statement.id,
    )
    return columns(
        column([text(statement.short, weight="bolder"), text(answer, spacing="none")], "stretch"),
        column([buttons(change)], "auto", verticalContentAlignment="center"),
    )


def _comments(page: Page, ballot: Ballot) -> list[ElementType]:
    """What was written, once the card for it has been saved."""
    if ballot.comments is None:
        return []
    written = [
        (page.instrument.domain(domain).title, words) for domain, words in ballot.comments.items()
    ]
    return [
        heading(page.words.word("comments"), size="medium", separator=True, spacing="large"),
        *(container([text(title, weight="bolder"), verbatim(words)]) for title, words in written),
        *([] if written else [text(page.words.word("no_comment"))]),
        buttons(press(page, Verb.COMMENTS, page.words.verbs[Verb.CHANGE], kept=True)),
    ]
