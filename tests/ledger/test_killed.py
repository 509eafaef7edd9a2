"""A sender that is killed before and after each of its writes and calls, and another after it."""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import batched
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
        await die_at(some, prepared, tmp_path)


async def die_at(points: Sequence[tuple[int, When]], prepared: Path, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        here = {p: copied(prepared, tmp_path / f"{p[1]}-{p[0]}") for p in points}
        teams = {p: await stack.enter_async_context(Teams("")) for p in points}
        killed = [(here[p], teams[p].url, 0, *p) for p in points]
        assert await exit_codes(killed) == [-signal.SIGKILL] * len(points)
        again = [(here[p], teams[p].url, 1) for p in points]
        assert await exit_codes(again) == [0] * len(points)
        for p in points:
            await check(here[p], teams[p], AT_ONCE)
            shutil.rmtree(here[p])


def copied(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to))


async def exit_codes(work: Sequence[tuple[object, ...]]) -> list[int | None]:
    """All at the same time. None is started while another is waited for: that looks at all too."""
    started = [_FORKS.Process(target=send_in, args=args) for args in work]
    for process in started:
        process.start()

    def wait() -> list[int | None]:
        for process in started:
            process.join(60)
        return [process.exitcode for process in started]

    return await asyncio.to_thread(wait)


async def check(folder: Path, teams: Teams, most_repeats: int) -> None:
    assert taken(teams.calls).keys() == {chat_of(p) for p in PEOPLE}
    assert repeats(teams.calls) <= most_repeats
    async with SqliteRecords(folder / "snapshot.db") as records:
        heads = await records.heads(HERE, Kind.MESSAGE)
    assert [h.state for h in heads] == [MessageState.SENT] * len(PEOPLE)
