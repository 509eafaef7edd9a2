"""Messages that change often: each is edited every five seconds at most, and the last state wins.

An edit makes the client of everybody who has a card of their own in its place ask for that anew, so
sixty people who rate in one second must not be sixty edits. All processes keep one pace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

import structlog

from bot.logs import where
from bot.turns.turn import Posted, Reply
from snapshot.ports import RecordsError

EVERY_S = 5.0

TRIES = 5

_MOST_REMEMBERED = 1_000

_log = structlog.get_logger()

type Draw = Callable[[], Awaitable[tuple[Posted, Reply] | None]]
"""A message as it should be now, and where it stands; None: there is none any more."""

type Sleep = Callable[[float], Awaitable[object]]


class NotEdited(Exception):
    """Teams did not take an edit. `passes`: it may, later; `after_s` is when, where it said so."""

    def __init__(self, *, passes: bool, after_s: float | None = None) -> None:
        super().__init__()
        self.passes = passes
        self.after_s = after_s


class Editing:
    """Owns the edits that wait; who leaves the block gives them up.

    `turn` waits until a message of a tenant may be edited.
    """

    def __init__(
        self,
        edit: Callable[[Posted, Reply], Awaitable[None]],
        turn: Callable[[str, str], Awaitable[None]],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._edit = edit
        self._turn = turn
        self._sleep = sleep
        self._wanted: dict[str, Draw] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._shown: dict[str, tuple[str, bytes]] = {}
        self._at_it: set[str] = set()
        self._failing: set[str] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def note(self, message: str, tenant: str, draw: Draw) -> None:
        """It is no longer as it should be. `message` is any name that it has for us."""
        self._wanted[message] = draw
        if message not in self._tasks:
            self._tasks[message] = asyncio.create_task(self._work(message, tenant), name="editing")

    def is_pending(self, message: str) -> bool:
        """Whether this process puts something else in its place within seconds, if all goes well.

        One that Teams does not take is nothing to wait for.
        """
        is_to_come = message in self._wanted or message in self._at_it
        return is_to_come and message not in self._failing

    async def _work(self, message: str, tenant: str) -> None:
        tries = 0
        try:
            while message in self._wanted:
                wait_s = await self._one(message, tenant, tries)
                tries = tries + 1 if wait_s else 0
                # Counted from when it has arrived, which the pace of all does not know.
                await self._sleep(max(wait_s, EVERY_S))
        finally:
            self._failing.discard(message)
            del self._tasks[message]

    async def _one(self, message: str, tenant: str, tries: int) -> float:
        """Seconds to wait before it is tried again; 0: it need not be."""
        draw = self._wanted[message]
        try:
            await self._turn(tenant, message)
            self._at_it.add(message)
            draw = self._wanted.pop(message)  # what changes from here on needs another edit
            await self._draw(message, draw)
            self._failing.discard(message)
        except (NotEdited, RecordsError) as error:
            passes = error.passes if isinstance(error, NotEdited) else True
            if passes and tries < TRIES:
                self._wanted.setdefault(message, draw)
                self._failing.add(message)
                after_s = error.after_s if isinstance(error, NotEdited) else None
                return after_s or EVERY_S
            self._wanted.pop(message, None)
            _log.warning("message not edited", **where(error))
        except Exception as error:  # noqa: BLE001 - the next change must find somebody who edits
            self._wanted.pop(message, None)
            _log.error("message not edited", **where(error))
        finally:
            self._at_it.discard(message)
        return 0.0

    async def _draw(self, message: str, draw: Draw) -> None:
        found = await draw()
        if found is None:
            return
        posted, reply = found
        shown = (posted.id, reply.card.to_bytes())
        if self._shown.get(message) == shown:
            return
        await self._edit(posted, reply)
        self._shown.pop(message, None)
        self._shown[message] = shown
        if len(self._shown) > _MOST_REMEMBERED:
            del self._shown[next(iter(self._shown))]
