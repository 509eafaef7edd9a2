"""The stand-in, and what reaches it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from pydantic import SecretStr

from bot.teams.tokens import App, Tokens
from tests.graph.server import APP, HOME, SECRET, Server, microsoft, session_for


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
def app(server: Server) -> App:
    return App(APP, HOME, server.url, SecretStr(SECRET))


@pytest.fixture
def tokens(app: App, session: aiohttp.ClientSession, clock: Clock) -> Tokens:
    return Tokens(app, session, clock)
