"""The action plan: what was chosen, what earlier snapshots left, and rows to fill in by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from report.advising import advised
from report.blocks import Block, Bullets, Cell, Heading, Paragraph, Section, Table
from report.saying import Saying
from snapshot.plan import Action
from snapshot.views import About

MOST_PLANNED = 8
"""Recommendations that the plan starts with: more would be a list and no plan."""

EMPTY_ROWS = 6

_BOXES = ("recommendation", "owner_name", "owner_agency", "due_date", "check", "status")
_WIDTHS = (16, 25, 11, 12, 10, 17, 9)


def plan(say: Saying) -> Section:
    """Recommendations for what is worst, to start from, as long as nothing has been chosen."""
    found = say.material.plan
    intro = Paragraph(say.material.pack.wording.message("plan_intro", {}))
    here = _chosen(say, found.here) if found.here else _to_fill(say)
    blocks = (intro, *here, *_earlier(say, found.earlier))
    return Section(say.text("plan"), blocks, wide=True)


def plan_columns(say: Saying) -> tuple[str, ...]:
    """As people know them from the form that they have filled in."""
    labels = say.material.pack.wording.inputs
    return (say.text("column_statement"), *(labels[id].text for id in _BOXES))


def about(say: Saying, action: Action) -> str:
    """Empty for an action of their own, and for what no statement of today is."""
    instrument = say.instrument
    known: list[About] = [d.id for d in instrument.domains]
    known += [s.id for s in instrument.statements]
    return next((say.place(id) for id in known if id == action.about), "")


def owners(say: Saying, action: Action) -> str:
    """Which body owns it; empty, where nobody has been chosen."""
    nation = say.material.snapshot.nation
    bodies: dict[str, str] = {a.id: a.label_in(nation) for a in say.instrument.agencies}
    bodies |= {id: body.label_in(nation) for id, body in say.material.library.leads.items()}
    return bodies.get(action.agency, "")


def status(say: Saying, action: Action) -> str:
    return say.material.pack.wording.choices["status"][action.status]


def since(say: Saying, action: Action) -> str:
    return say.material.pack.wording.word("plan_since", day=say.day(action.since))


def _to_fill(say: Saying) -> Iterator[Block]:
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
    columns = plan_columns(say)
    rows += [tuple(Cell("") for _ in columns)] * EMPTY_ROWS
    yield Paragraph(say.text("plan_first" if first else "plan_empty"))
    yield Table(columns, tuple(rows), _WIDTHS, to_fill=True)


def _chosen(say: Saying, actions: Sequence[Action]) -> Iterator[Block]:
    yield Paragraph(say.text("plan_chosen"))
    yield Table(plan_columns(say), tuple(_row(say, a) for a in actions), _WIDTHS)
    yield from _notes(say, actions)


def _earlier(say: Saying, actions: Sequence[Action]) -> Iterator[Block]:
    if not actions:
        return
    yield Heading(say.material.pack.wording.word("plan_earlier"))
    yield Paragraph(say.text("plan_carried"))
    rows = tuple(_row(say, a, since(say, a)) for a in actions)
    yield Table(plan_columns(say), rows, _WIDTHS)
    yield from _notes(say, actions)


def _row(say: Saying, action: Action, since: str = "") -> tuple[Cell, ...]:
    """Where an action of their own stands, the first cell still says something."""
    first = [about(say, action) or say.text("plan_own"), since]
    return (
        Cell("\n".join(filter(None, first))),
        Cell(action.title),
        Cell(action.owner),
        Cell(owners(say, action)),
        Cell(say.day(action.due) if action.due else ""),
        Cell(action.check),
        Cell(status(say, action)),
    )


def _notes(say: Saying, actions: Sequence[Action]) -> Iterator[Block]:
    """Below the table: a long one would make a row higher than a page."""
    noted = [a for a in actions if a.note.strip()]
    if noted:
        yield Heading(say.text("plan_notes"))
        yield Bullets(
            tuple(
                Paragraph(a.note, say.text("place_lead", place=a.title.rstrip("."))) for a in noted
            )
        )
