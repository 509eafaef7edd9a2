"""In Microsoft's local Teams, through Chromium: the survey, the help beside it, the close."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from content.packs import load_packs
from tests.browser.teams import LocalTeams, Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

PACK = load_packs()["en-GB"]
STATEMENTS = PACK.instrument.statements
LABELS = [option.label for option in PACK.instrument.practice.options]
AREA = "Exampleshire"
CHANNEL = "Snapshot facilitators"


async def test_from_the_first_card_to_the_summary(teams: LocalTeams, person: Person) -> None:
    await _begins(teams, person)
    await _answers(person, 1, 5)
    await _is_asked(person, 6)  # the tap has arrived

    await teams.restarts_the_bot()
    await _answers(person, 6, 9)

    await person.opens(teams.address)  # and on another device; nobody is greeted twice
    await _asks_to_continue(person)
    await _answers(person, 10, 22)

    await _looks_over_the_answers_and_changes_one(person)
    await person.presses("Send my answers")
    await person.sees("Thank you. Your answers are sent and sealed.")
    await person.takes_a_picture("receipt")

    await _closes_the_snapshot(person)
    await _reads_the_summary(person)

    await _asks_to_continue(person)
    await person.sees("Your answers have been mixed with those of others. Thank you.")
    await person.takes_a_picture("already_mixed")


async def test_help_is_one_tap_away_and_leads_back(teams: LocalTeams, person: Person) -> None:
    await _begins(teams, person)
    await _answers(person, 1, 2)

    await person.presses("Worried about a child?")
    await person.sees(f"{AREA} front door", "01632 960 001", "Danger right now: call 999.")
    await person.takes_a_picture("worried")
    await person.presses("Back to the survey")
    await _is_asked(person, 3)

    await person.presses("Privacy notice")
    await person.sees("Who could still tell:", "Nobody is watching the answers come in.")
    await person.takes_a_picture("privacy")
    await person.presses("Back to the survey")
    await _is_asked(person, 3)

    await person.presses("Support for me")
    await person.sees("The Rape and Sexual Abuse Support Line is free")
    await person.takes_a_picture("wellbeing")
    await person.presses("Back to the survey")
    await _is_asked(person, 3)


async def test_the_whole_survey_takes_at_most_28_taps_also_with_the_keyboard_alone(
    teams: LocalTeams, person: Person
) -> None:
    await person.opens(teams.address)
    await person.sees(f"Safeguarding snapshot: {AREA}")
    # The Playground's own log, which Teams has not, would keep the Tab key to itself.
    await person.page.get_by_role("button", name="Hide log panel").click()

    await person.tabs_to_and_enters("Continue")
    await person.sees("Your answers are confidential, then anonymous after mixing.")
    await person.tabs_to_and_enters("Health")
    for position in range(1, len(STATEMENTS) + 1):
        await _is_asked(person, position)
        await person.tabs_to_and_enters(_label(position))
    await person.sees("You have answered all 22 statements. Nothing has been sent yet.")
    await person.tabs_to_and_enters("Send my answers")
    await person.sees("Thank you. Your answers are sent and sealed.")
    assert person.taps <= 28
    await person.tabs_to_and_enters("Cymraeg")
    await person.sees("Diolch. Mae eich atebion wedi'u hanfon, ac maent dan sêl.")


async def test_whoever_has_not_sent_is_told_after_the_close(
    teams: LocalTeams, person: Person
) -> None:
    await _begins(teams, person)
    await _answers(person, 1, 1)
    await _is_asked(person, 2)

    await _closes_the_snapshot(person)

    await _asks_to_continue(person)
    await person.sees("You had not sent your answers, so they were deleted unread.")
    await person.takes_a_picture("closed_not_sent")


# -- steps ----------------------------------------------------------------------------------------


async def _begins(teams: LocalTeams, person: Person) -> None:
    await person.opens(teams.address)
    await person.sees(f"Safeguarding snapshot: {AREA}")
    await person.takes_a_picture("continue")
    await person.presses("Continue")
    await person.sees("Your answers are confidential, then anonymous after mixing.")
    await person.takes_a_picture("welcome")
    await person.presses("Police")


async def _answers(person: Person, first: int, last: int) -> None:
    """All options in turn."""
    for position in range(first, last + 1):
        await _is_asked(person, position)
        if position == 1:
            await person.takes_a_picture("statement")
        await person.presses(_label(position))


def _label(position: int) -> str:
    return LABELS[position % len(LABELS)]


async def _is_asked(person: Person, position: int) -> None:
    place = person.card.get_by_text(f"{position} of {len(STATEMENTS)}", exact=True)
    await expect(place).to_be_visible()
    await person.sees(STATEMENTS[position - 1].text)


async def _looks_over_the_answers_and_changes_one(person: Person) -> None:
    await person.sees("You have answered all 22 statements. Nothing has been sent yet.")
    await person.takes_a_picture("all_answered")
    await person.presses("See my answers")
    await person.sees("Please look over your answers.")
    for position, statement in enumerate(STATEMENTS, start=1):
        assert await person.reads_after(statement.short) == _label(position)
    await person.takes_a_picture("review")

    seventh = STATEMENTS[6]
    await person.presses("Change", hint=f"Change: {seventh.short}")
    await person.sees(seventh.text, f"Your answer: {_label(7)}")
    await person.takes_a_picture("statement_again")
    await person.presses("Fully true")

    await person.presses("See my answers")
    await person.sees("Please look over your answers.")
    assert await person.reads_after(seventh.short) == "Fully true"


async def _closes_the_snapshot(person: Person) -> None:
    await person.goes_to(CHANNEL)
    await person.tells_the_bot("status")
    progress = person.card_with("Close the snapshot")
    await person.sees(f"The snapshot for {AREA} is open.", on=progress)
    await person.takes_a_picture("progress", of=progress)

    await person.tells_the_bot("close")
    sure = person.card_with("Do you want to close the snapshot now?")
    await person.sees("Answers that have not been sent will be deleted unread.", on=sure)
    await person.takes_a_picture("close", of=sure)
    await person.presses("Yes, close it now", on=sure)

    closed = person.card_with("Thank you to everyone who took part.")
    await person.sees("The snapshot closed on", on=closed)
    await person.takes_a_picture("closed", of=closed)
    await person.sees("How to read these figures", on=person.card_with(f"Summary for {AREA}"))


async def _reads_the_summary(person: Person) -> None:
    summary = person.card_with(f"Summary for {AREA}")
    await person.sees("This is the view of about 120 practitioners", on=summary)
    await person.takes_a_picture("summary", of=summary)

    bands = "|".join(f"{b.symbol} {b.name}: {b.word}" for b in PACK.instrument.bands)
    score = r"(?:under |over )?\d+"
    for domain in PACK.instrument.domains:
        figures = rf"{re.escape(domain.title)}\s*(?:{bands})\s*"
        figures += rf"Score out of 100: {score} weighted by headcount, {score} unweighted"
        await person.sees(re.compile(figures), on=summary)
    await person.sees(
        "How to read these figures",
        "We show nothing for fewer than 10 people.",
        "Each agency group counts by its headcount",
        "A domain's colour goes by its weighted score before rounding: Red from 0, Amber from 40",
        on=summary,
    )


async def _asks_to_continue(person: Person) -> None:
    await person.goes_to("Personal Chat")
    await person.types("continue")
    await person.sees(f"Safeguarding snapshot: {AREA}")
    await person.presses("Continue")
