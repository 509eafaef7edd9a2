"""The facilitators' cards: how it stands, moving the deadline, and closing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from cards.inputs import Values, date_input, text_input
from cards.page import Page, say_day
from cards.parts import (
    Card,
    buttons,
    card,
    container,
    link_of,
    paragraphs,
    press,
    problem_box,
    text,
)
from cards.verbs import Verb
from snapshot.wording import say_cell

MOST_IN_A_REASON = 200


def status_card(page: Page, notes: Sequence[str], *, has_summary: bool) -> Card:
    """What was fixed at opening, and `notes` on progress, summaries and moderators."""
    summary = press(page, Verb.STATUS, page.words.buttons["see_summary"], summary=True)
    return card(
        page,
        [
            *paragraphs(page.text("snapshot_opened")),
            *(block for note in notes for block in paragraphs(note)),
            *([buttons(summary)] if has_summary else []),
            buttons(link_of(page, "open_chat")),
            buttons(press(page, Verb.STATUS, page.words.buttons["see_reminders"], reminders=True)),
            buttons(press(page, Verb.ADD_LEADS)),
            buttons(press(page, Verb.STATUS, page.words.buttons["see_code"], code=True)),
            buttons(press(page, Verb.CORRECT)),
            buttons(press(page, Verb.EXTEND)),
            buttons(press(page, Verb.CLOSE)),
        ],
    )


def code_card(page: Page, code: str) -> Card:
    """The code with which moderators register, for the eyes of a facilitator."""
    said = page.text("moderators_code", moderator_code=code)
    return card(page, [*paragraphs(said), buttons(press(page, Verb.STATUS))])


@dataclass(frozen=True, slots=True)
class Planned:
    """When something goes out and to whom, in a sentence, and its words, by paragraph."""

    said: str
    words: Sequence[str]


def reminders_card(page: Page, sent: str, planned: Sequence[Planned]) -> Card:
    """`sent`: how far the last reminder to leads has come; empty before the first one."""
    body = paragraphs(sent) if sent else []
    if not planned:
        body += paragraphs(page.text("upcoming_none"))
    for each in planned:
        body.append(text(each.said, weight="bolder", separator=True))
        body += [container([text(part) for part in each.words], style="emphasis")] * bool(
            each.words
        )
    return card(page, [*body, buttons(press(page, Verb.STATUS))])


def extend_card(page: Page, typed: Values, problems: Sequence[str] = ()) -> Card:
    """A later deadline and the reason for it, which everyone is told."""
    first: date = page.snapshot.deadline.date() + timedelta(days=1)
    return card(
        page,
        [
            *problem_box(problems),
            *paragraphs(page.text("extend_intro")),
            *date_input(page.words, "deadline", typed, first=first.isoformat()),
            *text_input(page.words, "reason", typed, most=MOST_IN_A_REASON),
            buttons(press(page, Verb.EXTEND, save=True)),
            buttons(press(page, Verb.STATUS, page.words.buttons["cancel"])),
        ],
    )


def nudge_card(page: Page, day: date, frozen: Mapping[str, Any]) -> Card:
    """How far everybody has come, in bands; `frozen`: as `snapshot.progress` recorded it."""
    if frozen["progress"] is None:
        said = [page.text("facilitator_nudge_small")]
    else:
        when = {"progress_day": say_day(day, page.pack)}
        said = [page.text("facilitator_nudge", **when, progress_band=str(frozen["progress"]))]
        if beside := _beside(page, frozen["agencies"]):
            said.append(page.text("facilitator_nudge_agencies", **when, agency_bands=beside))
    return card(page, [block for each in said for block in paragraphs(each)])


def _beside(page: Page, agencies: Mapping[str, str]) -> str:
    """One line for each group that stands alone."""
    lines = [
        f"- {say_cell(cell, page.snapshot.nation, page.pack)}: "
        + page.words.word(f"{agencies[cell.id]}_others")
        for cell in page.snapshot.cells
        if cell.id in agencies
    ]
    return "\n".join(lines)


def extended_card(page: Page, *, old_day: str, new_day: str, reason: str) -> Card:
    """Posted for everyone; the link opens the private chat."""
    days = {"old_deadline_date": old_day, "deadline_date": new_day}
    said = page.text("deadline_extended", **days, reason=reason)
    return card(page, [*paragraphs(said), buttons(link_of(page, "open_chat"))])


def close_card(page: Page) -> Card:
    return card(
        page,
        [
            *paragraphs(page.text("close_confirm")),
            buttons(press(page, Verb.STATUS, page.words.buttons["cancel"])),
            buttons(press(page, Verb.CLOSE, page.words.buttons["confirm_close"], confirmed=True)),
        ],
    )


def closed_card(page: Page, closed_date: str) -> Card:
    return card(
        page,
        [
            *paragraphs(page.text("closed", closed_date=closed_date)),
            buttons(press(page, Verb.STATUS, page.words.buttons["see_summary"])),
            buttons(press(page, Verb.WORRIED)),
        ],
    )


def report_card(page: Page) -> Card:
    """Where facilitators get the report."""
    said = page.text("report_in_private")
    return card(page, [text(said), buttons(link_of(page, "open_chat"))])


def words_go_card(page: Page, day: date) -> Card:
    """Posted some days before comments and notes are deleted."""
    said = page.text("words_go", deletion_date=say_day(day, page.pack))
    return card(page, [*paragraphs(said), buttons(link_of(page, "open_chat"))])


def refused_card(page: Page, message: str) -> Card:
    """Somebody may not do that here, or not now; the way to what they may see."""
    return card(page, [text(page.text(message)), buttons(press(page, Verb.STATUS))])
