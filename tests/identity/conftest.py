"""The stand-in that tells of the keys, and a bot's check of who calls."""

from __future__ import annotations

import time

import aiohttp
import pytest

from bot.teams.identity import TeamsCallers
from bot.teams.signing_keys import SigningKeys
from tests.graph.conftest import Clock, app, clock, server, session, tokens
from tests.graph.server import APP, HOME, POLICE, Server
from tests.identity.signing import METADATA_PATH, Json

__all__ = ["app", "clock", "server", "session", "tokens"]

SERVICE = "https://smba.trafficmanager.net/uk/"


@pytest.fixture
def keys(server: Server, session: aiohttp.ClientSession, clock: Clock) -> SigningKeys:
    return SigningKeys(f"{server.url}{METADATA_PATH}", session, clock)


@pytest.fixture
def wall() -> Clock:
    """The time of day at which the test began, which goes on when the test says so."""
    return Clock(time.time())


@pytest.fixture
def callers(keys: SigningKeys, wall: Clock) -> TeamsCallers:
    return TeamsCallers(
        APP, (HOME, POLICE), keys, lambda url: url.startswith("https://smba."), wall
    )


def an_activity(tenant: str = HOME, service_url: str = SERVICE, **more: object) -> Json:
    return {
        "type": "message",
        "channelId": "msteams",
        "serviceUrl": service_url,
        "from": {"id": "29:a", "aadObjectId": "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"},
        "recipient": {"id": f"28:{APP}"},
        "conversation": {"id": "a:1", "conversationType": "personal", "tenantId": tenant},
        "channelData": {"tenant": {"id": tenant}},
        "text": "start",
        **more,
    }


def shown(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
