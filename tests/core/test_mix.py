"""The mix: everybody's answers come out once, and in groups of k or more."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableSequence, Sequence
from dataclasses import replace
from functools import reduce
from itertools import combinations, product
from math import sqrt
from operator import and_, or_
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from snapshot.envelope import State
from snapshot.instrument import OptionId, StatementId
from snapshot.mix import MOST_IN_A_BATCH, Group, Mix, plan_close
from snapshot.ports import Kind, Record
from snapshot.sealing import Sealer
from snapshot.snapshot import OTHER, CellId
from tests.core.exampleshire import (
    FULLY,
    INSTRUMENT,
    MOSTLY,
    OPTIONS,
    SEEING,
    SOME_CHOICES,
    Area,
    K,
    a_ballot,
    a_snapshot,
    no_waiting,
    open_area,
    person,
    told,
)
from tests.core.mixed import assert_nothing_is_left_behind, ballots_with_labels
from tests.core.watching import Watched

AREA_OF_FIVE = a_snapshot({"police": 90, "health": 160, "schools": 210, "housing": 30, "other": 40})

# -- who is released with whom -------------------------------------------------------------------

waiting_people = st.dictionaries(
    st.sampled_from([CellId(c) for c in ("police", "health", "schools", "housing", OTHER)]),
    st.integers(0, 60) | st.integers(0, 12),
)
thresholds = st.integers(2, 20)


@given(waiting_people, thresholds)
@example({CellId("police"): 12, CellId("health"): 3}, 10)
@example({CellId("a"): 3, CellId("b"): 4, CellId("c"): 2}, 10)
def test_everybody_is_released_once_or_nobody_at_all(waiting: dict[CellId, int], k: int) -> None:
    released = [cell for group in plan_close(waiting, k) for cell in group.cells]
    if sum(waiting.values()) < k:
        assert released == []
    else:
        assert sorted(released) == sorted(cell for cell, n in waiting.items() if n)


@given(waiting_people, thresholds)
def test_no_group_is_smaller_than_k(waiting: dict[CellId, int], k: int) -> None:
    assert all(people(group, waiting) >= k for group in plan_close(waiting, k))


@given(waiting_people, thresholds)
def test_a_label_is_that_of_one_cell_or_of_the_other_agencies(
    waiting: dict[CellId, int], k: int
) -> None:
    for group in plan_close(waiting, k):
        assert group.label == OTHER or group.cells == (group.label,)


@given(waiting_people, thresholds)
def test_a_cell_that_is_large_enough_keeps_its_label_unless_the_pool_needs_it(
    waiting: dict[CellId, int], k: int
) -> None:
    small = sum(n for n in waiting.values() if n < k)
    large = {cell: n for cell, n in waiting.items() if n >= k}
    gave_up = [
        cell
        for group in plan_close(waiting, k)
        for cell in group.cells
        if cell in large and cell != group.label
    ]
    if gave_up:
        assert 0 < small < k
        assert OTHER not in large
        assert [large[cell] for cell in gave_up] == [min(large.values())]


@given(waiting_people, thresholds)
def test_the_pool_comes_first_and_the_smallest_after_it(waiting: dict[CellId, int], k: int) -> None:
    plan = plan_close(waiting, k)
    pooled = any(0 < n < k for n in waiting.values())
    alone = plan[1:] if pooled else plan
    assert [people(g, waiting) for g in alone] == sorted(people(g, waiting) for g in alone)
    if plan and pooled:
        assert plan[0].label == OTHER


@given(waiting_people, thresholds, st.randoms(use_true_random=False))
def test_the_plan_does_not_depend_on_the_order_of_the_cells(
    waiting: dict[CellId, int], k: int, dice: Random
) -> None:
    shuffled = list(waiting.items())
    dice.shuffle(shuffled)
    assert plan_close(dict(shuffled), k) == plan_close(waiting, k)


def people(group: Group, waiting: Mapping[CellId, int]) -> int:
    return sum(waiting[cell] for cell in group.cells)


# -- what comes out ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sending", "labels", "batches"),
    [
        pytest.param({}, {}, [], id="nobody"),
        pytest.param({"police": 1}, {}, [], id="1"),
        pytest.param({"police": K - 1}, {}, [], id="k - 1"),
        pytest.param({"police": K}, {}, [("police", 10)], id="k"),
        pytest.param({"police": K + 1}, {}, [("police", 11)], id="k + 1"),
        pytest.param({"police": 2 * K - 1}, {}, [("police", 19)], id="2 k - 1"),
        pytest.param({"police": 3, "health": 4, "schools": 2}, {}, [], id="3 + 4 + 2"),
        pytest.param(
            {"police": 12, "health": 3},
            {"police": "other", "health": "other"},
            [("other", 15)],
            id="12 + 3",
        ),
        pytest.param(
            {"police": 30, "health": 12, "schools": 9},
            {"health": "other", "schools": "other"},
            [("other", 21), ("police", 30)],
            id="9 joined by the smaller of 12 and 30",
        ),
        pytest.param(
            {"police": 11, "health": 30, "schools": 6, "other": 14},
            {"schools": "other"},
            [("health", 30), ("other", 20), ("police", 11)],
            id="6 joined by the combined cell, whose label it takes",
        ),
        pytest.param(
            {"police": 30, "health": 9, "schools": 9},
            {"health": "other", "schools": "other"},
            [("other", 18), ("police", 30)],
            id="9 + 9 need nobody else",
        ),
    ],
)
async def test_at_the_close_every_ballot_comes_out_once_or_none_does(
    tmp_path: Path,
    sending: dict[str, int],
    labels: dict[str, str],
    batches: list[tuple[str, int]],
) -> None:
    async with open_area(tmp_path, AREA_OF_FIVE) as area:
        sent = await area.people_send(sending)
        await area.mix().flush()

        assert sorted((t.cell, t.people) for t in await area.tallies()) == batches
        expected = ballots_with_labels(sent, labels) if batches else Counter()
        assert told(await area.slips()) == expected
        state = State.RELEASED if batches else State.SUBMITTED
        assert await area.states() == Counter({state: len(sent)} if sent else {})
        await assert_nothing_is_left_behind(area)


async def test_mixing_again_changes_nothing(area: Area) -> None:
    await area.people_send({"police": 12})
    await area.mix().flush()
    before = (await area.slips(), await area.tallies(), await area.states())
    await area.mix(seed=2).flush()
    assert (await area.slips(), await area.tallies(), await area.states()) == before


async def test_drafts_are_never_opened(area: Area) -> None:
    sent = await area.people_send({"police": K})
    await area.keeps("Ada", a_ballot("police", [FULLY, FULLY, FULLY], sent=False), State.OPEN)
    before = await area.envelope("Ada")
    await area.mix().flush()
    assert told(await area.slips()) == ballots_with_labels(sent, {})
    assert await area.envelope("Ada") == before


async def test_a_large_cell_leaves_in_parts_of_k_to_a_hundred(area: Area) -> None:
    sent = await area.people_send({"police": 230})
    await area.mix().flush()
    parts = [t.people for t in await area.tallies()]
    assert sum(parts) == 230
    assert all(K <= part <= MOST_IN_A_BATCH for part in parts)
    assert told(await area.slips()) == ballots_with_labels(sent, {})
    await assert_nothing_is_left_behind(area)


async def test_with_the_largest_k_parts_are_still_large_enough(tmp_path: Path) -> None:
    async with open_area(tmp_path, a_snapshot({"police": 300}, k=20)) as area:
        await area.people_send({"police": 101})
        await area.mix().flush()
        assert sorted(t.people for t in await area.tallies()) == [50, 51]


class Unlucky(Random):
    """Dice with which the people of one cell are always drawn first."""

    def __init__(self, first: Collection[str]) -> None:
        super().__init__(1)
        self._first = first

    def shuffle(self, x: MutableSequence[Any]) -> None:
        super().shuffle(x)
        x[:] = sorted(x, key=lambda tag: tag not in self._first)


async def test_the_people_of_a_cell_leave_under_one_label(tmp_path: Path) -> None:
    """Otherwise the headcount of a cell is shared out among a part of its people only."""
    async with open_area(tmp_path, a_snapshot({"police": 400, "housing": 30})) as area:
        await area.people_send({"police": 150, "housing": 3})
        dice = Unlucky([area.tag(f"housing-{n}") for n in range(3)])
        await Mix(area.running, INSTRUMENT, area.records, dice=dice, wait=no_waiting).flush()
        assert {t.cell for t in await area.tallies()} == {"other"}


# -- nothing tells whose -------------------------------------------------------------------------


class CountingUp(Random):
    """Ids as a database would number them: the negative control."""

    def getrandbits(self, k: int, /) -> int:
        if k < 128:
            return super().getrandbits(k)
        self._last = getattr(self, "_last", 0) + 1
        return self._last


async def order_of_slips(area: Area, dice: Random) -> list[str]:
    """The names of 36 people, each with choices of their own, in the order of their slips."""
    names = {}
    for number, choices in enumerate(product(OPTIONS, OPTIONS)):
        name = f"person-{number:02}"
        names[choices] = name
        await area.keeps(name, a_ballot("police", [*choices, FULLY]))
    await Mix(area.running, INSTRUMENT, area.records, dice=dice, wait=no_waiting).flush()
    slips = sorted(await area.slips(), key=lambda s: s.id)
    return [names[s.choices] for s in slips if s.domain == SEEING]  # type: ignore[index]  # two choices


def likeness(ranks: Sequence[int]) -> float:
    """Kendall's tau of an order, in standard deviations of what chance makes of it."""
    n = len(ranks)
    pairs = list(combinations(ranks, 2))
    tau = sum(1 if a < b else -1 for a, b in pairs) / len(pairs)
    return abs(tau) / sqrt(2 * (2 * n + 5) / (9 * n * (n - 1)))


async def test_slips_lie_in_an_order_that_is_not_that_of_the_people(area: Area) -> None:
    order = await order_of_slips(area, Random(7))
    by_tag = sorted(order, key=area.tag)
    assert likeness([sorted(order).index(name) for name in order]) < 5
    assert likeness([by_tag.index(name) for name in order]) < 5


async def test_ids_that_count_up_would_be_found_out(area: Area) -> None:
    order = await order_of_slips(area, CountingUp(7))
    by_tag = sorted(order, key=area.tag)
    assert likeness([by_tag.index(name) for name in order]) > 5


async def test_every_bit_of_a_slip_id_is_thrown_with_the_dice(area: Area) -> None:
    await area.people_send({"police": 60})
    await area.mix().flush()
    ids = [s.id for s in await area.slips()]
    assert all(re.fullmatch("[0-9a-f]{32}", id) for id in ids)
    assert len(set(ids)) == len(ids)
    numbers = [int(id, 16) for id in ids]
    assert reduce(or_, numbers) == 2**128 - 1
    assert reduce(and_, numbers) == 0


async def test_slips_are_written_in_the_order_of_their_ids(area: Area) -> None:
    """A database remembers the order of writing, whatever the order in which it lists."""
    await area.people_send({"police": K})
    written = []

    async def watch(record: Record) -> None:
        if record.kind is Kind.SLIP:
            written.append(record.id)

    await area.mix(records=Watched(area.records, watch)).flush()
    assert len(written) == 2 * K
    assert written == sorted(written)


async def test_other_dice_give_the_same_slips_other_ids(tmp_path: Path) -> None:
    ids = []
    for seed in (1, 2):
        async with open_area(tmp_path / str(seed)) as area:
            await area.people_send({"police": K})
            await area.mix(seed=seed).flush()
            ids.append({s.id for s in await area.slips()})
    assert not ids[0] & ids[1]


async def test_a_slip_says_cell_domain_and_choices_and_nothing_else(area: Area) -> None:
    await area.people_send({"police": K})
    await area.mix().flush()
    for record in await area.records.read_all(area.running.snapshot.id, Kind.SLIP):
        assert set(record.body) == {"cell", "domain", "choices"}
        assert (record.state, record.group) == ("", "")


async def test_the_journal_shows_nothing_of_what_it_holds(area: Area) -> None:
    sent = await area.people_send({"police": K})
    journals = []

    async def look(record: Record) -> None:
        if record.kind is Kind.JOURNAL:
            journals.append(str(record))

    await area.mix(records=Watched(area.records, look)).flush()
    secret = [*OPTIONS, "police", *map(area.tag, sent)]
    assert any("commit" in journal for journal in journals)
    assert not any(word in journal for journal in journals for word in secret)


# -- ballots that must not count -----------------------------------------------------------------


async def with_a_bit_flipped(area: Area) -> None:
    record = await area.keeps("odd", a_ballot("police", SOME_CHOICES))
    raw = bytearray(base64.b64decode(record.body["ballot"]))
    raw[100] ^= 1
    body = {**record.body, "ballot": base64.b64encode(raw).decode()}
    await area.rewrite("odd", body=body)


async def never_sent_with_its_state_flipped(area: Area) -> None:
    await area.keeps("odd", a_ballot("police", SOME_CHOICES, sent=False), State.OPEN)
    await area.rewrite("odd", state=State.SUBMITTED)


async def withdrawn_with_its_state_flipped(area: Area) -> None:
    await area.keeps("odd", a_ballot("police", SOME_CHOICES))
    await area.survey.withdraw(person("odd"))
    await area.rewrite("odd", state=State.SUBMITTED, group="police")


async def incomplete(area: Area) -> None:
    await area.keeps("odd", a_ballot("police", SOME_CHOICES[:2]))


async def with_an_option_of_another_scale(area: Area) -> None:
    await area.keeps("odd", a_ballot("police", [FULLY, MOSTLY, OptionId("splendid")]))


async def with_a_statement_too_many(area: Area) -> None:
    good = a_ballot("police", SOME_CHOICES)
    answers = {**good.answers, StatementId("SE3"): FULLY}
    await area.keeps("odd", replace(good, answers=answers))


async def moved_to_another_cell(area: Area) -> None:
    await area.keeps("odd", a_ballot("health", SOME_CHOICES))
    await area.rewrite("odd", group="police")


async def another_person_s_ballot(area: Area) -> None:
    copied = await area.keeps("Ada", a_ballot("police", SOME_CHOICES), State.RELEASED)
    await area.keeps("odd", a_ballot("police", SOME_CHOICES))
    await area.rewrite("odd", body=copied.body)


async def sealed_but_no_ballot(area: Area) -> None:
    await area.keeps("odd", a_ballot("police", SOME_CHOICES))
    sealed = area.running.sealer.seal(["fully"] * 3, "ballot", area.tag("odd"), size=8192)
    await area.rewrite("odd", body={"ballot": sealed, "contact": None})


async def made_up_without_the_key(area: Area) -> None:
    await area.keeps("odd", a_ballot("police", SOME_CHOICES))
    forged = Sealer(bytes(32), area.running.snapshot.id).seal(
        a_ballot("police", SOME_CHOICES).as_json(), "ballot", area.tag("odd"), size=8192
    )
    await area.rewrite("odd", body={"ballot": forged, "contact": None})


BAD_BALLOTS = [
    with_a_bit_flipped,
    never_sent_with_its_state_flipped,
    withdrawn_with_its_state_flipped,
    incomplete,
    with_an_option_of_another_scale,
    with_a_statement_too_many,
    moved_to_another_cell,
    another_person_s_ballot,
    sealed_but_no_ballot,
    made_up_without_the_key,
]


@pytest.mark.parametrize("put_odd_one", BAD_BALLOTS, ids=lambda f: f.__name__.replace("_", " "))
async def test_a_bad_ballot_is_set_aside_and_does_not_count_towards_k(
    area: Area, put_odd_one: Callable[[Area], Awaitable[None]]
) -> None:
    await put_odd_one(area)
    sent = await area.people_send({"police": K - 1})
    await area.mix().flush()
    assert (await area.envelope("odd")).state == State.DAMAGED
    assert await area.slips() == []

    late = {"Zoe": a_ballot("police", [FULLY, FULLY, FULLY])}
    await area.keeps("Zoe", late["Zoe"])
    await area.mix().flush()
    assert told(await area.slips()) == ballots_with_labels({**sent, **late}, {})
    assert [t.people for t in await area.tallies()] == [K]


async def test_bad_ballots_are_found_before_anything_is_planned(area: Area) -> None:
    """Health looks large enough by itself; with the bad ones gone, it needs the police."""
    sent = await area.people_send({"police": K, "health": K - 1})
    for number in range(3):
        await area.keeps(f"odd-{number}", a_ballot("health", SOME_CHOICES[:2]))
    await area.mix().flush()
    labels = {"police": "other", "health": "other"}
    assert told(await area.slips()) == ballots_with_labels(sent, labels)
    assert await area.states() == {State.RELEASED: 2 * K - 1, State.DAMAGED: 3}


async def test_turning_all_others_into_senders_does_not_isolate_the_one_who_sent(
    area: Area,
) -> None:
    await area.keeps("Ada", a_ballot("police", SOME_CHOICES))
    for number in range(2 * K):
        await area.keeps(f"{number}", a_ballot("police", SOME_CHOICES[:1], sent=False), State.OPEN)
        await area.rewrite(f"{number}", state=State.SUBMITTED)
    await area.mix().flush()
    assert await area.slips() == []
    assert (await area.envelope("Ada")).state == State.SUBMITTED
