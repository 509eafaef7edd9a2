"""What a turn works with: the service, and one snapshot as this person sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from bot.directory import Directory
from bot.turns.turn import Turn
from cards.page import Page, Setting, page_of, say_day
from cards.parts import Card
from snapshot.opening import Running
from snapshot.ports import Records
from snapshot.snapshot import Phase
from snapshot.survey import Survey
from snapshot.wording import Pack

type Handler = Callable[[Visit], Awaitable[Card]]


@dataclass(frozen=True, slots=True)
class Service:
    """The parts that turns need. `clock` tells the time with its zone; `wake` calls the worker."""

    directory: Directory
    records: Records
    packs: Mapping[str, Pack]
    setting: Setting
    clock: Callable[[], datetime]
    wake: Callable[[], None]
    pages: dict[str, Page] = field(default_factory=dict)

    @property
    def pack(self) -> Pack:
        """The language of whoever has not chosen one yet."""
        return self.packs["en-GB"]

    def page(self, running: Running) -> Page:
        """Made once and kept: putting dates into words costs as much as a card."""
        snapshot = running.snapshot
        known = self.pages.get(snapshot.id)
        if known is None or known.snapshot != snapshot:
            known = page_of(snapshot, self.packs[snapshot.language], self.setting)
            self.pages[snapshot.id] = known
        return known


@dataclass(frozen=True, slots=True)
class Visit:
    """One turn in one snapshot."""

    turn: Turn
    service: Service
    running: Running
    page: Page

    @property
    def survey(self) -> Survey:
        return Survey(self.running, self.page.instrument, self.service.records)

    @property
    def takes_answers(self) -> bool:
        """Until the deadline by the clock, whether or not somebody has noticed it yet."""
        in_time = self.service.clock() < self.running.snapshot.deadline
        return in_time and self.running.phase is Phase.OPEN


def closed_date(running: Running, page: Page) -> str:
    """The day of the close in words, or else that of the deadline."""
    if running.closed:
        return say_day(date.fromisoformat(running.closed), page.pack)
    return page.facts["deadline_date"]
