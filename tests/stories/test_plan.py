"""The action plan: picked, edited, given to somebody, kept up, and carried to the next snapshot."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.teams import Answer, NotOnTheCard, PersonHere, Shown, Teams
from snapshot.instrument import OptionId
from snapshot.opening import Running
from snapshot.plan import MOST, Action, Plan, Status, area_of, read_plan
from snapshot.ports import Kind
from snapshot.sealing import Person
from snapshot.session import Agreed, Ratings, Stage, again, agree, join, rate, reveal, start
from tests.packs.programme import another_programme
from tests.ports import free_port
from tests.stories.conftest import RunningBot
from tests.stories.opening import BotOnDemand, a_form, another_process, opens, own_threads
from tests.stories.people import STATEMENTS, Respondent, closes, seen

HOME = "tenant-of-exampleshire"
FAY, FLO = str(uuid.UUID(int=0xFA1)), str(uuid.UUID(int=0xF10))
ONLY = "Only a facilitator of this snapshot can do that. Nothing has changed."
STALE = "That choice is no longer on offer."
NOT_YET = "once this snapshot has closed"
AUDIT = "Audit a sample of referrals"
STRANGE = "**bold** [x](http://x) <b>html</b> שלום 👩🏽\u200d🏫 {area_name}"
OWN, ADD, SAVE = "Add an action of your own", "Add to the plan", "Save this action"
SEE, ADVICE, CHANGE = "See the action plan", "See the recommendations", "Change this action"
TAKE_OFF, YES = "Take it off the plan", "Yes, take it off"
NEXT = "Show the next ones"
KEY_DAYS = 7


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    listed = f"{HOME}/{FAY}, {HOME}/{FLO}"
    async with BotOnDemand(
        tmp_path, free_port(), more_settings={"SNAPSHOT_FACILITATORS": listed}
    ) as running:
        yield running


@pytest.fixture
async def fay(teams: Teams, bot: BotOnDemand, channel: str) -> PersonHere:
    """Has opened a snapshot."""
    person = PersonHere(teams, "Fay", HOME, FAY)
    await opens(person, channel)
    return person


@pytest.fixture
def flo(teams: Teams) -> PersonHere:
    return PersonHere(teams, "Flo", HOME, FLO)


@pytest.fixture
async def closed(bot: BotOnDemand, fay: PersonHere, channel: str) -> PersonHere:
    """Fay, once her snapshot has closed without an answer: there is nothing to recommend."""
    await closes(fay, channel)
    await bot.works()
    return fay


async def the_last(bot: RunningBot) -> Running:
    return (await bot.app.service.directory.all(fresh=True))[0]


async def plan_of(bot: RunningBot) -> Plan:
    running = await the_last(bot)
    return await read_plan(running, bot.app.service.records, area_of(running, HOME))


async def the_action(bot: RunningBot) -> Action:
    (action,) = (await plan_of(bot)).actions
    return action


async def sees_the_plan(person: PersonHere, channel: str) -> Shown:
    await person.posts("plan", channel)
    return await person.presses_in(channel, SEE)


async def adds(person: PersonHere, channel: str, **typed: str) -> Shown:
    """An action of one's own."""
    await sees_the_plan(person, channel)
    await person.presses_in(channel, OWN)
    return await person.presses_in(channel, SAVE, {"recommendation": AUDIT, **typed})


async def opens_the_action(person: PersonHere, channel: str) -> Shown:
    await sees_the_plan(person, channel)
    return await person.presses_in(channel, CHANGE)


# -- from what was found to a plan ----------------------------------------------------------------


async def has_results(teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str) -> None:
    """Twelve people have said "Not true yet" to everything."""
    options = ("Not true yet",) * STATEMENTS
    people = [Respondent(teams.person(f"P{n}"), "Police", options) for n in range(12)]
    await asyncio.gather(*(p.takes_part() for p in people))
    await closes(fay, channel)
    await bot.works()


async def test_from_a_recommendation_to_an_action_that_somebody_owns(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await has_results(teams, bot, fay, channel)
    plan = await sees_the_plan(fay, channel)
    assert "There is no action on the plan yet." in plan.words
    advice = await fay.presses_in(channel, ADVICE)
    assert "Leadership priority: ▼ Red" in advice.words
    first = "Agree one multi-agency plan on child sexual abuse, with a named senior lead"
    assert first in advice.words
    form = await fay.presses_in(channel, ADD)
    assert form.inputs["recommendation"].startswith(first)
    assert form.inputs["owner_agency"] == "partnership"
    assert form.inputs["due_date"] == "2026-05-31", "ninety days after 2 March"
    assert form.inputs["status"] == "not_started"
    assert form.inputs["check"].startswith("The plan is signed off")
    assert form.inputs["note"] == "With: Police, Children's social care, Health"
    assert (await plan_of(bot)) == Plan(), "nothing is kept before it is saved"
    typed = {
        "recommendation": "Agree one plan",
        "owner_name": "Siân O'Neill-Ŵyn",
        "owner_agency": "police",
        "due_date": "2026-04-30",
        "status": "under_way",
        "note": "",
    }
    saved = await fay.presses_in(channel, SAVE, typed)
    for words in (
        "The action is saved.",
        "Agree one plan",
        "Owner: Siân O'Neill-Ŵyn, Police",
        "Due date: 30 April 2026",
        "Status: Under way",
        "How we will know that it worked: The plan is signed off",
    ):
        assert words in saved.words
    action = await the_action(bot)
    assert (action.about, action.because, action.note) == ("AW1", "red", "")
    again = await fay.presses_in(channel, ADVICE)
    assert "Leadership priority: ▼ Red" not in again.words
    assert "Recognising signs: ▼ Red" in again.words


async def test_all_recommendations_can_be_reached_and_each_is_shown_once(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await has_results(teams, bot, fay, channel)
    await sees_the_plan(fay, channel)
    await fay.presses_in(channel, ADVICE)
    shown = [card async for card in _onward(fay, channel)]
    about = [a["data"]["about"] for card in shown for a in card.actions("plan.edit")]
    statements = bot.app.service.pack.instrument.statements
    assert about[: len(statements)] == [s.id for s in statements]


async def test_a_recommendation_that_two_pick_at_once_comes_onto_the_plan_once(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, flo: PersonHere, channel: str
) -> None:
    await has_results(teams, bot, fay, channel)
    for person in (fay, flo):
        await sees_the_plan(person, channel)
        await person.presses_in(channel, ADVICE)
        await person.presses_in(channel, ADD)
    shown = await asyncio.gather(
        fay.presses_in(channel, SAVE, {"owner_name": "Ann"}),
        flo.presses_in(channel, SAVE, {"owner_name": "Bob"}),
    )
    told = [s for s in shown if "Somebody else has changed this action" in s.words]
    assert len(told) == 1
    action = await the_action(bot)
    assert {action.owner, told[0].inputs["owner_name"]} == {"Ann", "Bob"}
    assert f"Owner: {action.owner}" in told[0].words


async def test_a_form_that_was_open_while_partners_agreed_otherwise_can_still_be_saved(
    bot: BotOnDemand, closed: PersonHere, channel: str
) -> None:
    await partners_agree(bot, "not_yet")
    await sees_the_plan(closed, channel)
    await closed.presses_in(channel, ADVICE)
    await closed.presses_in(channel, ADD)
    await partners_agree(bot, "fully")
    shown = await closed.presses_in(channel, SAVE, {"recommendation": ""})
    assert '"Action" is empty.' in shown.words
    shown = await closed.presses_in(channel, SAVE, {"recommendation": AUDIT, "owner_name": "Ann"})
    assert ADVICE not in shown.buttons
    action = await the_action(bot)
    assert (action.title, action.owner, action.about) == (AUDIT, "Ann", "AW1")


async def partners_agree(bot: BotOnDemand, progress: str) -> None:
    """On the first statement, perhaps once more. Nobody answered the survey."""
    running, records = await the_last(bot), bot.app.service.records
    instrument, partner = bot.app.service.pack.instrument, Person(HOME, "a partner")
    seen = (await start(running, records, instrument, "a place")).moment
    if seen.stage is Stage.AGREED:
        seen = (await again(running, records, seen)).moment
    ratings = Ratings(OptionId(progress), OptionId("strong"))
    await join(running, records, instrument, partner, "police")
    await rate(running, records, instrument, partner, seen, ratings)
    shown = await reveal(running, records, instrument, seen)
    await agree(running, records, instrument, shown.moment, Agreed(ratings))


async def test_before_the_close_it_says_when_actions_can_be_added(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    shown = await sees_the_plan(fay, channel)
    assert NOT_YET in shown.words
    assert not {OWN, ADVICE, ADD} & set(shown.buttons)
    await closes(fay, channel)
    await sees_the_plan(fay, channel)
    assert NOT_YET in seen(fay).words, "closing, and nothing is published yet"
    await bot.works()
    assert OWN in (await sees_the_plan(fay, channel)).buttons


async def test_it_works_where_a_programme_recommends_nothing(
    tmp_path: Path, teams: Teams, bot: BotOnDemand
) -> None:
    other = RunningBot(
        tmp_path / "other", free_port(), content=another_programme(tmp_path / "content")
    )
    await other.starts()
    try:
        await other.opens_a_snapshot()
        async with Teams(other.url) as there:
            person, channel = there.person("Fay"), there.channel()
            await closes(person, channel)
            await other.app.worker.do_due()
            await adds(person, channel)
            running = await the_last(other)
            form = await person.presses_in(channel, CHANGE)
            agencies = {a.id for a in other.app.service.pack.instrument.agencies}
            offered = {
                c["value"]
                for part in form.card["body"]
                if part.get("id") == "owner_agency"
                for c in part["choices"]
            }
            assert offered == {"none", *agencies}
            whose = area_of(running, HOME)
            assert len((await read_plan(running, other.app.service.records, whose)).here) == 1
    finally:
        await other.stops()


# -- what may be written --------------------------------------------------------------------------


async def test_an_action_of_ones_own_needs_no_more_than_words(
    bot: BotOnDemand, closed: PersonHere, channel: str
) -> None:
    shown = await adds(closed, channel)
    assert AUDIT in shown.words
    assert "Owner: nobody yet" in shown.words
    assert "Due date: no date yet" in shown.words
    action = await the_action(bot)
    assert (action.about, action.agency, action.due) == ("", "", None)


async def test_whatever_is_written_is_shown_as_text_and_kept_as_it_was_written(
    bot: BotOnDemand, closed: PersonHere, channel: str
) -> None:
    note = "1. First\n- Second\n{{DATE(2025-01-01T00:00:00Z)}}"
    shown = await adds(closed, channel, recommendation=STRANGE, note=note, owner_name="_Ann_")
    assert "\\*\\*bold\\*\\* \\[x\\](http://x) \\<b\\>html\\</b\\> שלום 👩🏽\u200d🏫" in shown.words
    assert "\\{area\\_name}" in shown.words or "\\{area_name}" in shown.words
    assert "\n\\- Second" in shown.words
    assert "{{DATE" not in shown.words
    assert "Owner: \\_Ann\\_" in shown.words
    form = await opens_the_action(closed, channel)
    assert form.inputs["recommendation"] == STRANGE
    assert form.inputs["note"] == note


async def test_what_turns_the_direction_of_writing_or_nobody_sees_is_left_out(
    bot: BotOnDemand, closed: PersonHere, channel: str
) -> None:
    await adds(closed, channel, recommendation="Ask\u202e the\u200b\x00 schools", owner_name=" \t ")
    action = await the_action(bot)
    assert (action.title, action.owner) == ("Ask the schools", "")


@pytest.mark.parametrize("title", ["", "   ", "\u200b\u202e", "\n"])
async def test_an_action_without_words_is_asked_for_them_and_nothing_is_lost(
    bot: BotOnDemand, closed: PersonHere, channel: str, title: str
) -> None:
    shown = await adds(closed, channel, recommendation=title, note="A long note.")
    assert '"Action" is empty. Nothing is saved yet.' in shown.words
    assert shown.inputs["note"] == "A long note."
    assert await plan_of(bot) == Plan()
    await closed.presses_in(channel, SAVE, {"recommendation": AUDIT})
    assert (await the_action(bot)).note == "A long note."


@pytest.mark.parametrize(
    ("box", "name"),
    [("recommendation", "title"), ("owner_name", "owner"), ("check", "check"), ("note", "note")],
)
@pytest.mark.parametrize("letter", ["w", "ŵ", "👩"])
async def test_as_much_as_there_is_room_for_is_kept_and_more_is_given_back(
    bot: BotOnDemand, closed: PersonHere, channel: str, box: str, name: str, letter: str
) -> None:
    most = MOST[name]
    shown = await adds(closed, channel, **{box: letter * (most + 1)})
    assert f"there is room for {most} characters, and it has {most + 1}" in shown.words
    assert shown.inputs[box] == letter * (most + 1), "to be shortened"
    assert await plan_of(bot) == Plan()
    await closed.presses_in(channel, SAVE, {box: letter * most})
    assert getattr(await the_action(bot), name) == letter * most


async def test_far_too_much_is_refused_with_a_card_that_teams_takes(
    bot: BotOnDemand, closed: PersonHere, channel: str
) -> None:
    much = "👩" * 5_000
    await sees_the_plan(closed, channel)
    await closed.presses_in(channel, OWN)
    action = seen(closed).action(SAVE)
    typed = dict.fromkeys(("recommendation", "owner_name", "check", "note"), much)
    answer = await closed.acts(action, {**typed, "status": "done"}, chat=channel)
    assert 'Of "Note" only the beginning is left.' in answer.card.words
    assert len(answer.body) < 28_000
    assert answer.card.inputs["note"] == much[: MOST["note"]]
    assert await plan_of(bot) == Plan()


@pytest.mark.parametrize(
    "day",
    [
        "2026-02-30",
        "soon",
        "2026-W10-1",
        "20260405",
        "2036-04-01",
        "\u0662\u0660\u0662\u0666-04-05",
    ],
)
async def test_what_is_no_day_or_far_away_is_asked_for_again(
    bot: BotOnDemand, closed: PersonHere, channel: str, day: str
) -> None:
    shown = await adds(closed, channel, due_date=day)
    assert "Please look again at this field: Due date" in shown.words
    assert shown.inputs["recommendation"] == AUDIT
    assert await plan_of(bot) == Plan()


async def test_a_day_that_has_passed_fits_only_what_is_over(
    bot: BotOnDemand, closed: PersonHere, channel: str
) -> None:
    past = {"due_date": "2026-03-01"}
    shown = await adds(closed, channel, **past)
    assert "That due date has passed." in shown.words
    assert await plan_of(bot) == Plan()
    assert shown.inputs["due_date"] == "2026-03-01"
    await closed.presses_in(channel, SAVE, {"status": "done"})
    assert str((await the_action(bot)).due) == "2026-03-01"


async def test_what_has_become_overdue_says_so_and_can_be_changed_all_the_same(
    bot: BotOnDemand, closed: PersonHere, channel: str
) -> None:
    await adds(closed, channel, due_date="2026-03-02")
    assert "overdue" not in seen(closed).words
    bot.clock.moves(days=1)
    shown = await opens_the_action(closed, channel)
    await closed.presses_in(channel, SAVE, {"note": "Waits for a room."})
    assert "Due date: 2 March 2026 (overdue)" in seen(closed).words
    assert (await the_action(bot)).note == "Waits for a room."
    await closed.presses_in(channel, CHANGE)
    shown = await closed.presses_in(channel, SAVE, {"due_date": "2026-03-01"})
    assert "That due date has passed." in shown.words
    await closed.presses_in(channel, SAVE, {"due_date": ""})
    assert (await the_action(bot)).due is None


async def test_many_actions_are_shown_a_card_at_a_time_and_one_stays_where_one_was(
    bot: BotOnDemand, closed: PersonHere, channel: str
) -> None:
    for number in range(23):
        await adds(closed, channel, recommendation=f"Action {number:02}")
    await sees_the_plan(closed, channel)
    shown = [card async for card in _onward(closed, channel)]
    assert [title for card in shown for title in _titles(card)] == [
        f"Action {number:02}" for number in range(23)
    ]
    last = _titles(shown[-1])
    await closed.presses_in(channel, CHANGE)
    await closed.presses_in(channel, SAVE, {"owner_name": "Ann"})
    assert _titles(seen(closed)) == last


async def _onward(person: PersonHere, channel: str) -> AsyncIterator[Shown]:
    """The card in front of them and those after it."""
    for _ in range(20):
        yield seen(person)
        if NEXT not in seen(person).buttons:
            return
        await person.presses_in(channel, NEXT)
    pytest.fail("it has no end")


def _titles(shown: Shown) -> list[str]:
    return [
        line
        for line in shown.words.splitlines()
        if line.startswith("Action ") and "for" not in line
    ]


# -- several at once, and twice -------------------------------------------------------------------


async def test_of_two_who_change_one_action_the_second_sees_both_and_decides(
    bot: BotOnDemand, closed: PersonHere, flo: PersonHere, channel: str
) -> None:
    await adds(closed, channel)
    await opens_the_action(closed, channel)
    await opens_the_action(flo, channel)
    await closed.presses_in(channel, SAVE, {"owner_name": "Ann", "note": "Hers."})
    shown = await flo.presses_in(channel, SAVE, {"owner_name": "Bob", "status": "done"})
    assert "Somebody else has changed this action since you opened it." in shown.words
    assert "Owner: Ann" in shown.words
    assert "Note: Hers." in shown.words
    assert shown.inputs["owner_name"] == "Bob"
    assert (await the_action(bot)).owner == "Ann"
    await flo.presses_in(channel, SAVE, {"note": "Hers and mine."})
    action = await the_action(bot)
    assert (action.owner, action.note, action.status) == ("Bob", "Hers and mine.", Status.DONE)


async def test_many_who_add_at_once_lose_nothing(
    bot: BotOnDemand, closed: PersonHere, flo: PersonHere, channel: str
) -> None:
    everybody = [closed, flo] * 4
    forms = []
    for person in everybody:
        await sees_the_plan(person, channel)
        forms.append(await person.presses_in(channel, OWN))
    typed = [{**form.inputs, "recommendation": f"Action {n}"} for n, form in enumerate(forms)]
    await asyncio.gather(
        *(
            person.acts(form.action(SAVE), {k: v for k, v in words.items() if v}, chat=channel)
            for person, form, words in zip(everybody, forms, typed, strict=True)
        )
    )
    assert {a.title for a in (await plan_of(bot)).here} == {f"Action {n}" for n in range(8)}


async def test_a_tap_that_is_delivered_twice_counts_once(
    bot: BotOnDemand, closed: PersonHere, channel: str
) -> None:
    await sees_the_plan(closed, channel)
    form = await closed.presses_in(channel, OWN)
    filled = form.filled({"recommendation": AUDIT})
    twice = [closed.acts(form.action(SAVE), filled, chat=channel) for _ in range(2)]
    for answer in await asyncio.gather(*twice):
        assert "The action is saved." in answer.card.words
    assert (await the_action(bot)).revision == 1
    await opens_the_action(closed, channel)
    await closed.presses_in(channel, SAVE)
    assert (await the_action(bot)).revision == 1, "nothing was changed"


async def test_one_is_taken_off_after_a_question_and_a_late_tap_brings_nothing_back(
    bot: BotOnDemand, closed: PersonHere, channel: str
) -> None:
    await sees_the_plan(closed, channel)
    form = await closed.presses_in(channel, OWN)
    filled = form.filled({"recommendation": AUDIT})
    await closed.presses_in(channel, SAVE, {"recommendation": AUDIT})
    await closed.presses_in(channel, CHANGE)
    asked = await closed.presses_in(channel, TAKE_OFF)
    assert "Take this action off the plan?" in asked.words
    assert AUDIT in asked.words
    await closed.presses_in(channel, "Cancel")
    assert AUDIT in seen(closed).words
    await closed.presses_in(channel, CHANGE)
    asked = await closed.presses_in(channel, TAKE_OFF)
    for _ in range(2):
        answer = await closed.acts(asked.action(YES), chat=channel)
        assert "The action is off the plan." in answer.card.words
    assert await plan_of(bot) == Plan()
    late = await closed.acts(form.action(SAVE), filled, chat=channel)
    assert "Somebody else has taken this action off the plan." in late.card.words
    assert await plan_of(bot) == Plan()


async def test_who_writes_while_another_takes_it_off_loses_nothing(
    bot: BotOnDemand, closed: PersonHere, flo: PersonHere, channel: str
) -> None:
    await adds(closed, channel)
    form = await opens_the_action(flo, channel)
    await opens_the_action(closed, channel)
    await closed.presses_in(channel, TAKE_OFF)
    await closed.presses_in(channel, YES)
    assert form == seen(flo)
    shown = await flo.presses_in(channel, SAVE, {"note": "A long note."})
    assert "Somebody else has taken this action off the plan." in shown.words
    assert shown.inputs["note"] == "A long note."
    assert await plan_of(bot) == Plan()
    await flo.presses_in(channel, SAVE)
    assert (await the_action(bot)).note == "A long note."


async def test_a_button_of_one_that_is_gone_leads_to_the_plan(
    bot: BotOnDemand, closed: PersonHere, flo: PersonHere, channel: str
) -> None:
    await adds(closed, channel)
    await sees_the_plan(flo, channel)
    await closed.presses_in(channel, CHANGE)
    await closed.presses_in(channel, TAKE_OFF)
    await closed.presses_in(channel, YES)
    shown = await flo.presses_in(channel, CHANGE)
    assert STALE in shown.words
    assert OWN in shown.buttons


async def test_one_that_was_changed_meanwhile_is_not_taken_off(
    bot: BotOnDemand, closed: PersonHere, flo: PersonHere, channel: str
) -> None:
    await adds(closed, channel)
    await opens_the_action(flo, channel)
    await flo.presses_in(channel, TAKE_OFF)
    await opens_the_action(closed, channel)
    await closed.presses_in(channel, SAVE, {"owner_name": "Ann"})
    shown = await flo.presses_in(channel, YES)
    assert STALE in shown.words
    assert "Owner: Ann" in shown.words
    assert (await the_action(bot)).owner == "Ann"


# -- the next snapshot, and afterwards ------------------------------------------------------------


async def test_the_next_snapshot_finds_the_plan_and_keeps_it_up_while_it_is_open(
    bot: BotOnDemand, closed: PersonHere, channel: str
) -> None:
    await adds(closed, channel, owner_name="Ann", due_date="2026-04-01")
    bot.clock.moves(days=60)
    later = a_form(area=" OTHERWICK ", deadline="2026-05-14", quiet_dates="")
    await opens(closed, channel, later)
    shown = await sees_the_plan(closed, channel)
    for words in (
        "From earlier snapshots",
        AUDIT,
        "Due date: 1 April 2026 (overdue)",
        "Status: Not started",
        "On the plan since 2 March 2026",
        NOT_YET,
    ):
        assert words in shown.words
    assert "From this snapshot" not in shown.words
    await closed.presses_in(channel, CHANGE)
    await closed.presses_in(channel, SAVE, {"status": "done", "note": "All were looked at."})
    assert "Status: Done" in seen(closed).words
    plan = await plan_of(bot)
    assert (plan.here, [a.status for a in plan.earlier]) == ((), [Status.DONE])
    await closes(closed, channel)
    await bot.works()
    await adds(closed, channel, recommendation="Ask the schools")
    words = seen(closed).words
    assert words.index("From this snapshot") < words.index("Ask the schools")
    assert words.index("Ask the schools") < words.index("From earlier snapshots")
    assert words.index("From earlier snapshots") < words.index(AUDIT)


async def test_another_area_in_the_same_channel_begins_with_an_empty_plan(
    bot: BotOnDemand, closed: PersonHere, channel: str
) -> None:
    await adds(closed, channel)
    await opens(closed, channel, a_form(area="Elsewhere"))
    shown = await sees_the_plan(closed, channel)
    assert AUDIT not in shown.words
    assert "There is no action on the plan yet." in shown.words


async def test_it_outlives_a_restart_and_the_key_and_is_shared_by_processes(
    bot: BotOnDemand, closed: PersonHere, flo: PersonHere, channel: str
) -> None:
    await adds(closed, channel)
    await bot.restarts()
    bot.clock.moves(days=KEY_DAYS + 1)
    assert "key-destroyed" in [deed.did for deed in await bot.works()]
    await opens_the_action(closed, channel)
    async with another_process(bot) as other, Teams(other.url) as there:
        elsewhere = PersonHere(there, "Flo", HOME, FLO)
        await opens_the_action(elsewhere, channel)
        await elsewhere.presses_in(channel, SAVE, {"owner_name": "Bob"})
    shown = await closed.presses_in(channel, SAVE, {"owner_name": "Ann"})
    assert "Owner: Bob" in shown.words
    assert shown.inputs["owner_name"] == "Ann"


# -- who may see it -------------------------------------------------------------------------------


async def test_nobody_but_a_facilitator_sees_or_changes_it(
    teams: Teams, bot: BotOnDemand, closed: PersonHere, channel: str
) -> None:
    await adds(closed, channel)
    stan = teams.person("Stan")
    for word in ("plan", "cynllun"):
        assert ONLY in (await stan.posts(word, channel)).words
    await closed.posts("plan", channel)
    for title in (SEE, CHANGE, TAKE_OFF, YES):
        answer = await stan.acts(seen(closed).action(title), chat=channel)
        assert ONLY in answer.card.words
        assert AUDIT not in answer.body.decode()
        if title != YES:
            await closed.presses_in(channel, title)
    await opens_the_action(closed, channel)
    typed = seen(closed).filled({"owner_name": "Stan"})
    assert ONLY in (await stan.acts(seen(closed).action(SAVE), typed, chat=channel)).card.words
    assert (await the_action(bot)).owner == ""


async def test_no_button_of_it_works_anywhere_else(
    teams: Teams, bot: BotOnDemand, closed: PersonHere, channel: str
) -> None:
    await adds(closed, channel)
    await closed.posts("plan", channel)
    action = seen(closed).action(SEE)
    for chat in (None, teams.channel("elsewhere")):
        answer = await closed.acts(action, chat=chat)
        assert answer.status == 200
        assert AUDIT not in answer.body.decode()


async def test_no_word_of_it_is_ever_sent_or_posted(
    teams: Teams, bot: BotOnDemand, closed: PersonHere, channel: str
) -> None:
    before = len(own_threads(teams, channel))
    await adds(closed, channel, owner_name="Siân", note="A long note.")
    await opens_the_action(closed, channel)
    await bot.works()
    for sent in teams.sent:
        said = str(sent.activity)
        assert AUDIT not in said
        assert "Siân" not in said
        assert "A long note." not in said
    assert len(own_threads(teams, channel)) == before


async def test_none_of_it_is_among_the_records_of_the_snapshot(
    bot: BotOnDemand, closed: PersonHere, channel: str
) -> None:
    """But in the log of acts, sealed, that a facilitator has saved an action."""
    id, records = (await the_last(bot)).snapshot.id, bot.app.service.records
    kinds = [kind for kind in Kind if kind is not Kind.ACT]
    before = {kind: await records.read_all(id, kind) for kind in kinds}
    await adds(closed, channel)
    assert {kind: await records.read_all(id, kind) for kind in kinds} == before


# -- what no card of ours sends -------------------------------------------------------------------

FORGED: Mapping[str, Mapping[str, Any]] = {
    "an unknown action": {"action": "0" * 32},
    "no id": {"action": "../../directory"},
    "another kind of id": {"action": 7},
    "a list": {"action": ["0" * 20]},
    "what is never recommended": {"about": "AW1", "because": "green"},
    "no such statement": {"about": "nowhere", "because": "red"},
    "no reason": {"about": "AW1"},
    "an object for a reason": {"about": "AW1", "because": {"a": 1}},
    "a revision from nowhere": {"action": "0" * 20, "revision": 99},
    "a revision below": {"action": "0" * 20, "revision": -1},
    "a revision in words": {"action": "0" * 20, "revision": "0"},
    "no revision": {"action": "0" * 20, "revision": None},
    "no such status": {"action": "0" * 20, "status": "forgotten"},
    "no such agency": {"action": "0" * 20, "owner_agency": "the moon"},
    "a number for words": {"action": "0" * 20, "note": 7},
    "words for a place": {"action": "0" * 20, "start": "here"},
    "another snapshot": {"snapshot": "snapshot-of-nobody"},
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
async def test_what_no_card_of_ours_sends_changes_nothing(
    bot: BotOnDemand, closed: PersonHere, channel: str, forged: Mapping[str, Any]
) -> None:
    await adds(closed, channel)
    before = await plan_of(bot)
    for verb in ("plan.show", "plan.advice", "plan.edit", "plan.remove"):
        for save in (False, True):
            answer = await _sends(bot, closed, channel, verb, forged, save=save)
            assert answer.status == 200
            assert answer.card.words
            assert await plan_of(bot) == before


async def _sends(
    bot: BotOnDemand,
    person: PersonHere,
    channel: str,
    verb: str,
    forged: Mapping[str, Any],
    *,
    save: bool,
) -> Answer:
    data = {
        "snapshot": (await the_last(bot)).snapshot.id,
        "revision": 0,
        "save": save,
        "confirmed": save,
        "recommendation": "Forged",
        "status": "done",
        **forged,
    }
    return await person.acts({"type": "Action.Execute", "verb": verb, "data": data}, chat=channel)


async def test_nothing_can_be_added_before_the_close_by_a_forged_card(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    for forged in ({"action": "0" * 20}, {"about": "AW1", "because": "red"}, {"own": True}):
        answer = await _sends(bot, fay, channel, "plan.edit", forged, save=True)
        assert NOT_YET in answer.card.words
        assert await plan_of(bot) == Plan()


# -- how it is found ------------------------------------------------------------------------------


async def test_the_word_is_in_the_list_and_is_understood_in_both_languages(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    assert "**plan**" in (await fay.posts("help", channel)).words
    for word in ("plan", "Action Plan", "cynllun", "CYNLLUN GWEITHREDU"):
        shown = await fay.posts(word, channel)
        assert shown.buttons == [SEE]


async def test_in_welsh_the_plan_is_in_welsh(
    bot: BotOnDemand, fay: PersonHere, teams: Teams
) -> None:
    channel = teams.channel("gwynedd")
    await opens(fay, channel, a_form(area="Gwynedd", nation="Wales", language="cy-GB"))
    await fay.posts("cau", channel)
    await fay.presses_in(channel, "Ie, ei gau nawr")
    await bot.works()
    await fay.posts("cynllun", channel)
    await fay.presses_in(channel, "Gweld y cynllun gweithredu")
    await fay.presses_in(channel, "Ychwanegu eich cam eich hun")
    typed = {"recommendation": "Siarad â'r ysgolion", "owner_agency": "partnership"}
    shown = await fay.presses_in(channel, "Cadw'r cam hwn", typed)
    assert "Mae'r cam wedi'i gadw." in shown.words
    assert "Perchennog: Y Bwrdd Diogelu rhanbarthol" in shown.words
    with pytest.raises(NotOnTheCard):
        shown.action(SAVE)
