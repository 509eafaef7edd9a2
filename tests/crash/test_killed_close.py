"""Ten people, and a close that is killed before and after each of its writes, then started again.

Nothing may be lost and nothing doubled. The process really ends by SIGKILL, on a real file.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import signal
from collections import Counter
from datetime import UTC, datetime
from itertools import batched
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random

import pytest

from bot.sample import open_sample
from snapshot.closing import FINAL, begin_close
from snapshot.envelope import State
from snapshot.instrument import AgencyId
from snapshot.ports import DIRECTORY, Kind, Record, SnapshotId
from snapshot.survey import from_record
from storage.keyfiles import KeyFiles
from storage.sqlite import SqliteRecords
from tests.crash.closing import INSTRUMENT, When, close_in

PEOPLE = 10
AT_ONCE = 8
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

type Slips = Counter[tuple[str, tuple[str, ...]]]

# Forks of a server that has imported everything already: a fresh Python takes half a second.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.crash.closing"])


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Slips]:
    """A folder in which a close has just begun, and the slips that have to come out of it."""
    folder = tmp_path_factory.mktemp("closing")
    return folder, asyncio.run(_prepare(folder))


async def _prepare(folder: Path) -> Slips:
    keys = KeyFiles(folder / "keys")
    async with SqliteRecords(folder / "snapshot.db") as records:
        running = await open_sample(
            records,
            keys,
            INSTRUMENT,
            people=PEOPLE,
            now=NOW,
            dice=Random(7),
            headcounts={AgencyId("police"): 90},
        )
        await begin_close(running, records, NOW)
        expected: Slips = Counter()
        for record in await records.read_all(running.snapshot.id, Kind.ENVELOPE):
            ballot = from_record(record, running.sealer).ballot
            assert ballot
            for domain in INSTRUMENT.domains:
                answers = tuple(ballot.answers[s.id] for s in INSTRUMENT.of_domain(domain.id))
                expected[domain.id, answers] += 1
        await records.forget()
        return expected


def _copy(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to))


def _start(folder: Path, at: int = 0, when: When = When.BEFORE) -> ForkServerProcess:
    process = _FORKS.Process(target=close_in, args=(folder, at, when))
    process.start()
    return process


def _ends(process: ForkServerProcess) -> int:
    process.join(60)
    assert process.exitcode is not None, "the close hangs"
    return process.exitcode


def test_killed_before_and_after_each_write_nothing_is_lost_or_doubled(
    prepared: tuple[Path, Slips], tmp_path: Path
) -> None:
    folder, expected = prepared
    writes = close_in(_copy(folder, tmp_path / "whole"))
    check(tmp_path / "whole", expected)
    assert writes > PEOPLE * (2 + len(INSTRUMENT.domains)), "claims, slips and releases"

    points = [(at, when) for at in range(1, writes + 1) for when in When]
    for some in batched(points, AT_ONCE):
        here = {point: _copy(folder, tmp_path / f"{point[1]}-{point[0]}") for point in some}
        killed = [_start(here[point], *point) for point in some]
        assert [_ends(process) for process in killed] == [-signal.SIGKILL] * len(some)
        again = [_start(here[point]) for point in some]
        assert [_ends(process) for process in again] == [0] * len(some)
        for point in some:
            check(here[point], expected)
            shutil.rmtree(here[point])


def check(folder: Path, expected: Slips) -> None:
    """Read with a connection of its own what the dead and the living left behind."""
    snapshot, records = asyncio.run(_read(folder))
    found = {kind: [r for r in records if r.kind is kind] for kind in Kind}
    slips = Counter((r.body["domain"], tuple(r.body["choices"])) for r in found[Kind.SLIP])
    assert slips == expected
    assert [r.body["people"] for r in found[Kind.TALLY]] == [PEOPLE]
    assert {r.state for r in found[Kind.ENVELOPE]} == {State.RELEASED}
    assert found[Kind.JOURNAL] == []
    assert [r.id for r in found[Kind.PUBLICATION]] == [FINAL]
    assert snapshot.state == "closed"


async def _read(folder: Path) -> tuple[Record, list[Record]]:
    async with SqliteRecords(folder / "snapshot.db") as records:
        (snapshot,) = await records.read_all(DIRECTORY, Kind.SNAPSHOT)
        id = SnapshotId(snapshot.id)
        return snapshot, [r for kind in Kind for r in await records.read_all(id, kind)]
