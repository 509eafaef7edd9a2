"""A bot that is told to end in the middle of a crowd: whoever was answered stays answered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot.rehearsal.teams import Answer
from tests.cosmos.server import Server as Cosmos
from tests.production.stage import SignedTeams, production
from tests.production.survey import (
    PRESSES,
    Seen,
    each_ballot_is_there_once,
    everybody_of,
    hears,
    opens_one,
    takes_part,
)
from tests.stories.people import closes
from tests.stories.processes import Serving, errors

PEOPLE = 16
ENDS_WITHIN_S = 10.0


@dataclass
class Crowd(SignedTeams):
    """Goes to the bot `then` once nobody can connect to the first, as a proxy does.

    Whatever else befalls a request is for the test to see. `half`: of all turns.
    """

    then: Serving | None = None
    turns: int = 0
    statuses: set[int] = field(default_factory=set)
    half: asyncio.Event = field(default_factory=asyncio.Event)

    async def request(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        try:
            answer = await super().request(body, headers)
        except aiohttp.ClientConnectorError:
            assert self.then
            self.bots = [self.then]
            answer = await super().request(body, headers)
        self.statuses.add(answer.status)
        self.turns += 1
        if self.turns > PEOPLE * PRESSES / 2:
            self.half.set()
        return answer


async def test_who_was_answered_before_it_ended_goes_on_at_another(
    cosmos: Cosmos, tmp_path: Path
) -> None:
    async with production(tmp_path, cosmos, kind=Crowd) as stage:
        teams, (first, second) = stage.teams, stage.bots
        assert isinstance(teams, Crowd)
        fay, channel = await opens_one(stage, PEOPLE)
        teams.bots, teams.then = [first], second
        everybody, seen = everybody_of(stage, PEOPLE), Seen(PEOPLE)

        async def ends() -> int:
            await teams.half.wait()
            async with asyncio.timeout(ENDS_WITHIN_S):
                return await first.is_told_to_end()

        code, *_ = await asyncio.gather(
            ends(), *(takes_part(one, 0.0, seen, lambda: None) for one in everybody)
        )
        assert code == 0
        assert teams.statuses == {200}
        assert list(teams.bots) == [second]
        summed_up = hears(teams, "Summary for Otherwick")
        await closes(fay, channel)
        async with asyncio.timeout(60):
            await summed_up.wait()
        await each_ballot_is_there_once(stage, everybody)
        assert list(errors(tmp_path / "bots")) == []
