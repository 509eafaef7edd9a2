"""A channel gets each post once and in order, though processes race and die and Teams fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.delivery import CLAIM_S
from bot.rehearsal.teams import PersonHere, Teams, Trouble
from snapshot.disclosure import final_bases, summarise
from snapshot.ledger import MessageState, claim, find, id_of
from snapshot.opening import Running
from snapshot.ports import Kind, SnapshotId
from snapshot.publication import Outbox, record, record_moves, summary_body
from tests.ports import free_port
from tests.stories.opening import BotOnDemand, another_process, own_threads
from tests.stories.people import closes
from tests.stories.test_extending import extends, the_one


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    async with BotOnDemand(tmp_path, free_port()) as running:
        await running.opens_a_snapshot()
        yield running


@pytest.fixture
async def extended(fay: PersonHere, channel: str, bot: BotOnDemand) -> Running:
    """There is a post to be made."""
    await fay.posts("extend", channel)
    await extends(fay, channel)
    return await the_one(bot)


async def ledger(bot: BotOnDemand, id: SnapshotId) -> dict[str, str]:
    heads = await bot.app.service.records.heads(id, Kind.MESSAGE)
    return {head.id: head.state for head in heads}


def says(teams: Teams, channel: str) -> list[str]:
    return [sent.card.words for sent in own_threads(teams, channel)]


async def test_a_post_goes_out_at_once_also_in_the_middle_of_a_second(
    teams: Teams, bot: BotOnDemand, extended: Running, channel: str
) -> None:
    bot.clock.now += timedelta(milliseconds=400)
    await bot.works()
    assert len(says(teams, channel)) == 1


async def test_of_two_processes_that_work_at_once_one_posts(
    teams: Teams, bot: BotOnDemand, extended: Running, channel: str
) -> None:
    async with another_process(bot) as other:
        await asyncio.gather(bot.works(), other.works(), bot.works())
    assert len(says(teams, channel)) == 1
    assert await ledger(bot, extended.snapshot.id) == {
        "post-extension-001.channel": MessageState.SENT
    }


async def test_a_post_that_was_made_is_not_repeated_where_only_its_mark_is_missing(
    teams: Teams, bot: BotOnDemand, extended: Running, channel: str
) -> None:
    """Killed between the ledger and the publication."""
    await bot.works()
    records, id = bot.app.service.records, extended.snapshot.id
    publication = await records.read(id, Kind.PUBLICATION, "extension-001")
    await records.replace(replace(publication, state=Outbox.RECORDED))
    await bot.restarts()
    await bot.works()
    assert len(says(teams, channel)) == 1
    again = await bot.app.service.records.read(id, Kind.PUBLICATION, "extension-001")
    assert again.state == Outbox.SENT


async def test_who_died_over_a_post_is_waited_for_and_then_it_is_made(
    teams: Teams, bot: BotOnDemand, extended: Running, channel: str
) -> None:
    records, id = bot.app.service.records, extended.snapshot.id
    teams.befalls = lambda _: Trouble(503)
    await bot.works()
    bot.clock.moves(minutes=1)
    post = id_of("post-extension-001", "channel")
    entry = await find(records, id, post)
    assert entry
    assert await claim(records, entry, bot.clock(), CLAIM_S)
    teams.befalls = lambda _: None
    await bot.works()
    assert says(teams, channel) == []
    bot.clock.moves(seconds=int(CLAIM_S))
    await bot.works()
    assert len(says(teams, channel)) == 1


@pytest.mark.parametrize("status", [0, 403, 404, 429, 502])
async def test_a_channel_that_fails_gets_its_posts_later_and_in_order(
    teams: Teams,
    bot: BotOnDemand,
    fay: PersonHere,
    extended: Running,
    channel: str,
    status: int,
) -> None:
    teams.befalls = lambda c: Trouble(status) if ";" not in c else None
    await bot.works()
    await closes(fay, channel)
    await bot.works()
    assert says(teams, channel) == []
    teams.befalls = lambda _: None
    bot.clock.moves(minutes=1)
    await bot.works()
    first, last = says(teams, channel)
    assert "There is more time" in first
    assert "results are withheld" in last


async def test_as_long_as_one_post_is_to_be_tried_again_those_after_it_wait(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, extended: Running, channel: str
) -> None:
    coming = [Trouble(503)]
    teams.befalls = lambda c: coming.pop() if coming and ";" not in c else None
    await closes(fay, channel)
    await record_moves(bot.app.service.records, extended.snapshot)
    await bot.works()
    assert (coming, says(teams, channel)) == ([], [])
    bot.clock.moves(minutes=1)
    await bot.works()
    first, last = says(teams, channel)
    assert "There is more time" in first
    assert "results are withheld" in last


async def test_what_was_tried_before_goes_before_what_came_later(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    """Also where it would stand after it among posts that come at once."""
    running = await the_one(bot)
    snapshot, instrument = running.snapshot, bot.app.service.instrument(running)
    bases = final_bases(snapshot, instrument, [], None)
    body = summary_body(summarise(snapshot, instrument, [], bases), bases)
    await record(bot.app.service.records, snapshot.id, "interim-2026-W10", body)
    teams.befalls = lambda c: Trouble(503) if ";" not in c else None
    await bot.works()
    teams.befalls = lambda _: None
    await fay.posts("extend", channel)
    await extends(fay, channel)
    bot.clock.moves(minutes=1)
    await bot.works()
    first, last = says(teams, channel)
    assert "There is more time" not in first
    assert "There is more time" in last


async def test_what_a_channel_will_never_take_holds_up_no_other(
    teams: Teams,
    bot: BotOnDemand,
    fay: PersonHere,
    extended: Running,
    channel: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """But somebody has to see to it."""
    teams.befalls = lambda c: Trouble(413) if ";" not in c else None
    await bot.works()
    logged = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [e["why"] for e in logged if (e["level"], e["event"]) == ("error", "message refused")]
    teams.befalls = lambda _: None
    await closes(fay, channel)
    await bot.works()
    (only,) = says(teams, channel)
    assert "results are withheld" in only
    entry = await find(
        bot.app.service.records, extended.snapshot.id, id_of("post-extension-001", "channel")
    )
    assert entry
    assert (entry.state, entry.why) == (MessageState.UNREACHABLE, "413")


async def test_an_interim_summary_that_comes_after_the_close_is_dropped(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    """Recorded before it, and not posted in time."""
    id = (await the_one(bot)).snapshot.id
    await record(bot.app.service.records, id, "interim-2026-W11", {"bases": {}})
    await closes(fay, channel)
    await bot.works()
    (final,) = says(teams, channel)
    assert "results are withheld" in final
    assert (await ledger(bot, id))["post-interim-2026-W11.channel"] == MessageState.DROPPED
    bot.clock.now += timedelta(days=1)
    await bot.works()
    assert len(says(teams, channel)) == 1
