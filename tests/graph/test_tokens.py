"""App tokens: asked for once, kept, and never where they could be read."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot.settings import BadSettings, Settings
from bot.teams.microsoft import app_of
from bot.teams.teams_access import TeamsAccess
from bot.teams.tokens import CONNECTOR, GRAPH, App, NoToken, Tokens
from tests.graph.conftest import Clock
from tests.graph.server import (
    APP,
    HOME,
    IDENTITY,
    IDENTITY_HEADER,
    POLICE,
    SECRET,
    Fault,
    Server,
)
from tests.identity.signing import key

TEAMS = "https://smba.trafficmanager.net/uk/"
TOKEN_PATH = "/oauth2/v2.0/token"
METADATA_PATH = "/.well-known/openid-configuration"
HANG_S = 60.0


def everything_of(error: BaseException | None) -> str:
    """All that could be shown of an error: itself, what it holds, and what led to it."""
    said = ""
    while error:
        said += f"{error} {error!r} {vars(error)}"
        error = error.__cause__ or error.__context__
    return said


# -- asked for once -------------------------------------------------------------------------------


async def test_of_a_hundred_who_wait_one_asks(server: Server, tokens: Tokens) -> None:
    given = await asyncio.gather(*(tokens.get(HOME, GRAPH) for _ in range(100)))
    assert set(given) == set(server.tokens)
    assert server.tokens[given[0]] == (HOME, GRAPH)
    assert server.count(TOKEN_PATH) == 1
    assert server.count("/common/discovery") == 0


async def test_each_tenant_and_each_service_has_a_token_of_its_own(
    server: Server, tokens: Tokens
) -> None:
    teams = TeamsAccess(tokens, HOME, lambda url: url == TEAMS)
    given = [await tokens.get(HOME, GRAPH), await tokens.get(POLICE, GRAPH)]
    given.append(await teams.token(TEAMS))
    assert [server.tokens[token] for token in given] == [
        (HOME, GRAPH),
        (POLICE, GRAPH),
        (HOME, CONNECTOR),
    ]


async def test_a_token_is_kept_until_five_minutes_before_its_end(
    server: Server, tokens: Tokens, clock: Clock
) -> None:
    first = await tokens.get(HOME, GRAPH)
    clock.now += server.life_s - 301
    assert await tokens.get(HOME, GRAPH) == first
    clock.now += 2
    assert await tokens.get(HOME, GRAPH) != first
    assert server.count(TOKEN_PATH) == 2


async def test_while_one_renews_it_the_others_go_on_with_the_old(
    server: Server, tokens: Tokens, clock: Clock
) -> None:
    first = await tokens.get(HOME, GRAPH)
    clock.now += server.life_s - 200
    answers = asyncio.Event()
    server.always(Fault(until=answers, status=503), path=TOKEN_PATH)
    renewing = asyncio.ensure_future(tokens.get(HOME, GRAPH))
    await server.has_seen(TOKEN_PATH, 2)
    assert await tokens.get(HOME, GRAPH) == first
    assert not renewing.done()
    answers.set()
    assert await renewing == first, "and where that fails, so does who asked"


async def test_when_entra_is_down_an_old_token_serves_to_its_end(
    server: Server, tokens: Tokens, clock: Clock
) -> None:
    first = await tokens.get(HOME, GRAPH)
    server.always(Fault(503))
    clock.now += server.life_s - 200
    assert await tokens.get(HOME, GRAPH) == first
    asked = len(server.seen)
    assert await tokens.get(HOME, GRAPH) == first
    assert len(server.seen) == asked, "not even the failure costs a request each time"
    clock.now += 180
    with pytest.raises(NoToken):
        await tokens.get(HOME, GRAPH)


async def test_a_token_that_was_not_taken_is_fetched_anew(server: Server, tokens: Tokens) -> None:
    first = await tokens.get(HOME, GRAPH)
    tokens.forget(HOME, GRAPH)
    assert await tokens.get(HOME, GRAPH) != first


async def test_who_stops_waiting_takes_nobody_along(server: Server, tokens: Tokens) -> None:
    server.next(Fault(in_pieces=True))
    first = asyncio.ensure_future(tokens.get(HOME, GRAPH))
    others = [asyncio.ensure_future(tokens.get(HOME, GRAPH)) for _ in range(5)]
    await server.has_seen(METADATA_PATH)
    first.cancel()
    assert len({await other for other in others}) == 1
    assert first.cancelled()


async def test_many_who_stop_waiting_one_after_the_other_take_no_threads(
    server: Server, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn has less time than Entra is given. The threads are also those of the database."""
    monkeypatch.setattr("bot.teams.tokens.FETCH_S", HANG_S)
    answers = asyncio.Event()
    server.always(Fault(until=answers), path=METADATA_PATH)
    for _ in range(50):
        with suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await tokens.get(HOME, GRAPH)
    await server.has_seen(METADATA_PATH)
    assert server.count(METADATA_PATH) == 1
    async with asyncio.timeout(HANG_S / 2):
        await asyncio.to_thread(time.monotonic)
    answers.set()
    with pytest.raises(NoToken):
        await tokens.get(HOME, GRAPH)


async def test_while_entra_is_slow_everything_else_goes_on(
    server: Server, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers only after that: who waited for it in the event loop would wait for ever."""
    monkeypatch.setattr("bot.teams.tokens.FETCH_S", HANG_S)
    answers = asyncio.Event()
    server.always(Fault(until=answers, status=503), path=METADATA_PATH)
    asking = asyncio.ensure_future(tokens.get(HOME, GRAPH))
    await server.has_seen(METADATA_PATH)
    for _ in range(50):
        await asyncio.sleep(0.001)
    assert not asking.done()
    answers.set()
    with pytest.raises(NoToken, match="the answer 503"):
        await asking


# -- refused, and not heard -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "refused", "says"),
    [
        (Fault(429, headers={"Retry-After": "17"}), False, "the answer 429"),
        (Fault(500), False, "the answer 500"),
        (Fault(503), False, "the answer 503"),
        (Fault(400), True, "the answer 400"),
        (Fault(), False, "nobody gave a token in time"),
        (Fault(delay_s=HANG_S), False, "nobody gave a token in time"),
        (Fault(raw="<html>ZQXJ"), False, "the answer 200"),
        (Fault(raw="[]"), False, "the answer 200"),
        (Fault(raw='{"access_token": 7, "expires_in": 9}'), False, "the answer 200"),
        (Fault(raw='{"access_token": "ZQXJ\\r\\nX: 1", "expires_in": 9}'), False, "the answer 200"),
        (Fault(raw='{"access_token": "ZQXJ"}'), False, "the answer 200"),
    ],
    ids=[
        "429", "500", "503", "400", "cut", "hangs", "no json", "a list", "a number", "two lines",
        "without an end",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", [METADATA_PATH, TOKEN_PATH])
async def test_a_failure_is_told_in_time_remembered_and_quotes_nothing(
    server: Server,
    tokens: Tokens,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    refused: bool,
    says: str,
    path: str,
) -> None:
    caplog.set_level("INFO")
    # What is answered is heard also on a busy machine.
    monkeypatch.setattr("bot.teams.tokens.FETCH_S", 3.0 if fault.delay_s else HANG_S)
    server.always(fault, path=path)
    async with asyncio.timeout(HANG_S / 2):
        with capture_logs() as events:
            asked = [tokens.get(HOME, GRAPH) for _ in range(20)]
            errors = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(error) for error in errors} == {NoToken}
    assert {str(error).startswith(says) or says in str(error) for error in errors} == {True}
    assert {error.refused for error in errors if isinstance(error, NoToken)} == {refused}
    # aiohttp itself repeats a GET, once, whose connection is cut.
    most = 2 if fault == Fault() and path == METADATA_PATH else 1
    assert server.count(path) == most, "one request for all of them, and none a second time"
    held = "".join(everything_of(e) for e in errors if isinstance(e, BaseException))
    shown = held + str(events) + caplog.text
    assert [part for part in ("ZQXJ", SECRET, *server.tokens) if part in shown] == []
    assert [event["event"] for event in events] == ["no token"]

    server.always(None)
    with pytest.raises(NoToken) as still:
        await tokens.get(HOME, GRAPH)
    clock.now += still.value.wait_s
    assert await tokens.get(HOME, GRAPH) in server.tokens


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "17"},
        {
            "Date": "Mon, 02 Mar 2026 09:30:00 GMT",
            "Retry-After": "Mon, 02 Mar 2026 09:30:17 GMT",
        },
    ],
    ids=["seconds", "a date, as a proxy in between may write"],
)
async def test_it_is_said_how_long_to_wait(
    server: Server, tokens: Tokens, headers: dict[str, str]
) -> None:
    server.always(Fault(429, headers=headers))
    with pytest.raises(NoToken) as refused:
        await tokens.get(HOME, GRAPH)
    assert refused.value.wait_s == 17.0


@pytest.mark.parametrize("odd", ["soon", "Mon, 02 Mar 99999999999999999999 09:30:00 GMT"])
async def test_an_odd_word_for_how_long_says_nothing(
    server: Server, tokens: Tokens, odd: str
) -> None:
    server.always(Fault(429, headers={"Retry-After": odd}))
    with pytest.raises(NoToken, match="the answer 429") as refused:
        await tokens.get(HOME, GRAPH)
    assert refused.value.wait_s == 5.0


@pytest.mark.parametrize(
    ("tenant", "change", "says"),
    [
        (HOME, {"secret": "another"}, "MicrosoftAppPassword is wrong"),
        (POLICE, {}, "its administrator has to consent"),
        ("99999999-9999-4999-8999-999999999999", {}, "there is no such tenant"),
    ],
    ids=["secret", "consent", "tenant"],
)
async def test_what_entra_refuses_says_what_to_do(
    server: Server, tokens: Tokens, tenant: str, change: dict[str, str], says: str
) -> None:
    server.secret = change.get("secret", SECRET)
    server.tenants[POLICE].knows_the_app = False
    with pytest.raises(NoToken, match=says) as refused:
        await tokens.get(tenant, GRAPH)
    assert refused.value.refused
    assert "ZQXJ" not in everything_of(refused.value)
    assert server.tokens == {}


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    server: Server, app: App
) -> None:
    async with aiohttp.ClientSession() as trusting_the_usual:
        with pytest.raises(NoToken, match="look at the network"):
            await Tokens(app, trusting_the_usual).get(HOME, GRAPH)
    assert server.seen == []


async def test_neither_secret_nor_token_shows_in_what_holds_them(tokens: Tokens, app: App) -> None:
    token = await tokens.get(HOME, GRAPH)
    shown = f"{app!r} {app} {vars(tokens)!r}"
    assert [part for part in (token, SECRET) if part in shown] == []


# -- without a secret -----------------------------------------------------------------------------


@pytest.fixture
def on_azure(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What App Service and Container Apps tell a machine of its identity."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", IDENTITY_HEADER)


@pytest.mark.usefixtures("on_azure")
async def test_a_managed_identity_vouches_for_the_app(
    server: Server, app: App, session: aiohttp.ClientSession
) -> None:
    federated = replace(app, password=SecretStr(""), identity=IDENTITY)
    token = await Tokens(federated, session).get(POLICE, GRAPH)
    assert server.tokens[token] == (POLICE, GRAPH)


@pytest.mark.usefixtures("on_azure")
async def test_a_managed_identity_that_is_not_the_machines_is_refused(
    server: Server, app: App, session: aiohttp.ClientSession
) -> None:
    federated = replace(app, password=SecretStr(""), identity="another")
    with pytest.raises(NoToken, match="the answer 400"):
        await Tokens(federated, session).get(POLICE, GRAPH)
    assert server.tokens == {}


@pytest.mark.usefixtures("on_azure")
async def test_a_managed_identity_that_is_the_app_has_tokens_of_its_own_tenant_only(
    server: Server, app: App, session: aiohttp.ClientSession
) -> None:
    tokens = Tokens(replace(app, is_identity=True), session)
    token = await tokens.get(HOME, CONNECTOR)
    assert server.tokens[token] == ("identity", "https://api.botframework.com")
    with pytest.raises(NoToken, match="its own tenant only"):
        await tokens.get(POLICE, GRAPH)
    assert server.seen == ["GET /msi/token"]
    assert app.id == APP


# -- a certificate --------------------------------------------------------------------------------


def a_certificate(folder: Path) -> tuple[Path, x509.Certificate]:
    """A file as an operator would have it, and what Entra has been given of it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "csa-snapshot")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key("app").public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key("app"), SHA256())
    )
    file = folder / "app.pem"
    private = key("app").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return file, made


async def test_an_app_with_a_certificate_has_no_secret(
    server: Server, session: aiohttp.ClientSession, clock: Clock, tmp_path: Path
) -> None:
    file, server.certificate = a_certificate(tmp_path)
    environment = {
        "SNAPSHOT_ENV": "local",
        "MicrosoftAppId": APP,
        "MicrosoftAppTenantId": HOME,
        "MicrosoftAppCertificateFile": str(file),
        "TEAMS_AUTHORITY": server.url,
    }
    app = app_of(Settings.from_env(environment))
    assert await Tokens(app, session, clock).get(HOME, GRAPH) in server.tokens
    assert "PRIVATE" not in f"{app!r}"
    server.certificate = None
    with pytest.raises(NoToken):
        await Tokens(app, session, clock).get(HOME, CONNECTOR)


@pytest.mark.parametrize("content", [None, b"", b"ZQXJ", b"-----BEGIN CERTIFICATE-----", b"\xff"])
def test_a_certificate_that_cannot_be_is_told(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "app.pem"
    if content is not None:
        file.write_bytes(content)
    named = {"MicrosoftAppId": APP, "MicrosoftAppTenantId": HOME}
    settings = Settings.from_env(
        {"SNAPSHOT_ENV": "local", "MicrosoftAppCertificateFile": str(file), **named}
    )
    with pytest.raises(BadSettings, match="MicrosoftAppCertificateFile must be a file") as refused:
        app_of(settings)
    assert "ZQXJ" not in str(refused.value)
