"""The report as a Word file that people go on writing in: real headings, lists and tables."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime, time
from itertools import zip_longest
from typing import Any

import docx
from docx.document import Document as WordFile
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Emu, Pt, RGBColor
from docx.styles.style import ParagraphStyle
from docx.table import Table as WordTable
from docx.table import _Cell as WordCell
from docx.text.paragraph import Paragraph as WordParagraph

from report.archive import with_fixed_times
from report.blocks import (
    Block,
    Bullets,
    Chart,
    Document,
    Heading,
    Look,
    Paragraph,
    Quotes,
    Section,
    Table,
)
from report.plain import plain, runs_left
from report.typesetting import pictures

_FONT = "Calibri"
_INK, _BLUE = RGBColor(0x1A, 0x1A, 0x1A), RGBColor(0x12, 0x3A, 0x5C)
_WHITE = RGBColor(0xFF, 0xFF, 0xFF)
_HEADER_FILL = "123A5C"
_FILLS = {
    Look.LOW: ("A61B1B", _WHITE),
    Look.MIDDLE: ("FFBF47", _INK),
    Look.HIGH: ("1B5E3A", _WHITE),
    Look.NONE: ("E6E6E6", _INK),
}
_STYLES = (
    "Title",
    "Subtitle",
    "Heading1",
    "Heading2",
    "TOCHeading",
    "ListBullet",
    "ListNumber",
    "Quote",
    "Caption",
    "TableGrid",
    "Footer",
)
"""Of the template, by their ids."""

_MARGIN = Cm(2)
_ROOM_TO_WRITE = Cm(1.2)


def word(document: Document) -> bytes:
    """The same bytes for the same document."""
    return _Writing(document).written()


class _Writing:
    """One file while it is being written."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._file: WordFile = docx.Document()
        charts = [b for s in document.sections for b in s.blocks if isinstance(b, Chart)]
        self._pictures = dict(zip(map(id, charts), pictures(document, charts), strict=True))

    def written(self) -> bytes:
        self._set_up()
        self._first_page()
        for number, section in enumerate(self._document.sections):
            self._section(section, number)
        into = io.BytesIO()
        self._file.save(into)
        return with_fixed_times(into.getvalue())

    # -- the file as a whole ----------------------------------------------------------------------

    def _set_up(self) -> None:
        document, properties = self._document, self._file.core_properties
        moment = datetime.combine(document.day, time())
        properties.title = plain(f"{document.title}: {document.subtitle}")
        properties.language = document.language
        properties.author = properties.last_modified_by = properties.comments = ""
        properties.created = properties.modified = moment
        properties.revision = 1
        _drop_what_is_not_used(self._file)
        _set_language(self._file, document.language)
        _set_styles(self._file)
        section = self._file.sections[0]
        section.page_width, section.page_height = Cm(21), Cm(29.7)
        _set_margins(section)
        foot = section.footer.paragraphs[0]
        foot.add_run(plain(document.foot) + "\t\t")
        _add_page_number(foot)

    def _first_page(self) -> None:
        document = self._document
        self._file.add_paragraph(plain(document.title), style="Title")
        self._file.add_paragraph(plain(document.subtitle), style="Subtitle")
        for line in document.lines:
            _add_words(self._file.add_paragraph(), line)
        self._file.add_paragraph(plain(document.contents), style="TOC Heading")
        for number, section in enumerate(document.sections):
            _add_link(self._file.add_paragraph(style="List Number"), section.title, number)

    def _section(self, section: Section, number: int) -> None:
        """Begins a page, and turns it where it is wide."""
        was_wide = self._file.sections[-1].orientation == WD_ORIENT.LANDSCAPE
        turns = section.wide != was_wide
        if turns:
            self._turn(wide=section.wide)
        heading = self._file.add_heading(plain(section.title), level=1)
        heading.paragraph_format.page_break_before = not turns
        _add_bookmark(heading, number)
        for block, following in zip_longest(section.blocks, section.blocks[1:]):
            self._block(block)
            if isinstance(block, Paragraph) and isinstance(following, Bullets | Table):
                self._file.paragraphs[-1].paragraph_format.keep_with_next = True

    def _turn(self, *, wide: bool) -> None:
        section = self._file.add_section()
        section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
        section.page_width, section.page_height = (Cm(29.7), Cm(21)) if wide else (Cm(21), Cm(29.7))
        _set_margins(section)

    @property
    def _width(self) -> int:
        """Of what can be written on, in EMU."""
        return int(self._file.sections[-1].page_width or Cm(21)) - 2 * _MARGIN

    # -- blocks -----------------------------------------------------------------------------------

    def _block(self, block: Block) -> None:
        match block:
            case Heading():
                self._file.add_heading(plain(block.text), level=2)
            case Paragraph():
                _add_paragraph(self._file.add_paragraph(), block)
            case Bullets() | Quotes():
                self._list(block)
            case Table():
                self._table(block)
            case Chart():
                self._chart(block)

    def _list(self, block: Bullets | Quotes) -> None:
        if isinstance(block, Bullets):
            for item in block.items:
                _add_paragraph(self._file.add_paragraph(style="List Bullet"), item)
        else:
            for text in block.texts:
                _add_words(self._file.add_paragraph(style="Quote"), text)

    def _chart(self, chart: Chart) -> None:
        self._file.add_paragraph(plain(chart.title), style="Caption")
        picture = io.BytesIO(self._pictures[id(chart)])
        shape = self._file.add_picture(picture, width=Emu(self._width))
        described = shape._inline.docPr
        described.set("descr", plain(chart.alt))
        described.set("name", plain(chart.title))

    def _table(self, table: Table) -> None:
        made = self._file.add_table(rows=1, cols=len(table.columns), style="Table Grid")
        made.autofit = False
        _mark_headers(made)
        for cell, name in zip(made.rows[0].cells, table.columns, strict=True):
            _fill(cell, name, _HEADER_FILL, _WHITE)
        _repeat(made.rows[0]._tr)
        for row in table.rows:
            line = made.add_row()
            _keep_whole(line._tr)
            if table.to_fill:
                line.height = _ROOM_TO_WRITE
            for cell, found in zip(line.cells, row, strict=True):
                fill, ink = _FILLS[found.look] if found.look else ("", _INK)
                _fill(cell, found.text, fill, ink)
        parts = sum(table.widths)
        for number, share in enumerate(table.widths):
            width = Emu(self._width * share // parts)
            made.columns[number].width = width
            for cell in made.columns[number].cells:
                cell.width = width
        self._file.add_paragraph(style="After Table")


# -- words ----------------------------------------------------------------------------------------


def _add_paragraph(into: WordParagraph, paragraph: Paragraph) -> None:
    if paragraph.lead:
        into.add_run(plain(paragraph.lead) + " ").bold = True
    _add_words(into, paragraph.text)


def _add_words(into: WordParagraph, text: str) -> None:
    """As they stand, in the direction in which they are read."""
    run = into.add_run(plain(text))
    if runs_left(text):
        into._p.get_or_add_pPr().append(OxmlElement("w:bidi"))
        run.font.rtl = True


def _fill(cell: WordCell, text: str, fill: str, ink: RGBColor) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.style = "Table Text"
    _add_words(paragraph, text)
    run = paragraph.runs[0]
    run.font.color.rgb = ink
    run.bold = bool(fill)
    if fill:
        shade = _element("w:shd", val="clear", color="auto", fill=fill)
        cell._tc.get_or_add_tcPr().append(shade)


def _element(tag: str, /, **attributes: str) -> Any:
    made = OxmlElement(tag)
    for attribute, value in attributes.items():
        made.set(qn(f"w:{attribute}"), value)
    return made


# -- what readers of the file go by ---------------------------------------------------------------


def _mark_headers(table: WordTable) -> None:
    """The first row and the first column say what the others are about."""
    look = table._tbl.tblPr.find(qn("w:tblLook"))
    if look is not None:
        table._tbl.tblPr.remove(look)
    table._tbl.tblPr.append(
        _element(
            "w:tblLook",
            val="00A0",
            firstRow="1",
            lastRow="0",
            firstColumn="1",
            lastColumn="0",
            noHBand="1",
            noVBand="1",
        )
    )


def _repeat(row: Any) -> None:
    """At the head of each page, and never cut in two."""
    _keep_whole(row)
    row.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def _keep_whole(row: Any) -> None:
    row.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _add_bookmark(heading: WordParagraph, number: int) -> None:
    start = _element("w:bookmarkStart", id=str(number), name=_anchor(number))
    heading._p.insert(1 if heading._p.pPr is not None else 0, start)
    heading._p.append(_element("w:bookmarkEnd", id=str(number)))


def _add_link(into: WordParagraph, text: str, number: int) -> None:
    run = into.add_run(plain(text))
    link = _element("w:hyperlink", anchor=_anchor(number), history="1")
    into._p.append(link)
    link.append(run._r)


def _anchor(number: int) -> str:
    return f"section{number}"


def _add_page_number(into: WordParagraph) -> None:
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        run = into.add_run()
        if kind:
            run._r.append(_element("w:fldChar", fldCharType=kind))
        else:
            code = OxmlElement("w:instrText")
            code.text = text
            run._r.append(code)


def _set_language(file: WordFile, language: str) -> None:
    """Of all that says nothing else, so that it is read out and spelt in it."""
    for found in file.styles.element.iter(qn("w:lang")):
        found.set(qn("w:val"), language)


def _drop_what_is_not_used(file: WordFile) -> None:
    """Of the template: a picture of nothing, and most of its styles, which are slow to search."""
    for part in (file.part.package, file.part):
        for id, relation in [*part.rels.items()]:
            if relation.reltype.endswith(("/thumbnail", "/stylesWithEffects")):
                part.rels.pop(id)
    styles = {style.get(qn("w:styleId")): style for style in file.styles.element.style_lst}
    kept = {id for id, style in styles.items() if id in _STYLES or style.get(qn("w:default"))}
    while more := {id for each in kept for id in _named_by(styles[each])} & set(styles) - kept:
        kept |= more
    for id in set(styles) - kept:
        file.styles.element.remove(styles[id])


def _named_by(style: Any) -> Iterator[str]:
    for name in ("w:basedOn", "w:link", "w:next"):
        found = style.find(qn(name))
        if found is not None:
            yield found.get(qn("w:val"))


def _set_margins(section: Any) -> None:
    section.left_margin = section.right_margin = _MARGIN
    section.top_margin = section.bottom_margin = Cm(2)


# -- styles ---------------------------------------------------------------------------------------


def _set_styles(file: WordFile) -> None:
    for name, size in {"Table Text": 9, "After Table": 4}.items():
        made = file.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        if isinstance(made, ParagraphStyle):
            made.base_style = file.styles["Normal"]
            made.font.size = Pt(size)
            made.paragraph_format.space_before = made.paragraph_format.space_after = Pt(2)
    for name, size in {"Normal": 11, "Title": 28, "Subtitle": 16, "Heading 1": 20}.items():
        _style(file, name, size)
    for name, size in {"Heading 2": 14, "TOC Heading": 14, "Caption": 10, "Quote": 11}.items():
        _style(file, name, size)
    _paragraphs(file)["Caption"].paragraph_format.keep_with_next = True
    quote = _paragraphs(file)["Quote"]
    quote.font.italic = quote.font.cs_italic = False
    quote.paragraph_format.left_indent = Cm(0.8)


def _style(file: WordFile, name: str, size: int) -> None:
    style = _paragraphs(file)[name]
    style.font.name = _FONT
    style.font.size = Pt(size)
    style.font.color.rgb = _INK if name in ("Normal", "Quote", "Caption") else _BLUE
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for attribute in [a for a in fonts.attrib if a.endswith("Theme")]:
        del fonts.attrib[attribute]  # a theme's font would win
    fonts.set(qn("w:cs"), _FONT)


def _paragraphs(file: WordFile) -> dict[str, ParagraphStyle]:
    return {s.name: s for s in _all_styles(file) if s.name}


def _all_styles(file: WordFile) -> Iterator[ParagraphStyle]:
    for style in file.styles:
        if isinstance(style, ParagraphStyle):
            yield style
