"""Who owns the facilitators' teams, asked of Graph every few minutes beside all else.

Nobody waits for it: a turn goes by what was told last, and by nothing once that is too old.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import structlog

from bot.logs import where
from snapshot.sealing import Person

ASK_EVERY_S = 120.0
"""Whoever becomes an owner may facilitate within minutes, and whoever is no longer one may not."""

KNOWN_AT_MOST_S = 900.0
"""While Graph does not answer, owners stay owners for so long; after that there are none."""

_log = structlog.get_logger()


class NotTold(Exception):
    """Graph did not say who owns a team."""


@dataclass(frozen=True, slots=True)
class Team:
    """By the ids of the directory: its tenant's, and its group's."""

    tenant: str
    group: str


type Ask = Callable[[Team], Awaitable[frozenset[Person]]]
"""Who owns a team now. Raises `NotTold`."""


@dataclass(frozen=True, slots=True)
class _Known:
    who: frozenset[Person]
    at: float


class Owners:
    """`clock`: seconds that only go forward."""

    def __init__(
        self, ask: Ask, teams: Sequence[Team], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._teams = teams
        self._clock = clock
        self._known: dict[Team, _Known] = {}

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep_asking(), name="owners")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def now(self) -> frozenset[Person]:
        """Those who are known to own one of the teams."""
        fresh = self._clock() - KNOWN_AT_MOST_S
        known = [found.who for found in self._known.values() if found.at > fresh]
        return frozenset().union(*known)

    async def look(self) -> None:
        """Ask of each team; of one that is not told what was known before stays."""
        for team in self._teams:
            try:
                self._known[team] = _Known(await self._ask(team), self._clock())
            except NotTold as error:
                _log.warning("owners not told", **where(error))
            except Exception as error:  # noqa: BLE001 - nobody would notice that the asking has ended
                _log.error("owners not told", **where(error))

    async def _keep_asking(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(ASK_EVERY_S)
