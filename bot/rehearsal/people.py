"""Made-up practitioners: what they think, and how they go about it. The same for the same seed.

Somebody's answers hang together: by how they see the world, by how their agency sees each domain,
and by how hard a statement is to live up to. Whether somebody can tell at all hangs on how much of
it their agency sees, and on how readily they say that they do not know.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from bot.rehearsal.words import AT_RISK, REMARKS
from cards.verbs import Verb
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

TENANTS = ("11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002")
SLOTS = 3
"""Times of a day at which people come: in the morning, after lunch, and late."""

_SHARES = {
    "police": 16,
    "childrens_social_care": 17,
    "health": 25,
    "education_early_years": 26,
    "probation_youth_justice": 4,
    "voluntary_community": 9,
    "housing_other": 3,
}
_OF_AN_UNKNOWN_AGENCY = 10

_REPLY_SHARES = {
    "police": 0.35,
    "childrens_social_care": 0.6,
    "health": 0.35,
    "education_early_years": 0.5,
    "voluntary_community": 0.55,
}
_REPLY_SHARE = 0.45
"""How many of an agency's staff answer; the last one where that is not told."""

_OUTLOOK = {
    "police": (0.4, 0.0, 0.6, 0.1, -0.3),
    "childrens_social_care": (0.3, 0.1, 0.3, 0.5, -0.2),
    "health": (-0.1, 0.0, -0.2, 0.0, -0.1),
    "education_early_years": (0.4, 0.5, -0.1, -0.5, -0.4),
    "probation_youth_justice": (0.0, -0.2, 0.2, 0.1, -0.3),
    "voluntary_community": (-0.4, -0.1, -0.6, -0.5, 0.2),
    "housing_other": (-0.5, -0.3, -0.3, -0.4, -0.4),
}
"""How an agency sees the domains, in their order, in spreads of what people think."""

_SEES = {
    "police": (0.9, 0.7, 1.0, 0.8, 0.5),
    "childrens_social_care": (0.9, 0.8, 1.0, 1.0, 0.8),
    "health": (0.8, 0.6, 0.7, 0.7, 0.9),
    "education_early_years": (0.9, 0.9, 0.8, 0.4, 0.4),
    "probation_youth_justice": (0.7, 0.8, 0.5, 0.6, 0.5),
    "voluntary_community": (0.7, 0.7, 0.5, 0.4, 0.9),
    "housing_other": (0.6, 0.5, 0.5, 0.3, 0.3),
}
"""How much of each domain somebody of an agency can see, from nothing (0) to all (1)."""

_EASE = (0.5, 0.1, 0.3, 0.0, -0.3)
"""How easy the domains are to live up to, in their order."""

_CUTS = (-1.0, 0.1, 1.2)


class Ending(StrEnum):
    """How somebody's part ends, if they come to its end at all."""

    SENDS = "sends"
    WITHDRAWS = "withdraws what was begun"
    TAKES_BACK = "withdraws what was sent"
    WANTS_QUIET = "wants no more reminders"


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody goes about it. Times count slots from the opening, places count statements.

    `stops_after` so many answers they leave, and come again at `returns`, if ever. `changes` are
    statements that they answer otherwise at first; `taps_twice`, those whose button they press so.
    """

    arrives: int
    has_the_app: bool
    ending: Ending
    locale: str
    stops_after: int | None = None
    returns: int | None = None
    other_device: bool = False
    switches_language: bool = False
    asks: Verb | None = None
    reviews: bool = False
    taps_twice: frozenset[int] = frozenset()
    goes_back_at: int | None = None
    changes: Mapping[StatementId, OptionId] = field(default_factory=dict)
    careless: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """Somebody made up: who they are, what they think, and how they go about it."""

    number: int
    object_id: str
    tenant: str
    agency: AgencyId
    answers: Mapping[StatementId, OptionId]
    comments: Mapping[DomainId, str]
    manner: Manner

    @property
    def name(self) -> str:
        return f"Practitioner {self.number}"


@dataclass(frozen=True, slots=True)
class Calendar:
    """How many slots there are before the deadline, and which of them are on a working day."""

    slots: int
    working: Sequence[bool]


def headcounts(instrument: Instrument, people: int) -> dict[AgencyId, int]:
    """Of the staff from which they come: some agencies answer more eagerly than others."""
    shares = _shares(instrument)
    answering = {a: people * share / sum(shares.values()) for a, share in shares.items()}
    return {a: max(3, round(n / _REPLY_SHARES.get(a, _REPLY_SHARE))) for a, n in answering.items()}


def make_people(
    instrument: Instrument, calendar: Calendar, *, people: int, seed: int, language: str
) -> list[Made]:
    """As many of each agency as its share is, to the nearest."""
    dice = Random(f"{seed}: everybody")
    shares = _shares(instrument)
    ease = {s.id: dice.gauss(0, 0.35) for s in instrument.statements}
    agencies = _in_shares(shares, people)
    dice.shuffle(agencies)
    return [
        _one(number, agency, instrument, calendar, ease, Random(f"{seed}: {number}"), language)
        for number, agency in enumerate(agencies, 1)
    ]


def _shares(instrument: Instrument) -> dict[AgencyId, int]:
    return {a.id: _SHARES.get(a.id, _OF_AN_UNKNOWN_AGENCY) for a in instrument.agencies}


def _in_shares(shares: Mapping[AgencyId, int], people: int) -> list[AgencyId]:
    total = sum(shares.values())
    found = [a for a, share in shares.items() for _ in range(people * share // total)]
    largest = sorted(shares, key=lambda a: -shares[a])
    missing = people - len(found)
    return found + [largest[n % len(largest)] for n in range(missing)]


def _one(
    number: int,
    agency: AgencyId,
    instrument: Instrument,
    calendar: Calendar,
    ease: Mapping[StatementId, float],
    dice: Random,
    language: str,
) -> Made:
    mood, unsure = dice.gauss(0, 0.8), dice.expovariate(1 / 0.04)
    answers = {
        s.id: _option(s, agency, instrument, mood + ease[s.id], unsure, dice)
        for s in instrument.statements
    }
    other = "cy-GB" if language == "en-GB" else "en-GB"
    locale = other if dice.random() < (0.05 if language == "en-GB" else 0.4) else language
    return Made(
        number,
        str(uuid.UUID(int=dice.getrandbits(128), version=4)),
        TENANTS[dice.random() < 0.4],
        agency,
        answers,
        _comments(instrument, locale, dice) if dice.random() < 0.3 else {},
        _manner(instrument, calendar, answers, locale, dice),
    )


def _option(
    statement: Statement,
    agency: AgencyId,
    instrument: Instrument,
    feeling: float,
    unsure: float,
    dice: Random,
) -> OptionId:
    place = [d.id for d in instrument.domains].index(statement.domain) % len(_EASE)
    sees = _SEES.get(agency, (0.7,) * len(_EASE))[place]
    luck = dice.random()
    if instrument.option(DONT_KNOW) and luck < 0.02 + unsure + 0.3 * (1 - sees):
        return DONT_KNOW
    if instrument.option(NOT_RELEVANT) and luck > 1 - 0.01 - 0.12 * (1 - sees):
        return NOT_RELEVANT
    outlook = _OUTLOOK.get(agency, (0.0,) * len(_EASE))[place]
    felt = feeling + outlook + _EASE[place] + dice.gauss(0, 0.6)
    scored = sorted(instrument.scores, key=lambda o: instrument.scores[o])
    above = sum(felt > cut for cut in _CUTS)
    return scored[above * (len(scored) - 1) // len(_CUTS)]


def _comments(instrument: Instrument, locale: str, dice: Random) -> dict[DomainId, str]:
    """For one to three domains. What a domain of another programme is about, nobody knows here.

    A few tell of a child, though the card asks them not to.
    """
    about = [d.id for d in instrument.domains if d.id in REMARKS[locale]]
    chosen = dice.sample(about, min(dice.choice([1, 1, 1, 2, 3]), len(about)))
    said = {d: " ".join(dice.sample(REMARKS[locale][d], dice.choice([1, 1, 2]))) for d in chosen}
    if chosen and dice.random() < 0.08:
        said[chosen[0]] = AT_RISK[locale]
    return said


# -- how they go about it -------------------------------------------------------------------------


def _manner(
    instrument: Instrument,
    calendar: Calendar,
    answers: Mapping[StatementId, OptionId],
    locale: str,
    dice: Random,
) -> Manner:
    total = len(instrument.statements)
    arrives = _arrives(calendar, dice)
    stops_after = dice.randrange(1, total) if dice.random() < 0.28 else None
    returns = _returns(arrives, calendar, dice) if stops_after else None
    return Manner(
        arrives=arrives,
        has_the_app=dice.random() < 0.35,
        ending=_ending(dice),
        locale=locale,
        stops_after=stops_after,
        returns=returns,
        other_device=dice.random() < 0.5,
        switches_language=dice.random() < 0.06,
        asks=dice.choice([Verb.WORRIED, Verb.PRIVACY, Verb.WELLBEING])
        if dice.random() < 0.12
        else None,
        reviews=dice.random() < 0.35,
        taps_twice=frozenset(n for n in range(total) if dice.random() < 0.03),
        goes_back_at=dice.randrange(1, total) if dice.random() < 0.1 else None,
        changes=_changes(instrument, answers, dice) if dice.random() < 0.2 else {},
        careless=dice.random() < 0.2,
    )


def _arrives(calendar: Calendar, dice: Random) -> int:
    """Many in the first days, some before the end, few at weekends."""
    slots = range(calendar.slots)
    weights = [
        (1.0 if calendar.working[n] else 0.12)
        * (0.25 + 2.72 ** (-n / (0.2 * calendar.slots)) + (0.3 if n > 0.8 * calendar.slots else 0))
        for n in slots
    ]
    return dice.choices(slots, weights)[0]


def _returns(arrives: int, calendar: Calendar, dice: Random) -> int | None:
    at = arrives + dice.choice([1, SLOTS, SLOTS, 2 * SLOTS, 3 * SLOTS, 5 * SLOTS])
    return at if at < calendar.slots and dice.random() < 0.75 else None


def _ending(dice: Random) -> Ending:
    return dice.choices(list(Ending), [90, 3, 4, 3])[0]


def _changes(
    instrument: Instrument, answers: Mapping[StatementId, OptionId], dice: Random
) -> dict[StatementId, OptionId]:
    """What is pressed at first for one or two statements: another option than in the end."""
    options = [o.id for o in instrument.practice.options]
    chosen = dice.sample(list(answers), dice.choice([1, 1, 2]))
    return {s: dice.choice([o for o in options if o != answers[s]]) for s in chosen}
