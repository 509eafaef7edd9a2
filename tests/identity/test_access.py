"""Our token goes to Teams alone, and a new one is asked for when it is not taken."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.rehearsal.teams import Teams
from bot.teams.connector import FORBIDDEN, NO_ANSWER, UNAUTHORIZED, Connector, DeliveryError
from bot.teams.teams_access import TeamsAccess
from bot.teams.tokens import CONNECTOR, Tokens
from tests.graph.server import HOME, Fault, Server

MESSAGE = {"type": "message"}


@pytest.fixture
async def teams() -> AsyncIterator[Teams]:
    async with Teams("http://127.0.0.1:1") as here:
        yield here


@pytest.fixture
async def connector(tokens: Tokens, teams: Teams) -> AsyncIterator[Connector]:
    access = TeamsAccess(tokens, HOME, lambda url: url == teams.url)
    async with aiohttp.ClientSession() as to_teams:
        yield Connector(to_teams, access=access)


def asks_for_our_token(teams: Teams, server: Server) -> list[str]:
    """What each call showed."""
    seen: list[str] = []

    def lets_in(request: aiohttp.web.Request) -> bool:
        shown = request.headers.get("Authorization", "")
        seen.append(shown)
        return server.tokens.get(shown.removeprefix("Bearer ")) == (HOME, CONNECTOR)

    teams.admits = lets_in
    return seen


async def test_each_call_shows_it_and_one_serves_many(
    connector: Connector, teams: Teams, server: Server
) -> None:
    seen = asks_for_our_token(teams, server)
    for _ in range(3):
        await connector.send(teams.url, "a:chat", MESSAGE)
    assert len(set(seen)) == 1
    assert len(teams.sent) == 3
    assert server.count("/oauth2/v2.0/token") == 1


@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:2", "https://teams.example/", "https://smba.trafficmanager.net/"]
)
async def test_no_other_place_is_shown_it_or_even_called(
    connector: Connector, server: Server, place: str
) -> None:
    with pytest.raises(DeliveryError) as refused:
        await connector.send(place, "a:chat", MESSAGE)
    assert refused.value.status == FORBIDDEN
    assert server.tokens == {}


async def test_one_that_is_not_taken_is_asked_for_anew(
    connector: Connector, teams: Teams, server: Server
) -> None:
    seen = asks_for_our_token(teams, server)
    await connector.send(teams.url, "a:chat", MESSAGE)
    server.tokens.clear()
    with pytest.raises(DeliveryError) as refused:
        await connector.send(teams.url, "a:chat", MESSAGE)
    assert refused.value.status == UNAUTHORIZED
    assert refused.value.passes, "the same message is taken with another token"
    await connector.send(teams.url, "a:chat", MESSAGE)
    assert len(set(seen)) == 2
    assert seen[0] == seen[1]


async def test_without_one_nothing_is_sent_and_it_is_tried_later(
    connector: Connector, teams: Teams, server: Server
) -> None:
    seen = asks_for_our_token(teams, server)
    server.always(Fault(503), "/oauth2/")
    with pytest.raises(DeliveryError) as refused:
        await connector.send(teams.url, "a:chat", MESSAGE)
    assert (refused.value.status, refused.value.passes) == (NO_ANSWER, True)
    assert refused.value.retry_after_s is not None
    assert seen == []


async def test_a_bot_in_local_use_calls_this_machine_alone(teams: Teams) -> None:
    async with aiohttp.ClientSession() as session:
        connector = Connector(session)
        await connector.send(teams.url, "a:chat", MESSAGE)
        with pytest.raises(DeliveryError) as refused:
            await connector.send("https://smba.trafficmanager.net/uk/", "a:chat", MESSAGE)
    assert refused.value.status == FORBIDDEN
