"""Somebody gets the app, or an administrator gives it to everybody at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rehearsal.teams import PersonHere, Teams
from snapshot.ledger import MessageState
from snapshot.ports import Kind, Record
from tests.ledger.checking import MOST_A_SECOND, most_times_within, most_within
from tests.ports import free_port
from tests.stories.commenting import bytes_of, the_snapshot
from tests.stories.opening import BotOnDemand, another_process
from tests.stories.people import closes
from tests.stories.test_leads import held_up
from tests.stories.test_reminding import a_channel_with_leads

MANY = 150
TOAST = "Safeguarding snapshot"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    async with BotOnDemand(tmp_path, free_port()) as running:
        await running.opens_a_snapshot()
        yield running


async def noted(bot: BotOnDemand) -> list[Record]:
    """What the ledger has of greetings."""
    running, records = await the_snapshot(bot), bot.app.service.records
    found = await records.read_all(running.snapshot.id, Kind.MESSAGE)
    return [record for record in found if record.id.startswith("greeting-")]


async def greeted(teams: Teams, person: PersonHere) -> bool:
    return "Continue" in [b for s in teams.posts(person.chat) for b in s.card.buttons]


async def test_everybody_at_once_is_greeted_once_each_and_no_faster_than_teams_takes(
    teams: Teams, bot: BotOnDemand
) -> None:
    """Teams tells of each twice, here and there."""
    everybody = [teams.person(f"Person {number}") for number in range(MANY)]
    updates = [p.activity("installationUpdate", action="add") for p in everybody]
    async with another_process(bot) as other, Teams(other.url) as there:
        both = [teams.deliver(a) for a in updates] + [there.deliver(a) for a in updates]
        assert {answer.status for answer in await asyncio.gather(*both)} == {200}
        assert teams.sent == [], "nobody is greeted before it is their turn"
        await asyncio.gather(bot.works(), other.works())
        await asyncio.gather(*(teams.deliver(a) for a in updates))
        await bot.works()
    assert Counter(s.conversation for s in teams.sent) == Counter(p.chat for p in everybody)
    assert {s.activity["summary"] for s in teams.sent} == {TOAST}
    assert most_within(teams.calls, 1.0) <= MOST_A_SECOND


async def test_an_install_is_greeted_by_whoever_is_left(teams: Teams, bot: BotOnDemand) -> None:
    ada = teams.person("Ada")
    await ada.installs()
    await bot.restarts()
    assert await ada.looks() is None
    await bot.works()
    assert await greeted(teams, ada)


async def test_teams_may_tell_of_it_again_in_the_next_hour(teams: Teams, bot: BotOnDemand) -> None:
    ada = teams.person("Ada")
    bot.clock.moves(minutes=59)
    await ada.installs()
    await bot.works()
    bot.clock.moves(minutes=2)
    await ada.installs()
    await bot.works()
    assert len(teams.posts(ada.chat)) == 1
    bot.clock.moves(hours=2)
    await ada.installs()
    await bot.works()
    assert len(teams.posts(ada.chat)) == 2, "they had put it away"


async def test_they_are_greeted_in_the_language_of_their_teams(
    teams: Teams, bot: BotOnDemand
) -> None:
    wyn = teams.person("Wyn")
    wyn.locale = "cy-GB"
    await wyn.installs()
    await bot.works()
    assert "Parhau" in (await wyn.is_greeted()).buttons


async def test_a_new_version_of_the_app_greets_nobody(teams: Teams, bot: BotOnDemand) -> None:
    ada = teams.person("Ada")
    await teams.deliver(ada.activity("installationUpdate", action="add-upgrade"))
    await bot.works()
    assert teams.sent == []


async def test_nobody_is_greeted_to_what_is_closed(teams: Teams, bot: BotOnDemand) -> None:
    """Neither who installs it afterwards, nor whose turn had not come."""
    early, late, channel = teams.person("Ada"), teams.person("Ben"), teams.channel()
    await teams.person("Fay").posts("status", channel)
    await early.installs()
    await closes(teams.person("Fay"), channel)
    await late.installs()
    assert len(await noted(bot)) == 1
    await bot.works()
    for person in (early, late):
        assert teams.posts(person.chat) == []


async def test_nothing_is_left_of_who_has_the_app(teams: Teams, bot: BotOnDemand) -> None:
    ada = teams.person("Ada")
    await ada.installs()
    (waiting,) = await noted(bot)
    assert waiting.body["sealed"]
    for secret in (ada.object_id, ada.chat):
        assert secret.encode() not in bytes_of(bot.folder)
    await bot.works()
    (done,) = await noted(bot)
    assert done.state == MessageState.SENT
    assert "sealed" not in done.body
    bot.clock.moves(hours=2)
    await bot.works()
    assert await noted(bot) == []


async def test_a_store_that_is_held_up_alarms_nobody(teams: Teams, bot: BotOnDemand) -> None:
    ada = teams.person("Ada")
    with held_up(bot.folder / "snapshot.db"):
        answer = await teams.deliver(ada.activity("installationUpdate", action="add"))
    assert answer.status == 200
    assert teams.sent == []


async def test_who_they_are_is_asked_no_faster_than_teams_takes_it(
    teams: Teams, bot: BotOnDemand
) -> None:
    await a_channel_with_leads(teams, "cy@dale.example")
    everybody = [teams.person(f"Person {number}") for number in range(MANY // 2)]
    await asyncio.gather(*(person.installs() for person in everybody))
    await bot.works()
    assert sorted(teams.asked) == sorted(person.id for person in everybody)
    times = [*teams.asked_at, *(call.at for call in teams.calls)]
    assert most_times_within(times, 1.0) <= MOST_A_SECOND
