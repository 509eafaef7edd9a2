"""The bot's own worker in a process of its own, by a clock that may be wrong and may jump.

`python -m tests.ledger.process CLOCK`, with the bot's settings in the environment. It works until
it is asked to end, and says `READY` when it begins.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Self

READY = b"ready\n"


@dataclass(frozen=True, slots=True)
class Clock:
    """`ahead_s` of the machine's. Once it has gone for `after_s`, it jumps by `jump_s`.

    The bot's calendar is moved by `moved_s` besides, as that of all processes is.
    """

    moved_s: float = 0.0
    ahead_s: float = 0.0
    jump_s: float = 0.0
    after_s: float = 0.0

    def as_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, value: str) -> Self:
        return cls(**json.loads(value))

    def starts(self) -> Callable[[], float]:
        """From now on it tells the seconds since 1970."""
        real, began_at = time.time, time.monotonic()

        def seconds() -> float:
            has_jumped = time.monotonic() - began_at >= self.after_s
            return real() + self.ahead_s + (self.jump_s if has_jumped else 0.0)

        return seconds


def main(clock: Clock) -> None:
    # Before anything of the bot is imported, so that all of it has this for the machine's clock.
    time.time = seconds = clock.starts()
    asyncio.run(_work(lambda: datetime.fromtimestamp(seconds() + clock.moved_s, UTC)))


async def _work(now: Callable[[], datetime]) -> None:
    from bot.app import make_app
    from bot.logs import set_up
    from bot.settings import Settings

    set_up()
    async with make_app(Settings.from_env(os.environ), now) as app:
        os.write(sys.stdout.fileno(), READY)
        working = asyncio.create_task(app.worker.run(), name="worker")
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, working.cancel)
        await asyncio.wait([working])
        if not working.cancelled():
            working.result()


if __name__ == "__main__":
    main(Clock.from_text(sys.argv[1]))
