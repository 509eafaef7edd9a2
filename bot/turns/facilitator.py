"""The facilitators' channel: how it stands, moving the deadline, contacts, and the close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date

from bot.turns import plan
from bot.turns.account import did
from bot.turns.form import (
    contact_problems,
    contacts_from,
    contacts_in,
    deadline_after,
    is_line,
)
from bot.turns.posts import extension_card
from bot.turns.upcoming import reminders
from bot.turns.visit import Handler, Visit, closed_date
from cards.contacts import correct_card, corrected_card, say_changes
from cards.help import facilitator_help_card, worried_in_channel_card
from cards.inputs import Values
from cards.page import Page, say_day
from cards.parts import Card
from cards.progress import (
    MOST_IN_A_REASON,
    close_card,
    closed_card,
    code_card,
    extend_card,
    refused_card,
    report_card,
    status_card,
)
from cards.summary import interim_card, summary_card
from cards.verbs import Verb
from snapshot.acts import Did
from snapshot.closing import begin_close, final_summary
from snapshot.errors import NotLater, NotOffered, Overtaken
from snapshot.interim import sent_interim
from snapshot.opening import correct as correct_contacts
from snapshot.opening import extend as move_deadline
from snapshot.progress import last_progress, next_frozen
from snapshot.publication import which_of
from snapshot.snapshot import Phase
from snapshot.wording import Command


async def status(visit: Visit) -> Card:
    """Never a live figure: a band that is frozen on certain days, and after the close the end."""
    records, snapshot = visit.service.records, visit.running.snapshot.id
    closed = closed_date(visit.running, visit.page)
    if not visit.takes_answers:
        found = await final_summary(records, snapshot)
        if found is None:
            return closed_card(visit.page, closed)
        return summary_card(visit.page, found[0], closed_date=closed)
    if visit.turn.is_set("reminders"):
        return await reminders(visit)
    if visit.turn.is_set("code"):
        return _code(visit)
    interim = await sent_interim(records, snapshot)
    if interim and visit.turn.is_set("summary"):
        return interim_card(visit.page, interim)
    notes = [*await _progress(visit), *([] if interim else _none_yet(visit)), _moderation(visit)]
    return status_card(visit.page, notes, has_summary=interim is not None)


async def _progress(visit: Visit) -> list[str]:
    """As it stood on the last day on which it was frozen."""
    page, snapshot, service = visit.page, visit.running.snapshot, visit.service
    if sum(snapshot.headcounts.values()) < page.instrument.limits.progress_from_headcount:
        return [page.text("progress_small")]
    working = service.working_days(snapshot.nation)
    following = say_day(next_frozen(snapshot, service.clock(), working), page.pack)
    last = await last_progress(service.records, snapshot.id)
    if last is None:
        return [page.text("progress_none_yet", next_progress_day=following)]
    frozen = date.fromisoformat(which_of(last.id))
    return [
        page.text(
            "progress",
            progress_day=say_day(frozen, page.pack),
            progress_band=str(last.body["progress"]),
            next_progress_day=following,
        )
    ]


def _none_yet(visit: Visit) -> list[str]:
    minimum = str(visit.page.instrument.limits.interim_from)
    return [visit.page.text("interim_none", interim_minimum=minimum)]


def _moderation(visit: Visit) -> str:
    """Whether comments are offered. Everybody in the channel sees what a typed word answers."""
    return visit.page.text("moderators_ready" if visit.running.moderators else "moderators_missing")


def _code(visit: Visit) -> Card:
    """Whoever has it could read comments, so it is only ever an answer to a facilitator's tap."""
    if not visit.service.rights.may_facilitate(visit.turn.person):
        return refused(visit, "facilitator_only")
    return code_card(visit.page, visit.running.moderator_code)


async def extend(visit: Visit) -> Card:
    """A later deadline, at the same time of day, with a reason that everyone is told."""
    page, service = visit.page, visit.service
    if not visit.takes_answers:
        return await status(visit)
    if not visit.turn.is_set("save"):
        return extend_card(page, {})
    typed = {id: " ".join(visit.turn.typed(id).split()) for id in ("deadline", "reason")}
    now = service.clock()
    deadline = deadline_after(visit.running.snapshot, typed["deadline"], now)
    wrong = [
        *(["deadline"] if deadline is None else []),
        *([] if is_line(typed["reason"], MOST_IN_A_REASON) else ["reason"]),
    ]
    if deadline is None or wrong:
        return extend_card(page, typed, _look_again(page, wrong))
    try:
        moved = await move_deadline(visit.running, service.records, deadline, typed["reason"], now)
    except NotLater:
        return extend_card(page, typed, [page.text("extend_not_later")])
    service.directory.note(moved)
    service.wake()  # it tells the channel
    number = len(moved.snapshot.extensions)
    await did(visit, Did.EXTENDED, str(number))
    return extension_card(service.page(moved), number)


async def correct(visit: Visit) -> Card:
    """Whom people can turn to is put right, and everybody is told what has changed."""
    page, service, turn = visit.page, visit.service, visit.turn
    if not visit.takes_answers:
        return await status(visit)
    if not turn.is_set("save"):
        return correct_card(page, asdict(visit.running.snapshot.contacts))
    typed, seen = contacts_in(turn.data), turn.number("seen")
    if wrong := contact_problems(typed):
        return correct_card(page, typed, _look_again(page, wrong))
    try:
        corrected = await correct_contacts(
            visit.running, service.records, contacts_from(typed), seen, service.clock()
        )
    except Overtaken:
        return await _overtaken(visit, typed)
    service.directory.note(corrected)
    number = len(corrected.snapshot.corrections)
    if number == seen:
        return await status(visit)
    service.wake()  # it tells the channel
    await did(visit, Did.CORRECTED, str(number))
    return corrected_card(service.page(corrected), number)


async def _overtaken(visit: Visit, typed: Values) -> Card:
    """What the last one to correct them has changed: whoever saves now has seen it."""
    now = await visit.service.directory.find(visit.running.snapshot.id, fresh=True)
    if now is None or not now.snapshot.corrections:
        raise NotOffered
    page = visit.service.page(now)
    changes = say_changes(page, len(now.snapshot.corrections))
    return correct_card(page, typed, [page.text("contacts_overtaken", contact_changes=changes)])


def _look_again(page: Page, wrong: Sequence[str]) -> list[str]:
    return [page.text("form_problem", field_label=page.words.inputs[id].text) for id in wrong]


async def close(visit: Visit) -> Card:
    """Asks once more, then stops the answers at once; the worker mixes and posts the summary."""
    if visit.running.phase is not Phase.OPEN:
        return await status(visit)
    if not visit.turn.is_set("confirmed"):
        return close_card(visit.page)
    service = visit.service
    closing = await begin_close(visit.running, service.records, service.clock())
    service.directory.note(closing)
    service.wake()
    await did(visit, Did.CLOSED)
    return closed_card(visit.page, closed_date(closing, visit.page))


async def report(visit: Visit) -> Card:
    """It comes as files, which Teams gives in private chats alone."""
    return report_card(visit.page)


async def help(visit: Visit) -> Card:
    return facilitator_help_card(visit.page, *commands(visit.page))


def commands(page: Page) -> tuple[list[Command], list[Command]]:
    """What facilitators may type in the channel, and what in their private chat."""
    words = page.words
    return (
        [c for c in words.channel if c.id in {*WORDS, *plan.WORDS, "new", "session"}],
        [c for c in words.private if c.id in IN_PRIVATE],
    )


async def worried(visit: Visit) -> Card:
    return worried_in_channel_card(visit.page)


def refused(visit: Visit, message: str) -> Card:
    return refused_card(visit.page, message)


VERBS: Mapping[str, Handler] = {
    Verb.STATUS: status,
    Verb.EXTEND: extend,
    Verb.CORRECT: correct,
    Verb.CLOSE: close,
    Verb.WORRIED: worried,
}
WORDS: Mapping[str, Handler] = {
    "status": status,
    "extend": extend,
    "contacts": correct,
    "close": close,
    "report": report,
    "help": help,
}

IN_PRIVATE = frozenset({"leads", "report"})
"""What only facilitators may type in their private chat."""

DECIDING = frozenset({extend, correct, close})
"""Only for facilitators; the snapshot is read again, so that what others did is not missed."""
