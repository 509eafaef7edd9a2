"""The instrument: domains, statements, scales and bands, as frozen values.

A pack is read once (`content/packs.py`) and checked here, so that nobody inside meets a
statement without a domain or a scale with a hole in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from functools import cached_property
from typing import NewType

StatementId = NewType("StatementId", str)
DomainId = NewType("DomainId", str)
OptionId = NewType("OptionId", str)
AgencyId = NewType("AgencyId", str)
BandId = NewType("BandId", str)

OTHER_AGENCIES = "other"
"""What the agencies that are too small for a cell of their own are called together."""

DONT_KNOW = OptionId("dont_know")
NOT_RELEVANT = OptionId("not_relevant")
"""The two options that every practice scale may have beside its scored ones."""


_MIXING_DEFAULTS = ("analysis", "anonymity", "mixing", "default")


@dataclass(frozen=True, slots=True)
class Option:
    """A point of a scale. `score` is 0 to 100; None is counted but never averaged."""

    id: OptionId
    label: str
    hint: str
    score: float | None


@dataclass(frozen=True, slots=True)
class Scale:
    question: str
    options: tuple[Option, ...]

    def option(self, id: str) -> Option | None:
        return next((o for o in self.options if o.id == id), None)


@dataclass(frozen=True, slots=True)
class Statement:
    """`text` is what a practitioner reads, `strategic` what partners rate together.

    `evidence`: what partners could point to.
    """

    id: StatementId
    domain: DomainId
    short: str
    text: str
    help: str
    strategic: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Domain:
    """`comment_prompt` stands above the domain's box for a comment; it may be empty."""

    id: DomainId
    title: str
    purpose: str
    comment_prompt: str


@dataclass(frozen=True, slots=True)
class Band:
    """A rating from `start` (included) to `below` (not); both None: not rated."""

    id: BandId
    name: str
    word: str
    symbol: str
    meaning: str
    start: float | None
    below: float | None


@dataclass(frozen=True, slots=True)
class Agency:
    id: AgencyId
    label: str
    label_wales: str

    def label_in(self, nation: str) -> str:
        return self.label_wales if nation == "Wales" else self.label


class BrokenInstrument(ValueError):
    """The pack breaks a rule of the instrument. `place` leads there, by the pack's own keys."""

    def __init__(self, rule: str, *place: str | int) -> None:
        super().__init__(rule)
        self.rule = rule
        self.place = place


@dataclass(frozen=True, slots=True)
class Limits:
    """The rules of publication that a programme sets in its pack.

    `steps` and ends are points of 100; `favourable` are options of the practice scale. About
    fewer than `scores_from` people, a domain has its colour and its favourable share only; from
    `options_from` on, a statement has scores and the share of each option. An interim summary is
    about `interim_from` people or more. Progress is told to the nearest `progress_to_nearest` per
    cent, from a headcount of `progress_from_headcount` on.
    """

    smallest_group: int
    largest_group: int
    expected_reply_share: float
    steps: tuple[int, ...]
    people_to_nearest: int
    end_below_50_people: int
    end_from_50_people: int
    favourable: frozenset[OptionId]
    scores_from: int
    options_from: int
    trim_ratio: Fraction
    interim_from: int
    progress_to_nearest: int
    progress_from_headcount: int

    def __post_init__(self) -> None:
        place = ("analysis", "anonymity")
        if self.largest_group < self.smallest_group:
            raise BrokenInstrument("must not be below the floor", *place, "min_group_ceiling")
        if min(self.steps) < 1 or max(self.steps) < 200 / self.smallest_group:
            raise BrokenInstrument(
                "must go up to 200 / the smallest group, so that a share never tells of one person",
                *place,
                "rounding",
                "steps",
            )
        for end in ("end_below_50_people", "end_from_50_people"):
            if not 0 < getattr(self, end) < 50:
                raise BrokenInstrument("must lie between 0 and 50", *place, "rounding", end)


@dataclass(frozen=True, slots=True)
class CommentRules:
    """`max_bytes`: of a comment as JSON. Moderators are nudged after `nudge_after_days`.

    With fewer than `quotes_from` comments in a domain, the report prints their own themes.
    """

    max_characters: int
    max_bytes: int
    quotes_from: int
    nudge_after_days: int


@dataclass(frozen=True, slots=True)
class Level:
    """How strong evidence is from a score of `start` on. `symbol` says it without a colour."""

    word: str
    symbol: str
    start: float


@dataclass(frozen=True, slots=True)
class NearRule:
    """When ratings are near agreement: fixed before a session starts, and printed.

    Scored ratings lie `within_steps` of each other on their scale, and the share of those who do
    not know is below `dont_know_under`.
    """

    within_steps: int
    dont_know_under: Fraction


@dataclass(frozen=True, slots=True)
class Strategic:
    """What partners rate together: two scales, and when their ratings are near each other.

    `levels` of evidence begin with the lowest, at 0; a programme may have none.
    """

    progress: Scale
    evidence: Scale
    near: NearRule
    levels: tuple[Level, ...] = ()

    def level(self, score: int) -> Level | None:
        return next((each for each in reversed(self.levels) if score >= each.start), None)


@dataclass(frozen=True)
class Instrument:
    """One language of one version of the content. Raises `BrokenInstrument`.

    `strategic`: None where the programme has no session of partners.
    """

    id: str
    version: str
    language: str
    title: str
    minutes_needed: int
    domains: tuple[Domain, ...]
    statements: tuple[Statement, ...]
    practice: Scale
    strategic: Strategic | None
    bands: tuple[Band, ...]
    not_rated: Band
    agencies: tuple[Agency, ...]
    limits: Limits
    comments: CommentRules
    mixing_defaults: tuple[tuple[int | None, str], ...]
    """What the opening form proposes: the first choice whose window, in days, is long enough."""

    def __post_init__(self) -> None:
        _unique("domain", [d.id for d in self.domains], "domains")
        _unique("statement", [s.id for s in self.statements], "statements")
        _unique("agency", [a.id for a in self.agencies], "agencies")
        _unique("option", [o.id for o in self.practice.options], "scales")
        for number, domain in enumerate(self.domains):
            if not self.of_domain(domain.id):
                raise BrokenInstrument(f"domain {domain.id} has no statement", "domains", number)
        for number, statement in enumerate(self.statements):
            if statement.domain not in {d.id for d in self.domains}:
                rule = f"statement {statement.id} is in no domain of this pack"
                raise BrokenInstrument(rule, "statements", number, "domain")
        _keep_free(OTHER_AGENCIES, [a.id for a in self.agencies])
        if odd := self.limits.favourable - set(self.scores):
            rule = f"favourable names what is no scored option of the scale: {sorted(odd)}"
            raise BrokenInstrument(rule, "analysis", "anonymity", "rounding", "favourable")
        _cover_the_scale(self.bands)
        if self.mixing_defaults[-1][0] is not None:
            raise BrokenInstrument("the last row must have no upper end", *_MIXING_DEFAULTS)

    @cached_property
    def _statements(self) -> dict[str, Statement]:
        return {s.id: s for s in self.statements}

    @property
    def scales(self) -> tuple[Scale, ...]:
        partners = self.strategic
        return (self.practice, *((partners.progress, partners.evidence) if partners else ()))

    @cached_property
    def scores(self) -> dict[OptionId, Fraction]:
        """What the scored options are worth, 0 to 100.

        Exact, so that a mean of just 40 is never red because of how computers add.
        """
        options = self.practice.options
        return {o.id: Fraction(str(o.score)) for o in options if o.score is not None}

    def statement(self, id: str) -> Statement | None:
        return self._statements.get(id)

    def option(self, id: str) -> Option | None:
        return self.practice.option(id)

    def domain(self, id: DomainId) -> Domain:
        return next(d for d in self.domains if d.id == id)

    def of_domain(self, domain: DomainId) -> tuple[Statement, ...]:
        return tuple(s for s in self.statements if s.domain == domain)

    def position(self, statement: StatementId) -> int:
        """Where the statement stands, from 1."""
        return 1 + next(i for i, s in enumerate(self.statements) if s.id == statement)

    def usual_mixing(self, window: timedelta) -> str:
        """The mixing that is proposed for a snapshot that is open so long."""
        return next(
            choice
            for most, choice in self.mixing_defaults
            if most is None or window <= timedelta(days=most)
        )

    def band(self, score: Fraction | float | None) -> Band:
        """The band of an unrounded score of 0 to 100; None is not rated, which is not red."""
        if score is None:
            return self.not_rated
        return next(b for b in reversed(self.bands) if score >= (b.start or 0.0))


def _keep_free(reserved: str, agencies: Sequence[str]) -> None:
    if reserved in agencies:
        rule = f"the id {reserved} stands for the agencies that are combined"
        raise BrokenInstrument(rule, "agencies", agencies.index(reserved), "id")


def _unique(what: str, ids: Sequence[str], *place: str) -> None:
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise BrokenInstrument(f"{what} ids must differ, but these stand twice: {twice}", *place)
    if not ids:
        raise BrokenInstrument(f"there is no {what}", *place)


def _cover_the_scale(bands: Sequence[Band]) -> None:
    """Bands must run from 0 upwards without a gap, the last one open-ended."""
    edge: float | None = 0.0
    for number, band in enumerate(bands):
        if band.start != edge:
            rule = f"band {band.id} must start at {edge or 0:g}"
            raise BrokenInstrument(rule, "rag", "bands", number)
        edge = band.below
    if edge is not None:
        rule = "the last band must have no upper end"
        raise BrokenInstrument(rule, "rag", "bands", len(bands) - 1)
