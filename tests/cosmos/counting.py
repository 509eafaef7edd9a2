"""Counts what a bot asks of the database: how often, what for, and how many bytes that moves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiohttp import web

from tests.cosmos.proxy import Proxy, Told


class Asked(StrEnum):
    READ = "point read"
    CREATE = "create"
    REPLACE = "replace"
    DELETE = "delete"
    QUERY = "query page"
    ELSE = "about the account"
    """Not for items: what a client asks of account and container when it starts."""


@dataclass(frozen=True, slots=True)
class Trip:
    """One request and its answer. Sizes are bytes of JSON.

    `kind`: of the records that it is about; `size`: of the item that was read or written, or of
    what a query returned; `before`: of the item that was there, where one was replaced or deleted;
    `loaded`: of each item that a query had to look at, whole.
    """

    asked: Asked
    kind: str
    status: int
    size: int = 0
    before: int = 0
    loaded: Sequence[int] = ()


@dataclass
class Counting(Proxy):
    """Changes nothing, and remembers every trip. It has to see all writes, to know sizes."""

    trips: list[Trip] = field(default_factory=list)
    _sizes: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(self) -> list[Trip]:
        """The trips since it was last asked."""
        trips, self.trips = self.trips, []
        return trips

    @property
    def kept(self) -> dict[str, list[int]]:
        """The sizes of all items that are there now, by kind."""
        found: dict[str, list[int]] = {}
        for (_, id), size in self._sizes.items():
            found.setdefault(_kind(id), []).append(size)
        return found

    async def _ask(self, request: web.Request, body: bytes) -> Told:
        told = await super()._ask(request, body)
        self.trips.append(self._trip(request, body, told.status, told.content))
        return told

    def _trip(self, request: web.Request, body: bytes, status: int, told: bytes) -> Trip:
        asked = _asked(request)
        if asked is Asked.ELSE:
            return Trip(asked, "", status)
        partition = request.headers.get("x-ms-documentdb-partitionkey", "")
        if asked is Asked.QUERY:
            return self._query(partition, body, status, told)
        id = request.path.rpartition("/docs/")[2].strip("/") or str(json.loads(body)["id"])
        before = self._sizes.get((partition, id), 0)
        size = len(told) if asked is Asked.READ else len(body)
        if status < 300:
            self._note(asked, (partition, id), size)
        return Trip(asked, _kind(id), status, size, before)

    def _note(self, asked: Asked, item: tuple[str, str], size: int) -> None:
        if asked is Asked.DELETE:
            self._sizes.pop(item, None)
        else:
            self._sizes[item] = size

    def _query(self, partition: str, body: bytes, status: int, told: bytes) -> Trip:
        found = json.loads(told).get("Documents", [])
        loaded = [self._sizes.get((partition, item["id"]), 0) for item in found]
        named = {p["name"]: p["value"] for p in json.loads(body)["parameters"]}
        returned = len(_as_bytes(found)) if found else 0
        return Trip(Asked.QUERY, str(named["@kind"]), status, returned, loaded=loaded)


_WRITES = {"PUT": Asked.REPLACE, "DELETE": Asked.DELETE, "POST": Asked.CREATE}


def _asked(request: web.Request) -> Asked:
    if "/docs" not in request.path:
        return Asked.ELSE
    if request.headers.get("x-ms-documentdb-isquery", "").lower() == "true":
        return Asked.QUERY
    return _WRITES.get(request.method, Asked.READ)


def _kind(id: str) -> str:
    return id.partition(":")[0]


def _as_bytes(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
