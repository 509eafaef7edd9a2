"""Reads the library of recommendations, which a programme may replace as it may the instrument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field

from content.yaml_files import BrokenPack, Part, complaint, read
from snapshot import advice as core
from snapshot.instrument import BandId, Instrument, StatementId

__all__ = ["load_libraries", "load_library"]


def load_libraries(folder: Path, instruments: Iterable[Instrument]) -> dict[str, core.Library]:
    """By language; empty where the programme has none. Raises `BrokenPack`."""
    found = {i.language: load_library(folder, i) for i in instruments}
    return {language: library for language, library in found.items() if library}


type _Text = Annotated[str, Field(min_length=1, pattern=r"\S")]


def load_library(folder: Path, instrument: Instrument) -> core.Library | None:
    """In the instrument's language; None where the programme has none. Raises `BrokenPack`."""
    path = folder / f"recommendations.{instrument.language}.yaml"
    if not path.exists():
        return None
    file = read(path, _File)
    try:
        library = _library(file)
        core.check_fits(library, instrument)
    except core.BrokenLibrary as error:
        raise BrokenPack(complaint(path, error.place, error.rule)) from None
    return library


class _Recommendation(Part):
    text: _Text
    lead: _Text
    needed: list[_Text] = Field(default_factory=list, alias="with")
    timescale: _Text
    check: _Text


class _Advice(Part):
    red: _Recommendation
    amber: _Recommendation
    strength: _Text


class _When(Part):
    """A rule that we do not know would never apply, so it is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    metric: Annotated[core.Metric, Field(strict=False)]
    at_least: Annotated[int, Field(ge=1, le=100)] | None = None
    equals: _Text | None = None
    and_evidence_below: Annotated[int, Field(ge=1, le=100)] | None = None


class _Pattern(Part):
    id: _Text
    title: _Text
    when: _When
    finding: _Text
    meaning: _Text
    recommendation: _Recommendation
    questions: list[_Text]


class _Arrow(Part):
    word: _Text
    symbol: _Text
    text: _Text


class _Lead(Part):
    id: _Text
    label: _Text
    label_wales: _Text | None = None


class _Timescale(Part):
    id: _Text
    label: _Text
    days: Annotated[int, Field(ge=1)]


class _File(Part):
    language: _Text
    instrument: _Text
    leads: list[_Lead]
    timescales: list[_Timescale]
    statements: Mapping[str, _Advice]
    patterns: list[_Pattern]
    direction_of_travel: Mapping[Annotated[core.Direction, Field(strict=False)], _Arrow]


def _library(file: _File) -> core.Library:
    return core.Library(
        language=file.language,
        instrument=file.instrument,
        leads={
            lead.id: core.LeadBody(lead.label, lead.label_wales or lead.label)
            for lead in file.leads
        },
        timescales={t.id: core.Timescale(t.label, t.days) for t in file.timescales},
        statements={StatementId(id): _advice(found) for id, found in file.statements.items()},
        patterns=tuple(_pattern(p, n) for n, p in enumerate(file.patterns)),
        arrows={
            d: core.Arrow(a.word, a.symbol, a.text) for d, a in file.direction_of_travel.items()
        },
    )


def _advice(part: _Advice) -> core.Advice:
    by_band = {BandId(band): _recommendation(getattr(part, band)) for band in ("red", "amber")}
    return core.Advice(by_band, part.strength)


def _pattern(part: _Pattern, number: int) -> core.Pattern:
    when = part.when
    if (when.at_least is None) == (when.equals is None):
        raise core.BrokenLibrary("has either at_least or equals", "patterns", number, "when")
    rule = core.Rule(
        when.metric,
        when.at_least,
        None if when.equals is None else BandId(when.equals),
        when.and_evidence_below,
    )
    return core.Pattern(
        part.id,
        part.title,
        rule,
        part.finding,
        part.meaning,
        _recommendation(part.recommendation),
        tuple(part.questions),
    )


def _recommendation(part: _Recommendation) -> core.Recommendation:
    return core.Recommendation(part.text, part.lead, part.timescale, part.check, tuple(part.needed))
