"""Leads: kept sealed, each address once, and whoever has stopped stays stopped."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from snapshot.errors import Damaged
from snapshot.lead_lists import Row, parse_csv
from snapshot.leads import (
    MOST_LEADS,
    Added,
    Lead,
    LeadState,
    add,
    all_leads,
    by_address,
    by_person,
    index,
    lead_id,
    mark_unreachable,
    not_found_since,
    note_asked,
    note_found,
    note_install,
    note_person,
    stop,
    was_installed_by_us,
)
from snapshot.ports import Kind, SnapshotId
from snapshot.sealing import Person
from tests.core.exampleshire import Area, a_snapshot, open_area, person

ANN = Row(1, "ann@example.org", "Ann Smith", "Hill School")
BOB = Row(2, "bob@example.org")
MORNING = datetime(2026, 3, 4, 8, 30, tzinfo=UTC)
A_SECOND = timedelta(seconds=1)
CHAT = {"conversation": "a:chat-of-ann", "service_url": "https://teams.example/"}


async def adds(area: Area, *rows: Row) -> Added:
    return await add(area.running, area.records, rows)


async def lead(area: Area, row: Row = ANN) -> Lead:
    found = await by_address(area.running, area.records, row.address)
    assert found
    return found


async def test_leads_are_added_once_however_often_and_however_they_are_written(area: Area) -> None:
    assert await adds(area, ANN, BOB) == Added(2, 0, ())
    assert await adds(area, ANN, replace(BOB, address="BOB@Example.org")) == Added(0, 2, ())
    found = await all_leads(area.running, area.records)
    assert {(each.address, each.name, each.organisation) for each in found} == {
        ("ann@example.org", "Ann Smith", "Hill School"),
        ("bob@example.org", "", ""),
    }


async def test_a_second_list_fills_in_what_was_missing_and_changes_nothing_else(area: Area) -> None:
    await adds(area, ANN, BOB)
    other = replace(ANN, name="Anna S", organisation="Dale School")
    assert await adds(area, other, replace(BOB, name="Bob", organisation="Dale")) == Added(0, 2, ())
    assert (await lead(area)).name == "Ann Smith"
    assert (await lead(area)).organisation == "Hill School"
    assert (await lead(area, BOB)).name == "Bob"
    assert (await lead(area, BOB)).organisation == "Dale"


async def test_two_who_add_the_same_list_at_once_add_everybody_once(area: Area) -> None:
    rows = [Row(n, f"dsl{n}@example.org", f"Name {n}") for n in range(50)]
    both = await asyncio.gather(adds(area, *rows), adds(area, *rows))
    assert sum(added.new for added in both) == 50
    assert sum(added.known for added in both) == 50
    assert len(await all_leads(area.running, area.records)) == 50


async def test_who_has_stopped_stays_stopped(area: Area) -> None:
    await adds(area, BOB)
    await stop(area.running, area.records, (await lead(area, BOB)).id)
    await adds(area, replace(BOB, name="Bob"))
    await note_person(
        area.running, area.records, lead_id(area.running, BOB.address), person("bob"), CHAT
    )
    kept = await lead(area, BOB)
    assert kept.stopped
    assert kept.name == "Bob"
    heads = await area.records.heads(area.running.snapshot.id, Kind.LEAD, LeadState.STOPPED)
    assert [head.id for head in heads] == [kept.id]


async def test_a_word_in_the_database_brings_nobodys_reminders_back(area: Area) -> None:
    await adds(area, ANN)
    await stop(area.running, area.records, (await lead(area)).id)
    record = await area.records.read(area.running.snapshot.id, Kind.LEAD, (await lead(area)).id)
    await area.records.replace(replace(record, state=LeadState.ACTIVE))
    assert (await lead(area)).stopped


async def test_somebody_is_found_by_who_they_are_under_each_of_their_addresses(area: Area) -> None:
    alias = Row(3, "head@example.org")
    await adds(area, ANN, BOB, alias)
    ann = person("ann")
    for row in (ANN, alias):
        id = lead_id(area.running, row.address)
        await note_person(area.running, area.records, id, ann, None)
    found = await by_person(area.running, area.records, ann)
    assert {each.address for each in found} == {ANN.address, alias.address}
    assert await by_person(area.running, area.records, person("bob")) == []
    known = await index(area.running, area.records)
    assert known.unresolved == {lead_id(area.running, BOB.address)}


async def test_talking_to_the_bot_makes_somebody_reachable_again(area: Area) -> None:
    await adds(area, ANN)
    id = (await lead(area)).id
    await mark_unreachable(area.running, area.records, id, "not-installed")
    await note_person(area.running, area.records, id, person("ann"), None)
    assert (await lead(area)).why == "not-installed", "to know who it is reaches nobody"
    await note_person(area.running, area.records, id, person("ann"), CHAT)
    assert (await lead(area)) == Lead(
        id, ANN.address, ANN.name, ANN.organisation, person("ann"), CHAT
    )


async def test_nothing_is_written_where_nothing_changes(area: Area) -> None:
    await adds(area, ANN)
    id = (await lead(area)).id
    await note_person(area.running, area.records, id, person("ann"), CHAT)
    before = await area.records.read(area.running.snapshot.id, Kind.LEAD, id)
    await note_person(area.running, area.records, id, person("ann"), dict(CHAT))
    await adds(area, ANN)
    assert await area.records.read(area.running.snapshot.id, Kind.LEAD, id) == before


async def test_a_change_that_meets_another_loses_neither(area: Area) -> None:
    await adds(area, ANN)
    id = (await lead(area)).id
    await asyncio.gather(
        stop(area.running, area.records, id),
        note_person(area.running, area.records, id, person("ann"), CHAT),
        mark_unreachable(area.running, area.records, id, "blocked"),
    )
    kept = await lead(area)
    assert kept.stopped
    assert kept.person == person("ann")


async def test_nobody_is_made_by_a_change_to_somebody_who_is_not_there(area: Area) -> None:
    await stop(area.running, area.records, "0" * 32)
    assert await all_leads(area.running, area.records) == []


# -- at rest --------------------------------------------------------------------------------------

LONGEST = Row(
    1,
    f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.org",
    "\N{LATIN SMALL LETTER W WITH CIRCUMFLEX}" * 98,
    '"' * 98,
)


def in_the_files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("snapshot.db*")).lower()


async def test_leads_have_one_length_and_nothing_of_them_stands_in_the_file(
    area: Area, tmp_path: Path
) -> None:
    await adds(area, ANN, BOB, LONGEST)
    chat = {
        "service_url": "https://smba.trafficmanager.net/uk/12345678-1234-1234-1234-123456789012/",
        "conversation": f"a:{'x' * 140}",
        "bot": "28:12345678-1234-1234-1234-123456789012",
        "tenant": "12345678-1234-1234-1234-123456789012",
    }
    ann = Person("12345678-1234-1234-1234-123456789012", "00000000-4321-4321-4321-123456789012")
    for row in (ANN, LONGEST):
        id = lead_id(area.running, row.address)
        await note_person(area.running, area.records, id, ann, chat)
    found = await area.records.read_all(area.running.snapshot.id, Kind.LEAD)
    assert len({len(record.body["sealed"]) for record in found}) == 1
    assert all(set(record.body) == {"sealed"} for record in found)
    files = in_the_files(tmp_path)
    for said in ("ann smith", "hill school", ANN.address, ann.object_id, "a:xxx"):
        assert said.encode() not in files


def test_the_longest_row_is_one_that_a_list_may_hold() -> None:
    cells = ",".join(f'"{said.replace('"', '""')}"' for said in ("x", LONGEST.organisation))
    found = parse_csv(f"{LONGEST.address},{cells}".encode())
    assert found.rows[0].organisation == LONGEST.organisation
    assert found.rows[0].address == LONGEST.address
    assert parse_csv(f"a@b.org,{LONGEST.name}".encode()).rows[0].name == LONGEST.name


async def test_leads_are_opened_without_the_key_of_the_answers(area: Area) -> None:
    await adds(area, ANN)
    other = replace(area.running, sealer=area.running.service)
    assert [each.name for each in await all_leads(other, area.records)] == ["Ann Smith"]


async def test_one_lead_in_the_place_of_another_does_not_open(area: Area) -> None:
    await adds(area, ANN, BOB)
    snapshot = area.running.snapshot.id
    ann, bob = [
        await area.records.read(snapshot, Kind.LEAD, lead_id(area.running, row.address))
        for row in (ANN, BOB)
    ]
    await area.records.replace(replace(bob, body=ann.body))
    with pytest.raises(Damaged):
        await lead(area, BOB)
    await area.records.replace(replace(ann, body={}))
    with pytest.raises(Damaged):
        await lead(area)


async def test_one_address_has_another_name_in_each_snapshot(area: Area, tmp_path: Path) -> None:
    other = replace(a_snapshot(), id=SnapshotId("elsewhere-2026"))
    async with open_area(tmp_path / "elsewhere", other) as elsewhere:
        with_same_key = replace(elsewhere.running, service=area.running.service)
        assert lead_id(with_same_key, ANN.address) != lead_id(area.running, ANN.address)


# -- how many -------------------------------------------------------------------------------------


async def test_there_is_room_for_ten_thousand_and_no_more(area: Area) -> None:
    rows = [Row(n, f"dsl{n}@example.org") for n in range(MOST_LEADS + 2)]
    added = await adds(area, *rows)
    assert added == Added(MOST_LEADS, 0, tuple(rows[MOST_LEADS:]))
    assert await adds(area, *rows[:3], Row(1, "one-more@example.org")) == Added(
        0, 3, (Row(1, "one-more@example.org"),)
    )
    found = await all_leads(area.running, area.records)
    assert {each.address for each in found} == {row.address for row in rows[:MOST_LEADS]}


# -- how they are greeted -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Ann Smith", "Ann"),
        ("Siân", "Siân"),
        ("Anne-Marie O'Dea", "Anne-Marie"),
        ("", ""),
        ("Mrs Smith", ""),
        ("DR Smith", ""),
        ("Smith, Ann", ""),
        ("A. Smith", ""),
        ("[Ann](http://example.org) Smith", ""),
        ("**Ann** Smith", ""),
        ("{area_name}", ""),
    ],
)
def test_a_first_name_is_said_only_where_the_name_tells_it(name: str, first: str) -> None:
    assert Lead("", "ann@example.org", name).first_name == first


# -- looked for -----------------------------------------------------------------------------------


async def sought(area: Area, since: datetime, most: int = 10) -> list[str]:
    found = await not_found_since(area.running, area.records, since, most)
    return [each.address for each in found]


async def test_who_was_never_looked_for_comes_first_and_then_who_has_waited_longest(
    area: Area,
) -> None:
    rows = [Row(n, f"dsl{n}@example.org") for n in range(4)]
    await adds(area, *rows)
    for row, minutes in zip(rows, (3, 1, 2), strict=False):
        known = await lead(area, row)
        at = MORNING + timedelta(minutes=minutes)
        await note_asked(area.running, area.records, known.id, at)
    order = [rows[n].address for n in (3, 1, 2, 0)]
    assert await sought(area, MORNING + timedelta(hours=1)) == order
    assert await sought(area, MORNING + timedelta(hours=1), most=2) == order[:2]
    assert await sought(area, MORNING + timedelta(minutes=2)) == order[:2]


async def test_who_was_looked_for_is_still_one_of_whom_only_an_address_is_known(
    area: Area,
) -> None:
    await adds(area, ANN)
    known = await lead(area)
    await note_asked(area.running, area.records, known.id, MORNING)
    assert (await lead(area)).is_sought(MORNING + A_SECOND)
    assert not (await lead(area)).is_sought(MORNING)
    assert (await index(area.running, area.records)).unresolved == {known.id}
    assert (await lead(area)).is_out_of_reach


async def test_who_is_found_or_has_stopped_is_not_looked_for(area: Area) -> None:
    await adds(area, ANN, BOB)
    ann, bob = await lead(area), await lead(area, BOB)
    await note_found(area.running, area.records, ann.id, person("ann"), CHAT)
    await stop(area.running, area.records, bob.id)
    assert await sought(area, MORNING) == []
    assert (await by_person(area.running, area.records, person("ann")))[0].chat == CHAT


async def test_where_somebody_talks_counts_more_than_where_they_were_found(area: Area) -> None:
    await adds(area, ANN)
    known = await lead(area)
    await note_person(area.running, area.records, known.id, person("ann"), CHAT)
    await note_found(area.running, area.records, known.id, Person("t", "other"), {"found": "x"})
    assert (await lead(area)).chat == CHAT
    assert (await lead(area)).person == person("ann")


async def test_that_we_installed_the_app_is_known_for_a_day(area: Area) -> None:
    async def known(who: Person, after: timedelta) -> bool:
        return await was_installed_by_us(area.running, area.records, who, MORNING + after)

    await note_install(area.running, area.records, person("ann"), MORNING)
    assert await known(person("ann"), timedelta(hours=23))
    assert not await known(person("ann"), timedelta(days=1))
    assert not await known(Person("t", "other"), timedelta())
    await note_install(area.running, area.records, person("ann"), MORNING + timedelta(hours=2))
    assert await known(person("ann"), timedelta(hours=25))
