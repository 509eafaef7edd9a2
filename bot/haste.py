"""So many turns of one person, and no more: one account must not take up a process alone.

It counts by who was verified, never by where a request came from: behind a proxy that is the same
for all. Each process counts for itself, in memory.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.turns.turn import Reply, Turn
from snapshot.sealing import Person

EACH_S = 0.1
"""Seconds between two turns, in the long run: twice as fast as anybody taps, with taps doubled."""

AT_ONCE = 300
"""How many may come without a pause, after one of `AT_ONCE * EACH_S` seconds."""

MOST_REMEMBERED = 20_000
"""People, of whom each takes some hundred bytes."""


@dataclass(slots=True)
class _Used:
    """`free_at`: when all that was taken is free again. `told`: that it was too much."""

    free_at: float
    told: bool = False


class Haste:
    """`clock` tells seconds and never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._used: dict[Person, _Used] = {}

    def allows(self, person: Person) -> bool:
        """Whether they may take a turn now, which is then taken."""
        now = self._clock()
        used = self._used.pop(person, None) or _Used(now)
        self._used[person] = used  # at the end, so that who is away for longest is forgotten first
        if len(self._used) > MOST_REMEMBERED:
            del self._used[next(iter(self._used))]
        free_at = max(used.free_at, now) + EACH_S
        if free_at - now > AT_ONCE * EACH_S:
            return False
        used.free_at, used.told = free_at, False
        return True

    def is_to_be_told(self, person: Person) -> bool:
        """True once, until they may take a turn again."""
        used = self._used[person]
        was_told, used.told = used.told, True
        return not was_told


def unhurried(
    act: Callable[[Turn], Awaitable[Reply | None]], wait: Callable[[Turn], Reply], haste: Haste
) -> Callable[[Turn], Awaitable[Reply | None]]:
    """`act`, for as long as somebody does not hurry too much; then `wait`, and nothing changes.

    Each tap has to be answered. To each message it would be one more that Teams has to take.
    """

    async def answer(turn: Turn) -> Reply | None:
        if haste.allows(turn.person):
            return await act(turn)
        if turn.verb is None and (turn.installed or not haste.is_to_be_told(turn.person)):
            return None
        return wait(turn)

    return answer
