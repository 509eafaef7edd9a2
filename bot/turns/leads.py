"""Safeguarding leads: facilitators put them on the list, and they may take themselves off it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from datetime import date
from typing import Any

from bot.turns import facilitator, files
from bot.turns.account import did
from bot.turns.turn import File, NoFile, Reply, Turn
from bot.turns.visit import Handler, Service, Visit, takes_answers
from cards.leads import (
    MOST_PASTED,
    leads_added_card,
    leads_file_card,
    leads_form,
    leads_read_card,
    leads_unreachable_card,
    reminder_card,
)
from cards.notice import choose_card, message_card, notice_card
from cards.page import Page
from cards.parts import Card
from cards.verbs import Verb
from snapshot.acts import Did
from snapshot.errors import NotOffered
from snapshot.lead_lists import Parsed, parse_csv, parse_pasted, to_csv
from snapshot.leads import Added, Lead, all_leads, by_person, was_installed_by_us
from snapshot.leads import add as add_leads
from snapshot.leads import stop as stop_lead
from snapshot.opening import Running

MOST_IN_A_FILE_ADDRESS = 8_192
"""Characters: what Teams gives for a file holds a signature."""

type _Outcome = tuple[Parsed, Added] | str
"""What came of a list; or which message says that it could not be had."""

# -- in the channel -------------------------------------------------------------------------------


async def add(visit: Visit) -> Card:
    """The box to paste into, and from it on to what came of it."""
    page, turn = visit.page, visit.turn
    if not visit.takes_answers:
        return await facilitator.status(visit)
    pasted = turn.typed("leads", most=MOST_PASTED + 1)
    if not turn.is_set("save") or not pasted.strip():
        return leads_form(page)
    if len(pasted) > MOST_PASTED:  # cut off, the last line could be somebody else's address
        return leads_form(page, page.text("leads_too_much"))
    outcome = await _outcome(visit, _add(visit, parse_pasted(pasted)))
    return leads_added_card(page, *outcome) if outcome else notice_card(page, "leads_under_way")


async def to_email(visit: Visit) -> Card:
    """Those whom the bot cannot reach, as they are now."""
    turn = visit.turn
    try:
        by = date.fromisoformat(turn.text("by"))
    except ValueError:
        raise NotOffered from None
    start = turn.number("start") if "start" in turn.data else 0
    leads = await _out_of_reach(visit)
    if not 0 <= start < len(leads):
        raise NotOffered
    await did(visit, Did.SAW_LEADS)
    return leads_unreachable_card(visit.page, by, leads, start)


async def _out_of_reach(visit: Visit) -> list[Lead]:
    found = await all_leads(visit.running, visit.service.records)
    return sorted((lead for lead in found if lead.is_out_of_reach), key=lambda lead: lead.address)


# -- the app, which we have installed ---------------------------------------------------------


async def was_installed_for(turn: Turn, service: Service, found: Sequence[Running]) -> bool:
    """Whether it was we who have just given somebody the app: what they get is the reminder.

    `found`: what takes answers from them.
    """
    for running in found:
        if await was_installed_by_us(running, service.records, turn.person, service.clock()):
            return True
    return False


# -- in a private chat ----------------------------------------------------------------------------


async def with_file(turn: Turn, service: Service) -> Card:
    """A facilitator's list, for the snapshot that is open to them; they choose among several."""
    found = await service.directory.of_tenant(turn.person.tenant)
    running = [r for r in found if takes_answers(service, r)]
    words = service.pack_for(turn.locale).wording
    if not running:
        return message_card(words, "nothing_open")
    if len(running) > 1:
        pages = [service.page(r, words.language) for r in running]
        return choose_card(words, pages, "", file=turn.file)
    (only,) = running
    return await read_file(Visit(turn, service, only, service.page(only, words.language)))


async def read_file(visit: Visit) -> Card:
    """Raises `NotOffered` for whoever is no facilitator."""
    turn, page = visit.turn, visit.page
    file = turn.file or turn.data.get("file")
    if not visit.service.rights.may_facilitate(turn.person):
        raise NotOffered
    if not isinstance(file, str) or len(file) > MOST_IN_A_FILE_ADDRESS:
        raise NotOffered
    outcome = await _outcome(visit, _read(visit, file))
    return _say(page, outcome) if outcome else notice_card(page, "leads_under_way")


def wants_list(turn: Turn, service: Service, command: str) -> bool:
    """Whether a facilitator wants to have those who have to be e-mailed as a file."""
    chosen = turn.data.get("command") if turn.verb == Verb.CHOOSE else ""
    return _LIST in (command, chosen) and service.rights.may_facilitate(turn.person)


async def offer_list(turn: Turn, service: Service) -> Reply:
    """For the snapshot that is open to them; they choose among several."""
    words, toast = service.pack_for(turn.locale).wording, service.pack.wording.messages["toast"]
    found = await service.directory.of_tenant(turn.person.tenant)
    running = [r for r in found if takes_answers(service, r)]
    if turn.verb is not None:
        running = [r for r in running if r.snapshot.id == turn.data.get("snapshot")]
    if not running:
        return Reply(message_card(words, "nothing_open"), toast)
    if len(running) > 1:
        pages = [service.page(r, words.language) for r in running]
        return Reply(choose_card(words, pages, _LIST), toast)
    (only,) = running
    visit = Visit(turn, service, only, service.page(only, words.language))
    return await files.offer(visit, _LIST, FILES[_LIST], leads_file_card)


async def _list(visit: Visit) -> File | None:
    leads = await _out_of_reach(visit)
    if not leads:
        return None
    columns = [visit.page.words.word(f"column_{id}") for id in ("email", "name", "organisation")]
    rows = [(lead.address, lead.name, lead.organisation) for lead in leads]
    return File(_FILE_NAME, await asyncio.to_thread(to_csv, columns, rows))


async def stop(visit: Visit) -> Card:
    """Only ever one's own reminders, whoever's card it was. Raises `NotOffered`."""
    running, records = visit.running, visit.service.records
    own = await by_person(running, records, visit.turn.person)
    if not own:
        raise NotOffered
    for lead in own:
        await stop_lead(running, records, lead.id)
    return notice_card(visit.page, "leads_stopped")


# -- what goes to them ----------------------------------------------------------------------------


def reminder(service: Service, running: Running, lead: Lead, which: str) -> Reply:
    """`which`: opening, midway or last. In the language of the channel and the report."""
    shown = reminder_card(service.page(running), which, lead.first_name)
    return Reply(shown, service.pack.wording.messages["toast"])


# -- lists that take their time -------------------------------------------------------------------


async def _outcome[T: _Outcome](visit: Visit, work: Coroutine[Any, Any, T]) -> T | None:
    """None: it takes longer, and they will be told."""
    page, toast = visit.page, visit.service.pack.wording.messages["toast"]
    return await visit.service.afterwards.wait(
        work,
        visit.turn.address,
        lambda outcome: Reply(_say(page, outcome), toast),
        Reply(notice_card(page, "leads_interrupted"), toast),
    )


def _say(page: Page, outcome: _Outcome) -> Card:
    return (
        notice_card(page, outcome) if isinstance(outcome, str) else leads_read_card(page, *outcome)
    )


async def _read(visit: Visit, file: str) -> _Outcome:
    try:
        raw = await visit.service.fetch(file)
    except NoFile:
        return "leads_no_file"
    return await _add(visit, await asyncio.to_thread(parse_csv, raw))


async def _add(visit: Visit, found: Parsed) -> tuple[Parsed, Added]:
    added = await add_leads(visit.running, visit.service.records, found.rows)
    visit.service.wake()  # whoever can be found is, before the first reminder
    await did(visit, Did.ADDED_LEADS, str(added.new))
    return found.without(added.over), added


VERBS: Mapping[str, Handler] = {
    Verb.ADD_LEADS: add,
    Verb.EMAIL_LEADS: to_email,
}
"""In the channel, and only for facilitators."""

PRIVATE_VERBS: Mapping[str, Handler] = {
    Verb.STOP_LEAD: stop,
}

_LIST = "leads"
_FILE_NAME = "leads-to-email.csv"

WORDS = frozenset({_LIST})
"""May be typed in a private chat, by facilitators."""

FILES: Mapping[str, files.Kind] = {
    _LIST: files.Kind(_list, "leads_file_about", "leads_file_none", Did.SAW_LEADS)
}

DECIDING = frozenset(VERBS.values())

OF_LEADS = frozenset({stop, read_file})
"""Has nothing to do with anybody's answers."""
