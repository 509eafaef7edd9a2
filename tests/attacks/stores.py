"""The stores that are attacked. Another one is another line in `STORES`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from snapshot.ports import Records
from storage.sqlite import SqliteRecords


@dataclass(frozen=True, slots=True)
class Store:
    """A store and what lies about of it: the bytes of its files, or of whatever else it leaves."""

    records: Records
    leftovers: Callable[[], bytes]


type OpenStore = Callable[[Path], AbstractAsyncContextManager[Store]]


@asynccontextmanager
async def open_sqlite(folder: Path) -> AsyncIterator[Store]:
    """The database, its write-ahead log and the index of that log, byte by byte."""
    path = folder / "snapshot.db"

    def leftovers() -> bytes:
        return b"".join(file.read_bytes() for file in sorted(folder.glob(f"{path.name}*")))

    async with SqliteRecords(path) as records:
        yield Store(records, leftovers)


STORES: dict[str, OpenStore] = {"sqlite": open_sqlite}
