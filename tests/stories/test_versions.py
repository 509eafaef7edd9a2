"""A database from an older version opens, one from a newer is refused, and damage stops nobody."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bot.rehearsal.teams import Teams
from snapshot.calendar import mixings
from snapshot.envelope import State
from snapshot.opening import Running
from snapshot.ports import DIRECTORY, Kind, Record
from snapshot.sealing import BALLOT_BYTES, CONTACT_BYTES, Sealer
from snapshot.tally import Tally
from storage.cosmos import CosmosRecords
from storage.cosmos_opening import SCHEMA_VERSION, VERSION_ITEM, Account
from tests.cosmos.server import Server, settings_for
from tests.ports import free_port
from tests.stories.opening import BotOnDemand
from tests.stories.people import answers, begins, closes, respondents, sends, summary_in
from tests.stories.processes import start
from tests.stories.test_on_cosmos import check

PEOPLE = 30


@pytest.fixture(params=["sqlite", "cosmos"])
async def bot(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    more: Mapping[str, str] = {}
    if request.param == "cosmos":
        server: Server = request.getfixturevalue("cosmos")
        more = settings_for(server.new_database())
    async with BotOnDemand(tmp_path, free_port(), more_settings=more) as running:
        await running.opens_a_snapshot()
        yield running


async def the_snapshot(bot: BotOnDemand) -> Running:
    (running,) = await bot.app.service.directory.all(fresh=True)
    return running


async def envelopes(bot: BotOnDemand) -> list[Record]:
    id = (await the_snapshot(bot)).snapshot.id
    return await bot.app.service.records.read_all(id, Kind.ENVELOPE)


# -- versions -------------------------------------------------------------------------------------


async def written_by_an_older_version(bot: BotOnDemand) -> None:
    """From before there were extensions, moderators, comments and people who want quiet."""
    running = await the_snapshot(bot)
    records, sealer = bot.app.service.records, running.sealer
    settings = without(running.snapshot.as_json(), "extensions")
    older = {"settings": settings, "settings_seal": sealer.seal(settings, "settings")}
    body = without({**running.record.body, **older}, "moderators")
    await records.replace(replace(running.record, body=body))
    for envelope in await envelopes(bot):
        body = {
            "ballot": resealed(sealer, envelope, "ballot", "comments", BALLOT_BYTES),
            "contact": resealed(sealer, envelope, "contact", "quiet", CONTACT_BYTES),
        }
        await records.replace(replace(envelope, body=body))


def resealed(sealer: Sealer, envelope: Record, part: str, field: str, size: int) -> str:
    held = sealer.open(envelope.body[part], part, envelope.id)
    assert field in held
    return sealer.seal(without(held, field), part, envelope.id, size=size)


def without(held: Mapping[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in held.items() if name != field}


async def test_a_database_from_an_older_version_opens_and_everybody_in_it_is_counted(
    teams: Teams, bot: BotOnDemand
) -> None:
    fay, channel = teams.person("Facilitator"), teams.channel()
    await fay.posts("status", channel)
    ada, *others = respondents(teams, 10, ("Police",), Random(10))
    await asyncio.gather(*(one.takes_part() for one in others))
    await begins(ada.person, ada.agency)
    await answers(ada.person, ada.options[:9])
    await written_by_an_older_version(bot)
    await bot.restarts()

    assert "10 of 22" in (await ada.person.opens_the_chat()).words
    await answers(ada.person, ada.options[9:])
    await sends(ada.person)
    await closes(fay, channel)
    assert [deed.did for deed in await bot.works()] == ["closed", "posted-final"]
    await check(bot, [ada, *others])


async def written_by_a_newer_version(bot: BotOnDemand) -> None:
    if bot.settings.cosmos is None:
        with closing(sqlite3.connect(bot.settings.database)) as database:
            database.execute("PRAGMA user_version = 99")
        return
    async with CosmosRecords(account_of(bot)) as records:
        newer = {"id": VERSION_ITEM, "snapshot": DIRECTORY, "version": SCHEMA_VERSION + 1}
        await records._items.upsert_item(newer)


def account_of(bot: BotOnDemand) -> Account:
    settings = bot.settings
    assert settings.cosmos
    key = settings.cosmos_key.get_secret_value()
    return Account(*settings.cosmos, key, settings.cosmos_ca_file)


@pytest.mark.parametrize("command", ["serve", "tick"])
async def test_a_database_from_a_newer_version_is_refused_with_what_to_do(
    bot: BotOnDemand, command: str
) -> None:
    await written_by_a_newer_version(bot)
    before = await envelopes(bot)
    process = await start(bot.folder, bot.environment, command)
    await process.communicate()
    assert process.returncode == 1
    said = (bot.folder / "bot.log").read_text()
    assert said.startswith("The bot cannot start like this.\nNewerDatabase: ")
    assert said.endswith("written by a newer version of this program; please update it\n")
    assert await envelopes(bot) == before


# -- damage ---------------------------------------------------------------------------------------


async def damage_one(bot: BotOnDemand) -> str:
    """Flip one bit of somebody's sealed ballot; their tag."""
    envelope = Random(30).choice(await envelopes(bot))
    raw = bytearray(base64.b64decode(envelope.body["ballot"]))
    raw[len(raw) // 2] ^= 1
    body = {**envelope.body, "ballot": base64.b64encode(raw).decode()}
    await bot.app.service.records.replace(replace(envelope, body=body))
    return envelope.id


async def test_of_thirty_people_one_s_envelope_is_damaged_and_the_others_are_counted(
    teams: Teams, bot: BotOnDemand, capfd: pytest.CaptureFixture[str]
) -> None:
    fay, channel = teams.person("Facilitator"), teams.channel()
    await fay.posts("status", channel)
    everybody = respondents(teams, PEOPLE, ("Police",), Random(30))
    await asyncio.gather(*(one.takes_part() for one in everybody))
    tag = await damage_one(bot)
    capfd.readouterr()

    id = (await the_snapshot(bot)).snapshot.id
    bot.clock.now = next(mixings((await the_snapshot(bot)).snapshot))
    assert [deed.did for deed in await bot.works()] == ["mixed"]
    alarms = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    (alarm,) = [line for line in alarms if line["level"] == "error"]
    assert alarm["event"] == "damaged envelopes set aside"
    assert without(alarm, "timestamp").keys() == {"event", "level", "snapshot", "how_many"}
    assert (alarm["snapshot"], alarm["how_many"]) == (id, 1)

    await closes(fay, channel)
    assert [deed.did for deed in await bot.works()] == ["closed", "posted-final"]
    assert "Summary for Exampleshire" in (await summary_in(teams, channel)).card.words
    records = bot.app.service.records
    tallies = [Tally.from_json(r.id, r.body) for r in await records.read_all(id, Kind.TALLY)]
    assert sum(t.people for t in tallies) == PEOPLE - 1
    states = Counter(envelope.state for envelope in await envelopes(bot))
    assert states == {State.RELEASED: PEOPLE - 1, State.DAMAGED: 1}
    assert not any(any(envelope.body.values()) for envelope in await envelopes(bot))

    log = "".join(capfd.readouterr())
    secrets = [tag, *(p.person.name for p in everybody), *(p.person.object_id for p in everybody)]
    assert [secret for secret in secrets if secret in log] == []
