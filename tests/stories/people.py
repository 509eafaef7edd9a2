"""What practitioners and facilitators do in the stories, in their own words."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from bot.rehearsal.teams import PersonHere, Sent, Shown, Teams

STATEMENTS = 22
OPTIONS = (
    "Not true yet",
    "Partly true",
    "Mostly true",
    "Fully true",
    "Don't know",
    "Not relevant to my role",
)
AGENCIES = (
    "Police",
    "Children's social care",
    "Health",
    "Education or early years",
    "Voluntary or community sector",
)


def asks_about(shown: Shown) -> str:
    """The statement that a card's buttons answer."""
    (found,) = {str(a["data"]["statement"]) for a in shown.actions("survey.answer")}
    return found


async def begins(person: PersonHere, agency: str = "Police") -> Shown:
    await person.types("start")
    await person.presses("Continue")
    return await person.presses(agency)


async def answers(person: PersonHere, options: Sequence[str]) -> Shown:
    """Give these answers, one after the other; the card that comes after the last."""
    for option in options:
        await person.presses(option)
    return seen(person)


async def answers_all(person: PersonHere, option: str = "Mostly true") -> Shown:
    return await answers(person, [option] * STATEMENTS)


async def sends(person: PersonHere) -> Shown:
    return await person.presses("Send my answers")


def seen(person: PersonHere) -> Shown:
    assert person.sees, "there is a card in front of them"
    return person.sees


@dataclass(frozen=True, slots=True)
class Respondent:
    """Somebody with an agency and an opinion; `options` has one for each statement."""

    person: PersonHere
    agency: str
    options: tuple[str, ...]

    async def takes_part(self) -> None:
        await begins(self.person, self.agency)
        await answers(self.person, self.options)
        await sends(self.person)


def respondents(
    teams: Teams, how_many: int, agencies: Sequence[str], dice: Random
) -> list[Respondent]:
    return [
        Respondent(
            teams.person(f"Canary-Name-{number}"),
            agencies[number % len(agencies)],
            tuple(dice.choices(OPTIONS, k=STATEMENTS)),
        )
        for number in range(how_many)
    ]


async def closes(facilitator: PersonHere, channel: str) -> None:
    await facilitator.posts("close", channel)
    await facilitator.presses_in(channel, "Yes, close it now")


async def summary_in(teams: Teams, channel: str) -> Sent:
    """The first post in the channel that is not a reply, once it is there."""
    async with asyncio.timeout(60):
        while True:
            posts = [s for s in teams.posts(channel) if ";" not in s.conversation]
            if posts:
                return posts[0]
            await asyncio.sleep(0.02)
