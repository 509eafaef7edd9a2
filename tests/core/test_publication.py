"""What leaves is recorded first, once, and found again by a name that says what it is."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshot.ports import Kind, Record, SnapshotId
from snapshot.publication import (
    Outbox,
    Topic,
    find,
    id_of,
    mark_sent,
    newest,
    record,
    topic_of,
    unsent,
    which_of,
)
from tests.core.exampleshire import Area
from tests.core.watching import AtWrite, Watched

BEFORE_NEW_YEAR = "2026-W53"
AFTER_NEW_YEAR = "2027-W01"

topics = st.sampled_from(list(Topic))
days = st.dates(date(2025, 1, 1), date(2035, 12, 31))


async def recorded(area: Area, *ids: str, state: Outbox = Outbox.RECORDED) -> None:
    for id in ids:
        assert await record(area.records, area.running.snapshot.id, id, {"of": id}, state=state)


async def found(area: Area, id: str) -> Record:
    publication = await find(area.records, area.running.snapshot.id, id)
    assert publication is not None
    return publication


async def the_newest(area: Area, topic: Topic) -> str | None:
    publication = await newest(area.records, area.running.snapshot.id, topic)
    return publication.id if publication else None


async def to_send(area: Area) -> list[str]:
    return [r.id for r in await unsent(area.records, area.running.snapshot.id)]


# -- names ---------------------------------------------------------------------------------------


@given(topics, days)
def test_a_name_tells_its_topic_and_its_day(topic: Topic, day: date) -> None:
    id = id_of(topic, day)
    assert topic_of(id) is topic
    assert which_of(id) == day.isoformat()
    assert id == f"{topic}-{day.isoformat()}"
    assert id_of(topic_of(id), id.partition("-")[2]) == id


@pytest.mark.parametrize("topic", Topic)
def test_a_name_may_be_its_topic_alone(topic: Topic) -> None:
    """There is one opening and one final summary."""
    assert id_of(topic) == topic
    assert topic_of(id_of(topic)) is topic


@pytest.mark.parametrize("topic", Topic)
def test_no_topic_is_cut_short_in_its_name(topic: Topic) -> None:
    assert "-" not in topic


def test_a_name_without_a_topic_is_nobody_s() -> None:
    with pytest.raises(ValueError, match="gossip"):
        topic_of("gossip-2026-W11")


@given(topics, days, days)
def test_names_of_days_are_in_the_order_of_time(topic: Topic, one: date, other: date) -> None:
    assert (id_of(topic, one) < id_of(topic, other)) is (one < other)


# -- once ----------------------------------------------------------------------------------------


async def test_what_was_recorded_first_stands(area: Area) -> None:
    id = area.running.snapshot.id
    assert await record(area.records, id, "final", {"of": "the first"})
    before = await found(area, "final")
    assert not await record(area.records, id, "final", {"of": "the second"})
    assert await found(area, "final") == before
    assert (before.body, before.state) == ({"of": "the first"}, Outbox.RECORDED)


async def test_of_two_at_once_the_quicker_one_stands(area: Area) -> None:
    id = area.running.snapshot.id
    quick = partial(record, area.records, id, "final", {"of": "the quick"})
    slow = Watched(area.records, AtWrite(0, quick))
    assert not await record(slow, id, "final", {"of": "the slow"})
    assert (await found(area, "final")).body == {"of": "the quick"}


async def test_what_was_sent_is_not_recorded_to_be_sent_again(area: Area) -> None:
    await recorded(area, "final")
    await mark_sent(area.records, await found(area, "final"))
    assert not await record(area.records, area.running.snapshot.id, "final", {})
    assert await to_send(area) == []


async def test_what_was_never_published_is_not_found(area: Area) -> None:
    await recorded(area, "final")
    assert await find(area.records, area.running.snapshot.id, "opening") is None
    assert await find(area.records, SnapshotId("exampleshire-2027"), "final") is None


# -- the newest ----------------------------------------------------------------------------------


@pytest.mark.parametrize("backwards", [False, True])
async def test_the_newest_is_the_latest_week_also_over_new_year(
    area: Area, backwards: bool
) -> None:
    weeks = ["2026-W09", "2026-W11", BEFORE_NEW_YEAR, AFTER_NEW_YEAR]
    ids = [id_of(Topic.INTERIM, week) for week in weeks]
    for id in reversed(ids) if backwards else ids:
        await recorded(area, id)
    assert await the_newest(area, Topic.INTERIM) == f"interim-{AFTER_NEW_YEAR}"


async def test_the_newest_is_that_of_the_topic_asked_for(area: Area) -> None:
    first = date(2026, 12, 30)
    await recorded(area, id_of(Topic.COMMENTS, first), id_of(Topic.NUDGE, first + timedelta(5)))
    await recorded(area, id_of(Topic.MIXING, first + timedelta(9)), "final", "opening")
    assert await the_newest(area, Topic.COMMENTS) == "comments-2026-12-30"
    assert await the_newest(area, Topic.NUDGE) == "nudge-2027-01-04"
    assert await the_newest(area, Topic.INTERIM) is None


async def test_the_newest_is_whole_whatever_became_of_it(area: Area) -> None:
    """A mark that nothing was sent for is found too: progress is frozen in one."""
    id = id_of(Topic.MIXING, date(2026, 3, 9))
    await recorded(area, id, state=Outbox.SILENT)
    publication = await newest(area.records, area.running.snapshot.id, Topic.MIXING)
    assert publication == await found(area, id)
    assert publication.body == {"of": id}


async def test_where_nothing_was_published_there_is_no_newest(area: Area) -> None:
    for topic in Topic:
        assert await the_newest(area, topic) is None


async def test_a_topic_without_a_day_is_found_as_well(area: Area) -> None:
    await recorded(area, "opening")
    assert await the_newest(area, Topic.OPENING) == "opening"


# -- what is still to be sent --------------------------------------------------------------------


async def test_what_is_recorded_waits_until_it_is_sent(area: Area) -> None:
    await recorded(area, "final", "interim-2026-W11")
    assert await to_send(area) == ["interim-2026-W11", "final"]
    await mark_sent(area.records, await found(area, "final"))
    assert await to_send(area) == ["interim-2026-W11"]
    assert (await found(area, "final")).body == {"of": "final"}


async def test_a_silent_mark_is_never_sent(area: Area) -> None:
    await recorded(area, "mixing-2026-03-09", state=Outbox.SILENT)
    assert await to_send(area) == []
    assert not await record(area.records, area.running.snapshot.id, "mixing-2026-03-09", {})
    assert await to_send(area) == []


async def test_two_who_have_sent_the_same_may_both_say_so(area: Area) -> None:
    await recorded(area, "final")
    seen_by_both = await found(area, "final")
    await mark_sent(area.records, seen_by_both)
    before = await found(area, "final")
    await mark_sent(area.records, seen_by_both)
    assert await found(area, "final") == before
    assert before.state == Outbox.SENT


async def test_what_another_one_sent_meanwhile_is_not_listed(area: Area) -> None:
    await recorded(area, "final", "opening")

    class Sends(Watched):
        """Another worker sends everything right after the first was read."""

        async def read(self, snapshot: SnapshotId, kind: Kind, id: str) -> Record:
            publication = await super().read(snapshot, kind, id)
            await mark_sent(area.records, await found(area, "opening"))
            return publication

    listed = await unsent(Sends(area.records), area.running.snapshot.id)
    assert [r.id for r in listed] == ["final"]


async def test_what_is_to_be_sent_of_one_snapshot_is_not_that_of_another(area: Area) -> None:
    await recorded(area, "final")
    assert await unsent(area.records, SnapshotId("exampleshire-2027")) == []
