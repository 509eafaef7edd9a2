"""What follows: strengths to keep, recommendations with what led to them, and the plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from report.advising import advised, because, who
from report.blocks import Block, Bullets, Cell, Paragraph, Section, Table
from report.planning import plan
from report.saying import Saying
from snapshot.views import TRAVELLED_FROM, View


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


def following(say: Saying) -> Iterator[Section]:
    yield from filter(None, (strengths(say), recommendations(say)))
    yield plan(say)
    yield from filter(None, (travel(say),))
