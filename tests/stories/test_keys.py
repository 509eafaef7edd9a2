"""The life of a snapshot's key: some days after the close it is destroyed, and nothing opens."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from bot.keys import key_statuses
from bot.rehearsal.teams import PersonHere, Teams
from content.packs import HERE
from snapshot.keeping import Keeping
from snapshot.opening import Running
from snapshot.ports import DIRECTORY, KeyMissing, Kind
from snapshot.snapshot import Phase
from tests.stories.conftest import RunningBot
from tests.stories.people import AGENCIES, begins, closes, respondents, summary_in
from tests.stories.processes import command

ROOT = Path(__file__).parents[2]
KEY_DAYS = 7


@pytest.fixture
async def channel(teams: Teams, bot: RunningBot) -> str:
    """A snapshot that twelve people answered, and that has closed."""
    facilitator, channel = teams.person("Fay"), teams.channel()
    await facilitator.posts("status", channel)
    await asyncio.gather(*(p.takes_part() for p in respondents(teams, 12, AGENCIES, Random(1))))
    await closes(facilitator, channel)
    await summary_in(teams, channel)
    await bot.stops_working()
    await bot.app.worker.do_due()
    return channel


async def the_snapshot(bot: RunningBot) -> Running:
    (running,) = await bot.app.service.directory.all(fresh=True)
    return running


async def work_of_today(bot: RunningBot) -> list[str]:
    return [deed.did for deed in await bot.app.worker.do_due()]


def files_of_the_key(bot: RunningBot) -> list[str]:
    return [p.name for p in (bot.folder / "keys").iterdir() if not p.name.startswith("service")]


async def test_seven_days_after_the_close_the_key_is_destroyed(
    channel: str, teams: Teams, bot: RunningBot, capfd: pytest.CaptureFixture[str]
) -> None:
    bot.clock.moves(days=KEY_DAYS - 1)
    assert await work_of_today(bot) == []
    assert len(files_of_the_key(bot)) == 3, "the key, its pin and their lock"
    bot.clock.moves(days=1)
    assert await work_of_today(bot) == ["key-destroyed"]
    assert files_of_the_key(bot) == []
    assert await work_of_today(bot) == []

    await bot.restarts()

    facilitator = teams.person("Fay")
    status = await facilitator.posts("status", channel)
    assert "about 10 practitioners" in status.words
    assert "The snapshot closed on" in (await teams.person("Ada").opens_the_chat()).words
    assert '"level": "error"' not in "".join(capfd.readouterr())


async def test_a_service_key_that_is_lost_is_never_made_anew(bot: RunningBot) -> None:
    """What was sealed under the old one would be lost for good once it is brought back."""
    key = bot.folder / "keys" / "service.key"
    await bot.stops()
    kept = key.rename(bot.folder / "elsewhere")
    for word in ("serve", "tick", "doctor"):
        code, said = await runs(bot, word)
        assert code == 1
        assert "'service'" in said
        assert "ended by a fault" not in said
        assert not key.exists(), word
    kept.rename(key)
    await bot.starts()
    assert (await the_snapshot(bot)).phase is Phase.OPEN


async def test_lost_while_the_bot_runs_nothing_new_is_opened(bot: RunningBot) -> None:
    key = bot.folder / "keys" / "service.key"
    key.unlink()
    with pytest.raises(KeyMissing):
        await bot.opens_a_snapshot(seed=2)
    assert not key.exists()


async def runs(bot: RunningBot, word: str) -> tuple[int | None, str]:
    ended = await command(bot, word)
    return ended.code, ended.out + ended.err


async def test_a_closed_snapshot_of_another_version_loses_its_key_all_the_same(
    channel: str,
    teams: Teams,
    bot: RunningBot,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """After an upgrade nobody can read its figures; what people were promised is kept."""
    running = await the_snapshot(bot)
    await bot.stops()
    bot.content = another_version(tmp_path / "content")
    await bot.starts()
    await bot.stops_working()
    capfd.readouterr()
    assert await bot.app.service.directory.all(fresh=True) == []
    bot.clock.moves(days=KEY_DAYS)
    assert await work_of_today(bot) == ["key-destroyed"]
    assert files_of_the_key(bot) == []
    (kept,) = await bot.app.service.directory.kept()
    assert (kept.snapshot.id, kept.key_is_gone) == (running.snapshot.id, True)
    assert [each.key for each in await key_statuses(bot.app.service)] == ["destroyed"]
    await bot.app.service.directory.all(fresh=True)
    logged = "".join(capfd.readouterr())
    assert '"level": "error"' not in logged
    assert logged.count("snapshot of another version") == 2, "once for each state of it"
    bot.clock.moves(days=Keeping().people_days)
    assert await work_of_today(bot) == ["people-deleted"]
    assert "No snapshot is open" in (await teams.person("Fay").posts("status", channel)).words


async def test_one_of_another_version_that_was_changed_is_worked_on_no_more(
    channel: str, bot: RunningBot, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await bot.stops()
    bot.content = another_version(tmp_path / "content")
    await bot.starts()
    await bot.stops_working()
    (kept,) = await bot.app.service.directory.kept()
    settings = {**kept.record.body["settings"], "area": "Elsewhere"}
    changed = replace(kept.record, body={**kept.record.body, "settings": settings})
    await bot.app.service.records.replace(changed)
    assert await bot.app.service.directory.kept() == []
    bot.clock.moves(days=KEY_DAYS)
    assert await work_of_today(bot) == []
    assert '"error": "Tampered"' in "".join(capfd.readouterr())


def another_version(folder: Path) -> Path:
    """Our own content, of a later year."""
    shutil.copytree(HERE, folder)
    for file in folder.glob("instrument.*.yaml"):
        text = file.read_text(encoding="utf-8")
        changed = re.sub(r'^version: ".*"$', 'version: "9.9.9"', text, flags=re.MULTILINE)
        assert changed != text
        file.write_text(changed, encoding="utf-8")
    return folder


async def test_nobody_is_known_any_more(channel: str, teams: Teams, bot: RunningBot) -> None:
    """Tags match nobody, not even with a full list of staff; before, they told who took part."""
    ada = next(s for s in teams.sent if s.conversation.startswith("a:")).conversation
    person = PersonHere(teams, "Canary", "tenant-of-exampleshire", ada.rpartition("-of-")[2])
    assert "have been mixed" in (await person.opens_the_chat()).words
    bot.clock.moves(days=KEY_DAYS)
    await bot.app.worker.do_due()
    assert "have been mixed" not in (await person.opens_the_chat()).words


async def test_a_snapshot_that_is_marked_is_finished_by_the_next(
    channel: str, bot: RunningBot
) -> None:
    """Killed between the mark and the key: the key still fits, so it is not taken for lost."""
    bot.clock.moves(days=KEY_DAYS)
    running = await the_snapshot(bot)
    kept = running.service.seal(
        [running.record.body["settings"], running.record.state, running.closed],
        "kept",
        running.snapshot.id,
    )
    body = {**running.record.body, "kept": kept}
    await bot.app.service.records.replace(replace(running.record, body=body))
    assert await work_of_today(bot) == ["key-destroyed"]
    assert files_of_the_key(bot) == []


async def test_whatever_is_changed_afterwards_stops_it_with_an_alarm(
    channel: str, teams: Teams, bot: RunningBot, capfd: pytest.CaptureFixture[str]
) -> None:
    bot.clock.moves(days=KEY_DAYS)
    await bot.app.worker.do_due()
    record = (await the_snapshot(bot)).record
    settings = {**record.body["settings"], "area": "Elsewhere"}
    changed = replace(record, body={**record.body, "settings": settings})
    await bot.app.service.records.replace(changed)
    assert await bot.app.service.directory.all(fresh=True) == []
    assert '"snapshot stopped"' in "".join(capfd.readouterr())


async def test_a_mark_does_not_open_a_way_around_the_seal(
    teams: Teams, bot: RunningBot, capfd: pytest.CaptureFixture[str]
) -> None:
    """Somebody marks an open snapshot in the database: its own seal still counts."""
    running = await the_snapshot(bot)
    settings = {**running.record.body["settings"], "k": 2}
    body = {**running.record.body, "settings": settings, "kept": "AAAA"}
    await bot.app.service.records.replace(replace(running.record, body=body))
    assert await bot.app.service.directory.all(fresh=True) == []
    assert '"error": "Tampered"' in "".join(capfd.readouterr())


async def test_a_key_that_was_lost_is_not_one_that_was_destroyed(
    teams: Teams, bot: RunningBot, capfd: pytest.CaptureFixture[str]
) -> None:
    await begins(teams.person("Ada"))
    running = await the_snapshot(bot)
    (bot.folder / "keys" / f"{running.snapshot.id}.key").unlink()
    await bot.restarts()
    assert await bot.app.service.directory.all(fresh=True) == []
    assert '"error": "WrongKey"' in "".join(capfd.readouterr())


# -- the command line -----------------------------------------------------------------------------


async def keys(bot: RunningBot, *words: str) -> tuple[int | None, str]:
    """Exit code and all that it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "keys",
        *words,
        cwd=ROOT,
        env={**os.environ, **bot.environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_an_operator_sees_when_a_key_is_due_and_can_destroy_it_before(
    channel: str, bot: RunningBot
) -> None:
    id = (await the_snapshot(bot)).snapshot.id
    due = f"{id}: closed, key in use, due to be destroyed on 2026-03-09\n"
    assert await keys(bot, "status") == (0, due)
    destroyed = f"The key of {id} has been destroyed.\n"
    assert await keys(bot, "destroy", id, "--yes") == (0, destroyed)
    assert files_of_the_key(bot) == []
    assert await keys(bot, "status") == (0, f"{id}: closed, key destroyed\n")


async def test_the_key_of_an_open_snapshot_cannot_be_destroyed(bot: RunningBot) -> None:
    id = (await the_snapshot(bot)).snapshot.id
    refused = f"The key of {id} cannot be destroyed yet: the snapshot has not closed.\n"
    assert await keys(bot, "destroy", id, "--yes") == (1, refused)
    assert (bot.folder / "keys" / f"{id}.key").exists()
    assert [r.id for r in await bot.app.service.records.read_all(DIRECTORY, Kind.SNAPSHOT)] == [id]
