"""What charts show, and the same in words. `report.typ` draws them, for Word as for PDF.

Nothing is drawn but printed figures: a bar that says "under 5" ends where "5" would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from report.blocks import Chart, Drawing
from report.saying import Saying
from snapshot.detail import StatementFigures
from snapshot.disclosure import End, Figure
from snapshot.views import Side, View


def strip(say: Saying, views: Sequence[View]) -> Chart:
    """The colours of each domain."""
    columns = [say.text(f"column_{id}") for id in ("partners", "practitioners", "together")]
    rows = [
        {
            "label": say.place(v.about),
            "boxes": [_box(say, v.strategic), _box(say, v.practice), _box(say, Side(v.system))],
        }
        for v in views
    ]
    said = [
        say.text(
            "chart_strip_row",
            place=say.place(v.about),
            strategic=say.side(v.strategic),
            practice=say.side(v.practice),
            system=say.side(Side(v.system)),
        )
        for v in views
    ]
    alt = say.text("chart_strip_alt", rows=" ".join(said))
    return Chart(Drawing.STRIP, say.text("chart_strip"), alt, {"columns": columns, "rows": rows})


def _box(say: Saying, side: Side | None) -> dict[str, str] | None:
    if side is None:
        return None
    return {"look": say.look(side.band), "text": say.side(side)}


def sides(say: Saying, views: Sequence[View]) -> Chart:
    """Both views on a line from 0 to 100, with what lies between them."""
    rows = [
        {
            "label": say.place(v.about),
            "partners": _score(v.strategic),
            "practitioners": _score(v.practice),
            "gap": say.gap(v.gap),
            "flagged": bool(v.gap and v.gap.is_flagged),
        }
        for v in views
    ]
    said = [
        say.text(
            "chart_sides_row",
            place=say.place(v.about),
            strategic=say.side(v.strategic),
            practice=say.side(v.practice),
            gap=say.gap(v.gap),
        )
        for v in views
    ]
    data = {
        "partners": say.text("column_partners"),
        "practitioners": say.text("column_practitioners"),
        "gap": say.text("column_gap"),
        "cuts": [
            {"at": band.start, "symbol": band.symbol, "name": band.name}
            for band in say.instrument.bands
        ],
        "rows": rows,
    }
    alt = say.text("chart_sides_alt", rows=" ".join(said))
    return Chart(Drawing.SIDES, say.text("chart_sides"), alt, data)


def _score(side: Side | None) -> Mapping[str, Any] | None:
    return _mark(side.score) if side and side.score else None


def bars(say: Saying, figures: Sequence[StatementFigures]) -> Chart:
    """How practitioners answered each statement, as far as that is told."""
    options = [o for o in say.instrument.practice.options if o.score is not None]
    shown = [(f, f.options) for f in figures if f.options]
    rows = [
        {
            "label": say.statement(f.statement),
            "parts": [_mark(shares[o.id]) for o in options],
        }
        for f, shares in shown
    ]
    said = [
        say.text(
            "chart_bars_row",
            place=say.statement(f.statement),
            shares=", ".join(
                say.text("chart_bars_share", option=o.label, share=say.share(shares[o.id]))
                for o in options
            ),
        )
        for f, shares in shown
    ]
    alt = say.text("chart_bars_alt", rows=" ".join(said))
    data = {"options": [o.label for o in options], "rows": rows}
    return Chart(Drawing.BARS, say.text("chart_bars"), alt, data)


def _mark(figure: Figure) -> Mapping[str, Any]:
    """Where it is drawn, and what stands in it: an end is said as short as can be."""
    sign = {End.AT: "", End.UNDER: "<", End.OVER: ">"}[figure.end]
    return {"at": figure.value, "text": f"{sign}{figure.value}"}
