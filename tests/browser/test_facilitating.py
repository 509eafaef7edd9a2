"""In Microsoft's local Teams, through Chromium: a snapshot is opened, commented and moderated."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from content.packs import load_packs
from tests.browser.teams import LocalTeams, Person
from tests.stories.opening import CONTACTS

pytestmark = pytest.mark.asyncio(loop_scope="session")

PACK = load_packs()["en-GB"]
FACILITATORS, MODERATORS = "Snapshot facilitators", "General"
HEADCOUNTS = {"Police": "90", "Health": "160", "Probation or youth justice": "12"}
COMMENT = "Joint training has helped us to speak one language."


async def test_a_snapshot_is_opened_by_a_form_and_chosen_from_two(
    teams: LocalTeams, person: Person
) -> None:
    await person.opens(teams.address)
    await person.goes_to(MODERATORS)
    await person.tells_the_bot("new")
    form = person.card_with("Open a snapshot")
    await person.fills(
        {
            "Area": "Norfolk",
            "Partnership": "Norfolk safeguarding children partnership",
            "Closing date": _in_12_days(),
            "Report due in": "May",
            **{f"Headcount: {agency}": n for agency, n in HEADCOUNTS.items()},
        },
        on=form,
    )
    await person.presses("Next: contacts", on=form)
    again = person.card_with("Please look again at this field: Nation.")
    await person.takes_a_picture("form_again", of=again)
    await person.chooses("England", on=again)
    await person.presses("Next: contacts", on=again)

    contacts = person.card_with("Who can people turn to?")
    labels = {id: PACK.wording.inputs[id].text for id in CONTACTS}
    await person.fills({labels[id]: value for id, value in CONTACTS.items()}, on=contacts)
    await person.takes_a_picture("contacts", of=contacts)
    await person.presses("Next: check everything", on=contacts)

    last = person.card_with("Please check everything once more: Norfolk")
    await person.sees("Mixing: Every third day", "Police and other agencies: 102", on=last)
    await person.takes_a_picture("last_look", of=last)
    await person.presses("Open the snapshot", on=last)
    opened = person.card_with("No moderators have registered yet.")
    await person.takes_a_picture("opened", of=opened)
    await person.sees("The snapshot for Norfolk is open.", on=person.card_with("Link to share"))

    await person.goes_to("Personal Chat")
    await person.types("start")
    await person.sees("There is more than one snapshot.", "Norfolk", "Exampleshire")
    await person.takes_a_picture("choose")
    await person.page.get_by_role("button", name="Go to this snapshot").first.click()
    await person.sees("how well children in Norfolk are kept safe")


async def test_a_comment_is_checked_kept_and_seen_again(teams: LocalTeams, person: Person) -> None:
    await person.opens(teams.address)
    await person.goes_to(FACILITATORS)
    await person.tells_the_bot("status")
    status = person.card_with("No moderators have registered yet.")
    await person.presses("Show the moderators' code", on=status)
    shown = person.card_with("The moderators' code for")
    await person.sees("and to nobody else", on=shown)
    code = re.search(r"moderate ([A-Z2-9]{8})", await shown.inner_text())
    assert code
    await person.goes_to(MODERATORS)
    await person.tells_the_bot(f"moderate {code[1]}")
    await person.sees("Thank you.", on=person.card_with("This channel now moderates the comments"))

    await person.goes_to("Personal Chat")
    await person.presses("Continue")
    await person.presses("Health")
    for statement in PACK.instrument.statements:
        await person.sees(statement.text)  # the tap before has arrived
        await person.presses("Partly true")
    await person.sees("Would you like to add anything?")
    await person.fills({"Your comment: CSA Prevention": "Ring me on 07700 900123."})
    await person.takes_a_picture("comments")
    await person.presses("Next")
    await person.sees("Please take this out: a phone number.")
    await person.takes_a_picture("comments_checked")

    await person.presses("Cymraeg")
    await person.presses("English")
    await person.fills({"Your comment: CSA Prevention": COMMENT})
    await person.presses("Next")
    await person.presses("See my answers")
    await person.sees("Your comments", COMMENT)
    await person.takes_a_picture("review_with_comments")
    await person.presses("Send my answers")
    await person.sees("Thank you. Your answers are sent and sealed.")


def _in_12_days() -> str:
    return (datetime.now(UTC) + timedelta(days=12)).date().isoformat()
