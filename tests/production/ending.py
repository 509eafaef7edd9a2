"""One of two bots is told to end in the middle of a crowd, as in an update."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot.rehearsal.teams import Answer
from tests.cosmos.server import Server as Cosmos
from tests.production.stage import SignedTeams, production
from tests.production.survey import (
    ENDS_WITHIN_S,
    PRESSES,
    Seen,
    all_take_part,
    each_ballot_is_there_once,
    everybody_of,
    hears,
    opens_one,
)
from tests.stories.people import closes
from tests.stories.processes import Serving, errors

ENDS_IN_S = 10.0
"""What the container's host is told to wait."""


AT_ONCE = 5
"""Requests that are under way when it is told to, at least."""


@dataclass
class Crowd(SignedTeams):
    """Goes to the bot `then` once nobody can connect to the first, as a proxy does.

    Whatever else befalls a request is to be seen. `asking`: requests that are under way; `half`:
    `half_at` turns are over, and some are asking.
    """

    then: Serving | None = None
    half_at: float = math.inf
    turns: int = 0
    asking: int = 0
    asking_at_half: int = 0
    statuses: set[int] = field(default_factory=set)
    half: asyncio.Event = field(default_factory=asyncio.Event)

    async def request(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.asking += 1
        if self.turns >= self.half_at and self.asking >= AT_ONCE and not self.half.is_set():
            self.asking_at_half = self.asking
            self.half.set()
        try:
            answer = await super().request(body, headers)
        except aiohttp.ClientConnectorError:
            assert self.then
            self.bots = [self.then]
            answer = await super().request(body, headers)
        finally:
            self.asking -= 1
        self.statuses.add(answer.status)
        self.turns += 1
        return answer


@dataclass(frozen=True)
class Ended:
    """`asking`: requests that were under way when it was told to; `took_s`: until it had ended."""

    people: int
    asking: int
    took_s: float
    code: int
    statuses: frozenset[int]
    errors: tuple[str, ...]


async def end_of_one(
    folder: Path,
    cosmos: Cosmos,
    people: int,
    *,
    pause_s: float = 0.0,
    show: Callable[[], None] = lambda: None,
) -> Ended:
    """Everybody is at the first bot until it is told to end, and then at the second.

    Raises `AssertionError` where not every ballot comes out once.
    """
    async with production(folder, cosmos, kind=Crowd) as stage:
        teams, (first, second) = stage.teams, stage.bots
        assert isinstance(teams, Crowd)
        fay, channel = await opens_one(stage, people)
        teams.bots, teams.then = [first], second
        teams.half_at = teams.turns + people * PRESSES / 2
        everybody, seen = everybody_of(stage, people), Seen(people)

        async def ends() -> tuple[int, float, int]:
            await teams.half.wait()
            asking, began = teams.asking_at_half, time.monotonic()
            async with asyncio.timeout(ENDS_WITHIN_S):
                code = await first.is_told_to_end()
            return asking, time.monotonic() - began, code

        (asking, took_s, code), *_ = await asyncio.gather(
            ends(), *all_take_part(everybody, pause_s, seen, show)
        )
        assert list(teams.bots) == [second]
        summed_up = hears(teams, "Summary for Otherwick")
        await closes(fay, channel)
        async with asyncio.timeout(ENDS_WITHIN_S):
            await summed_up.wait()
        await each_ballot_is_there_once(stage, everybody)
        wrong = tuple(f"{line['event']} {line.get('error', '')}" for line in errors(stage.folder))
        return Ended(people, asking, took_s, code, frozenset(teams.statuses), wrong)
