"""T10, T11: a worker that dies, or somebody who leaves, at any write of a mix."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex

from snapshot.envelope import Ballot, State
from snapshot.mix import EMPTY
from snapshot.opening import open_snapshot
from snapshot.ports import Changed, Kind, Record, Records, SnapshotId
from snapshot.survey import from_record
from snapshot.tally import cut
from tests.attacks.attack import Result, Staged
from tests.attacks.stores import OpenStore
from tests.attacks.tampering import an_area
from tests.core.exampleshire import INSTRUMENT, Area, a_snapshot, told
from tests.core.mixed import Leaving, ballots_with_labels
from tests.core.watching import AtWrite, Watched

SENDING = {"police": 4}
SMALL = a_snapshot(dict.fromkeys(SENDING, 30), k=2)
LEAVER = "police-1"

type Mixes = Callable[[Area, Records], Awaitable[None]]


class _Died(Exception):
    """What ends a worker at once."""


async def _dies() -> None:
    raise _Died


@dataclass(frozen=True, slots=True)
class Tried:
    """After one interruption: is everything as it must be, and was somebody told "too late"?"""

    is_right: bool
    too_late: bool = False


async def ours(area: Area, records: Records) -> None:
    await area.mix(records=records).flush()


async def naive(area: Area, records: Records) -> None:
    """Reads all who have sent, writes their slips, then empties their envelopes. No journal."""
    snapshot, sealer = area.running.snapshot.id, area.running.sealer
    found = [
        record
        for record in await records.read_all(snapshot, Kind.ENVELOPE)
        if record.state == State.SUBMITTED
    ]
    for record in found:
        ballot = from_record(record, sealer).ballot
        assert ballot
        for slip in cut(ballot, ballot.cell, INSTRUMENT, lambda: token_hex(16)):
            await records.create(Record(snapshot, Kind.SLIP, slip.id, slip.as_json()))
    for record in found:
        with suppress(Changed):
            await records.replace(replace(record, state=State.RELEASED, body=EMPTY))


async def deaths(open_store: OpenStore, folder: Path, mixes: Mixes) -> list[Tried]:
    """At each write in turn the worker dies, and the next one goes on."""
    tried: list[Tried] = []
    async with an_area(open_store, folder) as first:
        while True:
            area = await _another(first, len(tried))
            sent = await area.people_send(SENDING)
            at = AtWrite(len(tried), _dies)
            with suppress(_Died):
                await mixes(area, Watched(area.records, at))
            if not at.came_to_it:
                return tried
            await mixes(area, Watched(area.records))
            tried.append(Tried(await _has_come_out(area, sent)))


async def leavings(open_store: OpenStore, folder: Path, mixes: Mixes) -> list[Tried]:
    """At each write in turn somebody withdraws."""
    tried: list[Tried] = []
    async with an_area(open_store, folder) as first:
        while True:
            area = await _another(first, len(tried))
            sent = await area.people_send(SENDING)
            leaving = Leaving(area, LEAVER)
            at = AtWrite(len(tried), leaving)
            await mixes(area, Watched(area.records, at))
            if not at.came_to_it:
                return tried
            if not leaving.refused:
                del sent[LEAVER]
            tried.append(Tried(await _has_come_out(area, sent), leaving.refused))


async def _another(area: Area, number: int) -> Area:
    """A snapshot of its own on the same store, since to start a server takes a second."""
    snapshot = replace(SMALL, id=SnapshotId(f"exampleshire-{number}"))
    return Area(await open_snapshot(area.records, area.running.keys, snapshot), area.records)


async def _has_come_out(area: Area, sent: Mapping[str, Ballot]) -> bool:
    """Each of these once, nothing else, and the mix is over."""
    is_all = told(await area.slips()) == ballots_with_labels(sent, {})
    return is_all and await _is_tidy(area)


async def _is_tidy(area: Area) -> bool:
    return not await area.journals() and State.MIXING not in await area.states()


async def crash(open_store: OpenStore, folder: Path) -> Result:
    found = await deaths(open_store, folder / "ours", ours)
    control = await deaths(open_store, folder / "naive", naive)
    wrong, wrong_there = _wrong(found), _wrong(control)
    return Result(
        f"wrong after {wrong} of {len(found)} deaths",
        f"slips written, then envelopes emptied: wrong after {wrong_there} of {len(control)}",
        bool(found) and not wrong,
        wrong_there > 0,
    )


async def withdraw(open_store: OpenStore, folder: Path) -> Result:
    found = await leavings(open_store, folder / "ours", ours)
    control = await leavings(open_store, folder / "naive", naive)
    wrong, wrong_there = _wrong(found), _wrong(control)
    late = sum(t.too_late for t in found)
    return Result(
        f"wrong after {wrong} of {len(found)} withdrawals ({late} told that it is too late)",
        f"all read first, then written: wrong after {wrong_there} of {len(control)}",
        not wrong and 0 < late < len(found),
        wrong_there > 0,
    )


def _wrong(tried: list[Tried]) -> int:
    return sum(not t.is_right for t in tried)


CRASH = Staged(
    "T10",
    "A worker that dies",
    "the moment: before each write of a mix, another worker goes on",
    "every answer that was sent comes out once; no journal and no claim is left",
    stage=crash,
)
WITHDRAW = Staged(
    "T11",
    "Withdrawing while a mix runs",
    "the moment: before each write of a mix",
    "who leaves is not counted, or is told that it is too late and counted once",
    stage=withdraw,
)
