"""Typst, which prints the PDF and draws the charts: nothing of this machine goes into either.

A compiler keeps what it has read, so each call has its own and any thread may make one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, cast

import orjson
import typst

from report.blocks import (
    Block,
    Bullets,
    Cell,
    Chart,
    Document,
    Heading,
    Paragraph,
    Quotes,
    Section,
    Table,
)
from report.glyphs import FONTS, shown
from report.plain import plain, runs_left

_HERE = Path(__file__).parent
_TEMPLATE = _HERE / "report.typ"
_PPI = 220.0


def pdf(document: Document) -> bytes:
    """Tagged, as PDF/UA-1 wants it: with a title, a language, bookmarks and alternative texts."""
    moment = datetime.combine(document.day, time(), UTC)
    return typst.compile(
        _TEMPLATE,
        root=_HERE,
        font_paths=[FONTS],
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards="ua-1",
        timestamp=moment,
        sys_inputs={"given": _encoded(_document(document))},
    )


def pictures(document: Document, charts: Sequence[Chart]) -> list[bytes]:
    """Each chart as a PNG, as it is drawn in the PDF."""
    if not charts:
        return []
    given = {"language": _language(document), "charts": [_chart(c) for c in charts]}
    drawn = typst.compile(
        _TEMPLATE,
        root=_HERE,
        font_paths=[FONTS],
        ignore_system_fonts=True,
        format="png",
        ppi=_PPI,
        sys_inputs={"given": _encoded(given)},
    )
    # A list where there are several pages, which its own types do not tell.
    pages = cast("bytes | list[bytes]", drawn)
    return [pages] if isinstance(pages, bytes) else pages


def _encoded(given: Mapping[str, Any]) -> str:
    return orjson.dumps(given).decode()


def _language(document: Document) -> str:
    return document.language.partition("-")[0]


def _document(document: Document) -> dict[str, Any]:
    return {
        "language": _language(document),
        "title": _text(document.title),
        "subtitle": _text(document.subtitle),
        "lines": [_text(line) for line in document.lines],
        "contents": document.contents,
        "foot": _text(document.foot),
        "sections": [_section(section) for section in document.sections],
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        "title": _text(section.title),
        "wide": section.wide,
        "blocks": [_block(block) for block in section.blocks],
    }


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Heading():
            return {"kind": "heading", "text": _text(block.text)}
        case Paragraph():
            return {"kind": "paragraph", **_paragraph(block)}
        case Bullets():
            return {"kind": "bullets", "items": [_paragraph(item) for item in block.items]}
        case Quotes():
            return {"kind": "quotes", "texts": [_words(text) for text in block.texts]}
        case Table():
            return {
                "kind": "table",
                "columns": [_text(name) for name in block.columns],
                "rows": [[_cell(cell) for cell in row] for row in block.rows],
                "widths": block.widths,
                "to_fill": block.to_fill,
            }
        case Chart():
            return {"kind": "chart", **_chart(block)}


def _chart(chart: Chart) -> dict[str, Any]:
    return {**asdict(chart), "alt": _text(chart.alt), "title": _text(chart.title)}


def _paragraph(paragraph: Paragraph) -> dict[str, Any]:
    return {"lead": _text(paragraph.lead), **_words(paragraph.text)}


def _cell(cell: Cell) -> dict[str, Any]:
    return {"look": cell.look or "", **_words(cell.text)}


def _words(text: str) -> dict[str, Any]:
    return {"text": _text(text), "runs_left": runs_left(text)}


def _text(text: str) -> str:
    return shown(plain(text))
