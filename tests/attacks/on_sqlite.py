"""SQLite as its files show it, byte by byte. It notes no times."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from snapshot.ports import Kind, Records, SnapshotId
from storage.sqlite import SqliteRecords
from tests.attacks.recording import Places, Row, Version

PAGE_BYTES = 4096


@asynccontextmanager
async def open_sqlite(folder: Path) -> AsyncIterator[OnSqlite]:
    path = folder / "snapshot.db"
    async with SqliteRecords(path) as records:
        yield OnSqlite(records, path)


@dataclass(frozen=True, slots=True)
class OnSqlite:
    """Implements `Store`."""

    records: Records
    path: Path

    def dates(self, second: int) -> None:
        """It notes none."""

    def leftovers(self) -> bytes:
        """The database, its write-ahead log and the index of that log, all that is in them."""
        files = sorted(self.path.parent.glob(f"{self.path.name}*"))
        return b"".join(file.read_bytes() for file in files)

    def history(self, recorded: Sequence[Version]) -> list[Version]:
        return list(recorded)

    async def places(self, snapshot: SnapshotId) -> Mapping[str, Places]:
        content = self.leftovers()
        heads = await self.records.heads(snapshot, Kind.SLIP)
        return {head.id: {"file": place_in(content, head.id)} for head in heads}

    async def lays(self, rows: Sequence[Row]) -> Mapping[str, Places]:
        """In a plain table."""
        content = _plain_table(rows)
        return {row.id: {"file": place_in(content, row.id)} for row in rows}

    async def emptied(self, rows: Sequence[Row]) -> bytes:
        return _plain_table(rows, "DELETE FROM answers")


def _plain_table(rows: Sequence[Row], *then: str) -> bytes:
    with closing(sqlite3.connect(":memory:")) as db:
        # What SQLite does unless told otherwise; some distributions switch it on.
        db.execute("PRAGMA secure_delete = OFF")
        db.execute("CREATE TABLE answers (id TEXT, body TEXT)")
        for row in rows:
            db.execute("INSERT INTO answers VALUES (?, ?)", (row.id, str(row.body)))
        for statement in then:
            db.execute(statement)
        db.commit()
        return db.serialize()


def place_in(content: bytes, id: str) -> int:
    """Where a row was put: pages in the order of the file, and within one from its end."""
    at = content.find(id.encode())
    return at // PAGE_BYTES * PAGE_BYTES - at % PAGE_BYTES
