"""A snapshot whose key or settings do not fit is stopped with an alarm; another runs on."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bot.rehearsal.teams import PersonHere, Shown, Teams
from snapshot.envelope import State
from snapshot.opening import Running
from snapshot.ports import Kind, Record
from snapshot.publication import Outbox
from tests.ports import free_port
from tests.stories.opening import (
    BotOnDemand,
    a_form,
    goes_on,
    looks_once_more,
    opens_in,
    own_threads,
)
from tests.stories.people import (
    AGENCIES,
    answers,
    asks_about,
    begins,
    closes,
    respondents,
)

CANARY = "Canarywick"
"""The area of the broken one, which no log may name."""

type Break = Callable[[BotOnDemand, str], None]


@dataclass(frozen=True)
class Two:
    broken: Running
    sound: Running


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    async with BotOnDemand(tmp_path, free_port()) as running:
        yield running


@pytest.fixture
async def two(teams: Teams, bot: BotOnDemand) -> Two:
    """The one that will be broken is for another tenant, so that nobody has to choose."""
    form = a_form(area=CANARY)
    fay = teams.person("Fay", tenant="tenant-of-canarywick")
    channel = teams.channel("broken", tenant=fay.tenant)
    await looks_once_more(fay, channel, form)
    await goes_on(fay, channel)
    (broken,) = await bot.app.service.directory.all(fresh=True)
    sound = await opens_in(teams, bot, "sound")
    await bot.works()
    return Two(broken, sound)


@pytest.fixture
def carl(teams: Teams) -> PersonHere:
    """May take part in the one that will be broken."""
    return teams.person("Carl", tenant="tenant-of-canarywick")


# -- ways to break it -----------------------------------------------------------------------------


def key_file(bot: BotOnDemand, id: str) -> Path:
    return bot.folder / "keys" / f"{id}.key"


def without_its_key(bot: BotOnDemand, id: str) -> None:
    key_file(bot, id).unlink()


def with_another_key(bot: BotOnDemand, id: str) -> None:
    key_file(bot, id).write_bytes(b"\x07" * 32)


def with_half_a_key(bot: BotOnDemand, id: str) -> None:
    key_file(bot, id).write_bytes(key_file(bot, id).read_bytes()[:16])


def with_a_key_that_others_may_read(bot: BotOnDemand, id: str) -> None:
    key_file(bot, id).chmod(0o644)


def rewritten(change: Callable[[dict[str, Any]], object]) -> Break:
    """Its record in the database file, changed by whoever can write there."""

    def rewrite(bot: BotOnDemand, id: str) -> None:
        with closing(sqlite3.connect(bot.folder / "snapshot.db")) as database, database:
            (body,) = database.execute("SELECT body FROM records WHERE id = ?", (id,)).fetchone()
            record = json.loads(body)
            change(record)
            database.execute("UPDATE records SET body = ? WHERE id = ?", (json.dumps(record), id))

    return rewrite


KEYS: dict[str, Break] = {
    "WrongKey: no key": without_its_key,
    "WrongKey: another key": with_another_key,
    "WrongKey: half a key": with_half_a_key,
    "WrongKey: a key for all to read": with_a_key_that_others_may_read,
}
FIELDS: dict[str, Break] = {
    "Tampered: k": rewritten(lambda r: r["settings"].update(k=3)),
    "Tampered: k as text": rewritten(lambda r: r["settings"].update(k="10")),
    "Tampered: deadline": rewritten(
        lambda r: r["settings"].update(deadline="2026-03-03T09:00:00+00:00")
    ),
    "Tampered: headcount of a cell": rewritten(
        lambda r: r["settings"]["cells"][0].update(headcount=1)
    ),
    "Tampered: a cell less": rewritten(lambda r: r["settings"]["cells"].pop()),
    "Tampered: tenants": rewritten(
        lambda r: r["settings"].update(tenants=["tenant-of-exampleshire"])
    ),
    "Tampered: front door": rewritten(
        lambda r: r["settings"]["contacts"].update(front_door_phone="0900 666 666")
    ),
    "Tampered: one setting more": rewritten(lambda r: r["settings"].update(moderators=[])),
    "Tampered: no settings": rewritten(lambda r: r.pop("settings")),
    "Tampered: settings of another shape": rewritten(lambda r: r.update(settings=["k", 3])),
    "Tampered: no seal": rewritten(lambda r: r.pop("settings_seal")),
    "Tampered: a seal of another shape": rewritten(lambda r: r.update(settings_seal=7)),
    "WrongKey: no check of the key": rewritten(lambda r: r.pop("key_check")),
    "WrongKey: a check of another shape": rewritten(lambda r: r.update(key_check=["AAAA"])),
}


def alarms(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What stands in the log as an error; none of it names the area, or shows what was typed."""
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    said = "\n".join(lines)
    for secret in (
        CANARY,
        "0900 666",
        "deadline",
        "headcount",
        "front_door",
        "Exampleshire",
        "MASH",
    ):
        assert secret not in said
    return [entry for line in lines if (entry := json.loads(line))["level"] == "error"]


async def runs_on(teams: Teams, bot: BotOnDemand, two: Two) -> None:
    """The sound one takes answers and is mixed."""
    assert asks_about(await begins(teams.person("Ada"))) == "AW1"
    bot.clock.moves(days=3)
    assert ("mixed", two.sound.snapshot.id) in [(d.did, d.snapshot) for d in await bot.works()]


# -- the stories ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [*KEYS, *FIELDS])
async def test_what_is_broken_when_the_bot_starts_is_stopped_with_an_alarm(
    teams: Teams,
    bot: BotOnDemand,
    two: Two,
    carl: PersonHere,
    capsys: pytest.CaptureFixture[str],
    how: str,
) -> None:
    id = two.broken.snapshot.id
    await bot.stops()
    {**KEYS, **FIELDS}[how](bot, id)
    await bot.starts()
    await runs_on(teams, bot, two)
    assert "No snapshot is open for you here" in (await carl.types("start")).words
    facilitator = teams.person("Fay", tenant=carl.tenant)
    shown = await facilitator.posts("status", teams.channel("broken", tenant=carl.tenant))
    assert "No snapshot is open in this channel" in shown.words
    found = alarms(capsys)
    assert found
    for alarm in found:
        assert (alarm["event"], alarm["snapshot"]) == ("snapshot stopped", id)
        assert alarm["error"] == how.partition(":")[0]


@pytest.mark.parametrize("how", ["Tampered: k", "Tampered: deadline", "Tampered: a cell less"])
async def test_what_is_rewritten_while_the_bot_runs_is_stopped_when_the_worker_looks(
    teams: Teams,
    bot: BotOnDemand,
    two: Two,
    carl: PersonHere,
    capsys: pytest.CaptureFixture[str],
    how: str,
) -> None:
    FIELDS[how](bot, two.broken.snapshot.id)
    await runs_on(teams, bot, two)
    assert "No snapshot is open for you here" in (await carl.types("start")).words
    assert {alarm["event"] for alarm in alarms(capsys)} == {"snapshot stopped"}


async def test_answers_in_a_rewritten_one_are_not_mixed_and_the_other_has_its_summary(
    teams: Teams, bot: BotOnDemand, two: Two
) -> None:
    """Whoever writes a smaller group into the database gets nothing for it."""
    few = [
        *respondents(teams, 4, AGENCIES[:1], Random(1)),
        *respondents(teams, 12, AGENCIES[:1], Random(2)),
    ]
    for someone in few[:4]:
        someone.person.tenant = "tenant-of-canarywick"
    await asyncio.gather(*(someone.takes_part() for someone in few))
    FIELDS["Tampered: k"](bot, two.broken.snapshot.id)
    bot.clock.moves(days=14)

    await bot.works()

    heads = await bot.app.service.records.heads(two.broken.snapshot.id, Kind.ENVELOPE)
    assert [head.state for head in heads] == [State.SUBMITTED] * 4
    broken = teams.channel("broken", tenant="tenant-of-canarywick")
    assert len(own_threads(teams, broken)) == 1, "what was posted at the opening, and no more"
    *_, summary = own_threads(teams, teams.channel("sound"))
    assert "about 10 practitioners" in summary.card.words


async def test_a_broken_post_is_told_of_and_holds_up_no_other(
    teams: Teams, bot: BotOnDemand, two: Two, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of an extension that somebody has emptied in the database nothing can be said."""
    records, id = bot.app.service.records, two.sound.snapshot.id
    empty = Record(id, Kind.PUBLICATION, "extension-001", {}, state=Outbox.RECORDED)
    await records.create(empty)
    bot.clock.moves(days=14)
    await bot.works()
    *_, last = own_threads(teams, teams.channel("sound"))
    assert "results are withheld" in last.card.words
    assert {alarm["event"] for alarm in alarms(capsys)} == {"letter failed"}


async def test_a_close_is_not_begun_on_a_snapshot_that_was_rewritten_meanwhile(
    teams: Teams, bot: BotOnDemand, two: Two
) -> None:
    fay = teams.person("Fay", tenant="tenant-of-canarywick")
    channel = teams.channel("broken", tenant=fay.tenant)
    await fay.posts("close", channel)
    FIELDS["Tampered: k"](bot, two.broken.snapshot.id)
    shown = await fay.presses_in(channel, "Yes, close it now")
    assert "No snapshot is open in this channel" in shown.words
    await bot.works()
    assert len(own_threads(teams, channel)) == 1


@pytest.mark.parametrize("how", KEYS)
async def test_with_its_key_put_back_it_runs_again_where_it_stopped(
    teams: Teams, bot: BotOnDemand, two: Two, carl: PersonHere, how: str
) -> None:
    await begins(carl)
    await answers(carl, ["Fully true"] * 3)
    key = key_file(bot, two.broken.snapshot.id)
    right_one = key.read_bytes()
    KEYS[how](bot, two.broken.snapshot.id)
    await bot.restarts()
    assert "No snapshot is open for you here" in (await carl.types("start")).words

    key.write_bytes(right_one)
    key.chmod(0o600)
    await bot.restarts()

    assert asks_about(await begins_again(carl)) == "AW4"
    channel = teams.channel("broken", tenant=carl.tenant)
    fay = teams.person("Fay", tenant=carl.tenant)
    assert f"The snapshot for {CANARY} is open" in (await fay.posts("status", channel)).words
    await closes(fay, channel)
    assert "closed" in [d.did for d in await bot.works() if d.snapshot == two.broken.snapshot.id]


async def begins_again(person: PersonHere) -> Shown:
    await person.types("start")
    return await person.presses("Continue")


async def test_a_lost_key_that_comes_back_while_the_bot_runs_is_taken_up_again(
    teams: Teams, bot: BotOnDemand, two: Two, carl: PersonHere
) -> None:
    key = key_file(bot, two.broken.snapshot.id)
    away = key.rename(key.with_suffix(".away"))
    await bot.restarts()
    await bot.works()
    away.rename(key)
    await bot.works()
    assert "Police" in (await carl.opens_the_chat()).buttons
