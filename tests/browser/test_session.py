"""In Microsoft's local Teams, through Chromium: three statements of a strategic session."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator

from content.packs import load_packs
from snapshot.instrument import Option
from snapshot.session import strategic_of
from tests.browser.teams import LocalTeams, Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

PACK = load_packs()["en-GB"]
STATEMENTS = PACK.instrument.statements
PROGRESS = strategic_of(PACK.instrument).progress.options
EVIDENCE = strategic_of(PACK.instrument).evidence.options
CHANNEL = "Snapshot facilitators"
NOTE = "Better <b>since</b> the *audit* of 2025.\n\u05de\u05d7\u05e8 \U0001f469\u200d\U0001f467"


async def test_three_statements_of_a_session(teams: LocalTeams, person: Person) -> None:
    await person.opens(teams.address)
    await person.goes_to(CHANNEL)
    await person.tells_the_bot("session")
    card = person.card_with("How this session works")
    await person.sees("This part is not anonymous.", "Near agreement", "1 of 22", on=card)
    await person.takes_a_picture("session_start", of=card)
    await person.presses("Take part", on=card)
    await person.takes_a_picture("session_join", of=person.card_with("Which agency do you speak"))
    await person.presses("Police", on=person.card_with("Which agency do you speak"))

    for position in (1, 2, 3):
        await _rates(person, position)
        await _agrees(person, position)
        if position == 2:
            await teams.restarts_the_bot()
        await _goes_on(person, position)

    await _pauses(person)


async def _rates(person: Person, position: int) -> None:
    card = _at(person, position)
    await person.sees("Save my ratings", on=card)
    await person.chooses(_said(PROGRESS[position]), _said(EVIDENCE[2]), on=card)
    await person.takes_a_picture(f"session_rating_{position}", of=card)
    await person.presses("Save my ratings", on=card)
    await person.sees("Your ratings are saved.", on=_at(person, position))
    await person.takes_a_picture(f"session_saved_{position}", of=_at(person, position))


async def _agrees(person: Person, position: int) -> None:
    await _finds(person, "Show the ratings", position)
    spread = person.card_with("this is the spread of ratings")
    await person.sees(f"{PROGRESS[position].label}: 1", "This is near agreement.", on=spread)
    await person.takes_a_picture(f"session_spread_{position}", of=spread)
    await _finds(person, "Record what we agreed", position)
    form = person.card_with("Evidence that we named")
    await person.fills({"Note": NOTE, "Evidence that we named": "An audit."}, on=form)
    await person.takes_a_picture(f"session_form_{position}", of=form)
    await person.presses("Record what we agreed", on=form)
    agreed = person.card_with(f"{STATEMENTS[position - 1].short}: agreed.")
    await person.sees("Better <b>since</b> the *audit* of 2025.", "An audit.", on=agreed)
    await person.takes_a_picture(f"session_agreed_{position}", of=agreed)


async def _goes_on(person: Person, position: int) -> None:
    await _finds(person, "Next statement", position)
    after = _at(person, position + 1)
    await person.sees(STATEMENTS[position].strategic, on=after)
    # Where the client does not ask for one's own card by itself, one does.
    if not await after.get_by_role("button", name="Save my ratings").count():
        await person.presses("Take part", on=after)


async def _pauses(person: Person) -> None:
    await _finds(person, "For the facilitator", 4)
    more = person.card_with("This is where you move the session on.")
    await person.takes_a_picture("session_more", of=more)
    await person.presses("See what we agreed", on=more)
    so_far = person.card_with("Agreed so far: 3 of 22 statements.")
    await person.takes_a_picture("session_so_far", of=so_far)
    await person.presses("Back to the session", on=so_far)
    await _finds(person, "For the facilitator", 4)
    await person.presses("Pause the session", on=person.card_with("This is where you move"))
    paused = person.card_with("The session is paused at statement 4 of 22.")
    await person.takes_a_picture("session_paused", of=paused)


async def _finds(person: Person, title: str, position: int) -> None:
    await person.presses(title, on=_at(person, position))


def _at(person: Person, position: int) -> Locator:
    return person.card_with(f"{position} of {len(STATEMENTS)}")


def _said(option: Option) -> str:
    return PACK.wording.word("option", option=option.label, hint=option.hint)
