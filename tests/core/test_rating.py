"""From counts to ratings, held to the worked example of docs/rating.md."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshot.disclosure import Figure, summarise
from snapshot.instrument import Domain, DomainId, Statement, StatementId
from snapshot.rating import (
    Rating,
    Scored,
    merge_small,
    pooled,
    rate_domain,
    rate_statement,
    scored_by_cell,
)
from snapshot.snapshot import OTHER, CellId
from snapshot.tally import Tally
from tests.core.exampleshire import INSTRUMENT, OPTIONS, a_snapshot

K = 10
TRIM = Fraction(3)


def exact(value: float) -> Fraction:
    """What is meant by a number with a few decimals."""
    return Fraction(str(round(value, 6)))


def a_cell(cell: str, headcount: int, n: int, total: float) -> Scored:
    return Scored((CellId(cell),), headcount, n, exact(total), fresh=n)


def rated(cells: Sequence[Scored], k: int) -> Rating | None:
    return rate_statement(merge_small(cells, k), trim=TRIM)


def a_rating(weighted: float, unweighted: float, n: int, *, few: bool = False) -> Rating:
    return Rating(exact(weighted), exact(unweighted), n, few)


PRINTED = 0.00501
"""How far an exact figure may be from one that is printed with two decimals."""

# -- the worked example, as it stands in docs/rating.md ------------------------------------------

PAGE = Path(__file__).parents[2] / "docs" / "rating.md"

NAMES = {
    "police": "Police",
    "social_care": "Children's social care",
    "health": "Health",
    "education": "Education",
    "voluntary": "Voluntary sector",
    "other": "Other agencies",
}
HEADCOUNTS = {
    "police": 90,
    "social_care": 70,
    "health": 160,
    "education": 210,
    "voluntary": 40,
    "other": 33,
}
ANSWERED = {
    "police": 36,
    "social_care": 34,
    "health": 52,
    "education": 20,
    "voluntary": 16,
    "other": 14,
}


class Counted(NamedTuple):
    """One cell's answers to one statement. The first six are how often each was chosen."""

    not_yet: int
    partly: int
    mostly: int
    fully: int
    dont_know: int
    not_relevant: int
    n: int
    points: float

    @property
    def chosen(self) -> tuple[int, ...]:
        return self[:6]


COUNTED = {
    "RS1": {
        "police": Counted(6, 12, 9, 3, 4, 2, 30, 1299.99),
        "social_care": Counted(7, 12, 7, 2, 4, 2, 28, 1066.65),
        "health": Counted(8, 14, 12, 6, 8, 4, 40, 1866.66),
        "education": Counted(7, 4, 1, 0, 6, 2, 12, 199.99),
        "voluntary": Counted(2, 3, 2, 1, 5, 3, 8, 333.33),
        "other": Counted(2, 3, 3, 1, 3, 2, 9, 400.00),
    },
    "RS2": {
        "police": Counted(2, 6, 5, 1, 12, 10, 14, 633.33),
        "social_care": Counted(1, 4, 5, 1, 13, 10, 11, 566.67),
        "health": Counted(1, 2, 1, 0, 28, 20, 4, 133.33),
        "education": Counted(0, 0, 0, 0, 9, 11, 0, 0.00),
        "voluntary": Counted(0, 1, 1, 1, 8, 5, 3, 200.00),
        "other": Counted(0, 1, 1, 0, 7, 5, 2, 100.00),
    },
    "RS3": {
        "police": Counted(1, 1, 1, 0, 20, 13, 3, 100.00),
        "social_care": Counted(0, 1, 1, 0, 20, 12, 2, 100.00),
        "health": Counted(1, 0, 0, 0, 30, 21, 1, 0.00),
        "education": Counted(0, 0, 0, 0, 12, 8, 0, 0.00),
        "voluntary": Counted(0, 1, 1, 0, 9, 5, 2, 100.00),
        "other": Counted(0, 1, 0, 0, 8, 5, 1, 33.33),
    },
    "RS4": {
        "police": Counted(3, 11, 14, 5, 2, 1, 33, 1800.01),
        "social_care": Counted(4, 12, 11, 4, 2, 1, 31, 1533.33),
        "health": Counted(4, 16, 19, 7, 4, 2, 46, 2500.01),
        "education": Counted(5, 7, 3, 1, 3, 1, 16, 533.32),
        "voluntary": Counted(1, 5, 5, 2, 2, 1, 13, 700.00),
        "other": Counted(1, 4, 4, 2, 2, 1, 11, 600.00),
    },
}


class Weighed(NamedTuple):
    headcount: int
    n: int
    weight: float
    used: float
    stands_for: float
    points: float


WEIGHED = {
    "RS1": {
        "Police": Weighed(90, 30, 3.00, 3.00, 90.00, 3899.97),
        "Children's social care": Weighed(70, 28, 2.50, 2.50, 70.00, 2666.63),
        "Health": Weighed(160, 40, 4.00, 4.00, 160.00, 7466.64),
        "Education": Weighed(210, 12, 17.50, 12.00, 144.00, 2399.88),
        "Voluntary sector + Other agencies": Weighed(73, 17, 4.29, 4.29, 73.00, 3149.01),
    },
    "RS2": {
        "Police": Weighed(90, 14, 6.43, 6.43, 90.00, 4071.41),
        "All the others": Weighed(513, 20, 25.65, 25.65, 513.00, 25650.00),
    },
    "RS4": {
        "Police": Weighed(90, 33, 2.73, 2.73, 90.00, 4909.12),
        "Children's social care": Weighed(70, 31, 2.26, 2.26, 70.00, 3462.36),
        "Health": Weighed(160, 46, 3.48, 3.48, 160.00, 8695.69),
        "Education": Weighed(210, 16, 13.13, 9.12, 145.85, 4861.42),
        "Voluntary sector": Weighed(40, 13, 3.08, 3.08, 40.00, 2153.85),
        "Other agencies": Weighed(33, 11, 3.00, 3.00, 33.00, 1800.00),
    },
}
RATED = {
    "RS1": a_rating(36.47, 40.68, 127, few=True),
    "RS2": a_rating(49.29, 48.04, 34),
    "RS3": None,
    "RS4": a_rating(48.03, 51.11, 150, few=True),
}
DOMAIN = a_rating(44.60, 46.61, 34, few=True)
FAVOURABLE, DONT_KNOW_SHARE = 45.02, 40.85

RECOVERY = DomainId("recovery")
EXAMPLE = replace(
    INSTRUMENT,
    domains=(Domain(RECOVERY, "Recovery support", "Children recover.", "What helps?"),),
    statements=tuple(Statement(StatementId(s), RECOVERY, s, s, s) for s in COUNTED),
)


def example_tallies() -> list[Tally]:
    return [
        Tally(
            cell,
            CellId(cell),
            ANSWERED[cell],
            {
                StatementId(s): {
                    o: n for o, n in zip(OPTIONS, cells[cell].chosen, strict=True) if n
                }
                for s, cells in COUNTED.items()
            },
        )
        for cell in HEADCOUNTS
    ]


def example_scores(statement: str) -> list[Scored]:
    headcounts = {CellId(cell): n for cell, n in HEADCOUNTS.items()}
    return scored_by_cell(EXAMPLE, example_tallies(), headcounts, StatementId(statement))


def on_the_page() -> str:
    return re.sub(r" +", " ", PAGE.read_text(encoding="utf-8"))


def row(*cells: object) -> str:
    said = (f"{c:.2f}" if isinstance(c, float | Fraction) else str(c) for c in cells)
    return "| " + " | ".join(said) + " |"


def close_to(rating: Rating) -> object:
    return (
        pytest.approx(rating.weighted, abs=PRINTED),
        pytest.approx(rating.unweighted, abs=PRINTED),
        rating.n,
        rating.few,
    )


def as_parts(rating: Rating | None) -> object:
    return rating and (rating.weighted, rating.unweighted, rating.n, rating.few)


@pytest.mark.parametrize("statement", COUNTED)
def test_the_counts_of_the_example_are_on_the_page_and_come_out_of_the_tallies(
    statement: str,
) -> None:
    page = on_the_page()
    scored = {str(s.cells[0]): s for s in example_scores(statement)}
    for cell, counted in COUNTED[statement].items():
        assert row(NAMES[cell], *counted) in page
        assert sum(counted.chosen) == ANSWERED[cell]
        assert (scored[cell].headcount, scored[cell].n) == (HEADCOUNTS[cell], counted.n)
        assert scored[cell].total == pytest.approx(counted.points)


def test_the_headcounts_of_the_example_are_on_the_page() -> None:
    page = on_the_page()
    for cell, name in NAMES.items():
        assert row(name, HEADCOUNTS[cell], ANSWERED[cell]) in page
    total = f"| **All** | **{sum(HEADCOUNTS.values())}** | **{sum(ANSWERED.values())}** |"
    assert total in page


@pytest.mark.parametrize("statement", WEIGHED)
def test_the_groups_of_the_example_are_on_the_page_and_are_those_that_are_weighed(
    statement: str,
) -> None:
    page, groups = on_the_page(), merge_small(example_scores(statement), K)
    weighed = WEIGHED[statement]
    assert all(row(name, *group) in page for name, group in weighed.items())
    assert sorted((g.headcount, g.n) for g in groups) == sorted(
        (g.headcount, g.n) for g in weighed.values()
    )
    totals = {(g.headcount, g.n): g.total for g in groups}
    for group in weighed.values():
        assert group.weight == pytest.approx(group.headcount / group.n, abs=PRINTED)
        assert group.stands_for == pytest.approx(group.used * group.n, abs=PRINTED * group.n)
        total = totals[group.headcount, group.n]
        assert group.points == pytest.approx(group.used * total, abs=PRINTED * total)


@pytest.mark.parametrize("statement", [s for s in RATED if RATED[s]])
def test_the_ratings_of_the_example_are_on_the_page_and_follow_from_its_tables(
    statement: str,
) -> None:
    rating = RATED[statement]
    assert rating is not None
    weighed = WEIGHED[statement].values()
    stands_for, points = sum(g.stands_for for g in weighed), sum(g.points for g in weighed)
    assert rating.weighted == pytest.approx(points / stands_for, abs=PRINTED)
    unweighted = sum(c.points for c in COUNTED[statement].values()) / rating.n
    assert rating.unweighted == pytest.approx(unweighted, abs=PRINTED)
    assert row(statement, rating.n, rating.weighted, rating.unweighted) in on_the_page()


@pytest.mark.parametrize("statement", RATED)
def test_a_statement_is_rated_as_on_the_page(statement: str) -> None:
    found = rated(example_scores(statement), K)
    expected = RATED[statement]
    assert as_parts(found) == (close_to(expected) if expected else None)


def test_the_domain_of_the_example_is_rated_and_printed_as_on_the_page() -> None:
    found = rate_domain([rated(example_scores(s), K) for s in RATED])
    assert as_parts(found) == close_to(DOMAIN)

    summary = summarise(a_snapshot(HEADCOUNTS), EXAMPLE, example_tallies())
    (figures,) = summary.domains
    assert (summary.people, summary.step) == (170, 10)
    assert EXAMPLE.bands[1].id == figures.band == "amber"
    assert (figures.weighted, figures.unweighted) == (Figure(40), Figure(50))
    assert (figures.favourable, figures.dont_know) == (Figure(50), Figure(40))

    page = on_the_page()
    domain = (f"{DOMAIN.weighted:.2f}", f"{DOMAIN.unweighted:.2f}")
    assert f"| **Domain** | **{DOMAIN.n}** | **{domain[0]}** | **{domain[1]}** |" in page
    assert row("RS3", 9, "not rated", "not rated") in page
    assert row("Colour", DOMAIN.weighted, "Amber") in page
    assert row("Weighted score", DOMAIN.weighted, 40) in page
    assert row("Unweighted score", DOMAIN.unweighted, 50) in page
    assert f"RS4 | {FAVOURABLE} | 50 |" in page
    assert f"left out | {DONT_KNOW_SHARE} | 40 |" in page
    assert row("People", 172, "about 170") in page


def test_the_shares_of_the_example_follow_from_its_tables() -> None:
    rated = [c for s, cells in COUNTED.items() if RATED[s] for c in cells.values()]
    favourable = sum(c.mostly + c.fully for c in rated), sum(c.n for c in rated)
    every = [c for cells in COUNTED.values() for c in cells.values()]
    unsure = sum(c.dont_know for c in every), sum(sum(c.chosen) - c.not_relevant for c in every)
    assert (favourable, unsure) == ((140, 311), (221, 541))
    assert pytest.approx(100 * 140 / 311, abs=PRINTED) == FAVOURABLE
    assert pytest.approx(100 * 221 / 541, abs=PRINTED) == DONT_KNOW_SHARE


# -- one answer ----------------------------------------------------------------------------------


def test_one_answer_in_a_small_cell_moves_the_weighted_score_no_further_than_the_page_says() -> (
    None
):
    page = on_the_page()
    figures = {}
    for score in (0.0, 100.0):
        cells = [
            a_cell("first", 44, 22, 22 * 50.0),
            a_cell("second", 44, 22, 22 * 50.0),
            a_cell("small", 12, 1, score),
        ]
        rating = rated(cells, K)
        assert rating is not None
        own_weight = sum(c.headcount / c.n * c.total for c in cells) / 100
        figures[score] = (rating.weighted, rating.unweighted, own_weight)
    assert figures[0.0] == pytest.approx((48.78, 48.89, 44.00), abs=PRINTED)
    assert figures[100.0] == pytest.approx((51.22, 51.11, 56.00), abs=PRINTED)
    for number in ("48.78", "51.22", "48.89", "51.11", "44.00", "56.00"):
        assert number in page


cells_of_an_area = st.lists(
    st.builds(
        lambda headcount, n, share: (headcount, n, share),
        st.integers(1, 500),
        st.integers(0, 40),
        st.floats(0, 1),
    ),
    min_size=1,
    max_size=7,
).map(
    lambda parts: [
        a_cell(f"cell-{i}", headcount, n, 100 * n * share)
        for i, (headcount, n, share) in enumerate(parts)
    ]
)
thresholds = st.integers(10, 20)


@given(cells_of_an_area, thresholds, st.data())
def test_no_single_answer_moves_a_score_by_more_than_a_kth_of_the_scale(
    cells: list[Scored], k: int, data: st.DataObject
) -> None:
    before = rated(cells, k)
    if before is None:
        return
    whose = data.draw(st.sampled_from([i for i, c in enumerate(cells) if c.n]))
    changed = list(cells)
    total, room = cells[whose].total, 100 * cells[whose].n
    step = data.draw(st.integers(-100, 100))
    changed[whose] = replace(cells[whose], total=min(max(total + step, Fraction()), Fraction(room)))
    after = rated(changed, k)
    assert after is not None
    assert abs(after.weighted - before.weighted) <= 100 / k + 1e-9
    assert abs(after.unweighted - before.unweighted) <= 100 / k + 1e-9


# -- merging and weighing ------------------------------------------------------------------------


@given(cells_of_an_area, thresholds)
def test_every_group_has_k_people_and_nobody_is_lost_in_merging(
    cells: list[Scored], k: int
) -> None:
    groups = merge_small(cells, k)
    if sum(c.n for c in cells) < k:
        assert groups == []
        return
    assert all(g.n >= k for g in groups)
    for part in ("headcount", "n", "total"):
        whole = sum(getattr(c, part) for c in cells)
        assert sum(getattr(g, part) for g in groups) == pytest.approx(whole)


@given(cells_of_an_area, thresholds)
def test_a_large_cell_is_merged_only_if_the_small_ones_need_it_and_the_smallest_first(
    cells: list[Scored], k: int
) -> None:
    groups = merge_small(cells, k)
    small = sum(c.n for c in cells if c.n < k)
    large = [c for c in cells if c.n >= k]
    merged_away = [c for c in large if c not in groups]
    if merged_away and groups:
        assert any(c.n < k for c in cells)
        assert small < k
        assert [c.n for c in merged_away] == [min(c.n for c in large)]


def test_a_group_with_too_little_news_joins_the_one_whose_weight_is_nearest() -> None:
    near, far = a_cell("near", 64, 20, 2000), a_cell("far", 200, 12, 1200)
    stale = replace(a_cell("stale", 60, 20, 0), fresh=3)
    small, joined = sorted(merge_small([far, stale, near], K), key=lambda g: len(g.cells))
    assert small == far
    assert joined.cells == ("near", "stale")
    assert (joined.headcount, joined.n, joined.fresh) == (124, 40, 23)


def test_grey_under_k_however_the_answers_are_spread() -> None:
    assert rated([], K) is None
    assert rated([a_cell("a", 90, 9, 900)], K) is None
    spread = [a_cell("a", 90, 3, 300), a_cell("b", 90, 4, 400), a_cell("c", 90, 2, 200)]
    assert rated(spread, K) is None


@given(cells_of_an_area, thresholds)
def test_a_statement_is_rated_exactly_where_k_people_scored_it(cells: list[Scored], k: int) -> None:
    rating = rated(cells, k)
    n = sum(c.n for c in cells)
    assert (rating is None) == (n < k)
    if rating:
        assert rating.n == n
        assert rating.unweighted == pytest.approx(sum(c.total for c in cells) / n)
        assert -1e-9 <= rating.weighted <= 100 + 1e-9


def test_headcounts_of_zero_stand_for_nobody() -> None:
    assert rated([a_cell("a", 0, 20, 1000)], K) is None


def test_a_weight_is_cut_down_to_three_times_the_median_and_the_figure_says_so() -> None:
    cells = [a_cell("a", 40, 20, 0), a_cell("b", 40, 20, 0), a_cell("c", 400, 10, 1000)]
    rating = rated(cells, K)
    assert rating is not None
    assert rating.weighted == pytest.approx(100 * 6 * 10 / (40 + 40 + 6 * 10))
    assert rating.few


def test_a_weight_is_raised_to_a_third_of_the_median_which_needs_no_mark() -> None:
    cells = [a_cell("a", 120, 20, 0), a_cell("b", 120, 20, 0), a_cell("c", 10, 10, 1000)]
    rating = rated(cells, K)
    assert rating is not None
    assert rating.weighted == pytest.approx(100 * 2 * 10 / (120 + 120 + 2 * 10))
    assert not rating.few


@given(cells_of_an_area, thresholds, st.randoms(use_true_random=False))
def test_a_rating_does_not_depend_on_the_order_of_the_cells(
    cells: list[Scored], k: int, dice: Random
) -> None:
    shuffled = list(cells)
    dice.shuffle(shuffled)
    one, other = rated(cells, k), rated(shuffled, k)
    assert (one is None) == (other is None)
    if one and other:
        assert one.weighted == pytest.approx(other.weighted)
        assert one.unweighted == pytest.approx(other.unweighted)
        assert (one.n, one.few) == (other.n, other.few)


@given(cells_of_an_area, thresholds, st.sampled_from([0.0, 33.33, 66.67, 100.0]))
def test_where_all_agree_their_score_is_the_rating_whatever_the_weights(
    cells: list[Scored], k: int, score: float
) -> None:
    rating = rated([replace(c, total=exact(c.n * score)) for c in cells], k)
    if rating:
        assert (rating.weighted, rating.unweighted) == pytest.approx((score, score))


def test_a_mean_of_exactly_40_is_not_red_because_of_how_computers_multiply() -> None:
    """Of 55 people who stand for 234, 22 say "fully" and 33 "not yet"."""
    rating = rated([a_cell("police", 234, 55, 22 * 100.0)], K)
    assert rating is not None
    assert INSTRUMENT.band(rating.weighted).id == "amber"


# -- domains -------------------------------------------------------------------------------------

HIGH, LOW = a_rating(80.0, 70.0, 40), a_rating(20.0, 30.0, 25, few=True)


def test_a_domain_is_the_mean_of_its_rated_statements() -> None:
    assert rate_domain([HIGH, LOW, None]) == a_rating(50.0, 50.0, 25, few=True)
    assert rate_domain([HIGH, HIGH]) == HIGH


@pytest.mark.parametrize(
    ("statements", "is_rated"),
    [
        ([], False),
        ([None], False),
        ([HIGH, None], True),
        ([HIGH, None, None], False),
        ([HIGH, HIGH, None, None], True),
        ([HIGH, HIGH, None, None, None], False),
        ([HIGH, HIGH, HIGH, None, None], True),
    ],
)
def test_a_domain_is_grey_if_fewer_than_half_of_its_statements_are_rated(
    statements: Sequence[Rating | None], is_rated: bool
) -> None:
    assert (rate_domain(statements) is not None) == is_rated


# -- from tallies --------------------------------------------------------------------------------


def tally(cell: str, counts: Mapping[str, int], id: str = "t") -> Tally:
    return Tally(
        id,
        CellId(cell),
        sum(counts.values()),
        {s.id: {o: counts[o] for o in OPTIONS if o in counts} for s in INSTRUMENT.statements},
    )


def scored(tallies: Sequence[Tally], headcounts: Mapping[str, int]) -> list[Scored]:
    cells = {CellId(c): n for c, n in headcounts.items()}
    stands_for = pooled(cells, tallies)
    return scored_by_cell(INSTRUMENT, tallies, stands_for, INSTRUMENT.statements[0].id)


def test_batches_of_a_cell_are_added_up_and_only_scored_answers_count() -> None:
    batches = [
        tally("police", {"fully": 6, "dont_know": 7}, "one"),
        tally("police", {"not_yet": 4, "fully": 5, "not_relevant": 3}, "two"),
    ]
    assert scored(batches, {"police": 60}) == [a_cell("police", 60, 15, 1100.0)]


def test_a_cell_that_was_released_as_other_takes_its_headcount_along() -> None:
    batches = [tally("police", {"fully": 20}), tally("other", {"partly": 15})]
    headcounts = {"police": 60, "health": 40, "other": 30}
    assert scored(batches, headcounts) == [
        a_cell("other", 70, 15, 15 * 33.33),
        a_cell("police", 60, 20, 2000.0),
    ]


def test_a_cell_without_answers_still_stands_for_its_people() -> None:
    batches = [tally("police", {"fully": 20})]
    assert scored(batches, {"police": 60, "health": 40}) == [
        a_cell("health", 40, 0, 0.0),
        a_cell("police", 60, 20, 2000.0),
    ]


def test_other_takes_headcounts_even_where_the_opening_made_no_such_cell() -> None:
    batches = [tally(OTHER, {"fully": 15})]
    assert scored(batches, {"police": 60, "health": 40}) == [a_cell(OTHER, 100, 15, 1500.0)]
