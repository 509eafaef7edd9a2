"""A prepared snapshot, a kill at each write of a mix or a close, and what had come of it."""

from __future__ import annotations

import asyncio
import multiprocessing
import secrets
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import batched
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from snapshot.closing import FINAL, begin_close
from snapshot.comments import CommentState, opened
from snapshot.envelope import State
from snapshot.instrument import DomainId
from snapshot.opening import open_snapshot, take_up
from snapshot.ports import DIRECTORY, Kind, Record, SnapshotId
from snapshot.snapshot import Mixing, Phase, Snapshot
from snapshot.tally import Tally
from storage.keyfiles import KeyFiles
from tests.core.exampleshire import (
    HELPING,
    INSTRUMENT,
    OPENED,
    SEEING,
    Area,
    Cut,
    a_ballot,
    a_snapshot,
    cut_by_hand,
)
from tests.core.mixed import added_up, counted_by_hand
from tests.cosmos.server import Server
from tests.crash.working import Place, When, work_and_close_in, work_in

AT_ONCE = 6

# Forks of a server that has imported everything already: a fresh Python takes half a second, and
# each fork looks at the module that was started, which is pytest.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["pytest", "tests.crash.working"])


@dataclass(frozen=True)
class Run:
    """What is killed, and what has to have come of it when all is done.

    `batches`: the people of each. `publications`: their ids.
    """

    name: str
    snapshot: Snapshot
    phase: Phase
    batches: tuple[int, ...]
    publications: tuple[str, ...] = (FINAL,)

    @property
    def people(self) -> int:
        return sum(self.batches)


def a_close(people: int, *, k: int = 10) -> Run:
    return Run("close", a_snapshot({"police": 80}, k=k), Phase.CLOSING, (people,))


def a_mix(people: int) -> Run:
    """Three stay behind, and are released by the close that comes after."""
    snapshot = replace(a_snapshot({"police": 80}, k=3), mixing=Mixing.DAILY)
    publications = (FINAL, "mixing-2026-03-03")
    return Run("mix", snapshot, Phase.OPEN, (3, people - 3), publications)


@dataclass(frozen=True, slots=True)
class Point:
    """`what` is written at write number `at`, and `when` the process dies."""

    at: int
    what: str
    when: When


@dataclass(frozen=True, slots=True)
class Outcome:
    """`ballots`: how many were counted. `lost` and `doubled` are slips and comments.

    `amiss` names whatever else is not as it has to be.
    """

    ballots: int
    lost: int
    doubled: int
    amiss: tuple[str, ...] = ()


class Killing:
    """One run on one store. Without a `server` that is SQLite."""

    def __init__(self, run: Run, scratch: Path, server: Server | None = None) -> None:
        self._run = run
        self._scratch = scratch
        self._server = server
        self._prepared = self._place("prepared")
        self._slips = asyncio.run(_prepare(run, self._prepared))
        self._records = asyncio.run(_all(self._prepared)) if server else []

    def points(self) -> list[Point]:
        """Every write of the run, before and after; the run that finds them is not killed.

        Raises AssertionError if even that one does not end well.
        """
        with self._copy() as place:
            writes = work_in(place)
            work_and_close_in(place)
            assert self._judge(place) == self.well
        return [Point(n, what, when) for n, what in enumerate(writes, 1) for when in When]

    @property
    def well(self) -> Outcome:
        return Outcome(self._run.people, lost=0, doubled=0)

    def outcomes(self, points: Sequence[Point]) -> Iterator[tuple[Point, Outcome]]:
        """Kill a worker at each point, start another, and look; several at a time.

        Raises AssertionError if one is not killed, or the other does not end by itself.
        """
        for some in batched(points, AT_ONCE):
            yield from self._several(some)

    def _several(self, points: Sequence[Point]) -> list[tuple[Point, Outcome]]:
        with ExitStack() as stack:
            places = [stack.enter_context(self._copy()) for _ in points]
            killed = [
                _start(work_in, place, point.at, point.when)
                for place, point in zip(places, points, strict=True)
            ]
            assert [_ends(process) for process in killed] == [-signal.SIGKILL] * len(points)
            again = [_start(work_and_close_in, place) for place in places]
            assert [_ends(process) for process in again] == [0] * len(points)
            return [
                (point, self._judge(place)) for point, place in zip(points, places, strict=True)
            ]

    def _place(self, name: str) -> Place:
        account = self._server.new_database() if self._server else None
        return Place(self._scratch / name, account)

    @contextmanager
    def _copy(self) -> Iterator[Place]:
        place = self._place(secrets.token_hex(8))
        shutil.copytree(self._prepared.folder, place.folder)
        if self._records:
            asyncio.run(_fill(place, self._records))
        yield place
        shutil.rmtree(place.folder)

    def _judge(self, place: Place) -> Outcome:
        """Read with a connection of its own what the dead and the living left behind."""
        records = asyncio.run(_all(place))
        found = {kind: [r for r in records if r.kind is kind] for kind in Kind}
        slips = Counter(
            (r.body["cell"], r.body["domain"], tuple(r.body["choices"])) for r in found[Kind.SLIP]
        )
        (snapshot,) = found[Kind.SNAPSHOT]
        running = asyncio.run(take_up(snapshot, KeyFiles(place.keys)))
        comments = Counter(
            (comment.domain, comment.text)
            for comment in (opened(running, record) for record in found[Kind.COMMENT])
        )
        wrote = Counter(
            written for each in comments_of(self._run).values() for written in each.items()
        )
        tallies = [Tally.from_json(r.id, r.body) for r in found[Kind.TALLY]]
        right = {
            "batches": tuple(sorted(t.people for t in tallies)) == self._run.batches,
            "counts": added_up(tallies, "police") == counted_by_hand(slips, "police"),
            "comments": {r.state for r in found[Kind.COMMENT]} == {CommentState.MIXED},
            "envelopes": {r.state for r in found[Kind.ENVELOPE]} == {State.RELEASED},
            "journal": not found[Kind.JOURNAL],
            "publications": tuple(r.id for r in found[Kind.PUBLICATION]) == self._run.publications,
            "phase": running.phase is Phase.CLOSED,
        }
        return Outcome(
            sum(t.people for t in tallies),
            lost=(self._slips - slips).total() + (wrote - comments).total(),
            doubled=(slips - self._slips).total() + (comments - wrote).total(),
            amiss=tuple(name for name, is_right in right.items() if not is_right),
        )


def comments_of(run: Run) -> Mapping[int, Mapping[DomainId, str]]:
    """Everybody wrote one, so that a run makes as many writes whoever is drawn by lot."""
    return {
        number: {HELPING if number % 3 else SEEING: f"Comment number {number}."}
        for number in range(run.people)
    }


async def _prepare(run: Run, place: Place) -> Counter[Cut]:
    """Everybody has sent, and the run is due; returns what the slips must say."""
    async with place.records() as records:
        running = await open_snapshot(records, KeyFiles(place.keys), run.snapshot)
        area, expected = Area(running, records), Counter[Cut]()
        for number, comments in comments_of(run).items():
            expected.update(await _sends(area, number, comments))
        if run.phase is Phase.CLOSING:
            await begin_close(running, records, OPENED)
        await records.forget()
        return expected


async def _sends(area: Area, number: int, comments: Mapping[DomainId, str]) -> list[Cut]:
    scored = list(INSTRUMENT.scores)
    choices = [scored[number % 4], scored[number // 4 % 4], scored[number % 3]]
    ballot = a_ballot("police", choices)
    await area.keeps(f"person-{number}", replace(ballot, comments=comments))
    return cut_by_hand(ballot)


async def _all(place: Place) -> list[Record]:
    async with place.records() as records:
        (snapshot,) = await records.read_all(DIRECTORY, Kind.SNAPSHOT)
        id = SnapshotId(snapshot.id)
        return [snapshot, *[r for kind in Kind for r in await records.read_all(id, kind)]]


async def _fill(place: Place, found: Sequence[Record]) -> None:
    async with place.records() as records:
        for record in found:
            await records.create(record)


def _start(work: Callable[..., object], *args: object) -> ForkServerProcess:
    process = _FORKS.Process(target=work, args=args)
    process.start()
    return process


def _ends(process: ForkServerProcess) -> int:
    process.join(60)
    assert process.exitcode is not None, "the worker hangs"
    return process.exitcode
