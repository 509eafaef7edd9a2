"""Exampleshire: a small instrument, made-up people, and a snapshot that runs on real files."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random

from snapshot.envelope import Ballot, Contact, Envelope, State
from snapshot.instrument import (
    DONT_KNOW,
    NOT_RELEVANT,
    Agency,
    AgencyId,
    Band,
    BandId,
    CommentRules,
    Domain,
    DomainId,
    Instrument,
    Limits,
    NearRule,
    Option,
    OptionId,
    Scale,
    Statement,
    StatementId,
    Strategic,
)
from snapshot.mix import Mix, Wait
from snapshot.opening import Running, open_snapshot
from snapshot.ports import Kind, Record, Records, SnapshotId
from snapshot.sealing import Person, Tag
from snapshot.snapshot import Cell, CellId, Contacts, Mixing, Snapshot
from snapshot.survey import Survey, to_record
from snapshot.tally import Slip, Tally
from storage.keyfiles import KeyFiles
from storage.sqlite import SqliteRecords

K = 10
OPENED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TENANT = "a1b2c3d4-0000-4000-8000-000000000001"

SEE_SIGNS = StatementId("SE1")
SEE_PATTERNS = StatementId("SE2")
GIVE_HELP = StatementId("HE1")
SEEING = DomainId("seeing")
HELPING = DomainId("helping")

NOT_YET, PARTLY, MOSTLY, FULLY = (OptionId(o) for o in ("not_yet", "partly", "mostly", "fully"))

INSTRUMENT = Instrument(
    id="exampleshire",
    version="1",
    language="en-GB",
    title="Two domains, three statements",
    minutes_needed=1,
    domains=(
        Domain(SEEING, "Seeing", "Abuse is seen.", "What helps?"),
        Domain(HELPING, "Helping", "Children are helped.", "What helps?"),
    ),
    statements=(
        Statement(SEE_SIGNS, SEEING, "Signs", "I see signs.", "Signs of abuse."),
        Statement(SEE_PATTERNS, SEEING, "Patterns", "I see patterns.", "More than one sign."),
        Statement(GIVE_HELP, HELPING, "Help", "Help comes in time.", "Within weeks."),
    ),
    practice=Scale(
        "How true is this?",
        (
            Option(NOT_YET, "Not true yet", "", 0.0),
            Option(PARTLY, "Partly true", "", 33.33),
            Option(MOSTLY, "Mostly true", "", 66.67),
            Option(FULLY, "Fully true", "", 100.0),
            Option(DONT_KNOW, "Don't know", "", None),
            Option(NOT_RELEVANT, "Not relevant to my role", "", None),
        ),
    ),
    strategic=Strategic(
        Scale(
            "How true is this in our area?",
            (
                Option(NOT_YET, "Not true yet", "", 0.0),
                Option(PARTLY, "Partly true", "", 33.33),
                Option(MOSTLY, "Mostly true", "", 66.67),
                Option(FULLY, "Fully true", "", 100.0),
                Option(DONT_KNOW, "Don't know", "", None),
            ),
        ),
        Scale(
            "How strong is the evidence?",
            (
                Option(OptionId("none"), "No evidence", "", 0.0),
                Option(OptionId("some"), "Some evidence", "", 66.67),
                Option(OptionId("strong"), "Strong evidence", "", 100.0),
            ),
        ),
        NearRule(within_steps=1, dont_know_under=Fraction(1, 3)),
    ),
    bands=(
        Band(BandId("red"), "Red", "Priority", "▼", "Act first.", 0.0, 40.0),
        Band(BandId("amber"), "Amber", "Developing", "◆", "Keep going.", 40.0, 70.0),
        Band(BandId("green"), "Green", "Strength", "▲", "Keep it strong.", 70.0, None),
    ),
    not_rated=Band(BandId("grey"), "Grey", "Not rated", "○", "Too few answers.", None, None),
    agencies=tuple(
        Agency(AgencyId(a), a.title(), a.title())
        for a in ("police", "health", "schools", "housing", "probation")
    ),
    limits=Limits(
        smallest_group=10,
        largest_group=20,
        expected_reply_share=0.4,
        steps=(1, 2, 5, 10, 20),
        people_to_nearest=5,
        end_below_50_people=10,
        end_from_50_people=5,
        favourable=frozenset({MOSTLY, FULLY}),
        scores_from=20,
        options_from=50,
        trim_ratio=Fraction(3),
        interim_from=20,
        progress_to_nearest=10,
        progress_from_headcount=20,
    ),
    comments=CommentRules(max_characters=1000, max_bytes=1200, quotes_from=10, nudge_after_days=2),
    mixing_defaults=((21, "every_3_days"), (None, "weekly")),
)
OPTIONS = tuple(o.id for o in INSTRUMENT.practice.options)
SOME_CHOICES = (FULLY, MOSTLY, PARTLY)

# Numbers that Ofcom keeps free for drama, and a domain that nobody owns.
CONTACTS = Contacts(
    front_door_name="Exampleshire front door",
    front_door_phone="01632 960 001",
    front_door_hours="Monday to Friday, 9am to 5pm",
    out_of_hours_phone="01632 960 002",
    allegations_contact="the LADO on 01632 960 003",
    staff_support="the staff wellbeing service",
    safeguarding_name="Sam Sample",
    safeguarding_email="safeguarding@example.org",
    contact_email="snapshot@example.org",
    data_controller="Exampleshire partnership",
    privacy_url="https://example.org/privacy",
)

type Cut = tuple[str, str, tuple[str, ...]]
"""Cell, domain and choices: all that a slip says."""


def a_snapshot(headcounts: Mapping[str, int] | None = None, *, k: int = K) -> Snapshot:
    """A snapshot in which each of these agencies is a cell of its own."""
    headcounts = headcounts or {"police": 60, "health": 120}
    return Snapshot(
        id=SnapshotId("exampleshire-2026"),
        area="Exampleshire",
        partnership_name="Exampleshire partnership",
        nation="England",
        language="en-GB",
        tenants=(TENANT,),
        instrument=INSTRUMENT.id,
        instrument_version=INSTRUMENT.version,
        cells=tuple(Cell(CellId(a), (AgencyId(a),), n) for a, n in headcounts.items()),
        k=k,
        mixing=Mixing.CLOSE,
        opened=OPENED,
        deadline=OPENED + timedelta(days=12),
        timezone="Europe/London",
        report_month="April",
        contacts=CONTACTS,
    )


def person(name: str) -> Person:
    return Person(TENANT, name)


def contact(name: str) -> Contact:
    return Contact(TENANT, name, {"conversation": f"chat with {name}"}, "en-GB")


def a_ballot(cell: str, choices: Sequence[OptionId], *, sent: bool = True) -> Ballot:
    """One choice for each statement of the instrument, from its first."""
    answers = dict(zip((s.id for s in INSTRUMENT.statements), choices, strict=False))
    return Ballot(CellId(cell), answers, sent=sent, revision=len(answers))


def cut_by_hand(ballot: Ballot, label: str | None = None) -> list[Cut]:
    """What the slips of a ballot must say, worked out without the code under test."""
    answers, cell = ballot.answers, label or ballot.cell
    return [
        (cell, SEEING, (answers[SEE_SIGNS], answers[SEE_PATTERNS])),
        (cell, HELPING, (answers[GIVE_HELP],)),
    ]


async def no_waiting(seconds: float) -> None:
    """Time passes at once, so whoever holds the lock seems to stand still."""


@dataclass(frozen=True, slots=True)
class Area:
    """A running snapshot and its store."""

    running: Running
    records: Records

    @property
    def survey(self) -> Survey:
        return Survey(self.running, INSTRUMENT, self.records)

    def tag(self, name: str) -> Tag:
        return self.running.sealer.tag(person(name))

    def mix(self, *, seed: int = 1, records: Records | None = None, wait: Wait = no_waiting) -> Mix:
        store = records or self.records
        return Mix(self.running, INSTRUMENT, store, dice=Random(seed), wait=wait)

    # -- what people did ------------------------------------------------------------------------

    async def keeps(self, name: str, ballot: Ballot, state: State = State.SUBMITTED) -> Record:
        """An envelope with this ballot, as the survey would have left it."""
        tag = self.tag(name)
        sealed = self.running.sealer.seal(asdict(contact(name)), "contact", tag, size=1024)
        envelope = Envelope(tag, state, ballot, sealed)
        record = to_record(envelope, self.running.snapshot.id, self.running.sealer)
        return await self.records.create(record)

    async def people_send(self, sending: Mapping[str, int], seed: int = 1) -> dict[str, Ballot]:
        """So many people of each cell have sent their answers; returns them by name."""
        dice, sent = Random(seed), {}
        for cell, people in sending.items():
            for number in range(people):
                name = f"{cell}-{number}"
                sent[name] = a_ballot(cell, [dice.choice(OPTIONS) for _ in INSTRUMENT.statements])
                await self.keeps(name, sent[name])
        return sent

    # -- what the store holds -------------------------------------------------------------------

    async def envelope(self, name: str) -> Record:
        return await self.records.read(self.running.snapshot.id, Kind.ENVELOPE, self.tag(name))

    async def rewrite(self, name: str, **changed: object) -> None:
        """Change plain fields of an envelope, as whoever runs the database can."""
        await self.records.replace(replace(await self.envelope(name), **changed))  # type: ignore[arg-type]  # fields of Record by name

    async def states(self) -> Counter[str]:
        heads = await self.records.heads(self.running.snapshot.id, Kind.ENVELOPE)
        return Counter(h.state for h in heads)

    async def slips(self) -> list[Slip]:
        found = await self.records.read_all(self.running.snapshot.id, Kind.SLIP)
        return [Slip.from_json(r.id, r.body) for r in found]

    async def tallies(self) -> list[Tally]:
        found = await self.records.read_all(self.running.snapshot.id, Kind.TALLY)
        return [Tally.from_json(r.id, r.body) for r in found]

    async def journals(self) -> list[Record]:
        return await self.records.read_all(self.running.snapshot.id, Kind.JOURNAL)


def told(slips: Iterable[Slip]) -> Counter[Cut]:
    """What slips say, however often."""
    return Counter((s.cell, s.domain, s.choices) for s in slips)


@asynccontextmanager
async def open_area(folder: Path, snapshot: Snapshot | None = None) -> AsyncIterator[Area]:
    """A snapshot that has just been opened, on SQLite and key files in a folder."""
    async with SqliteRecords(folder / "snapshot.db") as records:
        keys = KeyFiles(folder / "keys")
        yield Area(await open_snapshot(records, keys, snapshot or a_snapshot()), records)
