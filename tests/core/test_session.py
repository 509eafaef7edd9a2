"""Partners rate alone, see the spread, rate again, and have written down what they agreed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from snapshot.errors import NotOffered
from snapshot.instrument import DONT_KNOW, NearRule, OptionId
from snapshot.ports import Kind, Record
from snapshot.sealing import Person
from snapshot.session import (
    MOST_NOTE,
    MOST_PARTNERS,
    Agreed,
    Dissent,
    Moment,
    Ratings,
    Session,
    Stage,
    after,
    again,
    agree,
    before,
    dissent,
    find,
    forget_agreed,
    go_to,
    is_near,
    join,
    leave,
    partner,
    partners,
    pause,
    put_card,
    rate,
    reveal,
    start,
    strategic_of,
    with_spread,
)
from tests.core.exampleshire import (
    FULLY,
    GIVE_HELP,
    INSTRUMENT,
    MOSTLY,
    NOT_YET,
    PARTLY,
    SEE_PATTERNS,
    SEE_SIGNS,
    TENANT,
    Area,
)
from tests.core.watching import Watched

CHANNEL = "19:facilitators@thread.tacv2"
NONE, SOME, STRONG = (OptionId(o) for o in ("none", "some", "strong"))
PROGRESS = strategic_of(INSTRUMENT).progress
RULE = NearRule(within_steps=1, dont_know_under=Fraction(1, 3))
POLICE, HEALTH = "police", "health"


def who(number: int) -> Person:
    return Person(TENANT, f"partner-{number}")


async def started(area: Area) -> Session:
    return await start(area.running, area.records, INSTRUMENT, CHANNEL)


async def joined(area: Area, *numbers: int, agency: str = POLICE) -> None:
    for number in numbers:
        await join(area.running, area.records, INSTRUMENT, who(number), agency)


async def rates(
    area: Area, number: int, seen: Moment, progress: OptionId, evidence: OptionId = SOME
) -> None:
    ratings = Ratings(progress, evidence)
    await rate(area.running, area.records, INSTRUMENT, who(number), seen, ratings)


async def revealed(area: Area, seen: Moment) -> Session:
    return await reveal(area.running, area.records, INSTRUMENT, seen)


async def agreed(area: Area, seen: Moment, agreed: Agreed | None = None) -> Session:
    agreed = agreed or Agreed(Ratings(PARTLY, SOME))
    return await agree(area.running, area.records, INSTRUMENT, seen, agreed)


async def turned_to(area: Area, seen: Moment, statement: str) -> Session:
    return await go_to(area.running, area.records, INSTRUMENT, seen, statement)  # type: ignore[arg-type]


async def two_rated(area: Area) -> Moment:
    seen = (await started(area)).moment
    await joined(area, 1, 2)
    await rates(area, 1, seen, PARTLY)
    await rates(area, 2, seen, MOSTLY)
    return seen


def progress_in(session: Session) -> Mapping[OptionId, int]:
    assert session.spread
    return session.spread.progress


async def kept(area: Area, kind: Kind) -> list[str]:
    found = await area.records.read_all(area.running.snapshot.id, kind)
    return [json.dumps([r.id, r.state, r.group, r.body]) for r in found]


# -- one statement --------------------------------------------------------------------------------


async def test_from_the_start_to_what_was_agreed(area: Area) -> None:
    seen = await two_rated(area)
    shown = await revealed(area, seen)
    assert shown.spread is not None
    assert shown.spread.progress == {PARTLY: 1, MOSTLY: 1}
    assert shown.spread.evidence == {SOME: 2}
    assert shown.spread.near
    told = Agreed(Ratings(PARTLY, SOME), "A note.", "An audit.", (Dissent(HEALTH, "Too low."),))  # type: ignore[arg-type]
    done = await agreed(area, shown.moment, told)
    assert done.agreed == {SEE_SIGNS: replace(told, near=True)}
    assert done.moment == Moment(SEE_SIGNS, 1, Stage.AGREED)
    onward = await turned_to(area, done.moment, SEE_PATTERNS)
    assert onward.moment == Moment(SEE_PATTERNS, 1, Stage.RATING)
    assert await find(area.running, area.records) == onward


async def test_what_each_rated_is_gone_once_the_pair_is_agreed(area: Area) -> None:
    shown = await revealed(area, await two_rated(area))
    assert all(p.given for p in await partners(area.running, area.records))
    done = await agreed(area, shown.moment)
    assert [p.given for p in await partners(area.running, area.records)] == [{}, {}]
    assert done.spread is None


async def test_one_who_dies_between_agreeing_and_deleting_has_it_done_by_the_next(
    area: Area,
) -> None:
    shown = await revealed(area, await two_rated(area))
    before = await area.records.read_all(area.running.snapshot.id, Kind.PARTNER)
    done = await agreed(area, shown.moment)
    for record in await area.records.read_all(area.running.snapshot.id, Kind.PARTNER):
        (was,) = (r for r in before if r.id == record.id)
        await area.records.replace(replace(was, etag=record.etag))
    assert all(p.given for p in await partners(area.running, area.records))
    await forget_agreed(area.running, area.records, done)
    assert not any(p.given for p in await partners(area.running, area.records))


async def test_another_round_starts_from_ones_own_earlier_rating(area: Area) -> None:
    shown = await revealed(area, await two_rated(area))
    anew = await again(area.running, area.records, shown.moment)
    assert anew.moment == Moment(SEE_SIGNS, 2, Stage.RATING)
    assert anew.spread is None
    first = await partner(area.running, area.records, who(1))
    assert first is not None
    assert first.rated(anew.moment) is None
    assert first.earlier(SEE_SIGNS) == Ratings(PARTLY, SOME)
    assert await still_to_rate(area, anew) == 2
    await rates(area, 1, anew.moment, MOSTLY)
    second = await revealed(area, anew.moment)
    assert progress_in(second) == {MOSTLY: 1}, "of this round alone"


async def test_one_may_change_a_rating_until_they_are_shown(area: Area) -> None:
    seen = await two_rated(area)
    await rates(area, 1, seen, FULLY)
    shown = await revealed(area, seen)
    assert progress_in(shown) == {FULLY: 1, MOSTLY: 1}
    with pytest.raises(NotOffered):
        await rates(area, 1, seen, NOT_YET)
    with pytest.raises(NotOffered):
        await rates(area, 1, shown.moment, NOT_YET)


async def test_the_same_rating_twice_counts_once(area: Area) -> None:
    seen = await two_rated(area)
    await rates(area, 2, seen, MOSTLY)
    shown = await revealed(area, seen)
    assert progress_in(shown) == {PARTLY: 1, MOSTLY: 1}


async def still_to_rate(area: Area, session: Session) -> int:
    found = await partners(area.running, area.records)
    return sum(each.rated(session.moment) is None for each in found)


async def test_it_is_told_how_many_are_still_to_rate(area: Area) -> None:
    session = await started(area)
    await joined(area, 1, 2, 3)
    assert await still_to_rate(area, session) == 3
    await rates(area, 2, session.moment, FULLY)
    assert await still_to_rate(area, session) == 2
    await leave(area.running, area.records, who(3))
    assert await still_to_rate(area, session) == 1


async def test_nobody_waits_for_a_partner_who_left_and_nothing_of_theirs_is_shown(
    area: Area,
) -> None:
    seen = await two_rated(area)
    await leave(area.running, area.records, who(1))
    await leave(area.running, area.records, who(1))
    shown = await revealed(area, seen)
    assert progress_in(shown) == {MOSTLY: 1}


async def test_ratings_that_nobody_counted_are_counted_by_whoever_comes_next(area: Area) -> None:
    shown = await revealed(area, await two_rated(area))
    record = await area.records.read(area.running.snapshot.id, Kind.SESSION, "session")
    uncounted = {**shown.as_json(), "spread": None}
    sealed = area.running.service.seal(uncounted, "session", area.running.snapshot.id)
    await area.records.replace(replace(record, body={"sealed": sealed}))
    found = await find(area.running, area.records)
    assert found
    assert found.spread is None
    assert (await with_spread(area.running, area.records, INSTRUMENT, found)).spread == shown.spread


# -- going about ----------------------------------------------------------------------------------


async def test_gone_back_to_a_statement_what_was_agreed_stands_until_something_new_is(
    area: Area,
) -> None:
    shown = await revealed(area, await two_rated(area))
    done = await agreed(area, shown.moment)
    onward = await turned_to(area, done.moment, GIVE_HELP)
    back = await turned_to(area, onward.moment, SEE_SIGNS)
    assert back.moment == Moment(SEE_SIGNS, 2, Stage.RATING)
    assert back.agreed == done.agreed
    await rates(area, 1, back.moment, FULLY)
    await forget_agreed(area.running, area.records, back)
    shown = await revealed(area, back.moment)
    assert progress_in(shown) == {FULLY: 1}
    new = Agreed(Ratings(FULLY, STRONG))
    assert (await agreed(area, shown.moment, new)).agreed[SEE_SIGNS].ratings == new.ratings


async def test_a_statement_left_in_the_middle_is_started_from_ones_own_rating(area: Area) -> None:
    seen = await two_rated(area)
    away = await turned_to(area, seen, GIVE_HELP)
    back = await turned_to(area, away.moment, SEE_SIGNS)
    first = await partner(area.running, area.records, who(1))
    assert first
    assert first.earlier(SEE_SIGNS) == Ratings(PARTLY, SOME)
    assert back.moment.round == 2


async def test_paused_nothing_moves_and_days_later_it_goes_on_where_it_was(area: Area) -> None:
    seen = await two_rated(area)
    await pause(area.running, area.records)
    assert (await pause(area.running, area.records)).paused
    for acts in (
        lambda: rates(area, 1, seen, FULLY),
        lambda: revealed(area, seen),
        lambda: turned_to(area, seen, GIVE_HELP),
    ):
        with pytest.raises(NotOffered):
            await acts()
    again_there = await start(area.running, area.records, INSTRUMENT, "19:elsewhere@thread.tacv2")
    assert (again_there.moment, again_there.paused) == (seen, False)
    assert again_there.place == "19:elsewhere@thread.tacv2"
    shown = await revealed(area, seen)
    assert progress_in(shown) == {PARTLY: 1, MOSTLY: 1}


async def test_started_twice_it_is_one_session(area: Area) -> None:
    first, second = await asyncio.gather(started(area), started(area))
    assert first == second == await started(area)


async def test_the_next_is_the_one_after_and_after_the_last_the_first_that_is_open(
    area: Area,
) -> None:
    shown = await revealed(area, await two_rated(area))
    done = await agreed(area, shown.moment)
    ids = [s.id for s in INSTRUMENT.statements]
    found = [after(INSTRUMENT, done, id) for id in ids]
    assert [s.id for s in found if s] == [*ids[1:], ids[1]]
    everything = replace(done, agreed=dict.fromkeys(ids, done.agreed[SEE_SIGNS]))
    assert after(INSTRUMENT, everything, ids[-1]) is None
    assert [s.id if s else None for s in (before(INSTRUMENT, id) for id in ids)] == [
        None,
        *ids[:-1],
    ]


async def test_it_is_known_where_the_message_stands_and_where_the_last_one_stood(
    area: Area,
) -> None:
    await started(area)
    first, second = {"id": "1"}, {"id": "2"}
    assert await put_card(area.running, area.records, first) == {}
    assert await put_card(area.running, area.records, second) == first
    session = await find(area.running, area.records)
    assert session
    assert session.card == second


# -- what is written down -------------------------------------------------------------------------


async def disagrees(area: Area, seen: Moment, agency: str, note: str) -> Session:
    told = Dissent(agency, note)  # type: ignore[arg-type]
    return await dissent(area.running, area.records, INSTRUMENT, seen, told)


async def test_what_was_agreed_may_be_mended_and_is_as_near_as_it_was(area: Area) -> None:
    shown = await revealed(area, await two_rated(area))
    done = await agreed(area, shown.moment)
    await disagrees(area, done.moment, HEALTH, "Too low.")
    better = Agreed(Ratings(FULLY, STRONG), "Now with a note.")
    mended = await agreed(area, done.moment, better)
    told = (Dissent(HEALTH, "Too low."),)  # type: ignore[arg-type]
    assert mended.agreed[SEE_SIGNS] == replace(better, near=True, dissent=told)
    assert mended.moment == done.moment


async def test_who_does_not_agree_is_noted_once_for_each_agency(area: Area) -> None:
    shown = await revealed(area, await two_rated(area))
    done = await agreed(area, shown.moment)
    for agency, note in ((HEALTH, "One."), (POLICE, "Two.")):
        await disagrees(area, done.moment, agency, note)
    session = await disagrees(area, done.moment, HEALTH, "Three.")
    noted = {d.agency: d.note for d in session.agreed[SEE_SIGNS].dissent}
    assert noted == {POLICE: "Two.", HEALTH: "Three."}
    session = await disagrees(area, done.moment, POLICE, "")
    assert [d.agency for d in session.agreed[SEE_SIGNS].dissent] == [HEALTH]


async def test_of_two_agencies_that_disagree_at_once_both_are_noted(area: Area) -> None:
    shown = await revealed(area, await two_rated(area))
    done = await agreed(area, shown.moment)
    await asyncio.gather(*(disagrees(area, done.moment, a, "No.") for a in (POLICE, HEALTH)))
    session = await find(area.running, area.records)
    assert session
    assert {d.agency for d in session.agreed[SEE_SIGNS].dissent} == {POLICE, HEALTH}


async def test_dissent_has_an_agency_few_words_and_something_to_disagree_with(area: Area) -> None:
    shown = await revealed(area, await two_rated(area))
    with pytest.raises(NotOffered):
        await disagrees(area, shown.moment, HEALTH, "No.")
    done = await agreed(area, shown.moment)
    for agency, note in (("nobody", "No."), (HEALTH, "x" * (MOST_NOTE + 1))):
        with pytest.raises(NotOffered):
            await disagrees(area, done.moment, agency, note)


async def test_whoever_joins_is_called_what_teams_calls_them_last(area: Area) -> None:
    await started(area)
    for called in ("29:a", "29:b"):
        await join(area.running, area.records, INSTRUMENT, who(1), POLICE, called)
    assert [p.called for p in await partners(area.running, area.records)] == ["29:b"]


# -- two at once ----------------------------------------------------------------------------------


async def test_of_two_facilitators_who_press_at_once_one_acts(area: Area) -> None:
    seen = await two_rated(area)
    came = await asyncio.gather(
        *(turned_to(area, seen, SEE_PATTERNS) for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(c, Session) for c in came) == 1
    assert sum(isinstance(c, NotOffered) for c in came) == 4
    session = await find(area.running, area.records)
    assert session
    assert session.moment == Moment(SEE_PATTERNS, 1, Stage.RATING)


async def test_whoever_is_told_that_their_rating_counts_is_in_the_spread(area: Area) -> None:
    for _ in range(15):
        session = await started(area)
        numbers = range(12)
        await joined(area, *numbers)
        await rates(area, 0, session.moment, FULLY)
        came = await asyncio.gather(
            *(rates(area, n, session.moment, FULLY) for n in numbers[1:6]),
            revealed(area, session.moment),
            *(rates(area, n, session.moment, FULLY) for n in numbers[6:]),
            return_exceptions=True,
        )
        shown = next(c for c in came if isinstance(c, Session))
        assert progress_in(shown)[FULLY] >= 1 + sum(c is None for c in came)
        await again(area.running, area.records, shown.moment)


async def test_a_rating_that_comes_while_they_are_shown_is_not_said_to_count(area: Area) -> None:
    seen = await two_rated(area)

    async def show(record: Record) -> None:
        if record.kind is Kind.PARTNER:
            await revealed(area, seen)

    watched = Watched(area.records, before_write=show)
    with pytest.raises(NotOffered):
        await rate(area.running, watched, INSTRUMENT, who(1), seen, Ratings(NOT_YET, SOME))
    session = await find(area.running, area.records)
    assert session
    assert progress_in(session) == {PARTLY: 1, MOSTLY: 1}


async def test_sixty_may_rate_in_the_same_second(area: Area) -> None:
    seen = (await started(area)).moment
    await asyncio.gather(*(joined(area, n) for n in range(MOST_PARTNERS)))
    await asyncio.gather(*(rates(area, n, seen, PARTLY) for n in range(MOST_PARTNERS)))
    shown = await revealed(area, seen)
    assert progress_in(shown) == {PARTLY: MOST_PARTNERS}
    with pytest.raises(NotOffered):
        await joined(area, MOST_PARTNERS)


# -- what is not taken ----------------------------------------------------------------------------


async def test_without_a_session_nobody_joins_or_rates(area: Area) -> None:
    with pytest.raises(NotOffered):
        await joined(area, 1)
    with pytest.raises(NotOffered):
        await rates(area, 1, Moment(SEE_SIGNS, 1, Stage.RATING), FULLY)
    assert await find(area.running, area.records) is None


async def test_whoever_has_not_joined_does_not_rate(area: Area) -> None:
    seen = (await started(area)).moment
    with pytest.raises(NotOffered):
        await rates(area, 1, seen, FULLY)


async def test_ratings_are_not_shown_where_nobody_has_rated(area: Area) -> None:
    seen = (await started(area)).moment
    await joined(area, 1)
    with pytest.raises(NotOffered):
        await revealed(area, seen)


async def test_nothing_is_agreed_before_the_ratings_are_shown(area: Area) -> None:
    seen = await two_rated(area)
    with pytest.raises(NotOffered):
        await agreed(area, seen)
    with pytest.raises(NotOffered):
        await agreed(area, replace(seen, stage=Stage.REVEALED))


@pytest.mark.parametrize(
    "ratings", [Ratings(OptionId("sometimes"), SOME), Ratings(FULLY, OptionId("fully"))]
)
async def test_what_is_on_no_scale_is_refused(area: Area, ratings: Ratings) -> None:
    seen = await two_rated(area)
    with pytest.raises(NotOffered):
        await rate(area.running, area.records, INSTRUMENT, who(1), seen, ratings)
    shown = await revealed(area, seen)
    with pytest.raises(NotOffered):
        await agreed(area, shown.moment, Agreed(ratings))


@pytest.mark.parametrize(
    "odd",
    [
        Agreed(Ratings(FULLY, SOME), note="x" * (MOST_NOTE + 1)),
        Agreed(Ratings(FULLY, SOME), named="x" * (MOST_NOTE + 1)),
        Agreed(Ratings(FULLY, SOME), dissent=(Dissent(POLICE, "x" * (MOST_NOTE + 1)),)),  # type: ignore[arg-type]
        Agreed(Ratings(FULLY, SOME), dissent=(Dissent("nobody", "No."),)),  # type: ignore[arg-type]
    ],
)
async def test_what_is_too_long_or_of_no_agency_is_refused(area: Area, odd: Agreed) -> None:
    shown = await revealed(area, await two_rated(area))
    with pytest.raises(NotOffered):
        await agreed(area, shown.moment, odd)
    longest = Agreed(Ratings(FULLY, SOME), note="ẅ" * MOST_NOTE)
    assert (await agreed(area, shown.moment, longest)).agreed[SEE_SIGNS].note == "ẅ" * MOST_NOTE


async def test_an_unknown_agency_or_statement_is_refused(area: Area) -> None:
    seen = await two_rated(area)
    with pytest.raises(NotOffered):
        await joined(area, 1, agency="nobody")
    with pytest.raises(NotOffered):
        await turned_to(area, seen, "XX1")


async def test_a_programme_without_partners_has_no_session(area: Area) -> None:
    without = replace(INSTRUMENT, strategic=None)
    with pytest.raises(NotOffered):
        await start(area.running, area.records, without, CHANNEL)


# -- what is kept ---------------------------------------------------------------------------------


async def test_nothing_of_it_stands_plainly_in_the_store(area: Area) -> None:
    shown = await revealed(area, await two_rated(area))
    await agreed(area, shown.moment, Agreed(Ratings(PARTLY, SOME), "A note of ours."))
    told = "".join(await kept(area, Kind.PARTNER) + await kept(area, Kind.SESSION))
    for word in (POLICE, PARTLY, "note of ours", "partner-1"):
        assert word not in told


async def test_what_partners_rated_has_one_length(area: Area) -> None:
    await two_rated(area)
    await joined(area, 3)
    lengths = {len(text) for text in await kept(area, Kind.PARTNER)}
    assert len(lengths) == 1


# -- near agreement, worked out by hand -----------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "near"),
    [
        ([PARTLY], True),
        ([PARTLY, MOSTLY, MOSTLY], True),
        ([NOT_YET, MOSTLY], False),
        ([NOT_YET, FULLY], False),
        ([FULLY, FULLY, FULLY, DONT_KNOW], True),
        ([FULLY, FULLY, DONT_KNOW], False),
        ([FULLY, DONT_KNOW], False),
        ([DONT_KNOW], False),
        ([], False),
    ],
)
def test_near_agreement(chosen: Sequence[OptionId], near: bool) -> None:
    counted = {option: chosen.count(option) for option in chosen}
    assert is_near(counted, PROGRESS, RULE) is near
