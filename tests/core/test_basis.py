"""Figures over time: whatever is subtracted from them, what is left is about k answers or more."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, combinations, pairwise, product
from operator import mul

from hypothesis import given
from hypothesis import strategies as st

from snapshot.basis import Bases, Basis, next_bases, scored_groups
from snapshot.disclosure import final_bases, interim_bases, summarise
from snapshot.instrument import DONT_KNOW, NOT_RELEVANT, OptionId, StatementId
from snapshot.rating import Rating, Scored, merge_small, pooled, rate_statement
from snapshot.snapshot import OTHER, CellId, Snapshot
from snapshot.tally import Tally
from tests.core.exampleshire import (
    FULLY,
    GIVE_HELP,
    HELPING,
    INSTRUMENT,
    NOT_YET,
    SEE_PATTERNS,
    SEE_SIGNS,
    SEEING,
    K,
    a_snapshot,
)

LIMITS = INSTRUMENT.limits
POLICE, HEALTH, SCHOOLS = (CellId(c) for c in ("police", "health", "schools"))
TWO_CELLS = a_snapshot({"police": 60, "health": 120})

type Figure = frozenset[str]
"""The ids of the tallies that are added up in one figure."""

# -- histories -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answers:
    """How the people of one batch answered one statement."""

    not_yet: int = 0
    fully: int = 0
    dont_know: int = 0
    not_relevant: int = 0

    def counts(self) -> dict[OptionId, int]:
        each = (self.not_yet, self.fully, self.dont_know, self.not_relevant)
        options = (NOT_YET, FULLY, DONT_KNOW, NOT_RELEVANT)
        return {option: n for option, n in zip(options, each, strict=True) if n}


@dataclass(frozen=True)
class History:
    """`posted`: after how many batches somebody wanted an interim summary."""

    snapshot: Snapshot
    batches: tuple[Tally, ...]
    posted: tuple[int, ...]


@dataclass(frozen=True)
class Published:
    tallies: tuple[Tally, ...]
    bases: Bases


def a_tally(id: str, cell: str, *answers: Answers) -> Tally:
    """One `Answers` for each statement; the last stands for those that are left out."""
    statements = INSTRUMENT.statements
    each = [*answers, *[answers[-1]] * (len(statements) - len(answers))]
    counts = {s.id: a.counts() for s, a in zip(statements, each, strict=True)}
    return Tally(id, CellId(cell), sum(counts[statements[0].id].values()), counts)


@st.composite
def answers_of(draw: st.DrawFn, people: int) -> Answers:
    scored = draw(st.integers(0, min(12, people)) | st.integers(0, people))
    unsure = draw(st.integers(0, min(12, people - scored)) | st.integers(0, people - scored))
    fully = draw(st.integers(0, scored))
    return Answers(scored - fully, fully, unsure, people - scored - unsure)


@st.composite
def batches_of(draw: st.DrawFn, cells: Sequence[str]) -> tuple[str, list[Answers]]:
    people = draw(st.integers(K, 40))
    return draw(st.sampled_from(cells)), [draw(answers_of(people)) for _ in INSTRUMENT.statements]


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Two to five cells; at the close, some of their people may leave as "other"."""
    agencies = ["police", "health", "schools", "housing", OTHER]
    cells = draw(st.lists(st.sampled_from(agencies), min_size=2, max_size=5, unique=True))
    headcounts = {cell: draw(st.integers(1, 300)) for cell in cells}
    running = draw(st.lists(batches_of(cells), max_size=8))
    at_close = draw(st.lists(batches_of([*cells, OTHER]), max_size=3))
    posted = draw(st.sets(st.integers(1, len(running)))) if running else set()
    batches = (
        a_tally(f"{number:02}", cell, *answers)
        for number, (cell, answers) in enumerate(running + at_close)
    )
    return History(a_snapshot(headcounts), tuple(batches), tuple(sorted(posted)))


def publications(history: History) -> list[Published]:
    """Every interim summary that came of it, and the final one."""
    found: list[Published] = []
    before = None
    for number in history.posted:
        tallies = history.batches[:number]
        bases = interim_bases(history.snapshot, INSTRUMENT, tallies, before)
        if bases is not None:
            before = bases
            found.append(Published(tallies, bases))
    final = final_bases(history.snapshot, INSTRUMENT, history.batches, before)
    return [*found, Published(history.batches, final)]


# -- what somebody who kept every publication can subtract ---------------------------------------


def fewest_told_of(figures: Iterable[Figure], answers: Mapping[str, int]) -> int | None:
    """The fewest answers that any sum or difference of these figures can be about.

    Whatever the coefficients, tallies that stand in the same figures end up with the same one. So
    a combination is about all of them or about none, and at least about one such set of tallies.
    """
    known = list(figures)
    alike: Counter[tuple[bool, ...]] = Counter()
    for tally, n in answers.items():
        alike[tuple(tally in figure for figure in known)] += n
    return min((n for where, n in alike.items() if n and any(where)), default=None)


def combined(figures: Iterable[Figure], answers: Mapping[str, int]) -> Iterator[int]:
    """How many answers each combination of up to three figures is about, from -2 to 2 of each."""
    known = sorted(set(figures), key=sorted)
    for some in chain.from_iterable(combinations(known, size) for size in (1, 2, 3)):
        for times in product(range(-2, 3), repeat=len(some)):
            left = Counter[str]()
            for figure, factor in zip(some, times, strict=True):
                left.update(dict.fromkeys(figure, factor))
            if n := sum(answers[tally] for tally, factor in left.items() if factor):
                yield n


def scored(tally: Tally, statement: StatementId) -> int:
    return sum(tally.counts[statement].get(option, 0) for option in INSTRUMENT.scores)


def asked(tally: Tally, statement: StatementId) -> int:
    return scored(tally, statement) + tally.counts[statement].get(DONT_KNOW, 0)


def in_figure(published: Published, statement: StatementId) -> list[Tally]:
    return [t for t in published.tallies if t.id in published.bases[statement].tallies]


def groups_of(published: Published, statement: StatementId) -> list[Figure]:
    """Each group counts as known: few of them could be solved for."""
    counted = in_figure(published, statement)
    return [
        frozenset(t.id for t in counted if t.cell in group.cells)
        for group in published.bases[statement].groups
    ]


def shares_of(published: Published, statement: StatementId) -> list[Figure]:
    """What the share of "don't know" is of, where the statement may be in one."""
    counted = in_figure(published, statement)
    enough = sum(asked(t, statement) for t in counted) >= K
    return [frozenset(t.id for t in counted)] if enough else []


@given(histories())
def test_no_combination_of_scores_is_about_fewer_than_k_scored_answers(history: History) -> None:
    found = publications(history)
    for statement in (s.id for s in INSTRUMENT.statements):
        known = [group for each in found for group in groups_of(each, statement)]
        fewest = fewest_told_of(known, {t.id: scored(t, statement) for t in history.batches})
        assert fewest is None or fewest >= K


@given(histories())
def test_no_combination_of_shares_is_about_fewer_than_k_who_were_asked(history: History) -> None:
    found = publications(history)
    for statement in (s.id for s in INSTRUMENT.statements):
        known = [share for each in found for share in shares_of(each, statement)]
        fewest = fewest_told_of(known, {t.id: asked(t, statement) for t in history.batches})
        assert fewest is None or fewest >= K


type Weights = Mapping[str, Fraction]
"""How much one more point in a tally moves a figure."""


def weights_of(published: Published, statement: StatementId) -> list[Weights]:
    """Of the means, weighted and not, the second times its n: by trying out what moves them."""
    basis = published.bases[statement]
    groups = scored_groups(INSTRUMENT, published.tallies, statement, basis)
    before = rate_statement(groups, trim=LIMITS.trim_ratio)
    if before is None:
        return []
    weighted, total = dict[str, Fraction](), dict[str, Fraction]()
    for number, group in enumerate(groups):
        one_more = [*groups]
        one_more[number] = replace(group, total=group.total + 1)
        after = rate_statement(one_more, trim=LIMITS.trim_ratio)
        assert after is not None
        for tally in in_figure(published, statement):
            if tally.cell in group.cells:
                weighted[tally.id] = after.weighted - before.weighted
                total[tally.id] = (after.unweighted - before.unweighted) * before.n
    return [weighted, total]


def combined_by_weight(figures: Iterable[Weights], answers: Mapping[str, int]) -> Iterator[int]:
    """How many answers each combination of up to three means is about, from -2 to 2 of each."""
    exact = {tuple(figure.get(tally, Fraction()) for tally in answers) for figure in figures}
    # As whole numbers, all as many times as large: the same cancels out, and far sooner.
    parts = math.lcm(*(weight.denominator for each in exact for weight in each))
    known = {tuple(int(weight * parts) for weight in each) for each in exact}
    counts = list(answers.values())
    for some in chain.from_iterable(combinations(known, size) for size in (1, 2, 3)):
        for times in product(range(-2, 3), repeat=len(some)):
            left = (sum(map(mul, times, weights)) for weights in zip(*some, strict=True))
            if about := sum(n for n, weight in zip(counts, left, strict=True) if weight):
                yield about


@given(histories(), st.sampled_from([s.id for s in INSTRUMENT.statements]))
def test_no_combination_of_means_is_about_fewer_than_k_scored_answers(
    history: History, statement: StatementId
) -> None:
    means = [mean for each in publications(history) for mean in weights_of(each, statement)]
    answers = {t.id: scored(t, statement) for t in history.batches}
    assert all(about >= K for about in combined_by_weight(means, answers))


def test_figures_of_all_that_there_is_at_two_times_would_be_found_out() -> None:
    """The negative control: each publication as if nothing had been published before."""
    first = a_tally("1", "police", Answers(fully=20))
    second = a_tally("2", "police", Answers(fully=3, dont_know=7))
    careless = [
        Published(tallies, final_bases(TWO_CELLS, INSTRUMENT, tallies))
        for tallies in [(first,), (first, second)]
    ]
    known = [group for each in careless for group in groups_of(each, SEE_SIGNS)]
    assert fewest_told_of(known, {"1": 20, "2": 3}) == 3
    assert min(combined(known, {"1": 20, "2": 3})) == 3
    means = [mean for each in careless for mean in weights_of(each, SEE_SIGNS)]
    assert min(combined_by_weight(means, {"1": 20, "2": 3})) == 3


some_figures = st.lists(st.frozensets(st.sampled_from("abcdef"), min_size=1), max_size=4)
some_answers = st.fixed_dictionaries(dict.fromkeys("abcdef", st.integers(0, 30)))


@given(some_figures, some_answers)
def test_no_combination_tells_of_fewer_than_these_tests_reckon_with(
    figures: list[Figure], answers: dict[str, int]
) -> None:
    fewest = fewest_told_of(figures, answers)
    assert all(fewest is not None and n >= fewest for n in combined(figures, answers))


# -- what stays as it was ------------------------------------------------------------------------


def rating_of(published: Published, statement: StatementId) -> Rating | None:
    basis = published.bases[statement]
    groups = scored_groups(INSTRUMENT, published.tallies, statement, basis)
    return rate_statement(groups, trim=LIMITS.trim_ratio)


@given(histories())
def test_a_figure_can_be_worked_out_again_from_what_it_rests_on(history: History) -> None:
    for published in publications(history):
        kept = json.loads(json.dumps({s: b.as_json() for s, b in published.bases.items()}))
        bases = {StatementId(s): Basis.from_json(b) for s, b in kept.items()}
        assert bases == published.bases
        later = Published(history.batches, bases)
        for statement in bases:
            assert rating_of(later, statement) == rating_of(published, statement)


@given(histories())
def test_groups_never_come_apart_and_what_was_counted_stays_counted(history: History) -> None:
    for earlier, later in pairwise(publications(history)):
        for statement, basis in earlier.bases.items():
            assert later.bases[statement].tallies >= basis.tallies
            now = groups_of(later, statement)
            for group in groups_of(earlier, statement):
                answered = {t.id for t in earlier.tallies if t.id in group and scored(t, statement)}
                assert sum(answered <= joined for joined in now) == 1


@given(histories())
def test_in_every_publication_each_group_has_k_answers_and_stands_for_somebody(
    history: History,
) -> None:
    for published in publications(history):
        for statement, basis in published.bases.items():
            groups = scored_groups(INSTRUMENT, published.tallies, statement, basis)
            assert all(g.n >= K and g.headcount > 0 for g in groups)
            counted = sum(scored(t, statement) for t in in_figure(published, statement))
            assert sum(g.n for g in groups) == (counted if groups else 0)


@given(histories())
def test_the_final_figures_leave_out_fewer_than_k_scored_answers(history: History) -> None:
    final = publications(history)[-1]
    for statement, basis in final.bases.items():
        left_out = [t for t in history.batches if t.id not in basis.tallies]
        assert sum(scored(t, statement) for t in left_out) < K


@given(histories())
def test_with_no_earlier_publication_nothing_is_left_out(history: History) -> None:
    bases = final_bases(history.snapshot, INSTRUMENT, history.batches)
    for statement, basis in bases.items():
        assert basis.tallies == {t.id for t in history.batches}
        n = sum(scored(t, statement) for t in history.batches)
        groups = scored_groups(INSTRUMENT, history.batches, statement, basis)
        assert sum(g.n for g in groups) == (n if n >= K else 0)


def test_a_statement_with_too_little_news_keeps_its_figures_while_others_move() -> None:
    first = a_tally("1", "police", Answers(not_yet=10, fully=10))
    news = a_tally("2", "police", Answers(not_yet=9, not_relevant=11), Answers(not_yet=20))
    before = after_one(first)
    bases = interim_bases(TWO_CELLS, INSTRUMENT, [first, news], before)
    assert bases is not None
    assert bases[SEE_SIGNS] == before[SEE_SIGNS]
    assert bases[SEE_PATTERNS].tallies == {"1", "2"}
    now = Published((first, news), bases)
    assert rating_of(now, SEE_SIGNS) == Rating(Fraction(50), Fraction(50), 20)
    assert rating_of(now, SEE_PATTERNS) == Rating(Fraction(25), Fraction(25), 40)


def test_a_summary_in_which_every_statement_stands_still_says_the_same_again() -> None:
    first = a_tally("1", "police", Answers(not_yet=10, fully=10))
    news = a_tally("2", "police", Answers(fully=9, not_relevant=1))
    before = after_one(first)
    bases = interim_bases(TWO_CELLS, INSTRUMENT, [first, news], before)
    assert bases == before
    then = summarise(TWO_CELLS, INSTRUMENT, [first], before)
    assert summarise(TWO_CELLS, INSTRUMENT, [first, news], bases).domains == then.domains


def test_news_that_waited_is_counted_once_there_is_enough_of_it() -> None:
    first = a_tally("1", "police", Answers(fully=20))
    news = [a_tally(id, "police", Answers(fully=5, not_relevant=5)) for id in ("2", "3")]
    assert next_of(after_one(first), first, *news)[SEE_SIGNS].tallies == {"1", "2", "3"}


def test_news_of_people_who_do_not_know_moves_the_share_of_those_and_no_score() -> None:
    first = a_tally("1", "police", Answers(fully=20))
    news = a_tally("2", "police", Answers(dont_know=10))
    bases = next_of(after_one(first), first, news)
    assert bases[SEE_SIGNS].tallies == {"1", "2"}
    assert rating_of(Published((first, news), bases), SEE_SIGNS) == Rating(
        Fraction(100), Fraction(100), 20
    )


def test_nine_who_do_not_know_wait_since_their_share_could_be_subtracted() -> None:
    first = a_tally("1", "police", Answers(fully=20))
    news = a_tally("2", "police", Answers(dont_know=9, not_relevant=1))
    assert next_of(after_one(first), first, news) == after_one(first)


def test_news_that_is_relevant_to_nobody_changes_no_figure() -> None:
    first = a_tally("1", "police", Answers(fully=20))
    news = a_tally("2", "police", Answers(not_relevant=10))
    bases = next_of(after_one(first), first, news)
    then = summarise(TWO_CELLS, INSTRUMENT, [first], after_one(first))
    assert summarise(TWO_CELLS, INSTRUMENT, [first, news], bases).domains == then.domains


def after_one(tally: Tally) -> Bases:
    bases = interim_bases(TWO_CELLS, INSTRUMENT, [tally], None)
    assert bases is not None
    return bases


def next_of(before: Bases, *tallies: Tally) -> Bases:
    bases = interim_bases(TWO_CELLS, INSTRUMENT, tallies, before)
    assert bases is not None
    return bases


# -- what was never said holds nothing back ------------------------------------------------------


def test_a_statement_of_which_nothing_was_said_is_rated_once_k_people_have_scored_it() -> None:
    few = Answers(fully=9, not_relevant=11)
    first = a_tally("1", "police", Answers(fully=20), Answers(fully=20), few)
    last = a_tally("2", "police", Answers(fully=20), Answers(fully=20), few)
    before = after_one(first)
    helping = summarise(TWO_CELLS, INSTRUMENT, [first], before).domains[-1]
    assert (helping.domain, helping.favourable, helping.dont_know) == (HELPING, None, None)
    bases = final_bases(TWO_CELLS, INSTRUMENT, [first, last], before)
    rating = rating_of(Published((first, last), bases), GIVE_HELP)
    assert rating is not None
    assert rating.n == 18


# -- interim summaries ---------------------------------------------------------------------------


def test_an_interim_summary_is_about_twenty_people_or_more() -> None:
    nineteen = a_tally("1", "police", Answers(fully=19))
    one_more = a_tally("2", "police", Answers(fully=20))
    assert interim_bases(TWO_CELLS, INSTRUMENT, [nineteen], None) is None
    assert interim_bases(TWO_CELLS, INSTRUMENT, [one_more], None) is not None
    assert interim_bases(TWO_CELLS, INSTRUMENT, [], None) is None


def test_cells_that_were_weighed_together_stay_together() -> None:
    """Apart, the police's nine would be what the two had less what health has."""
    police = a_tally("1", "police", Answers(fully=9, not_relevant=1))
    health = a_tally("2", "health", Answers(not_yet=12))
    before = next_bases(INSTRUMENT, [police, health], TWO_CELLS.headcounts, k=K)
    assert [g.cells for g in before[SEE_SIGNS].groups] == [(HEALTH, POLICE)]
    more = a_tally("3", "police", Answers(fully=30))
    bases = next_of(before, police, health, more)
    assert [(g.cells, g.headcount) for g in bases[SEE_SIGNS].groups] == [((HEALTH, POLICE), 180)]


def test_a_cell_that_had_no_answers_yet_gets_its_own_weight_with_its_first() -> None:
    police = a_tally("1", "police", Answers(fully=20))
    health = a_tally("2", "health", Answers(not_yet=12))
    before = after_one(police)
    assert [g.cells for g in before[SEE_SIGNS].groups] == [(HEALTH, POLICE)]
    bases = next_of(before, police, health)
    assert [g.cells for g in bases[SEE_SIGNS].groups] == [(HEALTH,), (POLICE,)]


def test_its_first_few_answers_wait_until_it_can_have_one() -> None:
    police = [a_tally(id, "police", Answers(fully=20)) for id in ("1", "2")]
    few = a_tally("3", "health", Answers(not_yet=9, dont_know=1))
    bases = next_of(after_one(police[0]), *police, few)
    assert bases[SEE_SIGNS].tallies == {"1", "2"}
    more = a_tally("4", "health", Answers(not_yet=10))
    bases = next_of(bases, *police, few, more)
    assert {g.cells for g in bases[SEE_SIGNS].groups} == {(HEALTH,), (POLICE,)}
    assert bases[SEE_SIGNS].tallies == {"1", "2", "3", "4"}


FIRST = [a_tally("1", "police", Answers(fully=20)), a_tally("2", "health", Answers(fully=20))]
NEWS = [
    a_tally("3", "police", Answers(fully=4, not_relevant=6)),
    a_tally("4", "health", Answers(fully=10)),
]


def test_a_cell_with_little_news_waits_for_more_and_keeps_its_own_weight() -> None:
    before = interim_bases(TWO_CELLS, INSTRUMENT, FIRST, None)
    assert before is not None
    bases = next_of(before, *FIRST, *NEWS)
    assert {g.cells for g in bases[SEE_SIGNS].groups} == {(HEALTH,), (POLICE,)}
    assert bases[SEE_SIGNS].tallies == {"1", "2", "4"}
    last = a_tally("5", "police", Answers(fully=6, dont_know=4))
    final = final_bases(TWO_CELLS, INSTRUMENT, [*FIRST, *NEWS, last], bases)
    assert {g.cells for g in final[SEE_SIGNS].groups} == {(HEALTH,), (POLICE,)}
    assert final[SEE_SIGNS].tallies == {"1", "2", "3", "4", "5"}


def test_at_the_close_it_joins_one_with_enough_and_nobody_waits() -> None:
    before = interim_bases(TWO_CELLS, INSTRUMENT, FIRST, None)
    bases = final_bases(TWO_CELLS, INSTRUMENT, [*FIRST, *NEWS], before)
    assert [g.cells for g in bases[SEE_SIGNS].groups] == [(HEALTH, POLICE)]
    assert bases[SEE_SIGNS].tallies == {"1", "2", "3", "4"}


# -- at the close --------------------------------------------------------------------------------


def test_others_without_a_headcount_of_their_own_are_weighed_with_somebody_who_has_one() -> None:
    """Police and health have tallies of their own, and a few of each left as "other"."""
    tallies = [
        a_tally("1", "police", Answers(fully=20)),
        a_tally("2", "health", Answers(not_yet=30)),
        a_tally("3", OTHER, Answers(not_yet=12)),
    ]
    assert pooled(TWO_CELLS.headcounts, tallies)[OTHER] == 0
    basis = final_bases(TWO_CELLS, INSTRUMENT, tallies)[SEE_SIGNS]
    groups = [(g.cells, g.headcount) for g in basis.groups]
    assert groups == [((HEALTH,), 120), ((OTHER, POLICE), 60)]
    rating = rating_of(Published(tuple(tallies), {SEE_SIGNS: basis}), SEE_SIGNS)
    assert rating is not None
    assert rating.n == 62
    assert rating.weighted == Fraction(60 * 100 * 20, 32) / 180


def test_who_gave_their_people_to_others_gave_them_their_headcount_too() -> None:
    snapshot = a_snapshot({"police": 60, "health": 120, OTHER: 30})
    tallies = [
        a_tally("1", "police", Answers(fully=10)),
        a_tally("2", OTHER, Answers(not_yet=20)),
    ]
    basis = final_bases(snapshot, INSTRUMENT, tallies)[SEE_SIGNS]
    assert {(g.cells, g.headcount) for g in basis.groups} == {((POLICE,), 60), ((OTHER,), 150)}


def test_a_group_without_headcount_never_weighs_nothing() -> None:
    others = Scored((OTHER,), 0, 12, Fraction(), 12)
    police = Scored((POLICE,), 60, 20, Fraction(2000), 20)
    assert merge_small([others, police], K) == [Scored((OTHER, POLICE), 60, 32, Fraction(2000), 32)]
    assert merge_small([others], K) == []


def test_cells_that_are_weighed_together_are_joined_with_all_that_they_bring() -> None:
    cells = [
        Scored((POLICE,), 60, 20, Fraction(100), 3),
        Scored((HEALTH,), 120, 30, Fraction(200), 8),
        Scored((SCHOOLS,), 200, 40, Fraction(300), 0),
    ]
    joined = Scored((HEALTH, POLICE), 180, 50, Fraction(300), 11)
    assert merge_small(cells, K, [[POLICE, HEALTH]]) == [cells[2], joined]


def test_final_figures_with_too_little_news_are_those_of_the_last_interim() -> None:
    """Ten people came last; of one statement, nine of them had nothing to say."""
    first = a_tally("1", "police", Answers(fully=20))
    last = a_tally("2", "police", Answers(not_yet=1, not_relevant=9), Answers(not_yet=10))
    bases = final_bases(TWO_CELLS, INSTRUMENT, [first, last], after_one(first))
    now = Published((first, last), bases)
    assert rating_of(now, SEE_SIGNS) == Rating(Fraction(100), Fraction(100), 20)
    patterns = rating_of(now, SEE_PATTERNS)
    assert patterns is not None
    assert patterns.unweighted == Fraction(2000, 30)
    summary = summarise(TWO_CELLS, INSTRUMENT, [first, last], bases)
    assert (summary.people, summary.domains[0].domain) == (30, SEEING)
