"""What practitioners do in a rehearsal, one visit after the other, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bot.rehearsal.people import Ending, Made
from bot.rehearsal.stage import GoesWrong, Kind, Stage, only
from bot.rehearsal.teams import PersonHere, Shown
from bot.rehearsal.words import NUMBER
from cards.comments import box_id
from cards.verbs import Verb
from snapshot.instrument import OptionId, StatementId


class Part(StrEnum):
    """How far somebody is, as they know it."""

    NEW = "new"
    BEGUN = "begun"
    SENT = "sent"
    WITHDRAWN = "withdrawn"


@dataclass
class Practitioner:
    """One of the made-up people at their devices. `answers` are those that the bot took."""

    made: Made
    here: PersonHere
    part: Part = Part.NEW
    is_quiet: bool = False
    is_greeted: bool = False
    answers: dict[StatementId, OptionId] = field(default_factory=dict)

    @property
    def is_unfinished(self) -> bool:
        """Whether reminders to finish are for them."""
        return self.part is Part.BEGUN and not self.is_quiet

    async def installs(self, stage: Stage) -> None:
        """An administrator gives them the app: they are greeted when it is their turn."""
        await self.here.installs()
        stage.expected[self.made.object_id, Kind.GREETING] += 1
        self.is_greeted = True

    async def comes(self, stage: Stage) -> None:
        """The first visit: some stop in the middle."""
        shown = await self._begins(stage)
        stops = self.made.manner.stops_after
        if stops is not None:
            await self._answers(stage, shown, until=stops)
        else:
            await self._goes_to_the_end(stage, shown)
        self.here.sees = None

    async def comes_back(self, stage: Stage) -> None:
        """Goes on where they stopped, perhaps on another device."""
        if self.part is not Part.BEGUN:
            raise GoesWrong("somebody came back who had not begun")
        if self.made.manner.other_device:
            self.here = self.here.on_another_device()
        await self._goes_to_the_end(stage, await stage.opens(self.here))
        self.here.sees = None

    async def comes_too_late(self, stage: Stage) -> None:
        """After the close, to what the chat still shows."""
        shown = await stage.opens(self.here)
        if shown.actions(Verb.ANSWER) or shown.actions(Verb.SUBMIT):
            raise GoesWrong("somebody could still answer after the close")
        self.here.sees = None

    # -- one step after the other ---------------------------------------------------------------

    async def _begins(self, stage: Stage) -> Shown:
        manner = self.made.manner
        if self.is_greeted:
            shown = await stage.opens(self.here)
        else:
            shown = await stage.types(self.here, "start")
            shown = await stage.presses(self.here, only(shown, Verb.SHOW))
        if manner.switches_language:
            shown = await stage.presses(self.here, only(shown, Verb.LANGUAGE))
        if manner.asks:
            await stage.presses(self.here, only(shown, manner.asks))
            self.here.sees = shown
        begin = only(shown, Verb.BEGIN, agency=self.made.agency)
        shown = await stage.presses(self.here, begin)
        self.part = Part.BEGUN
        return shown

    async def _goes_to_the_end(self, stage: Stage, shown: Shown) -> None:
        shown = await self._answers(stage, shown, until=len(self.made.answers))
        if shown.actions(Verb.COMMENTS):
            shown = await self._comments(stage, shown)
        if self.made.manner.changes or self.made.manner.reviews:
            shown = await self._reviews(stage, shown)
        match self.made.manner.ending:
            case Ending.SENDS | Ending.TAKES_BACK:
                await stage.presses(self.here, only(shown, Verb.SUBMIT))
                self.part = Part.SENT
                if self.made.manner.ending is Ending.TAKES_BACK:
                    await self._withdraws(stage)
            case Ending.WITHDRAWS:
                await self._withdraws(stage)
            case Ending.WANTS_QUIET:
                shown = await stage.types(self.here, "withdraw")
                await stage.presses(self.here, only(shown, Verb.QUIET))
                self.is_quiet = True

    async def _answers(self, stage: Stage, shown: Shown, *, until: int) -> Shown:
        """The statements in their order, from the first that has no answer yet."""
        manner = self.made.manner
        for place in range(len(self.answers), until):
            statement = stage.instrument.statements[place].id
            option = manner.changes.get(statement, self.made.answers[statement])
            if place == manner.goes_back_at and place == len(self.answers):
                shown = await self._looks_back(stage, shown, statement)
            shown = await self._answer(
                stage, shown, statement, option, twice=place in manner.taps_twice
            )
        return shown

    async def _answer(
        self,
        stage: Stage,
        shown: Shown,
        statement: StatementId,
        option: OptionId,
        *,
        twice: bool = False,
    ) -> Shown:
        action = only(shown, Verb.ANSWER, statement=statement, option=option)
        if twice:
            both = await asyncio.gather(*(stage.presses(self.here, action) for _ in range(2)))
            shown = next((s for s in both if not _asks(s, statement)), both[0])
            self.here.sees = shown
        else:
            shown = await stage.presses(self.here, action)
        if _asks(shown, statement):
            raise GoesWrong("a statement was asked again that had just been answered")
        self.answers[statement] = option
        return shown

    async def _looks_back(self, stage: Stage, shown: Shown, statement: StatementId) -> Shown:
        """At the answer before, and on again by giving the same one."""
        before = await stage.presses(self.here, only(shown, Verb.BACK, statement=statement))
        (last,) = {action["data"]["statement"] for action in before.actions(Verb.ANSWER)}
        return await self._answer(stage, before, last, self.answers[last])

    async def _comments(self, stage: Stage, shown: Shown) -> Shown:
        """One save; what the bot objects to is mended, or kept where it only asks."""
        typed = {box_id(domain): words for domain, words in self.made.comments.items()}
        careless = {id: f"{words} {NUMBER}" for id, words in typed.items()}
        if careless and self.made.manner.careless:
            shown = await stage.presses(self.here, _save(shown), careless)
            if not shown.inputs:
                raise GoesWrong("a telephone number in a comment was not noticed")
        shown = await stage.presses(self.here, _save(shown), typed)
        for _ in range(2):
            if shown.inputs:
                keep = [a for a in shown.actions(Verb.COMMENTS) if a["data"].get("keep")]
                shown = await stage.presses(self.here, keep[0] if keep else _save(shown), typed)
        if shown.inputs:
            raise GoesWrong("a comment was not taken that has nothing wrong in it")
        return shown

    async def _reviews(self, stage: Stage, shown: Shown) -> Shown:
        shown = await stage.presses(self.here, only(shown, Verb.REVIEW))
        for statement in self.made.manner.changes:
            shown = await stage.presses(self.here, only(shown, Verb.CHANGE, statement=statement))
            option = self.made.answers[statement]
            await self._answer(stage, shown, statement, option)
            if self.here.sees is None:
                raise GoesWrong("there is no card")
            shown = await stage.presses(self.here, only(self.here.sees, Verb.REVIEW))
        return shown

    async def _withdraws(self, stage: Stage) -> None:
        shown = await stage.types(self.here, "withdraw")
        await stage.presses(self.here, only(shown, Verb.WITHDRAW, confirmed=True))
        self.part, self.answers = Part.WITHDRAWN, {}


def _asks(shown: Shown, statement: StatementId) -> bool:
    return any(a["data"].get("statement") == statement for a in shown.actions(Verb.ANSWER))


def _save(shown: Shown) -> Mapping[str, object]:
    """The button that saves what is typed, and does nothing else."""
    (action,) = [
        action
        for action in shown.actions(Verb.COMMENTS)
        if action["data"].get("save") and not {"keep", "clear"} & set(action["data"])
    ]
    return action
