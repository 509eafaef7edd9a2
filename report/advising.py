"""What is recommended, with all that led to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from report.saying import Saying
from snapshot.advice import Pattern, Recommendation, Rule
from snapshot.findings import Recommended
from snapshot.views import About


@dataclass(frozen=True, slots=True)
class Advised:
    """One recommendation with all that led to it. `pattern`: None where a colour did."""

    recommendation: Recommendation
    because: str
    places: tuple[About, ...]
    pattern: Pattern | None


def advised(say: Saying) -> list[Advised]:
    """Those that are the same, together: one for a pattern has all the places where it shows."""
    found: dict[tuple[str, str], list[Recommended]] = {}
    for each in say.material.findings.recommended:
        found.setdefault((each.because, each.recommendation.text), []).append(each)
    patterns = {p.id: p for p in say.material.library.patterns}
    return [
        Advised(
            group[0].recommendation,
            because,
            tuple(each.about for each in group),
            patterns.get(because),
        )
        for (because, _), group in found.items()
    ]


def because(say: Saying, advised: Advised) -> str:
    """The colour or the pattern and its rule, and every place where that is so."""
    places = "; ".join(say.place(about) for about in advised.places)
    if advised.pattern is None:
        return say.text("because_band", band=say.band(advised.because), places=places)
    rule = _rule(say, advised.pattern.rule)
    return say.text("because_pattern", title=advised.pattern.title, rule=rule, places=places)


def _rule(say: Saying, rule: Rule) -> str:
    evidence = "_evidence" if rule.evidence_below is not None else ""
    values: Mapping[str, object] = {
        "at_least": rule.at_least or 0,
        "band": say.band(rule.equals) if rule.equals else "",
        "below": rule.evidence_below or 0,
    }
    return say.text(f"rule_{rule.metric}{evidence}", **values)


def who(say: Saying, recommendation: Recommendation) -> str:
    leads, nation = say.material.library.leads, say.material.snapshot.nation
    lead = leads[recommendation.lead].label_in(nation)
    others = ", ".join(leads[id].label_in(nation) for id in recommendation.needed)
    return say.text("lead_with", lead=lead, others=others) if others else lead
