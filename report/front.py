"""The first pages: what stands out, what to know before reading on, all domains at a glance."""

from __future__ import annotations

from collections.abc import Iterator

from report.blocks import Block, Bullets, Cell, Heading, Paragraph, Section, Table
from report.charts import sides, strip
from report.saying import Saying
from snapshot.findings import MEANS_APART, Caveat, KeyPoint, Point
from snapshot.instrument import DONT_KNOW
from snapshot.views import FLAGGED_FROM, About, View


def in_short(say: Saying) -> Section:
    blocks: list[Block] = [*opening(say)]
    if points := key_points(say):
        blocks += [Heading(say.text("key_points")), Bullets(points)]
    if known := tuple(Paragraph(each) for each in (*caveats(say), *_of_comments(say))):
        blocks += [Heading(say.text("caveats")), Bullets(known)]
    return Section(say.text("in_short"), tuple(blocks))


def opening(say: Saying) -> Iterator[Paragraph]:
    """What the report is about, and whether anything stands out in it."""
    material = say.material
    yield Paragraph(_whose_view(say))
    if not material.summary.withheld:
        yield Paragraph(say.text("people", people=material.summary.people))
    if say.is_rated and not material.findings.key_points:
        lowest, highest = say.instrument.bands[0].name, say.instrument.bands[-1].name
        yield Paragraph(say.text("nothing_stands_out", lowest=lowest, highest=highest))


def key_points(say: Saying) -> tuple[Paragraph, ...]:
    return tuple(_point(say, point) for point in say.material.findings.key_points)


def at_a_glance(say: Saying) -> Section:
    domains = say.material.findings.domains
    blocks: list[Block] = [
        Paragraph(say.text("at_a_glance_how")),
        Bullets(tuple(Paragraph(line) for line in _bands(say))),
        strip(say, domains),
    ]
    if any(v.gap for v in domains):
        blocks += [sides(say, domains), Paragraph(say.text("gap_how", flagged=FLAGGED_FROM))]
    blocks += views_table(say, domains, "column_domain")
    return Section(say.text("at_a_glance"), tuple(blocks))


def views_table(say: Saying, views: tuple[View, ...], first: str) -> Iterator[Block]:
    """Both views of each, beside each other, and why some have a colour alone."""
    columns = (
        first,
        "column_partners",
        "column_evidence",
        "column_practitioners",
        "column_unsure",
        "column_gap",
        "column_together",
    )
    rows = tuple(
        (
            Cell(say.place(v.about)),
            say.side_cell(v.strategic),
            Cell(say.evidence(v.evidence)),
            say.side_cell(v.practice),
            Cell(say.share(v.dont_know)),
            Cell(say.gap(v.gap)),
            say.system_cell(v),
        )
        for v in views
    )
    yield Table(tuple(say.text(c) for c in columns), rows, (24, 13, 15, 16, 10, 10, 12))
    grey = say.instrument.not_rated.id
    if any(v.practice and v.practice.band != grey and not v.practice.score for v in views):
        yield Paragraph(say.text("colour_alone"))


def _whose_view(say: Saying) -> str:
    caveats = say.material.findings.caveats
    missing = (Caveat.NO_SESSION in caveats, Caveat.NO_PRACTICE in caveats)
    id = {
        (False, False): "in_short_both",
        (False, True): "in_short_partners",
        (True, False): "in_short_practitioners",
        (True, True): "in_short_neither",
    }[missing]
    total = len(say.instrument.statements)
    return say.text(id, total=total, area=say.material.snapshot.area)


# -- key points -----------------------------------------------------------------------------------


def _point(say: Saying, point: KeyPoint) -> Paragraph:
    lead = say.text("place_lead", place=say.text(f"point_{point.point}"))
    values = _values(say, point)
    return Paragraph(say.text(f"point_{point.point}_text", **values), lead)


def _values(say: Saying, point: KeyPoint) -> dict[str, str]:
    bands = say.instrument.bands
    match point.point:
        case Point.PRIORITIES:
            return {"band": say.band(bands[0].id), "places": say.places(point.about)}
        case Point.STRENGTHS:
            return {"band": say.band(bands[-1].id), "places": say.places(point.about)}
        case Point.APART:
            view = _view(say, point.about[0])
            return {
                "place": say.place(view.about),
                "strategic": say.side(view.strategic),
                "practice": say.side(view.practice),
                "gap": say.gap_size(view.gap),
            }
        case Point.UNSURE:
            option = say.instrument.option(DONT_KNOW)
            shares = [_with_share(say, about) for about in point.about]
            return {"option": option.label if option else "", "places": say.listed(shares)}
        case _:
            return {"places": say.places(point.about)}


def _with_share(say: Saying, about: About) -> str:
    share = say.share(_view(say, about).dont_know)
    return say.text("place_share", place=say.place(about), share=share)


def _view(say: Saying, about: About) -> View:
    findings = say.material.findings
    return next(v for v in (*findings.domains, *findings.statements) if v.about == about)


# -- how to read it -------------------------------------------------------------------------------


def caveats(say: Saying) -> Iterator[str]:
    """What to know before reading on."""
    findings = say.material.findings
    values: dict[Caveat, dict[str, object]] = {
        Caveat.UNFINISHED_SESSION: {
            "count": len(findings.agreed),
            "total": len(say.instrument.statements),
        },
        Caveat.NO_PRACTICE: {"k": say.material.snapshot.k},
        Caveat.FEW: {"few": say.material.pack.wording.word("few_answers")},
        Caveat.MEANS_APART: {"points": MEANS_APART},
    }
    for caveat in findings.caveats:
        yield say.text(f"caveat_{caveat}", **values.get(caveat, {}))
    if findings.least:
        agencies = say.listed([say.cell(cell) for cell in findings.least])
        yield say.text("caveat_least", agencies=agencies)


def _of_comments(say: Saying) -> Iterator[str]:
    if any(say.voice(domain.id).comments for domain in say.instrument.domains):
        yield say.text("caveat_comments_few")


def _bands(say: Saying) -> Iterator[str]:
    for band in say.instrument.bands:
        start = f"{band.start or 0:g}"
        yield say.text("band_line", band=say.band(band.id), start=start, meaning=band.meaning)
    grey = say.instrument.not_rated
    yield say.text("band_line_none", band=say.band(grey.id), meaning=grey.meaning)
