"""Who may call us."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

import jwt
import structlog

from bot.teams.body import CHANNEL, tenants_in
from bot.teams.hosts import is_loopback
from bot.teams.signing_keys import NoKey, SigningKeys

ISSUER = "https://api.botframework.com"
LEEWAY_S = 300
"""How far Microsoft's clocks and ours may differ, as Microsoft says."""

MOST_REMEMBERED = 1_000
"""Tokens that were found good. Teams uses one for many requests."""

_LONGEST_TOKEN = 16 * 1024
_BROKEN = (jwt.PyJWTError, NoKey, ValueError, TypeError, KeyError, AttributeError)
"""What may come of a token that is none: it is all the same to us."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

_log = structlog.get_logger()


class NotAllowed(Exception):
    """The caller is not Teams, or not for us; it is answered with 401 and nothing runs."""


class Stranger(Exception):
    """Somebody of a tenant that is not on our list; it is answered with 403 and nothing runs."""


class Callers(Protocol):
    async def verify(self, headers: Mapping[str, str], body: Mapping[str, Any]) -> None:
        """Raises `NotAllowed`, `Stranger`."""


class LocalCallers:
    """For one machine: no token, but nothing from outside it either.

    A web page that is open in a browser here must not be able to act as somebody: it cannot
    send JSON without asking first, nor hide that it spoke to another host's name.
    """

    async def verify(self, headers: Mapping[str, str], body: Mapping[str, Any]) -> None:
        if headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
            raise NotAllowed
        if not is_loopback(f"//{headers.get('Host', '')}"):
            raise NotAllowed
        if not is_loopback(str(body.get("serviceUrl", ""))) or body.get("channelId") != CHANNEL:
            raise NotAllowed


@dataclass(frozen=True, slots=True)
class _Found:
    """What a good token says. Times are the epoch's, in seconds."""

    service_url: str
    endorsed: frozenset[str]
    ends_at: float


class TeamsCallers:
    """Teams alone, by the token that it sends along, and people of `tenants` alone.

    `app`: the id of ours. `is_teams`: whether a service URL is one that may be answered. `clock`
    tells seconds since the epoch.
    """

    def __init__(
        self,
        app: str,
        tenants: Collection[str],
        keys: SigningKeys,
        is_teams: Callable[[str], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._tenants = tenants
        self._keys = keys
        self._is_teams = is_teams
        self._clock = clock
        self._remembered: dict[bytes, _Found] = {}
        self._told: set[str] = set()

    async def verify(self, headers: Mapping[str, str], body: Mapping[str, Any]) -> None:
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(token) <= _LONGEST_TOKEN:
            raise NotAllowed
        found = await self._found(token)
        service_url = body.get("serviceUrl")
        if body.get("channelId") != CHANNEL or CHANNEL not in found.endorsed:
            raise NotAllowed
        # Otherwise a token of one place would do for answers that go to another.
        if service_url != found.service_url or not self._is_teams(found.service_url):
            raise NotAllowed
        self._let_in(tenants_in(body))

    def _let_in(self, tenants: Collection[str]) -> None:
        """All that are named: in a channel that is shared, there may be two."""
        strangers = [tenant for tenant in tenants if tenant.lower() not in self._tenants]
        if not strangers and tenants:
            return
        for tenant in strangers:
            # Once each, and not for ever: whoever signs can name as many as they like.
            if tenant not in self._told and len(self._told) < MOST_REMEMBERED:
                self._told.add(tenant)
                # What is no id may be anything at all, and a log is no place for that.
                named = tenant if _ID.fullmatch(tenant) else "no id"
                _log.warning("tenant not on the list", tenant=named)
        raise Stranger

    async def _found(self, token: str) -> _Found:
        """Raises `NotAllowed`."""
        name = sha256(token.encode(errors="replace")).digest()
        found = self._remembered.get(name)
        if found is None:
            try:
                found = await self._check(token)
            except _BROKEN:
                raise NotAllowed from None
            if len(self._remembered) >= MOST_REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[name] = found
        if self._clock() >= found.ends_at:
            del self._remembered[name]
            raise NotAllowed
        return found

    async def _check(self, token: str) -> _Found:
        signing = await self._keys.get(jwt.get_unverified_header(token)["kid"])
        claims = jwt.decode(
            token,
            signing.key,
            algorithms=["RS256"],
            audience=self._app,
            issuer=ISSUER,
            leeway=LEEWAY_S,
            options={"require": ["exp", "iss", "aud"], "strict_aud": True},
        )
        service_url = claims["serviceurl"]
        if not isinstance(service_url, str):
            raise TypeError
        return _Found(service_url, signing.endorsed, float(claims["exp"]) + LEEWAY_S)
