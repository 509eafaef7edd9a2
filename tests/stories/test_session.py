"""The strategic session in Teams: everybody rates alone, sees the spread, and agrees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.teams import PersonHere, Sent, Teams
from snapshot.ports import Kind
from snapshot.session import Stage
from tests.stories.opening import BotOnDemand, another_process
from tests.stories.partners import (
    AGAIN,
    BEFORE,
    MORE,
    NEXT,
    RECORD,
    SAVE,
    SHOW,
    TAKE_PART,
    Room,
    a_session_bot,
    forges,
    tap,
)
from tests.stories.people import STATEMENTS, seen

MOVED_ON = "The session has moved on in the meantime, so nothing has changed."


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    async for running in a_session_bot(tmp_path):
        yield running


@pytest.fixture
async def room(teams: Teams, bot: BotOnDemand) -> Room:
    return Room(teams, bot, teams.channel())


EVERY_S = 0.1
HELD_UP_S = 2.0
"""So long one edit may be on its way; those after it then come in a shorter time."""


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty times as fast as it is: `tests/ledger/test_editing.py` keeps to the real pace."""
    monkeypatch.setattr("bot.editing.EVERY_S", EVERY_S)
    monkeypatch.setattr("bot.pace.EDITS_A_SECOND", 1 / (1.2 * EVERY_S))


async def shows(room: Room, words: str) -> None:
    """The message that all see comes to say so."""
    await says(room, room.message, words)


async def says(room: Room, message: Sent, words: str) -> None:
    async with asyncio.timeout(60):
        while True:
            if words in room.teams.now(message).words:
                return
            await asyncio.sleep(0.02)


async def agrees_on_all_but(room: Room, left: int, partners: list[PersonHere]) -> None:
    """Statement after statement, with a second round and a dissent at every fourth."""
    while STATEMENTS - len((await room.session()).agreed) > left:
        await _agrees_on_one(room, partners)
        await room.goes_on()


async def _agrees_on_one(room: Room, partners: list[PersonHere]) -> None:
    number = len((await room.session()).agreed)
    is_hard = number % 4 == 0
    for n, partner in enumerate(partners):
        await room.rates(partner, "fully" if is_hard and n % 2 else "partly")
    shown = await room.has_it_shown()
    assert ("not near agreement" in shown.words) is is_hard
    if is_hard:
        await room.presses(room.fay, AGAIN)
        for partner in partners:
            own = await room.sees_their_own(partner)
            assert "Your rating: Some evidence" in own.words, "one's own earlier rating is offered"
            await room.taps(partner, progress="mostly")
        assert "This is near agreement." in (await room.has_it_shown()).words
    await room.records(progress="mostly", note=f"Note {number}")
    if is_hard:
        await room.disagrees("health", f"Health sees it otherwise {number}")


# -- the whole of it ------------------------------------------------------------------------------


async def test_from_the_start_to_the_next_statement(room: Room) -> None:
    shown = await room.starts()
    assert "This part is not anonymous." in shown.words
    assert "Near agreement" in shown.words
    assert "Nobody has joined yet." in shown.words
    ada, ben = await room.partners(2)
    shown = await room.rates(ada, "partly", "some")
    assert "Your ratings are saved." in shown.words
    assert "Still to rate: 1." in shown.words
    await room.rates(ben, "mostly", "some")
    shown = await room.has_it_shown()
    assert "Partly true: 1" in shown.words
    assert "Mostly true: 1" in shown.words
    assert "This is near agreement." in shown.words
    shown = await room.records(note="As we said.", evidence_named="An audit.")
    assert "agreed.** Progress: Partly true. Evidence: Some evidence." in shown.words
    assert "As we said." in shown.words
    assert await room.given() == []
    shown = await room.goes_on()
    assert "2 of 22" in shown.words
    assert RECORD not in shown.buttons


async def test_twelve_partners_agree_on_all_statements_with_a_restart_in_the_middle(
    room: Room, bot: BotOnDemand
) -> None:
    """The message is edited at most every five seconds, whatever happens in the meantime."""
    await room.starts()
    partners = await room.partners(12)
    await agrees_on_all_but(room, 11, partners)
    await room.pauses()
    await bot.restarts()
    shown = await room.starts()
    assert "We go on at statement 12 of 22." in shown.words
    await agrees_on_all_but(room, 1, partners)
    await _agrees_on_one(room, partners)
    shown = await room.sees_their_own(room.fay)
    assert "All 22 statements have been agreed." in shown.words
    assert shown.words.count("Progress: Mostly true. Evidence: Some evidence") == STATEMENTS + 1
    session = await room.session()
    assert {a.ratings.progress for a in session.agreed.values()} == {"mostly"}
    assert sum(len(a.dissent) for a in session.agreed.values()) == 6
    order = [s.id for s in bot.app.service.pack.instrument.statements]
    assert [session.agreed[id].note for id in order] == [f"Note {n}" for n in range(STATEMENTS)]
    assert await room.given() == []
    await shows(room, "All 22 statements have been agreed.")
    for message in {e.message.id for e in room.teams.edits}:
        times = [e.at for e in room.teams.edits if e.message.id == message]
        assert 1 < len(times) <= 1 + (times[-1] - times[0] + HELD_UP_S) / EVERY_S


async def test_two_processes_hold_one_session(room: Room, teams: Teams, bot: BotOnDemand) -> None:
    await room.starts()
    partners = await room.partners(4)
    async with another_process(bot) as other:
        for n, partner in enumerate(partners):
            teams.bot_url = (bot, other)[n % 2].url
            await room.rates(partner)
        teams.bot_url = other.url
        assert "Partly true: 4" in (await room.has_it_shown()).words
        teams.bot_url = bot.url
        await room.records()
        teams.bot_url = other.url
        await room.goes_on()
    teams.bot_url = bot.url
    assert "2 of 22" in (await room.sees_their_own(partners[0])).words


async def test_what_all_see_says_by_number_only_who_is_still_to_rate(room: Room) -> None:
    await room.starts()
    ada, ben, _ = await room.partners(3)
    await shows(room, "Still to rate: 3.")
    await room.rates(ada, "fully", "strong")
    await shows(room, "Still to rate: 2.")
    message = room.teams.now(room.message)
    called = message.card["refresh"]["userIds"]
    assert sorted(called) == sorted({p.id for p in room.teams.people.values()} - room.facilitators)
    assert message.actions("session.rate") == []
    assert ada.name not in str(message.card)
    own = await room.looks(ada)
    assert "Your rating: Fully true" in own.words
    assert "Your rating: Strong evidence" in own.words
    assert "Your rating" not in (await room.looks(ben)).words
    assert (await room.looks(room.flo)).actions("session.rate") == []


# -- who may --------------------------------------------------------------------------------------


async def test_only_facilitators_start_it(room: Room, teams: Teams) -> None:
    stan = teams.person("Stan")
    assert "Only a facilitator" in (await stan.posts("session", room.place)).words
    assert "Only a facilitator" in (await stan.posts("sesiwn", room.place)).words
    assert (await room.starts("sesiwn")).buttons


@pytest.mark.parametrize("title", [SHOW, MORE])
async def test_only_facilitators_show_and_move_on(room: Room, title: str) -> None:
    await room.starts()
    ada = await room.joins("Ada")
    await room.rates(ada)
    stan = room.teams.person("Stan")
    await stan.looks_at(room.message)
    before = await room.session()
    shown = await room.presses(stan, title)
    assert "Only a facilitator of this snapshot can do that." in shown.words
    assert await room.session() == before


async def test_a_partners_own_card_has_nothing_for_facilitators(room: Room) -> None:
    await room.starts()
    ada = await room.joins("Ada")
    assert not {SHOW, MORE, RECORD} & set(seen(ada).buttons)
    for verb in ("reveal", "again", "agree", "next", "back", "go", "pause", "more", "dissent"):
        action = {**tap(ada, progress="partly"), "verb": f"session.{verb}"}
        answer = await ada.acts(action, chat=room.place, save=True, to="AW2")
        assert "Only a facilitator" in answer.card.words
    assert (await room.session()).moment.stage is Stage.RATING


async def test_only_people_of_the_channel_take_part(room: Room, teams: Teams) -> None:
    await room.starts()
    ada = await room.joins("Ada")
    teams.away.add((ada.id, room.place))
    oda = teams.person("Oda")
    teams.away.add((oda.id, room.place))
    await oda.looks_at(room.message)
    shown = await room.presses(oda, TAKE_PART)
    assert "Only people who belong to this channel or chat can take part." in shown.words
    assert "Back to the session" in shown.buttons
    answer = await forges_join(oda, room)
    assert "Only people who belong" in answer
    assert len(await room.joined()) == 1


@pytest.mark.parametrize(
    "who",
    [{"role": "guest"}, {"role": "Guest"}, {"role": "anonymous"}, {"name": "Gia#EXT#"}],
)
async def test_guests_do_not_take_part(room: Room, teams: Teams, who: dict[str, str]) -> None:
    await room.starts()
    gia = teams.person("Gia")
    for key, value in who.items():
        setattr(gia, key, value)
    await gia.looks_at(room.message)
    assert "Guests cannot take part" in (await room.presses(gia, TAKE_PART)).words
    assert "Guests cannot take part" in await forges_join(gia, room)
    assert await room.joined() == []


async def test_whoever_has_no_account_is_told_so(room: Room) -> None:
    await room.starts()
    ann = room.teams.person("Ann")
    await ann.looks_at(room.message)
    ann.object_id = ""
    assert "Guests cannot take part" in (await room.presses(ann, TAKE_PART)).words


async def test_as_long_as_teams_cannot_tell_nobody_new_is_let_in(room: Room, teams: Teams) -> None:
    await room.starts()
    ada = await room.joins("Ada")
    teams.busy = True
    ben = teams.person("Ben")
    await ben.looks_at(room.message)
    assert "Teams could not tell me just now" in (await room.presses(ben, TAKE_PART)).words
    assert "Your ratings are saved." in (await room.rates(ada)).words
    teams.busy = False
    await ben.looks_at(room.message)
    assert "Which agency do you speak for" in (await room.presses(ben, TAKE_PART)).words


async def test_elsewhere_its_buttons_do_nothing(room: Room, teams: Teams) -> None:
    await room.starts()
    ada = await room.joins("Ada")
    meeting = teams.meeting()
    answer = await ada.acts(tap(ada, progress="partly"), chat=meeting)
    assert "The session goes on in another channel or chat." in answer.card.words
    other = teams.channel("others")
    answer = await ada.acts(tap(ada, progress="partly"), chat=other)
    assert "No snapshot is open in this channel." in answer.card.words
    assert await room.given() == []


async def test_in_the_chat_of_a_meeting_it_is_the_same(teams: Teams, bot: BotOnDemand) -> None:
    room = Room(teams, bot, teams.meeting())
    assert "This part is not anonymous." in (await room.starts()).words
    ada = await room.joins("Ada")
    assert "Your ratings are saved." in (await room.rates(ada)).words
    assert "Partly true: 1" in (await room.has_it_shown()).words
    assert "agreed" in (await room.records()).words


async def test_before_it_is_started_there_is_nothing_to_take_part_in(
    room: Room, teams: Teams
) -> None:
    running = await room.running()
    action = {"type": "Action.Execute", "verb": "session.join", "title": ""}
    data = {"data": {"snapshot": running.snapshot.id}}
    await room.fay.posts("status", room.place)
    answer = await teams.person("Ada").acts({**action, **data}, chat=room.place)
    assert "There is no session here." in answer.card.words


# -- ratings that are odd, late, or come twice ----------------------------------------------------


async def test_a_rating_twice_counts_once_and_may_be_changed(room: Room) -> None:
    await room.starts()
    ada, ben = await room.partners(2)
    for progress in ("partly", "partly", "fully"):
        await room.rates(ada, progress)
    await room.rates(ben, "fully")
    shown = await room.has_it_shown()
    assert "Fully true: 2" in shown.words
    assert "Partly true: 0" in shown.words


async def test_a_rating_that_comes_late_is_not_saved_and_says_so(room: Room) -> None:
    await room.starts()
    ada, ben = await room.partners(2)
    await room.rates(ada)
    await room.has_it_shown()
    shown = await room.taps(ben, progress="fully")
    assert "The ratings were shown before yours arrived" in shown.words
    assert "Fully true: 0" in shown.words


async def test_a_rating_of_a_statement_that_is_over_changes_nothing(room: Room) -> None:
    await room.starts()
    ada, ben = await room.partners(2)
    await room.rates(ada)
    old = tap(ben, progress="fully")
    await room.has_it_shown()
    await room.records()
    await room.goes_on()
    answer = await ben.acts(old, chat=room.place)
    assert MOVED_ON in answer.card.words
    assert "2 of 22" in answer.card.words
    assert await room.given() == []


async def test_half_a_rating_is_kept_and_does_not_count_yet(room: Room) -> None:
    """The card is drawn anew whenever the message is edited: what was tapped is there still."""
    await room.starts()
    ada = await room.joins("Ada")
    await room.taps(ada, progress="fully")
    shown = await room.sees_their_own(ada)
    assert "Your rating: Fully true" in shown.words
    assert "Still to rate: 1." in shown.words
    assert "Your ratings are saved." not in shown.words
    assert "Nobody has rated this statement yet" in (await room.has_it_shown()).words


async def test_a_late_copy_of_a_tap_brings_nothing_back(room: Room) -> None:
    await room.starts()
    ada = await room.joins("Ada")
    first = tap(ada, progress="not_yet")
    await room.rates(ada, "not_yet")
    await room.rates(ada, "fully")
    answer = await ada.acts(first, chat=room.place)
    assert "Your rating: Fully true" in answer.card.words
    await room.has_it_shown()
    spread = (await room.session()).spread
    assert spread
    assert spread.progress == {"fully": 1}


async def test_in_a_further_round_one_may_save_ones_earlier_ratings_as_they_are(
    room: Room,
) -> None:
    await room.starts()
    ada, ben = await room.partners(2)
    await room.rates(ada, "partly", "strong")
    await room.has_it_shown()
    await room.presses(room.fay, AGAIN)
    assert SAVE not in (await room.sees_their_own(ben)).buttons
    shown = await room.saves(ada)
    assert "Your ratings are saved." in shown.words
    assert SAVE not in shown.buttons
    shown = await room.has_it_shown()
    assert "Partly true: 1" in shown.words
    assert "Strong evidence: 1" in shown.words


@pytest.mark.parametrize(
    "odd",
    [
        {"progress": "always"},
        {"evidence": "partly"},
        {"statement": "XX1"},
        {"statement": None},
        {"stage": "over"},
        {"stage": "revealed"},
        {"round": 2},
        {"round": "1"},
        {"round": True},
        {"progress": ["partly"]},
        {"progress": "p" * 5_000},
        {"snapshot": "another"},
    ],
)
async def test_what_the_card_never_offered_is_not_taken(room: Room, odd: dict[str, Any]) -> None:
    await room.starts()
    ada = await room.joins("Ada")
    action = tap(ada, progress="partly")
    answer = await ada.acts(action, chat=room.place, **{"evidence": "some"} | odd)
    assert answer.status == 200
    assert answer.card.words
    assert await room.given() == []


async def test_nobody_rates_who_has_not_joined_or_has_left(room: Room) -> None:
    await room.starts()
    ada, ben = await room.partners(2)
    old = tap(ada, progress="fully")
    await room.rates(ada, "fully")
    shown = await room.presses(ada, "Leave the session")
    assert "You have left the session." in shown.words
    assert await room.given() == []
    answer = await ada.acts(old, chat=room.place)
    assert "first, and say which agency you speak for" in answer.card.words
    await room.rates(ben)
    shown = await room.has_it_shown()
    assert "Fully true: 0" in shown.words
    assert "Partly true: 1" in shown.words
    assert len(await room.joined()) == 1


async def test_a_partner_may_speak_for_another_agency(room: Room) -> None:
    await room.starts()
    ada = await room.joins("Ada", "Police")
    await room.rates(ada)
    await room.presses(ada, "Change my agency")
    shown = await room.presses(ada, "Health")
    assert "You speak for Health." in shown.words
    assert "Your ratings are saved." in shown.words
    answer = await forges_join(ada, room, agency="nobody")
    assert MOVED_ON in answer
    assert [p.agency for p in await room.joined()] == ["health"]


# -- two facilitators -----------------------------------------------------------------------------


async def test_of_two_who_go_on_at_once_one_does_and_both_see_where_it_is(room: Room) -> None:
    await room.starts()
    ada = await room.joins("Ada")
    await room.rates(ada)
    await room.has_it_shown()
    await room.records()
    action = seen(room.fay).action(NEXT)
    answers = await asyncio.gather(
        *(who.acts(action, chat=room.place) for who in (room.fay, room.flo, room.fay))
    )
    for answer in answers:
        assert "2 of 22" in answer.card.words
        assert MOVED_ON not in answer.card.words, "it is what they wanted"
    assert (await room.session()).moment.round == 1


async def test_who_shows_and_who_goes_back_at_once_both_see_where_it_is(room: Room) -> None:
    await room.starts()
    ada = await room.joins("Ada")
    await room.rates(ada)
    await room.sees_their_own(room.fay)
    reveal = seen(room.fay).action(SHOW)
    jump = {**reveal, "verb": "session.go"}
    answers = await asyncio.gather(
        room.fay.acts(reveal, chat=room.place), room.flo.acts(jump, chat=room.place, to="PV1")
    )
    stale = [answer for answer in answers if MOVED_ON in answer.card.words]
    assert len(stale) == 1
    place = "5 of 22" if (await room.session()).moment.statement == "PV1" else "1 of 22"
    assert all(place in answer.card.words for answer in answers)


async def test_words_of_whoever_was_slower_are_not_lost(room: Room) -> None:
    await room.starts()
    ada = await room.joins("Ada")
    await room.rates(ada)
    await room.has_it_shown()
    for who in (room.fay, room.flo):
        await room.opens_the_form(who)
    form = {"progress": "partly", "evidence": "some"}
    await room.presses(room.fay, RECORD, {**form, "note": "Fay's words"})
    shown = await room.presses(room.flo, RECORD, {**form, "note": "Flo's words"})
    assert "Somebody else has just recorded what was agreed." in shown.words
    assert shown.inputs["note"] == "Flo's words"
    assert (await room.agreed()).note == "Fay's words"
    await room.presses(room.flo, RECORD)
    assert (await room.agreed()).note == "Flo's words"


async def test_words_that_come_when_all_have_moved_on_are_shown_again(room: Room) -> None:
    await room.starts()
    ada = await room.joins("Ada")
    await room.rates(ada)
    await room.has_it_shown()
    await room.opens_the_form(room.fay)
    await room.sees_their_own(room.flo)
    await room.presses(room.flo, AGAIN)
    form = {"progress": "partly", "evidence": "some", "note": "Long *thought*"}
    shown = await room.presses(room.fay, RECORD, form)
    assert MOVED_ON in shown.words
    assert "Long *thought*" in shown.words
    assert (await room.session()).agreed == {}


async def test_the_same_agreement_sent_twice_is_one(room: Room) -> None:
    await room.starts()
    ada = await room.joins("Ada")
    await room.rates(ada)
    await room.has_it_shown()
    await room.opens_the_form(room.fay)
    action = seen(room.fay).action(RECORD)
    form = {"progress": "partly", "evidence": "some", "note": "Once"}
    first, second = [await room.fay.acts(action, form, chat=room.place) for _ in range(2)]
    assert first.card.words == second.card.words
    assert "agreed.**" in second.card.words


async def test_one_who_dies_between_agreeing_and_going_on_leaves_nothing_undone(
    room: Room, bot: BotOnDemand
) -> None:
    await room.starts()
    ada = await room.joins("Ada")
    await room.rates(ada)
    await room.has_it_shown()
    await room.records(note="Kept")
    await bot.restarts()
    assert "2 of 22" in (await room.presses(room.fay, NEXT)).words
    assert [a.note for a in (await room.session()).agreed.values()] == ["Kept"]
    assert "Your ratings are saved." in (await room.rates(ada)).words


async def test_ratings_that_outlived_their_agreement_are_deleted_by_the_next_step(
    room: Room, bot: BotOnDemand
) -> None:
    """As if somebody had died after they had noted what was agreed."""
    await room.starts()
    ada = await room.joins("Ada")
    await room.rates(ada)
    running, records = await room.running(), bot.app.service.records
    (before,) = await records.read_all(running.snapshot.id, Kind.PARTNER)
    await room.has_it_shown()
    await room.records()
    (now,) = await records.read_all(running.snapshot.id, Kind.PARTNER)
    await records.replace(replace(before, etag=now.etag))
    assert await room.given()
    await room.goes_on()
    assert await room.given() == []


async def test_no_form_is_opened_that_would_be_wiped_by_an_edit(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.editing.EVERY_S", 600.0)
    await at_the_agreement(room)
    shown = await room.presses(room.fay, RECORD)
    assert "One moment, please" in shown.words
    assert shown.inputs == {}
    assert RECORD in shown.buttons


# -- words ----------------------------------------------------------------------------------------

ODD = "More *time* [here](http://x) <b>now</b>\n\u05e9\u05dc\u05d5\u05dd \U0001f469\u200d\U0001f467"


async def at_the_agreement(room: Room) -> None:
    await room.starts()
    ada = await room.joins("Ada")
    await room.rates(ada)
    await room.has_it_shown()


async def test_words_are_shown_as_they_are(room: Room) -> None:
    await at_the_agreement(room)
    shown = await room.records(note=ODD, evidence_named=ODD)
    await shows(room, ODD)
    for card in (shown, room.teams.now(room.message)):
        plain = [t for t in blocks(card.card) if ODD[:10] in str(t)]
        assert plain
        assert all(t["type"] == "RichTextBlock" for t in plain)
    assert (await room.agreed()).note == ODD


async def test_a_note_takes_2000_characters_and_a_longer_one_is_not_lost(room: Room) -> None:
    await at_the_agreement(room)
    for letter in ("x", "\U0001f642", "\u05e9"):
        too_long = letter * 2_001
        shown = await room.records(note=too_long)
        assert "It has 2001 characters, and there is room for 2000." in shown.words
        assert shown.inputs["note"] == too_long
        assert (await room.session()).moment.stage is Stage.REVEALED
    await room.presses(room.fay, RECORD, {"note": "\U0001f642" * 2_000})
    assert (await room.agreed()).note == "\U0001f642" * 2_000


async def test_an_agreement_needs_both(room: Room) -> None:
    await at_the_agreement(room)
    await room.opens_the_form(room.fay)
    answer = await forges(room.fay, RECORD, room.place, progress="partly", note="Kept")
    assert "Please choose one rating for progress and one for evidence." in answer.card.words
    assert answer.card.inputs["note"] == "Kept"
    assert (await room.session()).agreed == {}


async def test_dissent_is_noted_by_agency_changed_and_taken_back(room: Room) -> None:
    await at_the_agreement(room)
    await room.records()
    shown = await room.disagrees("health", ODD)
    assert "Does not agree: Health." in shown.words
    assert ODD in shown.words
    await room.disagrees("police", "We neither.")
    await room.disagrees("health", "Less so.")
    told = {d.agency: d.note for d in (await room.agreed()).dissent}
    assert told == {"police": "We neither.", "health": "Less so."}
    shown = await room.disagrees("health", "")
    assert "Does not agree: Health." not in shown.words
    shown = await room.disagrees("health", "x" * 2_001)
    assert "Please shorten this: Why." in shown.words
    assert shown.inputs["dissent"] == "x" * 2_001
    assert [d.agency for d in (await room.agreed()).dissent] == ["police"]
    shown = await room.disagrees("", "Who?")
    assert "Please look again at this field: Who does not agree." in shown.words
    assert shown.inputs["dissent"] == "Who?"


# -- going about ----------------------------------------------------------------------------------


async def test_back_and_to_any_statement_what_was_agreed_stands(room: Room) -> None:
    await at_the_agreement(room)
    await room.records(note="First")
    await room.goes_on()
    await room.presses(room.fay, MORE)
    shown = await room.presses(room.fay, "Go to this statement", {"to": "RS4"})
    assert "22 of 22" in shown.words
    await room.presses(room.fay, MORE)
    shown = await room.presses(room.fay, NEXT)
    assert "2 of 22" in shown.words, "after the last, the first that nothing is agreed on"
    await room.presses(room.fay, MORE)
    shown = await room.presses(room.fay, BEFORE)
    assert "we have gone back to this statement" in shown.words
    assert "Progress: Partly true. Evidence: Some evidence" in shown.words
    assert (await room.agreed()).note == "First"
    await room.presses(room.fay, MORE)
    shown = await room.presses(room.fay, "See what we agreed")
    assert "Agreed so far: 1 of 22 statements." in shown.words


async def test_nothing_is_shown_where_nobody_has_rated(room: Room) -> None:
    await room.starts()
    await room.joins("Ada")
    assert "Nobody has rated this statement yet" in (await room.has_it_shown()).words


async def test_paused_for_days_it_goes_on_on_a_newer_card(room: Room, bot: BotOnDemand) -> None:
    await room.starts()
    ada, ben = await room.partners(2)
    await room.rates(ada)
    old = tap(ben, progress="fully")
    await room.pauses()
    await shows(room, "The session is paused at statement 1 of 22.")
    answer = await ben.acts(old, chat=room.place)
    assert "The session is paused" in answer.card.words
    bot.clock.moves(days=5)
    await bot.restarts()
    first = room.message
    assert "We go on at statement 1 of 22." in (await room.starts()).words
    await says(room, first, "on a newer card")
    await room.rates(ben, "mostly")
    shown = await room.has_it_shown()
    assert "Partly true: 1" in shown.words
    assert "Mostly true: 1" in shown.words


async def test_it_may_be_taken_up_by_the_button_too(room: Room) -> None:
    await room.starts()
    ada = await room.joins("Ada")
    await room.pauses()
    shown = await room.presses(room.fay, "Go on with the session")
    assert "1 of 22" in shown.words
    assert "Your ratings are saved." in (await room.rates(ada)).words


async def test_typed_again_it_is_the_same_session_on_a_newer_card(room: Room) -> None:
    await room.starts()
    ada = await room.joins("Ada")
    await room.rates(ada)
    first = room.message
    await room.starts()
    assert first.id != room.message.id
    await shows(room, "Everybody has rated.")
    await says(room, first, "on a newer card")


async def test_after_the_close_it_may_still_be_held(room: Room, bot: BotOnDemand) -> None:
    await room.fay.posts("close", room.place)
    await room.fay.presses_in(room.place, "Yes, close it now")
    await bot.works()
    assert "This part is not anonymous." in (await room.starts()).words
    ada = await room.joins("Ada")
    assert "Your ratings are saved." in (await room.rates(ada)).words


async def test_help_tells_facilitators_of_it(room: Room) -> None:
    shown = await room.fay.posts("help", room.place)
    assert "**session**: Start or go on with the strategic session" in shown.words
    assert "**leads**" in shown.words


# -- pieces ---------------------------------------------------------------------------------------


async def forges_join(person: PersonHere, room: Room, agency: str = "police") -> str:
    (action,) = room.teams.now(room.message).actions("session.join")
    answer = await person.acts(action, chat=room.place, agency=agency)
    return answer.card.words


def blocks(part: object) -> list[dict[str, object]]:
    """Every text of a card, plain or rich."""
    if isinstance(part, list):
        return [found for each in part for found in blocks(each)]
    if not isinstance(part, dict):
        return []
    if part.get("type") in ("TextBlock", "RichTextBlock"):
        return [part]
    return [found for each in part.values() for found in blocks(each)]
