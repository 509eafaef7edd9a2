"""Contacts that are put right while a snapshot runs: what stands in the record holds."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from snapshot.closing import begin_close
from snapshot.errors import NotOpen, Overtaken, Tampered
from snapshot.opening import Running, correct, extend, take_up
from snapshot.publication import record_moves, unsent
from snapshot.roll import pinned
from snapshot.snapshot import Contacts, Correction, Phase
from storage.keyfiles import KeyFiles
from tests.core.exampleshire import CONTACTS, Area
from tests.core.test_extending import (
    A_SECOND,
    DEADLINE,
    HALF_TERM,
    NEXT_WEEK,
    NOW,
    after_a_restart,
    at_the_first_write,
    kept,
    moved,
)
from tests.core.watching import Watched

RIGHT = replace(CONTACTS, front_door_phone="01632 960 002")
BETTER = replace(RIGHT, safeguarding_name="Gwen")


async def corrected(
    area: Area, contacts: Contacts = RIGHT, *, seen: int = 0, now: datetime = NOW
) -> Running:
    return await correct(area.running, area.records, contacts, seen, now)


# -- put right ------------------------------------------------------------------------------------


async def test_contacts_are_put_right_and_the_old_ones_kept(area: Area, tmp_path: Path) -> None:
    running = await corrected(area)
    assert running.snapshot == replace(
        area.running.snapshot, contacts=RIGHT, corrections=(Correction(CONTACTS),)
    )
    assert (await after_a_restart(area, tmp_path)).snapshot == running.snapshot


async def test_a_second_time_both_are_kept(area: Area, tmp_path: Path) -> None:
    await corrected(area)
    await corrected(area, BETTER, seen=1)
    snapshot = (await after_a_restart(area, tmp_path)).snapshot
    assert snapshot.contacts == BETTER
    assert snapshot.corrections == (Correction(CONTACTS), Correction(RIGHT))


async def test_nothing_else_changes_and_all_of_it_in_one_write(area: Area) -> None:
    watched = Watched(area.records)
    before = area.running.record
    after = (await corrected(replace(area, records=watched))).record
    assert watched.verbs == ["read", "replace"]
    assert {n for n in after.body if after.body[n] != before.body[n]} == {
        "settings",
        "settings_seal",
    }


async def test_the_same_tap_delivered_again_changes_nothing(area: Area) -> None:
    await corrected(area)
    before = await kept(area)
    assert len((await corrected(area)).snapshot.corrections) == 1
    assert await kept(area) == before


async def test_contacts_that_are_right_already_are_no_correction(area: Area) -> None:
    before = await kept(area)
    assert (await corrected(area, CONTACTS)).snapshot.corrections == ()
    assert await kept(area) == before


async def test_it_goes_together_with_a_deadline_that_moves(area: Area, tmp_path: Path) -> None:
    await moved(area)
    await corrected(area)
    await extend(area.running, area.records, NEXT_WEEK.replace(day=30), HALF_TERM, NOW)
    snapshot = (await after_a_restart(area, tmp_path)).snapshot
    assert (len(snapshot.extensions), snapshot.contacts) == (2, RIGHT)


# -- somebody else --------------------------------------------------------------------------------


async def test_nobodys_correction_is_undone_unseen(area: Area) -> None:
    """Whoever opened the card before it has the old ones in all the other boxes."""
    await corrected(area)
    other = replace(CONTACTS, safeguarding_name="Gwen")
    with pytest.raises(Overtaken):
        await corrected(area, other)
    assert (await kept(area)).body["settings"]["contacts"]["front_door_phone"] == "01632 960 002"


async def test_of_two_at_once_the_slower_one_is_told(area: Area) -> None:
    slow = at_the_first_write(area, partial(corrected, area))
    with pytest.raises(Overtaken):
        await corrected(slow, BETTER)
    assert area.running.with_record(await kept(area)).snapshot.contacts == RIGHT


async def test_a_correction_that_meets_an_extension_keeps_both(area: Area) -> None:
    slow = at_the_first_write(area, partial(moved, area))
    snapshot = (await corrected(slow)).snapshot
    assert (snapshot.contacts, snapshot.deadline) == (RIGHT, NEXT_WEEK)


# -- too late -------------------------------------------------------------------------------------


async def test_they_can_be_put_right_until_the_second_before_the_deadline(area: Area) -> None:
    assert (await corrected(area, now=DEADLINE - A_SECOND)).snapshot.contacts == RIGHT


async def test_not_from_the_deadline_on(area: Area) -> None:
    with pytest.raises(NotOpen):
        await corrected(area, now=DEADLINE)


async def test_not_after_a_close_that_was_quicker(area: Area) -> None:
    slow = at_the_first_write(area, partial(begin_close, area.running, area.records, NOW))
    with pytest.raises(NotOpen):
        await corrected(slow)
    assert (await kept(area)).body["settings"]["corrections"] == []


async def test_a_close_keeps_a_correction_that_was_quicker(area: Area) -> None:
    slow = at_the_first_write(area, partial(corrected, area))
    running = await begin_close(area.running, slow.records, NOW)
    assert running.phase is Phase.CLOSING
    assert running.snapshot.contacts == RIGHT


# -- whoever writes to the database ---------------------------------------------------------------


async def test_the_old_contacts_are_not_put_back_with_their_seal(
    area: Area, tmp_path: Path
) -> None:
    """People would be led to a number that somebody has found to be wrong."""
    old = await kept(area)
    new = (await corrected(area)).record
    back = await area.records.replace(replace(old, etag=new.etag))
    with pytest.raises(Tampered):
        await take_up(back, KeyFiles(tmp_path / "keys"))
    with pytest.raises(Tampered):
        await moved(area)


async def test_also_if_the_process_died_before_it_could_pin_it(area: Area, tmp_path: Path) -> None:
    class Dying(KeyFiles):
        async def pin(self, name: str, value: str, *, was: str | None) -> None:
            raise ConnectionError

    old = await kept(area)
    with pytest.raises(ConnectionError):
        await corrected(replace(area, running=replace(area.running, keys=Dying(tmp_path / "keys"))))
    assert (await after_a_restart(area, tmp_path)).snapshot.contacts == RIGHT
    back = await area.records.replace(replace(old, etag=(await kept(area)).etag))
    with pytest.raises(Tampered):
        await take_up(back, KeyFiles(tmp_path / "keys"))


async def test_contacts_changed_by_hand_stop_the_snapshot(area: Area, tmp_path: Path) -> None:
    record = (await corrected(area)).record
    settings = record.body["settings"]
    changes: list[dict[str, object]] = [
        {"contacts": asdict(CONTACTS)},
        {"corrections": []},
        {"corrections": settings["corrections"] * 2},
    ]
    for changed in changes:
        body = {**record.body, "settings": {**settings, **changed}}
        with pytest.raises(Tampered):
            await take_up(replace(record, body=body), KeyFiles(tmp_path / "keys"))


async def test_a_record_from_before_corrections_can_be_corrected(
    area: Area, tmp_path: Path
) -> None:
    record = await kept(area)
    then = {n: v for n, v in record.body["settings"].items() if n != "corrections"}
    seal = area.running.sealer.seal(then, "settings")
    body = {**record.body, "settings": then, "settings_seal": seal}
    await area.records.replace(replace(record, body=body))
    running = await after_a_restart(area, tmp_path)
    await corrected(replace(area, running=running))
    assert (await after_a_restart(area, tmp_path)).snapshot.corrections == (Correction(CONTACTS),)


async def test_a_pin_from_before_corrections_is_known_and_replaced(area: Area) -> None:
    keys, id = area.running.keys, area.running.snapshot.id
    then = {
        "number": 1,
        "roll": "",
        "journal": "",
        "key": "",
        "closed": False,
        "extensions": 0,
        "mixed": "2026-03-01",
    }
    await keys.pin(id, json.dumps(then), was=None)
    await corrected(area)
    now = await pinned(keys, id)
    assert (now.corrections, now.mixed) == (1, "2026-03-01")


# -- what everyone is told ------------------------------------------------------------------------


async def test_each_change_is_recorded_once_to_be_told(area: Area) -> None:
    await moved(area)
    await corrected(area)
    snapshot = (await corrected(area, BETTER, seen=1)).snapshot
    for _ in range(2):
        await record_moves(area.records, snapshot)
    waiting = await unsent(area.records, snapshot.id)
    assert [publication.id for publication in waiting] == [
        "opening",
        "extension-001",
        "correction-001",
        "correction-002",
    ]
