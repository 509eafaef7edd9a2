"""Records in Azure Cosmos DB for NoSQL: the store that any number of processes may share.

One container, partitioned by snapshot. An item's id is made of the record's kind and id, so a
second create cannot double anything; a change names the ETag that was read. Every write carries
a random mark: when a request is sent again because its answer was lost, the mark tells whether
the version that stands there is our own. To compare what was written would not do: two workers
claim the journal with the very same words, and only one may think that the claim is theirs.

One thing the mark cannot tell: that a version of ours, whose answer was lost, has already been
replaced by somebody who built on it. Then `Changed` is raised, as the port says, and whoever reads
again finds their own change in place.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, Self
from urllib.parse import quote, unquote

from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.cosmos.aio import ContainerProxy

from snapshot.ports import Changed, Exists, Head, Kind, Missing, Record, SnapshotId
from storage.cosmos_calls import Failure, Patience
from storage.cosmos_opening import Account, open_container
from storage.errors import Refused

HEADS_A_PAGE = 100
"""A head is small, but the database reads the whole record for it: a thousand envelopes could cost
three times what a small account gives in a second, and every request after it would be refused for
longer than a verb may take.
"""
RECORDS_A_PAGE = 100
"""So that a page of the largest records comes within the time of one request."""

# The partition is named in the query as well as beside it: the server of the tests asks for that.
_WHERE = "FROM c WHERE c.snapshot = @snapshot AND c.kind = @kind"
_HEADS = f'SELECT c.id, c.state, c["group"] {_WHERE}'
_HEADS_OF_STATE = f"{_HEADS} AND c.state = @state"
# By group alone: a second word to order by would need an index of its own.
_FIRST = f'SELECT TOP {{most}} * {_WHERE} AND c.state = @state ORDER BY c["group"]'
_RECORDS = f"SELECT * {_WHERE}"


class CosmosRecords:
    """Implements `snapshot.ports.Records`. One client for the life of the process."""

    def __init__(self, account: Account, credential: AsyncTokenCredential | None = None) -> None:
        """Without a credential, and without a key in `account`, it is looked for (Entra)."""
        self._account = account
        self._credential = credential
        self._stack = AsyncExitStack()
        self._items: ContainerProxy

    async def __aenter__(self) -> Self:
        """Raises `Unusable`, `Unavailable`."""
        async with AsyncExitStack() as stack:
            self._items = await open_container(self._account, self._credential, stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def create(self, record: Record) -> Record:
        item, patience = _item(record), Patience()
        made = await patience.call(lambda: self._items.create_item(item, no_response=True))
        if isinstance(made, Failure):
            if own := await self._own(record, item, patience):
                return own
            raise Exists
        return replace(record, etag=made.get_response_headers()["etag"])

    async def read(self, snapshot: SnapshotId, kind: Kind, id: str) -> Record:
        found = await self._read(snapshot, _item_id(kind, id), Patience())
        if found is None:
            raise Missing
        return _record(found)

    async def replace(self, record: Record) -> Record:
        if not record.etag:  # the client would leave the condition out
            raise Changed
        item, patience = _item(record), Patience()
        made = await patience.call(
            lambda: self._items.replace_item(
                item["id"],
                item,
                etag=record.etag,
                match_condition=MatchConditions.IfNotModified,
                no_response=True,
            )
        )
        if isinstance(made, Failure):
            if own := await self._own(record, item, patience):
                return own
            raise Changed
        return replace(record, etag=made.get_response_headers()["etag"])

    async def delete(self, record: Record) -> None:
        if not record.etag:
            raise Changed
        gone = await Patience().call(
            lambda: self._items.delete_item(
                _item_id(record.kind, record.id),
                record.snapshot,
                etag=record.etag,
                match_condition=MatchConditions.IfNotModified,
            )
        )
        if isinstance(gone, Failure):
            # Also where the first attempt did it and its answer was lost: nothing is left to tell
            # that from somebody else's, and whoever deletes must reckon with both.
            raise Changed

    async def heads(self, snapshot: SnapshotId, kind: Kind, state: str = "") -> list[Head]:
        query = _HEADS_OF_STATE if state else _HEADS
        found = await self._list(query, snapshot, kind, HEADS_A_PAGE, state)
        return sorted((_head(item) for item in found), key=lambda head: head.id)

    async def first(self, snapshot: SnapshotId, kind: Kind, state: str, most: int) -> list[Record]:
        query = _FIRST.format(most=int(most))
        found = await self._list(query, snapshot, kind, RECORDS_A_PAGE, state)
        return sorted((_record(item) for item in found), key=lambda r: (r.group, r.id))

    async def read_all(self, snapshot: SnapshotId, kind: Kind) -> list[Record]:
        found = await self._list(_RECORDS, snapshot, kind, RECORDS_A_PAGE)
        return sorted((_record(item) for item in found), key=lambda record: record.id)

    async def forget(self) -> None:
        """Nothing: there is no file of ours.

        What was overwritten stays in the account's backups for as long as those are kept, which
        nobody can shorten by a call; the privacy notice says so (`SNAPSHOT_BACKUP_DAYS`).
        """

    async def _read(
        self, snapshot: SnapshotId, item_id: str, patience: Patience
    ) -> dict[str, Any] | None:
        found = await patience.call(lambda: self._items.read_item(item_id, snapshot))
        return None if isinstance(found, Failure) else found

    async def _own(
        self, record: Record, item: Mapping[str, Any], patience: Patience
    ) -> Record | None:
        """The record as it stands, if an earlier attempt of ours has written it after all."""
        found = await self._read(record.snapshot, item["id"], patience)
        if found is None or found.get("write") != item["write"]:
            return None
        return replace(record, etag=found["_etag"])

    async def _list(
        self, query: str, snapshot: SnapshotId, kind: Kind, most: int, state: str = ""
    ) -> list[dict[str, Any]]:
        """All pages. An item that is changed meanwhile may come twice: the later one counts."""
        named = {"@snapshot": snapshot, "@kind": kind.value, "@state": state}
        parameters: list[dict[str, object]] = [
            {"name": name, "value": value} for name, value in named.items() if name in query
        ]
        # One iterator for all pages: it knows where the next one begins. The token for a new one
        # would be read off the client, where other calls leave theirs.
        pages = self._items.query_items(
            query, parameters=parameters, partition_key=snapshot, max_item_count=most
        ).by_page()
        found: dict[str, dict[str, Any]] = {}
        while page := await _next(pages):
            found.update((item["id"], item) for item in page)
        return list(found.values())


async def _next(pages: AsyncIterator[AsyncIterator[dict[str, Any]]]) -> list[dict[str, Any]]:
    """One page, with the time of one verb; empty after the last."""

    async def one() -> list[dict[str, Any]]:
        page = await anext(pages, None)
        return [] if page is None else [item async for item in page]

    items = await Patience().call(one)
    if isinstance(items, Failure):  # of a query, that is about the container
        raise Refused(str(items))
    return items


def _item(record: Record) -> dict[str, Any]:
    return {
        "id": _item_id(record.kind, record.id),
        "snapshot": record.snapshot,
        "kind": record.kind.value,
        "state": record.state,
        "group": record.group,
        "body": record.body,
        "write": secrets.token_hex(8),
    }


def _item_id(kind: Kind, id: str) -> str:
    r"""Cosmos DB takes no `/ \ ? #` in an id, so odd characters stand there as `=2F`."""
    return f"{kind.value}:{quote(id, safe='').replace('%', '=')}"


def _id(item: Mapping[str, Any]) -> str:
    return unquote(item["id"].partition(":")[2].replace("=", "%"))


def _head(item: Mapping[str, Any]) -> Head:
    return Head(_id(item), item.get("state", ""), item.get("group", ""))


def _record(item: Mapping[str, Any]) -> Record:
    """What somebody has broken by hand holds nothing, and so stops no other record."""
    body = item.get("body")
    return Record(
        SnapshotId(item["snapshot"]),
        Kind(item["kind"]),
        _id(item),
        body if isinstance(body, dict) else {},
        item.get("state", ""),
        item.get("group", ""),
        item["_etag"],
    )
