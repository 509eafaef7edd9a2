"""Whether all that a turn needs answers, for a probe that asks every few seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

type Check = Callable[[], Awaitable[bool]]

WITHIN_S = 2.0
"""A probe waits no longer."""

KEPT_S = 5.0
"""What was found serves for so long: whoever asks all the time costs no more."""


@dataclass(frozen=True, slots=True)
class _Found:
    answers: bool
    at: float


class Readiness:
    """`checks`: by the name under which one that fails is told. `clock` only goes forward."""

    def __init__(
        self, checks: Mapping[str, Check], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._checks = checks
        self._clock = clock
        self._found: dict[str, _Found] = {}
        self._asking = {name: asyncio.Lock() for name in checks}

    async def missing(self) -> list[str]:
        """Which of them do not answer, by name."""
        answers = await asyncio.gather(*(self._ask(name) for name in self._checks))
        return [name for name, is_there in zip(self._checks, answers, strict=True) if not is_there]

    async def _ask(self, name: str) -> bool:
        # Who comes while somebody asks goes by the same answer.
        async with self._asking[name]:
            found = self._found.get(name)
            if found is None or self._clock() - found.at >= KEPT_S:
                found = self._found[name] = _Found(await self._try(name), self._clock())
        return found.answers

    async def _try(self, name: str) -> bool:
        try:
            async with asyncio.timeout(WITHIN_S):
                return await self._checks[name]()
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it does not answer
            return False
