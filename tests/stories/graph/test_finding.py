"""Leads whom Graph knows are given the app and reminded; a Graph in trouble stops nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from bot.rehearsal.teams import PersonHere, Sent, Teams
from bot.teams.graph import Graph
from bot.teams.tokens import Tokens
from bot.turns.turn import Address
from snapshot.lead_lists import Row
from snapshot.leads import add, stop
from snapshot.ports import Kind
from snapshot.sealing import Person
from tests.graph.conftest import Clock as Seconds
from tests.graph.server import HOME, POLICE, SECRET, Fault, Server
from tests.ports import free_port
from tests.stories.graph.conftest import graph_settings
from tests.stories.opening import BotOnDemand, opens, own_threads
from tests.stories.processes import Tick
from tests.stories.test_leads import leads_of, the_snapshot
from tests.stories.test_reminding import (
    LIST_FOR_MIDWAY,
    MIDWAY,
    OPENING,
    a_channel_with_leads,
    works_at,
)

LOST = Fault(503, headers={"Retry-After": "1"})
USERS, INSTALLS = "/v1.0/users", "POST /v1.0/users"


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    """By which Microsoft is left alone for a while."""
    passed = Seconds()
    monkeypatch.setattr("bot.teams.resolver.Graph", partial(Graph, clock=passed))
    monkeypatch.setattr("bot.teams.tokens.Tokens", partial(Tokens, clock=passed))
    return passed


@pytest.fixture
async def bot(
    tmp_path: Path, port: int, graph: Server, teams: Teams, seconds: Seconds
) -> AsyncIterator[BotOnDemand]:
    settings = graph_settings(graph, teams, HOME, POLICE)
    async with BotOnDemand(tmp_path, port, more_settings=settings) as running:
        await running.opens_a_snapshot()
        yield running


def employs(graph: Server, teams: Teams, name: str, tenant: str = HOME) -> PersonHere:
    """Somebody with an account, whom Teams tells the bot of as soon as they have the app."""
    person = teams.person(name, tenant=tenant)
    graph.person(person.object_id, person.email.lower(), tenant=tenant)

    async def tells(id: str) -> None:
        here = next(p for p in teams.people.values() if p.object_id == id)
        await here.installs()

    graph.installs = tells
    return person


def told(teams: Teams, person: PersonHere) -> list[Sent]:
    """All that the bot has said to somebody, in whichever chat."""
    return [s for s in teams.sent if person.object_id in s.conversation]


async def until(what: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while True:
            if what():
                return
            await asyncio.sleep(0.02)


# -- found ----------------------------------------------------------------------------------------


async def test_a_lead_whom_graph_knows_gets_the_app_and_then_the_reminder_and_no_other_card(
    teams: Teams, bot: BotOnDemand, graph: Server
) -> None:
    ann, ada = employs(graph, teams, "Ann"), employs(graph, teams, "Ada")
    await a_channel_with_leads(teams, f"{ann.email}, Ann Smith")
    assert graph.seen == [], "nobody waits for that"

    assert "leads-found" in [deed.did for deed in await bot.works()]
    assert graph.tenants[HOME].installed == {ann.object_id}
    lead = (await leads_of(bot))[ann.email.lower()]
    assert lead.person == Person(HOME, ann.object_id)
    assert told(teams, ann) == []

    await works_at(bot, OPENING)
    (reminder,) = told(teams, ann)
    assert "Hello Ann," in reminder.card.words
    await ada.installs()
    await bot.works()
    assert told(teams, ada), "whoever adds the app is greeted"
    assert ada.object_id not in "".join(graph.seen)


async def test_a_lead_who_adds_the_app_again_themselves_is_greeted(
    teams: Teams, bot: BotOnDemand, graph: Server
) -> None:
    ann = employs(graph, teams, "Ann")
    await a_channel_with_leads(teams, ann.email)
    await bot.works()
    bot.clock.moves(days=2)
    await ann.installs()
    await bot.works()
    assert told(teams, ann)


async def test_who_is_found_after_the_reminder_had_gone_out_gets_it(
    teams: Teams, bot: BotOnDemand, graph: Server
) -> None:
    ann = employs(graph, teams, "Ann")
    bot.clock.now = OPENING
    await a_channel_with_leads(teams, ann.email)
    did = [deed.did for deed in await bot.works()]
    assert did.index("leads-reminded") < did.index("leads-found")
    assert len(told(teams, ann)) == 1
    await works_at(bot, OPENING + timedelta(minutes=10))
    assert len(told(teams, ann)) == 1


async def test_a_chat_that_takes_a_moment_is_asked_for_again_soon(
    teams: Teams, bot: BotOnDemand, graph: Server
) -> None:
    ann = employs(graph, teams, "Ann")
    graph.always(Fault(404, "NotFound"), "/chat")
    graph.installs = Server(Path()).installs
    await a_channel_with_leads(teams, ann.email)
    await works_at(bot, OPENING)
    assert told(teams, ann) == []
    assert bot.app.worker.rest_s() <= 61
    asked = len(graph.seen)
    await works_at(bot, OPENING + timedelta(seconds=5))
    assert len(graph.seen) == asked
    graph.always(None)
    await works_at(bot, OPENING + timedelta(seconds=61))
    assert len(told(teams, ann)) == 1
    assert graph.count(INSTALLS) == 1


async def test_two_processes_that_look_for_the_same_lead_do_no_harm(
    teams: Teams, bot: BotOnDemand, graph: Server
) -> None:
    ann = employs(graph, teams, "Ann")
    await a_channel_with_leads(teams, ann.email)
    other = BotOnDemand(bot.folder, free_port(), clock=bot.clock, more_settings=bot.more_settings)
    await other.starts()
    bot.clock.now = OPENING
    await asyncio.gather(bot.works(), other.works())
    await asyncio.gather(bot.works(), other.works())
    await other.stops()
    assert len(told(teams, ann)) == 1
    assert graph.tenants[HOME].installed == {ann.object_id}


async def test_a_tick_finds_installs_and_reminds(
    teams: Teams, bot: BotOnDemand, graph: Server
) -> None:
    ann = employs(graph, teams, "Ann")
    await a_channel_with_leads(teams, ann.email)
    code, did = await (await Tick(bot.folder, bot.environment).starts(OPENING)).ends()
    assert code == 0
    assert {"leads-found", "leads-reminded"} <= set(did)
    assert len(told(teams, ann)) == 1, "that it was installed by another process is known here"


async def test_the_first_message_goes_where_teams_has_last_told_of_the_tenant(
    teams: Teams, bot: BotOnDemand, graph: Server
) -> None:
    async with Teams(bot.url) as elsewhere:
        bot.more_settings = {**bot.more_settings, "TEAMS_SERVICE_URL": f"{elsewhere.url}/"}
        await bot.restarts()
        ann, pat = employs(graph, teams, "Ann"), employs(graph, teams, "Pat", POLICE)
        dee = teams.person("Dee", tenant=HOME)
        graph.installs = Server(Path()).installs
        await a_channel_with_leads(teams, ann.email, pat.email)
        await dee.types("start")
        await bot.works()
        found = await leads_of(bot)
    wanted = {ann.email: f"{teams.url}/", pat.email: f"{elsewhere.url}/"}
    for address, url in wanted.items():
        chat = found[address.lower()].chat
        assert chat
        assert Address.from_json(chat).service_url == url


async def test_nobody_is_asked_for_in_a_tenant_that_the_snapshot_is_not_for(
    teams: Teams, bot: BotOnDemand, graph: Server
) -> None:
    both = bot.more_settings
    bot.more_settings = {**both, "SNAPSHOT_TENANTS": HOME}
    await bot.restarts()
    fay, channel = teams.person("Fay", tenant=HOME), teams.channel("otherwick", tenant=HOME)
    await opens(fay, channel)
    bot.more_settings = both
    await bot.restarts()
    (opened,) = [r for r in await bot.app.service.directory.all() if not r.snapshot.sample]
    pat, ann = employs(graph, teams, "Pat", POLICE), employs(graph, teams, "Ann")
    rows = [Row(n, person.email) for n, person in enumerate((pat, ann))]
    await add(opened, bot.app.service.records, rows)
    await bot.works()
    found = await leads_of(bot, opened)
    assert found[pat.email.lower()].person is None
    assert found[ann.email.lower()].person
    assert graph.count(POLICE) == 0


# -- not found ------------------------------------------------------------------------------------


async def test_whom_graph_does_not_know_is_asked_for_again_before_each_list_and_reminder_only(
    teams: Teams, bot: BotOnDemand, graph: Server
) -> None:
    channel = await a_channel_with_leads(teams, "cy@dale.example")
    asked = []
    for at in (
        *(OPENING - timedelta(minutes=20), OPENING, OPENING + timedelta(hours=3)),
        *(LIST_FOR_MIDWAY - timedelta(minutes=61), LIST_FOR_MIDWAY - timedelta(minutes=60)),
        *(LIST_FOR_MIDWAY, MIDWAY - timedelta(minutes=50), MIDWAY),
    ):
        before = graph.count("GET /v1.0/users/")
        await works_at(bot, at)
        asked.append(graph.count("GET /v1.0/users/") - before)
    # In both tenants each time.
    assert asked == [2, 0, 0, 0, 2, 0, 2, 0]
    assert "Friday 6 March" in own_threads(teams, channel)[-1].card.words


async def test_somebody_who_has_stopped_is_not_looked_for(
    teams: Teams, bot: BotOnDemand, graph: Server
) -> None:
    ann = employs(graph, teams, "Ann")
    await a_channel_with_leads(teams, ann.email)
    (lead,) = (await leads_of(bot)).values()
    await stop(await the_snapshot(bot), bot.app.service.records, lead.id)
    await works_at(bot, OPENING)
    assert graph.seen == []
    assert told(teams, ann) == []


async def test_hundreds_of_leads_outside_the_tenant_are_asked_for_a_few_at_a_time_and_once(
    bot: BotOnDemand, graph: Server
) -> None:
    running, records = await the_snapshot(bot), bot.app.service.records
    await add(running, records, [Row(n, f"dsl{n}@school{n}.example") for n in range(210)])
    graph.always(Fault(404, "Request_ResourceNotFound", delay_s=0.002), USERS)
    await bot.works()
    assert graph.count("GET /v1.0/users/dsl") == 420, "in each of two tenants"
    assert 1 < graph.at_once <= 4
    graph.seen.clear()
    await works_at(bot, OPENING)
    await bot.restarts()
    await bot.works()
    assert graph.seen == []


# -- a Graph in trouble ---------------------------------------------------------------------------


async def test_while_graph_is_down_others_are_reminded_and_who_is_found_later_misses_nothing(
    teams: Teams, bot: BotOnDemand, graph: Server, seconds: Seconds
) -> None:
    ann, bea = employs(graph, teams, "Ann"), employs(graph, teams, "Bea")
    await a_channel_with_leads(teams, ann.email, bea.email)
    await bea.types("start")
    had = len(told(teams, bea))
    graph.always(LOST, "/v1.0/")
    await works_at(bot, OPENING)
    assert len(told(teams, bea)) == had + 1
    assert told(teams, ann) == []
    asked = graph.count(USERS)
    await works_at(bot, OPENING + timedelta(seconds=5))
    assert graph.count(USERS) == asked, "it is left alone"
    assert bot.app.worker.rest_s() < 60

    graph.always(None)
    seconds.now += 1  # what Graph asked for
    await works_at(bot, OPENING + timedelta(minutes=2))
    assert len(told(teams, ann)) == 1
    assert len(told(teams, bea)) == had + 1


async def test_while_one_tenant_is_down_another_is_not_asked_for_everybody_again_and_again(
    bot: BotOnDemand, graph: Server
) -> None:
    running, records = await the_snapshot(bot), bot.app.service.records
    await add(running, records, [Row(n, f"dsl{n}@school{n}.example") for n in range(120)])
    graph.always(LOST, f"/{HOME}/oauth2/")
    rests = []
    for _ in range(3):
        graph.seen.clear()
        await bot.works()
        assert 50 <= graph.count("GET /v1.0/users/dsl") < 60
        rests.append(bot.app.worker.rest_s())
        bot.clock.moves(seconds=int(rests[-1]))
    assert rests == [21, 41, 81]


async def test_a_graph_that_hangs_holds_up_no_reminder(
    teams: Teams, bot: BotOnDemand, graph: Server
) -> None:
    bea = employs(graph, teams, "Bea")
    await a_channel_with_leads(teams, "cy@dale.example", bea.email)
    await bea.types("start")
    had = len(told(teams, bea))
    await bot.works()
    bot.clock.now = OPENING
    running, records = await the_snapshot(bot), bot.app.service.records
    await add(running, records, [Row(1, "di@dale.example")])
    graph.always(Fault(delay_s=600), USERS)
    working = asyncio.create_task(bot.app.worker.run())
    await until(lambda: graph.busy)
    await until(lambda: len(told(teams, bea)) > had)
    bot.clock.now = MIDWAY
    bot.app.service.wake()
    await until(lambda: len(told(teams, bea)) > had + 1)
    assert graph.busy, "it has not answered yet"
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_where_graph_refuses_leads_are_known_once_they_talk_and_the_log_says_it_once(
    teams: Teams, bot: BotOnDemand, graph: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    graph.tenants[HOME].consents.clear()
    ann, bea = employs(graph, teams, "Ann"), employs(graph, teams, "Bea")
    await a_channel_with_leads(teams, ann.email, bea.email)
    await bot.works()
    await ann.types("start")
    had = len(told(teams, ann))
    await works_at(bot, OPENING)
    assert len(told(teams, ann)) == had + 1
    assert told(teams, bea) == []
    await works_at(bot, MIDWAY)
    logged = "".join(capfd.readouterr())
    assert logged.count("a tenant refuses") == 1
    for secret in ("exampleshire.example", ann.object_id, bea.object_id, HOME, SECRET):
        assert secret not in logged


async def test_an_app_that_may_not_be_installed_leaves_a_lead_on_the_list_by_email(
    teams: Teams, bot: BotOnDemand, graph: Server
) -> None:
    graph.tenants[HOME].catalogue.clear()
    ann = employs(graph, teams, "Ann")
    await a_channel_with_leads(teams, ann.email)
    assert "leads-to-email" in await works_at(bot, OPENING)
    assert (await leads_of(bot))[ann.email.lower()].is_out_of_reach
    await ann.types("start")
    had = len(told(teams, ann))
    await bot.works()
    assert len(told(teams, ann)) == had + 1


async def test_a_policy_that_forbids_the_app_to_many_is_told_once_in_the_log(
    teams: Teams, bot: BotOnDemand, graph: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    people = [employs(graph, teams, name) for name in ("Ann", "Bea", "Cy")]
    for user in graph.tenants[HOME].users:
        user["policy"] = "blocked"
    await a_channel_with_leads(teams, *(person.email for person in people))
    await works_at(bot, OPENING)
    assert graph.count(INSTALLS) == 3
    assert "".join(capfd.readouterr()).count("graph refused") == 1
    assert all(lead.is_out_of_reach for lead in (await leads_of(bot)).values())


async def test_a_process_that_died_between_finding_a_lead_and_reminding_them_loses_nothing(
    teams: Teams, bot: BotOnDemand, graph: Server
) -> None:
    ann = employs(graph, teams, "Ann")
    graph.always(LOST, "/v1.0/")
    await a_channel_with_leads(teams, ann.email)
    await works_at(bot, OPENING)
    graph.always(None)
    await bot.restarts()
    async for deed in bot.app.worker.deeds():
        if deed.did == "leads-found":
            break
    assert told(teams, ann) == []
    await bot.restarts()
    await bot.works()
    assert len(told(teams, ann)) == 1


async def test_what_is_kept_of_an_installation_names_nobody(
    teams: Teams, bot: BotOnDemand, graph: Server
) -> None:
    ann = employs(graph, teams, "Ann")
    await a_channel_with_leads(teams, ann.email)
    await bot.works()
    running, records = await the_snapshot(bot), bot.app.service.records
    (kept,) = await records.read_all(running.snapshot.id, Kind.INSTALL)
    assert ann.object_id not in repr(kept)
    assert set(kept.body) == {"until"}
