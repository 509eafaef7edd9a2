"""SQLite keeps the contract, and leaves nothing in its files that was overwritten."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import stat
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from snapshot.ports import DIRECTORY, Changed, Exists, Head, Kind, Record, Unavailable
from storage.errors import NewerDatabase
from storage.sqlite import LOCK_WAIT_MS, SqliteRecords
from tests.contract.racer import RACE
from tests.contract.records_contract import HERE, RecordsContract, an_envelope

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "snapshot.db"


@pytest.fixture
async def records(path: Path) -> AsyncIterator[SqliteRecords]:
    async with SqliteRecords(path) as opened:
        yield opened


class TestSqlite(RecordsContract):
    """The contract."""


def all_bytes(path: Path) -> bytes:
    """What anybody could find in the database, its log and its index of the log."""
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


# -- what was written is there, for every process -------------------------------------------------


async def test_what_was_kept_outlives_the_process(path: Path) -> None:
    async with SqliteRecords(path) as before:
        kept = await before.create(an_envelope())
    async with SqliteRecords(path) as after:
        assert await after.read(HERE, Kind.ENVELOPE, "ada") == kept
        await after.replace(replace(kept, state="submitted"))


async def test_two_connections_see_each_other_s_changes_at_once(
    records: SqliteRecords, path: Path
) -> None:
    async with SqliteRecords(path) as other:
        kept = await records.create(an_envelope())
        changed = await other.replace(replace(kept, state="submitted"))
        assert await records.read(HERE, Kind.ENVELOPE, "ada") == changed
        with pytest.raises(Changed):
            await records.replace(replace(kept, state="withdrawn"))


@pytest.mark.parametrize("id", ["a/b", "a\\b", "a?b", "a#b", "", "\n", "\x00", " "], ids=repr)
async def test_any_id_will_do(records: SqliteRecords, id: str) -> None:
    kept = await records.create(an_envelope(id))
    assert await records.read(HERE, Kind.ENVELOPE, id) == kept
    assert [h.id for h in await records.heads(HERE, Kind.ENVELOPE)] == [id]


@dataclass
class Racer:
    """Another process, which does what `tests.contract.racer` says."""

    process: asyncio.subprocess.Process

    async def told(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"go\n")
        await self.process.stdin.drain()

    async def says(self) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            return (await self.process.stdout.readline()).decode().strip()


@asynccontextmanager
async def a_racer(path: Path, name: str) -> AsyncIterator[Racer]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.contract.racer",
        str(path),
        name,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        yield Racer(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def both(first: Racer, second: Racer) -> list[str]:
    """What they say when they are let go at once."""
    await asyncio.gather(first.told(), second.told())
    return list(await asyncio.gather(first.says(), second.says()))


async def test_of_two_processes_that_replace_one_version_exactly_one_wins(
    records: SqliteRecords, path: Path
) -> None:
    await records.create(Record(RACE, Kind.JOURNAL, "journal", {}, state="nobody"))
    async with a_racer(path, "first") as first, a_racer(path, "second") as second:
        assert [await first.says(), await second.says()] == ["here", "here"]
        for _ in range(100):
            assert await both(first, second) == ["ready", "ready"]
            said = await both(first, second)
            assert sorted(said) == ["lost", "won"]
            winner = ("first", "second")[said.index("won")]
            assert (await records.read(RACE, Kind.JOURNAL, "journal")).state == winner


# -- files ----------------------------------------------------------------------------------------


@pytest.fixture
def permissive_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("permissive_umask")
async def test_nobody_else_on_the_machine_may_read_the_files(path: Path) -> None:
    async with SqliteRecords(path) as records:
        await records.create(an_envelope())
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()}
    assert modes == {"snapshot.db": 0o600, "snapshot.db-wal": 0o600, "snapshot.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_rows_have_no_number_that_tells_their_order(
    records: SqliteRecords, path: Path
) -> None:
    await records.create(an_envelope())
    with (
        closing(sqlite3.connect(path)) as db,
        pytest.raises(sqlite3.OperationalError, match="no such column: rowid"),
    ):
        db.execute("SELECT rowid FROM records")


async def test_an_etag_does_not_tell_how_often_somebody_came_back(records: SqliteRecords) -> None:
    version = await records.create(an_envelope())
    etags = [version.etag]
    for _ in range(30):
        version = await records.replace(version)
        etags.append(version.etag)
    assert len({len(etag) for etag in etags}) == 1
    assert len(set(etags)) == len(etags)
    assert etags not in (sorted(etags), sorted(etags, reverse=True))


# -- what was overwritten is gone -----------------------------------------------------------------

PEOPLE = 40


def drafts() -> list[str]:
    return [f"ZQXJ-{n:04}-" * 150 for n in range(PEOPLE)]


def still_found(path: Path) -> int:
    held = all_bytes(path)
    return sum(draft[:10].encode() in held for draft in drafts())


async def test_after_forgetting_the_log_is_empty(records: SqliteRecords, path: Path) -> None:
    await records.create(an_envelope())
    log = path.with_name("snapshot.db-wal")
    assert log.stat().st_size > 0
    await records.forget()
    assert log.stat().st_size == 0


async def test_what_was_overwritten_is_nowhere_in_the_files(
    records: SqliteRecords, path: Path
) -> None:
    dice = Random(1)
    written = [
        await records.create(an_envelope(f"{dice.getrandbits(128):032x}", body={"ballot": draft}))
        for draft in drafts()
    ]
    assert still_found(path) == PEOPLE
    for record in written:
        await records.replace(replace(record, body={"ballot": None}))
    await records.forget()
    assert still_found(path) == 0


async def test_what_was_overwritten_does_not_wait_for_a_mix_to_go(path: Path) -> None:
    """A mix may be days away; what SQLite frees meanwhile, it overwrites at once."""
    dice = Random(1)
    async with SqliteRecords(path) as records:
        written = [
            await records.create(an_envelope(f"{dice.getrandbits(128):032x}", body={"b": draft}))
            for draft in drafts()
        ]
    assert still_found(path) == PEOPLE
    async with SqliteRecords(path) as records:
        for record in written:
            await records.replace(replace(record, body={"b": None}))
    assert still_found(path) == 0


async def test_what_was_deleted_is_nowhere_in_the_files(records: SqliteRecords, path: Path) -> None:
    for number, draft in enumerate(drafts()):
        await records.delete(await records.create(an_envelope(f"{number}", body={"b": draft})))
    await records.forget()
    assert still_found(path) == 0


def test_in_an_ordinary_database_it_would_still_be_there(tmp_path: Path) -> None:
    """The negative control: a plain table, with the settings that SQLite comes with."""
    path = tmp_path / "plain.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA secure_delete = OFF")  # some systems build it in
        db.execute("CREATE TABLE records (id TEXT, body TEXT)")
        db.executemany("INSERT INTO records VALUES (?, ?)", enumerate(drafts()))
        db.commit()
        db.execute("UPDATE records SET body = ''")
        db.commit()
    assert still_found(path) > PEOPLE / 2


SEEDS = (1, 2, 3)


async def test_nothing_is_left_over_from_moving_rows_between_pages(tmp_path: Path) -> None:
    left = {}
    for seed in SEEDS:
        path = tmp_path / f"{seed}" / "snapshot.db"
        async with SqliteRecords(path) as records:
            canaries = await write_and_empty_at_random(records, Random(seed))
            await records.forget()
            held = all_bytes(path)
            left[seed] = sum(canary.encode() in held for canary in canaries)
        shutil.rmtree(path.parent)
    assert left == dict.fromkeys(SEEDS, 0)


async def write_and_empty_at_random(records: SqliteRecords, dice: Random) -> list[str]:
    """Records of all sizes come, grow, shrink and go; in the end all that stay are empty."""
    canaries: list[str] = []
    there: dict[str, Record] = {}

    def a_body() -> dict[str, str]:
        canaries.append(f"ZQ{dice.getrandbits(48):012x}")
        length = dice.choice([20, 100, 300, 700, 1_000, 1_100, 3_000, 11_000])
        return {"ballot": canaries[-1] * (1 + length // 14)}

    for _ in range(500):
        id = dice.choice(list(there)) if there and dice.random() < 0.6 else ""
        if not id:
            made = await records.create(an_envelope(f"{dice.getrandbits(128):032x}", body=a_body()))
            there[made.id] = made
        elif dice.random() < 0.7:
            there[id] = await records.replace(replace(there[id], body=a_body()))
        else:
            await records.delete(there.pop(id))
    for record in there.values():
        await records.replace(replace(record, body={"ballot": None}))
    return canaries


# -- what goes wrong ------------------------------------------------------------------------------


async def test_a_newer_database_is_refused_and_left_as_it_is(path: Path) -> None:
    async with SqliteRecords(path) as records:
        await records.create(an_envelope())
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    before = all_bytes(path)
    with pytest.raises(NewerDatabase, match=r"newer version of this program; please update it"):
        async with SqliteRecords(path):
            pass
    assert all_bytes(path) == before


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Another program that keeps the database to itself for writing."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


async def test_whoever_reads_meanwhile_does_not_keep_the_log_for_good(
    records: SqliteRecords, path: Path
) -> None:
    """A backup, or somebody's database browser: `forget` says so, and can be called again."""
    log = path.with_name(f"{path.name}-wal")
    kept = await records.create(an_envelope())
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM records").fetchall()
        await records.replace(replace(kept, body={"ballot": None}))
        with pytest.raises(Unavailable):
            await records.forget()
        assert (await asyncio.to_thread(log.stat)).st_size > 0
    await records.forget()
    assert (await asyncio.to_thread(log.stat)).st_size == 0


async def test_a_locked_database_is_unavailable_in_time_for_teams_and_reading_goes_on(
    records: SqliteRecords, path: Path
) -> None:
    kept = await records.create(an_envelope())
    async with locked(path):
        started = time.monotonic()
        with pytest.raises(Unavailable):
            await records.replace(kept)
        assert time.monotonic() - started < 10
        assert await records.read(HERE, Kind.ENVELOPE, "ada") == kept
    assert LOCK_WAIT_MS < 3_000
    await records.replace(kept)


async def test_writes_that_come_together_fail_together_and_then_nothing_is_kept(
    records: SqliteRecords, path: Path
) -> None:
    kept = await records.create(an_envelope())
    async with locked(path):
        writing = [asyncio.create_task(records.create(an_envelope(f"{n}"))) for n in range(3)]
        assert await records.read(HERE, Kind.ENVELOPE, "ada") == kept, "who reads goes on"
        outcomes = await asyncio.gather(*writing, return_exceptions=True)
    assert [type(o) for o in outcomes] == [Unavailable] * 3
    assert [h.id for h in await records.heads(HERE, Kind.ENVELOPE)] == ["ada"]


async def test_of_writes_that_come_together_each_succeeds_or_fails_by_itself(
    records: SqliteRecords, path: Path
) -> None:
    ada, ben = [await records.create(an_envelope(id)) for id in ("ada", "ben")]
    changed = await records.replace(ben)
    outcomes = await asyncio.gather(
        records.replace(replace(ada, state="submitted")),
        records.replace(replace(ben, state="withdrawn")),
        records.create(an_envelope("ada")),
        records.create(an_envelope("cat")),
        records.delete(replace(ada, id="nobody")),
        return_exceptions=True,
    )
    assert [type(o) for o in outcomes] == [Record, Changed, Exists, Record, Changed]
    async with SqliteRecords(path) as another:
        assert await another.heads(HERE, Kind.ENVELOPE) == [
            Head("ada", "submitted", "police"),
            Head("ben", changed.state, "police"),
            Head("cat", "open", "police"),
        ]


async def test_what_no_database_takes_stops_nobody_else(records: SqliteRecords) -> None:
    lone = "\ud800"
    outcomes = await asyncio.gather(
        records.create(an_envelope("ada")),
        records.create(an_envelope(lone)),
        records.read(HERE, Kind.ENVELOPE, lone),
        return_exceptions=True,
    )
    assert [type(o) for o in outcomes] == [Record, UnicodeEncodeError, UnicodeEncodeError]
    assert [h.id for h in await records.heads(HERE, Kind.ENVELOPE)] == ["ada"]


async def test_a_short_lock_is_waited_for(records: SqliteRecords, path: Path) -> None:
    kept = await records.create(an_envelope())
    async with locked(path):
        writing = asyncio.create_task(records.replace(kept))
        await asyncio.sleep(0.1)
        assert not writing.done()
    assert (await writing).etag != kept.etag


async def opening(path: Path) -> tuple[str, str]:
    """What a process of its own says of opening a file, and what Python complains of."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-Walways",
        "-m",
        "tests.contract.opener",
        str(path),
        "50",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    async with asyncio.timeout(60):
        said, complaints = await process.communicate()
    return said.decode(), complaints.decode()


async def test_a_locked_database_cannot_be_opened(path: Path) -> None:
    async with SqliteRecords(path):
        pass
    async with locked(path):
        said, _ = await opening(path)
    assert said == "snapshot.ports.Unavailable"
    assert await opening(path) == ("opened", "")


async def test_a_database_that_cannot_be_opened_leaves_no_connection_behind(path: Path) -> None:
    async with SqliteRecords(path):
        pass
    async with locked(path):
        _, complaints = await opening(path)
    assert complaints == ""


@pytest.mark.parametrize("what", ["a folder", "another file"])
async def test_a_path_that_holds_something_else_is_refused_with_an_error_of_ours(
    tmp_path: Path, what: str
) -> None:
    path = tmp_path / "snapshot.db"
    if what == "a folder":
        await asyncio.to_thread(path.mkdir)
    else:
        letter = b"Dear Sir or Madam, this is no database at all. "
        await asyncio.to_thread(path.write_bytes, letter * 50)
    said, complaints = await opening(path)
    assert said.startswith(("snapshot.ports.", "storage.errors."))
    assert complaints == ""


async def test_a_closed_store_lets_go_of_its_files(path: Path) -> None:
    async with SqliteRecords(path) as records:
        await records.create(an_envelope())
    assert [p.name for p in path.parent.iterdir()] == ["snapshot.db"]


@pytest.mark.parametrize("body", ['{"settings', "7", '["settings"]', "null", b"\xff"])
async def test_a_record_that_somebody_broke_in_the_file_stops_no_other(
    tmp_path: Path, body: str | bytes
) -> None:
    path = tmp_path / "snapshot.db"
    async with SqliteRecords(path) as records:
        for id in ("broken", "whole"):
            await records.create(Record(DIRECTORY, Kind.SNAPSHOT, id, {"settings": id}))
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE records SET body = ? WHERE id = 'broken'", (body,))
        db.commit()
    async with SqliteRecords(path) as records:
        found = await records.read_all(DIRECTORY, Kind.SNAPSHOT)
    assert {r.id: r.body for r in found} == {"broken": {}, "whole": {"settings": "whole"}}
