"""How it was done, who replied, and the statements in full."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from report.blocks import Block, Bullets, Cell, Heading, Paragraph, Section, Table
from report.saying import Saying
from snapshot.instrument import Statement, Strategic
from snapshot.snapshot import OTHER


def replies(say: Saying) -> Section | None:
    found = say.material.detail.replies
    if not found:
        return None
    rows = tuple(
        (
            Cell(say.cell(reply.cell)),
            Cell(
                say.text("replied_untold")
                if reply.share is None
                else say.text("replied_about", share=reply.share)
            ),
        )
        for reply in found
    )
    columns = (say.text("column_agency"), say.text("column_replied"))
    blocks: list[Block] = [Paragraph(say.text("replies_how")), Table(columns, rows, (60, 40))]
    if any(cell.id == OTHER for cell in say.material.snapshot.cells):
        blocks.append(Paragraph(say.text("replies_merged")))
    return Section(say.text("replies"), tuple(blocks))


def method(say: Saying) -> Section:
    partners = say.instrument.strategic
    blocks = [
        Heading(say.text("method_practice")),
        _bullets([*_practice(say), *_moved(say)]),
        *(_session(say, partners) if partners and say.material.findings.agreed else ()),
        Heading(say.text("method_figures")),
        _bullets([*_figures(say), *_rounding(say), *_evidence(say), *_version(say)]),
    ]
    return Section(say.text("method"), tuple(blocks))


def statements(say: Saying) -> Section:
    """Of use whatever came of it: what was asked, and what could serve as evidence."""
    blocks: list[Block] = [Paragraph(say.text("statements_how"))]
    for domain in say.instrument.domains:
        blocks.append(Heading(domain.title))
        for statement in say.instrument.of_domain(domain.id):
            lead = say.text("place_lead", place=say.statement(statement.id))
            blocks.append(Paragraph(statement.text, lead))
            if more := [*_more(say, statement)]:
                blocks.append(_bullets(more))
    return Section(say.text("statements"), tuple(blocks))


def _more(say: Saying, statement: Statement) -> Iterator[str]:
    if statement.strategic and statement.strategic != statement.text:
        yield say.text("statements_partners", text=statement.strategic)
    if statement.evidence:
        yield say.text("statements_evidence", evidence="; ".join(statement.evidence))


def _bullets(lines: list[str]) -> Bullets:
    return Bullets(tuple(Paragraph(line) for line in lines))


def _practice(say: Saying) -> list[str]:
    snapshot = say.material.snapshot
    opened = snapshot.opened.astimezone(ZoneInfo(snapshot.timezone)).date()
    return say.lines(
        "method_practice_text",
        total=len(say.instrument.statements),
        others=snapshot.k - 1,
        k=snapshot.k,
        mixing=say.material.pack.wording.choices["mixing"][snapshot.mixing],
        opened=say.day(opened),
    )


def _moved(say: Saying) -> Iterator[str]:
    snapshot = say.material.snapshot
    for extension in snapshot.extensions:
        old = extension.old_deadline.astimezone(ZoneInfo(snapshot.timezone)).date()
        yield say.text("method_extended", old=say.day(old), reason=extension.reason)


def _session(say: Saying, partners: Strategic) -> Iterator[Block]:
    near = partners.near
    yield Heading(say.text("method_session"))
    yield _bullets(
        say.lines("method_session_text", steps=near.within_steps, share=str(near.dont_know_under))
    )


def _figures(say: Saying) -> list[str]:
    options = say.instrument.practice.options
    scale = ", ".join(f"{o.label} {o.score:g}" for o in options if o.score is not None)
    word = say.material.pack.wording.word
    bands = ", ".join(
        word("band_from", band=band.name, score=f"{band.start or 0:g}")
        for band in say.instrument.bands
    )
    return say.lines("method_figures_text", scale=scale, bands=bands)


def _rounding(say: Saying) -> Iterator[str]:
    domains, statements = say.material.summary.step, say.material.detail.step
    if say.material.summary.withheld:
        return
    id = "method_rounding" if statements else "method_rounding_domains"
    nearest = say.instrument.limits.people_to_nearest
    yield say.text(id, domains=domains, statements=statements, people=nearest)


def _evidence(say: Saying) -> Iterator[str]:
    partners = say.instrument.strategic
    if partners and partners.levels:
        levels = ", ".join(
            say.text("method_level", word=level.word, start=f"{level.start:g}")
            for level in partners.levels
        )
        yield say.text("method_evidence", levels=levels)


def _version(say: Saying) -> Iterator[str]:
    instrument = say.instrument
    yield say.text("method_reading", title=instrument.title, version=instrument.version)
