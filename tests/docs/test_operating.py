"""docs/operating.md: its commands are run as they stand, and what it says of them is so."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import aiohttp
import pytest

from bot.app import examined
from bot.keys import key_statuses
from bot.purging import purge_snapshot
from bot.rehearsal.teams import Teams
from bot.settings import BadSettings
from snapshot.calendar import mixings
from snapshot.closing import begin_close
from snapshot.envelope import State
from snapshot.opening import Running, extend
from snapshot.ports import Kind
from tests.ports import free_port
from tests.stories.conftest import Clock
from tests.stories.opening import BotOnDemand
from tests.stories.people import (
    STATEMENTS,
    answers,
    asks_about,
    begins,
    closes,
    respondents,
    sends,
    summary_in,
)
from tests.stories.processes import ROOT, Serving, start

PAGE = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
BLOCKS: list[str] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
COPY_ON_THE_PAGE = "snapshot-2026-03-04.db"

LOOK, COPY, TIDY, TOO_OLD, PUT_BACK, LOOK_AT_IT, LOOK_BEFORE = (
    "python -m bot doctor\npython -m bot keys status\n",
    "VACUUM INTO",
    "-delete",
    "-newer",
    "mkdir",
    "export",
    "python -m bot doctor\n",
)
"""How each block of commands is known, in their order on the page."""


def block(mark: str) -> str:
    """The one that begins so, or has that in it."""
    (found,) = [b for b in BLOCKS if b == mark] or [b for b in BLOCKS if mark in b]
    return found


@dataclass
class Machine:
    """The page's `/srv`, in a folder, and a bot that works there when a story says so."""

    top: Path
    bot: BotOnDemand

    @property
    def srv(self) -> Path:
        return self.top / "srv"

    @property
    def keys(self) -> Path:
        return self.srv / "keys"

    @property
    def copy(self) -> Path:
        (found,) = (self.srv / "backup").iterdir()
        return found

    async def does(self, mark: str) -> str:
        """Run a block of the page in a shell, as whoever runs the bot; all that it says."""
        (self.srv / "backup").mkdir(exist_ok=True)
        words = block(mark).replace("/srv/", f"{self.srv}/")
        if COPY_ON_THE_PAGE in words:
            words = words.replace(COPY_ON_THE_PAGE, self.copy.name)
        process = await asyncio.create_subprocess_exec(
            "sh",
            "-eu",
            "-c",
            re.sub(r"^python ", f"{sys.executable} ", words, flags=re.MULTILINE),
            cwd=self.top,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **self.bot.environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        return said.decode()

    async def is_restored(self) -> str:
        """By the page's steps; what the last of them says."""
        await self.does(PUT_BACK)
        return await self.does(LOOK_AT_IT)

    @property
    def of_what_was_restored(self) -> dict[str, str]:
        return {"SNAPSHOT_STORE": f"sqlite:///{self.srv / 'restored' / 'snapshot.db'}"}

    @asynccontextmanager
    async def restored_bot(self) -> AsyncIterator[BotOnDemand]:
        """A bot on the copy and the keys as they are now."""
        await self.does(PUT_BACK)
        more = self.of_what_was_restored
        bot = BotOnDemand(self.srv, free_port(), self.bot.clock, more_settings=more)
        await bot.starts()
        try:
            yield bot
        finally:
            await bot.stops()

    async def command(self, *words: str, **more: str) -> str:
        """What a process of its own prints."""
        process = await start(self.top, {**self.bot.environment, **more}, *words)
        said, _ = await process.communicate()
        return said.decode()

    async def the_snapshot(self) -> Running:
        (running,) = await self.bot.app.service.directory.all(fresh=True)
        return running


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    """With a snapshot in which 200 people have sent their answers, not mixed yet."""
    srv = tmp_path / "srv"
    store = {"SNAPSHOT_STORE": f"sqlite:///{srv / 'snapshot' / 'snapshot.db'}"}
    # By the real time, as the processes have it that work on the same files.
    clock = Clock(datetime.now(UTC))
    bot = BotOnDemand(srv, free_port(), clock, sample=200, more_settings=store)
    await bot.starts()
    bot.sample = 0  # one is enough: none is opened in place of one that is stopped
    yield Machine(tmp_path, bot)
    await bot.stops()


def problems(said: str) -> set[tuple[str, str]]:
    """Event and type of each error that was logged."""
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return {(e["event"], e.get("error", "")) for e in lines if e.get("level") == "error"}


async def keys_of(bot: BotOnDemand) -> list[str]:
    """As `keys status` has it, by what that command asks."""
    return [
        f"{each.phase}, {each.key}{', old copy' if each.is_old else ''}"
        for each in await key_statuses(bot.app.service)
    ]


def ballots(database: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(database)) as db:
        for (body,) in db.execute("SELECT body FROM records WHERE kind = 'envelope'").fetchall():
            yield json.loads(body)["ballot"].encode()


def is_in(held: bytes, value: bytes) -> bool:
    """Any part of it: one value lies on several pages."""
    return any(value[at : at + 64] in held for at in range(0, len(value) - 64, 256))


def test_each_block_of_commands_is_run_by_a_test() -> None:
    marks = (LOOK, COPY, TIDY, TOO_OLD, PUT_BACK, LOOK_AT_IT, LOOK_BEFORE)
    assert [block(mark) for mark in marks] == BLOCKS


# -- backup and restore ---------------------------------------------------------------------------


async def test_a_copy_is_made_while_the_bot_works_and_holds_nothing_that_was_overwritten(
    machine: Machine,
) -> None:
    database = machine.srv / "snapshot" / "snapshot.db"
    environment = {**machine.bot.environment, "PORT": str(free_port())}
    async with Serving(machine.top, environment) as bot, Teams(bot.url) as teams:
        ada, *others = respondents(teams, 6, ("Police",), Random(1))
        await begins(ada.person)
        old = set(ballots(database))
        for option in ada.options:
            await answers(ada.person, [option])
            old |= set(ballots(database))
        await sends(ada.person)
        sent = set(ballots(database))
        log = database.with_name("snapshot.db-wal").read_bytes()
        answering = asyncio.gather(*(one.takes_part() for one in others))
        said = await machine.does(COPY)
        await answering
    now = set(ballots(machine.copy))
    assert sent <= now, "those who answer meanwhile change nothing of it"
    gone, held = old - now, machine.copy.read_bytes()
    assert len(gone) >= STATEMENTS
    assert [value for value in gone if is_in(held, value)] == []
    assert all(is_in(held, value) for value in now)
    assert any(is_in(log, value) for value in gone), "a plain copy would take it along"
    assert (said, machine.copy.stat().st_mode & 0o777) == ("", 0o600)
    assert re.fullmatch(r"snapshot-\d{4}-\d\d-\d\d\.db", machine.copy.name)

    restored = await machine.is_restored()
    id = (await machine.the_snapshot()).snapshot.id
    assert "fine  store: 1 snapshots" in restored
    assert f"{id}: open, key in use" in restored
    assert problems(restored) == set()


async def test_copies_are_deleted_before_people_were_told_that_they_are(machine: Machine) -> None:
    folder = machine.srv / "backup"
    folder.mkdir()
    for days in (1, 28, 29, 40):
        copy = folder / f"snapshot-{days}.db"
        copy.touch()
        then = (datetime.now(UTC) - timedelta(days=days, minutes=1)).timestamp()
        os.utime(copy, (then, then))
    await machine.does(TIDY)
    assert sorted(p.name for p in folder.iterdir()) == ["snapshot-1.db", "snapshot-28.db"]


async def test_where_the_path_is_wrong_doctor_counts_no_snapshots(machine: Machine) -> None:
    """The last block is the one before an upgrade."""
    wrong = machine.of_what_was_restored
    right, empty = await asyncio.gather(
        machine.does(LOOK_BEFORE), machine.command("doctor", **wrong)
    )
    assert "fine  store: 1 snapshots" in right
    assert "fine  store: 0 snapshots" in empty


# -- old copies -----------------------------------------------------------------------------------


async def test_a_copy_from_before_a_mixing_is_told_and_does_not_close(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    snapshot = (await machine.the_snapshot()).snapshot
    await machine.does(COPY)
    assert await machine.does(TOO_OLD) == ""
    first, second, *_ = mixings(snapshot)
    machine.bot.clock.now = first
    assert [deed.did for deed in await machine.bot.works()] == ["mixed"]
    assert await machine.does(TOO_OLD) == f"{machine.keys / snapshot.id}.pin\n"

    async with machine.restored_bot() as bot:
        assert await keys_of(bot) == ["open, in use, old copy"]
        assert [found async for found in examined(bot.settings) if found.problem] == []
        assert problems(capfd.readouterr().err) == set()
        bot.clock.now = second
        assert await bot.works() == []
        assert problems(capfd.readouterr().err) == {("work failed", "Tampered")}
        bot.clock.now = snapshot.deadline
        assert await bot.works() == []
        assert problems(capfd.readouterr().err) == {("work failed", "Tampered")}
        assert await keys_of(bot) == ["closing, in use, old copy"]
    # Nothing of that is pinned: the newest database is in time, and closes.
    await machine.bot.restarts()
    assert await keys_of(machine.bot) == ["open, in use"]
    machine.bot.clock.now = snapshot.deadline
    assert "closed" in [deed.did for deed in await machine.bot.works()]
    assert await keys_of(machine.bot) == ["closed, in use"]


async def is_extended(machine: Machine) -> None:
    running, service = await machine.the_snapshot(), machine.bot.app.service
    later = running.snapshot.deadline + timedelta(days=2)
    await extend(running, service.records, later, "More time", service.clock())


async def is_closed(machine: Machine) -> None:
    running, service = await machine.the_snapshot(), machine.bot.app.service
    await begin_close(running, service.records, service.clock())
    await machine.bot.works()


async def is_over(machine: Machine) -> None:
    await is_closed(machine)
    machine.bot.clock.moves(days=8)
    assert "key-destroyed" in [deed.did for deed in await machine.bot.works()]


@pytest.mark.parametrize(
    ("happens", "error"),
    [(is_extended, "Tampered"), (is_closed, "Tampered"), (is_over, "WrongKey")],
)
async def test_what_was_moved_closed_or_ended_since_the_copy_is_stopped_at_once(
    machine: Machine,
    capfd: pytest.CaptureFixture[str],
    happens: Callable[[Machine], Awaitable[None]],
    error: str,
) -> None:
    await machine.does(COPY)
    await happens(machine)
    capfd.readouterr()
    async with machine.restored_bot() as bot:
        assert await keys_of(bot) == ["open, stopped"]
        assert problems(capfd.readouterr().err) == {("snapshot stopped", error)}


async def test_what_comes_back_after_its_key_was_destroyed_is_purged(machine: Machine) -> None:
    running = await machine.the_snapshot()
    await is_closed(machine)
    await machine.does(COPY)
    machine.bot.clock.moves(days=8)
    await machine.bot.works()
    async with machine.restored_bot() as bot:
        assert await keys_of(bot) == ["closed, stopped"]
        app = bot.app
        deleted = [d async for d in purge_snapshot(app.service, app.keys, running.snapshot.id)]
        assert deleted[-1].done > 200
        assert await keys_of(bot) == []


async def test_whoever_withdrew_since_the_copy_was_made_is_back(machine: Machine) -> None:
    async with Teams(machine.bot.url) as teams:
        (ada,) = respondents(teams, 1, ("Police",), Random(1))
        await ada.takes_part()
        await machine.does(COPY)
        await ada.person.types("withdraw")
        await ada.person.presses("Yes, delete my answers")
    assert await _sent(machine.bot) == 200
    async with machine.restored_bot() as bot:
        assert await _sent(bot) == 201


async def _sent(bot: BotOnDemand) -> int:
    (running,) = await bot.app.service.directory.all(fresh=True)
    records, id = bot.app.service.records, running.snapshot.id
    return len(await records.heads(id, Kind.ENVELOPE, State.SUBMITTED))


# -- upgrades -------------------------------------------------------------------------------------


async def test_what_was_opened_before_another_version_of_the_statements_ends_all_the_same(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    bot = machine.bot
    await is_closed(machine)
    bot.clock.moves(days=30)
    bot.content = with_another_version(machine.top / "content")
    await bot.restarts()
    capfd.readouterr()
    assert [deed.did for deed in await bot.works()] == ["key-destroyed"]
    assert [deed.did for deed in await bot.works()] == ["people-deleted"]
    assert problems(capfd.readouterr().err) == set()
    assert await keys_of(bot) == ["closed, destroyed"]


async def test_what_is_open_under_another_version_of_the_statements_is_stopped(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    bot, ours = machine.bot, machine.bot.content
    bot.content = with_another_version(machine.top / "content")
    await bot.restarts()
    capfd.readouterr()
    assert await bot.works() == []
    assert problems(capfd.readouterr().err) == {("snapshot stopped", "OtherInstrument")}
    assert await keys_of(bot) == ["open, stopped"]

    bot.content = ours
    await bot.restarts()
    assert await keys_of(bot) == ["open, in use"]


def with_another_version(folder: Path) -> Path:
    """Our own packs, whose statements have a version of their own."""
    folder.mkdir()
    for pack in (ROOT / "content").glob("*.yaml"):
        text = pack.read_text(encoding="utf-8")
        if pack.name.startswith("instrument."):
            text, found = re.subn(r'^version: ".*"$', 'version: "9.9.9"', text, flags=re.MULTILINE)
            assert found == 1
        (folder / pack.name).write_text(text, encoding="utf-8")
    return folder


# -- keys that are lost ---------------------------------------------------------------------------


async def test_with_its_key_lost_a_bot_that_runs_can_still_close(machine: Machine) -> None:
    id = (await machine.the_snapshot()).snapshot.id
    await machine.bot.stops()
    environment = {**machine.bot.environment}
    async with Serving(machine.top, environment) as bot, Teams(bot.url) as teams:
        fay, ada, channel = teams.person("Fay"), teams.person("Ada"), teams.channel()
        await fay.posts("status", channel)
        (machine.keys / f"{id}.key").unlink()
        assert asks_about(await begins(ada)) == "AW1"
        await closes(fay, channel)
        summary = await summary_in(teams, channel)
        assert "about 200 practitioners" in summary.card.words
    await machine.bot.starts()
    assert await keys_of(machine.bot) == ["closed, stopped"]


async def test_with_its_key_lost_and_started_again_it_is_stopped_until_the_key_is_back(
    machine: Machine,
) -> None:
    id = (await machine.the_snapshot()).snapshot.id
    key = machine.keys / f"{id}.key"
    away = key.rename(machine.top / "key")
    said = await machine.does(LOOK)
    assert "fine  keys" in said, "it does not look at each"
    assert f"{id}: open, key stopped" in said
    assert problems(said) == {("snapshot stopped", "WrongKey")}
    away.rename(key)
    await machine.bot.restarts()
    assert await keys_of(machine.bot) == ["open, in use"]


async def test_with_its_pins_lost_it_looks_well_until_the_next_mixing(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    snapshot = (await machine.the_snapshot()).snapshot
    first, second, *_ = mixings(snapshot)
    machine.bot.clock.now = first
    await machine.bot.works()
    (machine.keys / f"{snapshot.id}.lock").unlink()
    (machine.keys / f"{snapshot.id}.pin").unlink()
    await machine.bot.restarts()
    await machine.the_snapshot()
    assert problems(capfd.readouterr().err) == set()
    machine.bot.clock.now = second
    await machine.bot.works()
    assert problems(capfd.readouterr().err) == {("work failed", "Tampered")}


async def test_with_the_services_key_lost_a_bot_that_runs_goes_on_and_does_not_start_again(
    machine: Machine,
) -> None:
    async with Teams(machine.bot.url) as teams:
        fay, channel = teams.person("Fay"), teams.channel()
        assert "is open" in (await fay.posts("status", channel)).words
        key = machine.keys / "service.key"
        away = key.rename(machine.top / "service")
        assert await _ready(machine.bot) == (503, {"missing": ["keys"]})
        await machine.bot.works()
        assert "is open" in (await fay.posts("status", channel)).words
        assert asks_about(await begins(teams.person("Ada"))) == "AW1"

        await machine.bot.stops()
        with pytest.raises(BadSettings, match="holds no key of the name 'service'"):
            await machine.bot.starts()
        assert not key.exists(), "none is made in its place"

        away.replace(key)
        await machine.bot.starts()
        assert "is open" in (await fay.posts("status", channel)).words


async def _ready(bot: BotOnDemand) -> tuple[int, object]:
    async with aiohttp.ClientSession() as session, session.get(f"{bot.url}/readyz") as answer:
        return answer.status, await answer.json()
