"""A sample snapshot to look at: made-up people, sealed as real ones are. Local use only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from snapshot.envelope import Ballot, Envelope, State
from snapshot.instrument import (
    DONT_KNOW,
    NOT_RELEVANT,
    AgencyId,
    DomainId,
    Instrument,
    OptionId,
    Statement,
    StatementId,
)
from snapshot.opening import Running, open_snapshot
from snapshot.ports import Keys, Records, SnapshotId
from snapshot.sealing import Person
from snapshot.snapshot import CellId, Contacts, Mixing, Snapshot, form_cells
from snapshot.survey import to_record

# Of a county that we made up; with nobody in it, an agency is not on offer. The agencies of another
# programme get a headcount between these ends.
HEADCOUNTS = {
    AgencyId("police"): 90,
    AgencyId("childrens_social_care"): 70,
    AgencyId("health"): 160,
    AgencyId("education_early_years"): 210,
    AgencyId("probation_youth_justice"): 0,
    AgencyId("voluntary_community"): 40,
    AgencyId("housing_other"): 0,
}
_FEWEST, _MOST = 40, 240
_TIMEZONE = "Europe/London"
_WINDOW = timedelta(days=12)

# On the way from 0 (not yet) to 1 (fully), people are most content with the first domain and least
# with the last, which is recovery with us; each agency sees each domain in its own way.
_FIRST, _LAST = 0.80, 0.30
_OWN_WAY = 0.15
_MOOD = 0.12
_SPREAD = 0.18
_UNSURE = 0.07
_NOT_MINE = 0.04

# Numbers that Ofcom keeps free for drama, and a domain that nobody owns.
CONTACTS = Contacts(
    front_door_name="Exampleshire front door",
    front_door_phone="01632 960 001",
    front_door_hours="Monday to Friday, 9am to 5pm",
    out_of_hours_phone="01632 960 002",
    allegations_contact="the LADO on 01632 960 003",
    staff_support="the staff wellbeing service on 01632 960 004",
    safeguarding_name="Sam Sample",
    safeguarding_email="safeguarding@example.org",
    contact_email="snapshot@example.org",
    data_controller="Exampleshire safeguarding children partnership",
    privacy_url="https://example.org/privacy",
)


async def open_sample(
    records: Records,
    keys: Keys,
    instrument: Instrument,
    *,
    people: int,
    now: datetime,
    dice: Random,
    headcounts: Mapping[AgencyId, int] | None = None,
) -> Running:
    """Open a sample snapshot in which `people` have sent their answers already."""
    headcounts = headcounts or _headcounts(instrument, dice)
    leanings = {agency: _leaning(instrument, dice) for agency in headcounts}
    running = await open_snapshot(records, keys, _sample(instrument, headcounts, now, dice))
    for number in range(people):
        agency = dice.choices(list(headcounts), weights=list(headcounts.values()))[0]
        person = Person("sample", f"{running.snapshot.id}-{number}")
        cell = _cell(running.snapshot, agency)
        await _send(running, records, person, _ballot(cell, instrument, leanings[agency], dice))
    return running


def _headcounts(instrument: Instrument, dice: Random) -> dict[AgencyId, int]:
    return {a.id: HEADCOUNTS.get(a.id, dice.randrange(_FEWEST, _MOST)) for a in instrument.agencies}


def _leaning(instrument: Instrument, dice: Random) -> dict[DomainId, float]:
    """How an agency tends to see each domain."""
    step = (_LAST - _FIRST) / max(len(instrument.domains) - 1, 1)
    return {
        domain.id: _FIRST + place * step + dice.uniform(-_OWN_WAY, _OWN_WAY)
        for place, domain in enumerate(instrument.domains)
    }


def _sample(
    instrument: Instrument, headcounts: Mapping[AgencyId, int], now: datetime, dice: Random
) -> Snapshot:
    opened = now.astimezone(ZoneInfo(_TIMEZONE))
    deadline = (opened + _WINDOW).replace(hour=17, minute=0, second=0, microsecond=0)
    k = instrument.limits.smallest_group
    return Snapshot(
        id=SnapshotId(f"sample-{dice.getrandbits(40):010x}"),
        area="Exampleshire",
        partnership_name="Exampleshire safeguarding children partnership",
        nation="England",
        language=instrument.language,
        tenants=(),
        instrument=instrument.id,
        instrument_version=instrument.version,
        cells=form_cells(headcounts, k=k, reply_share=instrument.limits.expected_reply_share),
        k=k,
        mixing=Mixing(instrument.usual_mixing(deadline - opened)),
        opened=opened,
        deadline=deadline,
        timezone=_TIMEZONE,
        report_month=f"{deadline + timedelta(days=30):%B}",
        contacts=CONTACTS,
        sample=True,
    )


async def _send(running: Running, records: Records, person: Person, ballot: Ballot) -> None:
    tag = running.sealer.tag(person)
    envelope = Envelope(tag, State.SUBMITTED, ballot, contact=None)
    await records.create(to_record(envelope, running.snapshot.id, running.sealer))


def _cell(snapshot: Snapshot, agency: AgencyId) -> CellId:
    cell = snapshot.cell_of(agency)
    if cell is None:
        raise ValueError("whoever answers the sample works for an agency that is on offer")
    return cell.id


def _ballot(
    cell: CellId, instrument: Instrument, leaning: Mapping[DomainId, float], dice: Random
) -> Ballot:
    mood = dice.gauss(0, _MOOD)
    answers: Mapping[StatementId, OptionId] = {
        s.id: _choice(instrument, s, leaning, mood, dice) for s in instrument.statements
    }
    return Ballot(cell, answers, sent=True, revision=len(answers))


def _choice(
    instrument: Instrument,
    statement: Statement,
    leaning: Mapping[DomainId, float],
    mood: float,
    dice: Random,
) -> OptionId:
    luck = dice.random()
    if luck < _UNSURE and instrument.option(DONT_KNOW):
        return DONT_KNOW
    if luck > 1 - _NOT_MINE and instrument.option(NOT_RELEVANT):
        return NOT_RELEVANT
    felt = 100 * (leaning[statement.domain] + mood + dice.gauss(0, _SPREAD))
    return min(instrument.scores, key=lambda option: abs(instrument.scores[option] - felt))
