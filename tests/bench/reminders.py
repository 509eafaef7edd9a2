"""Two processes remind 3,000 leads and 1,000 people who have not finished, and one of them dies.

`python -m tests.bench.reminders`: on SQLite, then on the server that speaks Cosmos DB's protocol. A
tenth of the calls is answered 429 with Retry-After. The recipients are made up, and stand in the
ledger from the beginning. Fails where anything that was promised does not hold.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from rich.progress import Progress

from bot.delivery import AT_ONCE
from bot.rehearsal.teams import Call, Teams, Trouble, chat_of
from snapshot.ledger import MessageState
from snapshot.ports import Kind
from tests.bench.turn import say
from tests.cosmos.server import cosmos_server, why_not
from tests.ledger.checking import (
    MOST_A_SECOND,
    Weather,
    most_within,
    repeats,
    taken,
    too_early,
)
from tests.ledger.sender import HERE, Work, cosmos_parts, note_all

ROOT = Path(__file__).parents[2]
LEADS = 3_000
UNFINISHED = 1_000
BLOCKED = 40
"""So many of them have blocked the bot, and get nothing."""
BLOCKED_UNFINISHED = 10
"""Of these the ledger does not tell."""

WEATHER = {Trouble(429, retry_after=str(s)): 0.025 for s in (1, 2, 3, 5)}
CLAIM_S = 30.0
"""Half of the usual, since everybody waits for what the dead process had claimed."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of it; `noted`: how many are noted as sent, or as done with."""

    calls: Sequence[Call]
    took_s: float
    noted: int
    blocked: frozenset[str]

    def figures(self) -> list[tuple[str, str, bool]]:
        """Name, figure, and whether it is as it should be."""
        got, again = taken(self.calls), repeats(self.calls)
        to_blocked = sum(call.conversation in self.blocked for call in self.calls)
        throttled = sum(bool(call.trouble and call.trouble.status == 429) for call in self.calls)
        longer = most_within(self.calls, 5.0)
        reachable = LEADS + UNFINISHED - BLOCKED
        most, early = most_within(self.calls, 1.0), too_early(self.calls)
        return [
            ("calls", f"{len(self.calls):,} in {self.took_s:.0f} s", True),
            ("answered 429", f"{throttled:,} ({throttled / len(self.calls):.1%})", True),
            ("got it", f"{len(got):,} of {reachable:,} reachable", len(got) == reachable),
            ("noted", f"{self.noted:,}", self.noted == reachable + BLOCKED_UNFINISHED),
            ("repeats", f"{again} (at most {AT_ONCE}, one kill)", again <= AT_ONCE),
            ("calls to the blocked", f"{to_blocked} ({BLOCKED})", to_blocked == BLOCKED),
            ("earlier than Retry-After", f"{len(early)}", not early),
            ("most in any second", f"{most} (at most {MOST_A_SECOND})", most <= MOST_A_SECOND),
            ("in any five seconds", f"{longer}", longer <= 5 * MOST_A_SECOND),
        ]


def main() -> None:
    is_good = True
    with tempfile.TemporaryDirectory() as folder:
        work = Work("", database=str(Path(folder) / "snapshot.db"), claim_s=CLAIM_S)
        is_good &= told("SQLite", asyncio.run(run(work)))
    if reason := why_not():
        say(f"not tried on Cosmos DB: {reason}")
    else:
        with tempfile.TemporaryDirectory() as folder, cosmos_server(Path(folder)) as server:
            work = Work("", cosmos=cosmos_parts(server.new_database()), claim_s=CLAIM_S)
            is_good &= told("Cosmos DB", asyncio.run(run(work)))
    sys.exit(not is_good)


async def run(work: Work) -> Run:
    people = {
        "leads-last-2026-03-20": [f"{n:032x}" for n in range(LEADS)],
        "unfinished-last-2026-03-20": [f"{n:032x}" for n in range(LEADS, LEADS + UNFINISHED)],
    }
    blocked = frozenset(chat_of(f"{n:032x}") for n in range(0, LEADS + UNFINISHED, 100))
    async with Teams("", befalls=Weather(Random(5), WEATHER, blocked)) as teams:
        work = replace(work, url=teams.url)
        with Progress() as progress:
            noting = progress.add_task("Noted", total=LEADS + UNFINISHED)
            async with work.store() as records:
                for what, recipients in people.items():
                    for first in range(0, len(recipients), 100):
                        await note_all(records, recipients[first : first + 100], what)
                        progress.advance(noting, 100)
            sending = progress.add_task("Sent", total=LEADS + UNFINISHED - BLOCKED)
            started = time.monotonic()
            with senders(work) as (first_one, second_one):
                while second_one.poll() is None:
                    await asyncio.sleep(0.2)
                    progress.update(sending, completed=len(taken(teams.calls)))
                    if len(teams.sent) >= (LEADS + UNFINISHED) // 2:
                        first_one.kill()
            took_s = time.monotonic() - started
        async with work.store() as records:
            ended = (MessageState.SENT, MessageState.DONE)
            noted = [await records.heads(HERE, Kind.MESSAGE, state) for state in ended]
    return Run(teams.calls, took_s, sum(map(len, noted)), blocked)


@contextmanager
def senders(work: Work) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two; what they log is of no interest here."""
    command = [sys.executable, "-m", "tests.ledger.sender", work.as_text()]
    with ExitStack() as stack:
        quiet = stack.enter_context(Path(os.devnull).open("wb"))
        started = []
        for _ in range(2):
            process = stack.enter_context(
                subprocess.Popen(command, cwd=ROOT, stderr=quiet)  # noqa: S603 - the words stand above
            )
            stack.callback(process.kill)
            started.append(process)
        yield started


def told(store: str, done: Run) -> bool:
    figures = done.figures()
    say(store, *(f"  {name:26} {'' if ok else 'MISSED: '}{figure}" for name, figure, ok in figures))
    return all(ok for *_, ok in figures)


if __name__ == "__main__":
    main()
