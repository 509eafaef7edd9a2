"""The mix: opens the envelopes of at least k people at once, cuts what is in them, shuffles it.

The store has nothing but single-record compare-and-set, so one journal record makes a batch
all or nothing: creating it is the lock, its `commit` version holds the shuffled slips (sealed),
the pin beside the keys (`roll`) makes that count and is the point of no return, deleting it is the
end. Killed anywhere, the next run puts the claims back or finishes what was committed. Nobody
runs a mix but the calendar and the close.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from snapshot.attempts import Attempts
from snapshot.comments import mixed
from snapshot.envelope import Ballot, State
from snapshot.errors import Damaged, Tampered
from snapshot.instrument import Instrument
from snapshot.opening import Running
from snapshot.ports import (
    Changed,
    Exists,
    Kind,
    Missing,
    PinChanged,
    Record,
    Records,
    SnapshotId,
)
from snapshot.roll import digest, extend_roll, pin, pinned, released
from snapshot.sealing import KEY_BYTES, Sealer
from snapshot.snapshot import OTHER, CellId
from snapshot.survey import from_record
from snapshot.tally import Tally, count, cut

MOST_IN_A_BATCH = 100
"""So that a journal stays far below the 2 MB that Cosmos DB takes for one item."""

PATIENCE_S = 5.0
"""How long a journal that somebody else claimed must stand still to count as abandoned."""

CLAIMS_BETWEEN_SIGNS = 10
"""After so many claims the journal is written again, so that a slow worker is not taken for dead.

At 25 ms for a call of the store, ten claims take half a second.
"""

EMPTY: Mapping[str, Any] = {"ballot": None, "contact": None}
"""What an envelope holds once there is nothing sealed any more."""

_JOURNAL = "journal"
_CLAIM = "claim"
_COMMIT = "commit"

type Wait = Callable[[float], Awaitable[None]]
type Plan = Callable[[Mapping[CellId, int], int], list[Group]]


class _Fenced(Exception):
    """Somebody thought that this worker was dead, and took the lock over."""


@dataclass(frozen=True, slots=True)
class Group:
    """Cells that are released under one label, which may be another's."""

    label: CellId
    cells: tuple[CellId, ...]


def plan_close(waiting: Mapping[CellId, int], k: int) -> list[Group]:
    """Who is released with whom when nobody more can come; empty when all are fewer than k.

    Cells with fewer than k waiting are pooled as "other"; if the pool is still too small, the
    cells that could stand alone join it, smallest first: these people lose their label, never
    their vote. The pool comes first, so that it can still find partners if it shrinks.
    """
    alone = {cell: n for cell, n in waiting.items() if n >= k}
    pool = {cell: n for cell, n in waiting.items() if 0 < n < k}
    while pool and sum(pool.values()) < k:
        if not alone:
            return []
        # The combined cell first: its people keep the label that they have.
        joins = min(alone, key=lambda cell: (cell != OTHER, alone[cell], cell))
        pool[joins] = alone.pop(joins)
    groups = [Group(cell, (cell,)) for cell in sorted(alone, key=lambda cell: (alone[cell], cell))]
    return [Group(OTHER, tuple(sorted(pool))), *groups] if pool else groups


def plan_run(waiting: Mapping[CellId, int], k: int) -> list[Group]:
    """The cells that release somebody while more may come: those with k to go and k to stay."""
    return [Group(cell, (cell,)) for cell, n in sorted(waiting.items()) if n >= 2 * k]


class Mix:
    """Mixes one snapshot. `dice` must be unpredictable outside tests; `wait` sleeps seconds."""

    def __init__(
        self,
        running: Running,
        instrument: Instrument,
        records: Records,
        *,
        dice: Random,
        wait: Wait,
    ) -> None:
        self._running = running
        self._snapshot = running.snapshot
        self._sealer = running.sealer
        self._keys = running.keys
        self._instrument = instrument
        self._records = records
        self._dice = dice
        self._wait = wait

    async def run(self) -> None:
        """Release those who can be released while more may come.

        In each cell k people, drawn by lot, stay behind: so the last ones will find partners.
        """
        await self._release_all(plan_run, stay=self._snapshot.k)

    async def flush(self) -> None:
        """Release everybody who can be released when nobody more can come.

        Those still `submitted` afterwards are fewer than k people.
        """
        await self._release_all(plan_close, stay=0)

    async def _release_all(self, plan: Plan, *, stay: int) -> None:
        await self._set_aside_damaged()
        while True:
            journal = await self._lock()
            try:
                roll = await released(self._keys, self._records, self._snapshot.id)
                journal, waiting = await self._waiting(journal, roll)
                chosen = self._choose(waiting, plan, stay)
                if chosen is None:
                    await self._unlock(journal)
                    return
                await self._release(journal, roll, *chosen)
            except _Fenced:
                continue
            except Tampered:
                await self._unlock(journal)
                raise

    # -- one batch --------------------------------------------------------------------------

    def _choose(
        self, waiting: Mapping[CellId, Sequence[str]], plan: Plan, stay: int
    ) -> tuple[Group, list[str]] | None:
        groups = plan({cell: len(tags) for cell, tags in waiting.items()}, self._snapshot.k)
        if not groups:
            return None
        # The smallest cells leave last: as long as they wait, the next part is of the same group.
        members: list[str] = []
        for cell in sorted(groups[0].cells, key=lambda cell: (-len(waiting[cell]), cell)):
            members += self._dice.sample(waiting[cell], len(waiting[cell]))
        members = members[: len(members) - stay]
        parts = math.ceil(len(members) / MOST_IN_A_BATCH)
        return groups[0], members[: math.ceil(len(members) / parts)]

    async def _release(
        self, journal: Record, roll: frozenset[str], group: Group, members: Sequence[str]
    ) -> None:
        opened: dict[str, Ballot] = {}
        # In the order of the tags, which says nothing: they are keyed hashes.
        for number, tag in enumerate(sorted(members)):
            if number % CLAIMS_BETWEEN_SIGNS == 0:
                journal = await self._still_ours(journal)
            if ballot := await self._claim(tag, group):
                opened[tag] = ballot
        if len(opened) < len(members):
            # Somebody withdrew, or a worker that was fenced claimed late: count again, since
            # whoever is left out now may find too few partners later.
            await self._unlock(journal)
            return
        contents = self._contents(group.label, opened) | {"roll": sorted(roll | set(opened))}
        await self._commit(journal, contents)

    async def _commit(self, journal: Record, contents: Mapping[str, Any]) -> None:
        """Twice: the journal, which is noise until it is pinned, and then the pin."""
        before = await pinned(self._keys, self._snapshot.id)
        key = secrets.token_bytes(KEY_BYTES)
        sealed = Sealer(key, self._snapshot.id).seal(contents, "mix")
        body = {"sealed": self._sealer.seal(sealed, "mix")}
        journal = await self._still_ours(replace(journal, state=_COMMIT, body=body))
        after = replace(
            before, roll=digest(contents["roll"]), journal=digest([body["sealed"]]), key=key.hex()
        )
        try:
            await pin(self._keys, self._snapshot.id, before, after)
        except PinChanged:
            raise _Fenced from None
        await self._redo(journal)

    async def _claim(self, tag: str, group: Group) -> Ballot | None:
        record = await self._move(tag, State.SUBMITTED, State.MIXING)
        if record is None:
            return None
        ballot = self._ballot(record)
        if ballot and ballot.cell in group.cells:
            return ballot
        await self._move(tag, State.MIXING, State.DAMAGED)
        return None

    def _contents(self, label: CellId, opened: Mapping[str, Ballot]) -> dict[str, Any]:
        slips = [
            slip
            for ballot in opened.values()
            for slip in cut(ballot, label, self._instrument, self._new_id)
        ]
        slips.sort(key=lambda slip: slip.id)  # ids are random, so this shuffles them all
        tally = Tally(self._new_id(), label, len(opened), count(slips, self._instrument))
        comments = {
            self._new_id(): {"domain": domain, "text": text}
            for ballot in opened.values()
            for domain, text in (ballot.comments or {}).items()
        }
        return {
            "members": list(opened),
            "slips": {slip.id: slip.as_json() for slip in slips},
            "comments": comments,
            "tally": {tally.id: tally.as_json()},
        }

    async def _redo(self, journal: Record) -> None:
        """Carry out what was committed. May be done again, by several at once."""
        known = await pinned(self._keys, self._snapshot.id)
        if not known.opens(journal):
            return  # somebody else has finished it, and gone on
        sealed = self._sealer.open(journal.body["sealed"], "mix")
        contents = Sealer(bytes.fromhex(known.key), self._snapshot.id).open(sealed, "mix")
        for record in self._made(contents):
            with suppress(Exists):  # from the run that was interrupted
                await self._records.create(record)
        await extend_roll(self._records, self._snapshot.id, contents["roll"])
        for tag in contents["members"]:
            await self._move(tag, State.MIXING, State.RELEASED, EMPTY)
        await self._unlock(journal)

    def _made(self, contents: Mapping[str, Any]) -> Iterator[Record]:
        """What a batch leaves, each kind in the order of its random ids."""
        for id, slip in sorted(contents["slips"].items()):
            yield Record(self._snapshot.id, Kind.SLIP, id, slip)
        for id, comment in sorted(contents["comments"].items()):
            yield mixed(self._running, id, comment["domain"], comment["text"])
        for id, tally in contents["tally"].items():
            yield Record(self._snapshot.id, Kind.TALLY, id, tally)

    def _new_id(self) -> str:
        return f"{self._dice.getrandbits(128):032x}"

    # -- the lock ---------------------------------------------------------------------------

    async def _lock(self) -> Record:
        """The journal, claimed."""
        claim = Record(self._snapshot.id, Kind.JOURNAL, _JOURNAL, {}, state=_CLAIM)
        while True:
            try:
                return await self._records.create(claim)
            except Exists:
                await self._take_over()

    async def _take_over(self) -> None:
        """Finish a committed journal; remove one whose owner seems to be dead.

        An owner who was only slow is fenced: its commit finds that the journal has changed, or
        the pin.
        """
        found = await self._journal()
        if found is None:
            return
        before = await pinned(self._keys, self._snapshot.id)
        if found.state == _COMMIT and before.opens(found):
            await self._redo(found)
            return
        await self._wait(PATIENCE_S)
        if await self._journal() != found:
            return
        with suppress(PinChanged):
            await pin(self._keys, self._snapshot.id, before, before)
            await self._unlock(found)

    async def _still_ours(self, journal: Record) -> Record:
        """Write the journal: a sign of life, and proof that nobody has taken it over.

        Raises `_Fenced` if somebody has.
        """
        try:
            return await self._records.replace(journal)
        except Changed:
            raise _Fenced from None

    async def _journal(self) -> Record | None:
        try:
            return await self._records.read(self._snapshot.id, Kind.JOURNAL, _JOURNAL)
        except Missing:
            return None

    async def _unlock(self, journal: Record) -> None:
        # Only the version that we hold: a slow worker must not delete the next batch's commit.
        with suppress(Changed):
            await self._records.delete(journal)

    # -- envelopes --------------------------------------------------------------------------

    async def _waiting(
        self, journal: Record, roll: frozenset[str]
    ) -> tuple[Record, dict[CellId, list[str]]]:
        """The tags in state `submitted` by cell, once no claims are left, and the journal then.

        Who is on the roll has been released: an old copy of their envelope is emptied again.

        Only ever called under the lock, while we have claimed nothing ourselves: what is claimed
        then belongs to a dead worker, or to a slow one that was fenced. Raises `_Fenced`.
        """
        while True:
            heads = await self._records.heads(self._snapshot.id, Kind.ENVELOPE)
            for head in heads:
                if head.id in roll and head.state in (State.SUBMITTED, State.MIXING):
                    await self._move(head.id, State(head.state), State.RELEASED, EMPTY)
            heads = [head for head in heads if head.id not in roll]
            orphans = [head.id for head in heads if head.state == State.MIXING]
            if not orphans:
                break
            for id in orphans:
                journal = await self._give_back(id, journal)
        waiting: dict[CellId, list[str]] = {}
        for head in heads:
            if head.state == State.SUBMITTED:
                waiting.setdefault(CellId(head.group), []).append(head.id)
        return journal, waiting

    async def _give_back(self, id: str, journal: Record) -> Record:
        """Undo a claim that nobody works on any more; the journal as it is then.

        Read first, then make sure that the lock is still ours, then write if nothing has changed:
        in any other order, a slow worker might undo the claims of the one that took over.
        """
        record = await self._records.read(self._snapshot.id, Kind.ENVELOPE, id)
        journal = await self._still_ours(journal)
        if record.state == State.MIXING:
            with suppress(Changed):
                await self._records.replace(replace(record, state=State.SUBMITTED))
        return journal

    async def _set_aside_damaged(self) -> None:
        """Before anything is planned, so that no batch shrinks below k once it is opened."""
        for head in await self._records.heads(self._snapshot.id, Kind.ENVELOPE, State.SUBMITTED):
            record = await self._records.read(self._snapshot.id, Kind.ENVELOPE, head.id)
            ballot = self._ballot(record)
            if ballot is None or ballot.cell != record.group:
                await self._move(head.id, State.SUBMITTED, State.DAMAGED)

    def _ballot(self, record: Record) -> Ballot | None:
        """A ballot that may be counted: it opens, was sent and is complete.

        Only what stands inside the seal is believed: flipping plain fields isolates nobody.
        """
        try:
            ballot = from_record(record, self._sealer).ballot
        except Damaged:
            return None
        if ballot is None or not ballot.sent or not ballot.fits(self._instrument):
            return None
        return ballot

    async def _move(
        self, id: str, state: State, to: State, body: Mapping[str, Any] | None = None
    ) -> Record | None:
        return await move(self._records, self._snapshot.id, id, state, to, body)


async def move(
    records: Records,
    snapshot: SnapshotId,
    id: str,
    state: State,
    to: State,
    body: Mapping[str, Any] | None = None,
) -> Record | None:
    """Move an envelope that is in `state` on to another; None if it is not (any more)."""
    attempts = Attempts()
    while True:
        attempts.begin()
        try:
            record = await records.read(snapshot, Kind.ENVELOPE, id)
        except Missing:
            return None
        if record.state != state:
            return None
        group = record.group if body is None else ""
        after = replace(record, state=to, group=group, body=body or record.body)
        with suppress(Changed):
            return await records.replace(after)


async def empty_all(records: Records, snapshot: SnapshotId, state: State, to: State) -> None:
    """Delete what is sealed in every envelope of a state, for good and unread."""
    for head in await records.heads(snapshot, Kind.ENVELOPE, state):
        await move(records, snapshot, head.id, state, to, EMPTY)
