"""What follows: strengths to keep, recommendations with what led to them, and the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from report.blocks import Block, Bullets, Cell, Paragraph, Section, Table
from report.saying import Saying
from snapshot.advice import Pattern, Recommendation, Rule
from snapshot.findings import Recommended
from snapshot.views import TRAVELLED_FROM, About, View

MOST_PLANNED = 8
"""Recommendations that the plan starts with: more would be a list and no plan."""

EMPTY_ROWS = 6


@dataclass(frozen=True, slots=True)
class Advised:
    """One recommendation with all that led to it. `pattern`: None where a colour did."""

    recommendation: Recommendation
    because: str
    places: tuple[About, ...]
    pattern: Pattern | None


def strengths(say: Saying) -> Section | None:
    found = say.material.findings.strengths
    if not found:
        return None
    advice = say.material.library.statements
    items = tuple(
        Paragraph(
            advice[s].strength if s in advice else "",
            say.text("place_lead", place=say.statement(s)),
        )
        for s in found
    )
    how = say.text("strengths_how", band=say.band(say.instrument.bands[-1].id))
    return Section(say.text("strengths"), (Paragraph(how), Bullets(items)))


def recommendations(say: Saying) -> Section | None:
    found = advised(say)
    if not found:
        return None
    columns = ("recommendation", "because", "lead", "by", "check")
    rows = tuple(
        (
            Cell(each.recommendation.text),
            Cell(because(say, each)),
            Cell(who(say, each.recommendation)),
            Cell(say.material.library.timescales[each.recommendation.timescale].label),
            Cell(each.recommendation.check),
        )
        for each in found
    )
    table = Table(tuple(say.text(f"column_{c}") for c in columns), rows, (28, 26, 18, 9, 19))
    how = Paragraph(say.text("recommendations_how"))
    return Section(say.text("recommendations"), (how, table), wide=True)


def plan(say: Saying) -> Section:
    """A table to fill in, which begins with what was recommended for what is worst."""
    labels = say.material.pack.wording.inputs
    wanted = ("recommendation", "owner_name", "owner_agency", "due_date", "check", "status")
    columns = (say.text("column_statement"), *(labels[id].text for id in wanted))
    first = advised(say)[:MOST_PLANNED]
    rows = [
        (
            Cell(say.places(each.places)),
            Cell(each.recommendation.text),
            *(Cell("") for _ in range(3)),
            Cell(each.recommendation.check),
            Cell(""),
        )
        for each in first
    ]
    rows += [tuple(Cell("") for _ in columns)] * EMPTY_ROWS
    words = say.material.pack.wording
    how = say.text("plan_first") if first else say.text("plan_empty")
    return Section(
        say.text("plan"),
        (
            Paragraph(words.message("plan_intro", {})),
            Paragraph(how),
            Table(columns, tuple(rows), (18, 26, 11, 11, 9, 17, 8), to_fill=True),
        ),
        wide=True,
    )


def travel(say: Saying) -> Section | None:
    """Nothing where there is no earlier snapshot to set this one against."""
    material = say.material
    if not material.earlier:
        return None
    views = (*material.findings.domains, *material.findings.statements)
    compared = [v for v in views if v.strategic_travel or v.practice_travel]
    blocks: list[Block] = [
        Paragraph(say.text("travel_how", when=material.earlier, points=TRAVELLED_FROM))
    ]
    if compared:
        blocks.append(_travelled(say, compared))
    else:
        blocks.append(Paragraph(say.text("travel_none")))
    if material.findings.reworded:
        places = "; ".join(say.place(s) for s in material.findings.reworded)
        blocks.append(Paragraph(say.text("travel_reworded", places=places)))
    return Section(say.text("travel"), tuple(blocks))


def _travelled(say: Saying, views: Sequence[View]) -> Table:
    rows = tuple(
        (
            Cell(say.place(v.about)),
            Cell(say.travel(v.strategic_travel)),
            Cell(say.travel(v.practice_travel)),
        )
        for v in views
    )
    columns = ("column_statement", "column_partners", "column_practitioners")
    return Table(tuple(say.text(c) for c in columns), rows, (50, 25, 25))


# -- recommendations ------------------------------------------------------------------------------


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


def following(say: Saying) -> Iterator[Section]:
    yield from filter(None, (strengths(say), recommendations(say)))
    yield plan(say)
    yield from filter(None, (travel(say),))
