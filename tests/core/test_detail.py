"""What the report says of statements, agency groups and replies: nothing about fewer than k."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from snapshot.basis import scored_groups
from snapshot.detail import AgencyFigures, Detail, Reply, StatementFigures, detail
from snapshot.disclosure import End, Figure, final_bases, rounding_step
from snapshot.instrument import DONT_KNOW, NOT_RELEVANT, OptionId, StatementId
from snapshot.snapshot import CellId
from snapshot.tally import Tally
from tests.core.exampleshire import (
    FULLY,
    HELPING,
    INSTRUMENT,
    MOSTLY,
    NOT_YET,
    PARTLY,
    SEE_PATTERNS,
    SEE_SIGNS,
    SEEING,
    K,
    a_snapshot,
)
from tests.core.test_disclosure import Choices, as_tally, choices_of_a_batch, tally

LIMITS = INSTRUMENT.limits
HEADCOUNTS = {"police": 100, "health": 100}


def detail_of(*tallies: Tally, headcounts: Mapping[str, int] | None = None, k: int = K) -> Detail:
    snapshot = a_snapshot(headcounts or HEADCOUNTS, k=k)
    bases = final_bases(snapshot, INSTRUMENT, tallies)
    return detail(snapshot, INSTRUMENT, tallies, bases)


def all_alike(cell: str, chosen: Choices, id: str = "") -> Tally:
    return replace(tally(cell, chosen, chosen, chosen), id=id or cell)


def of(found: Detail, statement: StatementId) -> StatementFigures:
    return next(s for s in found.statements if s.statement == statement)


def seen_by(found: Detail, cell: str, statement: StatementId | None = None) -> AgencyFigures | None:
    wanted = (cell, statement)
    here = (a for a in found.agencies if a.domain == SEEING or statement)
    return next((a for a in here if (a.cell, a.statement) == wanted), None)


def replies(found: Detail) -> dict[str, int | None]:
    return {r.cell: r.share for r in found.replies}


# -- statements, worked out by hand ---------------------------------------------------------------


def test_below_k_nothing_is_said_at_all() -> None:
    assert detail_of(all_alike("police", {FULLY: K - 1})) == Detail()


def test_from_ten_people_a_statement_has_its_colour_alone() -> None:
    found = of(detail_of(all_alike("police", {FULLY: 19})), SEE_SIGNS)
    assert found == StatementFigures(SEE_SIGNS, found.band)
    assert found.band == "green"


def test_from_twenty_it_is_told_how_many_are_favourable_and_how_many_do_not_know() -> None:
    found = of(detail_of(all_alike("police", {FULLY: 6, PARTLY: 14, DONT_KNOW: 5})), SEE_SIGNS)
    assert (found.favourable, found.dont_know) == (Figure(30), Figure(20))
    assert (found.weighted, found.unweighted, found.options) == (None, None, None)


def test_from_fifty_there_are_scores_and_the_share_of_each_option() -> None:
    chosen = {NOT_YET: 2, PARTLY: 18, MOSTLY: 20, FULLY: 10, NOT_RELEVANT: 40}
    detail = detail_of(all_alike("police", chosen))
    found = of(detail, SEE_SIGNS)
    assert detail.step == 5
    assert found.weighted == found.unweighted == Figure(60)
    assert found.favourable == Figure(60)
    assert found.dont_know == Figure(5, End.UNDER)
    assert found.options == {
        NOT_YET: Figure(5, End.UNDER),
        PARTLY: Figure(35),
        MOSTLY: Figure(40),
        FULLY: Figure(20),
    }


def test_a_statement_that_too_few_scored_is_grey_and_says_only_who_does_not_know() -> None:
    many = {FULLY: 60}
    hardly = {FULLY: 9, DONT_KNOW: 51}
    found = detail_of(tally("police", many, hardly, many))
    assert of(found, SEE_PATTERNS) == StatementFigures(
        SEE_PATTERNS, of(found, SEE_PATTERNS).band, dont_know=Figure(85)
    )
    assert of(found, SEE_PATTERNS).band == "grey"


# -- agency groups, worked out by hand ------------------------------------------------------------


def test_agency_groups_stand_beside_each_other() -> None:
    found = detail_of(
        all_alike("police", {FULLY: 40}), all_alike("health", {NOT_YET: 30, FULLY: 10})
    )
    police, health = seen_by(found, "police", SEE_SIGNS), seen_by(found, "health", SEE_SIGNS)
    assert police == AgencyFigures(
        CellId("police"), SEEING, 5, Figure(90, End.OVER), Figure(90, End.OVER), SEE_SIGNS
    )
    assert health
    assert (health.score, health.favourable, health.step) == (Figure(25), Figure(25), 5)
    whole = seen_by(found, "health")
    assert whole
    assert whole.score == Figure(25)


def test_one_agency_group_by_itself_is_not_set_beside_nobody() -> None:
    assert detail_of(all_alike("police", {FULLY: 90})).agencies == ()


def test_a_group_of_ten_to_nineteen_has_the_favourable_share_of_its_domains_alone() -> None:
    found = detail_of(all_alike("police", {FULLY: 60}), all_alike("health", {NOT_YET: 15}))
    assert seen_by(found, "health", SEE_SIGNS) is None
    health = seen_by(found, "health")
    assert health
    assert (health.favourable, health.score, health.step) == (Figure(20, End.UNDER), None, 20)


def test_a_group_whose_answers_were_merged_is_not_shown() -> None:
    nine = {NOT_YET: 9, DONT_KNOW: 51}
    found = detail_of(
        all_alike("police", {FULLY: 60}),
        all_alike("schools", {FULLY: 60}),
        all_alike("health", nine),
        headcounts={"police": 100, "schools": 300, "health": 100},
    )
    assert {a.cell for a in found.agencies} == {"schools"}, "police were merged with health"


def test_a_group_that_stands_alone_in_less_than_half_of_a_domain_has_no_figure_for_it() -> None:
    sure, unsure = {FULLY: 40}, {FULLY: 5, DONT_KNOW: 35}
    found = detail_of(
        tally("police", sure, sure, sure),
        tally("schools", sure, sure, sure),
        tally("health", unsure, sure, unsure),
        headcounts={"police": 100, "schools": 300, "health": 100},
    )
    assert seen_by(found, "health"), "one of two statements is half"
    assert not [a for a in found.agencies if (a.cell, a.domain) == ("health", HELPING)]


# -- replies, worked out by hand ------------------------------------------------------------------


def test_replies_are_told_to_the_nearest_ten_per_cent_and_never_over_a_hundred() -> None:
    found = detail_of(
        all_alike("police", {FULLY: 34}),
        all_alike("health", {FULLY: 31}),
        headcounts={"police": 100, "health": 25},
    )
    assert replies(found) == {"police": 30, "health": 100}


def test_where_one_group_would_be_hidden_the_next_smallest_is_hidden_too() -> None:
    found = detail_of(
        all_alike("police", {FULLY: 20}),
        all_alike("health", {FULLY: 50}),
        all_alike("schools", {FULLY: 15}),
        headcounts={"police": 40, "health": 100, "schools": 19},
    )
    assert replies(found) == {"police": None, "health": 50, "schools": None}


def test_those_without_a_tally_of_their_own_are_in_with_the_others() -> None:
    found = detail_of(
        all_alike("police", {FULLY: 40}),
        all_alike("other", {FULLY: 30}),
        headcounts={"police": 100, "health": 30, "schools": 30},
    )
    assert replies(found) == {"police": 40, "other": 50}


# -- whatever the tallies -------------------------------------------------------------------------

some_batches = st.lists(
    st.tuples(st.sampled_from(["police", "health", "other"]), choices_of_a_batch), max_size=5
)


def numbered(batches: Sequence[tuple[str, Sequence[Sequence[OptionId]]]]) -> list[Tally]:
    """Whole batches: k people or more in each, as the mix makes them."""
    found = [as_tally(cell, choices) for cell, choices in batches if len(choices[0]) >= K]
    return [replace(t, id=str(number)) for number, t in enumerate(found)]


@given(some_batches)
def test_no_figure_is_about_fewer_than_k_scored_answers(
    batches: list[tuple[str, list[list[OptionId]]]],
) -> None:
    tallies = numbered(batches)
    snapshot = a_snapshot(HEADCOUNTS)
    bases = final_bases(snapshot, INSTRUMENT, tallies)
    found = detail(snapshot, INSTRUMENT, tallies, bases)
    for one in found.statements:
        groups = scored_groups(INSTRUMENT, tallies, one.statement, bases[one.statement])
        n = sum(g.n for g in groups)
        assert (one.favourable is not None) == (n >= LIMITS.scores_from)
        assert (one.options is not None) == (n >= LIMITS.options_from)
        assert (one.weighted is not None) == (n >= LIMITS.options_from)
        if n >= LIMITS.scores_from:
            assert found.step >= rounding_step(n, LIMITS)
    for seen in found.agencies:
        if seen.statement is None:
            continue
        groups = scored_groups(INSTRUMENT, tallies, seen.statement, bases[seen.statement])
        (own,) = [g for g in groups if g.cells == (seen.cell,)]
        assert own.n >= LIMITS.scores_from
        assert Fraction(seen.step * own.n, 100) >= 2
        rest = [g.n for g in groups if g.cells != (seen.cell,)]
        assert min(rest) >= K, "what is left when all others are taken away"


@given(some_batches)
def test_it_comes_back_from_json_as_it_was(batches: list[tuple[str, list[list[OptionId]]]]) -> None:
    found = detail_of(*numbered(batches))
    assert Detail.from_json(json.loads(json.dumps(found.as_json()))) == found


@given(some_batches, st.randoms())
def test_the_order_of_batches_changes_nothing(
    batches: list[tuple[str, list[list[OptionId]]]], dice: object
) -> None:
    tallies = numbered(batches)
    other = list(tallies)
    dice.shuffle(other)  # type: ignore[attr-defined]
    assert detail_of(*tallies) == detail_of(*other)


def test_every_figure_is_one_that_may_be_printed() -> None:
    """A field that holds a bare number would not be rounded."""
    printed = {"statement", "band", "options", "few", "cell", "domain", "step"}
    for kind in (StatementFigures, AgencyFigures):
        for field in fields(kind):
            assert field.name in printed or "Figure" in str(field.type), field.name
    assert {field.name for field in fields(Reply)} == {"cell", "share"}
