"""What those who send are told of an address, and of a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bot.resolving import Chat, Later, Nobody, Reach, Refused, Resolve
from bot.settings import BadSettings, Settings
from bot.teams.graph import Graph
from bot.teams.microsoft import app_of
from bot.teams.resolver import graph_of, reacher, resolver
from bot.teams.tokens import GRAPH, Tokens
from snapshot.sealing import Person
from tests.graph.server import APP, HOME, IDENTITY, MANIFEST, POLICE, SECRET, Fault, Server
from tests.graph.test_graph import ADA, ADDRESS

BOTH = (HOME, POLICE)
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
CONFIGURED = {
    "SNAPSHOT_ENV": "local",
    "SNAPSHOT_TENANTS": f"{HOME},{POLICE}",
    "MicrosoftAppId": APP.upper(),
    "MicrosoftAppTenantId": HOME,
    "MicrosoftAppPassword": SECRET,
    "TEAMS_APP_ID": MANIFEST,
}


@pytest.fixture
def graph(server: Server, session: aiohttp.ClientSession) -> Graph:
    places = {"TEAMS_AUTHORITY": f"{server.url}/", "GRAPH_URL": server.url}
    settings = Settings.from_env({**CONFIGURED, **places})
    tokens = Tokens(app_of(settings), session)
    return graph_of(settings, tokens, session)


@pytest.fixture
def resolve(graph: Graph) -> Resolve:
    return resolver(graph, lambda: NOW)


@pytest.fixture
def reach(graph: Graph) -> Reach:
    return reacher(graph, lambda: NOW)


# -- whose address --------------------------------------------------------------------------------


async def test_the_first_tenant_that_knows_an_address_has_it(
    server: Server, resolve: Resolve
) -> None:
    server.person(ADA, ADDRESS, tenant=POLICE)
    assert await resolve(ADDRESS, BOTH) == Person(POLICE, ADA)
    server.person(ADA, ADDRESS, tenant=HOME)
    assert await resolve(ADDRESS, BOTH) == Person(HOME, ADA)


async def test_a_guest_is_found_at_home(server: Server, resolve: Resolve) -> None:
    server.person("guest", ADDRESS, userType="Guest", userPrincipalName="a#EXT#@home.example")
    server.person(ADA, ADDRESS, tenant=POLICE)
    assert await resolve(ADDRESS, BOTH) == Person(POLICE, ADA)


async def test_an_address_that_no_tenant_knows_is_nobodys(resolve: Resolve) -> None:
    assert await resolve(ADDRESS, BOTH) == Nobody()


async def test_while_one_tenant_is_down_another_may_know(server: Server, resolve: Resolve) -> None:
    server.person(ADA, ADDRESS, tenant=POLICE)
    server.always(Fault(503), path=f"/{HOME}/oauth2/")
    assert await resolve(ADDRESS, BOTH) == Person(POLICE, ADA)


async def test_nobody_is_said_only_where_all_were_asked(server: Server, resolve: Resolve) -> None:
    server.always(Fault(429, headers={"Retry-After": "20"}), path=f"/{HOME}/oauth2/")
    answer = await resolve(ADDRESS, BOTH)
    assert isinstance(answer, Later)
    assert NOW + timedelta(seconds=19) < answer.until <= NOW + timedelta(seconds=20)


async def test_a_tenant_that_refuses_is_told_unless_another_knows(
    server: Server, resolve: Resolve
) -> None:
    server.tenants[HOME].consents.clear()
    assert await resolve(ADDRESS, BOTH) == Refused()
    server.person(ADA, ADDRESS, tenant=POLICE)
    assert await resolve(ADDRESS, BOTH) == Person(POLICE, ADA)


# -- the chat with somebody -----------------------------------------------------------------------


async def test_somebody_without_the_app_is_given_it(server: Server, reach: Reach) -> None:
    server.person(ADA, ADDRESS)
    first = await reach(Person(HOME, ADA))
    assert isinstance(first, Chat)
    assert await reach(Person(HOME, ADA)) == first
    assert server.count("POST /v1.0/") == 1


async def test_a_chat_that_takes_a_while_is_asked_for_later(server: Server, reach: Reach) -> None:
    server.person(ADA, ADDRESS)
    server.always(Fault(404, "NotFound"), path="/chat")
    assert await reach(Person(HOME, ADA)) == Later(NOW + timedelta(seconds=30))
    server.always(None)
    assert isinstance(await reach(Person(HOME, ADA)), Chat)


async def test_an_app_that_may_not_be_installed_is_refused(server: Server, reach: Reach) -> None:
    server.person(ADA, ADDRESS)
    server.tenants[HOME].catalogue.clear()
    assert await reach(Person(HOME, ADA)) == Refused()


async def test_a_graph_that_is_down_is_asked_later(server: Server, reach: Reach) -> None:
    server.always(Fault(503), path="/v1.0/")
    answer = await reach(Person(HOME, ADA))
    assert isinstance(answer, Later)
    assert answer.until > NOW


# -- settings -------------------------------------------------------------------------------------


async def test_a_managed_identity_stands_in_for_the_password(
    server: Server, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "ZQXJ-identity-header")
    changed = {"MicrosoftAppPassword": "", "AZURE_CLIENT_ID": IDENTITY}
    settings = Settings.from_env({**CONFIGURED, **changed, "TEAMS_AUTHORITY": server.url})
    tokens = Tokens(app_of(settings), session)
    assert await tokens.get(POLICE, GRAPH) in server.tokens


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"MicrosoftAppTenantId": ""}, "MicrosoftAppTenantId must be set too"),
        ({"MicrosoftAppId": ""}, "MicrosoftAppId must be set too"),
        (
            {"MicrosoftAppId": "", "MicrosoftAppTenantId": ""},
            "MicrosoftAppId and MicrosoftAppTenantId must be set too",
        ),
        ({"MicrosoftAppId": "ZQXJ"}, "MicrosoftAppId must be an id"),
        ({"MicrosoftAppType": "single tenant"}, "MicrosoftAppType"),
        ({"TEAMS_AUTHORITY": "http://login.example"}, "TEAMS_AUTHORITY must be"),
        ({"TEAMS_AUTHORITY": "https://login.example/tenant"}, "must be https://HOST"),
        ({"TEAMS_SERVICE_URL": "https://smba.example/teams/"}, "TEAMS_SERVICE_URL must be"),
        ({"TEAMS_SERVICE_URL": "https://smba.trafficmanager.net@ZQXJ/"}, "must be Teams' own"),
        ({"TEAMS_SERVICE_URL": "http://192.0.2.1:80/"}, "must be Teams' own"),
        (
            {"TEAMS_SERVICE_URL": "http://127.0.0.1:9/", "SNAPSHOT_ENV": "production"},
            "may be on a loopback address with SNAPSHOT_ENV=local or",
        ),
        ({"GRAPH_URL": "https://user:ZQXJ@graph.example"}, "GRAPH_URL must be"),
    ],
)
def test_settings_that_do_not_fit_are_named(change: dict[str, str], says: str) -> None:
    with pytest.raises(BadSettings, match=says) as refused:
        Settings.from_env({**CONFIGURED, **change})
    assert "ZQXJ" not in str(refused.value)


@pytest.mark.parametrize(
    "change",
    [
        {"MicrosoftAppId": "", "MicrosoftAppTenantId": "", "MicrosoftAppPassword": ""},
        {"TEAMS_APP_ID": ""},
        {"SNAPSHOT_TENANTS": ""},
        {"TEAMS_SERVICE_URL": ""},
        {"TEAMS_SERVICE_URL": "https://smba.trafficmanager.net/uk/"},
    ],
)
def test_leads_are_looked_up_only_where_all_is_set_and_locally_nothing_leads_to_teams(
    change: dict[str, str],
) -> None:
    here = {**CONFIGURED, "TEAMS_SERVICE_URL": "http://127.0.0.1:9/"}
    assert Settings.from_env(here).asks_graph
    assert not Settings.from_env({**here, **change}).asks_graph


def test_the_secret_does_not_show_in_the_settings() -> None:
    settings = Settings.from_env(CONFIGURED)
    assert settings.app_password.get_secret_value() == SECRET
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()}"
