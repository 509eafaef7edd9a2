"""Processes on one database: turns here and there, ticks meanwhile, and some that are killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from bot.rehearsal.teams import PersonHere, Sent
from snapshot.calendar import mixings
from snapshot.closing import FINAL
from snapshot.envelope import State
from snapshot.ports import DIRECTORY, Kind
from snapshot.publication import Outbox
from snapshot.snapshot import Phase, Snapshot
from storage.cosmos_opening import Account
from tests.cosmos.server import Server, settings_for
from tests.ports import free_port
from tests.stories.conftest import Clock
from tests.stories.opening import BotOnDemand
from tests.stories.people import Respondent, begins, closes, respondents, seen, sends
from tests.stories.processes import Serving, Spread, Tick, errors
from tests.stories.test_on_cosmos import check

PEOPLE = 23


@dataclass
class Shared:
    """A database with a snapshot in it. `seen_by` looks into it and takes no part."""

    seen_by: BotOnDemand
    snapshot: Snapshot

    @property
    def folder(self) -> Path:
        return self.seen_by.folder

    def serving(self) -> Serving:
        return Serving(self.folder, {**self.seen_by.environment, "PORT": str(free_port())})

    async def tick(self, at: datetime | None = None) -> Tick:
        """One has started, for a time or for now."""
        return await Tick(self.folder, self.seen_by.environment).starts(at or datetime.now(UTC))

    @property
    def first_mixing(self) -> datetime:
        return next(mixings(self.snapshot))

    async def how_many(self, state: State) -> int:
        return len(
            await self.seen_by.app.service.records.heads(self.snapshot.id, Kind.ENVELOPE, state)
        )

    async def phase(self) -> str:
        return (
            await self.seen_by.app.service.records.read(DIRECTORY, Kind.SNAPSHOT, self.snapshot.id)
        ).state

    async def mixes(self) -> None:
        """Wait until a mix has claimed somebody."""
        async with asyncio.timeout(60):
            while not await self.how_many(State.MIXING):
                continue


@asynccontextmanager
async def a_database(folder: Path, more: Mapping[str, str]) -> AsyncIterator[Shared]:
    bot = BotOnDemand(folder, free_port(), Clock(datetime.now(UTC)), more_settings=more)
    await bot.starts()
    running = await bot.opens_a_snapshot()
    yield Shared(bot, running.snapshot)
    await bot.stops()


@asynccontextmanager
async def all_serving(shared: Shared, how_many: int) -> AsyncIterator[list[Serving]]:
    bots = [shared.serving() for _ in range(how_many)]
    async with AsyncExitStack() as stack:
        await asyncio.gather(*(stack.enter_async_context(bot) for bot in bots))
        yield bots


async def taps_twice(person: PersonHere, title: str) -> None:
    """The same tap, delivered twice at the same moment, wherever each of the two ends up."""
    tap = seen(person).action(title)
    first, second = await asyncio.gather(person.acts(tap), person.acts(tap))
    assert first.card.words == second.card.words
    person.sees = first.card


async def takes_part_with_doubled_taps(one: Respondent) -> None:
    await begins(one.person, one.agency)
    for option in one.options:
        await taps_twice(one.person, option)
    await sends(one.person)


def summaries(teams: Spread, channel: str) -> list[Sent]:
    return [sent for sent in teams.posts(channel) if ";" not in sent.conversation]


async def published(shared: Shared) -> list[tuple[str, str]]:
    heads = await shared.seen_by.app.service.records.heads(shared.snapshot.id, Kind.PUBLICATION)
    return [(head.id, head.state) for head in heads if head.state != Outbox.SILENT]


async def test_three_processes_share_a_cosmos_database_and_two_are_killed(
    cosmos: Server, tmp_path: Path
) -> None:
    account: Account = cosmos.new_database()
    async with (
        a_database(tmp_path, settings_for(account)) as shared,
        all_serving(shared, 3) as bots,
        Spread(bots[0].url, bots=list(bots)) as teams,
    ):
        everybody = respondents(teams, PEOPLE, ("Police",), Random(26))
        fay, channel = teams.person("Facilitator"), teams.channel()
        await fay.posts("status", channel)
        await asyncio.gather(*(one.takes_part() for one in everybody))

        first = await shared.tick(shared.first_mixing)
        await shared.mixes()
        await first.is_killed()
        mixed = await (await shared.tick(shared.first_mixing)).ends()
        assert mixed == (0, ["mixed"])
        assert await shared.how_many(State.RELEASED) == PEOPLE - 10

        teams.bots = bots[:1]
        await closes(fay, channel)
        await shared.mixes()
        await bots[0].is_killed()
        assert await shared.phase() == Phase.CLOSING

        teams.bots = bots[1:]
        assert (await fay.posts("status", channel)).words
        finished = await asyncio.gather(*[(await shared.tick()).ends() for _ in "ab"])
        assert {code for code, _ in finished} == {0}
        await check(shared.seen_by, everybody)
        assert await published(shared) == [(FINAL, Outbox.SENT)]
        assert 1 <= len(summaries(teams, channel)) <= 2
    assert list(errors(tmp_path)) == []


async def test_two_processes_share_a_sqlite_file_while_ticks_run_and_one_is_killed(
    tmp_path: Path,
) -> None:
    async with (
        a_database(tmp_path, {}) as shared,
        all_serving(shared, 2) as bots,
        Spread(bots[0].url, bots=list(bots)) as teams,
    ):
        everybody = respondents(teams, PEOPLE, ("Police",), Random(62))
        fay, channel = teams.person("Facilitator"), teams.channel()
        await fay.posts("status", channel)
        early, late = everybody[: PEOPLE - 3], everybody[PEOPLE - 3 :]
        await asyncio.gather(*(one.takes_part() for one in early))

        # Those who are late answer while a mix runs, is killed, and is finished by another.
        first = await shared.tick(shared.first_mixing)
        answering = asyncio.gather(*(takes_part_with_doubled_taps(one) for one in late))
        await shared.mixes()
        await first.is_killed()
        second = await shared.tick(shared.first_mixing)
        assert await second.ends() == (0, ["mixed"])
        await answering

        teams.bots = bots[:1]
        await closes(fay, channel)
        await shared.mixes()
        await bots[0].is_killed()
        teams.bots = bots[1:]
        finished = await asyncio.gather(*[(await shared.tick()).ends() for _ in "ab"])
        assert {code for code, _ in finished} == {0}
        await check(shared.seen_by, everybody)
        assert await published(shared) == [(FINAL, Outbox.SENT)]
        assert 1 <= len(summaries(teams, channel)) <= 2
    assert list(errors(tmp_path)) == []
