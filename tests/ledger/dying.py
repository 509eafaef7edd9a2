"""A sender that kills itself at one chosen write of the store, or call to Teams."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from bot.delivery import Delivery
from bot.pace import Pace
from bot.teams.bot import encoded
from bot.teams.connector import Connector, new_session
from bot.turns.turn import Address, Reply
from storage.sqlite import SqliteRecords
from tests.crash.working import Death, DyingRecords, When
from tests.ledger.sender import HERE, Work, Writer, a_reply, now

AT_ONCE = 2


@dataclass
class DeathAmongMany(Death):
    """Where several write at once, the one that ends next after number `at` has begun."""

    def written[T](self, result: T) -> T:
        if self.when is When.AFTER and 0 < self.at <= len(self.writes):
            os.kill(os.getpid(), signal.SIGKILL)
        return result


@dataclass
class DyingCalls:
    connector: Connector
    death: Death

    async def send(self, address: Address, reply: Reply) -> None:
        self.death.about_to_write("message sent")
        await self.connector.send_encoded(address.service_url, address.conversation, encoded(reply))
        self.death.written(None)


def send_in(
    folder: Path, url: str, hours_later: int = 0, at: int = 0, when: When = When.BEFORE
) -> int:
    """Send what may be taken; how many writes and calls that took."""
    return asyncio.run(_send(folder, url, hours_later, DeathAmongMany(at, when)))


async def _send(folder: Path, url: str, hours_later: int, death: Death) -> int:
    async with (
        SqliteRecords(folder / "snapshot.db") as real,
        new_session() as session,
    ):
        calls = DyingCalls(Connector(session), death)
        delivery = Delivery(
            DyingRecords(real, death),
            calls.send,
            Pace(real),
            lambda: now() + timedelta(hours=hours_later),
            Random(1),
            at_once=AT_ONCE,
        )
        await delivery.deliver(HERE, Writer(Work(url), a_reply()))
        return len(death.writes)
