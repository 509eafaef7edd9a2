"""In Microsoft's local Teams, through Chromium: what comes unasked, after a tick."""

from __future__ import annotations

import pytest

from bot.working_days import working_days
from snapshot.reminding import nudges, unfinished_reminders
from tests.browser.teams import LocalTeams, Person

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_reminder_comes_to_the_chat_and_a_nudge_and_a_summary_to_the_channel(
    teams: LocalTeams, person: Person
) -> None:
    snapshot = await teams.snapshot()
    working = working_days(snapshot.nation)
    reminded = unfinished_reminders(snapshot, working)[0].at
    nudged = nudges(snapshot, working)[0]
    await person.opens(teams.address)
    await person.goes_to("Snapshot facilitators")
    await person.tells_the_bot("status")
    status = person.card_with("See the reminders")
    await person.presses("See the reminders", on=status)
    coming = person.card_with("to practitioners who have begun and not finished")
    await person.takes_a_picture("reminders_to_come", of=coming)

    await person.goes_to("Personal Chat")
    await person.presses("Continue")
    await person.presses("Health")
    await person.sees("1 of 22")

    done = [await teams.ticks(at) for at in sorted({reminded, nudged})]
    assert "unfinished-reminded" in "".join(done)
    await person.sees("and you have not finished yet.")
    await person.takes_a_picture("reminder_unfinished")
    await person.presses("Continue")
    await person.sees("1 of 22")

    await person.goes_to("Snapshot facilitators")
    nudge = person.card_with("of the headcount had finished")
    await person.sees("Please do not ask anyone if they have answered.", on=nudge)
    await person.takes_a_picture("nudge", of=nudge)
