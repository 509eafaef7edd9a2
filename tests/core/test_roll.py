"""Whoever may write to the database learns nothing by putting old copies of it back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from snapshot.calendar import mixings
from snapshot.closing import begin_close, finish_close
from snapshot.envelope import State
from snapshot.errors import Tampered
from snapshot.interim import mix_due
from snapshot.opening import extend, take_up
from snapshot.ports import DIRECTORY, Kind, PinChanged, Record
from snapshot.progress import last_progress
from snapshot.roll import is_behind, pinned, released
from snapshot.snapshot import Mixing, Phase
from storage.keyfiles import KeyFiles
from tests.core.exampleshire import (
    INSTRUMENT,
    OPENED,
    SOME_CHOICES,
    Area,
    K,
    a_ballot,
    no_waiting,
    told,
)
from tests.core.mixed import assert_nothing_is_left_behind, ballots_with_labels
from tests.core.watching import Slow, Watched

EVERYBODY = {"police": 2 * K + 1}


async def copies(area: Area, kind: Kind) -> list[Record]:
    return await area.records.read_all(area.running.snapshot.id, kind)


async def put_back(area: Area, old: Sequence[Record]) -> None:
    """What somebody with all rights in the database can do: an old row in place of the new one."""
    for record in old:
        now = await area.records.read(record.snapshot, record.kind, record.id)
        await area.records.replace(replace(record, etag=now.etag))


async def remove(area: Area, kind: Kind) -> None:
    for record in await copies(area, kind):
        await area.records.delete(record)


async def before_a_mixing(area: Area) -> None:
    """As the database was then, beside the keys of now."""
    await area.people_send(EVERYBODY)
    envelopes = await copies(area, Kind.ENVELOPE)
    await area.mix().run()
    for kind in (Kind.SLIP, Kind.TALLY, Kind.ROLL):
        await remove(area, kind)
    await put_back(area, envelopes)


async def the_record(area: Area) -> Record:
    return await area.records.read(DIRECTORY, Kind.SNAPSHOT, area.running.snapshot.id)


async def close(area: Area) -> None:
    running = await begin_close(area.running, area.records, OPENED)
    await finish_close(running, INSTRUMENT, area.records, dice=Random(1), wait=no_waiting)


async def test_who_has_been_released_is_on_the_roll(area: Area) -> None:
    await area.people_send(EVERYBODY)
    await area.mix().run()
    roll = await released(area.running.keys, area.records, area.running.snapshot.id)
    left = [e.id for e in await copies(area, Kind.ENVELOPE) if e.state == State.RELEASED]
    assert roll == set(left)
    assert len(roll) == K + 1


async def test_old_envelopes_of_released_people_are_emptied_again(area: Area) -> None:
    """Nine whose answers are known, put beside one who still waits, would give that one away."""
    sent = await area.people_send(EVERYBODY)
    before = await copies(area, Kind.ENVELOPE)
    await area.mix().run()
    slips = told(await area.slips())
    out = {e.id for e in await copies(area, Kind.ENVELOPE) if e.state == State.RELEASED}

    await put_back(area, [e for e in before if e.id in out])
    await area.mix(seed=2).run()

    assert told(await area.slips()) == slips
    assert await area.states() == {State.RELEASED: K + 1, State.SUBMITTED: K}
    await area.mix(seed=3).flush()
    assert told(await area.slips()) == ballots_with_labels(sent, {})
    await assert_nothing_is_left_behind(area)


async def test_a_whole_database_put_back_opens_nothing(area: Area) -> None:
    await before_a_mixing(area)

    with pytest.raises(Tampered):
        await area.mix(seed=2).run()

    assert await area.slips() == []
    assert await area.journals() == []
    assert await area.states() == {State.SUBMITTED: 2 * K + 1}


async def test_a_roll_with_somebody_taken_off_it_opens_nothing(area: Area) -> None:
    await area.people_send(EVERYBODY)
    await area.mix().run()
    (roll,) = await copies(area, Kind.ROLL)
    await area.records.replace(replace(roll, body={"tags": roll.body["tags"][1:]}))
    with pytest.raises(Tampered):
        await area.mix(seed=2).flush()
    assert len(await area.slips()) == (K + 1) * len(INSTRUMENT.domains)


async def test_an_old_journal_put_back_is_noise(area: Area) -> None:
    """Its key went with the pin that took the place of the one that held it."""
    sent = await area.people_send({"police": K, "health": K})
    seen: list[Record] = []
    watched = Keeping(area.running.keys, area, seen)
    running = replace(area.running, keys=watched)
    await replace(area, running=running).mix().flush()
    first, last = seen
    assert first.state == last.state == "commit"

    await area.records.create(first)
    await area.mix(seed=2).flush()

    assert told(await area.slips()) == ballots_with_labels(sent, {})
    await assert_nothing_is_left_behind(area)


class Keeping(KeyFiles):
    """Real key files, and somebody who copies the journal whenever it is about to count."""

    def __init__(self, keys: object, area: Area, seen: list[Record]) -> None:
        assert isinstance(keys, KeyFiles)
        super().__init__(keys._folder)
        self._area = area
        self._seen = seen

    async def pin(self, name: str, value: str, *, was: str | None) -> None:
        self._seen += await self._area.journals()
        await super().pin(name, value, was=was)


async def test_of_two_who_commit_one_counts(area: Area) -> None:
    """A worker that was slow between its journal and its pin finds that it was taken over."""
    sent = await area.people_send({"police": K})
    slow = SlowToPin(area.running.keys, area)
    await replace(area, running=replace(area.running, keys=slow)).mix().flush()
    assert slow.was_fenced
    assert told(await area.slips()) == ballots_with_labels(sent, {})
    assert [t.people for t in await area.tallies()] == [K]
    await assert_nothing_is_left_behind(area)


class SlowToPin(Keeping):
    """The first time, another worker does everything before this one's pin arrives."""

    was_fenced = False

    def __init__(self, keys: object, area: Area) -> None:
        super().__init__(keys, area, [])
        self._first = True

    async def pin(self, name: str, value: str, *, was: str | None) -> None:
        if self._first:
            self._first = False
            await self._area.mix(seed=7).flush()
        try:
            await super().pin(name, value, was=was)
        except PinChanged:
            self.was_fenced = True
            raise


# -- an old copy is known for one before it does harm -----------------------------------------


async def looks_old(area: Area) -> bool:
    return await is_behind(area.running.keys, area.records, area.running.snapshot.id)


async def test_a_copy_from_before_a_mixing_looks_old(area: Area) -> None:
    assert not await looks_old(area)
    await before_a_mixing(area)
    assert await looks_old(area)


async def test_it_never_looks_old_while_somebody_mixes(area: Area) -> None:
    """Whatever has been written of it so far."""
    looked: list[bool] = []

    async def look(_: Record) -> None:
        looked.append(await looks_old(area))

    await area.people_send(EVERYBODY)
    watched = replace(area, records=Watched(area.records, look))
    await watched.mix().run()
    await watched.mix(seed=2).flush()
    assert len(looked) > len(EVERYBODY) * K
    assert not any(looked)
    assert not await looks_old(area)


@pytest.mark.parametrize("mixes", [1, 2])
async def test_nor_when_a_mixing_ends_while_it_is_looked_at(area: Area, mixes: int) -> None:
    """The pin is there, and the roll was read before it was written; then all goes on."""
    await area.people_send(EVERYBODY)
    has_read, has_ended = asyncio.Event(), asyncio.Event()
    looking: list[asyncio.Task[bool]] = []

    async def then_waits() -> None:
        has_read.set()
        await has_ended.wait()

    async def begins_to_look(record: Record) -> None:
        if record.kind is Kind.ROLL and not looking:
            slow = Slow(area.records, act=then_waits, kind=Kind.ROLL)
            look = is_behind(area.running.keys, slow, area.running.snapshot.id)
            looking.append(asyncio.create_task(look))
            await has_read.wait()

    await replace(area, records=Watched(area.records, begins_to_look)).mix().run()
    if mixes == 2:
        await area.mix(seed=2).flush()
    has_ended.set()
    assert [await look for look in looking] == [False]


async def test_an_old_copy_does_not_close_and_a_newer_one_still_can(area: Area) -> None:
    await before_a_mixing(area)
    begun = await begin_close(area.running, area.records, OPENED)
    with pytest.raises(Tampered):
        await finish_close(begun, INSTRUMENT, area.records, dice=Random(1), wait=no_waiting)
    assert not (await pinned(area.running.keys, area.running.snapshot.id)).closed


# -- what only goes one way -----------------------------------------------------------------------


async def test_an_extension_is_not_undone_by_the_settings_of_before(
    area: Area, tmp_path: Path
) -> None:
    old = await the_record(area)
    deadline = area.running.snapshot.deadline
    await extend(area.running, area.records, deadline + timedelta(days=7), "snow", OPENED)
    await put_back(area, [old])

    with pytest.raises(Tampered):
        await take_up(await the_record(area), KeyFiles(tmp_path / "keys"))
    with pytest.raises(Tampered):
        await begin_close(area.running, area.records, deadline, only_if_due=True)
    with pytest.raises(Tampered):
        await extend(area.running, area.records, deadline + timedelta(days=3), "ice", OPENED)
    assert (await the_record(area)).body == old.body


async def test_an_extension_cut_short_before_its_pin_is_pinned_when_it_is_taken_up(
    area: Area, tmp_path: Path
) -> None:
    class Dying(KeyFiles):
        async def pin(self, name: str, value: str, *, was: str | None) -> None:
            raise ConnectionError

    old = await the_record(area)
    later = area.running.snapshot.deadline + timedelta(days=7)
    dying = replace(area.running, keys=Dying(tmp_path / "keys"))
    with pytest.raises(ConnectionError):
        await extend(dying, area.records, later, "snow", OPENED)

    keys = KeyFiles(tmp_path / "keys")
    assert (await take_up(await the_record(area), keys)).snapshot.deadline == later
    await put_back(area, [old])
    with pytest.raises(Tampered):
        await take_up(await the_record(area), keys)


async def test_a_mixing_is_not_done_twice_because_its_mark_was_deleted(area: Area) -> None:
    """Otherwise whoever may delete could have a mixing at an hour of their own."""
    daily = replace(area.running.snapshot, mixing=Mixing.DAILY)
    area = replace(area, running=replace(area.running, snapshot=daily))
    at = next(mixings(daily))
    await area.people_send(EVERYBODY)

    async def is_mixed(seed: int) -> bool:
        return await mix_due(
            area.running, INSTRUMENT, area.records, at, dice=Random(seed), wait=no_waiting
        )

    assert await is_mixed(1)
    slips = told(await area.slips())
    await remove(area, Kind.PUBLICATION)
    for number in range(2 * K):
        await area.keeps(f"later-{number}", a_ballot("police", SOME_CHOICES))
    await is_mixed(2)
    assert told(await area.slips()) == slips
    assert await last_progress(area.records, daily.id) is not None


# -- the phase ------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [Phase.CLOSING, Phase.CLOSED])
async def test_nobody_starts_a_close_by_changing_a_word(
    area: Area, tmp_path: Path, phase: Phase
) -> None:
    await area.people_send({"police": K})
    record = await the_record(area)
    changed = replace(record, state=phase, body={**record.body, "closed": "2026-03-02"})
    with pytest.raises(Tampered):
        await take_up(await area.records.replace(changed), KeyFiles(tmp_path / "keys"))
    with pytest.raises(Tampered):
        area.running.with_record(await the_record(area))


async def test_another_day_of_the_close_is_noticed(area: Area, tmp_path: Path) -> None:
    await close(area)
    record = await the_record(area)
    assert (await take_up(record, KeyFiles(tmp_path / "keys"))).phase is Phase.CLOSED
    moved = replace(record, body={**record.body, "closed": "2027-01-01"})
    with pytest.raises(Tampered):
        await take_up(moved, KeyFiles(tmp_path / "keys"))


async def test_a_closed_snapshot_is_not_opened_again_by_its_old_record(
    area: Area, tmp_path: Path
) -> None:
    old = await the_record(area)
    await close(area)
    assert (await pinned(area.running.keys, area.running.snapshot.id)).closed
    await put_back(area, [old])
    with pytest.raises(Tampered):
        await take_up(await the_record(area), KeyFiles(tmp_path / "keys"))


async def test_pins_do_not_hold_up_each_other(area: Area) -> None:
    """A mixing and a close at once: one of the pins is put there after the other."""
    sent = await area.people_send(EVERYBODY)

    async def patience(seconds: float) -> None:
        await asyncio.sleep(seconds / 50)  # with none at all, the two take over from each other

    running = await begin_close(area.running, area.records, OPENED)
    await asyncio.gather(
        area.mix(seed=5, wait=patience).run(),
        finish_close(running, INSTRUMENT, area.records, dice=Random(6), wait=patience),
    )
    assert told(await area.slips()) == ballots_with_labels(sent, {})
    assert (await pinned(area.running.keys, area.running.snapshot.id)).closed
