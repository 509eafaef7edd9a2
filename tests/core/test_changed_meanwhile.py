"""Two processes at one snapshot: what somebody has just changed is not taken for an old copy.

A record is an old copy where the pin beside the key tells of something newer. Whoever reads the
record, and the pin after somebody else has changed both, must not sound the alarm.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random

import pytest

from snapshot.closing import begin_close, finish_close
from snapshot.destroying import destroy, take_up_either
from snapshot.errors import NotOpen, SnapshotError, Tampered, WrongKey
from snapshot.opening import Running, correct, extend
from snapshot.ports import DIRECTORY, Kind, Record
from snapshot.snapshot import Phase
from storage.keyfiles import KeyFiles
from tests.core.exampleshire import CONTACTS, INSTRUMENT, OPENED, Area, no_waiting
from tests.core.watching import Slow

NEXT_WEEK = timedelta(days=7)
RIGHT = replace(CONTACTS, front_door_phone="01632 960 002")

type Act = Callable[[Area], Awaitable[Running]]


async def is_extended(area: Area, days: int = 7) -> Running:
    later = area.running.snapshot.deadline + timedelta(days=days)
    return await extend(area.running, area.records, later, "snow", OPENED)


async def is_corrected(area: Area) -> Running:
    return await correct(area.running, area.records, RIGHT, 0, OPENED)


async def begins_to_close(area: Area) -> Running:
    return await begin_close(area.running, area.records, OPENED)


async def is_closed(area: Area) -> Running:
    running = await begins_to_close(area)
    await finish_close(running, INSTRUMENT, area.records, dice=Random(1), wait=no_waiting)
    return running.with_record(await the_record(area))


async def is_destroyed(area: Area) -> Running:
    closed = await is_closed(area)
    await destroy(closed, area.records)
    return closed


async def the_record(area: Area) -> Record:
    return await area.records.read(DIRECTORY, Kind.SNAPSHOT, area.running.snapshot.id)


def slowly(area: Area, act: Act) -> Area:
    return replace(area, records=Slow(area.records, act=partial(act, area)))


@pytest.mark.parametrize("quicker", [is_extended, is_corrected])
@pytest.mark.parametrize("slower", [partial(is_extended, days=14), begins_to_close])
async def test_a_change_that_was_slower_comes_on_top(area: Area, slower: Act, quicker: Act) -> None:
    running = await slower(slowly(area, quicker))
    changes = (*running.snapshot.extensions, *running.snapshot.corrections)
    assert len(changes) == 1 + (running.phase is Phase.OPEN)


@pytest.mark.parametrize("slower", [is_extended, is_corrected])
async def test_a_change_that_a_close_has_overtaken_hears_of_the_close(
    area: Area, slower: Act
) -> None:
    with pytest.raises(NotOpen):
        await slower(slowly(area, is_closed))


@pytest.mark.parametrize("quicker", [is_extended, is_corrected, is_closed, is_destroyed])
async def test_a_record_that_was_read_before_the_change_is_looked_at_again(
    area: Area, tmp_path: Path, quicker: Act
) -> None:
    read_before = await the_record(area)
    await quicker(area)
    keys = KeyFiles(tmp_path / "keys")
    running = await take_up_either(read_before, area.records, keys)
    assert running.record == await the_record(area)


async def test_a_key_that_goes_while_its_record_is_looked_at_is_not_missed(
    area: Area, tmp_path: Path
) -> None:
    """The record was marked already when it was read."""
    closed = await is_closed(area)

    class Keeping(KeyFiles):
        async def destroy(self, name: str) -> None:
            pass

    class Going(KeyFiles):
        async def read(self, name: str) -> bytes:
            found = await super().read(name)
            if name == closed.record.id:
                await self.destroy(name)
            return found

    await destroy(replace(closed, keys=Keeping(tmp_path / "keys")), area.records)
    marked = await the_record(area)
    running = await take_up_either(marked, area.records, Going(tmp_path / "keys"))
    assert running.key_is_gone


@pytest.mark.parametrize(("spoilt", "said"), [("settings", Tampered), ("key_check", WrongKey)])
async def test_what_is_wrong_is_wrong_the_second_time_too(
    area: Area, tmp_path: Path, spoilt: str, said: type[SnapshotError]
) -> None:
    record = await the_record(area)
    changed = replace(record, body={**record.body, spoilt: "changed"})
    changed = await area.records.replace(changed)
    with pytest.raises(said):
        await take_up_either(changed, area.records, KeyFiles(tmp_path / "keys"))


async def test_an_old_copy_is_still_known_for_one(area: Area, tmp_path: Path) -> None:
    old = await the_record(area)
    new = (await is_extended(area)).record
    back = await area.records.replace(replace(old, etag=new.etag))
    with pytest.raises(Tampered):
        await take_up_either(back, area.records, KeyFiles(tmp_path / "keys"))
