"""How often a turn asks the database: exactly, since each time may take ten milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.rehearsal.teams import Teams
from cards.verbs import Verb
from snapshot.ports import Kind
from tests.cosmos.counting import Asked, Counting, Trip
from tests.cosmos.server import Server
from tests.stories.commenting import AWARENESS, moderators_register
from tests.stories.conftest import RunningBot
from tests.stories.people import STATEMENTS
from tests.stories.test_on_cosmos import a_bot

READ = (Asked.READ, Kind.ENVELOPE)
READ_SNAPSHOT = (Asked.READ, Kind.SNAPSHOT)
CREATE = (Asked.CREATE, Kind.ENVELOPE)
REPLACE = (Asked.REPLACE, Kind.ENVELOPE)
LIST_SNAPSHOTS = (Asked.QUERY, Kind.SNAPSHOT)


@dataclass
class Watched:
    bot: RunningBot
    proxy: Counting

    async def during(self, turn: Awaitable[object]) -> list[tuple[Asked, str]]:
        """What a turn asks of the database, in order."""
        self.proxy.take()
        await turn
        return [_brief(trip) for trip in self.proxy.take()]


def _brief(trip: Trip) -> tuple[Asked, str]:
    return trip.asked, trip.kind


@pytest.fixture
async def watched(
    cosmos: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Watched]:
    """A bot that does nothing but answer; its list of snapshots does not run out by itself."""
    monkeypatch.setattr("bot.directory.CACHE_S", 3600.0)
    async with Counting(cosmos) as proxy:
        bot = a_bot(tmp_path, proxy.reach(cosmos.new_database()))
        await bot.starts()
        await bot.stops_working()
        await bot.opens_a_snapshot()
        yield Watched(bot, proxy)
        await bot.stops()


async def test_an_answer_takes_one_read_and_one_write(watched: Watched) -> None:
    async with Teams(watched.bot.url) as teams:
        await moderators_register(teams)
        ada = teams.person("Ada")
        during = watched.during
        assert await during(ada.types("start")) == [READ]
        assert await during(ada.presses("Continue")) == [READ]
        # Steps that must not miss a close elsewhere read the snapshot as well.
        assert await during(ada.presses("Police")) == [READ_SNAPSHOT, READ, CREATE]
        for _ in range(STATEMENTS):
            assert await during(ada.presses("Mostly true")) == [READ, REPLACE]
        assert await during(ada.presses("Next", {AWARENESS: "Time."})) == [READ, REPLACE]
        assert await during(ada.presses("See my answers")) == [READ]
        assert await during(ada.presses("Send my answers")) == [READ_SNAPSHOT, READ, REPLACE]


async def test_a_late_copy_of_a_tap_takes_a_read(watched: Watched) -> None:
    async with Teams(watched.bot.url) as teams:
        ada = teams.person("Ada")
        await ada.types("start")
        await ada.presses("Continue")
        shown = await ada.presses("Police")
        tap = shown.actions(Verb.ANSWER)[0]
        assert await watched.during(ada.acts(tap)) == [READ, REPLACE]
        assert await watched.during(ada.acts(tap)) == [READ]


async def test_when_the_list_of_snapshots_has_run_out_a_turn_reads_it_once(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Teams(watched.bot.url) as teams:
        ada = teams.person("Ada")
        await ada.types("start")
        await ada.presses("Continue")
        await ada.presses("Police")
        monkeypatch.setattr(watched.bot.app.service.directory, "_read_at", float("-inf"))
        answered = watched.during(ada.presses("Mostly true"))
        assert await answered == [LIST_SNAPSHOTS, READ, REPLACE]


async def test_turns_that_come_at_once_read_the_list_of_snapshots_together(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Teams(watched.bot.url) as teams:
        people = [teams.person(name) for name in ("Ada", "Ben", "Cat", "Dan")]
        for person in people:
            await person.types("start")
        monkeypatch.setattr(watched.bot.app.service.directory, "_read_at", float("-inf"))
        asked = await watched.during(asyncio.gather(*(p.types("start") for p in people)))
        assert asked.count(LIST_SNAPSHOTS) == 1
        assert asked.count(READ) == len(people)
