"""Safeguarding leads: putting them on the list, reminding them, and whom to e-mail instead.

Addresses stand only in what answers a facilitator's own tap, never in what is sent or posted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import orjson
from adaptive_cards_python.adaptive_card.Element import Container, ElementType

from cards.inputs import text_input
from cards.page import Page, say_day
from cards.parts import (
    Card,
    as_it_is,
    buttons,
    card,
    container,
    help_rows,
    paragraphs,
    press,
    text,
)
from cards.verbs import Verb
from snapshot.lead_lists import Parsed, Refused, Row
from snapshot.leads import Added, Lead

MOST_PASTED = 20_000
"""Characters, some 300 leads: a message of Teams holds little more."""

_MOST_BYTES = 9_000
"""Of one list on a card; two of them and all else have to fit into 28,000."""
_BYTES_AROUND = 90

_HERE = "\N{OBJECT REPLACEMENT CHARACTER}"


# -- the facilitators' -----------------------------------------------------------------------------


def leads_form(page: Page, problem: str = "") -> Card:
    return card(
        page,
        [
            *([container(paragraphs(problem), style="warning")] if problem else []),
            *paragraphs(page.text("leads_intro")),
            *text_input(page.words, "leads", {}, most=MOST_PASTED, lines=True),
            buttons(press(page, Verb.ADD_LEADS, page.words.buttons["add_leads"], save=True)),
            buttons(press(page, Verb.STATUS, page.words.buttons["cancel"])),
        ],
    )


def leads_added_card(page: Page, found: Parsed, added: Added) -> Card:
    """What was taken, and what was refused and why: for whoever pasted it."""
    lines = [say_row(page, row) for row in found.rows]
    return card(
        page,
        [
            *paragraphs(_counts(page, added)),
            *([container(_lines(page, lines), style="emphasis")] if lines else []),
            *_refused(page, found),
            buttons(press(page, Verb.ADD_LEADS)),
            buttons(press(page, Verb.STATUS)),
        ],
    )


def leads_read_card(page: Page, found: Parsed, added: Added) -> Card:
    """The same for a file in the private chat, without a name: it is sent as a message."""
    return card(page, [*paragraphs(_counts(page, added)), *_refused(page, found)])


def leads_to_email_card(page: Page, by: date) -> Card:
    """Posted to the channel: that some leads have to be e-mailed by a day."""
    return card(
        page,
        [
            *paragraphs(page.text("leads_to_email", send_by_date=say_day(by, page.pack))),
            buttons(press(page, Verb.EMAIL_LEADS, by=by.isoformat())),
        ],
    )


def leads_file_card(page: Page) -> Card:
    """Goes with the offer of the list as a file: what to do with it, and the words to send."""
    return card(page, [*paragraphs(page.text("leads_file")), _email(page), *help_rows(page)])


def leads_unreachable_card(page: Page, by: date, leads: Sequence[Lead], start: int = 0) -> Card:
    """Whom to e-mail, from the lead of this number on, and the words to send."""
    day = say_day(by, page.pack)
    said = page.text("leads_unreachable", send_by_date=day, unreachable_leads=_HERE)
    before, _, after = said.partition(_HERE)
    shown = _fitting(
        ", ".join(filter(None, (each.name, each.organisation, each.address)))
        for each in leads[start:]
    )
    end = start + len(shown)
    more = press(
        page, Verb.EMAIL_LEADS, page.words.buttons["more_leads"], by=by.isoformat(), start=end
    )
    return card(
        page,
        [
            *paragraphs(before.strip()),
            container([as_it_is(row, spacing="small") for row in shown], style="emphasis"),
            *([buttons(more)] if end < len(leads) else []),
            *paragraphs(after.strip()),
            _email(page),
            buttons(press(page, Verb.STATUS)),
        ],
    )


def _email(page: Page) -> Container:
    return container(
        [
            text(page.text("leads_email_subject"), weight="bolder"),
            *paragraphs(page.text("leads_email")),
        ],
        separator=True,
    )


def _counts(page: Page, added: Added) -> str:
    said = [page.text("leads_added", added_count=str(added.new))]
    if added.known:
        said.append(page.text("leads_known", known_count=str(added.known)))
    return "\n\n".join(said)


def _lines(page: Page, lines: Sequence[str]) -> list[ElementType]:
    return [as_it_is(line, spacing="small") for line in _first(page, lines, len(lines))]


def _refused(page: Page, found: Parsed) -> list[ElementType]:
    """By their numbers alone."""
    if not found.refused:
        return []
    said = (say_refused(page, each) for each in found.refused)
    lines = _first(page, said, len(found.refused))
    rejected = "\n".join(f"- {line}" for line in lines)
    return [container(paragraphs(page.text("leads_rejected", rejected_lines=rejected)))]


def say_row(page: Page, row: Row) -> str:
    said = ", ".join(filter(None, (row.address, row.name, row.organisation)))
    return page.words.word("line", line=row.line, said=said)


def say_refused(page: Page, refused: Refused) -> str:
    reason = page.words.word(f"lead_{refused.reason}")
    return page.words.word("line", line=refused.line, said=reason)


def _first(page: Page, lines: Iterable[str], of: int) -> list[str]:
    """`of`: how many there are, which may be far more than anybody will read."""
    shown = _fitting(lines)
    over = of - len(shown)
    return [*shown, *([page.words.word("and_more", count=over)] if over else [])]


def _fitting(lines: Iterable[str]) -> list[str]:
    """Those for which a card has room."""
    left, fitting = _MOST_BYTES, []
    for line in lines:
        left -= len(orjson.dumps(line)) + _BYTES_AROUND
        if left < 0:
            break
        fitting.append(line)
    return fitting


# -- a lead's own ---------------------------------------------------------------------------------


def reminder_card(page: Page, which: str, first_name: str) -> Card:
    """`which`: opening, midway or last. Without a first name, the greeting goes without one."""
    return card(
        page,
        [
            *(text(paragraph) for paragraph in reminder_words(page, which, first_name)),
            buttons(press(page, Verb.SHOW)),
            *paragraphs(page.text("stop_reminders_lead")),
            buttons(press(page, Verb.STOP_LEAD)),
            *help_rows(page),
        ],
    )


def reminder_words(page: Page, which: str, first_name: str) -> list[str]:
    """Its paragraphs."""
    said = page.text(f"reminder_{which}", first_name=first_name or _HERE)
    return [
        page.words.word("hello") if _HERE in paragraph else paragraph
        for paragraph in said.split("\n\n")
    ]
