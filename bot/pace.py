"""How fast we send: one pace for each tenant and channel, kept by all processes together.

A process reserves a run of a few calls by compare-and-set in the store. Runs are spaced; the calls
of one go out together, since waking up for each would cost as much as the call. What a dead process
had reserved is lost, a fifth of a second at most, and nothing else.

Clocks of machines differ, so a pace has a time of its own: that of the fastest clock that took
part. Whoever reads in the record a time that is ahead of theirs adopts it.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from snapshot.ports import DIRECTORY, Changed, Exists, Kind, Missing, Record, Records

CALLS_A_SECOND = 30.0
"""To one tenant. Teams takes 50, answers to people included. We make at most 40 in any second, also
where it begins with a run that is late and ends with one that is early in its time.
"""

POSTS_A_SECOND = 1.0
"""Into one channel; Teams takes 7 in a second, but 60 in half a minute."""

EDITS_A_SECOND = 1 / 6
"""Of one message, that is every five seconds at most: what is shown is worked out once it is time,
and that takes up to a second longer in one process than in the next.
"""

RUN = 6
"""Calls that are reserved in one go, where so many wait."""

AGAIN_S = 0.01
"""Before another try where somebody else was faster: a busy store needs its rest."""

GRACE_S = 0.1
"""How late a run may go out. After that its time belongs to others."""

REFUSALS = 5
"""So many 429 in a row mean that Teams refuses the tenant, not a conversation: then all wait.

A single one does not: the limit of one conversation says nothing of others, and we stay below that
of the tenant. The message itself waits in any case.
"""
MOST_HELD_BACK_S = 60.0

type Sleep = Callable[[float], Awaitable[object]]


@dataclass
class _Lane:
    """What this process knows of one pace. `left` calls of its run go out at `at`.

    That is in the pace's own time, which is `ahead` of the machine's, and was `latest` when we last
    looked. `kept` is the record as we left it, which nobody may have changed since.
    """

    id: str
    a_second: float
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    left: int = 0
    at: float = 0.0
    ahead: float = 0.0
    latest: float = 0.0
    kept: Record | None = None
    refusals: int = 0


class Pace:
    """`seconds` is the machine's clock."""

    def __init__(
        self,
        records: Records,
        seconds: Callable[[], float] = time.time,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._records = records
        self._seconds = seconds
        self._sleep = sleep
        self._lanes: dict[str, _Lane] = {}

    async def turn(self, tenant: str) -> None:
        """Wait until one call may be made about this tenant. Raises `RecordsError`."""
        await self._turn(self._lane(_id("tenant", tenant), CALLS_A_SECOND))

    async def turn_in_channel(self, tenant: str, channel: str) -> None:
        """The same for a post to a channel. Raises `RecordsError`."""
        await self._turn(self._lane(_id("channel", f"{tenant}/{channel}"), POSTS_A_SECOND))
        await self.turn(tenant)

    async def turn_to_edit(self, tenant: str, message: str) -> None:
        """The same for an edit of one message. Raises `RecordsError`."""
        await self._turn(self._lane(_id("message", f"{tenant}/{message}"), EDITS_A_SECOND))
        await self.turn(tenant)

    async def heard(self, tenant: str, *, refused_for_s: float | None = None) -> None:
        """What came of a call: None: it was taken, or failed for a reason of its own.

        Otherwise Teams said that it is too much, and asks for so many seconds.
        """
        lane = self._lane(_id("tenant", tenant), CALLS_A_SECOND)
        lane.refusals = 0 if refused_for_s is None else lane.refusals + 1
        if refused_for_s is not None and lane.refusals % REFUSALS == 0:
            await self._hold_back(lane, min(refused_for_s, MOST_HELD_BACK_S))

    @property
    def ahead_s(self) -> float:
        """How far the fastest clock that took part is ahead of ours, as far as we know."""
        return max((lane.ahead for lane in self._lanes.values()), default=0.0)

    def _lane(self, id: str, a_second: float) -> _Lane:
        return self._lanes.setdefault(id, _Lane(id, a_second))

    async def _turn(self, lane: _Lane) -> None:
        lane.waiting += 1
        try:
            async with lane.lock:
                await self._take_call(lane)
        finally:
            lane.waiting -= 1

    async def _take_call(self, lane: _Lane) -> None:
        while True:
            # Where the process was held up, its run is past, and not to be caught up.
            if not lane.left or self._now(lane) > lane.at + GRACE_S:
                await self._reserve(lane)
            if (wait_s := lane.at - self._now(lane)) > 0:
                await self._sleep(wait_s)
            if lane.left and self._now(lane) <= lane.at + GRACE_S:
                lane.left -= 1
                return

    async def _reserve(self, lane: _Lane) -> None:
        calls = min(lane.waiting, RUN) if lane.a_second > 1 else 1
        takes_s = calls / lane.a_second
        lane.at = await self._write(lane, lambda _, free_at: free_at + takes_s)
        lane.left = calls

    async def _hold_back(self, lane: _Lane, for_s: float) -> None:
        await self._write(lane, lambda now, free_at: max(free_at, now + for_s))

    async def _write(self, lane: _Lane, later: Callable[[float, float], float]) -> float:
        """Move the time from which calls are free, and return what it was before.

        `later`: from now and the time that it is to the one that it is to be.
        """
        while True:
            found = lane.kept or await self._read(lane)
            at, free_at = _times(found.body)
            lane.ahead += max(0.0, at - self._now(lane))
            now = self._now(lane)
            free_at = max(now, free_at)
            body = {"at": now, "free_at": later(now, free_at)}
            write = self._records.replace if found.etag else self._records.create
            lane.kept = None
            with suppress(Changed, Exists):
                lane.kept = await write(replace(found, body=body))
                return free_at
            await self._sleep(AGAIN_S)

    async def _read(self, lane: _Lane) -> Record:
        try:
            return await self._records.read(DIRECTORY, Kind.PACE, lane.id)
        except Missing:
            return Record(DIRECTORY, Kind.PACE, lane.id, {})

    def _now(self, lane: _Lane) -> float:
        """Never less than before: whoever waits for a time would wait for a clock to come back."""
        lane.ahead += max(0.0, lane.latest - self._seconds() - lane.ahead)
        lane.latest = self._seconds() + lane.ahead
        return lane.latest


def _id(what: str, of: str) -> str:
    """No secret, but nothing either that names a tenant or a channel."""
    return f"{what}-{hashlib.sha256(of.encode()).hexdigest()[:32]}"


def _times(body: Mapping[str, Any]) -> tuple[float, float]:
    """When it was written, and from when calls are free; what somebody has broken is no time."""
    at, free_at = body.get("at"), body.get("free_at")
    if isinstance(at, int | float) and isinstance(free_at, int | float):
        return at, free_at
    return 0.0, 0.0
