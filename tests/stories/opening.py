"""Opening a snapshot by its form, as a facilitator does: three cards in a channel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.rehearsal.teams import Json, PersonHere, Sent, Shown, Teams
from bot.worker import Deed
from snapshot.opening import Running
from tests.ports import free_port
from tests.stories.conftest import RunningBot
from tests.stories.people import seen

type Form = Mapping[str, str]

SNAPSHOT: Form = {
    "area": "Otherwick",
    "partnership_name": "Otherwick Safeguarding Children Partnership",
    "nation": "England",
    "deadline": "2026-03-14",
    "deadline_time": "16:30",
    "quiet_dates": "3 April 2026; 6-17 April 2026",
    "report_month": "April",
    "threshold": "10",
    "mixing": "every_3_days",
    "headcount.police": "90",
    "headcount.childrens_social_care": "70",
    "headcount.health": "160",
    "headcount.education_early_years": "210",
    "headcount.probation_youth_justice": "12",
    "headcount.voluntary_community": "18",
    "headcount.housing_other": "0",
    "language": "en-GB",
}
"""The first card. Twelve and eighteen people are too few to stand alone, and enough together."""

CONTACTS: Form = {
    "front_door_name": "Otherwick MASH",
    "front_door_phone": "01632 960 101",
    "front_door_hours": "Monday to Thursday, 8am to 6pm",
    "out_of_hours_phone": "(01632) 960-102",
    "allegations_contact": "the LADO on 01632 960 103",
    "staff_support": "the listening service on 01632 960 104",
    "safeguarding_name": "Siân O'Neill-Ŵyn",
    "safeguarding_email": "sian.o'neill@otherwick.example",
    "contact_email": "snapshot+questions@otherwick.example",
    "data_controller": "Otherwick Council (children's services)",
    "privacy_url": "https://otherwick.example/privacy?for=snapshot",
}
"""The second card."""


@dataclass
class BotOnDemand(RunningBot):
    """Does what is due when a story says so (`works`), and not before."""

    async def starts(self) -> None:
        await super().starts()
        await self.stops_working()

    async def works(self) -> list[Deed]:
        return await self.app.worker.do_due()


@asynccontextmanager
async def another_process(bot: BotOnDemand) -> AsyncIterator[BotOnDemand]:
    """A second bot on the same files, which remembers nothing of what the first one does."""
    async with BotOnDemand(bot.folder, free_port(), clock=bot.clock) as other:
        yield other


def a_form(**changed: str) -> Form:
    """All that is typed. `headcount.police` is changed as `headcount_police`; "" leaves it out."""
    said = {
        f"headcount.{id.removeprefix('headcount_')}" if id.startswith("headcount_") else id: value
        for id, value in changed.items()
    }
    return {**SNAPSHOT, **CONTACTS, **said}


def only_headcounts(**counts: str) -> Form:
    """The form with these headcounts, and nobody anywhere else."""
    nobody = {id.replace(".", "_"): "0" for id in SNAPSHOT if id.startswith("headcount.")}
    return a_form(**nobody | {f"headcount_{agency}": n for agency, n in counts.items()})


def onward(shown: Shown) -> Json:
    """The button that keeps what was typed, whatever language it is in."""
    (action,) = [
        a
        for verb in ("snapshot.new", "snapshot.contacts", "snapshot.open")
        for a in shown.actions(verb)
        if a["data"].get("save")
    ]
    return action


async def goes_on(person: PersonHere, channel: str, form: Form | None = None) -> Shown:
    """Type into the card what the form has for it, and press the button that leads onward."""
    shown = seen(person)
    typed = {id: value for id, value in (form or a_form()).items() if id in shown.inputs}
    answer = await person.acts(onward(shown), shown.filled(typed), chat=channel)
    person.sees = answer.card
    return answer.card


async def looks_once_more(
    person: PersonHere, channel: str, form: Form | None = None, *, word: str = "new"
) -> Shown:
    """Fill in both cards; the last one, before anything is opened."""
    await person.posts(word, channel)
    await goes_on(person, channel, form)
    return await goes_on(person, channel, form)


async def opens(person: PersonHere, channel: str, form: Form | None = None) -> Shown:
    await looks_once_more(person, channel, form)
    return await goes_on(person, channel, form)


async def opens_in(teams: Teams, bot: RunningBot, name: str, form: Form | None = None) -> Running:
    """A facilitator of its own opens a snapshot in a channel of this name."""
    known = {r.snapshot.id for r in await bot.app.service.directory.all()}
    await opens(teams.person(f"Facilitator of {name}"), teams.channel(name), form)
    (opened,) = [
        r for r in await bot.app.service.directory.all(fresh=True) if r.snapshot.id not in known
    ]
    return opened


def own_threads(teams: Teams, channel: str) -> list[Sent]:
    """What the bot posted to a channel unasked, each as a thread of its own."""
    return [s for s in teams.posts(channel) if ";" not in s.conversation]
