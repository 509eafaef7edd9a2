"""What may happen to one person's envelope, and what two devices or a late tap cannot do to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshot.envelope import SEALED, Ballot, Envelope, State, next_statement
from snapshot.errors import Busy, Damaged, NotComplete, NotOffered, NotOpen
from snapshot.instrument import OptionId, StatementId
from snapshot.ports import Kind, Record
from snapshot.sealing import Tag
from snapshot.snapshot import CellId
from snapshot.survey import Survey, to_record
from tests.core.exampleshire import (
    FULLY,
    GIVE_HELP,
    INSTRUMENT,
    MOSTLY,
    NOT_YET,
    PARTLY,
    SEE_PATTERNS,
    SEE_SIGNS,
    Area,
    a_ballot,
    contact,
    person,
)
from tests.core.watching import Watched

POLICE, HEALTH = CellId("police"), CellId("health")
ALL_THREE = a_ballot("police", [FULLY, MOSTLY, PARTLY], sent=False)

ids = st.sampled_from([s.id for s in INSTRUMENT.statements])
options = st.sampled_from([o.id for o in INSTRUMENT.practice.options])


def an_envelope(ballot: Ballot | None, state: State = State.OPEN) -> Envelope:
    return Envelope(Tag("0" * 32), state, ballot, "sealed contact")


def draft(envelope: Envelope) -> Ballot:
    assert envelope.ballot is not None
    return envelope.ballot


# -- the place in the survey --------------------------------------------------------------------


def test_the_first_statement_comes_first_and_nothing_after_the_last() -> None:
    assert next_statement(INSTRUMENT, Ballot(POLICE)) == INSTRUMENT.statement("SE1")
    assert next_statement(INSTRUMENT, ALL_THREE) is None


@given(st.dictionaries(ids, options))
def test_what_comes_next_is_the_first_statement_without_an_answer(
    answers: dict[StatementId, OptionId],
) -> None:
    following = next_statement(INSTRUMENT, Ballot(POLICE, answers))
    missing = [s for s in INSTRUMENT.statements if s.id not in answers]
    assert following == (missing[0] if missing else None)


# -- answering ----------------------------------------------------------------------------------


def test_the_same_answer_twice_is_one_answer() -> None:
    once = an_envelope(Ballot(POLICE)).answered(SEE_SIGNS, FULLY, revision=0)
    assert once.answered(SEE_SIGNS, FULLY, revision=0) is once
    assert once.answered(SEE_SIGNS, FULLY, revision=1) is once


def test_an_answer_is_changed_by_a_button_made_for_the_answer_that_stands() -> None:
    first = an_envelope(Ballot(POLICE)).answered(SEE_SIGNS, FULLY, revision=0)
    changed = first.answered(SEE_SIGNS, NOT_YET, revision=1)
    assert draft(changed).answers == {SEE_SIGNS: NOT_YET}
    assert draft(changed).revision == 2


def test_a_late_copy_of_an_older_tap_does_not_undo_a_change() -> None:
    first = an_envelope(Ballot(POLICE)).answered(SEE_SIGNS, FULLY, revision=0)
    changed = first.answered(SEE_SIGNS, NOT_YET, revision=1)
    for stale in (0, 1, 3):
        with pytest.raises(NotOffered):
            changed.answered(SEE_SIGNS, FULLY, revision=stale)
    assert draft(changed).answers == {SEE_SIGNS: NOT_YET}


def test_of_two_buttons_tapped_on_one_card_the_first_counts() -> None:
    first = an_envelope(Ballot(POLICE)).answered(SEE_SIGNS, FULLY, revision=0)
    with pytest.raises(NotOffered):
        first.answered(SEE_SIGNS, NOT_YET, revision=0)


def test_a_first_answer_needs_no_revision_so_that_two_devices_can_go_on_at_once() -> None:
    phone = an_envelope(Ballot(POLICE)).answered(SEE_SIGNS, FULLY, revision=0)
    laptop = phone.answered(SEE_PATTERNS, PARTLY, revision=0)
    assert draft(laptop).answers == {SEE_SIGNS: FULLY, SEE_PATTERNS: PARTLY}


@given(st.lists(st.tuples(ids, options), max_size=12))
def test_the_last_answer_given_on_an_up_to_date_card_stands(
    taps: list[tuple[StatementId, OptionId]],
) -> None:
    envelope = an_envelope(Ballot(POLICE))
    for statement, option in taps:
        envelope = envelope.answered(statement, option, draft(envelope).revision)
    assert draft(envelope).answers == dict(taps)


@given(st.dictionaries(ids, options), st.booleans(), st.integers(min_value=0))
def test_a_ballot_comes_back_from_json_as_it_was(
    answers: dict[StatementId, OptionId], sent: bool, revision: int
) -> None:
    ballot = Ballot(POLICE, answers, sent=sent, revision=revision)
    assert Ballot.from_json(ballot.as_json()) == ballot


# -- the agency ---------------------------------------------------------------------------------


def test_another_agency_may_be_chosen_while_nothing_is_answered() -> None:
    begun = an_envelope(Ballot(POLICE))
    assert draft(begun.begun_in(HEALTH)).cell == HEALTH
    assert begun.begun_in(POLICE) is begun


def test_after_the_first_answer_the_agency_stays() -> None:
    answered = an_envelope(Ballot(POLICE)).answered(SEE_SIGNS, FULLY, revision=0)
    assert answered.begun_in(POLICE) is answered
    with pytest.raises(NotOffered):
        answered.begun_in(HEALTH)


# -- sending and leaving ------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [SEE_SIGNS, SEE_PATTERNS, GIVE_HELP])
def test_sending_needs_an_answer_to_every_statement(missing: StatementId) -> None:
    answers = {s: o for s, o in ALL_THREE.answers.items() if s != missing}
    with pytest.raises(NotComplete):
        an_envelope(replace(ALL_THREE, answers=answers)).submitted(INSTRUMENT)


def test_sending_marks_the_ballot_inside_the_seal_as_well() -> None:
    sent = an_envelope(ALL_THREE).submitted(INSTRUMENT)
    assert sent.state is State.SUBMITTED
    assert draft(sent).sent
    assert draft(sent).answers == ALL_THREE.answers


@pytest.mark.parametrize("state", [State.SUBMITTED, State.MIXING])
def test_sending_again_changes_nothing(state: State) -> None:
    sent = an_envelope(replace(ALL_THREE, sent=True), state)
    assert sent.submitted(INSTRUMENT) is sent


@pytest.mark.parametrize("state", [s for s in State if s is not State.OPEN])
def test_only_an_open_envelope_takes_answers_or_another_agency(state: State) -> None:
    envelope = an_envelope(ALL_THREE if state in SEALED else None, state)
    steps: list[Callable[[], Envelope]] = [
        lambda: envelope.answered(SEE_SIGNS, NOT_YET, revision=3),
        lambda: envelope.answered(SEE_SIGNS, FULLY, revision=3),
        lambda: envelope.begun_in(HEALTH),
    ]
    for step in steps:
        with pytest.raises(NotOpen) as refused:
            step()
        assert refused.value.state == state


@pytest.mark.parametrize("state", [State.OPEN, State.SUBMITTED])
def test_one_may_leave_until_the_mix(state: State) -> None:
    left = an_envelope(ALL_THREE, state).withdrawn()
    assert left.state is State.WITHDRAWN
    assert left.withdrawn() is left


@pytest.mark.parametrize(
    "state", [s for s in State if s not in (State.OPEN, State.SUBMITTED, State.WITHDRAWN)]
)
def test_nobody_leaves_once_the_mix_has_begun(state: State) -> None:
    with pytest.raises(NotOpen) as refused:
        an_envelope(ALL_THREE if state in SEALED else None, state).withdrawn()
    assert refused.value.state == state


@pytest.mark.parametrize("state", [s for s in State if s not in SEALED])
def test_an_emptied_envelope_keeps_only_that_it_was_there(area: Area, state: State) -> None:
    emptied = an_envelope(ALL_THREE).emptied(state)
    assert (emptied.ballot, emptied.contact) == (None, None)
    kept = to_record(emptied, area.running.snapshot.id, area.running.sealer)
    assert kept.body == {"ballot": None, "contact": None}
    assert (kept.id, kept.state, kept.group) == ("0" * 32, state, "")


# -- on a real store ----------------------------------------------------------------------------


async def ada_has_begun(area: Area, agency: str = "police") -> None:
    await area.survey.begin(person("Ada"), agency, contact("Ada"))


async def ada_has_answered_all(area: Area) -> None:
    await ada_has_begun(area)
    for revision, statement in enumerate(INSTRUMENT.statements):
        await area.survey.answer(person("Ada"), statement.id, "mostly", revision)


async def test_somebody_who_never_began_has_no_envelope_to_answer_in(area: Area) -> None:
    assert await area.survey.envelope(person("Ada")) is None
    with pytest.raises(NotOpen):
        await area.survey.answer(person("Ada"), "SE1", "fully", 0)
    assert await area.states() == {}


async def test_answers_are_there_on_another_device(area: Area) -> None:
    await ada_has_begun(area)
    await area.survey.answer(person("Ada"), "SE1", "fully", 0)
    elsewhere = await Survey(area.running, INSTRUMENT, area.records).envelope(person("Ada"))
    assert elsewhere is not None
    assert draft(elsewhere).answers == {SEE_SIGNS: FULLY}


async def test_two_devices_that_answer_at_once_lose_neither_answer(area: Area) -> None:
    await ada_has_begun(area)
    await asyncio.gather(
        area.survey.answer(person("Ada"), "SE1", "fully", 0),
        area.survey.answer(person("Ada"), "SE2", "partly", 0),
        area.survey.answer(person("Ada"), "HE1", "dont_know", 0),
    )
    kept = await area.survey.envelope(person("Ada"))
    assert kept is not None
    assert len(draft(kept).answers) == 3


async def test_of_two_devices_that_answer_one_statement_one_is_told(area: Area) -> None:
    await ada_has_begun(area)
    outcomes = await asyncio.gather(
        area.survey.answer(person("Ada"), "SE1", "fully", 0),
        area.survey.answer(person("Ada"), "SE1", "partly", 0),
        return_exceptions=True,
    )
    assert sorted(type(o).__name__ for o in outcomes) == ["Envelope", "NotOffered"]


@pytest.mark.parametrize(
    ("statement", "option"), [("SE9", "fully"), ("SE1", "splendid"), ("", ""), ("fully", "SE1")]
)
async def test_only_what_is_on_the_card_can_be_chosen(
    area: Area, statement: str, option: str
) -> None:
    await ada_has_begun(area)
    before = await area.envelope("Ada")
    with pytest.raises(NotOffered):
        await area.survey.answer(person("Ada"), statement, option, 0)
    assert await area.envelope("Ada") == before


async def test_an_agency_that_is_not_on_offer_makes_no_envelope(area: Area) -> None:
    with pytest.raises(NotOffered):
        await area.survey.begin(person("Ada"), "schools", contact("Ada"))
    assert await area.states() == {}


async def test_beginning_twice_is_beginning_once(area: Area) -> None:
    await ada_has_begun(area)
    before = await area.envelope("Ada")
    await ada_has_begun(area)
    assert await area.envelope("Ada") == before
    await ada_has_begun(area, "health")
    assert (await area.envelope("Ada")).group == "health"


async def test_nobody_begins_again_after_leaving(area: Area) -> None:
    await ada_has_answered_all(area)
    await area.survey.withdraw(person("Ada"))
    with pytest.raises(NotOpen) as refused:
        await ada_has_begun(area)
    assert refused.value.state == State.WITHDRAWN
    assert (await area.envelope("Ada")).body == {"ballot": None, "contact": None}


async def test_each_step_is_one_read_and_at_most_one_write(area: Area) -> None:
    watched = Watched(area.records)
    survey = Survey(area.running, INSTRUMENT, watched)
    ada = person("Ada")
    await survey.begin(ada, "police", contact("Ada"))
    assert watched.verbs == ["create"]
    watched.verbs.clear()
    await survey.answer(ada, "SE1", "fully", 0)
    assert watched.verbs == ["read", "replace"]
    watched.verbs.clear()
    await survey.answer(ada, "SE1", "fully", 0)
    assert watched.verbs == ["read"]


async def test_a_chat_that_has_moved_is_kept_with_the_next_answer_or_else_when_they_talk(
    area: Area,
) -> None:
    ada, there = person("Ada"), {"conversation": "elsewhere"}
    await ada_has_begun(area)
    watched = Watched(area.records)
    survey = Survey(area.running, INSTRUMENT, watched, chat=there)
    await survey.answer(ada, "SE1", "fully", 0)
    assert watched.verbs == ["read", "replace"]
    await survey.meet(ada)
    assert watched.verbs == ["read", "replace", "read"]
    envelope = await area.survey.envelope(ada)
    assert envelope
    known = area.survey.contact(envelope)
    assert known
    assert known.address == there
    watched.verbs.clear()
    await Survey(area.running, INSTRUMENT, watched, chat={"conversation": "back"}).meet(ada)
    assert watched.verbs == ["read", "replace"]


async def test_a_step_gives_up_after_a_while_if_others_keep_changing_the_envelope(
    area: Area,
) -> None:
    await ada_has_begun(area)

    async def somebody_else_is_quicker(record: Record) -> None:
        await area.rewrite("Ada")

    survey = Survey(area.running, INSTRUMENT, Watched(area.records, somebody_else_is_quicker))
    with pytest.raises(Busy):
        await survey.answer(person("Ada"), "SE1", "fully", 0)


async def test_every_version_of_an_envelope_has_the_same_lengths(area: Area) -> None:
    lengths = set()

    async def measure() -> None:
        body = (await area.envelope("Ada")).body
        lengths.add((len(body["ballot"]), len(body["contact"])))

    await ada_has_begun(area)
    await measure()
    for revision, statement in enumerate(INSTRUMENT.statements):
        await area.survey.answer(person("Ada"), statement.id, "not_relevant", revision)
        await measure()
    await area.survey.submit(person("Ada"))
    await measure()
    assert len(lengths) == 1


async def test_a_stored_envelope_names_nobody_and_shows_no_answer(area: Area) -> None:
    canary = person("ZQXJ-0041")  # with a hyphen, which base64 does not have
    await area.survey.begin(canary, "police", contact(canary.object_id))
    await area.survey.answer(canary, "SE1", "not_relevant", 0)
    kept = str(await area.records.read_all(area.running.snapshot.id, Kind.ENVELOPE))
    for word in ("ZQXJ-0041", "not_relevant", "'SE1'", '"SE1"', canary.tenant, "conversation"):
        assert word not in kept


async def test_a_ballot_that_was_moved_to_another_envelope_does_not_open(area: Area) -> None:
    await ada_has_answered_all(area)
    await area.survey.begin(person("Ben"), "police", contact("Ben"))
    await area.rewrite("Ben", body=(await area.envelope("Ada")).body)
    with pytest.raises(Damaged):
        await area.survey.envelope(person("Ben"))
