"""Made-up practitioners who remember what they answered, and a day-book of what they will do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import pairwise
from random import Random

from content.packs import load_packs
from snapshot.instrument import AgencyId, DomainId, Instrument, OptionId, StatementId

DAY_S = 86_400
WINDOW_DAYS = 12

HEADCOUNTS: Mapping[AgencyId, int] = {
    AgencyId(agency): people
    for agency, people in {
        "police": 70,
        "childrens_social_care": 60,
        "health": 110,
        "education_early_years": 140,
        "voluntary_community": 80,
        "probation_youth_justice": 3,
        "housing_other": 3,
    }.items()
}
"""The two of three people are too few together as well: social care joins them. Five cells."""

ANSWERING: Mapping[AgencyId, int] = {
    AgencyId(agency): people
    for agency, people in {
        "police": 24,
        "childrens_social_care": 20,
        "health": 27,
        "education_early_years": 28,
        "voluntary_community": 20,
        "probation_youth_justice": 3,
        "housing_other": 3,
    }.items()
}
SMALL = frozenset({AgencyId("probation_youth_justice"), AgencyId("housing_other")})

NAME = "ZQXJ-person-"
WORDS = "ZQXJ-words-"
"""How everybody's id begins, and every comment; ten hexadecimal digits follow in a comment."""

_WORDS = ("we", "need", "more", "time", "joint", "training", "after", "meetings", "in", "town")


class Did(StrEnum):
    BEGIN = "begin"
    ANSWER = "answer"
    AGAIN = "again"
    """The same tap, delivered twice."""
    CHANGE = "change"
    COMMENT = "comment"
    SEND = "send"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Practitioner:
    """Who somebody is and what they think: the truth that a linker is judged by."""

    name: str
    agency: AgencyId
    answers: Mapping[StatementId, OptionId]
    comments: Mapping[DomainId, str]


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that one person does. `second` counts from the opening."""

    second: int
    name: str
    did: Did
    statement: StatementId | None = None
    option: OptionId | None = None


@cache
def instrument() -> Instrument:
    return load_packs()["en-GB"].instrument


def practitioners(dice: Random) -> list[Practitioner]:
    """Answers hang together by one factor, how somebody sees the world; few write comments."""
    found = []
    for agency, people in ANSWERING.items():
        leaning = dice.gauss(0, 0.4)
        for number in range(people):
            mood = leaning + dice.gauss(0, 1)
            found.append(
                Practitioner(
                    f"{NAME}{agency}-{number:03}",
                    agency,
                    {s.id: _option(mood, dice) for s in instrument().statements},
                    _comments(dice) if dice.random() < 0.25 else {},
                )
            )
    return found


def _option(mood: float, dice: Random) -> OptionId:
    """One in seven is not scored; the others are cut from mood and chance in equal parts."""
    *scored, dont_know, not_relevant = [o.id for o in instrument().practice.options]
    luck = dice.random()
    if luck < 0.14:
        return dont_know if luck < 0.08 else not_relevant
    felt = (mood + dice.gauss(0, 1)) / 2**0.5
    return scored[sum(felt > edge for edge in (-0.9, 0.1, 1.0))]


def _comments(dice: Random) -> dict[DomainId, str]:
    """For one to three domains, of three words to a hundred."""
    domains = dice.sample([d.id for d in instrument().domains], dice.choice([1, 1, 1, 2, 3]))
    return {
        domain: " ".join([f"{WORDS}{dice.getrandbits(40):010x}", *_text(dice)])
        for domain in domains
    }


def _text(dice: Random) -> list[str]:
    return dice.choices(_WORDS, k=int(3 * 33 ** dice.random()))


def acts_of(one: Practitioner, dice: Random) -> list[Act]:
    """What somebody does, from the first tap to the last.

    Some rest for days in between, some tap twice, change an answer, never send, or withdraw.
    """
    return list(_acts(one, dice))


def _acts(one: Practitioner, dice: Random) -> Iterator[Act]:
    day = dice.choices(range(WINDOW_DAYS), weights=[9, 7, 6, 5, 4, 4, 4, 3, 3, 4, 4, 1])[0]
    at = day * DAY_S + dice.randrange(8 * 3600)
    rests_after = dice.randrange(1, 22) if dice.random() < 0.2 else None
    yield Act(at, one.name, Did.BEGIN)
    for number, (statement, option) in enumerate(one.answers.items()):
        if number == rests_after:
            at += dice.choice([1, 1, 2, 3]) * DAY_S
        at += dice.randrange(3, 16)
        yield Act(at, one.name, Did.ANSWER, statement, option)
        if dice.random() < 0.03:
            yield Act(at + 1, one.name, Did.AGAIN, statement, option)
    at += _seconds_at_the_comments_card(one, dice)
    yield Act(at, one.name, Did.COMMENT)
    if dice.random() < 0.15:
        at += dice.randrange(5, 40)
        statement, option = dice.choice(list(one.answers.items()))
        yield Act(at, one.name, Did.CHANGE, statement, option)
    if dice.random() < 0.06:
        return
    at += dice.randrange(5, 60)
    yield Act(at, one.name, Did.SEND)
    if dice.random() < 0.04:
        yield Act(at + dice.choice([30, 600, 40_000]), one.name, Did.WITHDRAW)


def _seconds_at_the_comments_card(one: Practitioner, dice: Random) -> int:
    """One word takes a second or two; some look at the card for a while and write nothing."""
    words = sum(len(text.split()) for text in one.comments.values())
    return dice.randrange(3, 60) + int(words * dice.uniform(1, 2))


def first_thoughts(one: Practitioner, acts: list[Act]) -> dict[StatementId, OptionId]:
    """What is pressed at first where it is changed later: the option next to it."""
    options = [o.id for o in instrument().practice.options]
    after = dict(pairwise([*options, options[0]]))
    changed = {a.statement for a in acts if a.did is Did.CHANGE}
    return {s: after[o] if s in changed else o for s, o in one.answers.items()}
