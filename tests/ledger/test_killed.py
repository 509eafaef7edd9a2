"""A sender that is killed before and after each of its writes and calls, and another after it."""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import signal
from collections.abc import Callable
from itertools import batched
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from bot.rehearsal.teams import Teams, chat_of
from snapshot.ledger import MessageState
from snapshot.ports import Kind
from storage.sqlite import SqliteRecords
from tests.crash.working import When
from tests.ledger.checking import repeats, taken
from tests.ledger.dying import AT_ONCE, send_in
from tests.ledger.sender import HERE, note_all

PEOPLE = [f"{n:032x}" for n in range(6)]
PROCESSES = 8

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["pytest", "tests.ledger.dying"])


async def test_whenever_it_is_killed_nothing_is_lost_and_only_what_was_in_flight_repeated(
    tmp_path: Path,
) -> None:
    prepared = tmp_path / "prepared"
    async with SqliteRecords(prepared / "snapshot.db") as records:
        await note_all(records, PEOPLE)
    async with Teams("") as teams:
        whole = copied(prepared, tmp_path / "whole")
        writes = await asyncio.to_thread(send_in, whole, teams.url)
        assert writes == 3 * len(PEOPLE), "a claim, a call and a note for each"
        await check(whole, teams, 0)

    points = [(at, when) for at in range(1, writes + 1) for when in When]
    for some in batched(points, PROCESSES):
        await asyncio.gather(*(dies_at(prepared, tmp_path, *point) for point in some))


async def dies_at(prepared: Path, folder: Path, at: int, when: When) -> None:
    here = copied(prepared, folder / f"{when}-{at}")
    async with Teams("") as teams:
        assert await exit_code(send_in, here, teams.url, 0, at, when) == -signal.SIGKILL
        assert await exit_code(send_in, here, teams.url, 1) == 0
        await check(here, teams, AT_ONCE)
    shutil.rmtree(here)


def copied(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to))


async def exit_code(work: Callable[..., object], *args: object) -> int | None:
    process: ForkServerProcess = _FORKS.Process(target=work, args=args)
    process.start()
    await asyncio.to_thread(process.join, 60)
    return process.exitcode


async def check(folder: Path, teams: Teams, most_repeats: int) -> None:
    assert taken(teams.calls).keys() == {chat_of(p) for p in PEOPLE}
    assert repeats(teams.calls) <= most_repeats
    async with SqliteRecords(folder / "snapshot.db") as records:
        heads = await records.heads(HERE, Kind.MESSAGE)
    assert [h.state for h in heads] == [MessageState.SENT] * len(PEOPLE)
