"""Cosmos DB as whoever runs the account has it: every version, and what it notes by itself.

That is the time of every write (`_ts`, and in the ETag), their order (`_lsn`, the feed, and again
the ETag), and the order in which items were made (`_rid`). A query that asks for no order gives
that of `_rid`; the server of the tests takes it for text then, which says less.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from itertools import batched, cycle, groupby
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson

from snapshot.ports import Kind, Record, SnapshotId
from storage.cosmos import CosmosRecords
from storage.cosmos_opening import Account
from tests.attacks.recording import Places, Row, Version
from tests.attacks.trouble import Trouble
from tests.cosmos.proxy import Fault, Plan, Proxy, Seen, nothing
from tests.cosmos.server import Server, cosmos_server, settings_for

NAIVE = SnapshotId("naive")
OPENED_S = 1_772_442_000
"""Some second since 1970, for the opening."""
_MOST_AT_ONCE = 100
"""Items that one batch may have."""


@asynccontextmanager
async def open_cosmos(folder: Path) -> AsyncIterator[OnCosmos]:
    (folder / "clock").write_text(str(OPENED_S))
    with cosmos_server(folder, history=True) as server:
        account = server.new_database()
        async with CosmosRecords(account) as records:
            yield OnCosmos(records, folder, server, account)


@dataclass(slots=True)
class OnCosmos:
    """Implements `Store`. `read` counts the bytes of the feed that have been looked at."""

    records: CosmosRecords
    folder: Path
    server: Server
    account: Account
    read: int = 0

    def dates(self, second: int) -> None:
        (self.folder / "clock").write_text(str(OPENED_S + second))

    def leftovers(self) -> bytes:
        """What came in the feed since this was asked before: whole items, as they are kept."""
        with (self.folder / "feed.jsonl").open("rb") as feed:
            feed.seek(self.read)
            news = feed.read()
        self.read += len(news)
        return news

    def history(self, recorded: Sequence[Version]) -> list[Version]:
        """Out of the feed; what we have written must be what it tells, no more and no less."""
        with (self.folder / "feed.jsonl").open("rb") as feed:
            told = [orjson.loads(line) for line in feed]
        found = [_version(t["verb"], t["item"]) for t in told if "kind" in t["item"]]
        assert found == [_as_json(version) for version in recorded]
        return found

    async def places(self, snapshot: SnapshotId) -> Mapping[str, Places]:
        """As the items stand in the container."""
        items = self.records._items.query_items(
            "SELECT * FROM c WHERE c.snapshot = @snapshot",
            parameters=[{"name": "@snapshot", "value": snapshot}],
            partition_key=snapshot,
        )
        return {
            _id(item): {
                "_ts": item["_ts"],
                "_lsn": item["_lsn"],
                "_etag": item["_etag"],
                "_rid": number_in(item["_rid"]),
            }
            async for item in items
            if item["kind"] == Kind.SLIP
        }

    async def lays(self, rows: Sequence[Row]) -> Mapping[str, Places]:
        """As items of their own; those of one second go together, in the order of the rows."""
        for second, together in groupby(rows, lambda row: row.second):
            self.dates(second)
            for some in batched(together, _MOST_AT_ONCE):
                creates = [("create", (_naive_item(row),)) for row in some]
                await self.records._items.execute_item_batch(creates, NAIVE)
        places = await self.places(NAIVE)
        return {row.id: places[row.id] for row in rows}

    async def emptied(self, rows: Sequence[Row]) -> bytes:
        self.leftovers()
        for row in rows:
            kept = await self.records.create(Record(NAIVE, Kind.ENVELOPE, row.id, row.body))
            await self.records.delete(kept)
        return self.leftovers()

    @asynccontextmanager
    async def reached(self) -> AsyncIterator[Through]:
        async with Proxy(self.server) as proxy:
            yield Through(proxy, settings_for(proxy.reach(self.account)))


@dataclass(frozen=True, slots=True)
class Through:
    """Implements `Reached`."""

    proxy: Proxy
    environment: Mapping[str, str]

    @contextmanager
    def fails(self, how: Trouble) -> Iterator[None]:
        self.proxy.plan = _PLANS[how]()
        try:
            yield
        finally:
            self.proxy.plan = nothing


def _away() -> Plan:
    """Connections are cut, or all that is said is that there is no service."""
    faults = cycle([Fault(), Fault(status=503)])
    return lambda _: next(faults)


def _read_only() -> Plan:
    return lambda seen: Fault(status=503) if seen.write or seen.method == "DELETE" else None


def _changed() -> Plan:
    def plan(seen: Seen) -> Fault | None:
        if seen.write and seen.method == "POST":
            return Fault(status=409)
        return Fault(status=412) if seen.method in ("PUT", "DELETE") else None

    return plan


_PLANS: Mapping[Trouble, Callable[[], Plan]] = {
    Trouble.AWAY: _away,
    Trouble.READ_ONLY: _read_only,
    Trouble.CHANGED: _changed,
}


def _naive_item(row: Row) -> dict[str, Any]:
    return {"id": f"{Kind.SLIP}:{row.id}", "snapshot": NAIVE, "kind": Kind.SLIP, "body": row.body}


def number_in(rid: str) -> int:
    """The number of the item, with which `_rid` ends; the container counts them."""
    return int.from_bytes(base64.b64decode(rid.replace("-", "/"))[8:], "little")


def _as_json(version: Version) -> Version:
    """Tuples have become lists."""
    body = orjson.loads(orjson.dumps(version.record.body))
    return replace(version, record=replace(version.record, body=body))


def _version(verb: str, item: Mapping[str, Any]) -> Version:
    return Version(item["_ts"] - OPENED_S, verb, _record(item))


def _id(item: Mapping[str, Any]) -> str:
    return unquote(item["id"].partition(":")[2].replace("=", "%"))


def _record(item: Mapping[str, Any]) -> Record:
    return Record(
        SnapshotId(item["snapshot"]),
        Kind(item["kind"]),
        _id(item),
        item["body"],
        item["state"],
        item["group"],
        item["_etag"],
    )
