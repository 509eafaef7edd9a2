"""Where a machine reaches the internet through a proxy alone, everything that we call does."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.teams.connector import Connector, DeliveryError
from bot.teams.files import Files
from bot.teams.graph import Graph
from bot.teams.signing_keys import SigningKeys
from bot.teams.tokens import CONNECTOR, GRAPH, App, NoToken, Tokens
from bot.turns.turn import NoFile, NotTaken
from snapshot.sealing import Person
from storage.azure import entra
from storage.proxy import proxy_host, proxy_to
from tests.graph.server import APP, HOME, IDENTITY, IDENTITY_HEADER, MANIFEST, SECRET, Server
from tests.identity.signing import METADATA_PATH
from tests.relay import Relay

FILE = "https://exampleshire-my.sharepoint.com/personal/fay/list.csv"

type Call = Callable[[Server, aiohttp.ClientSession], Awaitable[object]]


@pytest.fixture
async def relay(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Relay]:
    async with Relay() as running:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ada:ZQXJ@127.0.0.1:{running.port}")
        monkeypatch.setenv("NO_PROXY", "")
        yield running


async def reads_the_keys(server: Server, session: aiohttp.ClientSession) -> None:
    assert await SigningKeys(f"{server.url}{METADATA_PATH}", session).reach()


async def gets_a_token(server: Server, session: aiohttp.ClientSession) -> None:
    assert await tokens_of(server, session).get(HOME, CONNECTOR)


async def asks_graph(server: Server, session: aiohttp.ClientSession) -> None:
    """With a token that is at hand already."""
    tokens = tokens_of(server, session)
    with pytest.MonkeyPatch.context() as before:
        before.setenv("NO_PROXY", "127.0.0.1")
        await tokens.get(HOME, GRAPH)
    ada = "ada@exampleshire.example"
    server.person("ada", ada)
    graph = Graph(server.url, MANIFEST, [HOME], tokens, session)
    assert await graph.find_person(ada, HOME) == Person(HOME, "ada")


async def sends_a_message(server: Server, session: aiohttp.ClientSession) -> None:
    """To a Teams that knows of no conversations."""
    with pytest.raises(DeliveryError) as refused:
        await Connector(session).send(server.url, "a:chat", {})
    assert refused.value.status == 404


async def fetches_a_file(_: Server, session: aiohttp.ClientSession) -> None:
    with pytest.raises(NoFile):
        await Files(session, from_here=False).fetch(FILE)


async def puts_a_file(_: Server, session: aiohttp.ClientSession) -> None:
    with pytest.raises(NotTaken):
        await Files(session, from_here=False).put(FILE, b"x")


CALLS = [reads_the_keys, gets_a_token, asks_graph, sends_a_message, fetches_a_file, puts_a_file]


@pytest.mark.parametrize("call", CALLS)
async def test_it_goes_through_the_proxy_and_only_the_proxy_sees_its_password(
    relay: Relay, server: Server, session: aiohttp.ClientSession, call: Call
) -> None:
    await call(server, session)
    of_ours = urlsplit(FILE if call in (fetches_a_file, puts_a_file) else server.url)
    signed = base64.b64encode(b"ada:ZQXJ").decode()
    assert relay.asked
    for asked in relay.asked:
        head, *lines = asked.split("\r\n")
        assert head.startswith(f"CONNECT {of_ours.hostname}:{of_ours.port or 443} ")
        assert f"Proxy-Authorization: Basic {signed}" in lines
        assert "Bearer" not in asked


@pytest.mark.parametrize("call", CALLS[:4])
async def test_what_needs_no_proxy_is_reached_without(
    relay: Relay,
    server: Server,
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    call: Call,
) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    await call(server, session)
    assert relay.asked == []


async def test_a_proxy_that_lets_nobody_through_is_no_answer(
    relay: Relay, server: Server, session: aiohttp.ClientSession
) -> None:
    relay.lets_through = False
    with pytest.raises(NoToken, match="look at the network"):
        await tokens_of(server, session).get(HOME, CONNECTOR)
    assert not await SigningKeys(f"{server.url}{METADATA_PATH}", session).reach()
    with pytest.raises(DeliveryError) as refused:
        await Connector(session).send(server.url, "a:chat", {})
    assert refused.value.passes
    assert "ZQXJ" not in repr(refused.value)


@pytest.fixture
async def machine(server: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """As App Service and Container Apps tell a machine of its identity: over http, on itself."""
    app = web.Application()
    app.router.add_get("/msi/token", server.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}/msi/token"
    monkeypatch.setenv("IDENTITY_ENDPOINT", endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", IDENTITY_HEADER)
    monkeypatch.setenv("AZURE_CLIENT_ID", IDENTITY)
    yield
    await runner.cleanup()


@pytest.mark.usefixtures("machine")
async def test_the_machines_identity_is_asked_without_a_proxy_whatever_is_set(
    relay: Relay, server: Server, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By database and vault, and for Teams."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{relay.port}")
    async with entra() as credential:
        for host in ("area.documents.azure.com", "vault.azure.net"):
            found = await credential.get_token(f"https://{host}/.default")
            assert server.tokens[found.token] == ("identity", f"https://{host}")
    app = App(APP, HOME, server.url, SecretStr(""), is_identity=True, identity=IDENTITY)
    assert await Tokens(app, session).get(HOME, CONNECTOR) in server.tokens
    assert relay.asked == []


@pytest.mark.parametrize("named", ["proxy.example:3128", "http://ada:ZQXJ@proxy.example:3128"])
def test_what_is_told_of_a_proxy_is_its_host(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", named)
    assert proxy_host() == "proxy.example:3128"
    assert (proxy_to("https://smba.example/x") or "").startswith("http://")
    assert proxy_to("http://169.254.169.254/metadata/identity/oauth2/token") is None


@pytest.mark.parametrize("named", ["http://ada:ZQXJ/x@proxy.example:1", "http://[ZQXJ", "http://"])
def test_of_one_that_is_written_wrongly_nothing_is_told(
    monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", named)
    assert proxy_host() == "an address that cannot be read"


def test_without_one_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    monkeypatch.delenv("https_proxy", raising=False)
    assert proxy_to("https://smba.example/x") is None
    assert proxy_host() == ""


def tokens_of(server: Server, session: aiohttp.ClientSession) -> Tokens:
    return Tokens(App(APP, HOME, server.url, SecretStr(SECRET)), session)
