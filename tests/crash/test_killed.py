"""Ten people, and a worker that is killed before and after each of its writes, then started again.

Nothing may be lost and nothing doubled. The process really ends by SIGKILL, on a real file.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import batched
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from snapshot.closing import FINAL, begin_close
from snapshot.comments import CommentState, opened
from snapshot.envelope import State
from snapshot.instrument import DomainId
from snapshot.opening import Running, take_up
from snapshot.ports import DIRECTORY, Kind, Record
from snapshot.snapshot import Mixing, Phase, Snapshot
from snapshot.tally import Tally
from storage.keyfiles import KeyFiles
from storage.sqlite import SqliteRecords
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
    open_area,
)
from tests.core.mixed import added_up, counted_by_hand
from tests.crash.working import When, work_and_close_in, work_in

PEOPLE = 10
AT_ONCE = 8
COMMENTS: Mapping[int, Mapping[DomainId, str]] = {
    number: {HELPING if number % 3 else SEEING: f"Comment number {number}."}
    for number in range(PEOPLE)
}
"""Everybody wrote one, so that a run makes as many writes whoever is drawn by lot."""

# Forks of a server that has imported everything already: a fresh Python takes half a second, and
# each fork looks at the module that was started, which is pytest.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["pytest", "tests.crash.working"])


@dataclass(frozen=True)
class Run:
    """What is killed, and what has to have come of it when all is done.

    `batches`: the people of each. `publications`: their ids.
    """

    snapshot: Snapshot
    phase: Phase
    batches: tuple[int, ...]
    publications: tuple[str, ...]


CLOSE = Run(a_snapshot({"police": 60}), Phase.CLOSING, (10,), (FINAL,))
MIX = Run(
    replace(a_snapshot({"police": 60}, k=3), mixing=Mixing.DAILY),
    Phase.OPEN,
    (3, 7),
    (FINAL, "mixing-2026-03-03"),
)


async def _prepare(run: Run, folder: Path) -> Counter[Cut]:
    """Ten people have sent, and the run is due; returns what the slips must say."""
    async with open_area(folder, run.snapshot) as area:
        expected = Counter[Cut]()
        for number in range(PEOPLE):
            expected.update(await _sends(area, number))
        if run.phase is Phase.CLOSING:
            await begin_close(area.running, area.records, OPENED)
        await area.records.forget()
        return expected


async def _sends(area: Area, number: int) -> list[Cut]:
    scored = list(INSTRUMENT.scores)
    choices = [scored[number % 4], scored[number // 4], scored[number % 3]]
    ballot = a_ballot("police", choices)
    await area.keeps(f"person-{number}", replace(ballot, comments=COMMENTS.get(number)))
    return cut_by_hand(ballot)


def _copy(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to))


def _start(work: Callable[..., object], *args: object) -> ForkServerProcess:
    process = _FORKS.Process(target=work, args=args)
    process.start()
    return process


def _ends(process: ForkServerProcess) -> int:
    process.join(60)
    assert process.exitcode is not None, "the worker hangs"
    return process.exitcode


@pytest.mark.parametrize("run", [CLOSE, MIX], ids=["close", "mix"])
def test_killed_before_and_after_each_write_nothing_is_lost_or_doubled(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "prepared"
    expected = asyncio.run(_prepare(run, folder))
    writes = work_in(_copy(folder, tmp_path / "whole"))
    assert writes > max(run.batches) * (2 + len(INSTRUMENT.domains)), "claims, slips and releases"
    work_and_close_in(tmp_path / "whole")
    check(tmp_path / "whole", run, expected)

    points = [(at, when) for at in range(1, writes + 1) for when in When]
    for some in batched(points, AT_ONCE):
        here = {point: _copy(folder, tmp_path / f"{point[1]}-{point[0]}") for point in some}
        killed = [_start(work_in, here[point], *point) for point in some]
        assert [_ends(process) for process in killed] == [-signal.SIGKILL] * len(some)
        again = [_start(work_and_close_in, here[point]) for point in some]
        assert [_ends(process) for process in again] == [0] * len(some)
        for point in some:
            check(here[point], run, expected)
            shutil.rmtree(here[point])


def check(folder: Path, run: Run, expected: Counter[Cut]) -> None:
    """Read with a connection of its own what the dead and the living left behind."""
    running, records = asyncio.run(_read(folder))
    found = {kind: [r for r in records if r.kind is kind] for kind in Kind}
    slips = Counter(
        (r.body["cell"], r.body["domain"], tuple(r.body["choices"])) for r in found[Kind.SLIP]
    )
    assert slips == expected
    tallies = [Tally.from_json(r.id, r.body) for r in found[Kind.TALLY]]
    assert tuple(sorted(t.people for t in tallies)) == run.batches
    assert added_up(tallies, "police") == counted_by_hand(slips, "police")
    comments = [opened(running, record) for record in found[Kind.COMMENT]]
    assert Counter((c.domain, c.text) for c in comments) == Counter(
        (domain, text) for each in COMMENTS.values() for domain, text in each.items()
    )
    assert {c.state for c in comments} == {CommentState.MIXED}
    assert {r.state for r in found[Kind.ENVELOPE]} == {State.RELEASED}
    assert found[Kind.JOURNAL] == []
    assert tuple(r.id for r in found[Kind.PUBLICATION]) == run.publications
    assert running.phase is Phase.CLOSED


async def _read(folder: Path) -> tuple[Running, list[Record]]:
    async with SqliteRecords(folder / "snapshot.db") as records:
        (snapshot,) = await records.read_all(DIRECTORY, Kind.SNAPSHOT)
        running = await take_up(snapshot, KeyFiles(folder / "keys"))
        id = running.snapshot.id
        return running, [r for kind in Kind for r in await records.read_all(id, kind)]
