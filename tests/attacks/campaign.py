"""One campaign with known truth, played through on a real store, and what is seen of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from snapshot.calendar import POSTED_AT, mixings
from snapshot.closing import begin_close, finish_close
from snapshot.envelope import Contact
from snapshot.errors import NotOpen
from snapshot.interim import mix_due, publish_interim
from snapshot.opening import Running, open_snapshot
from snapshot.ports import KeyExists, KeyMissing, Kind, PinChanged, SnapshotId
from snapshot.sealing import Person
from snapshot.snapshot import Mixing, Snapshot, form_cells
from snapshot.survey import Survey, from_record
from tests.attacks.people import (
    HEADCOUNTS,
    WINDOW_DAYS,
    Act,
    Did,
    Practitioner,
    acts_of,
    first_thoughts,
    instrument,
    practitioners,
)
from tests.attacks.recording import Places, Recorded, Version
from tests.attacks.stores import Store
from tests.core.exampleshire import CONTACTS, K, no_waiting

OPENED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TENANT = "b7c1e3b2-0000-4000-8000-0000000000a1"

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Image:
    """What lay about of the store at one moment."""

    second: int
    content: bytes
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Campaign:
    """Truth (`people`), what Teams logs (`log`) and what the store leaves (the others).

    `places`: where slips lie at the end, by their ids; those of naive stores too. `drafts`: what
    is left of a naive store's.
    """

    seed: int
    running: Running
    people: Sequence[Practitioner]
    log: Sequence[Act]
    history: Sequence[Version]
    images: Sequence[Image]
    places: Mapping[str, Places]
    drafts: bytes = b""

    def tag_of(self, name: str) -> str:
        return self.running.sealer.tag(person(name))


class SeededKeys:
    """Keys from dice, so that a campaign is the same each time: tags hang on the key."""

    def __init__(self, seed: int) -> None:
        self._dice = Random(seed)
        self._keys: dict[str, bytes] = {}
        self.pins: dict[str, str] = {}

    async def create(self, name: str) -> bytes:
        if name in self._keys:
            raise KeyExists(name)
        self._keys[name] = self._dice.randbytes(32)
        return self._keys[name]

    async def read(self, name: str) -> bytes:
        try:
            return self._keys[name]
        except KeyError:
            raise KeyMissing(name) from None

    async def destroy(self, name: str) -> None:
        self._keys.pop(name, None)
        self.pins.pop(name, None)

    async def recoverable_until(self, name: str) -> None:
        return None

    async def recoverable_days(self, name: str) -> int:
        return 0

    async def pinned(self, name: str) -> str | None:
        return self.pins.get(name)

    async def pin(self, name: str, value: str, *, was: str | None) -> None:
        if self.pins.get(name) != was:
            raise PinChanged(name)
        self.pins[name] = value


def person(name: str) -> Person:
    return Person(TENANT, name)


def contact(name: str) -> Contact:
    address = {"conversation": f"a:{name}", "service": "https://smba.example.org/uk/"}
    return Contact(TENANT, name, address, "en-GB")


def settings() -> Snapshot:
    """Every third day for twelve days; two agencies of three people are combined with a third."""
    return Snapshot(
        id=SnapshotId("attacked-2026"),
        area="Exampleshire",
        partnership_name="Exampleshire partnership",
        nation="England",
        language="en-GB",
        tenants=(TENANT,),
        instrument=instrument().id,
        instrument_version=instrument().version,
        cells=form_cells(HEADCOUNTS, k=K, reply_share=0.4),
        k=K,
        mixing=Mixing.EVERY_3_DAYS,
        opened=OPENED,
        deadline=OPENED + timedelta(days=WINDOW_DAYS),
        timezone="Europe/London",
        report_month="April",
        contacts=CONTACTS,
    )


async def play(seed: int, store: Store) -> Campaign:
    """Everything that happens, in the order in which it happens."""
    dice = Random(seed)
    clock = _Clock(store)
    records = Recorded(store.records, clock.second)
    running = await open_snapshot(records, SeededKeys(seed), settings())
    everybody = practitioners(dice)
    play = _Play(running, records, clock, dice, {p.name: p for p in everybody})
    daybook = {p.name: acts_of(p, dice) for p in everybody}
    play.first = {p.name: first_thoughts(p, daybook[p.name]) for p in everybody}
    acts = sorted((a for some in daybook.values() for a in some), key=lambda a: a.second)
    images = []
    for worked_at in [*_workdays(running.snapshot), running.snapshot.deadline]:
        before = int((worked_at - OPENED).total_seconds())
        for act in [a for a in acts if clock.elapsed <= a.second < before]:
            await play.does(act)
        clock.moves(before)
        images.append(Image(before, store.leftovers()))
        await play.works(worked_at)
    images.append(Image(clock.elapsed, store.leftovers(), is_last=True))
    places = await store.places(running.snapshot.id)
    history = store.history(records.history)
    return Campaign(seed, running, everybody, play.log, history, images, places)


@dataclass
class _Clock:
    """One time for all, the store too. `elapsed`: seconds since the opening."""

    store: Store
    elapsed: int = 0

    def second(self) -> int:
        return self.elapsed

    def moves(self, second: int) -> None:
        self.elapsed = second
        self.store.dates(second)


@dataclass
class _Play:
    running: Running
    records: Recorded
    clock: _Clock
    dice: Random
    people: dict[str, Practitioner]
    first: dict[str, dict] = field(default_factory=dict)  # type: ignore[type-arg]
    revisions: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    log: list[Act] = field(default_factory=list)

    async def does(self, act: Act) -> None:
        """What one tap does; Teams logs it whether or not it did anything."""
        self.clock.moves(act.second)
        # Teams knows who tapped when, not what: that stands in a payload which is not logged.
        self.log.append(replace(act, statement=None, option=None))
        survey = self._survey(person(act.name))
        who, one = person(act.name), self.people[act.name]
        match act.did:
            case Did.BEGIN:
                await survey.begin(who, one.agency, contact(act.name))
            case Did.ANSWER | Did.AGAIN:
                await self._answers(survey, act, self.first[act.name][act.statement])
            case Did.CHANGE:
                await self._answers(survey, act, one.answers[act.statement])  # type: ignore[index]
            case Did.COMMENT:
                saved = await survey.comment(who, one.comments, self.revisions[act.name])
                assert saved.ballot is not None
                self.revisions[act.name] = saved.ballot.revision
            case Did.SEND:
                await survey.submit(who)
            case Did.WITHDRAW:
                try:
                    await survey.withdraw(who)
                except NotOpen:
                    return  # mixed in between: too late, as they are told

    def _survey(self, who: Person) -> Survey:
        """As the bot's, which has just read the envelope; no trace is left of that."""
        sealer = self.running.sealer
        found = self.records.latest.get((Kind.ENVELOPE, sealer.tag(who)))
        known = from_record(found, sealer) if found else None
        return Survey(self.running, instrument(), self.records, known)

    async def _answers(self, survey: Survey, act: Act, option: str) -> None:
        assert act.statement is not None
        revision = self.revisions[act.name]
        after = await survey.answer(person(act.name), act.statement, option, revision)
        assert after.ballot is not None
        self.revisions[act.name] = after.ballot.revision

    async def works(self, at: datetime) -> None:
        """What the worker does when its time has come."""
        if at >= self.running.snapshot.deadline:
            closing = await begin_close(self.running, self.records, at, only_if_due=True)
            await finish_close(closing, instrument(), self.records, dice=self.dice, wait=no_waiting)
            return
        await mix_due(self.running, instrument(), self.records, at, dice=self.dice, wait=no_waiting)
        await publish_interim(
            self.running, instrument(), self.records, at, lambda day: day.weekday() < _SATURDAY
        )


def _workdays(snapshot: Snapshot) -> list[datetime]:
    """When there is something to do before the deadline: mixings, and mornings after them."""
    found = []
    for mixing in mixings(snapshot):
        found.append(mixing)
        morning = datetime.combine(mixing.date() + timedelta(days=1), POSTED_AT, mixing.tzinfo)
        found.append(morning)
    return [at for at in found if at < snapshot.deadline]
