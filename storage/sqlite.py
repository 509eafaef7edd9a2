"""Records in one SQLite file: the embedded default, safe with several processes on one machine.

Three settings carry the anonymity. `WITHOUT ROWID`: rows lie in the order of their random ids,
not of their writing. `secure_delete`: what is overwritten does not stay in the file's free
space. Emptying the write-ahead log after a mix: it would hold the versions from before.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, cast

import orjson

from snapshot.ports import Changed, Exists, Head, Kind, Missing, Record, SnapshotId, Unavailable
from storage.errors import NewerDatabase, Unusable

LOCK_WAIT_MS = 2_500
"""How long a statement waits for another process; a turn must answer within 3 s."""

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    snapshot TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    "group" TEXT NOT NULL,
    etag TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (snapshot, kind, id)
) WITHOUT ROWID
"""


type Values = tuple[str | int, ...]
type _Outcome = list[Any] | int | Exception
"""The rows of a query, how many a write has changed, or what went wrong."""


@dataclass(frozen=True, slots=True)
class _Statement:
    """`done` is told what came of it."""

    sql: str
    values: Values
    writes: bool
    done: asyncio.Future[_Outcome]


class SqliteRecords:
    """Implements `snapshot.ports.Records`. All statements run in one thread of its own.

    Those that wait while it is busy go together: one way to the thread and, for what they write,
    one transaction, hence one wait for the disk. Each still succeeds or fails by itself.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")
        self._db: sqlite3.Connection
        self._waiting: list[_Statement] = []
        self._is_busy = False

    async def __aenter__(self) -> Self:
        """Open the file, making it if need be. Raises `Unusable`, `Unavailable`."""
        try:
            await self._run(self._open)
        except BaseException:
            self._thread.shutdown()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._run(self._db.close)
        self._thread.shutdown()

    async def create(self, record: Record) -> Record:
        kept = replace(record, etag=_new_etag())
        try:
            await self._write("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)", _row(kept))
        except sqlite3.IntegrityError:
            raise Exists from None
        return kept

    async def read(self, snapshot: SnapshotId, kind: Kind, id: str) -> Record:
        rows = await self._query(
            "SELECT * FROM records WHERE snapshot = ? AND kind = ? AND id = ?",
            (snapshot, kind, id),
        )
        if not rows:
            raise Missing
        return _record(rows[0])

    async def replace(self, record: Record) -> Record:
        kept = replace(record, etag=_new_etag())
        await self._change(
            'UPDATE records SET state = ?, "group" = ?, etag = ?, body = ?'
            " WHERE snapshot = ? AND kind = ? AND id = ? AND etag = ?",
            (*_row(kept)[3:], record.snapshot, record.kind, record.id, record.etag),
        )
        return kept

    async def delete(self, record: Record) -> None:
        await self._change(
            "DELETE FROM records WHERE snapshot = ? AND kind = ? AND id = ? AND etag = ?",
            (record.snapshot, record.kind, record.id, record.etag),
        )

    async def heads(self, snapshot: SnapshotId, kind: Kind, state: str = "") -> list[Head]:
        rows = await self._query(
            'SELECT id, state, "group" FROM records'
            " WHERE snapshot = ? AND kind = ? AND (? = '' OR state = ?) ORDER BY id",
            (snapshot, kind, state, state),
        )
        return [Head(*row) for row in rows]

    async def first(self, snapshot: SnapshotId, kind: Kind, state: str, most: int) -> list[Record]:
        rows = await self._query(
            "SELECT * FROM records WHERE snapshot = ? AND kind = ? AND state = ?"
            ' ORDER BY "group", id LIMIT ?',
            (snapshot, kind, state, most),
        )
        return [_record(row) for row in rows]

    async def read_all(self, snapshot: SnapshotId, kind: Kind) -> list[Record]:
        rows = await self._query(
            "SELECT * FROM records WHERE snapshot = ? AND kind = ? ORDER BY id", (snapshot, kind)
        )
        return [_record(row) for row in rows]

    async def forget(self) -> None:
        await self._run(self._forget)

    # -- in the thread ----------------------------------------------------------------------

    def _open(self) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # SQLite gives its logs the mode of the database, so it is enough to make this one.
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            # Autocommit: each verb is one statement, hence atomic by itself.
            db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        except OSError as error:
            raise Unusable(f"{self._path} cannot be opened: {error.strerror}") from None
        try:
            self._set_up(db)
        except sqlite3.OperationalError:
            db.close()
            raise
        except sqlite3.DatabaseError:
            db.close()
            raise Unusable(f"{self._path} is not a database; choose another file") from None
        except BaseException:
            db.close()
            raise
        self._db = db

    def _set_up(self, db: sqlite3.Connection) -> None:
        for pragma in (
            f"busy_timeout = {LOCK_WAIT_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "secure_delete = ON",
            "temp_store = MEMORY",
        ):
            db.execute(f"PRAGMA {pragma}")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise NewerDatabase(
                f"{self._path} was written by a newer version of this program; please update it"
            )
        db.execute(_SCHEMA)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _forget(self) -> None:
        """Write the file anew and empty the log.

        `secure_delete` misses what SQLite copies when it moves rows between pages.
        """
        self._db.execute("VACUUM")
        ((is_busy, *_),) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if is_busy:
            raise sqlite3.OperationalError("another process reads the log")

    def _execute(self, group: Sequence[_Statement]) -> list[tuple[_Statement, _Outcome]]:
        # First what reads: it need not wait for another process that writes.
        reads = [(each, self._execute_one(each)) for each in group if not each.writes]
        return reads + self._write_all([each for each in group if each.writes])

    def _write_all(self, group: Sequence[_Statement]) -> list[tuple[_Statement, _Outcome]]:
        if len(group) < 2:
            return [(each, self._execute_one(each)) for each in group]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            outcomes = [(each, self._execute_one(each)) for each in group]
            self._db.execute("COMMIT")  # fails also where SQLite has given the transaction up
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            return [(each, error) for each in group]
        return outcomes

    def _execute_one(self, statement: _Statement) -> _Outcome:
        try:
            cursor = self._db.execute(statement.sql, statement.values)
            return cursor.rowcount if statement.writes else cursor.fetchall()
        except Exception as error:  # noqa: BLE001 - whoever asked is told; the others go on
            return error

    # -- on the way to the thread ---------------------------------------------------------------

    async def _query(self, sql: str, values: Values) -> list[Any]:
        return cast(list[Any], await self._do(sql, values, writes=False))

    async def _write(self, sql: str, values: Values) -> int:
        return cast(int, await self._do(sql, values, writes=True))

    async def _change(self, sql: str, values: Values) -> None:
        if not await self._write(sql, values):
            raise Changed

    async def _do(self, sql: str, values: Values, *, writes: bool) -> list[Any] | int:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[_Outcome] = loop.create_future()
        self._waiting.append(_Statement(sql, values, writes, done))
        if not self._is_busy:
            self._is_busy = True
            loop.call_soon(self._start)
        outcome = await done
        if isinstance(outcome, sqlite3.Error) and not isinstance(outcome, sqlite3.IntegrityError):
            raise Unavailable(getattr(outcome, "sqlite_errorname", "")) from None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _start(self) -> None:
        """Send all that wait to the thread; when they are done, those that came meanwhile."""
        self._is_busy = bool(self._waiting)
        if self._is_busy:
            group, self._waiting = self._waiting, []
            loop = asyncio.get_running_loop()
            try:
                running = loop.run_in_executor(self._thread, self._execute, group)
            except RuntimeError as error:  # it has been closed
                self._tell([(each, error) for each in group])
            else:
                running.add_done_callback(lambda ran: self._tell(ran.result()))

    def _tell(self, outcomes: Sequence[tuple[_Statement, _Outcome]]) -> None:
        for statement, outcome in outcomes:
            if not statement.done.done():  # whoever waited may have been cancelled
                statement.done.set_result(outcome)
        self._start()

    async def _run[T](self, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, work)
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise Unavailable(getattr(error, "sqlite_errorname", "")) from None


def _new_etag() -> str:
    # Random, not counted: a counter would tell how often somebody came back to change an answer.
    return secrets.token_hex(8)


def _row(record: Record) -> tuple[str, ...]:
    body = orjson.dumps(record.body).decode()
    r = record
    return (r.snapshot, r.kind, r.id, r.state, r.group, r.etag, body)


def _record(row: tuple[str, ...]) -> Record:
    snapshot, kind, id, state, group, etag, body = row
    return Record(SnapshotId(snapshot), Kind(kind), id, _body(body), state, group, etag)


def _body(text: str) -> dict[str, Any]:
    """What somebody has broken in the file holds nothing, and so stops no other record."""
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}
