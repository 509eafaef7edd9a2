"""One domain: both views of each statement, what shows in them, and what was said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from report.blocks import Block, Bullets, Cell, Heading, Paragraph, Quotes, Section, Table
from report.charts import bars, sides
from report.front import views_table
from report.saying import Saying
from snapshot.detail import AgencyFigures
from snapshot.instrument import Domain, StatementId
from snapshot.session import Agreed
from snapshot.snapshot import CellId
from snapshot.views import FLAGGED_FROM, Side, View
from snapshot.wording import fill

_MANY = 5
"""Groups of agencies."""


def domain_section(say: Saying, domain: Domain) -> Section:
    findings = say.material.findings
    (whole,) = (v for v in findings.domains if v.about == domain.id)
    statements = [s.id for s in say.instrument.of_domain(domain.id)]
    views = tuple(v for v in findings.statements if v.about in statements)
    blocks = [
        Paragraph(domain.purpose),
        *_standing(say, whole),
        *_statements(say, views),
        *_answers(say, statements),
        *_agencies(say, domain, statements),
        *_patterns(say, [whole, *views]),
        *_session(say, statements),
        *_voices(say, domain),
    ]
    return Section(domain.title, tuple(blocks))


def _standing(say: Saying, view: View) -> Iterator[Block]:
    yield Paragraph(
        say.text(
            "domain_both",
            strategic=say.side(view.strategic),
            practice=say.side(view.practice),
            system=say.side(Side(view.system)),
        )
    )
    found = next((d for d in say.material.summary.domains if d.domain == view.about), None)
    if found is None:
        return
    words = say.material.pack.wording
    said = []
    if found.weighted and found.unweighted:
        scores = {"weighted": say.score(found.weighted), "unweighted": say.score(found.unweighted)}
        few = f" ({words.word('few_answers')})" if found.few else ""
        said.append(words.word("scores", **scores) + few + ".")
    if found.favourable:
        options = say.favourable()
        said.append(words.word("scored", share=say.share(found.favourable), options=options) + ".")
    if said:
        yield Paragraph(" ".join(said), say.text("domain_figures"))


def _statements(say: Saying, views: tuple[View, ...]) -> Iterator[Block]:
    yield from views_table(say, views, "column_statement")
    if any(v.gap for v in views):
        yield Paragraph(say.text("gap_how", flagged=FLAGGED_FROM))
        yield sides(say, views)


def _answers(say: Saying, statements: Sequence[StatementId]) -> Iterator[Block]:
    shown = [f for f in say.material.detail.statements if f.statement in statements]
    if any(f.options for f in shown):
        yield bars(say, shown)
        yield Paragraph(say.text("chart_bars_note"))
        return
    rows = tuple(
        (Cell(say.statement(f.statement)), Cell(say.share(f.favourable)))
        for f in shown
        if f.favourable
    )
    if rows:
        yield Heading(say.text("options_heading"))
        yield Paragraph(say.text("favourable_how", options=say.favourable()))
        columns = (say.text("column_statement"), say.text("column_favourable"))
        yield Table(columns, rows, (70, 30))


# -- agency groups --------------------------------------------------------------------------------


def _agencies(say: Saying, domain: Domain, statements: Sequence[StatementId]) -> Iterator[Block]:
    """A column for each group, a row for each statement; the domain itself comes first."""
    shown = [a for a in say.material.detail.agencies if a.domain == domain.id]
    cells = list(dict.fromkeys(a.cell for a in shown))
    if not cells:
        return
    found = {(a.cell, a.statement): a for a in shown}
    abouts = [None, *(s for s in statements if any((c, s) in found for c in cells))]
    rows = tuple(
        (
            Cell(say.text("whole_domain") if about is None else say.statement(about)),
            *(_agency(say, found.get((cell, about))) for cell in cells),
        )
        for about in abouts
    )
    columns = (say.text("column_statement"), *(say.cell(cell) for cell in cells))
    # Names of agencies have long words, which many narrow columns would cut off.
    first = 35 if len(cells) < _MANY else 22
    width = (100 - first) // len(cells)
    yield Heading(say.text("agencies_heading"))
    steps = _steps(say, shown, cells)
    yield Paragraph(say.text("agencies_how", options=say.favourable(), steps=steps))
    yield Table(columns, rows, (first, *(width for _ in cells)))


def _agency(say: Saying, found: AgencyFigures | None) -> Cell:
    if found is None:
        return Cell(say.text("none_short"))
    if found.score:
        return Cell(say.text("agency_score", score=say.score(found.score)))
    return Cell(say.text("agency_favourable", share=say.share(found.favourable)))


def _steps(say: Saying, shown: Sequence[AgencyFigures], cells: Sequence[CellId]) -> str:
    steps = {a.cell: a.step for a in shown}
    return ", ".join(
        say.text("agencies_step", agency=say.cell(cell), step=steps[cell]) for cell in cells
    )


# -- what shows -----------------------------------------------------------------------------------


def _patterns(say: Saying, views: Sequence[View]) -> Iterator[Block]:
    """Each pattern once, with every place where it shows, and what to ask about it."""
    shown = [
        (pattern, [(view, hit) for view in views for hit in view.hits if hit.pattern == pattern.id])
        for pattern in say.material.library.patterns
    ]
    shown = [(pattern, hits) for pattern, hits in shown if hits]
    if not shown:
        return
    yield Heading(say.text("patterns_heading"))
    for pattern, hits in shown:
        yield Paragraph(pattern.meaning, f"{pattern.title}.")
        said = []
        for view, hit in hits:
            finding = fill(pattern.id, pattern.finding, say.values(hit.values, view.gap))
            said.append(Paragraph(finding, say.text("place_lead", place=say.place(view.about))))
        yield Bullets(tuple(said))
    questions = [Paragraph(q) for pattern, _ in shown for q in pattern.questions]
    if questions:
        yield Heading(say.text("questions_heading"))
        yield Bullets(tuple(questions))


# -- what was said --------------------------------------------------------------------------------


def _session(say: Saying, statements: Sequence[StatementId]) -> Iterator[Block]:
    agreed = say.material.findings.agreed
    found = [(s, agreed[s]) for s in statements if s in agreed]
    if not found:
        return
    yield Heading(say.text("session_heading"))
    for statement, each in found:
        yield Paragraph(_agreed(say, each), say.text("place_lead", place=say.statement(statement)))
        if notes := tuple(Paragraph(words, lead) for lead, words in _notes(say, each)):
            yield Bullets(notes)


def _agreed(say: Saying, agreed: Agreed) -> str:
    partners = say.instrument.strategic
    if partners is None:
        return ""
    progress = partners.progress.option(agreed.ratings.progress)
    evidence = partners.evidence.option(agreed.ratings.evidence)
    near = say.text("session_near" if agreed.near else "session_apart")
    said = say.text(
        "session_agreed",
        progress=progress.label if progress else agreed.ratings.progress,
        evidence=evidence.label if evidence else agreed.ratings.evidence,
    )
    return f"{said} {near}"


def _notes(say: Saying, agreed: Agreed) -> Iterator[tuple[str, str]]:
    if agreed.note.strip():
        yield say.text("session_note"), agreed.note
    if agreed.named.strip():
        yield say.text("session_named"), agreed.named
    for dissent in agreed.dissent:
        yield say.text("session_dissent", agency=say.agency(dissent.agency)), dissent.note


def _voices(say: Saying, domain: Domain) -> Iterator[Block]:
    """Nothing at all where nobody could write a comment, or where no answers are told."""
    material = say.material
    if not material.offered_comments or material.summary.withheld:
        return
    yield Heading(say.text("comments_heading"))
    voice, few = say.voice(domain.id), say.instrument.comments.quotes_from
    if not voice.is_heard:
        yield Paragraph(say.text("comments_none"))
    elif voice.comments:
        yield Paragraph(say.text("comments_how"))
        yield Quotes(voice.comments)
    elif voice.theme:
        yield Paragraph(say.text("themes_how", quotes_from=few))
        yield Quotes((voice.theme,))
    else:
        yield Paragraph(say.text("themes_waiting", quotes_from=few))
