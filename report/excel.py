"""The published figures as an Excel file: numbers as numbers, and nothing behind them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from textwrap import wrap

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from report.advising import advised, because, who
from report.archive import with_fixed_times
from report.material import Material
from report.plain import plain
from report.planning import about, owners, plan_columns, status
from report.saying import Saying
from snapshot.detail import StatementFigures
from snapshot.disclosure import DomainFigures, End, Figure
from snapshot.plan import Action
from snapshot.views import Side, View

type Value = str | int | date | None

_NARROW, _MIDDLE, _WIDE = 12, 24, 48
"""Characters, and of them so many that a wide one may take from the others."""
_SPARE = 2
_LINE = 15.0
_MOST_LINES = 27
"""Points: a row of one line. Excel takes 409 of them."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """`widths` in characters, the last one for all further columns."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    widths: tuple[int, ...]


def excel(material: Material) -> bytes:
    """The same bytes for the same material."""
    say, into = Saying(material), io.BytesIO()
    book = xlsxwriter.Workbook(
        into,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        },
    )
    title = f"{say.instrument.title}: {say.text('title', area=material.snapshot.area)}"
    moment = datetime.combine(material.closed, time())
    book.set_properties({"title": plain(title), "author": "", "created": moment})
    head = book.add_format(
        {"bold": True, "bg_color": "#123A5C", "font_color": "#FFFFFF", "text_wrap": True}
    )
    body = {"text_wrap": True, "valign": "top"}
    formats = (head, book.add_format(body), book.add_format({**body, "num_format": "d mmm yyyy"}))
    for sheet in _sheets(say):
        _write(book.add_worksheet(sheet.name), sheet, *formats)
    book.close()
    return with_fixed_times(into.getvalue())


def _write(into: Worksheet, sheet: Sheet, head: Format, body: Format, day: Format) -> None:
    """No text is ever a formula, a number or a link, whatever it begins with."""
    for number, name in enumerate(sheet.columns):
        into.write_string(0, number, name, head)
        into.set_column(number, number, _width(sheet, number))
    for line, row in enumerate((sheet.columns, *sheet.rows)):
        into.set_row(line, _LINE * min(_lines(sheet, row), _MOST_LINES))
    for line, row in enumerate(sheet.rows, start=1):
        for number, value in enumerate(row):
            if isinstance(value, int):
                into.write_number(line, number, value, body)
            elif isinstance(value, date):
                into.write_datetime(line, number, datetime.combine(value, time()), day)
            elif value:
                into.write_string(line, number, plain(value), body)
    into.freeze_panes(1, 0)
    into.set_landscape()
    into.repeat_rows(0)
    into.fit_to_pages(1, 0)


def _width(sheet: Sheet, column: int) -> int:
    return sheet.widths[min(column, len(sheet.widths) - 1)]


def _lines(sheet: Sheet, row: Sequence[Value]) -> int:
    """How many lines of text the fullest cell has: not every program works that out by itself."""
    found = (
        sum(max(1, len(wrap(line, _width(sheet, number) - _SPARE))) for line in value.splitlines())
        for number, value in enumerate(row)
        if isinstance(value, str) and value
    )
    return max(found, default=1)


# -- what is on them ------------------------------------------------------------------------------


def _sheets(say: Saying) -> Iterator[Sheet]:
    yield _about(say)
    findings = say.material.findings
    yield _views(say, "sheet_domains", "column_domain", findings.domains)
    yield _views(say, "sheet_statements", "column_statement", findings.statements)
    for sheet in (_answers(say), _agencies(say), _replies(say), _recommendations(say)):
        if sheet.rows:
            yield sheet
    yield _plan(say)


def _about(say: Saying) -> Sheet:
    material, snapshot = say.material, say.material.snapshot
    partnership, closed = snapshot.partnership_name, say.day(material.closed)
    people = material.summary.people
    lines = [
        *([material.pack.wording.messages["sample_banner"]] if snapshot.sample else []),
        say.text("title", area=snapshot.area),
        say.text("prepared", partnership=partnership, closed=closed),
        *([] if material.summary.withheld else [say.text("people", people=people)]),
        *say.lines("excel_about"),
    ]
    rows = tuple((line,) for line in lines)
    return Sheet(say.text("sheet_about"), (say.instrument.title,), rows, (100,))


def _views(say: Saying, name: str, first: str, views: Sequence[View]) -> Sheet:
    columns = (
        "column_id",
        first,
        "column_partners_score",
        "column_partners_band",
        "column_evidence_score",
        "column_practitioners_score",
        "column_end",
        "column_practitioners_band",
        "column_unweighted_score",
        "column_end",
        "column_favourable_share",
        "column_end",
        "column_unsure_share",
        "column_end",
        "column_gap_points",
        "column_gap_more",
        "column_together",
        "column_few",
    )
    rows = tuple(_view(say, view) for view in views)
    widths = (_NARROW, _WIDE, _NARROW)
    return Sheet(say.text(name), tuple(say.text(c) for c in columns), rows, widths)


def _view(say: Saying, view: View) -> tuple[Value, ...]:
    found = _figures(say, view)
    title = say.place(view.about)
    is_few = bool(found and found.few)
    return (
        view.about,
        title,
        view.strategic.score.value if view.strategic and view.strategic.score else None,
        _colour(say, view.strategic),
        view.evidence,
        *_figure(say, found.weighted if found else None),
        _colour(say, view.practice),
        *_figure(say, found.unweighted if found else None),
        *_figure(say, view.favourable),
        *_figure(say, view.dont_know),
        view.gap.points if view.gap else None,
        say.text("is_so") if view.gap and view.gap.or_more else None,
        say.band_of(view.system).name,
        say.text("is_so") if is_few else None,
    )


def _figures(say: Saying, view: View) -> DomainFigures | StatementFigures | None:
    material = say.material
    domains = (d for d in material.summary.domains if d.domain == view.about)
    statements = (s for s in material.detail.statements if s.statement == view.about)
    return next(domains, None) or next(statements, None)


def _figure(say: Saying, figure: Figure | None) -> tuple[Value, Value]:
    if figure is None:
        return None, None
    return figure.value, None if figure.end is End.AT else say.text(figure.end)


def _colour(say: Saying, side: Side | None) -> Value:
    return say.band_of(side.band).name if side else None


def _answers(say: Saying) -> Sheet:
    """How often each scored answer was chosen, a row for each."""
    rows = tuple(
        (f.statement, say.statement(f.statement), option.label, *_figure(say, f.options[option.id]))
        for f in say.material.detail.statements
        if f.options
        for option in say.instrument.practice.options
        if option.id in f.options
    )
    columns = ("column_id", "column_statement", "column_option", "column_share", "column_end")
    return _sheet(say, "sheet_answers", columns, rows, (_NARROW, _WIDE, _MIDDLE, _NARROW))


def _agencies(say: Saying) -> Sheet:
    rows = tuple(
        (
            say.cell(a.cell),
            a.statement or a.domain,
            say.place(a.statement or a.domain),
            *_figure(say, a.score),
            *_figure(say, a.favourable),
            a.step,
        )
        for a in say.material.detail.agencies
    )
    columns = (
        "column_agency",
        "column_id",
        "column_statement",
        "column_practitioners_score",
        "column_end",
        "column_favourable_share",
        "column_end",
        "column_rounding",
    )
    return _sheet(say, "sheet_agencies", columns, rows, (_MIDDLE, _NARROW, _WIDE, _NARROW))


def _replies(say: Saying) -> Sheet:
    rows = tuple((say.cell(r.cell), r.share) for r in say.material.detail.replies)
    columns = ("column_agency", "column_replied_share")
    return _sheet(say, "sheet_replies", columns, rows, (_MIDDLE, _NARROW))


def _recommendations(say: Saying) -> Sheet:
    rows = tuple(
        (
            each.recommendation.text,
            because(say, each),
            who(say, each.recommendation),
            say.material.library.timescales[each.recommendation.timescale].label,
            each.recommendation.check,
        )
        for each in advised(say)
    )
    columns = tuple(f"column_{c}" for c in ("recommendation", "because", "lead", "by", "check"))
    return _sheet(say, "sheet_recommendations", columns, rows, (_WIDE,))


def _plan(say: Saying) -> Sheet:
    labels = say.material.pack.wording.inputs
    columns = (*plan_columns(say), labels["note"].text, say.text("column_since"))
    found = say.material.plan
    rows = tuple(_action(say, action) for action in (*found.here, *found.earlier))
    widths = (_MIDDLE, _WIDE, _MIDDLE, _MIDDLE, _MIDDLE, _WIDE, _MIDDLE, _WIDE, _MIDDLE)
    return Sheet(say.text("sheet_plan"), columns, rows, widths)


def _action(say: Saying, action: Action) -> tuple[Value, ...]:
    """The last column tells those of earlier snapshots from what is new."""
    return (
        about(say, action),
        action.title,
        action.owner,
        owners(say, action),
        action.due,
        action.check,
        status(say, action),
        action.note,
        action.since,
    )


def _sheet(
    say: Saying,
    name: str,
    columns: Sequence[str],
    rows: tuple[tuple[Value, ...], ...],
    widths: tuple[int, ...],
) -> Sheet:
    return Sheet(say.text(name), tuple(say.text(c) for c in columns), rows, widths)
