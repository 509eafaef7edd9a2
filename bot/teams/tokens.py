"""App tokens from Microsoft Entra: for Graph in a tenant, and for Teams' connector.

msal knows what to ask, but waits for the answers. So it works in a thread and hands its requests
back to the shared HTTP session, which has the time limits. Nothing is tried a second time here.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import msal
import orjson
import structlog
from msal.exceptions import MsalError
from pydantic import SecretStr

from bot.teams.reading import retry_after_s
from storage.proxy import proxy_to

GRAPH = "https://graph.microsoft.com/.default"
CONNECTOR = "https://api.botframework.com/.default"
_EXCHANGE = "api://AzureADTokenExchange"

FETCH_S = 8.0
"""How long one token may take in all: what is known of the tenant, who we are, the token."""

PAUSE_S = 5.0
"""After a failure nothing is asked for so long, unless Entra says how long."""

SHORTEST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
RENEW_BEFORE_S = 300.0
ENDED_BEFORE_S = 30.0

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_THREADS = 2
_NOTHING_HEARD = 0
_PASSING = (_NOTHING_HEARD, 408, 429)

# What msal makes of an answer that it did not expect. None of them leaves this module: they may
# quote what Entra said, or hold the request.
_MSAL_RAISES = (
    MsalError, OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError,
    CancelledError,
)  # fmt: skip

_OWN_TENANT_ONLY = "a managed identity gets tokens of its own tenant only"
_HINTS = {
    70021: "the app has no federated credential for this identity: add one",
    700213: "the app has no federated credential for this identity: add one",
    700016: "the tenant does not know the app: its administrator has to consent to it",
    7000215: "MicrosoftAppPassword is wrong: it is the secret's value, not its id",
    7000222: "MicrosoftAppPassword has expired: make a new one",
    7000229: "the tenant does not know the app: its administrator has to consent to it",
    90002: "there is no such tenant",
}

_log = structlog.get_logger()


class NoToken(Exception):
    """Entra gives no token; the message says what to do. Nothing is asked for `wait_s` seconds.

    `refused`: it will not either, until somebody changes something.
    """

    def __init__(self, says: str, wait_s: float, *, refused: bool) -> None:
        super().__init__(says)
        self.wait_s = wait_s
        self.refused = refused


@dataclass(frozen=True, slots=True)
class App:
    """Who we are to Entra, in our own tenant.

    `certificate`: as PEM, with its private key. Without that or a password the managed identity of
    the machine vouches for the app (`identity` is its client id, or nothing for the machine's own),
    or is the app, where `is_identity`.
    """

    id: str
    tenant: str
    authority: str
    password: SecretStr
    is_identity: bool = False
    identity: str = ""
    certificate: SecretStr = field(default_factory=lambda: SecretStr(""))


@dataclass(frozen=True, slots=True)
class _Wanted:
    tenant: str
    scope: str


@dataclass(frozen=True, slots=True)
class _Token:
    """Times are the clock's."""

    value: str = field(repr=False)
    renew_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class _Failure:
    says: str
    refused: bool
    until: float

    def error(self, now: float) -> NoToken:
        return NoToken(self.says, max(0.0, self.until - now), refused=self.refused)


class Tokens:
    """Kept until some minutes before they end. `clock`: seconds that only go forward."""

    def __init__(
        self,
        app: App,
        session: aiohttp.ClientSession,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._session = session
        self._clock = clock
        self._tokens: dict[_Wanted, _Token] = {}
        self._failures: dict[_Wanted, _Failure] = {}
        self._asking: dict[_Wanted, asyncio.Task[str | _Failure]] = {}
        # While Entra hangs, the other threads stay with those who need them.
        self._threads = asyncio.Semaphore(_THREADS)

    async def get(self, tenant: str, scope: str) -> str:
        """Raises `NoToken`. However many ask at once, Entra is asked once."""
        wanted = _Wanted(tenant, scope)
        value = self._at_hand(wanted, somebody_asks=wanted in self._asking)
        if value is not None:
            return value
        if wanted not in self._asking:
            asking = self._asking[wanted] = asyncio.create_task(self._renew(wanted), name="token")
            asking.add_done_callback(lambda _: self._asking.pop(wanted))
        # Whoever stops waiting does not stop it: its thread would go on, and the next take another.
        found = await asyncio.shield(self._asking[wanted])
        if isinstance(found, _Failure):
            raise found.error(self._clock())
        return found

    def forget(self, tenant: str, scope: str) -> None:
        """For a token that was not taken."""
        self._tokens.pop(_Wanted(tenant, scope), None)

    def _at_hand(self, wanted: _Wanted, *, somebody_asks: bool = False) -> str | None:
        """None where Entra has to be asked. Raises `NoToken` soon after it has refused."""
        now = self._clock()
        token, failure = self._tokens.get(wanted), self._failures.get(wanted)
        waits = failure is not None and now < failure.until
        # An old token is as good as a new one, as long as it is still taken.
        if token and now < (token.ends_at if waits or somebody_asks else token.renew_at):
            return token.value
        if failure and waits:
            raise failure.error(now)
        return None

    async def _renew(self, wanted: _Wanted) -> str | _Failure:
        answer = await self._ask(wanted)
        if isinstance(answer, _Token):
            self._failures.pop(wanted, None)
            self._tokens[wanted] = answer
            return answer.value
        self._failures[wanted] = answer
        old = self._tokens.get(wanted)
        return old.value if old and self._clock() < old.ends_at else answer

    async def _ask(self, wanted: _Wanted) -> _Token | _Failure:
        if self._app.is_identity and wanted.tenant != self._app.tenant:
            return _Failure(_OWN_TENANT_ONLY, refused=True, until=self._clock() + PAUSE_S)
        async with self._threads:
            asked_at = self._clock()
            http = _Http(self._session, asyncio.get_running_loop())
            answer = await asyncio.to_thread(_ask_msal, self._app, wanted, http)
        return _token(answer, asked_at) or self._failure(http)

    def _failure(self, http: _Http) -> _Failure:
        _log.warning("no token", status=http.status, code=http.code)
        told_s = PAUSE_S if http.wait_s is None else http.wait_s
        pause_s = min(max(told_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)
        # A success that held no token is no refusal either.
        refused = 400 <= http.status < 500 and http.status not in _PASSING
        return _Failure(_say(http.status, http.code), refused, self._clock() + pause_s)


def _token(answer: Mapping[str, Any], asked_at: float) -> _Token | None:
    value, life_s = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(value, str) or not value.isprintable() or not isinstance(life_s, int):
        return None
    renew_s = life_s - min(RENEW_BEFORE_S, life_s / 2)
    return _Token(value, asked_at + renew_s, asked_at + life_s - ENDED_BEFORE_S)


def _say(status: int, code: int) -> str:
    if status == _NOTHING_HEARD:
        return "nobody gave a token in time: look at the network, and at TEAMS_AUTHORITY"
    return _HINTS.get(code) or f"no token was given, but the answer {status} {code or ''}".rstrip()


# -- in the thread --------------------------------------------------------------------------------


def _ask_msal(app: App, wanted: _Wanted, http: _Http) -> Mapping[str, Any]:
    """What Entra answered; nothing where that was no answer."""
    try:
        answer = (
            _of_app(app, wanted, http)
            if not app.is_identity
            else _of_identity(app.id, wanted.scope.removesuffix("/.default"), http)
        )
    except _MSAL_RAISES:
        return {}
    return answer if isinstance(answer, dict) else {}


def _of_app(app: App, wanted: _Wanted, http: _Http) -> Any:
    # A new one each time: it would keep tokens of its own that are nearly at their end, and
    # refusals for a minute.
    client = msal.ConfidentialClientApplication(
        app.id,
        client_credential=_credential(app, http),
        authority=f"{app.authority}/{quote(wanted.tenant, safe='')}",
        # It would ask login.microsoftonline.com about every authority that it does not know.
        instance_discovery=False,
        http_client=http,
    )
    return client.acquire_token_for_client([wanted.scope])


def _credential(app: App, http: _Http) -> Any:
    if password := app.password.get_secret_value():
        return password
    if pem := app.certificate.get_secret_value():
        return {"private_key": pem, "public_certificate": pem}
    return {"client_assertion": lambda: _of_identity(app.identity, _EXCHANGE, http)["access_token"]}


def _of_identity(client_id: str, resource: str, http: _Http) -> Any:
    identity = (
        msal.UserAssignedManagedIdentity(client_id=client_id)
        if client_id
        else msal.SystemAssignedManagedIdentity()
    )
    client = msal.ManagedIdentityClient(identity, http_client=http)
    return client.acquire_token_for_client(resource=resource)


@dataclass(frozen=True, slots=True)
class _Answer:
    """As msal reads it."""

    status_code: int
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class _Http:
    """What msal calls from its thread. `status`, `code` and `wait_s`: of the last answer, if any.

    `code`: Entra's own number for a refusal; 0 where it gave none.
    """

    def __init__(self, session: aiohttp.ClientSession, loop: asyncio.AbstractEventLoop) -> None:
        self._session = session
        self._loop = loop
        self._until = loop.time() + FETCH_S
        self.status = _NOTHING_HEARD
        self.code = 0
        self.wait_s: float | None = None

    def get(self, url: str, params: Any = None, headers: Any = None, **_: object) -> _Answer:
        return self._wait_for("GET", url, params, headers, None)

    def post(
        self, url: str, params: Any = None, headers: Any = None, data: Any = None, **_: object
    ) -> _Answer:
        return self._wait_for("POST", url, params, {**_FORM, **(headers or {})}, urlencode(data))

    def close(self) -> None:
        """The session is not ours."""

    def _wait_for(self, *request: Any) -> _Answer:
        self.status, self.code, self.wait_s = _NOTHING_HEARD, 0, None
        answering = asyncio.run_coroutine_threadsafe(self._request(*request), self._loop)
        # Longer than the request may take: for a loop that has ended.
        answer = answering.result(2 * FETCH_S)
        self.status, self.wait_s = answer.status_code, retry_after_s(answer.headers)
        self.code = _code(answer.text)
        # msal would write what is no JSON into its log, whole.
        orjson.loads(answer.text)
        return answer

    async def _request(
        self, method: str, url: str, params: Any, headers: Any, data: str | None
    ) -> _Answer:
        try:
            async with (
                asyncio.timeout_at(self._until),
                self._session.request(
                    method,
                    url,
                    proxy=proxy_to(url),
                    params=params,
                    headers=headers,
                    data=data,
                    allow_redirects=False,
                ) as answer,
            ):
                return _Answer(answer.status, await answer.text(), answer.headers)
        except aiohttp.ClientError:
            raise OSError from None


_CODE = re.compile(r'"error_codes"\s*:\s*\[\s*([0-9]{1,9})')


def _code(text: str) -> int:
    """The words beside it are left: they quote."""
    found = _CODE.search(text)
    return int(found[1]) if found else 0
