"""Teams' REST API: messages that we send, through one shared HTTP session."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson

from bot.settings import BadSettings
from bot.teams.access import Access, LocalAccess, NoAccess
from bot.teams.reading import retry_after_s, start_of
from bot.telemetry import calls
from storage.proxy import proxy_to

SEND_TIMEOUT_S = 10.0

NO_ANSWER = 0
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY = 401, 403, 404, 429

_CONVERSATIONS = "/v3/conversations"

# With another token it may be let in.
_PASSING = (NO_ANSWER, UNAUTHORIZED, 412, TOO_MANY, 502, 503, 504)

_LABELS = (
    "BadArgument",
    "BotNotRegistered",
    "BotDisabledByAdmin",
    "BotNotInConversationRoster",
    "ConversationBlockedByUser",
    "ForbiddenOperationException",
    "InvalidBotApiHost",
    "NotEnoughPermissions",
    "MessageWritesBlocked",
    "ActivityNotFoundInConversation",
    "ConversationNotFound",
    "MessageSizeTooBig",
    "ServiceError",
)
"""Only these words of what Teams says are kept: the rest may quote somebody."""
_MOST_READ = 4_096


class DeliveryError(Exception):
    """Teams did not take a message. `status` is HTTP's, or `NO_ANSWER`.

    `retry_after_s`: how long Teams wants us to wait, where it says so. `label`: its own word for
    what is wrong, where that is one that we know.
    """

    def __init__(self, status: int, retry_after_s: float | None = None, label: str = "") -> None:
        super().__init__(f"{status} {label}".rstrip())
        self.status = status
        self.retry_after_s = retry_after_s
        self.label = label

    @property
    def passes(self) -> bool:
        """Whether the same message may well be taken later. Without an answer it may have been."""
        return self.status in _PASSING


class Connector:
    """`access`: who may be called, and with which token; unless given, this machine alone."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        timeout_s: float = SEND_TIMEOUT_S,
        access: Access | None = None,
    ) -> None:
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._access = access or LocalAccess()

    async def send(self, service_url: str, conversation: str, activity: dict[str, Any]) -> str:
        """Post a message to a conversation and return its id. Raises `DeliveryError`.

        With a bare channel id it begins a new thread; with `;messageid=` it goes into one.
        """
        return await self.send_encoded(service_url, conversation, orjson.dumps(activity))

    async def send_encoded(self, service_url: str, conversation: str, activity: bytes) -> str:
        """The same with an activity that is JSON already."""
        return _id_in(await self._call("POST", service_url, _activities(conversation), activity))

    async def update_encoded(
        self, service_url: str, conversation: str, id: str, activity: bytes
    ) -> str:
        """Put another message in the place of one that we sent. Raises `DeliveryError`."""
        path = f"{_activities(conversation)}/{quote(id, safe='')}"
        return _id_in(await self._call("PUT", service_url, path, activity))

    async def member(self, service_url: str, conversation: str, id: str) -> dict[str, Any]:
        """What Teams knows of somebody there, such as `email`. Raises `DeliveryError`."""
        path = f"{_CONVERSATIONS}/{quote(conversation, safe='')}/members/{quote(id, safe='')}"
        found = await self._call("GET", service_url, path)
        if not found:
            raise DeliveryError(NO_ANSWER)
        return found

    async def team(self, service_url: str, id: str) -> dict[str, Any]:
        """What Teams knows of a team, such as `aadGroupId`. Raises `DeliveryError`."""
        found = await self._call("GET", service_url, f"/v3/teams/{quote(id, safe='')}")
        if not found:
            raise DeliveryError(NO_ANSWER)
        return found

    async def _call(
        self, method: str, service_url: str, path: str, body: bytes | None = None
    ) -> dict[str, Any]:
        """What Teams answered; empty where the rest of it is lost, though the call was taken.

        Raises `DeliveryError`.
        """
        headers = {"Content-Type": "application/json", **await self._shown_to(service_url)}
        url = f"{service_url.rstrip('/')}{path}"
        try:
            async with self._session.request(
                method,
                url,
                proxy=proxy_to(url),
                data=body,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as answer:
                calls.add(1, {"status": answer.status})
                if answer.status == UNAUTHORIZED:
                    self._access.refused()
                if answer.status >= 300:
                    raise DeliveryError(
                        answer.status,
                        retry_after_s(answer.headers),
                        _label(await start_of(answer.content, _MOST_READ)),
                    )
                return await _said_in(answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            calls.add(1, {"status": NO_ANSWER})
            raise DeliveryError(NO_ANSWER) from error

    async def _shown_to(self, service_url: str) -> dict[str, str]:
        """Raises `DeliveryError`."""
        try:
            token = await self._access.token(service_url)
        except NoAccess as error:
            status = FORBIDDEN if error.wait_s is None else NO_ANSWER
            raise DeliveryError(status, error.wait_s) from None
        return {"Authorization": f"Bearer {token}"} if token else {}


async def _said_in(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    try:
        said = orjson.loads(await answer.read())
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _id_in(said: dict[str, Any]) -> str:
    id = said.get("id")
    return id if isinstance(id, str) else ""


def new_session(ca_file: Path | None = None) -> aiohttp.ClientSession:
    """To be shared by all that calls one side. Nobody there sets a cookie.

    `ca_file` replaces the machine's own list of whom to trust. Raises `BadSettings`.
    """
    try:
        trusted = ssl.create_default_context(cafile=ca_file) if ca_file else True
    except OSError:  # ssl.SSLError is one
        raise BadSettings("GRAPH_CA_FILE cannot be read as a certificate") from None
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=trusted), cookie_jar=aiohttp.DummyCookieJar()
    )


def _activities(conversation: str) -> str:
    return f"{_CONVERSATIONS}/{quote(conversation, safe='')}/activities"


def _label(body: bytes) -> str:
    return next((label for label in _LABELS if label.encode() in body), "")
