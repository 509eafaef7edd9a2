"""A report as a row of blocks: what Word and PDF print alike.

No text in here is markup of any kind. Whoever prints a block prints its words as they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any


class Look(StrEnum):
    """How a cell is coloured: the lowest band, one between, the highest, or not rated."""

    LOW = "low"
    MIDDLE = "middle"
    HIGH = "high"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`lead`: a few words in bold before it."""

    text: str
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Bullets:
    items: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Quotes:
    """Somebody's own words."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    look: Look | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The first row is `columns`, and the first cell of each row says what it is about.

    `widths` are parts of the whole. In one `to_fill`, empty rows have room to write in.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[int, ...]
    to_fill: bool = False


class Drawing(StrEnum):
    STRIP = "strip"
    SIDES = "sides"
    BARS = "bars"


@dataclass(frozen=True, slots=True)
class Chart:
    """`data` is what `report.typ` draws, nothing in it but what `alt` says too."""

    drawing: Drawing
    title: str
    alt: str
    data: Mapping[str, Any] = field(hash=False)


type Block = Heading | Paragraph | Bullets | Quotes | Table | Chart


@dataclass(frozen=True, slots=True)
class Section:
    """`wide`: on pages that lie on their side."""

    title: str
    blocks: tuple[Block, ...]
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """`lines` stand under the title, `foot` at the foot of each page before its number."""

    language: str
    title: str
    subtitle: str
    lines: tuple[str, ...]
    contents: str
    foot: str
    day: date
    sections: tuple[Section, ...]
