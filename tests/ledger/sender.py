"""A process that sends what the ledger of one snapshot holds, to a stand-in for Teams.

It knows nothing but the store: as many of them as one likes may run, and be killed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Self

import aiohttp

from bot.delivery import BEAT_S, CLAIM_S, Delivery, Letter, Not
from bot.logs import set_up
from bot.pace import Pace
from bot.rehearsal.teams import chat_of
from bot.teams.bot import encoded
from bot.teams.connector import SEND_TIMEOUT_S, Connector, new_session
from bot.turns.turn import Address, Reply
from cards.parts import Card, text
from snapshot.ledger import Entry, note
from snapshot.ports import Records, SnapshotId
from storage.cosmos import CosmosRecords
from storage.cosmos_opening import Account
from storage.sqlite import SqliteRecords

HERE = SnapshotId("here-2026")
TENANT = "tenant-of-exampleshire"
TOAST = "Safeguarding snapshot"

LONGEST_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Work:
    """Where to take from and send to. `database`: a SQLite file; `cosmos`: parts of an account.

    `hurry`: how many times as fast pace and beat are, to measure without waiting.
    """

    url: str
    database: str = ""
    cosmos: tuple[str, str, str, str] | None = None
    at_once: int = 32
    claim_s: float = CLAIM_S
    timeout_s: float = SEND_TIMEOUT_S
    hurry: int = 1

    def as_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, value: str) -> Self:
        return cls(**json.loads(value))

    def store(self) -> AbstractAsyncContextManager[Records]:
        if self.cosmos is None:
            return SqliteRecords(Path(self.database))
        url, database, key, ca_file = self.cosmos
        return CosmosRecords(Account(url, database, key, Path(ca_file)))


def cosmos_parts(account: Account) -> tuple[str, str, str, str]:
    return account.url, account.database, account.key, str(account.ca_file)


def a_reply() -> Reply:
    """One card for everybody, about as large as a reminder."""
    words = (
        "The snapshot closes on Friday. It takes about ten minutes and you can stop at any time."
    )
    return Reply(Card(type="AdaptiveCard", version="1.5", body=[text(words)] * 8), TOAST)


@dataclass
class Writer:
    """Writes the same letter to everybody."""

    work: Work
    reply: Reply

    async def __call__(self, entry: Entry) -> Letter | Not:
        chat = chat_of(entry.recipient)
        return Letter(Address(self.work.url, chat, "28:bot", TENANT), self.reply)


def delivery_of(work: Work, records: Records, session: aiohttp.ClientSession) -> Delivery:
    connector = Connector(session, work.timeout_s)

    async def send(address: Address, reply: Reply) -> None:
        await connector.send_encoded(address.service_url, address.conversation, encoded(reply))

    return Delivery(
        records,
        send,
        pace_of(work, records),
        now,
        Random(),
        at_once=work.at_once,
        claim_s=work.claim_s,
        beat_s=BEAT_S / work.hurry,
    )


def pace_of(work: Work, records: Records) -> Pace:
    return Pace(
        records, lambda: time.time() * work.hurry, lambda wait_s: asyncio.sleep(wait_s / work.hurry)
    )


async def send_all(work: Work, records: Records) -> None:
    """Until nothing is open any more."""
    async with new_session() as session:
        delivery, writer = delivery_of(work, records, session), Writer(work, a_reply())
        while True:
            at = await delivery.deliver(HERE, writer)
            if at is None:
                return
            await asyncio.sleep(min(max((at - now()).total_seconds(), 0.05), LONGEST_PAUSE_S))


async def note_all(
    records: Records, recipients: Iterable[str], what: str = "leads-opening"
) -> None:
    at = now() - timedelta(seconds=1)
    for recipient in recipients:
        await note(records, HERE, what, recipient, at)


def now() -> datetime:
    return datetime.now(UTC)


async def main(work: Work) -> None:
    set_up()
    async with work.store() as records:
        await send_all(work, records)


if __name__ == "__main__":
    asyncio.run(main(Work.from_text(sys.argv[1])))
