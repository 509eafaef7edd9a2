"""Both views side by side, worked out by hand; and what must hold whatever people say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.packs import HERE, load_packs
from content.recommending import load_library
from content.yaml_files import BrokenPack
from snapshot.advice import (
    Advice,
    Arrow,
    Direction,
    LeadBody,
    Library,
    Metric,
    Pattern,
    Recommendation,
    Rule,
    Timescale,
)
from snapshot.detail import Detail, detail
from snapshot.disclosure import End, Figure, Summary, final_bases, summarise
from snapshot.findings import Caveat, Findings, KeyPoint, Point, find
from snapshot.instrument import DONT_KNOW, BandId, OptionId, StatementId
from snapshot.session import Agreed, Ratings
from snapshot.tally import Tally
from snapshot.views import About, Earlier, Gap, Side, Travel, View
from tests.core.exampleshire import (
    FULLY,
    GIVE_HELP,
    HELPING,
    INSTRUMENT,
    MOSTLY,
    NOT_YET,
    PARTLY,
    SEE_PATTERNS,
    SEE_SIGNS,
    SEEING,
    a_snapshot,
)
from tests.core.test_detail import all_alike
from tests.core.test_disclosure import tally

RED, AMBER, GREEN, GREY = (BandId(b) for b in ("red", "amber", "green", "grey"))
NONE, SOME, STRONG = (OptionId(o) for o in ("none", "some", "strong"))
NOTHING = Summary(10, 0, 0, ())


def advice(name: str) -> Recommendation:
    return Recommendation(name, "partnership", "soon", "It is done.")


LIBRARY = Library(
    language="en-GB",
    instrument=INSTRUMENT.id,
    leads={"partnership": LeadBody("Partnership", "Board")},
    timescales={"soon": Timescale("Soon", 30)},
    statements={
        s.id: Advice(
            {RED: advice(f"red {s.id}"), AMBER: advice(f"amber {s.id}")}, f"strength {s.id}"
        )
        for s in INSTRUMENT.statements
    },
    patterns=tuple(
        Pattern(id, id, rule, "", "", advice(id), ())
        for id, rule in {
            "higher": Rule(Metric.STRATEGIC_MINUS_PRACTICE, at_least=20),
            "lower": Rule(Metric.PRACTICE_MINUS_STRATEGIC, at_least=20),
            "unsure": Rule(Metric.DONT_KNOW_SHARE, at_least=25),
            "differ": Rule(Metric.AGENCIES_APART, at_least=30),
            "unproven": Rule(Metric.STRATEGIC_BAND, equals=GREEN, evidence_below=50),
            "both": Rule(Metric.BOTH_BANDS, equals=RED),
        }.items()
    ),
    arrows={d: Arrow(d, d, d) for d in Direction},
)


def said(*tallies: Tally, headcounts: Mapping[str, int] | None = None) -> tuple[Summary, Detail]:
    snapshot = a_snapshot(headcounts or {"police": 100, "health": 100})
    bases = final_bases(snapshot, INSTRUMENT, tallies)
    return (
        summarise(snapshot, INSTRUMENT, tallies, bases),
        detail(snapshot, INSTRUMENT, tallies, bases),
    )


def agree(progress: OptionId, evidence: OptionId = SOME) -> dict[StatementId, Agreed]:
    return {s.id: Agreed(Ratings(progress, evidence)) for s in INSTRUMENT.statements}


def found(
    practice: tuple[Summary, Detail] = (NOTHING, Detail()),
    agreed: Mapping[StatementId, Agreed] | None = None,
    earlier: Earlier | None = None,
) -> Findings:
    return find(INSTRUMENT, LIBRARY, *practice, agreed or {}, earlier)


def about(findings: Findings, about: About) -> View:
    return next(v for v in (*findings.domains, *findings.statements) if v.about == about)


def hits(view: View) -> set[str]:
    return {hit.pattern for hit in view.hits}


# -- both sides, worked out by hand ---------------------------------------------------------------

# 60 people, half of them "mostly" and half "not yet": 33 points, red.
HALF = {MOSTLY: 30, NOT_YET: 30}


@pytest.mark.parametrize(
    ("progress", "strategic", "gap", "system", "patterns"),
    [
        # (100 + 35) / 2 = 67.5
        (FULLY, Side(GREEN, Figure(100)), Gap(65), AMBER, {"higher"}),
        (MOSTLY, Side(AMBER, Figure(67)), Gap(32), AMBER, {"higher"}),
        (PARTLY, Side(RED, Figure(33)), Gap(-2), RED, {"both"}),
        (NOT_YET, Side(RED, Figure(0)), Gap(-35), RED, {"lower", "both"}),
        (DONT_KNOW, None, None, RED, set()),
    ],
)
def test_both_views_side_by_side(
    progress: OptionId, strategic: Side | None, gap: Gap | None, system: str, patterns: set[str]
) -> None:
    findings = found(said(all_alike("police", HALF)), agree(progress))
    for place in (SEE_SIGNS, SEEING):
        view = about(findings, place)
        assert view.practice == Side(RED, Figure(35))
        assert (view.strategic, view.gap, view.system) == (strategic, gap, system)
        assert hits(view) == patterns


def test_a_gap_from_an_end_is_so_much_or_more() -> None:
    certain = said(all_alike("police", {FULLY: 60}))
    view = about(found(certain, agree(PARTLY)), SEE_SIGNS)
    assert view.practice == Side(GREEN, Figure(95, End.OVER))
    assert view.gap == Gap(-62, or_more=True)
    assert about(found(certain, agree(FULLY)), SEE_SIGNS).gap == Gap(5)


def test_evidence_is_set_against_progress() -> None:
    view = about(found(agreed=agree(FULLY, NONE)), SEE_SIGNS)
    assert (view.evidence, hits(view)) == (0, {"unproven"})
    assert hits(about(found(agreed=agree(FULLY, STRONG)), SEE_SIGNS)) == set()
    assert hits(about(found(agreed=agree(MOSTLY, NONE)), SEE_SIGNS)) == set()


def test_a_domain_is_rated_by_partners_once_half_of_its_statements_are() -> None:
    both = agree(FULLY)
    one = {SEE_SIGNS: both[SEE_SIGNS]}
    assert about(found(agreed=one), SEEING).strategic == Side(GREEN, Figure(100))
    assert about(found(agreed=one), HELPING).strategic is None
    two = {**one, SEE_PATTERNS: Agreed(Ratings(NOT_YET, NONE))}
    view = about(found(agreed=two), SEEING)
    assert (view.strategic, view.evidence) == (Side(AMBER, Figure(50)), 33)


def test_many_who_do_not_know_are_a_finding() -> None:
    some = said(all_alike("police", {FULLY: 60, DONT_KNOW: 20}))
    assert hits(about(found(some), SEE_SIGNS)) == {"unsure"}
    few = said(all_alike("police", {FULLY: 60, DONT_KNOW: 12}))
    assert hits(about(found(few), SEE_SIGNS)) == set()


def test_a_share_under_an_end_is_not_that_end() -> None:
    sooner = replace(LIBRARY.patterns[2], rule=Rule(Metric.DONT_KNOW_SHARE, at_least=5))
    library = replace(LIBRARY, patterns=(sooner,))
    findings = find(INSTRUMENT, library, *said(all_alike("police", {FULLY: 60})), {})
    assert about(findings, SEE_SIGNS).dont_know == Figure(5, End.UNDER)
    assert hits(about(findings, SEE_SIGNS)) == set()


def test_agencies_that_see_it_differently_are_named_with_their_scores() -> None:
    apart = said(all_alike("police", {FULLY: 60}), all_alike("health", {PARTLY: 60}))
    (hit,) = about(found(apart), SEE_SIGNS).hits
    assert hit.pattern == "differ"
    assert hit.values["highest_agency"] == "police"
    assert hit.values["highest_score"] == Figure(95, End.OVER)
    assert hit.values["lowest_agency"] == "health"
    assert hit.values["lowest_score"] == Figure(35)
    near = said(all_alike("police", {MOSTLY: 60}), all_alike("health", {PARTLY: 30, MOSTLY: 30}))
    assert hits(about(found(near), SEE_SIGNS)) == set()


# -- what follows ---------------------------------------------------------------------------------


def test_each_recommendation_says_what_led_to_it_the_red_ones_first() -> None:
    practice = said(tally("police", {NOT_YET: 60}, {MOSTLY: 60}, {FULLY: 60}))
    findings = found(practice)
    assert [(r.about, r.because, r.recommendation.text) for r in findings.recommended] == [
        (SEE_SIGNS, RED, "red SE1"),
        (SEE_PATTERNS, AMBER, "amber SE2"),
    ]
    assert findings.strengths == (GIVE_HELP,)


def test_key_points_stand_out_and_say_where() -> None:
    practice = said(tally("police", {NOT_YET: 60}, {NOT_YET: 60}, {FULLY: 40, DONT_KNOW: 20}))
    findings = found(practice, {SEE_SIGNS: Agreed(Ratings(FULLY, NONE))})
    assert findings.key_points == (
        KeyPoint(Point.PRIORITIES, (SEE_PATTERNS,)),
        KeyPoint(Point.STRENGTHS, (HELPING,)),
        KeyPoint(Point.APART, (SEEING,)),
        KeyPoint(Point.UNSURE, (HELPING, GIVE_HELP)),
        KeyPoint(Point.UNPROVEN, (SEEING, SEE_SIGNS)),
    )


def test_there_are_no_more_key_points_than_a_page_bears() -> None:
    unsure = {FULLY: 40, DONT_KNOW: 20}
    practice = said(
        tally("police", {NOT_YET: 60}, {NOT_YET: 60}, unsure),
        tally("health", {MOSTLY: 60}, {NOT_YET: 60}, unsure),
    )
    findings = found(practice, {SEE_SIGNS: Agreed(Ratings(FULLY, NONE))})
    assert [p.point for p in findings.key_points] == list(Point)[:5]


def test_with_neither_session_nor_answers_there_is_still_a_finding() -> None:
    findings = found()
    assert set(findings.caveats) == {Caveat.NO_SESSION, Caveat.NO_PRACTICE}
    assert {v.system for v in findings.statements} == {GREY}
    assert (findings.recommended, findings.strengths, findings.key_points) == ((), (), ())


def test_an_unfinished_session_is_said() -> None:
    one = {SEE_SIGNS: Agreed(Ratings(PARTLY, SOME))}
    assert Caveat.UNFINISHED_SESSION in found(agreed=one).caveats
    assert Caveat.UNFINISHED_SESSION not in found(agreed=agree(PARTLY)).caveats


def test_where_weighing_moves_a_score_far_it_is_said_who_replied_least() -> None:
    practice = said(
        all_alike("police", {FULLY: 60}),
        all_alike("health", {NOT_YET: 60}),
        headcounts={"police": 100, "health": 600},
    )
    findings = found(practice)
    assert Caveat.MEANS_APART in findings.caveats
    assert findings.least == ()
    three = said(
        all_alike("police", {FULLY: 60}),
        all_alike("schools", {FULLY: 60}),
        all_alike("health", {NOT_YET: 60}),
        headcounts={"police": 100, "schools": 100, "health": 600},
    )
    assert found(three).least == ("health",)


# -- an earlier snapshot --------------------------------------------------------------------------


def earlier(score: Figure, step: int = 5) -> Earlier:
    places: list[About] = [*(s.id for s in INSTRUMENT.statements), SEEING, HELPING]
    texts = {s.id: s.text for s in INSTRUMENT.statements}
    return Earlier(
        "May 2025", texts, dict.fromkeys(places, score), dict.fromkeys(places, score), step
    )


@pytest.mark.parametrize(
    ("before", "travel"),
    [
        (25, Travel(Direction.BETTER, 10)),
        (30, Travel(Direction.SAME)),
        (40, Travel(Direction.SAME)),
        (45, Travel(Direction.WORSE, 10)),
    ],
)
def test_the_direction_of_travel(before: int, travel: Travel) -> None:
    findings = found(said(all_alike("police", HALF)), earlier=earlier(Figure(before)))
    assert about(findings, SEE_SIGNS).practice_travel == travel
    assert about(findings, SEEING).practice_travel == travel


def test_partners_travel_too() -> None:
    findings = found(agreed=agree(MOSTLY), earlier=earlier(Figure(33)))
    assert about(findings, SEE_SIGNS).strategic_travel == Travel(Direction.BETTER, 34)


@pytest.mark.parametrize(
    "then",
    [
        earlier(Figure(10, End.UNDER)),
        earlier(Figure(20), step=20),
        replace(earlier(Figure(20)), practice={}),
    ],
)
def test_there_is_no_arrow_where_a_score_is_not_told_or_too_coarse(then: Earlier) -> None:
    findings = found(said(all_alike("police", HALF)), earlier=then)
    assert about(findings, SEE_SIGNS).practice_travel is None


def test_what_is_worded_otherwise_is_not_compared_and_named() -> None:
    then = earlier(Figure(0))
    then = replace(then, texts={**then.texts, SEE_SIGNS: "I used to see signs."})
    findings = found(said(all_alike("police", HALF)), earlier=then)
    assert findings.reworded == (SEE_SIGNS,)
    assert about(findings, SEE_SIGNS).practice_travel is None
    assert about(findings, SEEING).practice_travel is None
    assert about(findings, HELPING).practice_travel == Travel(Direction.BETTER, 35)


def test_with_no_earlier_snapshot_it_is_the_first_time() -> None:
    view = about(found(said(all_alike("police", HALF))), SEE_SIGNS)
    assert (view.practice_travel, view.strategic_travel) == (Travel(Direction.NEW), None)


# -- whatever people say --------------------------------------------------------------------------

options = st.sampled_from([NOT_YET, PARTLY, MOSTLY, FULLY, DONT_KNOW])
chosen = st.dictionaries(options, st.integers(0, 40), min_size=1)
some_tallies = st.lists(
    st.builds(tally, st.sampled_from(["police", "health"]), chosen, chosen, chosen), max_size=4
)


def numbered(tallies: list[Tally]) -> list[Tally]:
    """Whole batches: everybody in one has said something of every statement."""
    even = [t for t in tallies if len({sum(c.values()) for c in t.counts.values()}) == 1]
    return [replace(t, id=str(n)) for n, t in enumerate(even) if t.people >= 10]


@given(some_tallies, st.randoms(use_true_random=False))
def test_the_order_of_batches_changes_nothing(tallies: list[Tally], dice: object) -> None:
    batches = numbered(tallies)
    other = list(batches)
    dice.shuffle(other)  # type: ignore[attr-defined]
    assert found(said(*batches)) == found(said(*other))


@given(st.integers(10, 60), st.integers(1, 30))
def test_people_who_do_not_know_change_no_colour(sure: int, unsure: int) -> None:
    bare = found(said(all_alike("police", {MOSTLY: sure, NOT_YET: sure})))
    more = found(said(all_alike("police", {MOSTLY: sure, NOT_YET: sure, DONT_KNOW: unsure})))
    assert [v.system for v in bare.statements] == [v.system for v in more.statements]


# -- the library ----------------------------------------------------------------------------------


def test_the_library_of_each_language_fits_its_instrument() -> None:
    for pack in load_packs().values():
        library = load_library(HERE, pack.instrument)
        assert library
        assert library.language == pack.instrument.language
        assert {p.rule.metric for p in library.patterns} == set(Metric)


@pytest.mark.parametrize(
    ("find_it", "put", "said"),
    [
        ("lead: partnership", "lead: nobody", "statements.AW1.red: no such lead: nobody"),
        ("timescale: three_months", "timescale: never", "no such timescale: never"),
        ("  AW2:\n", "  AX2:\n", "statements: not in both it and the instrument: AW2, AX2"),
        (
            "at_least: 20}",
            "at_most: 20}",
            "patterns.0.when.at_most: Extra inputs are not permitted",
        ),
        ("equals: green", "equals: mauve", "patterns.4.when.equals: no such band"),
        ("instrument: csa-system-snapshot", "instrument: other", "is not for csa-system-snapshot"),
    ],
)
def test_a_library_that_does_not_fit_is_refused_with_its_place(
    tmp_path: Path, find_it: str, put: str, said: str
) -> None:
    text = (HERE / "recommendations.en-GB.yaml").read_text(encoding="utf-8")
    assert find_it in text
    (tmp_path / "recommendations.en-GB.yaml").write_text(
        text.replace(find_it, put, 1), encoding="utf-8"
    )
    with pytest.raises(BrokenPack) as refused:
        load_library(tmp_path, load_packs()["en-GB"].instrument)
    assert said in str(refused.value)
    assert "recommendations.en-GB.yaml, line " in str(refused.value)


def test_a_programme_may_have_no_library(tmp_path: Path) -> None:
    assert load_library(tmp_path, INSTRUMENT) is None
