"""The keys with which Bot Framework signs what it sends us, fetched when they are needed.

Source: Microsoft, "Authentication with the Bot Connector API" (connector to bot).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import jwt
import orjson
import structlog

from bot.teams.reading import start_of
from storage.proxy import proxy_to

FETCH_S = 3.0
"""For both requests together: a turn waits for them, and has to end in time itself."""

PAUSE_S = 5.0
"""Keys are fetched no more often, whatever callers claim to be signed with."""

FRESH_S, KEPT_S = 24 * 3_600.0, 5 * 24 * 3_600.0
"""Keys are fetched anew every day, and serve for five where that does not succeed."""

_MOST_BYTES = 256 * 1024

_log = structlog.get_logger()


class NoKey(Exception):
    """There is no key of this name, or nobody could be asked."""


class _NoKeys(Exception):
    """What was answered is none."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`endorsed`: the channels for which it may sign."""

    key: jwt.PyJWK
    endorsed: frozenset[str]


class SigningKeys:
    """By their names. `metadata`: the address of the OpenID metadata that says where they are.

    `clock`: seconds that only go forward.
    """

    def __init__(
        self,
        metadata: str,
        session: aiohttp.ClientSession,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metadata = metadata
        self._session = session
        self._clock = clock
        self._keys: Mapping[str, SigningKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def get(self, name: str) -> SigningKey:
        """Raises `NoKey`, within `FETCH_S`."""
        if name not in self._keys or self._age() >= FRESH_S:
            await self._fetch_once()
        if name not in self._keys or self._age() >= KEPT_S:
            raise NoKey
        return self._keys[name]

    async def reach(self) -> bool:
        """Whether there are keys to check anything with; asks for them where there are none."""
        if not self._keys:
            await self._fetch_once()
        return bool(self._keys) and self._age() < KEPT_S

    def _age(self) -> float:
        return self._clock() - self._fetched_at

    async def _fetch_once(self) -> None:
        """However many wait for it, and not where somebody has just tried."""
        if self._fetching is None:
            if self._clock() - self._tried_at < PAUSE_S:
                return
            self._tried_at = self._clock()
            self._fetching = asyncio.create_task(self._refresh(), name="signing keys")
        # A probe stops waiting sooner than a slow answer comes, which serves all the same.
        await asyncio.shield(self._fetching)

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(FETCH_S):
                self._keys = await self._fetch()
            self._fetched_at = self._clock()
        except (aiohttp.ClientError, TimeoutError, ValueError, _NoKeys) as error:
            _log.warning("signing keys not fetched", error=type(error).__name__)
        finally:
            self._fetching = None

    async def _fetch(self) -> Mapping[str, SigningKey]:
        found = await self._read(self._metadata)
        place = found.get("jwks_uri")
        if not isinstance(place, str) or not place.startswith("https://"):
            raise _NoKeys
        listed = (await self._read(place)).get("keys")
        if not isinstance(listed, list):
            raise _NoKeys
        keys = dict(filter(None, map(_key, listed)))
        if not keys:
            raise _NoKeys
        return keys

    async def _read(self, url: str) -> Mapping[str, Any]:
        sent = self._session.get(url, proxy=proxy_to(url), allow_redirects=False)
        async with sent as answer:
            raw = await start_of(answer.content, _MOST_BYTES)
            found = orjson.loads(raw) if answer.status == 200 else None
        if not isinstance(found, dict):
            raise _NoKeys
        return found


def _key(listed: object) -> tuple[str, SigningKey] | None:
    """None for one that is no RSA key, or of another shape: it signs nothing for us."""
    if not isinstance(listed, dict) or listed.get("kty") != "RSA":
        return None
    name, endorsed = listed.get("kid"), listed.get("endorsements")
    if not isinstance(name, str) or not isinstance(endorsed, list):
        return None
    try:
        key = jwt.PyJWK(listed, algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    return name, SigningKey(key, frozenset(each for each in endorsed if isinstance(each, str)))
