"""A practitioner answers the survey, in a private chat, over real HTTP."""

from __future__ import annotations

import asyncio

import pytest

from bot.rehearsal.teams import NotOnTheCard, Teams
from snapshot.ports import Kind
from tests.stories.conftest import RunningBot
from tests.stories.people import STATEMENTS, answers, answers_all, asks_about, begins, seen, sends


async def test_a_practitioner_answers_all_statements_and_gets_a_receipt(teams: Teams) -> None:
    ada = teams.person("Ada Canary")
    await ada.installs()
    await ada.is_greeted()
    assert "Continue" in seen(ada).buttons
    await ada.presses("Continue")
    shown = await ada.presses("Police")
    assert asks_about(shown) == "AW1"
    assert "1 of 22" in shown.words
    shown = await answers_all(ada)
    assert "answered all 22 statements" in shown.words
    await ada.presses("See my answers")
    shown = await sends(ada)
    assert "sent and sealed" in shown.words


async def test_the_survey_takes_at_most_28_taps(teams: Teams) -> None:
    ada = teams.person("Ada Canary")
    await ada.installs()
    await ada.is_greeted()
    taps = ["Continue", "Police", *["Partly true"] * STATEMENTS, "Send my answers"]
    for tap in taps:
        await ada.presses(tap)
    assert "sent and sealed" in seen(ada).words
    assert len(taps) <= 28


async def test_goes_on_where_they_stopped_after_a_restart_and_on_another_device(
    teams: Teams, bot: RunningBot
) -> None:
    ada = teams.person("Ada Canary")
    await begins(ada)
    await answers(ada, ["Mostly true"] * 6)

    await bot.restarts()

    shown = await ada.on_another_device().opens_the_chat()
    assert asks_about(shown) == "PV3"
    assert "7 of 22" in shown.words


async def test_a_card_from_before_a_restart_still_works(teams: Teams, bot: RunningBot) -> None:
    ada = teams.person("Ada Canary")
    await begins(ada)
    await bot.restarts()
    assert asks_about(await ada.presses("Fully true")) == "AW2"


async def test_help_is_one_tap_away_and_leads_back(teams: Teams) -> None:
    ada = teams.person("Ada Canary")
    await begins(ada)
    for title, says in (
        (
            "Worried about a child?",
            "01632\N{NO-BREAK SPACE}960\N{NO-BREAK SPACE}001",
        ),
        ("Privacy notice", "Before mixing"),
        ("Support for me", "This is a hard subject"),
    ):
        shown = await ada.presses(title)
        assert says in shown.words
        assert asks_about(await ada.presses("Back to the survey")) == "AW1"


async def test_an_answer_can_be_changed_until_it_is_sent(teams: Teams) -> None:
    ada = teams.person("Ada Canary")
    await begins(ada)
    await answers_all(ada)
    shown = await ada.presses("See my answers")
    assert shown.words.count("Mostly true") == STATEMENTS

    change = next(a for a in shown.actions("survey.change") if a["data"]["statement"] == "IR3")
    ada.sees = (await ada.acts(change)).card
    assert "Your answer: Mostly true" in ada.sees.words
    await ada.presses("Don't know")
    shown = await ada.presses("See my answers")
    assert shown.words.count("Mostly true") == STATEMENTS - 1
    assert "Don't know" in shown.words


async def test_back_shows_the_statement_before(teams: Teams) -> None:
    ada = teams.person("Ada Canary")
    await begins(ada)
    await answers(ada, ["Mostly true"] * 2)
    shown = await ada.presses("Back")
    assert asks_about(shown) == "AW2"
    assert "Your answer: Mostly true" in shown.words


async def test_from_the_first_statement_back_leads_to_the_agencies(
    teams: Teams, bot: RunningBot
) -> None:
    """Whoever mistapped their agency can choose again, as long as nothing is answered."""
    ada = teams.person("Ada Canary")
    await begins(ada, "Police")
    await ada.presses("Back")
    await ada.presses("Health")
    assert await cells(bot) == ["health"]
    await ada.presses("Mostly true")
    await ada.presses("Back")
    shown = await ada.presses("Back")
    assert "Police" not in shown.buttons


async def cells(bot: RunningBot) -> list[str]:
    service = bot.app.service
    (running,) = await service.directory.all()
    heads = await service.records.heads(running.snapshot.id, Kind.ENVELOPE)
    return [head.group for head in heads]


async def test_withdrawing_asks_once_more_and_is_final(teams: Teams) -> None:
    ada = teams.person("Ada Canary")
    await begins(ada)
    await answers_all(ada)
    await sends(ada)
    await ada.types("Withdraw")
    shown = await ada.presses("Yes, delete my answers")
    assert "You have withdrawn" in shown.words
    await ada.types("start")
    shown = await ada.presses("Continue")
    assert "You have withdrawn" in shown.words


async def test_sending_needs_every_answer(teams: Teams) -> None:
    ada = teams.person("Ada Canary")
    shown = await begins(ada)
    send = {**shown.actions("survey.answer")[0], "verb": "survey.submit"}
    shown = (await ada.acts(send)).card
    assert "Some statements have no answer yet" in shown.words
    assert asks_about(shown) == "AW1"


async def test_typed_words_do_the_same_whatever_their_case(teams: Teams) -> None:
    ada = teams.person("Ada Canary")
    assert "You have not started yet" in (await ada.types(" STATUS ")).words
    assert "Before mixing" in (await ada.types("Privacy")).words
    assert "withdraw" in (await ada.types("help")).words
    assert "Continue" in (await ada.types("hello?")).buttons


@pytest.mark.parametrize(
    "words",
    ["I am worried about a child.", "A girl in my class is not safe at home", "Poeni am blentyn"],
)
async def test_a_concern_that_is_typed_is_answered_with_whom_to_call(
    teams: Teams, bot: RunningBot, words: str
) -> None:
    """Nobody reads what is typed in the chat."""
    shown = await teams.person("Ada").types(words)
    assert "This survey cannot help with that" in shown.words
    assert "call **999**" in shown.words
    assert "Support for me" in shown.buttons


async def test_no_message_that_is_sent_ever_shows_an_answer(teams: Teams) -> None:
    """Teams keeps messages, and an employer may search them; answers to taps are not messages."""
    ada = teams.person("Ada Canary")
    await ada.installs()
    await ada.is_greeted()
    await ada.presses("Continue")
    await ada.presses("Police")
    await answers_all(ada, "Partly true")
    for words in ("start", "continue", "status", "privacy", "help", "withdraw"):
        await ada.types(words)
    for sent in teams.sent:
        assert "Partly true" not in sent.card.words
        assert not sent.card.actions("survey.answer")
        assert sent.activity["summary"] == "Safeguarding snapshot"
        assert "text" not in sent.activity


async def test_the_same_tap_from_two_devices_at_once_counts_once(teams: Teams) -> None:
    ada = teams.person("Ada Canary")
    shown = await begins(ada)
    tap = shown.action("Mostly true")
    both = await asyncio.gather(ada.acts(tap), ada.on_another_device().acts(tap))
    assert [asks_about(answer.card) for answer in both] == ["AW2", "AW2"]


async def test_of_two_different_answers_at_once_the_first_stands(teams: Teams) -> None:
    ada = teams.person("Ada Canary")
    shown = await begins(ada)
    taps = [shown.action("Mostly true"), shown.action("Not true yet")]
    both = await asyncio.gather(*(ada.acts(tap) for tap in taps))
    stale = ["no longer on offer" in answer.card.words for answer in both]
    assert sorted(stale) == [False, True]


async def test_a_late_copy_of_an_earlier_tap_does_not_undo_a_change(teams: Teams) -> None:
    ada = teams.person("Ada Canary")
    shown = await begins(ada)
    late = shown.action("Not true yet")
    await ada.presses("Not true yet")
    await ada.presses("Back")
    await ada.presses("Fully true")
    answer = await ada.acts(late)
    assert "no longer on offer" in answer.card.words
    ada.sees = answer.card
    shown = await ada.presses("Back")
    assert "Your answer: Fully true" in shown.words


async def test_after_sending_an_old_card_changes_nothing(teams: Teams) -> None:
    ada = teams.person("Ada Canary")
    old = await begins(ada)
    await answers_all(ada)
    await sends(ada)
    shown = (await ada.acts(old.action("Not true yet"))).card
    assert "no longer on offer" in shown.words
    assert "You have already sent your answers" in shown.words


async def test_sending_twice_gives_the_same_receipt(teams: Teams) -> None:
    ada = teams.person("Ada Canary")
    await begins(ada)
    shown = await answers_all(ada)
    send = shown.action("Send my answers")
    for _ in range(2):
        assert "sent and sealed" in (await ada.acts(send)).card.words


async def test_after_the_deadline_nobody_can_answer(teams: Teams, bot: RunningBot) -> None:
    ada = teams.person("Ada Canary")
    await begins(ada)
    bot.clock.moves(days=13)
    shown = await ada.presses("Mostly true")
    assert "has closed" in shown.words or "The snapshot closed" in shown.words
    with pytest.raises(NotOnTheCard):
        shown.action("Mostly true")


async def test_where_nothing_is_open_an_install_greets_nobody(
    teams: Teams, bot: RunningBot
) -> None:
    """An administrator may install for ten thousand people at once."""
    service = bot.app.service
    (running,) = await service.directory.all()
    await service.records.delete(running.record)
    await bot.restarts()
    ada = teams.person("Ada Canary")
    await ada.installs()
    await bot.app.worker.do_due()
    assert await ada.looks() is None
    assert "No snapshot is open for you" in (await ada.types("start")).words
