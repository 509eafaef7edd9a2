"""What may be printed: nothing about fewer than k, nothing that singles somebody out."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshot.disclosure import (
    DomainFigures,
    End,
    Figure,
    Summary,
    about,
    printable,
    rounding_step,
    summarise,
)
from snapshot.instrument import (
    DONT_KNOW,
    NOT_RELEVANT,
    DomainId,
    OptionId,
    StatementId,
)
from snapshot.snapshot import CellId
from snapshot.tally import Tally
from tests.core.exampleshire import (
    FULLY,
    HELPING,
    INSTRUMENT,
    MOSTLY,
    NOT_YET,
    OPTIONS,
    PARTLY,
    SEEING,
    K,
    a_snapshot,
)

LIMITS = INSTRUMENT.limits
MOST = 400
"""With more people than this, the step is 1 point and stands for more than four of them."""

people_and_share = st.integers(10, MOST).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


def share(m: int, n: int) -> Figure:
    """How a share of `m` of `n` people is printed."""
    return printable(100 * m / n, n, LIMITS)


# -- rounding ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "step"),
    [
        (10, 20),
        (19, 20),
        (20, 10),
        (39, 10),
        (40, 5),
        (99, 5),
        (100, 2),
        (199, 2),
        (200, 1),
        (5000, 1),
    ],
)
def test_the_step_is_the_first_that_stands_for_two_people_or_more(n: int, step: int) -> None:
    assert rounding_step(n, LIMITS) == step


@given(st.integers(10, 10_000))
def test_no_step_stands_for_fewer_than_two_people(n: int) -> None:
    assert Fraction(rounding_step(n, LIMITS) * n, 100) >= 2


@pytest.mark.parametrize(
    ("people", "printed"), [(10, 10), (12, 10), (13, 15), (17, 15), (18, 20), (22, 20), (23, 25)]
)
def test_people_are_told_to_the_nearest_five(people: int, printed: int) -> None:
    assert about(people, LIMITS, k=K) == printed


def test_people_are_never_rounded_to_fewer_than_k() -> None:
    assert about(12, LIMITS, k=10) == 10
    assert about(12, LIMITS, k=12) == 15


@pytest.mark.parametrize(
    ("value", "n", "printed"),
    [
        (49.99, 10, Figure(40)),
        (50.0, 10, Figure(60)),
        (44.99, 20, Figure(40)),
        (45.0, 20, Figure(50)),
        (42.49, 40, Figure(40)),
        (42.5, 40, Figure(45)),
        (43.0, 100, Figure(44)),
        (42.99, 100, Figure(42)),
        (43.49, 200, Figure(43)),
        (43.5, 200, Figure(44)),
    ],
)
def test_figures_are_rounded_to_the_step_and_half_a_step_goes_up(
    value: float, n: int, printed: Figure
) -> None:
    assert printable(value, n, LIMITS) == printed


@pytest.mark.parametrize(
    ("value", "n", "printed"),
    [
        (0.0, 10, Figure(20, End.UNDER)),
        (19.99, 10, Figure(20, End.UNDER)),
        (20.0, 10, Figure(20)),
        (80.0, 10, Figure(80)),
        (80.01, 10, Figure(80, End.OVER)),
        (100.0, 10, Figure(80, End.OVER)),
        (9.99, 49, Figure(10, End.UNDER)),
        (90.01, 49, Figure(90, End.OVER)),
        (9.99, 50, Figure(10)),
        (4.99, 50, Figure(5, End.UNDER)),
        (5.0, 50, Figure(5)),
        (95.01, 50, Figure(95, End.OVER)),
        (4.99, 1000, Figure(5, End.UNDER)),
        (95.01, 1000, Figure(95, End.OVER)),
        (99.99, 1000, Figure(95, End.OVER)),
    ],
)
def test_near_an_end_only_under_or_over_is_said(value: float, n: int, printed: Figure) -> None:
    assert printable(value, n, LIMITS) == printed


@given(people_and_share)
def test_nobody_and_everybody_are_never_printed(people: tuple[int, int]) -> None:
    n, m = people
    figure = share(m, n)
    step = rounding_step(n, LIMITS)
    assert 0 < figure.value < 100
    assert (figure.value < 50) or figure.end is not End.UNDER
    assert (figure.value > 50) or figure.end is not End.OVER
    assert step <= figure.value <= 100 - step


@given(st.integers(10, MOST), st.floats(0, 100), st.floats(0, 100))
def test_a_larger_share_is_never_printed_as_a_smaller_one(n: int, one: float, other: float) -> None:
    def rank(value: float) -> tuple[int, int]:
        figure = printable(value, n, LIMITS)
        return figure.value, [End.UNDER, End.AT, End.OVER].index(figure.end)

    assert (rank(one) <= rank(other)) or one > other


def people_by_figure(n: int) -> Mapping[Figure, list[int]]:
    """Of how many of `n` people each printed figure may be about."""
    found = defaultdict(list)
    for m in range(n + 1):
        found[share(m, n)].append(m)
    return found


def test_between_the_ends_no_figure_tells_how_many_people_it_is_about() -> None:
    for n in range(10, MOST + 1):
        figures = people_by_figure(n)
        said_as_it_is = sorted(figure.value for figure in figures if figure.end is End.AT)
        for value in said_as_it_is[1:-1]:
            assert len(figures[Figure(value)]) >= 2, (n, value)


def test_under_and_over_never_tell_how_many_people_they_are_about() -> None:
    for n in range(10, MOST + 1):
        for figure, numbers in people_by_figure(n).items():
            assert figure.end is End.AT or len(numbers) >= 2, (n, figure)


# -- summaries -----------------------------------------------------------------------------------

type Choices = Mapping[OptionId, int]


def tally(cell: str, *choices: Choices) -> Tally:
    """So many people chose each option, for each statement of the instrument in turn."""
    counts = {s.id: dict(chosen) for s, chosen in zip(INSTRUMENT.statements, choices, strict=True)}
    return Tally(cell, CellId(cell), sum(choices[0].values()), counts)


def summary_of(*tallies: Tally, k: int = K) -> Summary:
    return summarise(a_snapshot({"police": 60, "health": 120}, k=k), INSTRUMENT, tallies)


def domain_of(summary: Summary, id: DomainId) -> DomainFigures:
    return next(d for d in summary.domains if d.domain == id)


def figures_of(domain: DomainFigures) -> list[Figure]:
    values = (getattr(domain, field.name) for field in fields(domain))
    return [value for value in values if isinstance(value, Figure)]


def test_below_k_nothing_is_said_at_all() -> None:
    few = {FULLY: K - 1}
    summary = summary_of(tally("police", few, few, few))
    assert summary.withheld
    assert summary == Summary(k=K, people=0, step=0, domains=())
    assert summary_of().withheld


def test_from_k_on_every_domain_is_there() -> None:
    enough = {FULLY: 4, NOT_YET: 6}
    summary = summary_of(tally("police", enough, enough, enough))
    assert not summary.withheld
    assert [d.domain for d in summary.domains] == [SEEING, HELPING]
    assert (summary.k, summary.people, summary.step) == (K, 10, 20)


def test_with_a_larger_k_ten_people_are_withheld() -> None:
    ten = {FULLY: 10}
    assert summary_of(tally("police", ten, ten, ten), k=11).withheld


def test_a_domain_that_too_few_scored_is_grey_which_is_not_red() -> None:
    unsure = {NOT_YET: 9, DONT_KNOW: 31}
    rated = {NOT_YET: 40}
    summary = summary_of(tally("police", rated, rated, unsure))
    helping = domain_of(summary, HELPING)
    assert domain_of(summary, SEEING).band == "red"
    assert (helping.band, helping.weighted, helping.unweighted) == ("grey", None, None)
    assert (helping.favourable, helping.few) == (None, False)
    assert helping.dont_know == Figure(80)


def test_favourable_is_a_share_of_the_scored_answers_to_rated_statements() -> None:
    signs = {FULLY: 20, MOSTLY: 10, PARTLY: 10, NOT_YET: 10, DONT_KNOW: 50}
    patterns = {FULLY: 9, NOT_RELEVANT: 91}
    summary = summary_of(tally("police", signs, patterns, signs))
    assert domain_of(summary, SEEING).favourable == Figure(60)


def test_dont_know_is_a_share_of_those_for_whom_the_statement_is_relevant() -> None:
    help_comes = {FULLY: 30, DONT_KNOW: 20, NOT_RELEVANT: 150}
    certain = {FULLY: 200}
    summary = summary_of(tally("police", certain, certain, help_comes))
    assert domain_of(summary, HELPING).dont_know == Figure(40)
    assert domain_of(summary, SEEING).dont_know == Figure(10, End.UNDER)


def test_dont_know_is_left_out_where_fewer_than_k_could_have_known() -> None:
    hardly_anybody = {DONT_KNOW: 9, NOT_RELEVANT: 91}
    everybody = {FULLY: 100}
    summary = summary_of(tally("police", everybody, hardly_anybody, everybody))
    assert domain_of(summary, SEEING).dont_know is None
    assert domain_of(summary, HELPING).dont_know is not None


def test_all_figures_are_rounded_by_the_smallest_number_that_one_of_them_is_about() -> None:
    many, some = {FULLY: 57, NOT_YET: 43}, {FULLY: 13, NOT_YET: 7, NOT_RELEVANT: 80}
    summary = summary_of(tally("police", many, many, some))
    assert summary.step == 10
    assert domain_of(summary, SEEING).favourable == Figure(60)


def test_weighted_and_unweighted_stand_side_by_side() -> None:
    all_fully, none = {FULLY: 50}, {NOT_YET: 50}
    summary = summarise(
        a_snapshot({"police": 50, "health": 150}),
        INSTRUMENT,
        [tally("police", all_fully, all_fully, none), tally("health", none, none, all_fully)],
    )
    seeing, helping = summary.domains
    assert (seeing.weighted, seeing.unweighted) == (Figure(26), Figure(50))
    assert (helping.weighted, helping.unweighted) == (Figure(76), Figure(50))
    assert not seeing.few


def test_where_few_answers_stand_for_many_people_it_is_said() -> None:
    sure = {FULLY: 50}
    ten = {NOT_YET: 10}
    summary = summarise(
        a_snapshot({"police": 60, "schools": 60, "health": 900}),
        INSTRUMENT,
        [
            tally("police", sure, sure, sure),
            tally("schools", sure, sure, sure),
            tally("health", ten, ten, ten),
        ],
    )
    assert all(d.few for d in summary.domains)


# -- bands ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "band"),
    [
        (0.0, "red"),
        (39.99, "red"),
        (40.0, "amber"),
        (69.99, "amber"),
        (70.0, "green"),
        (100.0, "green"),
        (None, "grey"),
    ],
)
def test_a_band_includes_its_start_and_not_its_end(score: float | None, band: str) -> None:
    assert INSTRUMENT.band(score).id == band


def test_the_band_comes_from_the_score_before_it_is_rounded() -> None:
    """67 of 100 say "fully" and 3 "mostly": 69.0001, printed 70 with 40 people, and amber."""
    below_green = {FULLY: 67, MOSTLY: 3, NOT_YET: 30}
    forty = {FULLY: 40}
    summary = summary_of(tally("police", below_green, below_green, forty | {NOT_RELEVANT: 60}))
    seeing = domain_of(summary, SEEING)
    assert (seeing.weighted, seeing.band) == (Figure(70), "amber")


# -- whatever the tallies ------------------------------------------------------------------------

choices_of_a_batch = st.integers(0, 30).flatmap(
    lambda n: st.lists(
        st.lists(st.sampled_from(OPTIONS), min_size=n, max_size=n), min_size=3, max_size=3
    )
)


def as_tally(cell: str, choices: Sequence[Sequence[OptionId]]) -> Tally:
    return tally(cell, *({o: chosen.count(o) for o in set(chosen)} for chosen in choices))


some_tallies = st.lists(
    st.builds(as_tally, st.sampled_from(["police", "health", "other"]), choices_of_a_batch),
    max_size=4,
)


def times(tallies: Sequence[Tally], statement: StatementId, *options: OptionId) -> int:
    return sum(t.counts[statement].get(o, 0) for t in tallies for o in options)


def fewest_that_a_figure_is_about(tallies: list[Tally], k: int) -> int:
    numbers = [sum(t.people for t in tallies)]
    for domain in INSTRUMENT.domains:
        statements = [s.id for s in INSTRUMENT.of_domain(domain.id)]
        scored = [times(tallies, s, *INSTRUMENT.scores) for s in statements]
        asked = [n + times(tallies, s, DONT_KNOW) for n, s in zip(scored, statements, strict=True)]
        rated = [n for n in scored if n >= k]
        numbers += rated if 2 * len(rated) >= len(statements) else []
        numbers += asked if min(asked) >= k else []
    return min(numbers)


@given(some_tallies, st.integers(10, 20))
def test_no_figure_is_about_fewer_than_k_people(tallies: list[Tally], k: int) -> None:
    summary = summary_of(*tallies, k=k)
    assert summary.withheld == (sum(t.people for t in tallies) < k)
    fewest = fewest_that_a_figure_is_about(tallies, k)
    for domain in summary.domains:
        statements = [s.id for s in INSTRUMENT.of_domain(domain.domain)]
        scored = {s: times(tallies, s, *INSTRUMENT.scores) for s in statements}
        rated = [s for s in statements if scored[s] >= k]
        is_rated = bool(rated) and 2 * len(rated) >= len(statements)
        assert (domain.favourable is not None) == is_rated
        scores = (domain.weighted, domain.unweighted)
        enough = fewest >= LIMITS.scores_from
        assert [figure is not None for figure in scores] == [is_rated and enough] * 2
        assert (domain.band == "grey") == (not is_rated)
        asked = [scored[s] + times(tallies, s, DONT_KNOW) for s in statements]
        assert (domain.dont_know is not None) == (min(asked) >= k and enough)
        about = [min(scored[s] for s in rated)] if is_rated else []
        about += [min(asked)] if domain.dont_know else []
        assert all(Fraction(summary.step * n, 100) >= 2 for n in about)


@given(some_tallies)
def test_a_summary_comes_back_from_json_as_it_was(tallies: list[Tally]) -> None:
    summary = summary_of(*tallies)
    assert Summary.from_json(json.loads(json.dumps(summary.as_json()))) == summary


def test_a_summary_does_not_depend_on_the_order_of_the_batches() -> None:
    one = {NOT_YET: 5, PARTLY: 5, MOSTLY: 8, FULLY: 2}
    other = {NOT_YET: 6, PARTLY: 5, MOSTLY: 2, FULLY: 7}
    batches = [tally("police", one, one, one), tally("police", other, other, other)]
    assert summary_of(*batches) == summary_of(*reversed(batches))
