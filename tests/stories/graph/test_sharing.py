"""A facilitator who has read the report shares it: in short in the channel, and as files there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rehearsal.teams import Shown, Teams
from bot.reporting import gather
from cards.verbs import Verb
from tests.graph.server import (
    DRIVE,
    POLICE,
    Fault,
    Server,
    Tenant,
)
from tests.stories.commenting import (
    Channels,
    have_sent,
    moderators_register,
    the_snapshot,
    unasked,
)
from tests.stories.graph.conftest import graph_settings
from tests.stories.opening import BotOnDemand
from tests.stories.people import closes, seen
from tests.stories.test_reports import asks, moderators_read_all

EXAMPLESHIRE = "tenant-of-exampleshire"
FOLDER = "filesFolder"


@pytest.fixture(autouse=True)
def exampleshire(graph: Server) -> None:
    """The tenant of everybody here, which has consented to everything."""
    graph.tenants[EXAMPLESHIRE] = Tenant()


@pytest.fixture
async def bot(tmp_path: Path, port: int, graph: Server, teams: Teams) -> AsyncIterator[BotOnDemand]:
    settings = {
        **graph_settings(graph, teams, EXAMPLESHIRE, POLICE),
        "SNAPSHOT_CHANNEL_FILES": "true",
    }
    async with BotOnDemand(tmp_path, port, more_settings=settings) as running:
        await running.opens_a_snapshot()
        yield running


@pytest.fixture
async def channels(bot: BotOnDemand, teams: Teams) -> Channels:
    """The snapshot has closed with sixty answers, and every comment has been read."""
    channels = await moderators_register(teams)
    await have_sent(bot, comments=[{"awareness": f"Words {n}."} for n in range(60)])
    await closes(channels.fay, channels.facilitators)
    await bot.works()
    await moderators_read_all(bot)
    return channels


async def shares(channels: Channels) -> str:
    """What the facilitator is told in the end."""
    fay = channels.fay
    await asks(fay)
    await fay.presses("Share in the channel")
    async with asyncio.timeout(60):
        while "is being shared" in seen(fay).words:
            await asyncio.sleep(0.05)
            fay.sees = await fay.looks()
    return seen(fay).words


def reports(teams: Teams, channels: Channels) -> list[Shown]:
    posts = unasked(teams, channels.facilitators)
    return [p.card for p in posts if "The report for Exampleshire is here" in p.card.words]


async def test_what_is_shared_is_posted_in_short_and_lies_among_the_files_of_the_channel(
    teams: Teams, bot: BotOnDemand, channels: Channels, graph: Server
) -> None:
    said = await shares(channels)
    assert "on its way to your channel" in said
    assert "The files are among the channel's files" in said
    await bot.works()
    (post,) = reports(teams, channels)
    assert "There was no strategic session" in post.words
    assert "among this channel's files" in post.words
    assert post.words.count("Practitioners:") == 5
    assert "Words 7." not in post.words
    running = await the_snapshot(bot)
    made = await bot.app.service.printer.print(await gather(bot.app.service, running))
    where = f"{DRIVE}/folder of {channels.facilitators}"
    assert graph.tenants[EXAMPLESHIRE].files == {
        f"{where}/{file.name}": file.content for file in made
    }


async def test_a_report_that_has_not_changed_is_posted_once(
    teams: Teams, bot: BotOnDemand, channels: Channels, graph: Server
) -> None:
    await shares(channels)
    await bot.works()
    assert "has been shared before" in await shares(channels)
    await bot.works()
    await bot.restarts()
    await bot.works()
    assert len(reports(teams, channels)) == 1
    assert graph.count(FOLDER) == 2, "files are put there again: somebody may have deleted them"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(403),
        Fault(404),
        Fault(503),
        Fault(raw="[]"),
        Fault(429, headers={"Retry-After": "60"}),
        Fault(),
    ],
    ids=["no consent", "no folder", "down", "odd", "slowed down", "cut"],
)
async def test_without_the_files_it_is_shared_all_the_same(
    teams: Teams, bot: BotOnDemand, channels: Channels, graph: Server, fault: Fault
) -> None:
    graph.always(fault, FOLDER)
    said = await shares(channels)
    assert "on its way to your channel" in said
    assert "I could not put the files among the channel's files" in said
    await bot.works()
    (post,) = reports(teams, channels)
    assert "Your facilitator has the whole report" in post.words
    assert graph.tenants[EXAMPLESHIRE].files == {}


async def test_nobody_but_a_facilitator_can_share_it(
    teams: Teams, bot: BotOnDemand, channels: Channels, graph: Server
) -> None:
    await asks(channels.fay)
    (action,) = seen(channels.fay).actions(Verb.SHARE_REPORT)
    bot.more_settings = {
        **bot.more_settings,
        "SNAPSHOT_FACILITATORS": f"{EXAMPLESHIRE}/somebody-else",
    }
    await bot.restarts()
    for person in (channels.fay, teams.person("Stan"), teams.person("Pol", tenant=POLICE)):
        await person.acts(action)
    await channels.fay.acts(action, chat=channels.facilitators)
    await bot.works()
    assert reports(teams, channels) == []
    assert graph.tenants[EXAMPLESHIRE].files == {}
