"""What is fixed at opening: who answers under which label, and that nobody moves it afterwards."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshot.errors import Tampered, WrongKey
from snapshot.instrument import AgencyId
from snapshot.opening import open_snapshot, take_up
from snapshot.ports import DIRECTORY, Exists, KeyMissing, Kind, Record, SnapshotId
from snapshot.snapshot import OTHER, Cell, CellId, Phase, Snapshot, form_cells
from storage.keyfiles import KeyFiles
from tests.core.exampleshire import INSTRUMENT, Area, a_snapshot, person

type Settings = dict[str, Any]


def cells(headcounts: Mapping[str, int], k: int = 10, reply_share: float = 0.4) -> dict[str, int]:
    formed = form_cells(
        {AgencyId(a): n for a, n in headcounts.items()}, k=k, reply_share=reply_share
    )
    return {c.id: c.headcount for c in formed}


# -- cells --------------------------------------------------------------------------------------


def test_an_agency_stands_alone_when_k_of_its_people_are_likely_to_answer() -> None:
    assert cells({"police": 25, "health": 26}) == {"police": 25, "health": 26}


def test_smaller_agencies_are_combined() -> None:
    assert cells({"police": 60, "housing": 24, "probation": 3}) == {"police": 60, "other": 27}


def test_a_combined_cell_that_is_too_small_takes_in_the_smallest_agency_and_its_name() -> None:
    formed = form_cells(
        {AgencyId("police"): 60, AgencyId("health"): 40, AgencyId("probation"): 24},
        k=10,
        reply_share=0.4,
    )
    combined = Cell(OTHER, (AgencyId("health"), AgencyId("probation")), 64, AgencyId("health"))
    assert formed == (Cell(CellId("police"), (AgencyId("police"),), 60), combined)


def test_of_two_equally_small_agencies_the_first_by_name_is_taken_in() -> None:
    assert cells({"schools": 40, "health": 40, "probation": 3}) == {"schools": 40, "other": 43}


def test_an_agency_with_nobody_in_it_is_not_offered() -> None:
    assert cells({"police": 60, "probation": 0}) == {"police": 60}
    assert cells({"police": 0}) == {}


def test_where_all_are_small_there_is_one_cell() -> None:
    assert cells({"police": 3, "health": 4, "probation": 2}) == {"other": 9}


@pytest.mark.parametrize("k", range(10, 21))
def test_the_floor_is_k_over_the_reply_share_however_a_computer_divides(k: int) -> None:
    floor = ceil(Fraction(k) / Fraction(4, 10))
    assert cells({"police": floor, "health": 1000}, k=k) == {"police": floor, "health": 1000}
    assert "police" not in cells({"police": floor - 1, "health": 1000}, k=k)


headcounts = st.dictionaries(
    st.sampled_from([a.id for a in INSTRUMENT.agencies]), st.integers(0, 300)
)


@given(headcounts, st.integers(10, 20), st.sampled_from([0.2, 0.3, 0.4, 0.5, 1.0]))
def test_nobody_is_left_out_and_every_cell_is_large_enough_or_the_only_one(
    headcounts: dict[AgencyId, int], k: int, reply_share: float
) -> None:
    formed = form_cells(headcounts, k=k, reply_share=reply_share)

    offered = {a for a, n in headcounts.items() if n}
    assert sorted(a for c in formed for a in c.agencies) == sorted(offered)
    for cell in formed:
        assert cell.headcount == sum(headcounts[a] for a in cell.agencies)
        assert cell.headcount >= k / reply_share or len(formed) == 1
        assert cell.id == OTHER or cell.agencies == (AgencyId(cell.id),)
        assert cell.named is None or cell.named in cell.agencies
    assert len({c.id for c in formed}) == len(formed)


@given(headcounts)
def test_an_agency_that_could_stand_alone_is_combined_only_if_the_others_need_it(
    headcounts: dict[AgencyId, int],
) -> None:
    formed = form_cells(headcounts, k=10, reply_share=0.4)
    small = sum(n for n in headcounts.values() if n < 25)
    for cell in formed:
        large = [a for a in cell.agencies if headcounts[a] >= 25]
        if cell.id == OTHER and large:
            assert len(large) == 1
            assert cell.named == large[0]
            assert 0 < small < 25
            assert headcounts[large[0]] == min(n for n in headcounts.values() if n >= 25)


def test_an_agency_belongs_to_its_cell_and_to_no_other() -> None:
    snapshot = replace(
        a_snapshot(),
        cells=form_cells(
            {AgencyId("police"): 60, AgencyId("housing"): 20, AgencyId("probation"): 20},
            k=10,
            reply_share=0.4,
        ),
    )
    for agency, cell in {"police": "police", "housing": "other", "probation": "other"}.items():
        found = snapshot.cell_of(agency)
        assert found is not None
        assert found.id == cell
    assert snapshot.cell_of("other") is None
    assert snapshot.cell_of("schools") is None


# -- written down and read again ----------------------------------------------------------------


def test_settings_come_back_from_json_as_they_were() -> None:
    snapshot = a_snapshot()
    assert Snapshot.from_json(json.loads(json.dumps(snapshot.as_json()))) == snapshot


def test_quiet_days_come_back_and_settings_from_before_there_were_any_have_none() -> None:
    quiet = (date(2026, 4, 3), date(2026, 4, 14))
    plain = replace(a_snapshot(), quiet=quiet).as_json()
    assert plain["quiet"] == ["2026-04-03", "2026-04-14"]
    assert Snapshot.from_json(plain).quiet == quiet
    del plain["quiet"]
    assert Snapshot.from_json(plain).quiet == ()


def test_times_keep_their_moment_whatever_zone_they_were_given_in() -> None:
    london = datetime(2026, 3, 29, 0, 30, tzinfo=ZoneInfo("Europe/London"))
    snapshot = replace(a_snapshot(), opened=london, deadline=london.astimezone(UTC))
    again = Snapshot.from_json(json.loads(json.dumps(snapshot.as_json())))
    assert (again.opened, again.deadline) == (london, london)
    assert again.opened.tzinfo is not None


async def test_a_snapshot_is_taken_up_after_a_restart(area: Area, tmp_path: Path) -> None:
    record = await area.records.read(DIRECTORY, Kind.SNAPSHOT, area.running.snapshot.id)
    again = await take_up(record, KeyFiles(tmp_path / "keys"))
    assert again.snapshot == area.running.snapshot
    assert again.phase is Phase.OPEN
    assert (again.channel, again.closed) == (None, None)
    assert again.sealer.tag(person("Ada")) == area.tag("Ada")


async def test_one_id_is_opened_once(area: Area, tmp_path: Path) -> None:
    with pytest.raises(Exists):
        await open_snapshot(area.records, KeyFiles(tmp_path / "keys"), area.running.snapshot)
    with pytest.raises(KeyMissing):  # beside other keys nothing new is sealed
        await open_snapshot(area.records, KeyFiles(tmp_path / "more"), area.running.snapshot)
    assert not (tmp_path / "more" / "service.key").exists()


# -- what was frozen stays frozen ---------------------------------------------------------------


def lower_k(settings: Settings) -> None:
    settings["k"] = 3


def moved_deadline(settings: Settings) -> None:
    settings["deadline"] = "2026-03-03T17:00:00+00:00"


def larger_headcount(settings: Settings) -> None:
    settings["cells"][0]["headcount"] = 600


def agency_in_another_cell(settings: Settings) -> None:
    settings["cells"][1]["agencies"] = ["police", "health"]


def one_more_cell(settings: Settings) -> None:
    settings["cells"].append({"id": "spies", "agencies": ["x"], "headcount": 1, "named": None})


def one_more_tenant(settings: Settings) -> None:
    settings["tenants"].append("00000000-0000-4000-8000-00000000dead")


def another_version(settings: Settings) -> None:
    settings["instrument_version"] = "2"


def another_telephone_number(settings: Settings) -> None:
    settings["contacts"]["front_door_phone"] = "01632 960 666"


def declared_a_sample(settings: Settings) -> None:
    settings["sample"] = True


def one_more_setting(settings: Settings) -> None:
    settings["mixing_now"] = True


def one_setting_less(settings: Settings) -> None:
    del settings["k"]


async def changed(area: Area, change: Callable[[dict[str, Any]], None]) -> Record:
    """The snapshot's record after whoever runs the database has changed it."""
    record = await area.records.read(DIRECTORY, Kind.SNAPSHOT, area.running.snapshot.id)
    body = json.loads(json.dumps(record.body))
    change(body)
    return await area.records.replace(replace(record, body=body))


@pytest.mark.parametrize(
    "change",
    [
        lower_k,
        moved_deadline,
        larger_headcount,
        agency_in_another_cell,
        one_more_cell,
        one_more_tenant,
        another_version,
        another_telephone_number,
        declared_a_sample,
        one_more_setting,
        one_setting_less,
    ],
    ids=lambda change: change.__name__.replace("_", " "),
)
async def test_changed_settings_stop_the_snapshot(
    area: Area, tmp_path: Path, change: Callable[[Settings], None]
) -> None:
    record = await changed(area, lambda body: change(body["settings"]))
    with pytest.raises(Tampered):
        await take_up(record, KeyFiles(tmp_path / "keys"))


@pytest.mark.parametrize("forged", ["", "AAAA", None, 7])
async def test_a_seal_that_was_thrown_away_stops_the_snapshot(
    area: Area, tmp_path: Path, forged: object
) -> None:
    record = await changed(area, lambda body: body.update(settings_seal=forged))
    with pytest.raises(Tampered):
        await take_up(record, KeyFiles(tmp_path / "keys"))


async def test_another_sealed_value_cannot_stand_in_for_the_settings(
    area: Area, tmp_path: Path
) -> None:
    record = await changed(area, lambda body: body.update(settings_seal=body["key_check"]))
    with pytest.raises(Tampered):
        await take_up(record, KeyFiles(tmp_path / "keys"))


@pytest.mark.parametrize("field", ["settings", "settings_seal", "key_check"])
async def test_a_field_that_was_taken_out_stops_this_snapshot_alone(
    area: Area, tmp_path: Path, field: str
) -> None:
    record = await changed(area, lambda body: body.pop(field))
    with pytest.raises((Tampered, WrongKey)):
        await take_up(record, KeyFiles(tmp_path / "keys"))


# -- the key ------------------------------------------------------------------------------------


async def test_a_snapshot_without_its_key_is_not_taken_up(area: Area, tmp_path: Path) -> None:
    with pytest.raises(WrongKey):
        await take_up(area.running.record, KeyFiles(tmp_path / "no keys here"))


@pytest.mark.parametrize("key", [secrets.token_bytes(32), b"", b"short", bytes(33)], ids=len)
async def test_a_snapshot_with_another_key_is_not_taken_up(
    area: Area, tmp_path: Path, key: bytes
) -> None:
    (tmp_path / "keys" / f"{area.running.snapshot.id}.key").write_bytes(key)
    with pytest.raises(WrongKey):
        await take_up(area.running.record, KeyFiles(tmp_path / "keys"))


async def test_one_snapshot_does_not_open_with_the_key_of_another(
    area: Area, tmp_path: Path
) -> None:
    keys = KeyFiles(tmp_path / "keys")
    next_year = replace(area.running.snapshot, id=SnapshotId("exampleshire-2027"))
    other = await open_snapshot(area.records, keys, next_year)
    await changed(area, lambda body: body.update(key_check=other.record.body["key_check"]))
    record = await area.records.read(DIRECTORY, Kind.SNAPSHOT, area.running.snapshot.id)
    with pytest.raises(WrongKey):
        await take_up(record, keys)
