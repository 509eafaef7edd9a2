"""A deadline that is moved, and an opening that was cut short: what stands in the record holds."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from snapshot.closing import begin_close, finish_close
from snapshot.errors import NotLater, NotOpen, Tampered
from snapshot.opening import Running, extend, open_snapshot, take_up
from snapshot.ports import DIRECTORY, Exists, Kind, Record, SnapshotId, Unavailable
from snapshot.snapshot import Extension, Phase
from storage.keyfiles import KeyFiles
from storage.sqlite import SqliteRecords
from tests.core.exampleshire import (
    CONTACTS,
    INSTRUMENT,
    OPENED,
    Area,
    a_snapshot,
    no_waiting,
    open_area,
    person,
)
from tests.core.watching import AtWrite, Watched

type Settings = dict[str, Any]

A_SECOND = timedelta(seconds=1)
DEADLINE = a_snapshot().deadline
NOW = OPENED + timedelta(days=1)
NEXT_WEEK = DEADLINE + timedelta(days=7)
IN_TWO_WEEKS = DEADLINE + timedelta(days=14)
LONDON = ZoneInfo("Europe/London")

HALF_TERM = "Schools are on holiday."
INSPECTION = "There is an inspection."


async def moved(
    area: Area, deadline: datetime = NEXT_WEEK, reason: str = HALF_TERM, *, now: datetime = NOW
) -> Running:
    return await extend(area.running, area.records, deadline, reason, now)


async def kept(area: Area) -> Record:
    return await area.records.read(DIRECTORY, Kind.SNAPSHOT, area.running.snapshot.id)


async def after_a_restart(area: Area, folder: Path) -> Running:
    return await take_up(await kept(area), KeyFiles(folder / "keys"))


def at_the_first_write(area: Area, act: Callable[[], Awaitable[object]]) -> Area:
    """The same area for somebody whose first write comes too late: `act` is quicker."""
    return replace(area, records=Watched(area.records, AtWrite(0, act)))


# -- later only ----------------------------------------------------------------------------------


async def test_a_deadline_moves_later_and_the_old_one_and_the_reason_are_kept(area: Area) -> None:
    running = await moved(area)
    assert running.snapshot == replace(
        area.running.snapshot,
        deadline=NEXT_WEEK,
        extensions=(Extension(DEADLINE, HALF_TERM),),
    )
    assert running.phase is Phase.OPEN


@pytest.mark.parametrize("earlier", [timedelta(0), A_SECOND, timedelta(days=30)])
async def test_a_deadline_that_is_not_later_is_refused(area: Area, earlier: timedelta) -> None:
    before = await kept(area)
    with pytest.raises(NotLater):
        await moved(area, DEADLINE - earlier)
    assert await kept(area) == before


async def test_the_same_moment_in_another_zone_is_not_later(area: Area) -> None:
    with pytest.raises(NotLater):
        await moved(area, DEADLINE.astimezone(ZoneInfo("Pacific/Auckland")))


async def test_a_deadline_moves_until_the_second_before_it(area: Area) -> None:
    running = await moved(area, now=DEADLINE - A_SECOND)
    assert running.snapshot.deadline == NEXT_WEEK


@pytest.mark.parametrize("late", [timedelta(0), A_SECOND, timedelta(days=1)])
async def test_a_deadline_that_has_passed_stays(area: Area, late: timedelta) -> None:
    """Nobody has closed the snapshot yet, but people have been told that it is over."""
    before = await kept(area)
    with pytest.raises(NotOpen):
        await moved(area, now=DEADLINE + late)
    assert await kept(area) == before


async def test_a_snapshot_that_is_closing_or_closed_stays_so(area: Area) -> None:
    closing = await begin_close(area.running, area.records, NOW)
    with pytest.raises(NotOpen) as refused:
        await moved(replace(area, running=closing))
    assert refused.value.state == Phase.CLOSING

    await finish_close(closing, INSTRUMENT, area.records, dice=Random(1), wait=no_waiting)
    closed = closing.with_record(await kept(area))
    with pytest.raises(NotOpen) as refused:
        await moved(replace(area, running=closed))
    assert refused.value.state == Phase.CLOSED


async def test_who_read_that_it_is_open_before_it_closed_is_refused_too(area: Area) -> None:
    await begin_close(area.running, area.records, NOW)
    with pytest.raises(NotOpen) as refused:
        await moved(area)
    assert refused.value.state == Phase.CLOSING


# -- again, and a second time --------------------------------------------------------------------


async def test_the_same_tap_delivered_again_changes_nothing(area: Area) -> None:
    running = await moved(area)
    before = await kept(area)
    assert await moved(replace(area, running=running)) == running
    assert (await moved(area)).snapshot == running.snapshot
    assert await kept(area) == before


@pytest.mark.parametrize("fold", [0, 1])
async def test_also_with_a_deadline_in_the_hour_that_comes_twice(area: Area, fold: int) -> None:
    """Such a time is equal to no time of another zone, not even to its own in UTC."""
    half_past_one = datetime(2026, 10, 25, 1, 30, tzinfo=LONDON, fold=fold)
    running = await moved(area, half_past_one)
    assert (await moved(area, half_past_one)).snapshot == running.snapshot


async def test_the_second_half_past_one_is_later_than_the_first(area: Area) -> None:
    first = datetime(2026, 10, 25, 1, 30, tzinfo=LONDON)
    running = await moved(area, first)
    running = await moved(replace(area, running=running), first.replace(fold=1))
    assert running.snapshot.deadline == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


async def test_a_second_extension_keeps_both_old_deadlines_and_reasons(
    area: Area, tmp_path: Path
) -> None:
    await moved(area)
    await moved(area, IN_TWO_WEEKS, INSPECTION)
    snapshot = (await after_a_restart(area, tmp_path)).snapshot
    assert snapshot.deadline == IN_TWO_WEEKS
    assert snapshot.extensions == (
        Extension(DEADLINE, HALF_TERM),
        Extension(NEXT_WEEK, INSPECTION),
    )


async def test_another_reason_for_the_same_deadline_is_refused(area: Area) -> None:
    await moved(area)
    with pytest.raises(NotLater):
        await moved(area, NEXT_WEEK, INSPECTION)


async def test_a_tap_that_was_overtaken_by_a_later_deadline_is_refused(area: Area) -> None:
    await moved(area)
    await moved(area, IN_TWO_WEEKS, INSPECTION)
    with pytest.raises(NotLater):
        await moved(area)


async def test_between_the_old_deadline_and_the_new_one_it_can_move_again(area: Area) -> None:
    """Also by whoever has not heard of the new one: what a turn knows may be half a minute old."""
    await moved(area)
    assert (await moved(area, now=DEADLINE)).snapshot.deadline == NEXT_WEEK
    assert (await moved(area, IN_TWO_WEEKS, now=DEADLINE)).snapshot.deadline == IN_TWO_WEEKS


# -- one write -----------------------------------------------------------------------------------


async def test_settings_and_seal_change_in_one_write(area: Area, tmp_path: Path) -> None:
    """Whoever is killed before or after it leaves a snapshot that can be taken up."""
    watched = Watched(area.records)
    await moved(replace(area, records=watched))
    assert watched.verbs == ["read", "replace"]
    again = await after_a_restart(area, tmp_path)
    assert again.snapshot.deadline == NEXT_WEEK


async def test_what_an_extension_does_not_concern_stays_in_the_record(area: Area) -> None:
    first = area.running.record
    record = replace(first, body={**first.body, "channel": "sealed c", "moderators": "sealed m"})
    running = area.running.with_record(await area.records.replace(record))
    after = (await moved(replace(area, running=running))).record
    changed = {name for name in after.body if after.body[name] != record.body[name]}
    assert changed == {"settings", "settings_seal"}
    assert (after.state, after.group, set(after.body)) == (Phase.OPEN, "", set(record.body))


async def test_an_extended_snapshot_is_taken_up_after_a_restart(area: Area, tmp_path: Path) -> None:
    running = await moved(area)
    again = await after_a_restart(area, tmp_path)
    assert again.snapshot == running.snapshot
    assert again.sealer.tag(person("Ada")) == area.tag("Ada")


async def test_a_record_that_has_not_changed_is_not_checked_again(area: Area) -> None:
    assert area.running.with_record(await kept(area)) is area.running


async def test_whoever_reads_the_record_again_learns_of_the_extension(area: Area) -> None:
    running = await moved(area)
    assert area.running.with_record(await kept(area)) == running


# -- tampering -----------------------------------------------------------------------------------


def earlier_deadline(settings: Settings) -> None:
    settings["deadline"] = DEADLINE.isoformat()


def later_deadline(settings: Settings) -> None:
    settings["deadline"] = IN_TWO_WEEKS.isoformat()


def lower_k(settings: Settings) -> None:
    settings["k"] = 3


def one_cell_less(settings: Settings) -> None:
    settings["cells"].pop()


def larger_headcount(settings: Settings) -> None:
    settings["cells"][0]["headcount"] = 600


def another_reason(settings: Settings) -> None:
    settings["extensions"][0]["reason"] = INSPECTION


def another_old_deadline(settings: Settings) -> None:
    settings["extensions"][0]["old_deadline"] = OPENED.isoformat()


def forgotten_extension(settings: Settings) -> None:
    settings["extensions"] = []


def no_word_of_extensions(settings: Settings) -> None:
    del settings["extensions"]


def made_up_extension(settings: Settings) -> None:
    settings["extensions"].append(settings["extensions"][0])


def as_before_it_was_extended(settings: Settings) -> None:
    earlier_deadline(settings)
    forgotten_extension(settings)


TAMPERINGS = [
    earlier_deadline,
    later_deadline,
    lower_k,
    one_cell_less,
    larger_headcount,
    another_reason,
    another_old_deadline,
    forgotten_extension,
    no_word_of_extensions,
    made_up_extension,
    as_before_it_was_extended,
]


async def rewritten(area: Area, change: Callable[[Settings], None]) -> Record:
    """The record after whoever runs the database has changed its plain settings."""
    record = await kept(area)
    body = json.loads(json.dumps(record.body))
    change(body["settings"])
    return await area.records.replace(replace(record, body=body))


@pytest.mark.parametrize("change", TAMPERINGS, ids=lambda f: f.__name__.replace("_", " "))
async def test_changed_settings_stop_an_extended_snapshot(
    area: Area, tmp_path: Path, change: Callable[[Settings], None]
) -> None:
    running = await moved(area)
    record = await rewritten(area, change)
    with pytest.raises(Tampered):
        await take_up(record, KeyFiles(tmp_path / "keys"))
    with pytest.raises(Tampered):
        running.with_record(record)


async def test_changed_settings_are_not_sealed_by_the_next_extension(area: Area) -> None:
    await moved(area)
    await rewritten(area, lower_k)
    with pytest.raises(Tampered):
        await moved(area, IN_TWO_WEEKS, INSPECTION)


async def test_changed_settings_are_not_closed_with(area: Area) -> None:
    await moved(area)
    await rewritten(area, lower_k)
    with pytest.raises(Tampered):
        await begin_close(area.running, area.records, DEADLINE)


async def test_a_phase_that_there_is_not_stops_the_snapshot(area: Area, tmp_path: Path) -> None:
    await area.records.replace(replace(await kept(area), state="paused"))
    with pytest.raises(Tampered):
        await after_a_restart(area, tmp_path)


# -- at the same moment --------------------------------------------------------------------------


async def test_of_two_extensions_at_once_the_later_deadline_comes_on_top(area: Area) -> None:
    slow = at_the_first_write(area, partial(moved, area))
    running = await moved(slow, IN_TWO_WEEKS, INSPECTION)
    assert running.snapshot.deadline == IN_TWO_WEEKS
    assert running.snapshot.extensions == (
        Extension(DEADLINE, HALF_TERM),
        Extension(NEXT_WEEK, INSPECTION),
    )


async def test_of_two_extensions_at_once_the_earlier_deadline_is_refused(area: Area) -> None:
    slow = at_the_first_write(area, partial(moved, area, IN_TWO_WEEKS, INSPECTION))
    with pytest.raises(NotLater):
        await moved(slow)
    snapshot = area.running.with_record(await kept(area)).snapshot
    assert snapshot.deadline == IN_TWO_WEEKS
    assert snapshot.extensions == (Extension(DEADLINE, INSPECTION),)


async def test_the_same_extension_twice_at_once_is_one(area: Area) -> None:
    slow = at_the_first_write(area, partial(moved, area))
    running = await moved(slow)
    assert running.snapshot.extensions == (Extension(DEADLINE, HALF_TERM),)


async def test_an_extension_that_meets_another_change_of_the_record_keeps_both(area: Area) -> None:
    async def moderators_register() -> None:
        record = await kept(area)
        body = {**record.body, "moderators": "sealed"}
        await area.records.replace(replace(record, body=body))

    running = await moved(at_the_first_write(area, moderators_register))
    assert running.moderators == "sealed"
    assert running.snapshot.deadline == NEXT_WEEK


async def test_a_deadline_that_moves_in_the_moment_in_which_it_passes_is_not_closed_at(
    area: Area,
) -> None:
    slow = at_the_first_write(area, partial(moved, area, now=DEADLINE - A_SECOND))
    running = await begin_close(area.running, slow.records, DEADLINE, only_if_due=True)
    assert running.phase is Phase.OPEN
    assert running.snapshot.deadline == NEXT_WEEK
    assert (await kept(area)).state == Phase.OPEN


async def test_also_if_it_moved_a_while_ago_and_the_worker_has_not_looked(area: Area) -> None:
    await moved(area)
    running = await begin_close(area.running, area.records, DEADLINE, only_if_due=True)
    assert running.phase is Phase.OPEN


async def test_a_close_that_is_due_wins_over_an_extension_that_was_slower(area: Area) -> None:
    due = partial(begin_close, area.running, area.records, DEADLINE, only_if_due=True)
    slow = at_the_first_write(area, due)
    with pytest.raises(NotOpen):
        await moved(slow, now=DEADLINE - A_SECOND)
    record = await kept(area)
    assert record.state == Phase.CLOSING
    assert record.body["settings"]["deadline"] == DEADLINE.isoformat()


async def test_a_confirmed_close_wins_over_an_extension_that_was_slower(area: Area) -> None:
    slow = at_the_first_write(area, partial(begin_close, area.running, area.records, NOW))
    with pytest.raises(NotOpen):
        await moved(slow)
    record = await kept(area)
    assert record.state == Phase.CLOSING
    assert record.body["settings"]["extensions"] == []


async def test_a_confirmed_close_wins_over_an_extension_that_was_quicker(area: Area) -> None:
    slow = at_the_first_write(area, partial(moved, area))
    running = await begin_close(area.running, slow.records, NOW)
    assert running.phase is Phase.CLOSING
    assert running.closed == NOW.date().isoformat()
    assert running.snapshot.extensions == (Extension(DEADLINE, HALF_TERM),)


async def test_the_new_deadline_is_closed_at_when_it_comes(area: Area) -> None:
    running = await moved(area)
    close = partial(begin_close, running, area.records, only_if_due=True)
    assert (await close(NEXT_WEEK - A_SECOND)).phase is Phase.OPEN
    closing = await close(NEXT_WEEK)
    assert closing.phase is Phase.CLOSING
    assert closing.closed == NEXT_WEEK.date().isoformat()


# -- records from before there were extensions ---------------------------------------------------


async def as_it_was_written_then(area: Area, *, plain: bool = True, sealed: bool = True) -> Record:
    record = await kept(area)
    settings = area.running.snapshot.as_json()
    old = {
        n: value for n, value in settings.items() if n not in {"extensions", "corrections", "quiet"}
    }
    body = {
        **record.body,
        "settings": old if plain else settings,
        "settings_seal": area.running.sealer.seal(old if sealed else settings, "settings"),
    }
    del body["moderators"]
    return await area.records.replace(replace(record, body=body))


async def test_a_record_from_before_extensions_still_opens(area: Area, tmp_path: Path) -> None:
    await as_it_was_written_then(area)
    running = await after_a_restart(area, tmp_path)
    assert running.snapshot == area.running.snapshot
    assert running.moderators is None


async def test_a_snapshot_from_before_extensions_can_be_extended(
    area: Area, tmp_path: Path
) -> None:
    await as_it_was_written_then(area)
    running = await after_a_restart(area, tmp_path)
    await moved(replace(area, running=running))
    snapshot = (await after_a_restart(area, tmp_path)).snapshot
    assert snapshot.extensions == (Extension(DEADLINE, HALF_TERM),)


@pytest.mark.parametrize(("plain", "sealed"), [(True, False), (False, True)])
async def test_a_record_that_is_old_in_one_half_only_was_changed(
    area: Area, tmp_path: Path, plain: bool, sealed: bool
) -> None:
    await as_it_was_written_then(area, plain=plain, sealed=sealed)
    with pytest.raises(Tampered):
        await after_a_restart(area, tmp_path)


# -- an opening that was cut short ---------------------------------------------------------------


async def the_store_is_away(record: Record) -> None:
    raise Unavailable


async def test_an_opening_that_was_cut_short_after_the_key_can_be_repeated(tmp_path: Path) -> None:
    keys = KeyFiles(tmp_path / "keys")
    async with SqliteRecords(tmp_path / "snapshot.db") as records:
        with pytest.raises(Unavailable):
            await open_snapshot(Watched(records, the_store_is_away), keys, a_snapshot())
        key = await keys.read(a_snapshot().id)
        running = await open_snapshot(records, keys, a_snapshot())
        again = await take_up(running.record, keys)
    assert await keys.read(a_snapshot().id) == key
    assert again.snapshot == a_snapshot()


async def test_an_opening_that_is_repeated_may_have_other_settings(tmp_path: Path) -> None:
    """Nobody has been told anything yet, so the form may have been corrected meanwhile."""
    keys = KeyFiles(tmp_path / "keys")
    corrected = replace(a_snapshot(), contacts=replace(CONTACTS, front_door_name="The front desk"))
    async with SqliteRecords(tmp_path / "snapshot.db") as records:
        with pytest.raises(Unavailable):
            await open_snapshot(Watched(records, the_store_is_away), keys, a_snapshot())
        running = await open_snapshot(records, keys, corrected)
    assert (await take_up(running.record, keys)).snapshot == corrected


async def test_of_two_openings_at_once_one_stands_and_its_key_opens_it(tmp_path: Path) -> None:
    keys = KeyFiles(tmp_path / "keys")
    async with SqliteRecords(tmp_path / "snapshot.db") as records:
        quicker = AtWrite(0, partial(open_snapshot, records, keys, a_snapshot(k=12)))
        with pytest.raises(Exists):
            await open_snapshot(Watched(records, quicker), keys, a_snapshot())
        record = await records.read(DIRECTORY, Kind.SNAPSHOT, a_snapshot().id)
    assert (await take_up(record, keys)).snapshot.k == 12


# -- the moderators' code ------------------------------------------------------------------------


async def test_the_moderators_code_is_the_same_after_a_restart_and_an_extension(
    area: Area, tmp_path: Path
) -> None:
    code = area.running.moderator_code
    assert (await moved(area)).moderator_code == code
    assert (await after_a_restart(area, tmp_path)).moderator_code == code


async def test_every_snapshot_has_a_moderators_code_of_its_own(area: Area, tmp_path: Path) -> None:
    keys = KeyFiles(tmp_path / "keys")
    next_year = replace(a_snapshot(), id=SnapshotId("exampleshire-2027"))
    other = await open_snapshot(area.records, keys, next_year)
    assert other.moderator_code != area.running.moderator_code


async def test_the_same_snapshot_opened_elsewhere_has_another_code(tmp_path: Path) -> None:
    """The code comes from the key, so that nobody can work it out from what is known."""
    codes = set()
    for folder in ("here", "there"):
        async with open_area(tmp_path / folder) as area:
            codes.add(area.running.moderator_code)
    assert len(codes) == 2


async def test_a_moderators_code_has_eight_characters_that_nobody_misreads(tmp_path: Path) -> None:
    keys = KeyFiles(tmp_path / "keys")
    async with SqliteRecords(tmp_path / "snapshot.db") as records:
        for number in range(30):
            snapshot = replace(a_snapshot(), id=SnapshotId(f"exampleshire-{number}"))
            code = (await open_snapshot(records, keys, snapshot)).moderator_code
            assert len(code) == 8
            assert code.isascii()
            assert code.isalnum()
            assert code == code.upper()
            assert not set(code) & set("01OI")


async def test_the_moderators_code_stands_nowhere_in_the_record(area: Area) -> None:
    assert area.running.moderator_code not in json.dumps(dict((await kept(area)).body))
