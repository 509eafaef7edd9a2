"""`python -m bot purge`: of a snapshot that is over nothing is left, whatever comes in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bot.purging import CannotPurge, purge_snapshot
from bot.rehearsal.teams import Teams
from snapshot.closing import begin_close
from snapshot.lead_lists import Row
from snapshot.leads import add
from snapshot.ports import Kind, Record, Unavailable
from storage.keyfiles import KeyFiles
from tests.cosmos.server import Server, settings_for
from tests.ports import free_port
from tests.stories.conftest import RunningBot
from tests.stories.people import AGENCIES, closes, respondents, summary_in
from tests.stories.processes import command
from tests.stories.test_keys import the_snapshot

CANARY = "zqxj.lead@exampleshire.example"


async def a_snapshot_that_is_over(bot: RunningBot, teams: Teams) -> str:
    """Twelve people have answered, there is a lead, and it has closed."""
    fay, channel = teams.person("Fay"), teams.channel()
    await fay.posts("status", channel)
    running = await the_snapshot(bot)
    await add(running, bot.app.service.records, [Row(1, CANARY, "Zed", "School")])
    await asyncio.gather(*(p.takes_part() for p in respondents(teams, 12, AGENCIES, Random(1))))
    await closes(fay, channel)
    await summary_in(teams, channel)
    await bot.stops_working()
    await bot.app.worker.do_due()
    return str(running.snapshot.id)


async def purges(bot: RunningBot, *words: str, typed: str = "") -> tuple[int | None, str]:
    ended = await command(bot, "purge", *words, typed=typed)
    return ended.code, ended.out + ended.err


async def kinds_left(bot: RunningBot, id: str) -> set[Kind]:
    records = bot.app.service.records
    return {kind for kind in Kind if await records.heads(id, kind)}  # type: ignore[arg-type]


async def test_nothing_of_it_is_left_in_the_store_or_its_files(
    teams: Teams, bot: RunningBot
) -> None:
    id = await a_snapshot_that_is_over(bot, teams)
    assert await kinds_left(bot, id) >= {Kind.SLIP, Kind.ENVELOPE, Kind.LEAD, Kind.PUBLICATION}
    files = [bot.folder / "snapshot.db", bot.folder / "snapshot.db-wal"]
    assert any(id.encode() in file.read_bytes() for file in files if file.exists())
    await bot.stops()
    code, said = await purges(bot, id, "--yes")
    assert code == 0, said
    assert "Nothing is left" in said
    assert not any(id.encode() in file.read_bytes() for file in files if file.exists())
    assert [p.name for p in (bot.folder / "keys").iterdir() if id in p.name] == []
    await bot.starts()
    assert await bot.app.service.directory.all() == []
    code, said = await purges(bot, id, "--yes")
    assert code == 1
    assert f"There is no snapshot {id}" in said


async def test_it_asks_for_the_id_once_more(teams: Teams, bot: RunningBot) -> None:
    id = await a_snapshot_that_is_over(bot, teams)
    code, said = await purges(bot, id, typed="yes\n")
    assert code == 1
    assert "Nothing was deleted" in said
    assert Kind.SLIP in await kinds_left(bot, id)
    code, said = await purges(bot, id, typed=f"{id}\n")
    assert code == 0
    assert await kinds_left(bot, id) == set()


async def test_one_that_is_open_is_refused(bot: RunningBot) -> None:
    id = (await the_snapshot(bot)).snapshot.id
    code, said = await purges(bot, id, "--yes")
    assert code == 1
    assert "has not closed yet" in said
    assert (await the_snapshot(bot)).snapshot.id == id


async def test_one_whose_key_is_lost_goes_only_if_that_is_said(
    teams: Teams, bot: RunningBot
) -> None:
    id = (await the_snapshot(bot)).snapshot.id
    await asyncio.gather(*(p.takes_part() for p in respondents(teams, 3, AGENCIES, Random(1))))
    code, said = await purges(bot, id, "--yes", "--stopped")
    assert code == 1
    assert "has not closed yet" in said, "it is not stopped"
    key = bot.folder / "keys" / f"{id}.key"
    key.unlink()
    code, said = await purges(bot, id, "--yes")
    assert code == 1
    assert "Look whether the keys can be brought back" in said
    assert Kind.ENVELOPE in await kinds_left(bot, id)
    code, said = await purges(bot, id, "--yes", "--stopped")
    assert code == 0, said
    assert await kinds_left(bot, id) == set()


async def test_one_that_never_ends_its_close_goes_only_if_that_is_said(
    teams: Teams, bot: RunningBot
) -> None:
    """As after an old copy of the database was put back."""
    await bot.stops_working()
    service = bot.app.service
    running = await begin_close(await the_snapshot(bot), service.records, bot.clock())
    code, said = await purges(bot, running.snapshot.id, "--yes")
    assert code == 1
    assert "is closing" in said
    code, said = await purges(bot, running.snapshot.id, "--yes", "--stopped")
    assert code == 0, said
    assert await kinds_left(bot, running.snapshot.id) == set()


@pytest.mark.parametrize("most", [0, 20])
async def test_interrupted_it_is_done_again_and_nothing_opens_meanwhile(
    teams: Teams, bot: RunningBot, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    id = await a_snapshot_that_is_over(bot, teams)
    keys, service = KeyFiles(bot.folder / "keys"), bot.app.service
    monkeypatch.setattr(type(service.records), "delete", _failing(service.records, most))
    with pytest.raises(Unavailable):
        _ = [each async for each in purge_snapshot(service, keys, id)]
    monkeypatch.undo()
    await bot.restarts()
    (known,) = await bot.app.service.directory.all()
    assert known.key_is_gone, "the key goes first"
    done = [each async for each in purge_snapshot(bot.app.service, keys, id)]
    assert done[-1].done == done[-1].of
    assert await kinds_left(bot, id) == set()
    with pytest.raises(CannotPurge):
        _ = [each async for each in purge_snapshot(bot.app.service, keys, id)]


def _failing(records: Any, most: int) -> Callable[..., Awaitable[None]]:
    delete, done = type(records).delete, 0

    async def failing(self: Any, record: Record) -> None:
        nonlocal done
        if done == most:
            raise Unavailable
        done += 1
        await delete(self, record)

    return failing


async def test_on_cosmos_db_it_is_the_same(cosmos: Server, tmp_path: Path) -> None:
    more = settings_for(cosmos.new_database())
    bot = RunningBot(tmp_path, free_port(), more_settings=more)
    await bot.starts()
    await bot.opens_a_snapshot()
    async with Teams(bot.url) as teams:
        id = await a_snapshot_that_is_over(bot, teams)
        assert Kind.SLIP in await kinds_left(bot, id)
        code, said = await purges(bot, id, "--yes")
        assert code == 0, said
        assert await kinds_left(bot, id) == set()
    await bot.stops()
