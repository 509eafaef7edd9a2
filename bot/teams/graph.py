"""Microsoft Graph: whose an address is, the app installed for them, a channel's files, owners."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import orjson
import structlog
from yarl import URL

from bot.teams.reading import retry_after_s
from bot.teams.tokens import GRAPH, NoToken, Tokens
from snapshot.sealing import Person
from storage.proxy import proxy_to

CALL_S = 10.0
"""How long one request may take; none is tried twice here."""

PAUSE_S = 10.0
"""After a failure a tenant is left alone for so long, unless Graph says how long."""

SHORTEST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 3_600.0
REFUSED_S = 300.0
"""An administrator who consents waits no longer until we notice."""

UPLOAD_S = 30.0
MOST_PAGES = 20
"""Of the members of a team, 999 at a time."""

MOST_BYTES = 4_000_000
"""What Graph takes in one request, at the least."""

CATALOGUE_S = 600.0
LONGEST_ADDRESS = 320

_NOTHING_HEARD = 0
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_NOT_FOUND = 404
_CONFLICT = 409
_THROTTLED = 429
_USUAL = (_NOT_FOUND, _CONFLICT)

_FIELDS = "id,mail,userPrincipalName,accountEnabled,userType"
_CODE = re.compile(r"[A-Za-z_]{1,60}")

_log = structlog.get_logger()


class GraphError(Exception):
    """Root of what Graph may raise."""


class AskLater(GraphError):
    """It may well answer in `wait_s` seconds."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"ask again in {wait_s:.0f} s")
        self.wait_s = wait_s


class Down(AskLater):
    """Graph, or Entra in front of it, did not answer."""


class Throttled(AskLater):
    """We have asked too much."""


class NoConsent(GraphError):
    """The tenant's administrator has not agreed to what we ask for."""


class CannotInstall(GraphError):
    """The app is not in the tenant's catalogue, or may not be installed for this person."""


class NoTeam(GraphError):
    """There is no team of this id, or more people are in it than can be listed."""


class CannotKeep(GraphError):
    """The channel has no folder for files that is known to us, or it does not take this one."""


class Part(StrEnum):
    """Graph's services behind one address: they slow down, fail and are consented to apart."""

    DIRECTORY = "directory"
    TEAMS = "teams"
    FILES = "files"
    MEMBERS = "members"


_OF_ONE_TEAM = (Part.FILES, Part.MEMBERS)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: Any = None
    wait_s: float | None = None

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def tells_of_the_tenant(self) -> bool:
        """Whether it is no answer to what was asked, and the next request would fare no better."""
        tenants = (_NOTHING_HEARD, _UNAUTHORIZED, _FORBIDDEN, _THROTTLED)
        return self.status in tenants or self.status >= 500

    @property
    def code(self) -> str:
        """Graph's own word for it. Its message is left: it quotes what was asked."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        code = str(error.get("code")) if isinstance(error, dict) else ""
        return code if _CODE.fullmatch(code) else ""


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the files of a channel are, by Graph's ids of a drive and of what lies in it."""

    drive: str
    item: str


@dataclass(frozen=True, slots=True)
class _Pause:
    status: int
    until: float

    def error(self, now: float) -> GraphError:
        if self.status == _FORBIDDEN:
            return NoConsent()
        return (Throttled if self.status == _THROTTLED else Down)(max(0.0, self.until - now))


class Graph:
    """For `tenants`, and no other. `app` is the app's id in its manifest.

    Every verb may raise `AskLater` or `NoConsent`, and ends within `CALL_S` for each request
    (`UPLOAD_S` for a file) and the time for a token. `clock`: seconds that only go forward.
    """

    def __init__(
        self,
        url: str,
        app: str,
        tenants: Collection[str],
        tokens: Tokens,
        session: aiohttp.ClientSession,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = f"{url}/v1.0"
        self._app = app
        self._tenants = tenants
        self._tokens = tokens
        self._session = session
        self._clock = clock
        self._pauses: dict[tuple[str, Part], _Pause] = {}
        self._catalogue: dict[str, tuple[str | None, float]] = {}
        self._told: dict[tuple[str, Part, str], tuple[int, str]] = {}

    async def find_person(self, address: str, tenant: str) -> Person | None:
        """Who has this e-mail address in a tenant, if it is one person who can be written to.

        Guests are not, since they cannot have the app.
        """
        if "@" not in address or len(address) > LONGEST_ADDRESS or not address.isprintable():
            return None
        named = await self._user_named(address, tenant)
        # The name that somebody signs in by is mostly their address, but may be another's.
        if named and _same(named.get("mail"), address):
            found = [named]
        else:
            found = [*([named] if named else []), *await self._users_with(address, tenant)]
        ids = {str(user["id"]).lower() for user in found if _can_be_written_to(user)}
        return Person(tenant, ids.pop()) if len(ids) == 1 else None

    async def installation(self, person: Person) -> str | None:
        """The id of the app's installation for a person; None where it is not installed."""
        query = {"$expand": "teamsApp", "$filter": f"teamsApp/externalId eq {_text(self._app)}"}
        answer = await self._ask(Part.TEAMS, "GET", person.tenant, _apps_of(person), query)
        found = _listed(answer)
        return found[0]["id"] if found else None

    async def install(self, person: Person) -> None:
        """Does nothing where the app is installed already. May raise `CannotInstall`."""
        app = await self._in_catalogue(person.tenant)
        if app is None:
            raise CannotInstall
        body = {"teamsApp@odata.bind": f"{self._url}/appCatalogs/teamsApps/{quote(app, safe='')}"}
        answer = await self._ask(Part.TEAMS, "POST", person.tenant, _apps_of(person), body=body)
        if answer.is_success or answer.status == _CONFLICT:
            return
        # Whoever takes an app out of the catalogue and puts it back gives it another id.
        self._catalogue.pop(person.tenant, None)
        raise CannotInstall

    async def chat_with(self, person: Person, installation: str) -> str | None:
        """The id of the private chat with the bot; None while Teams has not made it yet."""
        path = f"{_apps_of(person)}/{quote(installation, safe='')}/chat"
        answer = await self._ask(Part.TEAMS, "GET", person.tenant, path, {"$select": "id"})
        id = answer.body.get("id") if answer.is_success and isinstance(answer.body, dict) else None
        return id if isinstance(id, str) and id else None

    async def owners_of(self, tenant: str, team: str) -> set[Person]:
        """`team` by its id in the directory. May raise `NoTeam`."""
        path = f"/teams/{quote(team, safe='')}/members"
        query, owners = {"$top": "999"}, set[Person]()
        for _ in range(MOST_PAGES):
            answer = await self._ask(Part.MEMBERS, "GET", tenant, path, query)
            if not answer.is_success or not isinstance(answer.body, dict):
                raise NoTeam
            owners |= {
                Person(str(each["tenantId"]).lower(), str(each["userId"]).lower())
                for each in _listed(answer)
                if _is_owner(each)
            }
            further = answer.body.get("@odata.nextLink")
            if further is None:
                return owners
            # Only what it asks for is taken from the link: where it leads to is known.
            query = dict(URL(str(further)).query)
        raise NoTeam

    async def files_of(self, tenant: str, team: str, channel: str) -> Folder:
        """The folder of a channel; `team` by its id in the directory. May raise `CannotKeep`."""
        path = f"/teams/{quote(team, safe='')}/channels/{quote(channel, safe='')}/filesFolder"
        answer = await self._ask(Part.FILES, "GET", tenant, path)
        found = _folder(answer.body) if answer.is_success else None
        if found is None:
            raise CannotKeep
        return found

    async def keep(self, tenant: str, folder: Folder, name: str, content: bytes) -> None:
        """Put a file there, as the newest version of what has this name. May raise `CannotKeep`."""
        if not 0 < len(content) <= MOST_BYTES:
            raise CannotKeep
        drive, item = quote(folder.drive, safe=""), quote(folder.item, safe="")
        path = f"/drives/{drive}/items/{item}:/{quote(name, safe='')}:/content"
        query = {"@microsoft.graph.conflictBehavior": "replace"}
        answer = await self._ask(Part.FILES, "PUT", tenant, path, query, content)
        if not answer.is_success:
            raise CannotKeep

    # -- parts of it ------------------------------------------------------------------------------

    async def _user_named(self, name: str, tenant: str) -> Mapping[str, Any] | None:
        path = f"/users/{quote(name, safe='')}"
        answer = await self._ask(Part.DIRECTORY, "GET", tenant, path, {"$select": _FIELDS})
        return answer.body if answer.is_success and _is_item(answer.body) else None

    async def _users_with(self, address: str, tenant: str) -> list[Mapping[str, Any]]:
        """Not by `otherMails`: nobody has checked that those are theirs."""
        query = {
            "$select": _FIELDS,
            "$filter": f"mail eq {_text(address)} or "
            f"proxyAddresses/any(p:p eq {_text(f'smtp:{address}')})",
            "$count": "true",
            "$top": "3",
        }
        return _listed(await self._ask(Part.DIRECTORY, "GET", tenant, "/users", query))

    async def _in_catalogue(self, tenant: str) -> str | None:
        known, until = self._catalogue.get(tenant, (None, 0.0))
        if self._clock() < until:
            return known
        query = {"$filter": f"externalId eq {_text(self._app)}", "$select": "id"}
        answer = await self._ask(Part.TEAMS, "GET", tenant, "/appCatalogs/teamsApps", query)
        found = _listed(answer)
        id = str(found[0]["id"]) if found else None
        self._catalogue[tenant] = (id, self._clock() + CATALOGUE_S)
        return id

    # -- one request ------------------------------------------------------------------------------

    async def _ask(
        self,
        part: Part,
        method: str,
        tenant: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, str] | bytes | None = None,
    ) -> _Answer:
        """A success, or a refusal that concerns nothing but what was asked."""
        if tenant not in self._tenants:
            raise NoConsent
        now, pause = self._clock(), self._pauses.get((tenant, part))
        if pause and now < pause.until:
            raise pause.error(now)
        token = await self._token(tenant)
        # Encoded here: an address may hold anything, and yarl would decode some of it again.
        url = URL(f"{self._url}{path}?{urlencode(query or {}, quote_via=quote)}", encoded=True)
        answer = await self._send(method, url, token, body)
        self._tell(tenant, part, method, answer)
        if answer.tells_of_the_tenant:
            raise self._pause(tenant, part, answer, method)
        return answer

    def _tell(self, tenant: str, part: Part, method: str, answer: _Answer) -> None:
        """Once until it succeeds, or fails in another way: hundreds may be refused alike."""
        said = (answer.status, answer.code)
        if answer.is_success:
            self._told.pop((tenant, part, method), None)
        elif answer.status not in _USUAL and self._told.get((tenant, part, method)) != said:
            self._told[tenant, part, method] = said
            _log.warning("graph refused", part=part.value, status=answer.status, code=answer.code)

    async def _token(self, tenant: str) -> str:
        try:
            return await self._tokens.get(tenant, GRAPH)
        except NoToken as error:
            found: GraphError = NoConsent() if error.refused else Down(error.wait_s)
        raise found

    async def _send(
        self, method: str, url: URL, token: str, body: Mapping[str, str] | bytes | None
    ) -> _Answer:
        # Some of what we filter by is answered only with this header.
        headers = {"Authorization": f"Bearer {token}", "ConsistencyLevel": "eventual"}
        is_file = isinstance(body, bytes)
        if body:
            headers["Content-Type"] = "application/octet-stream" if is_file else "application/json"
        try:
            async with (
                asyncio.timeout(UPLOAD_S if is_file else CALL_S),
                self._session.request(
                    method,
                    url,
                    proxy=proxy_to(str(url)),
                    headers=headers,
                    data=orjson.dumps(body) if body and not is_file else body,
                    allow_redirects=False,
                ) as answer,
            ):
                raw = await answer.read()
                return _Answer(answer.status, _json(raw), retry_after_s(answer.headers))
        except (aiohttp.ClientError, TimeoutError):
            return _Answer(_NOTHING_HEARD)

    def _pause(self, tenant: str, part: Part, answer: _Answer, method: str) -> GraphError:
        if answer.status == _UNAUTHORIZED:
            self._tokens.forget(tenant, GRAPH)
        usual_s = REFUSED_S if answer.status == _FORBIDDEN else PAUSE_S
        told_s = usual_s if answer.wait_s is None else answer.wait_s
        pause_s = min(max(told_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)
        now = self._clock()
        pause = _Pause(answer.status, now + pause_s)
        # A policy may forbid the app to one person, and an owner consents for one team alone; who
        # may not read has no consent at all.
        if answer.status != _FORBIDDEN or (method != "POST" and part not in _OF_ONE_TEAM):
            self._pauses[tenant, part] = pause
        return pause.error(now)


def _apps_of(person: Person) -> str:
    return f"/users/{quote(person.object_id, safe='')}/teamwork/installedApps"


def _text(value: str) -> str:
    """A text in a filter."""
    return "'" + value.replace("'", "''") + "'"


def _same(mail: object, address: str) -> bool:
    return isinstance(mail, str) and mail.casefold() == address.casefold()


def _can_be_written_to(user: Mapping[str, Any]) -> bool:
    is_from_elsewhere = user.get("userType") == "Guest" or "#EXT#" in str(
        user.get("userPrincipalName")
    )
    return user.get("accountEnabled") is not False and not is_from_elsewhere


def _listed(answer: _Answer) -> list[Mapping[str, Any]]:
    listed = answer.body.get("value") if answer.is_success and isinstance(answer.body, dict) else []
    return [each for each in listed if _is_item(each)] if isinstance(listed, list) else []


def _is_owner(member: Mapping[str, Any]) -> bool:
    ids = (member.get("tenantId"), member.get("userId"))
    roles = member.get("roles")
    are_ids = all(isinstance(id, str) and id for id in ids)
    return are_ids and isinstance(roles, list) and "owner" in roles and "guest" not in roles


def _folder(body: Any) -> Folder | None:
    if not _is_item(body):
        return None
    parent = body.get("parentReference")
    drive = parent.get("driveId") if isinstance(parent, dict) else None
    return Folder(drive, body["id"]) if isinstance(drive, str) and drive else None


def _is_item(found: object) -> bool:
    return isinstance(found, dict) and isinstance(found.get("id"), str) and bool(found["id"])


def _json(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
