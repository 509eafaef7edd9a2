"""Three hundred messages, a Teams that fails in every way, two processes, one of them killed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from bot.rehearsal.teams import Teams, Trouble, chat_of
from snapshot.ledger import MessageState, id_of
from snapshot.ports import Kind
from tests.cosmos.server import Server
from tests.ledger.checking import (
    CUT,
    MOST_A_SECOND,
    Weather,
    lost_acknowledgements,
    most_within,
    repeats,
    taken,
    too_early,
)
from tests.ledger.sender import (
    HERE,
    TOAST,
    Work,
    cosmos_parts,
    note_all,
)

ROOT = Path(__file__).parents[2]
PEOPLE = 300
AT_ONCE = 16
WHAT = "leads-opening"


@contextmanager
def senders(work: Work, how_many: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    command = [sys.executable, "-m", "tests.ledger.sender", work.as_text()]
    with ExitStack() as stack:
        started = []
        for _ in range(how_many):
            process = stack.enter_context(
                subprocess.Popen(command, cwd=ROOT)  # noqa: S603 - the words stand above
            )
            stack.callback(process.kill)
            started.append(process)
        yield started


async def until(teams: Teams, calls: int) -> None:
    while True:
        if len(teams.calls) >= calls:
            return
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("store", ["sqlite", "cosmos"])
async def test_everybody_reachable_gets_each_message_though_one_of_two_processes_is_killed(
    store: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    people = [f"{n:032x}" for n in range(PEOPLE)]
    blocked = [chat_of(p) for p in people[:5]]
    shares = {
        Trouble(429, retry_after="1"): 0.10,
        Trouble(502): 0.03,
        Trouble(412): 0.01,
        CUT: 0.01,
        Trouble(201, hangs_s=3.0, taken=True): 0.01,
    }
    async with Teams("", befalls=Weather(Random(7), shares, blocked)) as teams:
        work = Work(teams.url, at_once=AT_ONCE, claim_s=6.0, timeout_s=1.0)
        if store == "sqlite":
            work = replace(work, database=str(tmp_path / "snapshot.db"))
        else:
            server: Server = request.getfixturevalue("cosmos")
            work = replace(work, cosmos=cosmos_parts(server.new_database()))
        async with work.store() as records:
            await note_all(records, people)
            with senders(work, 2) as (first, second):
                await until(teams, PEOPLE // 2)
                first.kill()
                assert await asyncio.to_thread(second.wait, 120) == 0
            states = {h.id: h.state for h in await records.heads(HERE, Kind.MESSAGE)}

    calls = teams.calls
    got = taken(calls)
    assert {chat_of(p) for p in people} - got.keys() == set(blocked)
    assert repeats(calls) <= AT_ONCE + lost_acknowledgements(calls)
    assert too_early(calls) == []
    # The stand-in is held up where the machine is busy, and then notes many calls at once.
    assert most_within(calls, 5.0) <= 5 * MOST_A_SECOND
    assert {id_of(WHAT, p): MessageState.SENT for p in people[5:]} == {
        id: state for id, state in states.items() if state == MessageState.SENT
    }
    assert sum(call.conversation in blocked for call in calls) == len(blocked)
    assert {sent.activity["summary"] for sent in teams.sent} == {TOAST}
