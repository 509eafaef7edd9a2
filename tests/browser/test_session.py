"""In Microsoft's local Teams, through Chromium: three statements of a strategic session."""

from __future__ import annotations

from contextlib import suppress

import pytest
from playwright.async_api import Locator, expect
from playwright.async_api import TimeoutError as PlaywrightTimeout

from content.packs import load_packs
from snapshot.session import strategic_of
from tests.browser.teams import LocalTeams, Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

PACK = load_packs()["en-GB"]
STATEMENTS = PACK.instrument.statements
PROGRESS = strategic_of(PACK.instrument).progress.options
EVIDENCE = strategic_of(PACK.instrument).evidence.options
SOON_MS = 1_000
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
    await _finds(person, PROGRESS[position].label, position)
    await _comes_to(person, f"Your rating: {PROGRESS[position].label}", position)
    await person.takes_a_picture(f"session_half_{position}", of=_at(person, position))
    await _finds(person, EVIDENCE[2].label, position)
    await _comes_to(person, "Your ratings are saved.", position)
    await person.takes_a_picture(f"session_saved_{position}", of=_at(person, position))


async def _agrees(person: Person, position: int) -> None:
    await _finds(person, "Show the ratings", position)
    spread = person.card_with("this is the spread of ratings")
    await person.sees(f"{PROGRESS[position].label}: 1", "This is near agreement.", on=spread)
    await person.takes_a_picture(f"session_spread_{position}", of=spread)
    form = _at(person, position)
    note = form.get_by_label("Note", exact=True)
    while not await note.count():  # not as long as an edit is about to come
        await _finds(person, "Record what we agreed", position)
        with suppress(AssertionError):
            await expect(note).to_be_visible(timeout=SOON_MS)
    await person.fills({"Note": NOTE, "Evidence that we named": "An audit."}, on=form)
    await person.takes_a_picture(f"session_form_{position}", of=form)
    await person.presses("Record what we agreed", on=form)
    agreed = person.card_with(f"{STATEMENTS[position - 1].short}: agreed.")
    await person.sees("Better <b>since</b> the *audit* of 2025.", "An audit.", on=agreed)
    await person.takes_a_picture(f"session_agreed_{position}", of=agreed)


async def _goes_on(person: Person, position: int) -> None:
    await _finds(person, "Next statement", position)
    await person.sees(STATEMENTS[position].strategic, on=_at(person, position + 1))


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
    """Press a button. The Playground does not ask for one's own card when the message is edited."""
    card = _at(person, position)
    button = card.get_by_role("button", name=title, exact=True)
    while True:
        await expect(button.or_(_take_part(card)).first).to_be_visible()
        with suppress(PlaywrightTimeout):
            if await button.count():
                await button.click(timeout=SOON_MS)
                return
            await _take_part(card).click(timeout=SOON_MS)


async def _comes_to(person: Person, words: str, position: int) -> None:
    card = _at(person, position)
    while words not in await card.inner_text():
        with suppress(PlaywrightTimeout):
            await _take_part(card).click(timeout=SOON_MS)


def _take_part(card: Locator) -> Locator:
    return card.get_by_role("button", name="Take part", exact=True)


def _at(person: Person, position: int) -> Locator:
    return person.card_with(f"{position} of {len(STATEMENTS)}")
