"""What partners and facilitators do in the strategic session, in their own words."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.rehearsal.teams import Answer, Json, PersonHere, Sent, Shown, Teams
from snapshot import session as core
from snapshot.instrument import StatementId
from snapshot.opening import Running
from snapshot.session import Agreed, Partner, Session
from tests.ports import free_port
from tests.stories.conftest import RunningBot
from tests.stories.opening import BotOnDemand
from tests.stories.people import seen

HOME = "tenant-of-exampleshire"
FAY, FLO = (str(uuid.UUID(int=number)) for number in (0xFA1, 0xF10))
AGENCIES = ("Police", "Health", "Children's social care", "Education or early years")

_TRIES = 8

TAKE_PART, SAVE = "Take part", "Save my ratings"
SHOW, AGAIN, RECORD = "Show the ratings", "Rate again", "Record what we agreed"
NEXT, BEFORE = "Next statement", "Statement before"
MORE, PAUSE, DISSENT = "For the facilitator", "Pause the session", "Note who does not agree"


async def a_session_bot(folder: Path) -> AsyncIterator[BotOnDemand]:
    """Only Fay and Flo facilitate."""
    listed = {"SNAPSHOT_FACILITATORS": f"{HOME}/{FAY},{HOME}/{FLO}"}
    async with BotOnDemand(folder, free_port(), more_settings=listed) as running:
        await running.opens_a_snapshot()
        yield running


@dataclass
class Room:
    """A channel or a meeting's chat with Fay, Flo and as many partners as were asked in."""

    teams: Teams
    bot: RunningBot
    place: str
    fay: PersonHere = field(init=False)
    flo: PersonHere = field(init=False)
    message: Sent = field(init=False)

    def __post_init__(self) -> None:
        self.fay = self.facilitator("Fay", FAY)
        self.flo = self.facilitator("Flo", FLO)

    def facilitator(self, name: str, object_id: str) -> PersonHere:
        known = PersonHere(self.teams, name, HOME, object_id)
        self.teams.people[known.id] = known
        return known

    async def starts(self, word: str = "session") -> Shown:
        shown = await self.fay.posts(word, self.place)
        self.message = self.teams.posts(self.place)[-1]
        return shown

    async def joins(self, name: str, agency: str = "Police") -> PersonHere:
        person = self.teams.person(name)
        await self.looks(person)
        await self.presses(person, TAKE_PART)
        await self.presses(person, agency)
        return person

    async def partners(self, how_many: int) -> list[PersonHere]:
        return [
            await self.joins(f"Partner {n}", AGENCIES[n % len(AGENCIES)]) for n in range(how_many)
        ]

    async def looks(self, person: PersonHere) -> Shown:
        """What stands in front of somebody: the message, or their own card in its place."""
        return await person.looks_at(self.message)

    async def presses(
        self, person: PersonHere, title: str, typed: Mapping[str, str] | None = None
    ) -> Shown:
        shown = seen(person)
        return await self.does(person, shown.action(title), shown.filled(typed or {}))

    async def does(self, person: PersonHere, action: Json, filled: Json | None = None) -> Shown:
        """Again, where a busy machine has made a turn too long: nothing is done twice by it."""
        for _ in range(_TRIES):
            answer = await person.acts(action, filled, chat=self.message.conversation)
            person.sees = answer.card
            if "Something went wrong on our side." not in answer.card.words:
                break
        return seen(person)

    async def rates(
        self, person: PersonHere, progress: str = "partly", evidence: str = "some"
    ) -> Shown:
        """On their own card, as it is by now: one tap for each."""
        await self.sees_their_own(person)
        await self.taps(person, progress=progress)
        return await self.taps(person, evidence=evidence)

    async def taps(self, person: PersonHere, **option: str) -> Shown:
        """The button of the card in front of them that stands for an option of a scale."""
        return await self.does(person, tap(person, **option))

    async def saves(self, person: PersonHere) -> Shown:
        """Their ratings of the round before, as they are."""
        await self.sees_their_own(person)
        return await self.presses(person, SAVE)

    async def sees_their_own(self, person: PersonHere) -> Shown:
        """As if Teams had asked for it: perhaps before the message is edited."""
        (action,) = Shown(self.message.activity["attachments"][0]["content"]).actions(
            "session.join"
        )
        return await self.does(person, {**action, "verb": "session.show"})

    async def has_it_shown(self, who: PersonHere | None = None) -> Shown:
        who = who or self.fay
        await self.sees_their_own(who)
        return await self.presses(who, SHOW)

    async def opens_the_form(self, who: PersonHere, title: str = RECORD) -> Shown:
        """Once the message is up to date: an edit would wipe what is typed until then."""
        async with asyncio.timeout(60):
            while True:
                await self.sees_their_own(who)
                shown = await self.presses(who, title)
                if shown.inputs:
                    return shown
                assert "One moment, please" in shown.words
                await asyncio.sleep(0.02)

    async def records(self, who: PersonHere | None = None, **typed: str) -> Shown:
        who = who or self.fay
        await self.opens_the_form(who)
        return await self.presses(who, RECORD, {"progress": "partly", "evidence": "some"} | typed)

    async def goes_on(self, who: PersonHere | None = None) -> Shown:
        who = who or self.fay
        await self.sees_their_own(who)
        return await self.presses(who, NEXT)

    async def pauses(self) -> Shown:
        await self.sees_their_own(self.fay)
        await self.presses(self.fay, MORE)
        return await self.presses(self.fay, PAUSE)

    async def disagrees(self, agency: str, note: str) -> Shown:
        await self.opens_the_form(self.fay, DISSENT)
        return await self.presses(self.fay, "Save", {"dissent_agency": agency, "dissent": note})

    @property
    def facilitators(self) -> set[str]:
        return {self.fay.id, self.flo.id}

    async def agreed(self) -> Agreed:
        """What stands of the first statement."""
        return (await self.session()).agreed[StatementId("AW1")]

    async def joined(self) -> Sequence[Partner]:
        return await core.partners(await self.running(), self.bot.app.service.records)

    async def session(self) -> Session:
        found = await core.find(await self.running(), self.bot.app.service.records)
        assert found
        return found

    async def given(self) -> Sequence[object]:
        """Every rating that is kept by now."""
        return [rating for partner in await self.joined() for rating in partner.given.values()]

    async def running(self) -> Running:
        (running,) = await self.bot.app.service.directory.all()
        return running


def tap(person: PersonHere, **option: str) -> Json:
    (scale, id), *_ = option.items()
    return next(a for a in seen(person).actions("session.rate") if a["data"].get(scale) == id)


async def forges(person: PersonHere, title: str, place: str, **changed: Any) -> Answer:
    """Press what stands on the card in front of them, with other data than it carries."""
    return await person.acts(seen(person).action(title), chat=place, **changed)
