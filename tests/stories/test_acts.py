"""What facilitators, moderators and the operator do is noted; what practitioners do never is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bot.rehearsal.teams import Teams
from snapshot.acts import Act, Did, Role, read_log
from snapshot.lead_lists import Row
from snapshot.leads import add
from snapshot.opening import Running
from snapshot.ports import Kind, Record, Unavailable
from tests.ports import free_port
from tests.stories.commenting import have_sent, moderators_register
from tests.stories.conftest import RunningBot
from tests.stories.opening import BotOnDemand, opens
from tests.stories.partners import Room, a_session_bot
from tests.stories.people import AGENCIES, closes, respondents
from tests.stories.processes import command
from tests.stories.test_plan import SAVE, adds, opens_the_action


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    async with BotOnDemand(tmp_path, free_port()) as running:
        yield running


async def the_snapshot(bot: RunningBot) -> Running:
    return (await bot.app.service.directory.all(fresh=True))[0]


async def acts_of(bot: RunningBot) -> list[Act]:
    lines = await read_log(await the_snapshot(bot), bot.app.service.records)
    assert all(line.act for line in lines)
    return [line.act for line in lines if line.act]


async def did(bot: RunningBot) -> list[tuple[Did, str]]:
    return [(act.did, act.about) for act in await acts_of(bot)]


async def says(bot: RunningBot, *words: str) -> tuple[int | None, str]:
    ended = await command(bot, *words)
    return ended.code, ended.out + (ended.err if ended.code else "")


# -- facilitators ---------------------------------------------------------------------------------


async def test_from_the_opening_to_the_plan(teams: Teams, bot: BotOnDemand) -> None:
    fay, flo, channel = teams.person("Fay"), teams.person("Flo"), teams.channel()
    await opens(fay, channel)
    await fay.posts("status", channel)
    await fay.presses_in(channel, "Add safeguarding leads")
    await fay.presses_in(
        channel, "Add these leads", {"leads": "ann@hill.example\nbob@dale.example"}
    )
    await flo.posts("extend", channel)
    moved = {"deadline": "2026-03-20", "reason": "Half term."}
    await flo.presses_in(channel, "Move the deadline", moved)
    await fay.posts("status", channel)
    await closes(fay, channel)
    await bot.works()
    await adds(fay, channel)
    bot.clock.moves(minutes=5)
    await opens_the_action(fay, channel)
    await fay.presses_in(channel, SAVE, {"recommendation": "Another"})

    found = await acts_of(bot)

    assert [act.did for act in found] == [
        Did.OPENED,
        Did.ADDED_LEADS,
        Did.EXTENDED,
        Did.CLOSED,
        Did.SAVED_ACTION,
        Did.SAVED_ACTION,
    ]
    assert [act.about for act in found[:4]] == ["", "2", "1", ""]
    assert {act.role for act in found} == {Role.FACILITATOR}
    who = [act.person.object_id for act in found if act.person]
    assert who == [
        fay.object_id,
        fay.object_id,
        flo.object_id,
        fay.object_id,
        fay.object_id,
        fay.object_id,
    ]
    assert found[0].at == bot.clock().replace(hour=9, minute=0)


async def test_looking_is_no_act_nor_is_what_is_not_confirmed(
    teams: Teams, bot: BotOnDemand
) -> None:
    fay, channel = teams.person("Fay"), teams.channel()
    await opens(fay, channel)
    for word in ("status", "help", "contacts", "extend", "close", "report", "plan"):
        await fay.posts(word, channel)
    assert await did(bot) == [(Did.OPENED, "")]


async def test_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.editing.EVERY_S", 0.1)  # as in the stories of the session
    monkeypatch.setattr("bot.pace.EDITS_A_SECOND", 8.0)
    async for bot in a_session_bot(tmp_path):
        async with Teams(bot.url) as teams:
            room = Room(teams, bot, teams.channel())
            await room.starts()
            partner = await room.joins("Partner")
            await room.rates(partner)
            await room.has_it_shown()
            await room.records()
            await room.disagrees("police", "Not for us.")
            await room.pauses()
            found = await acts_of(bot)
            assert [act.did for act in found][-5:] == [
                Did.STARTED_SESSION,
                Did.REVEALED,
                Did.AGREED,
                Did.DISSENT,
                Did.PAUSED_SESSION,
            ]
            assert [act.about for act in found][-4:-1] == ["AW1"] * 3
            people = {act.person.object_id for act in found if act.person}
            assert people <= {room.fay.object_id}, "what partners do is not noted"


async def test_moderators_and_the_report(teams: Teams, bot: BotOnDemand) -> None:
    running = await bot.opens_a_snapshot()
    channels = await moderators_register(teams)
    said = [{"awareness": f"Words {n}."} if n < 3 else {} for n in range(12)]
    await have_sent(bot, comments=said)
    await closes(channels.fay, channels.facilitators)
    await bot.works()
    bot.clock.moves(days=1, hours=1)
    await bot.works()
    await channels.mo.posts("comments", channels.moderators)
    await channels.mo.presses_in(channels.moderators, "Read the comments")
    for decision in ("approve", "hide", "escalate"):
        await channels.mo.presses_in(channels.moderators, "Save and go on", {"decision": decision})
    told = {"passed_to": "The front door", "passed_when": "today"}
    await channels.mo.presses_in(channels.moderators, "It has been passed on", told)
    await channels.mo.posts("comments", channels.moderators)
    found = await acts_of(bot)
    moderators = [act for act in found if act.role is Role.MODERATOR]
    assert [act.did for act in moderators] == [
        Did.REGISTERED,
        Did.DECIDED,
        Did.DECIDED,
        Did.DECIDED,
        Did.PASSED_ON,
    ]
    ids = {
        head.id for head in await bot.app.service.records.heads(running.snapshot.id, Kind.COMMENT)
    }
    decided = [act.about.split() for act in moderators[1:4]]
    assert [decision for decision, _ in decided] == ["approve", "hide", "escalate"]
    assert {id for _, id in decided} == ids
    assert "Words" not in str(found)


# -- practitioners --------------------------------------------------------------------------------


async def test_whoever_answers_or_withdraws_is_not_in_it(teams: Teams, bot: BotOnDemand) -> None:
    await bot.opens_a_snapshot()
    people = respondents(teams, 3, AGENCIES, Random(1))
    await asyncio.gather(*(p.takes_part() for p in people))
    await people[0].person.types("withdraw")
    running, records = await the_snapshot(bot), bot.app.service.records
    assert await records.heads(running.snapshot.id, Kind.ACT) == []


# -- the operator ---------------------------------------------------------------------------------


async def test_an_operator_sees_it_and_is_in_it(teams: Teams, bot: BotOnDemand) -> None:
    fay, channel = teams.person("Fay"), teams.channel()
    await opens(fay, channel)
    running = await the_snapshot(bot)
    await add(running, bot.app.service.records, [Row(1, "ann@hill.example")])
    await says(bot, "leads", "show", "ann@hill.example")
    await says(bot, "leads", "erase", "ann@hill.example", "--yes")
    code, said = await says(bot, "acts", running.snapshot.id)
    assert code == 0
    opened, saw, erased = (line.split("\t") for line in said.splitlines())
    assert opened == [
        "1",
        "2026-03-02T09:00:00Z",
        "facilitator",
        f"{fay.tenant}/{fay.object_id}",
        "opened",
    ]
    assert [saw[2:], erased[2:]] == [["operator", "", "saw-leads"], ["operator", "", "erased-lead"]]
    records = bot.app.service.records
    (_, second, _) = await records.read_all(running.snapshot.id, Kind.ACT)
    await records.delete(second)
    assert "2\tmissing" in (await says(bot, "acts", running.snapshot.id))[1]
    code, said = await says(bot, "acts", "nothing-here")
    assert code == 1
    assert "There is no snapshot nothing-here" in said


async def test_what_cannot_be_noted_is_done_all_the_same_and_logged(
    teams: Teams,
    bot: BotOnDemand,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    fay, channel = teams.person("Fay"), teams.channel()
    await opens(fay, channel)
    records = type(bot.app.service.records)
    create = records.create

    async def failing(self: Any, record: Record) -> Record:
        if record.kind is Kind.ACT:
            raise Unavailable
        return await create(self, record)

    monkeypatch.setattr(records, "create", failing)
    await closes(fay, channel)
    monkeypatch.undo()
    assert "The snapshot closed on" in (await fay.posts("status", channel)).words
    assert await did(bot) == [(Did.OPENED, "")]
    logged = "".join(capfd.readouterr())
    assert '"did": "closed"' in logged
    assert "act not noted" in logged
    assert fay.object_id not in logged
