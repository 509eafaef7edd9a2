"""Work that may take longer than a turn: who asked is answered in time, and told the rest later.

It lives in this process alone. What is still under way when that ends is not taken up again, and
the card that was shown in the meantime says what to do then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Self

import structlog

from bot.logs import where
from bot.turns.turn import Address, Reply

PATIENCE_S = 1.5
"""How long a turn waits for it: the rest of the turn has to fit into the same 3 s."""

ENDS_WITHIN_S = 5.0
"""How long what is under way may take when the process is to end."""

_log = structlog.get_logger()


class Afterwards:
    """Owns the work; who leaves the block gives it `ENDS_WITHIN_S`, and ends what is not done then.

    `send` posts to an address.
    """

    def __init__(self, send: Callable[[Address, Reply], Awaitable[None]]) -> None:
        self._send = send
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = [*self._tasks]
        if tasks:
            await asyncio.wait(tasks, timeout=ENDS_WITHIN_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def wait[T](
        self,
        work: Coroutine[Any, Any, T],
        address: Address,
        tell: Callable[[T], Reply],
        failed: Reply,
    ) -> T | None:
        """What came of it, or None: then it goes on, and `tell` says to `address` what came of it.

        `failed` is what is said there if it did not work. Raises what `work` does, if in time.
        """
        working = self._own(work)
        done, _ = await asyncio.wait({working}, timeout=PATIENCE_S)
        if done:
            return await working
        self._own(self._tell(working, address, tell, failed))
        return None

    def _own[T](self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name="afterwards")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _tell[T](
        self,
        working: asyncio.Task[T],
        address: Address,
        tell: Callable[[T], Reply],
        failed: Reply,
    ) -> None:
        try:
            reply = tell(await working)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, who asked is told
            _log.error("work failed after the turn", **where(error))
            reply = failed
        try:
            await self._send(address, reply)
        except Exception as error:  # noqa: BLE001 - nobody waits for this any more
            _log.warning("reply not delivered", **where(error))
