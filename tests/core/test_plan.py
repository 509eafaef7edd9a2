"""The plan of an area: what facilitators write is kept, and found by the next snapshot."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshot.errors import Damaged, Full, NotOffered, Overtaken
from snapshot.findings import Recommended
from snapshot.instrument import BandId
from snapshot.opening import Running, open_snapshot
from snapshot.plan import (
    MOST,
    MOST_ACTIONS,
    Action,
    Plan,
    Status,
    area_of,
    find,
    id_for,
    not_picked,
    plan_of,
    read_plan,
    save,
    suggested,
    take_off,
)
from snapshot.ports import Kind, Record, SnapshotId
from storage.sqlite import SqliteRecords
from tests.core.exampleshire import (
    GIVE_HELP,
    SEE_SIGNS,
    TENANT,
    Area,
    a_snapshot,
)
from tests.core.test_findings import LIBRARY
from tests.core.watching import AtWrite, Watched

TODAY = date(2026, 4, 1)
HERE, BEFORE = a_snapshot().id, SnapshotId("exampleshire-2025")
RED, AMBER = BandId("red"), BandId("amber")
AUDIT = Action("0" * 20, HERE, TODAY, title="Audit a sample of referrals", owner="Siân")
STRANGE = "**bold** [x](http://x) <b>html</b> \u05e9\u05dc\u05d5\u05dd 👩🏽\u200d🏫 {area_name}"


def partition(area: Area) -> SnapshotId:
    return area_of(area.running, TENANT)


async def kept(area: Area, action: Action) -> Action:
    return await save(area.running, area.records, partition(area), action)


async def found(area: Area, id: str = AUDIT.id) -> Action | None:
    return await find(area.running, area.records, partition(area), id)


async def taken_off(area: Area, action: Action) -> None:
    await take_off(area.running, area.records, partition(area), action.id, action.revision)


async def plan(area: Area) -> Plan:
    return await read_plan(area.running, area.records, partition(area))


def numbered(number: int) -> Action:
    return replace(AUDIT, id=f"{number:020x}")


def recommended(about: str, because: str) -> Recommended:
    advice = LIBRARY.statements[SEE_SIGNS].by_band[RED]
    return Recommended(about, because, advice)  # type: ignore[arg-type]


# -- what is written ------------------------------------------------------------------------------


async def test_what_is_saved_is_found_word_for_word(area: Area) -> None:
    full = replace(
        AUDIT,
        title=STRANGE,
        agency="police",
        due=date(2026, 7, 1),
        check="Fewer are late.\nMinutes say so.",
        status=Status.UNDER_WAY,
        note="ŵ" * MOST["note"],
        about=SEE_SIGNS,
        because=RED,
    )
    assert await kept(area, full) == replace(full, revision=1)
    assert await found(area) == replace(full, revision=1)
    assert (await plan(area)).here == (replace(full, revision=1),)


async def test_a_change_takes_the_place_of_what_stood_there(area: Area) -> None:
    first = await kept(area, AUDIT)
    second = await kept(area, replace(first, status=Status.DONE, due=TODAY))
    assert (second.revision, second.status) == (2, Status.DONE)
    assert (await plan(area)).actions == (second,)
    third = await kept(area, replace(second, due=None, owner=""))
    assert await found(area) == third
    assert (third.due, third.owner) == (None, "")


async def test_the_same_again_changes_nothing(area: Area) -> None:
    """A tap that was delivered twice; and one that changed nothing."""
    first = await kept(area, AUDIT)
    assert await kept(area, AUDIT) == first
    changed = replace(first, note="Under way since May.")
    second = await kept(area, changed)
    assert await kept(area, changed) == second
    assert await kept(area, second) == second
    assert second.revision == 2


@pytest.mark.parametrize("name", MOST)
async def test_what_is_too_long_is_refused_whole(area: Area, name: str) -> None:
    longest = replace(AUDIT, **{name: "ŵ" * MOST[name]})  # type: ignore[arg-type]
    first = await kept(area, longest)
    with pytest.raises(NotOffered):
        await kept(area, replace(first, **{name: "ŵ" * (MOST[name] + 1)}))  # type: ignore[arg-type]
    assert await found(area) == first


@pytest.mark.parametrize("title", ["", " ", "\n\t"])
async def test_an_action_without_words_is_refused(area: Area, title: str) -> None:
    with pytest.raises(NotOffered):
        await kept(area, replace(AUDIT, title=title))
    assert await plan(area) == Plan()


async def test_there_is_an_end_to_how_many(area: Area) -> None:
    actions = [await kept(area, numbered(n)) for n in range(MOST_ACTIONS)]
    with pytest.raises(Full):
        await kept(area, numbered(MOST_ACTIONS))
    changed = await kept(area, replace(actions[0], status=Status.DONE))
    await taken_off(area, actions[1])
    await kept(area, numbered(MOST_ACTIONS))
    with pytest.raises(Full):
        await kept(area, replace(actions[1], revision=2))
    assert len((await plan(area)).here) == MOST_ACTIONS
    assert changed in (await plan(area)).here


# -- several at once ------------------------------------------------------------------------------


async def test_of_two_who_change_one_action_the_second_is_told(area: Area) -> None:
    seen = await kept(area, AUDIT)
    first = await kept(area, replace(seen, owner="Ann"))
    with pytest.raises(Overtaken):
        await kept(area, replace(seen, owner="Bob"))
    assert await found(area) == first


async def test_of_many_at_once_each_is_kept_or_told(area: Area) -> None:
    seen = await kept(area, AUDIT)

    async def change(number: int) -> str | None:
        try:
            return (await kept(area, replace(seen, owner=f"Owner {number}"))).owner
        except Overtaken:
            return None

    outcomes = await asyncio.gather(*(change(n) for n in range(8)))
    told = [o for o in outcomes if o]
    now = await found(area)
    assert now is not None
    assert told == [now.owner]
    assert now.revision == 2


async def test_whoever_comes_in_between_reading_and_writing_is_not_written_over(area: Area) -> None:
    seen = await kept(area, AUDIT)
    between = AtWrite(0, lambda: kept(area, replace(seen, owner="Ann")))
    watched = Watched(area.records, between)
    with pytest.raises(Overtaken):
        await save(area.running, watched, partition(area), replace(seen, owner="Bob"))
    between = AtWrite(0, lambda: kept(area, replace(seen, owner="Ann", note="More.", revision=2)))
    watched = Watched(area.records, between)
    with pytest.raises(Overtaken):
        await take_off(area.running, watched, partition(area), seen.id, 2)
    now = await found(area)
    assert now is not None
    assert (now.owner, now.note, now.revision) == ("Ann", "More.", 3)


async def test_many_who_add_one_each_lose_none(area: Area) -> None:
    await asyncio.gather(*(kept(area, numbered(n)) for n in range(8)))
    assert {a.id for a in (await plan(area)).here} == {numbered(n).id for n in range(8)}


async def test_many_who_pick_one_recommendation_at_once_have_it_once(area: Area) -> None:
    id = id_for(area.running, partition(area), SEE_SIGNS, RED)
    picked = replace(AUDIT, id=id, about=SEE_SIGNS, because=RED)
    await asyncio.gather(*(kept(area, picked) for _ in range(4)))
    assert (await plan(area)).here == (replace(picked, revision=1),)


def test_each_reason_for_a_recommendation_has_an_action_of_its_own(area: Area) -> None:
    reasons = [(SEE_SIGNS, RED), (SEE_SIGNS, AMBER), (GIVE_HELP, RED)]
    ids = {id_for(area.running, partition(area), *reason) for reason in reasons}
    assert len(ids) == len(reasons)


# -- taken off ------------------------------------------------------------------------------------


async def test_one_that_is_taken_off_is_gone_with_its_words(area: Area, tmp_path: Path) -> None:
    seen = await kept(area, replace(AUDIT, note="A note.", about=SEE_SIGNS, because=RED))
    await taken_off(area, seen)
    assert await plan(area) == Plan()
    off = await found(area)
    assert off == Action(AUDIT.id, HERE, TODAY, about=SEE_SIGNS, because=RED, revision=2)
    assert off.is_off
    await taken_off(area, seen)
    assert await found(area) == off


async def test_a_late_copy_of_a_tap_does_not_bring_it_back(area: Area) -> None:
    seen = await kept(area, AUDIT)
    await taken_off(area, seen)
    for late in (AUDIT, replace(seen, owner="Bob")):
        with pytest.raises(Overtaken):
            await kept(area, late)
    assert await plan(area) == Plan()


async def test_who_has_seen_that_it_was_taken_off_may_put_it_back(area: Area) -> None:
    seen = await kept(area, AUDIT)
    await taken_off(area, seen)
    back = await kept(area, replace(seen, revision=2))
    assert (await plan(area)).here == (back,)
    assert back.revision == 3


async def test_one_that_has_changed_since_is_not_taken_off(area: Area) -> None:
    seen = await kept(area, AUDIT)
    changed = await kept(area, replace(seen, owner="Ann"))
    with pytest.raises(Overtaken):
        await taken_off(area, seen)
    assert await found(area) == changed
    with pytest.raises(NotOffered):
        await taken_off(area, numbered(7))


# -- the next snapshot ----------------------------------------------------------------------------


async def next_one(area: Area, name: str) -> Running:
    snapshot = replace(a_snapshot(), id=SnapshotId("exampleshire-2027"), area=name)
    return await open_snapshot(area.records, area.running.keys, snapshot)


async def test_the_next_snapshot_of_the_area_finds_the_plan_and_may_change_it(area: Area) -> None:
    old = await kept(area, AUDIT)
    later = await next_one(area, "  EXAMPLESHIRE ")
    whose = area_of(later, TENANT)
    assert await read_plan(later, area.records, whose) == Plan(earlier=(old,))
    done = await save(later, area.records, whose, replace(old, status=Status.DONE))
    new = await save(later, area.records, whose, replace(numbered(1), snapshot=later.snapshot.id))
    assert await read_plan(later, area.records, whose) == Plan((new,), (done,))
    assert await plan(area) == Plan((done,), (new,))
    await take_off(later, area.records, whose, done.id, done.revision)
    off = await found(area)
    assert off is not None
    assert off.snapshot == HERE, "put back, it is still an earlier one"


async def test_accents_and_capitals_do_not_make_another_area(area: Area) -> None:
    one = await next_one(area, "Ynys Môn")
    other = replace(one, snapshot=replace(one.snapshot, area="ynys  mon"))
    assert area_of(one, TENANT) == area_of(other, TENANT)


async def test_another_area_tenant_or_sample_finds_nothing(area: Area) -> None:
    await kept(area, AUDIT)
    for changed, tenant in (
        ({"area": "Otherwick"}, TENANT),
        ({}, "another tenant"),
        ({"sample": True}, TENANT),
    ):
        later = replace(area.running, snapshot=replace(area.running.snapshot, **changed))
        assert await read_plan(later, area.records, area_of(later, tenant)) == Plan()


# -- what the store learns ------------------------------------------------------------------------


async def test_the_store_learns_no_word_of_it_nor_which_area_it_is(
    area: Area, tmp_path: Path
) -> None:
    await kept(area, replace(AUDIT, note="A note that nobody reads."))
    (record,) = await area.records.read_all(partition(area), Kind.ACTION)
    said = json.dumps([record.snapshot, record.id, record.state, record.group, record.body])
    for word in ("Audit", "Siân", "nobody reads", "xampleshire", TENANT, HERE):
        assert word not in said


async def test_nothing_of_it_lies_among_what_people_answered(area: Area) -> None:
    await kept(area, AUDIT)
    assert await area.records.read_all(HERE, Kind.ACTION) == []


async def test_one_moved_to_another_place_does_not_open(area: Area) -> None:
    await kept(area, AUDIT)
    await kept(area, numbered(1))
    first, second = await area.records.read_all(partition(area), Kind.ACTION)
    await area.records.replace(replace(second, body=first.body))
    with pytest.raises(Damaged):
        await plan(area)
    elsewhere = area_of(area.running, "another tenant")
    await area.records.create(Record(elsewhere, Kind.ACTION, first.id, first.body))
    with pytest.raises(Damaged):
        await read_plan(area.running, area.records, elsewhere)


async def test_it_can_be_read_and_changed_by_another_process(area: Area, tmp_path: Path) -> None:
    seen = await kept(area, AUDIT)
    async with SqliteRecords(tmp_path / "snapshot.db") as other:
        again = await find(area.running, other, partition(area), AUDIT.id)
        assert again == seen
        await save(area.running, other, partition(area), replace(again, owner="Ann"))
    with pytest.raises(Overtaken):
        await kept(area, replace(seen, owner="Bob"))


# -- pure -----------------------------------------------------------------------------------------


def test_what_is_open_comes_first_and_the_next_due_before_the_others() -> None:
    names = ("late", "soon", "later", "no date", "done")
    due = (TODAY - timedelta(1), TODAY, TODAY + timedelta(9), None, TODAY - timedelta(99))
    actions = [
        replace(numbered(n), title=name, due=day, revision=1)
        for n, (name, day) in enumerate(zip(names, due, strict=True))
    ]
    actions[-1] = replace(actions[-1], status=Status.DONE)
    off = replace(numbered(9), title="", revision=2)
    shown = plan_of([off, *reversed(actions)], HERE).here
    assert [a.title for a in shown] == list(names)
    assert [a.title for a in shown if a.is_overdue(TODAY)] == ["late"]


@given(st.permutations([numbered(n) for n in range(5)]))
def test_the_order_in_which_they_are_kept_changes_nothing(actions: list[Action]) -> None:
    assert plan_of(actions, HERE) == plan_of([numbered(n) for n in range(5)], HERE)


def test_a_recommendation_is_offered_until_it_is_on_the_plan() -> None:
    signs, patterns, help = (
        recommended(SEE_SIGNS, RED),
        recommended(SEE_SIGNS, "higher"),
        recommended(GIVE_HELP, AMBER),
    )
    everything = (signs, patterns, help)
    assert not_picked(everything, Plan()) == everything
    picked = replace(AUDIT, about=SEE_SIGNS, because=RED)
    own = replace(numbered(1), title=signs.recommendation.text)
    assert not_picked(everything, Plan(here=(picked, own))) == (patterns, help)
    done = replace(picked, status=Status.DONE)
    assert not_picked(everything, Plan(here=(done,))) == (patterns, help)
    assert not_picked(everything, Plan(earlier=(picked,))) == (patterns, help)
    assert not_picked(everything, Plan(earlier=(done,))) == everything, "it is wanted again"


def test_a_recommendation_is_suggested_as_the_library_words_it() -> None:
    advice = recommended(SEE_SIGNS, RED)
    action = suggested(replace(AUDIT, title="", owner=""), advice, LIBRARY)
    assert action == Action(
        AUDIT.id,
        HERE,
        TODAY,
        title=f"red {SEE_SIGNS}",
        agency="partnership",
        due=TODAY + timedelta(days=30),
        check="It is done.",
        about=SEE_SIGNS,
        because=RED,
    )
