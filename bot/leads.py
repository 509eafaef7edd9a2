"""What an operator does with leads: `python -m bot leads import`, `show` and `erase`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot.acts import operator_did
from bot.turns.visit import Service, takes_answers
from cards.leads import say_refused, say_row
from snapshot.acts import Did
from snapshot.lead_lists import parse_csv
from snapshot.leads import Lead, add, by_address, by_person, erase, messages_to
from snapshot.opening import Running
from snapshot.ports import DIRECTORY, Head, Kind, Unavailable

type Told = Callable[[int, int], None]
"""Hears how many more rows have been seen to, and of how many."""

MOST_BYTES = 2 * 1024 * 1024


class CannotImport(Exception):
    """The message says why, and holds nothing of the file."""


@dataclass(frozen=True, slots=True)
class Import:
    """`taken` and `refused` are lines for whoever has the file, with names in them."""

    taken: list[str]
    refused: list[str]
    new: int
    known: int


async def import_leads(service: Service, file: Path, snapshot: str, told: Told) -> Import:
    """Add the leads of a CSV file to a snapshot, or to the only one that is open.

    Raises `CannotImport`.
    """
    raw = _read(file)
    found = [r for r in await service.directory.all(fresh=True) if takes_answers(service, r)]
    fitting = [r for r in found if snapshot in ("", r.snapshot.id)]
    if not fitting:
        raise CannotImport(f"No snapshot {snapshot} is open." if snapshot else "None is open.")
    if len(fitting) > 1:
        ids = "\n".join(f"  --snapshot {r.snapshot.id}" for r in fitting)
        raise CannotImport(f"More than one snapshot is open. Say which:\n{ids}")
    (running,) = fitting
    parsed = parse_csv(raw)
    told(0, len(parsed.rows))
    added = await add(
        running, service.records, parsed.rows, lambda more: told(more, len(parsed.rows))
    )
    await operator_did(service, running, Did.ADDED_LEADS)
    kept, page = parsed.without(added.over), service.page(running, "en-GB")
    return Import(
        [say_row(page, row) for row in kept.rows],
        [say_refused(page, refused) for refused in kept.refused],
        added.new,
        added.known,
    )


# -- what is kept of one person -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """What is kept of a lead in one snapshot. `messages`: in the ledger, without their words."""

    running: Running
    lead: Lead
    messages: Sequence[Head]


@dataclass(frozen=True, slots=True)
class Holding:
    """What is kept of whoever has an address. `unread`: snapshots that could not be looked at."""

    held: Sequence[Held]
    unread: Sequence[str]


async def held_of(service: Service, address: str) -> Holding:
    """In every snapshot, also under other addresses where Teams knows that it is one person."""
    running = await service.directory.kept()
    known = {str(each.snapshot.id) for each in running}
    heads = await service.records.heads(DIRECTORY, Kind.SNAPSHOT)
    return Holding(
        [held for each in running for held in await _held_in(service, each, address)],
        [head.id for head in heads if head.id not in known],
    )


async def _held_in(service: Service, running: Running, address: str) -> list[Held]:
    records = service.records
    lead = await by_address(running, records, address)
    if lead is None:
        return []
    leads = {lead.id: lead}
    if lead.person:
        leads |= {each.id: each for each in await by_person(running, records, lead.person)}
    return [
        Held(running, each, await messages_to(running, records, each)) for each in leads.values()
    ]


async def show_all(service: Service, holding: Holding) -> list[str]:
    """For whoever has asked what is kept of them."""
    for held in holding.held:
        await operator_did(service, held.running, Did.SAW_LEADS)
    return list(say_held(holding))


async def erase_all(service: Service, holding: Holding) -> None:
    for held in holding.held:
        await erase(held.running, service.records, held.lead)
        await operator_did(service, held.running, Did.ERASED_LEAD)
    with suppress(Unavailable):  # whoever is in the way does it when they are next done
        await service.records.forget()


def say_held(holding: Holding) -> Iterator[str]:
    for held in holding.held:
        lead, person = held.lead, held.lead.person
        yield f"{held.running.snapshot.id}, {held.running.snapshot.area}"
        yield f"  address: {lead.address}"
        yield f"  name: {lead.name or 'none'}"
        yield f"  organisation: {lead.organisation or 'none'}"
        yield f"  reminders: {'stopped' if lead.stopped else 'wanted'}"
        yield f"  in Teams: {f'{person.tenant}/{person.object_id}' if person else 'not known'}"
        yield f"  chat with the bot: {'known' if lead.chat else 'not known'}"
        for message in held.messages:
            yield f"  message {message.id.rpartition('.')[0]}: {message.state}"
    for id in holding.unread:
        yield f"{id} is stopped and could not be looked at."


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            raw = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise CannotImport(f"{file} cannot be read: {error.strerror}") from None
    if len(raw) > MOST_BYTES:
        raise CannotImport(f"{file} is larger than 2 MB.")
    return raw
