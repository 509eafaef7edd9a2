"""SQLite as its files show it, byte by byte. It notes no times."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from snapshot.ports import Kind, Records, SnapshotId
from storage.sqlite import SqliteRecords
from tests.attacks.recording import Places, Row, Version
from tests.attacks.trouble import Trouble

PAGE_BYTES = 4096


def _before(*triggers: tuple[str, str]) -> str:
    """What happens in place of a write: verb and statement."""
    return "".join(
        f"CREATE TRIGGER before_{verb} BEFORE {verb} ON records BEGIN {does}; END;"
        for verb, does in triggers
    )


_VERBS = ("INSERT", "UPDATE", "DELETE")

_BEGINS: Mapping[Trouble, str] = {
    Trouble.AWAY: "ALTER TABLE records RENAME TO away",
    Trouble.READ_ONLY: _before(*[(verb, "DELETE FROM nowhere") for verb in _VERBS]),
    # No row is found that could be changed, and there is one already where one is to be made.
    Trouble.CHANGED: _before(
        ("INSERT", "SELECT RAISE(ABORT, '')"),
        ("UPDATE", "SELECT RAISE(IGNORE)"),
        ("DELETE", "SELECT RAISE(IGNORE)"),
    ),
}
_NO_TRIGGERS = ";".join(f"DROP TRIGGER before_{verb}" for verb in _VERBS)
_ENDS: Mapping[Trouble, str] = {
    Trouble.AWAY: "ALTER TABLE away RENAME TO records",
    Trouble.READ_ONLY: _NO_TRIGGERS,
    Trouble.CHANGED: _NO_TRIGGERS,
}


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

    @asynccontextmanager
    async def reached(self) -> AsyncIterator[SameFile]:
        yield SameFile(self.path)


@dataclass(frozen=True, slots=True)
class SameFile:
    """Implements `Reached`."""

    path: Path

    @property
    def environment(self) -> Mapping[str, str]:
        return {"SNAPSHOT_STORE": f"sqlite:///{self.path}"}

    @contextmanager
    def fails(self, how: Trouble) -> Iterator[None]:
        self._run(_BEGINS[how])
        try:
            yield
        finally:
            self._run(_ENDS[how])

    def _run(self, script: str) -> None:
        with closing(sqlite3.connect(self.path)) as db:
            db.executescript(script)


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
