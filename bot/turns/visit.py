"""What a turn works with: the service, and one snapshot as this person sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

from bot.afterwards import Afterwards
from bot.directory import Directory
from bot.editing import Editing
from bot.printing import Printer
from bot.roster import Roster
from bot.turns.turn import Address, File, Turn
from cards.page import Page, Setting, page_of, say_day
from cards.parts import Card
from content.packs import FIRST_LANGUAGE
from snapshot.advice import Library
from snapshot.calendar import IsWorkingDay, earliest_mixing
from snapshot.envelope import Envelope
from snapshot.instrument import Instrument
from snapshot.keeping import Keeping
from snapshot.opening import Running
from snapshot.plan import area_of
from snapshot.ports import Records, SnapshotId
from snapshot.screening import Screener
from snapshot.sealing import Person
from snapshot.snapshot import Phase
from snapshot.survey import Survey
from snapshot.wording import Pack

type Keep = Callable[[Address, Sequence[File]], Awaitable[None]]
type Handler = Callable[[Visit], Awaitable[Card]]


@dataclass(frozen=True, slots=True)
class Rights:
    """Who may do what. Facilitators are those on a list, and the owners of some teams.

    Without either, which only local use allows, anybody may. `tenants`: those whose people may take
    part; empty: that of whoever opens a snapshot. `owners`: those who are known now; None: it does
    not go by owners.
    """

    tenants: tuple[str, ...] = ()
    listed: frozenset[Person] = frozenset()
    owners: Callable[[], frozenset[Person]] | None = None

    def may_facilitate(self, person: Person) -> bool:
        is_open = not self.listed and self.owners is None
        return is_open or person in self._facilitators()

    def may_moderate(self, person: Person) -> bool:
        """Facilitators must not see words before they are moderated."""
        return person not in self._facilitators()

    def _facilitators(self) -> frozenset[Person]:
        return self.listed | (self.owners() if self.owners else frozenset())


@dataclass(frozen=True, slots=True)
class Service:
    """The parts that turns need. `clock` tells the time with its zone; `wake` calls the worker.

    `working_days` tells for each nation which days are working days; `new_id` makes random ids;
    `fetch` gets a file that was attached, or raises `NoFile`; `put` puts one where somebody wants
    it, or raises `NotTaken`, and `taken` are the last places where that was begun, as hashes; so
    does `keep` where everybody in a channel finds it, if that is wanted.
    `afterwards` ends what takes longer than a turn; `roster` knows who belongs to a conversation;
    `editing` edits messages that stand already; `libraries` are recommendations by language, where
    the programme has any. Into the folder `reports`, in local use, reports are written as well as
    offered; `printer` prints them. `keeping` tells how long everything is kept after a close.
    Whoever opens a snapshot holds `opening`.
    """

    directory: Directory
    records: Records
    packs: Mapping[str, Pack]
    setting: Setting
    rights: Rights
    screener: Screener
    libraries: Mapping[str, Library]
    clock: Callable[[], datetime]
    working_days: Callable[[str], IsWorkingDay]
    new_id: Callable[[], str]
    wake: Callable[[], None]
    fetch: Callable[[str], Awaitable[bytes]]
    put: Callable[[str, bytes], Awaitable[None]]
    afterwards: Afterwards
    roster: Roster
    editing: Editing
    reports: Path | None
    keep: Keep | None = None
    keeping: Keeping = field(default_factory=Keeping)
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    printer: Printer = field(default_factory=Printer)
    taken: dict[bytes, None] = field(default_factory=dict)
    pages: dict[tuple[str, str], tuple[datetime, Page]] = field(default_factory=dict)

    @property
    def pack(self) -> Pack:
        """The language of whoever is not known to read another."""
        return self.packs[FIRST_LANGUAGE]

    def pack_for(self, *languages: str) -> Pack:
        """The pack of the first of these languages that there is one for."""
        for language in languages:
            for name, pack in self.packs.items():
                if language and name[:2] == language[:2].lower():
                    return pack
        return self.pack

    def instrument(self, running: Running) -> Instrument:
        return self.pack_for(running.snapshot.language).instrument

    def library(self, running: Running) -> Library | None:
        """What the programme recommends, if it does, in the language of the report."""
        return self.libraries.get(self.instrument(running).language)

    def area(self, running: Running) -> SnapshotId:
        """Whose plan it is: that of the area, in the tenant where it was opened."""
        channel = self.directory.address(running)
        return area_of(running, channel.tenant if channel else "")

    def page(self, running: Running, language: str = "") -> Page:
        """Made once and kept: putting dates into words costs as much as a card.

        Without a language, in that of the channel and the report.
        """
        snapshot = running.snapshot
        pack = self.pack_for(language, snapshot.language)
        key = (snapshot.id, pack.wording.language)
        mixing = earliest_mixing(snapshot, self.clock())
        known = self.pages.get(key)
        if known and known[0] == mixing and known[1].snapshot == snapshot:
            return known[1]
        other = next((name for name in self.packs if name != pack.wording.language), "")
        page = page_of(snapshot, pack, self.setting, mixing=mixing, other=other)
        self.pages[key] = mixing, page
        return page


@dataclass(frozen=True, slots=True)
class Visit:
    """One turn in one snapshot. `envelope` is the person's, where the turn is about it."""

    turn: Turn
    service: Service
    running: Running
    page: Page
    envelope: Envelope | None = None

    @property
    def survey(self) -> Survey:
        chat = self.turn.address.as_json()
        return survey_of(self.service, self.running, self.envelope, chat)

    @property
    def takes_answers(self) -> bool:
        return takes_answers(self.service, self.running)

    def in_language(self, language: str) -> Visit:
        return replace(self, page=self.service.page(self.running, language))


def survey_of(
    service: Service,
    running: Running,
    known: Envelope | None = None,
    chat: Mapping[str, str] | None = None,
) -> Survey:
    return Survey(running, service.instrument(running), service.records, known, chat)


def takes_answers(service: Service, running: Running) -> bool:
    """Until the deadline by the clock, whether or not somebody has noticed it yet."""
    return service.clock() < running.snapshot.deadline and running.phase is Phase.OPEN


def closed_date(running: Running, page: Page) -> str:
    """The day of the close in words, or else that of the deadline."""
    if running.closed:
        return say_day(date.fromisoformat(running.closed), page.pack)
    return page.facts["deadline_date"]
