"""How a facilitator fills in the three cards that open a snapshot."""

from __future__ import annotations

from collections.abc import Mapping

from bot.rehearsal.teams import PersonHere, Shown

CONTACTS = {
    "front_door_name": "Exampleshire front door",
    "front_door_phone": "01632 960 001",
    "front_door_hours": "Monday to Friday, 9am to 5pm",
    "out_of_hours_phone": "01632 960 002",
    "allegations_contact": "the LADO on 01632 960 003",
    "staff_support": "the staff wellbeing service on 01632 960 004",
    "safeguarding_name": "Sam Sample",
    "safeguarding_email": "safeguarding@example.org",
    "contact_email": "snapshot@example.org",
    "data_controller": "Exampleshire safeguarding children partnership",
    "privacy_url": "https://example.org/privacy",
}


def a_form(headcounts: Mapping[str, int], **changed: str) -> dict[str, str]:
    """What is typed into the first card."""
    return {
        "area": "Exampleshire",
        "partnership_name": "Exampleshire safeguarding children partnership",
        "nation": "England",
        "deadline": "2026-03-13",
        "deadline_time": "17:00",
        "report_month": "April",
        "threshold": "10",
        "language": "en-GB",
        **{f"headcount.{agency}": str(n) for agency, n in headcounts.items()},
        **changed,
    }


async def opens_by_form(person: PersonHere, channel: str, form: Mapping[str, str]) -> Shown:
    """All three cards, one after the other; what is shown at the end."""
    await person.posts("new", channel)
    await person.presses_in(channel, "Next: contacts", form)
    await person.presses_in(channel, "Next: check everything", CONTACTS)
    return await person.presses_in(channel, "Open the snapshot")
