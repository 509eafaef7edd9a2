"""Nobody but Teams is let in, for us, from a tenant that is on the list."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from structlog.testing import capture_logs

from bot.teams.identity import NotAllowed, Stranger, TeamsCallers
from bot.teams.signing_keys import SigningKeys
from tests.graph.conftest import Clock
from tests.graph.server import APP, HOME, POLICE, Fault, Server
from tests.identity.conftest import SERVICE, an_activity, shown
from tests.identity.signing import KEYS_PATH, METADATA_PATH, Json, Signer, key

ELSEWHERE = "66666666-6666-4666-8666-666666666666"


async def is_let_in(callers: TeamsCallers, token: str, body: Json | None = None) -> bool:
    try:
        await callers.verify(shown(token), body or an_activity())
    except NotAllowed:
        return False
    return True


async def test_teams_is_let_in(callers: TeamsCallers, server: Server) -> None:
    token = server.signer.token(SERVICE)
    for tenant in (HOME, POLICE, POLICE.upper()):
        await callers.verify(shown(token), an_activity(tenant))


# -- tokens ---------------------------------------------------------------------------------------


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unsigned(signer: Signer) -> str:
    claims = jwt.decode(signer.token(SERVICE), options={"verify_signature": False})
    return f"{part({'alg': 'none', 'kid': 'first'})}.{part(claims)}."


def signed_with_the_public_key(signer: Signer) -> str:
    """As a text that was never secret: the oldest trick there is."""
    claims = jwt.decode(signer.token(SERVICE), options={"verify_signature": False})
    head = {"alg": "HS256", "kid": "first", "typ": "JWT"}
    public = key("first").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{part(head)}.{part(claims)}"
    made = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        signed.encode(), public
    )
    return f"{signed}.{part(made)}"


def with_other_words(signer: Signer) -> str:
    head, _, signature = signer.token(SERVICE).split(".")
    claims = jwt.decode(signer.token(SERVICE), options={"verify_signature": False})
    return f"{head}.{part({**claims, 'exp': claims['exp'] + 1})}.{signature}"


def odd(signer: Signer, head: Json | None = None, **claims: object) -> str:
    """Signed by a good key, in a form that no library would write."""
    known = jwt.decode(signer.token(SERVICE), options={"verify_signature": False})
    said = f"{part({'alg': 'RS256', 'kid': 'first', **(head or {})})}.{part({**known, **claims})}"
    rsa = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
    return f"{said}.{part(rsa.sign(said.encode(), key('first')))}"


def now() -> int:
    return int(time.time())


FORGED: dict[str, Callable[[Signer], str]] = {
    "another's key": lambda s: s.token(SERVICE, by="another's", head={"kid": "first"}),
    "a key that nobody told of": lambda s: s.token(SERVICE, by="unknown"),
    "no key named": lambda s: odd(s, {"kid": None}),
    "a key named by a number": lambda s: odd(s, {"kid": 7}),
    "a key named by a list": lambda s: odd(s, {"kid": ["first"]}),
    "not signed": unsigned,
    "signed with the public key": signed_with_the_public_key,
    "other words": with_other_words,
    "RS512": lambda s: s.token(SERVICE, algorithm="RS512"),
    "PS256": lambda s: s.token(SERVICE, algorithm="PS256"),
    "HS256": lambda s: s.token(SERVICE, algorithm="HS256"),
    "its own key in the head": lambda s: s.token(
        SERVICE, by="own", head={"kid": "first", "jwk": s.keys()["keys"][0]}
    ),
    "its own keys' address": lambda s: s.token(
        SERVICE, by="own", head={"kid": "own", "jku": "https://own.example/keys"}
    ),
    "an odd algorithm": lambda s: odd(s, {"alg": ["RS256"]}),
    "critical": lambda s: s.token(SERVICE, head={"crit": ["exp"]}),
    "ended": lambda s: s.token(SERVICE, exp=now() - 301),
    "no end": lambda s: s.token(SERVICE, exp=None),
    "an odd end": lambda s: s.token(SERVICE, exp="soon"),
    "an end of no number": lambda s: s.token(SERVICE, exp=float("inf")),
    "not begun": lambda s: s.token(SERVICE, nbf=now() + 600),
    "for another": lambda s: s.token(SERVICE, aud=ELSEWHERE),
    "for several": lambda s: s.token(SERVICE, aud=[APP, ELSEWHERE]),
    "for nobody": lambda s: s.token(SERVICE, aud=None),
    "by Entra": lambda s: s.token(SERVICE, iss=f"https://sts.windows.net/{HOME}/"),
    "by Entra, in its new form": lambda s: s.token(
        SERVICE, iss=f"https://login.microsoftonline.com/{HOME}/v2.0"
    ),
    "by the emulator": lambda s: s.token(SERVICE, iss="https://sts.windows.net/d6d49420/"),
    "by nobody": lambda s: s.token(SERVICE, iss=None),
    "by several": lambda s: odd(s, iss=["https://api.botframework.com"]),
    "for no place": lambda s: s.token(SERVICE, serviceurl=None),
    "for another place": lambda s: s.token("https://smba.trafficmanager.net/emea/"),
    "for a place with a slash less": lambda s: s.token(SERVICE.rstrip("/")),
    "for an odd place": lambda s: s.token(SERVICE, serviceurl=[SERVICE]),
    "nothing": lambda _: "",
    "a word": lambda _: "token",
    "two words": lambda _: "a b",
    "dots": lambda _: "..",
    "no JSON": lambda _: f"{part(b'x')}.{part(b'x')}.{part(b'x')}",
    "a list": lambda _: f"{part([])}.{part([])}.x",
    "deep": lambda _: f"{part(b'[' * 5_000)}.{part(b'[' * 5_000)}.x",
    "not ASCII": lambda _: "é.é.é",
    "broken text": lambda _: "\udcff.\udcff.\udcff",
    "huge": lambda _: "a" * 100_000,
}


def test_the_odd_ones_are_odd_by_that_alone() -> None:
    signer = Signer(APP)
    claims = jwt.decode(odd(signer), key("first").public_key(), ["RS256"], audience=APP)
    assert claims["serviceurl"] == SERVICE


@pytest.mark.parametrize("forged", FORGED)
async def test_a_token_that_is_not_teams_opens_nothing(
    callers: TeamsCallers, server: Server, forged: str
) -> None:
    assert not await is_let_in(callers, FORGED[forged](server.signer))
    assert await is_let_in(callers, server.signer.token(SERVICE)), "and Teams comes in after it"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"X-Authorization": "Bearer {token}"},
        {"Authorization": "{token}"},
        {"Authorization": "Negotiate {token}"},
    ],
)
async def test_without_a_bearer_token_nobody_is_let_in(
    callers: TeamsCallers, server: Server, headers: dict[str, str]
) -> None:
    token = server.signer.token(SERVICE)
    filled = {name: value.format(token=token) for name, value in headers.items()}
    with pytest.raises(NotAllowed):
        await callers.verify(filled, an_activity())


@pytest.mark.parametrize(
    "changed",
    [
        {"serviceUrl": None},
        {"serviceUrl": ""},
        {"serviceUrl": [SERVICE]},
        {"serviceUrl": "https://smba.trafficmanager.net/emea/"},
        {"channelId": None},
        {"channelId": "webchat"},
        {"channelId": "MSTEAMS"},
        {"channelId": ["msteams"]},
    ],
)
async def test_what_is_sent_has_to_be_what_was_signed_for(
    callers: TeamsCallers, server: Server, changed: Json
) -> None:
    body = {k: v for k, v in an_activity(**changed).items() if v is not None}
    assert not await is_let_in(callers, server.signer.token(SERVICE), body)


async def test_a_place_that_is_not_teams_is_not_answered_though_it_is_signed_for(
    callers: TeamsCallers, server: Server
) -> None:
    """The token of ours that would go there opens every conversation."""
    for place in ("https://teams.example/", "http://127.0.0.1:1/", "file:///etc/passwd"):
        body = an_activity(service_url=place)
        assert not await is_let_in(callers, server.signer.token(place), body)


@pytest.mark.parametrize("channels", [[], ["webchat", "directline"], ["MSTEAMS"]])
async def test_a_key_that_may_not_sign_for_teams_opens_nothing(
    callers: TeamsCallers, server: Server, channels: list[str]
) -> None:
    server.signer.known = {"first": channels}
    assert not await is_let_in(callers, server.signer.token(SERVICE))


# -- keys -----------------------------------------------------------------------------------------


async def test_a_new_key_opens_at_once_and_one_that_is_withdrawn_no_longer(
    callers: TeamsCallers, server: Server, clock: Clock
) -> None:
    assert await is_let_in(callers, server.signer.token(SERVICE))
    server.signer.known = {"second": ["msteams"]}
    clock.now += 6
    assert await is_let_in(callers, server.signer.token(SERVICE, by="second"))
    assert not await is_let_in(callers, server.signer.token(SERVICE, aud=APP, nbf=now() - 61))


async def test_keys_are_fetched_once_however_many_ask_and_whatever_they_claim(
    callers: TeamsCallers, server: Server, clock: Clock
) -> None:
    """Otherwise whoever makes up names of keys has us ask Microsoft as often."""
    good = server.signer.token(SERVICE)
    made_up = [server.signer.token(SERVICE, head={"kid": f"made up {n}"}) for n in range(50)]
    found = await asyncio.gather(*(is_let_in(callers, token) for token in [good, *made_up] * 2))
    assert found.count(True) == 2
    assert server.count(KEYS_PATH) == 1
    clock.now += 6
    await asyncio.gather(*(is_let_in(callers, token) for token in made_up))
    assert server.count(KEYS_PATH) == 2


async def test_keys_that_come_slowly_serve_though_who_asked_first_has_gone(
    callers: TeamsCallers, keys: SigningKeys, server: Server
) -> None:
    """A probe gives up before the keys are here. It must not be the one to ask for ever."""
    server.always(Fault(in_pieces=True), KEYS_PATH)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await keys.reach()
    assert await is_let_in(callers, server.signer.token(SERVICE))
    assert server.count(KEYS_PATH) == 1


TROUBLE = {
    "down": Fault(503),
    "cut": Fault(),
    "moved": Fault(302, headers={"Location": "https://elsewhere.example/keys"}),
    "empty": Fault(raw="{}"),
    "a list": Fault(raw="[]"),
    "no JSON": Fault(raw="<html>"),
    "no keys": Fault(raw='{"keys": []}'),
    "odd keys": Fault(raw='{"keys": [7, {}, {"kty": "RSA", "kid": 1}, {"kty": "EC"}]}'),
    "broken keys": Fault(
        raw='{"keys": [{"kty": "RSA", "kid": "first", "n": "?", "e": "", "endorsements": []}]}'
    ),
    "an odd address": Fault(raw='{"jwks_uri": 7}'),
    "an open address": Fault(raw='{"jwks_uri": "http://127.0.0.1:1/keys"}'),
    "too slow": Fault(delay_s=30.0),
}


@pytest.mark.parametrize("path", [METADATA_PATH, KEYS_PATH])
@pytest.mark.parametrize("trouble", TROUBLE)
async def test_while_there_are_no_keys_nobody_is_let_in_and_then_they_are(
    callers: TeamsCallers,
    server: Server,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    trouble: str,
    path: str,
) -> None:
    monkeypatch.setattr("bot.teams.signing_keys.FETCH_S", 0.3)
    server.always(TROUBLE[trouble], path)
    token = server.signer.token(SERVICE)
    async with asyncio.timeout(20):
        assert not await is_let_in(callers, token)
    server.always(None)
    clock.now += 6
    monkeypatch.undo()
    assert await is_let_in(callers, token)


@pytest.mark.parametrize("path", [METADATA_PATH, KEYS_PATH])
async def test_keys_are_read_to_their_end_however_the_network_brings_them(
    callers: TeamsCallers, server: Server, path: str
) -> None:
    """Microsoft tells of a dozen, each with its certificate: more than comes at once."""
    server.always(Fault(in_pieces=True), path)
    assert await is_let_in(callers, server.signer.token(SERVICE))


async def test_keys_are_fetched_anew_each_day_so_one_that_is_withdrawn_opens_nothing(
    callers: TeamsCallers, server: Server, clock: Clock
) -> None:
    assert await is_let_in(callers, server.signer.token(SERVICE))
    server.signer.known = {"second": ["msteams"]}
    clock.now += 86_401
    assert not await is_let_in(callers, server.signer.token(SERVICE, nbf=now() - 61))


async def test_an_answer_without_keys_takes_none_away(
    callers: TeamsCallers, server: Server, clock: Clock
) -> None:
    assert await is_let_in(callers, server.signer.token(SERVICE))
    server.always(TROUBLE["no keys"], KEYS_PATH)
    clock.now += 86_401
    assert await is_let_in(callers, server.signer.token(SERVICE, nbf=now() - 61))


async def test_known_keys_serve_while_microsoft_is_away_for_some_days(
    callers: TeamsCallers, server: Server, clock: Clock
) -> None:
    assert await is_let_in(callers, server.signer.token(SERVICE))
    server.always(Fault(503), "/v1/")
    clock.now += 4.9 * 86_400
    assert await is_let_in(callers, server.signer.token(SERVICE, nbf=now() - 61))
    clock.now += 0.2 * 86_400
    assert not await is_let_in(callers, server.signer.token(SERVICE, nbf=now() - 62))


# -- remembered -----------------------------------------------------------------------------------


async def test_a_token_that_was_good_is_not_worked_out_again_until_it_ends(
    callers: TeamsCallers, server: Server, wall: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = 0
    check = TeamsCallers._check

    async def counted(self: TeamsCallers, token: str) -> object:
        nonlocal checked
        checked += 1
        return await check(self, token)

    monkeypatch.setattr(TeamsCallers, "_check", counted)
    ends = int(wall()) + 3_600
    token = server.signer.token(SERVICE, exp=ends)
    for _ in range(5):
        assert await is_let_in(callers, token)
    assert checked == 1
    elsewhere = an_activity(service_url="https://smba.trafficmanager.net/emea/")
    assert not await is_let_in(callers, token, elsewhere), "remembered, and still for one place"
    wall.now = ends + 299
    assert await is_let_in(callers, token)
    wall.now = ends + 301
    assert not await is_let_in(callers, token)


async def test_what_is_remembered_does_not_grow(
    callers: TeamsCallers, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.teams.identity.MOST_REMEMBERED", 10)
    for number in range(30):
        assert await is_let_in(callers, server.signer.token(SERVICE, nbf=now() - number))
        assert not await is_let_in(callers, f"forged {number}")
    assert len(callers._remembered) == 10


# -- tenants --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        an_activity(ELSEWHERE),
        an_activity(channelData={"tenant": {"id": ELSEWHERE}}),
        an_activity(channelData={}, conversation={"id": "a:1", "tenantId": ELSEWHERE}),
        an_activity(channelData={}, conversation={"id": "a:1"}),
    ],
    ids=["another", "another beside ours", "another's conversation", "none named"],
)
async def test_whoever_is_of_another_tenant_stays_outside_and_it_is_logged_once(
    callers: TeamsCallers, server: Server, body: Json
) -> None:
    token = server.signer.token(SERVICE)
    with capture_logs() as logs:
        for _ in range(3):
            with pytest.raises(Stranger):
                await callers.verify(shown(token), body)
    told = [log["tenant"] for log in logs if log["event"] == "tenant not on the list"]
    assert told == ([ELSEWHERE] if ELSEWHERE in json.dumps(body) else [])
