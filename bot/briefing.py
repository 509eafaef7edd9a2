"""A report in the few words that a card has room for."""

from __future__ import annotations

from collections.abc import Iterator

from cards.report import Brief, Told
from report.front import caveats, key_points, opening
from report.material import Material
from report.saying import Saying
from snapshot.instrument import BandId
from snapshot.views import FLAGGED_FROM, View


def brief_of(material: Material) -> Brief:
    say = Saying(material)
    return Brief(
        opening=tuple(paragraph.text for paragraph in opening(say)),
        key_points=say.text("key_points"),
        points=tuple((point.lead, point.text) for point in key_points(say)),
        domains=tuple(_told(say, view) for view in material.findings.domains if say.is_rated),
        before_reading=say.text("caveats"),
        caveats=(*caveats(say), *_how_to_read(say)),
        step=0 if material.summary.withheld else max(material.summary.step, material.detail.step),
    )


def _how_to_read(say: Saying) -> Iterator[str]:
    if any(view.gap for view in say.material.findings.domains):
        yield say.text("gap_how", flagged=FLAGGED_FROM)


def _told(say: Saying, view: View) -> Told:
    return Told(say.place(view.about), BandId(view.system), tuple(_lines(say, view)))


def _lines(say: Saying, view: View) -> Iterator[str]:
    """The same as the row of the domain in the report's table."""
    yield _named(say, "column_together", say.band(view.system), mark="**")
    if view.strategic:
        yield _named(say, "column_partners", say.side(view.strategic))
    if view.practice:
        yield _named(say, "column_practitioners", say.side(view.practice))
    if view.gap:
        yield _named(say, "column_gap", say.gap(view.gap))


def _named(say: Saying, column: str, said: str, *, mark: str = "") -> str:
    return f"{mark}{say.text('place_lead', place=say.text(column))} {said}{mark}"
