"""Two snapshots are open to one person: they choose, and nothing of one reaches the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.rehearsal.teams import PersonHere, Shown, Teams
from snapshot.envelope import State
from snapshot.opening import Running
from snapshot.ports import Kind, Record
from tests.ports import free_port
from tests.stories.opening import BotOnDemand, a_form, opens, opens_in
from tests.stories.people import answers, answers_all, asks_about, closes, seen, sends

NEIGHBOUR = "tenant-of-otherwick"
WHICH = "There is more than one snapshot. Which one do you want?"


@dataclass(frozen=True)
class Two:
    """Both open to the people of one tenant, each in a channel of its own."""

    east: Running
    west: Running


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    async with BotOnDemand(tmp_path, free_port()) as running:
        yield running


@pytest.fixture
async def two(teams: Teams, bot: BotOnDemand) -> Two:
    west = a_form(area="Westwick", front_door_phone="01632 960 201", deadline="2026-03-21")
    east = a_form(area="Eastwick", front_door_phone="01632 960 202")
    return Two(
        west=await opens_in(teams, bot, "west", west), east=await opens_in(teams, bot, "east", east)
    )


@pytest.fixture
def ada(teams: Teams) -> PersonHere:
    return teams.person("Ada")


async def presses_of(person: PersonHere, running: Running, verb: str) -> Shown:
    """Press the button with this verb that is about this snapshot."""
    (action,) = [
        a for a in seen(person).actions(verb) if a["data"]["snapshot"] == running.snapshot.id
    ]
    person.sees = (await person.acts(action)).card
    return person.sees


async def chooses(person: PersonHere, running: Running, word: str = "start") -> Shown:
    await person.types(word)
    return await presses_of(person, running, "snapshot.choose")


async def begins_in(person: PersonHere, running: Running, agency: str = "Police") -> Shown:
    await chooses(person, running)
    return await person.presses(agency)


async def envelopes(bot: BotOnDemand, running: Running) -> list[Record]:
    return await bot.app.service.records.read_all(running.snapshot.id, Kind.ENVELOPE)


# -- the choice -----------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["start", "status", "privacy", "withdraw", "what?", "statws"])
async def test_what_is_typed_leads_to_the_choice(ada: PersonHere, two: Two, word: str) -> None:
    shown = await ada.types(word)
    assert WHICH in shown.words
    assert {"Eastwick", "Westwick"} <= set(shown.words.splitlines())
    assert shown.buttons == ["Go to this snapshot", "Worried about a child?"] * 2


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("start", "There are 22 short statements"),
        ("continue", "There are 22 short statements"),
        ("status", "You have not started yet. The snapshot closes at 4.30pm on"),
        ("statws", "You have not started yet. The snapshot closes at 4.30pm on"),
        ("privacy", "Before mixing:"),
        ("withdraw", "There are 22 short statements"),
    ],
)
async def test_then_comes_what_was_asked_of_the_chosen_one(
    ada: PersonHere, two: Two, word: str, said: str
) -> None:
    for running, day in ((two.east, "14 March"), (two.west, "21 March")):
        shown = await chooses(ada, running, word)
        assert said in shown.words
        if "closes at" in said:
            assert day in shown.words
        ids = {action["data"]["snapshot"] for action in shown.actions("help.worried")}
        assert ids <= {running.snapshot.id}


async def test_whoever_typed_withdraw_is_asked_about_the_chosen_one(
    bot: BotOnDemand, ada: PersonHere, two: Two
) -> None:
    await begins_in(ada, two.east)
    await begins_in(ada, two.west)
    shown = await chooses(ada, two.west, "withdraw")
    assert "Do you want to withdraw?" in shown.words
    await ada.presses("Yes, delete my answers")
    assert [e.state for e in await envelopes(bot, two.west)] == [State.WITHDRAWN]
    assert [e.state for e in await envelopes(bot, two.east)] == [State.OPEN]


async def test_help_for_a_worried_person_is_one_tap_away_for_each(
    ada: PersonHere, two: Two
) -> None:
    for running, number in ((two.west, "201"), (two.east, "202")):
        await ada.types("start")
        shown = await presses_of(ada, running, "help.worried")
        assert f"01632\N{NO-BREAK SPACE}960\N{NO-BREAK SPACE}{number}" in shown.words


async def test_a_choice_that_was_forged_leads_to_the_choice_again(
    ada: PersonHere, two: Two
) -> None:
    shown = await ada.types("start")
    action = shown.actions("snapshot.choose")[0]
    for snapshot in ("long-gone", "", None, 7):
        assert WHICH in (await ada.acts(action, snapshot=snapshot)).card.words
    for command in ("close", "new", "../x", None, ["status"]):
        answer = await ada.acts(action, command=command)
        assert "There are 22 short statements" in answer.card.words


# -- nothing of one reaches the other -------------------------------------------------------------


async def test_answers_in_both_stay_apart(bot: BotOnDemand, ada: PersonHere, two: Two) -> None:
    await begins_in(ada, two.east, "Police")
    await answers(ada, ["Fully true"] * 3)
    before = await envelopes(bot, two.east)

    await begins_in(ada, two.west, "Health")
    await answers_all(ada, "Not true yet")
    await sends(ada)

    assert await envelopes(bot, two.east) == before
    assert asks_about(await chooses(ada, two.east)) == "AW4"
    assert "already sent" in (await chooses(ada, two.west)).words
    (east,), (west,) = await envelopes(bot, two.east), await envelopes(bot, two.west)
    assert east.id != west.id, "nobody can tell that it is the same person"
    assert (east.state, west.state) == (State.OPEN, State.SUBMITTED)


async def test_a_card_of_one_never_acts_on_the_other(
    bot: BotOnDemand, ada: PersonHere, two: Two
) -> None:
    of_east = await begins_in(ada, two.east)
    of_west = await begins_in(ada, two.west)
    west_before = await envelopes(bot, two.west)
    ada.sees = of_east
    assert asks_about(await ada.presses("Mostly true")) == "AW2"
    assert await envelopes(bot, two.west) == west_before
    ada.sees = of_west
    assert asks_about(await ada.presses("Mostly true")) == "AW2"


async def test_on_another_device_the_choice_stands_in_the_chat_and_leads_on(
    ada: PersonHere, two: Two
) -> None:
    await begins_in(ada, two.east)
    await ada.presses("Mostly true")
    elsewhere = ada.on_another_device()
    assert WHICH in (await elsewhere.opens_the_chat()).words
    assert asks_about(await presses_of(elsewhere, two.east, "snapshot.choose")) == "AW2"


async def test_a_card_that_names_no_snapshot_leads_to_the_choice(
    bot: BotOnDemand, ada: PersonHere, two: Two
) -> None:
    shown = await begins_in(ada, two.east)
    before = await envelopes(bot, two.east)
    for snapshot in (None, "", "long-gone", {"id": two.east.snapshot.id}):
        answer = await ada.acts(shown.action("Mostly true"), snapshot=snapshot)
        assert WHICH in answer.card.words
    assert await envelopes(bot, two.east) == before


# -- when there is one left -----------------------------------------------------------------------


async def test_when_one_closes_the_choice_disappears(
    teams: Teams, bot: BotOnDemand, ada: PersonHere, two: Two
) -> None:
    choice = await ada.types("start")
    await closes(teams.person("Fay"), teams.channel("east"))
    assert "Safeguarding snapshot: Westwick" in (await ada.types("start")).words
    ada.sees = choice
    shown = await presses_of(ada, two.east, "snapshot.choose")
    assert "The snapshot closed on Monday 2 March" in shown.words
    ada.sees = choice
    assert "Police" in (await presses_of(ada, two.west, "snapshot.choose")).buttons


async def test_at_the_deadline_of_one_the_choice_disappears_before_anybody_has_noticed(
    bot: BotOnDemand, ada: PersonHere, two: Two
) -> None:
    bot.clock.moves(days=13)
    assert "Safeguarding snapshot: Westwick" in (await ada.types("start")).words


async def test_when_both_are_closed_the_choice_does_not_come_back(
    teams: Teams, bot: BotOnDemand, ada: PersonHere, two: Two
) -> None:
    bot.clock.moves(days=20)
    await bot.works()
    shown = await ada.types("status")
    assert WHICH not in shown.words
    assert "The snapshot closed on" in shown.words


# -- whose are offered ----------------------------------------------------------------------------


async def test_a_person_of_one_tenant_sees_only_those_of_that_tenant(
    teams: Teams, bot: BotOnDemand, ada: PersonHere, two: Two
) -> None:
    stan = teams.person("Stan", tenant=NEIGHBOUR)
    shown = await ada.types("start")
    for action in shown.actions("snapshot.choose"):
        assert "No snapshot is open for you here" in (await stan.acts(action)).card.words
    await opens(
        teams.person("Fay", tenant=NEIGHBOUR),
        teams.channel("north", tenant=NEIGHBOUR),
        a_form(area="Northwick"),
    )
    (from_there,) = await bot.app.service.directory.of_tenant(NEIGHBOUR)
    assert "Safeguarding snapshot: Northwick" in (await stan.types("start")).words
    shown = await ada.types("start")
    assert "Northwick" not in shown.words
    answer = await ada.acts(shown.actions("snapshot.choose")[0], snapshot=from_there.snapshot.id)
    assert "Northwick" not in answer.card.words


async def test_who_installs_it_with_two_open_gets_one_neutral_card(
    teams: Teams, bot: BotOnDemand, ada: PersonHere, two: Two
) -> None:
    await ada.installs()
    await bot.works()
    shown = await ada.looks()
    (message,) = teams.posts(ada.chat)
    assert shown
    assert WHICH in shown.words
    assert message.activity["summary"] == "Safeguarding snapshot"
    assert "text" not in message.activity
    stranger = teams.person("Stan", tenant=NEIGHBOUR)
    await stranger.installs()
    await bot.works()
    assert await stranger.looks() is None
