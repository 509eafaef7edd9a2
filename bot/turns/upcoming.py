"""What the bot will say unasked, when and in which words; and of leads, whom it has reached."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.turns.visit import Visit
from cards.leads import reminder_words
from cards.page import say_day_and_time
from cards.parts import Card
from cards.progress import Planned, reminders_card
from snapshot.calendar import IsWorkingDay, local
from snapshot.ledger import OPEN, MessageState, how_far
from snapshot.publication import Topic, id_of
from snapshot.reminding import lead_reminders, nudges, unfinished_reminders


async def reminders(visit: Visit) -> Card:
    """As things stand: an extension changes what is to come."""
    working = visit.service.working_days(visit.running.snapshot.nation)
    now = visit.service.clock()
    coming = sorted((p for p in _planned(visit, working) if p[0] > now), key=lambda p: p[0])
    shown = [
        Planned(visit.page.text(message, reminder_day=_say(visit, at)), words)
        for at, message, words in coming
    ]
    return reminders_card(visit.page, await _sent(visit, working, now), shown)


def _planned(
    visit: Visit, working: IsWorkingDay
) -> Iterator[tuple[datetime, str, tuple[str, ...]]]:
    """When, which message says so, and the words that go out."""
    page, snapshot = visit.page, visit.running.snapshot
    for due in lead_reminders(snapshot, working):
        yield due.at, "upcoming_leads", tuple(reminder_words(page, due.which, ""))
    for due in unfinished_reminders(snapshot, working):
        said = page.text(f"unfinished_{due.which}")
        yield due.at, "upcoming_unfinished", tuple(said.split("\n\n"))
    for at in nudges(snapshot, working):
        yield at, "upcoming_nudge", ()


async def _sent(visit: Visit, working: IsWorkingDay, now: datetime) -> str:
    """How far the last reminder to leads has come; empty before the first one."""
    past = [due for due in lead_reminders(visit.running.snapshot, working) if due.at <= now]
    if not past:
        return ""
    what = id_of(Topic.LEADS, past[-1].id)
    found = await how_far(visit.service.records, visit.running.snapshot.id, what)
    if not found:
        return ""
    return visit.page.text(
        "reminders_sent",
        leads_sent=str(found[MessageState.SENT]),
        leads_waiting=str(sum(found[state] for state in OPEN)),
        leads_by_email=str(found[MessageState.UNREACHABLE]),
    )


def _say(visit: Visit, at: datetime) -> str:
    return say_day_and_time(local(visit.running.snapshot, at), visit.page.pack)
