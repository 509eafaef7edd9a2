"""The owners of the facilitators' team may facilitate, as long as Graph says who they are."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.owners import KNOWN_AT_MOST_S, NotTold, Owners, Team
from bot.rehearsal.teams import GROUP, PersonHere, Teams
from bot.turns.visit import Rights
from snapshot.sealing import Person
from tests.graph.server import (
    HOME,
    Fault,
    Server,
    Tenant,
)
from tests.stories.graph.conftest import graph_settings
from tests.stories.opening import BotOnDemand

EXAMPLESHIRE = "tenant-of-exampleshire"
MEMBERS = "/members"
HANGS_S = 60.0


@pytest.fixture(autouse=True)
def exampleshire(graph: Server) -> None:
    """The tenant of everybody here, which has consented to everything."""
    graph.tenants[EXAMPLESHIRE] = Tenant()


@pytest.fixture
def bot(tmp_path: Path, port: int, graph: Server, teams: Teams) -> BotOnDemand:
    settings = {
        **graph_settings(graph, teams, EXAMPLESHIRE),
        "SNAPSHOT_FACILITATOR_TEAMS": f"{EXAMPLESHIRE}/{GROUP}",
    }
    return BotOnDemand(tmp_path, port, more_settings=settings)


async def may_open(person: PersonHere, teams: Teams) -> bool:
    return bool((await person.posts("new", teams.channel())).inputs)


async def test_an_owner_may_and_a_member_may_not(
    bot: BotOnDemand, teams: Teams, graph: Server
) -> None:
    olive, mel = teams.person("Olive"), teams.person("Mel")
    graph.member(mel.object_id, tenant=EXAMPLESHIRE)
    graph.member(olive.object_id, "owner", tenant=EXAMPLESHIRE)
    await bot.starts()
    await graph.has_seen(MEMBERS)
    async with asyncio.timeout(60):
        while not await may_open(olive, teams):  # once the answer has arrived
            continue
    assert not await may_open(mel, teams)
    assert not await may_open(teams.person("Stan"), teams)
    await bot.stops()


@pytest.mark.parametrize(
    "fault",
    [Fault(403), Fault(503), Fault(), Fault(delay_s=HANGS_S)],
    ids=["403", "503", "cut", "hangs"],
)
async def test_where_graph_does_not_tell_nobody_is_one_and_nobody_waits_for_it(
    bot: BotOnDemand,
    teams: Teams,
    graph: Server,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
) -> None:
    monkeypatch.setattr("bot.teams.graph.CALL_S", HANGS_S)
    olive = teams.person("Olive")
    graph.member(olive.object_id, "owner", tenant=EXAMPLESHIRE)
    graph.always(fault, MEMBERS)
    await bot.starts()
    await graph.has_seen(MEMBERS)
    async with asyncio.timeout(HANGS_S / 2):
        assert not await may_open(olive, teams)
        await bot.stops()


async def test_owners_stay_owners_for_some_minutes_while_graph_is_away() -> None:
    olive, now, is_away = Person(HOME, "olive"), 0.0, False

    async def ask(_: Team) -> frozenset[Person]:
        if is_away:
            raise NotTold
        return frozenset({olive})

    owners = Owners(ask, [Team(HOME, GROUP)], lambda: now)
    rights = Rights(owners=owners.now)
    assert not rights.may_facilitate(olive), "nothing is known yet"
    await owners.look()
    assert rights.may_facilitate(olive)
    assert not rights.may_moderate(olive)
    is_away, now = True, KNOWN_AT_MOST_S - 1
    await owners.look()
    assert rights.may_facilitate(olive)
    now += 1
    assert not rights.may_facilitate(olive)
    assert rights.may_moderate(olive)


async def test_a_fault_of_ours_with_one_team_is_told_and_the_asking_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise nobody could facilitate a quarter of an hour later, and nothing said why."""
    monkeypatch.setattr("bot.owners.ASK_EVERY_S", 0.01)
    rounds, is_asked_again = 0, asyncio.Event()

    async def ask(team: Team) -> frozenset[Person]:
        nonlocal rounds
        if team.group == "odd":
            rounds += 1
            if rounds == 3:
                is_asked_again.set()
            raise ValueError
        return frozenset({Person(HOME, "olive")})

    with capture_logs() as logs:
        async with Owners(ask, [Team(HOME, "odd"), Team(HOME, GROUP)]) as owners:
            async with asyncio.timeout(60):
                await is_asked_again.wait()
            assert owners.now() == {Person(HOME, "olive")}
    told = {(log["event"], log["log_level"]) for log in logs}
    assert told == {("owners not told", "error")}


async def test_a_list_and_owners_go_together() -> None:
    lisa, olive, stan = (Person(HOME, name) for name in ("lisa", "olive", "stan"))
    rights = Rights(listed=frozenset({lisa}), owners=lambda: frozenset({olive}))
    assert [rights.may_facilitate(each) for each in (lisa, olive, stan)] == [True, True, False]
    assert Rights().may_facilitate(stan), "in local use, where nothing says who may"
