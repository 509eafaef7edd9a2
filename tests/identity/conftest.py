"""The stand-in that tells of the keys, and a bot's check of who calls."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest

from bot.teams.identity import TeamsCallers
from bot.teams.signing_keys import SigningKeys
from tests.graph.server import APP, HOME, POLICE, Server, microsoft, session_for
from tests.identity.signing import METADATA_PATH, Json

SERVICE = "https://smba.trafficmanager.net/uk/"


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with microsoft(tmp_path_factory.mktemp("microsoft")) as running:
        yield running


@pytest.fixture
async def session(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    async with session_for(server) as opened:
        yield opened


@pytest.fixture
def keys(server: Server, session: aiohttp.ClientSession, clock: Clock) -> SigningKeys:
    return SigningKeys(f"{server.url}{METADATA_PATH}", session, clock)


@dataclass
class Wall:
    """The time of day at which the test began, which goes on when the test says so."""

    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def callers(keys: SigningKeys, wall: Wall) -> TeamsCallers:
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
