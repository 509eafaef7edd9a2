"""The files themselves, read as others' programs read them."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import docx
import pytest
from docx.oxml.ns import qn
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from report.blocks import Chart
from report.glyphs import shown
from report.making import Form, make, name_of
from report.plain import plain, runs_left
from report.telling import tell
from tests.report.material import (
    CLOSED,
    COMMENTS,
    HEBREW,
    LETTERS,
    LONG,
    NOTE,
    PLAN,
    STRANGE,
    material,
)

ROOT = Path(__file__).parents[2]
LANGUAGES = ("en-GB", "cy-GB")


@cache
def made(form: Form, language: str = "en-GB", **more: Any) -> bytes:
    return make(material(language, **more), form)


def parts(content: bytes) -> dict[str, str]:
    """The XML in an archive, by name."""
    with ZipFile(io.BytesIO(content)) as archive:
        names = [n for n in archive.namelist() if n.endswith((".xml", ".rels"))]
        return {name: archive.read(name).decode() for name in names}


# -- the same for the same ------------------------------------------------------------------------


def test_the_same_material_gives_the_same_bytes_in_another_process() -> None:
    ask = (
        "from hashlib import sha256\n"
        "from report.making import Form, make\n"
        "from tests.report.material import material\n"
        "for form in Form:\n"
        "    print(sha256(make(material(), form)).hexdigest())\n"
    )
    for seed in ("1", "2"):
        told = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-c", ask],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "TZ": f"Etc/GMT+{seed}"},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        assert told.stdout.split() == [hashlib.sha256(made(form)).hexdigest() for form in Form]


def test_the_name_says_which_area_day_and_language() -> None:
    named = name_of(material("cy-GB", area="Ynys Môn & Conwy / =1"), Form.PDF)
    assert named == "snapshot-ynys-mon-conwy-1-2026-03-14-cy.pdf"


# -- Word -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_word_has_headings_lists_and_a_language(language: str) -> None:
    content = made(Form.WORD, language)
    file, document = docx.Document(io.BytesIO(content)), tell(material(language))
    first = [p.text for p in file.paragraphs if p.style and p.style.name == "Heading 1"]
    assert first == [s.title for s in document.sections]
    styles = {p.style.name for p in file.paragraphs if p.style}
    assert {"Title", "Subtitle", "Heading 2", "List Bullet", "Quote", "Caption"} <= styles
    told = {e.get(qn("w:val")) for e in file.styles.element.iter(qn("w:lang"))}
    assert told == {language}
    assert file.core_properties.language == language
    assert file.core_properties.title.startswith(document.title)


def test_each_table_in_word_repeats_its_header_and_says_which_it_is() -> None:
    file = docx.Document(io.BytesIO(made(Form.WORD)))
    assert len(file.tables) > 10
    for table in file.tables:
        rows = [row._tr for row in table.rows]
        assert rows[0].find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None
        assert not any(r.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None for r in rows[1:])
        look = table._tbl.tblPr.find(qn("w:tblLook"))
        assert look is not None
        assert (look.get(qn("w:firstRow")), look.get(qn("w:firstColumn"))) == ("1", "1")
        assert all(r.find(f"{qn('w:trPr')}/{qn('w:cantSplit')}") is not None for r in rows)


def test_each_picture_in_word_has_its_alternative_text() -> None:
    file = docx.Document(io.BytesIO(made(Form.WORD)))
    alts = [c.alt for s in tell(material()).sections for c in s.blocks if isinstance(c, Chart)]
    assert [shape._inline.docPr.get("descr") for shape in file.inline_shapes] == alts
    assert len(alts) > 10


def test_the_plan_in_word_is_a_table_to_fill_in_on_a_page_that_lies_on_its_side() -> None:
    file = docx.Document(io.BytesIO(made(Form.WORD)))
    (plan,) = [t for t in file.tables if t.rows[0].cells[1].text == "Action"]
    assert {cell.text for cell in plan.rows[-1].cells} == {""}
    sides = [
        bool(s.page_width and s.page_height and s.page_width > s.page_height) for s in file.sections
    ]
    assert sides == [False, True, False]


def test_links_in_words_contents_lead_to_headings() -> None:
    xml = parts(made(Form.WORD))["word/document.xml"]
    anchors = re.findall(r'w:anchor="(\w+)"', xml)
    assert len(anchors) == len(tell(material()).sections)
    assert anchors == re.findall(r'<w:bookmarkStart [^>]*w:name="(\w+)"', xml)


def test_what_people_wrote_stands_in_word_as_they_wrote_it() -> None:
    file = docx.Document(io.BytesIO(made(Form.WORD)))
    quotes = [p for p in file.paragraphs if p.style and p.style.name == "Quote"]
    assert [p.text for p in quotes][: len(COMMENTS)] == [plain(c) for c in COMMENTS]
    assert any(NOTE in p.text for p in file.paragraphs)
    (hebrew,) = [p for p in quotes if p.text == HEBREW]
    assert hebrew._p.pPr is not None
    assert hebrew._p.pPr.find(qn("w:bidi")) is not None
    assert hebrew.runs[0].font.rtl


# -- PDF ------------------------------------------------------------------------------------------


@cache
def pdf(language: str = "en-GB") -> PdfReader:
    return PdfReader(io.BytesIO(made(Form.PDF, language)))


def tags(node: Any) -> Iterator[Any]:
    """Each element of the structure tree, in the order in which it is read out."""
    found = node.get_object()
    if isinstance(found, list):
        for each in found:
            yield from tags(each)
    elif isinstance(found, DictionaryObject):
        if "/S" in found:
            yield found
        if "/K" in found:
            yield from tags(found["/K"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_is_tagged_and_says_its_language_and_title(language: str) -> None:
    root: Any = pdf(language).root_object
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == language
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    metadata = pdf(language).xmp_metadata
    assert metadata
    assert "pdfuaid" in made(Form.PDF, language).decode("latin-1")
    information = pdf(language).metadata
    assert information
    assert information.title == (
        f"{tell(material(language)).title}: {tell(material(language)).subtitle}"
    )


def test_the_pdf_tags_headings_tables_lists_and_charts() -> None:
    root: Any = pdf().root_object
    found = [*tags(root["/StructTreeRoot"]["/K"])]
    kinds = [tag["/S"] for tag in found]
    assert {"/H1", "/H2", "/P", "/Table", "/TH", "/TD", "/L", "/LI", "/Figure"} <= set(kinds)
    alts = [tag["/Alt"] for tag in found if tag["/S"] == "/Figure"]
    document = tell(material())
    assert alts == [c.alt for s in document.sections for c in s.blocks if isinstance(c, Chart)]
    assert kinds.count("/H1") >= len(document.sections)


def test_the_pdf_has_a_bookmark_for_each_section_and_numbers_its_pages() -> None:
    titles = [mark.title for mark in pdf().outline if not isinstance(mark, list)]
    sections = [s.title for s in tell(material()).sections]
    assert [t for t in titles if t in sections] == sections
    assert "Report for Exampleshire" in pdf().pages[4].extract_text()
    for number, page in enumerate(pdf().pages, start=1):
        assert page.extract_text().rstrip().endswith(str(number))


def test_the_pdf_carries_its_fonts() -> None:
    pages: Any = pdf().pages
    names = {
        str(font.get_object()["/BaseFont"])
        for page in pages
        for font in page["/Resources"]["/Font"].values()
    }
    families = {name.rpartition("+")[2] for name in names}
    assert families <= {"OpenSans", "OpenSans-Bold", "OpenSans-Regular", "DejaVuSans"}


def test_what_people_wrote_stands_in_the_pdf_as_they_wrote_it() -> None:
    """None of it is Typst's markup or code."""
    text = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pdf().pages))
    for words in (NOTE, COMMENTS[1], COMMENTS[2], "[thumbs up sign]"):
        assert words in text
    # Twice a character may be broken over two lines.
    assert text.count("Thresholds differ from team to team") >= LONG.count("Thresholds") - 4


def test_a_character_that_no_font_has_is_named() -> None:
    assert shown("Ŵyn – ▲ שלום") == "Ŵyn – ▲ שלום"
    assert shown("\N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}!") == "[thumbs up sign]!"
    assert shown("\U000f0000") == "\N{WHITE SQUARE}"
    assert runs_left(f"1. {HEBREW}")
    assert not runs_left("Ada")


# -- Excel ----------------------------------------------------------------------------------------

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheets(content: bytes) -> dict[str, ElementTree.Element]:
    found = parts(content)
    book = ElementTree.fromstring(found["xl/workbook.xml"])  # noqa: S314 - we made it
    names = [s.attrib for s in book.iter(f"{_MAIN}sheet")]
    assert not any("state" in s for s in names), "hidden"
    return {
        s["name"]: ElementTree.fromstring(found[f"xl/worksheets/sheet{n}.xml"])  # noqa: S314 - ours
        for n, s in enumerate(names, start=1)
    }


def strings(content: bytes) -> list[str]:
    shared = ElementTree.fromstring(parts(content)["xl/sharedStrings.xml"])  # noqa: S314 - ours
    return ["".join(t.text or "" for t in si.iter(f"{_MAIN}t")) for si in shared]


def cells(sheet: ElementTree.Element, content: bytes) -> list[list[str | int]]:
    known = strings(content)
    return [
        [
            known[int(c.findtext(f"{_MAIN}v", ""))]
            if c.get("t") == "s"
            else int(c.findtext(f"{_MAIN}v", ""))
            for c in row.iter(f"{_MAIN}c")
            if c.find(f"{_MAIN}v") is not None
        ]
        for row in sheet.iter(f"{_MAIN}row")
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_excel_has_numbers_as_numbers_and_a_header_that_stays(language: str) -> None:
    content = made(Form.EXCEL, language)
    found = sheets(content)
    assert len(found) == 8
    for sheet in found.values():
        pane = sheet.find(f".//{_MAIN}pane")
        assert pane is not None
        assert (pane.get("state"), pane.get("ySplit")) == ("frozen", "1")
    statements = cells(found[material(language).pack.wording.told("sheet_statements")], content)
    assert len(statements) == 23
    first = material(language).findings.statements[0]
    assert first.practice
    assert first.practice.score
    assert first.practice.score.value in statements[1]


def test_rows_in_excel_are_as_high_as_their_words_need_and_as_excel_takes() -> None:
    """Not every program works out the height of a row by itself."""
    content = made(Form.EXCEL, "cy-GB", plan=PLAN)
    found = [
        (float(row.get("ht", 15)), max((str(value) for value in words), key=len))
        for sheet in sheets(content).values()
        for row, words in zip(sheet.iter(f"{_MAIN}row"), cells(sheet, content), strict=True)
    ]
    assert {height for height, longest in found if len(longest) < 10} <= {15.0, 30.0}
    assert all(height >= 30.0 for height, longest in found if len(longest) > 100)
    assert {height for height, longest in found if len(longest) > 1_500} == {405.0}
    (broken,) = [height for height, longest in found if longest == LETTERS]
    assert broken == 15.0 * 6, "a word of 120 letters in a column of 24"


def test_excel_has_no_formula_link_chart_macro_or_cache() -> None:
    found = parts(made(Form.EXCEL, area="=cmd|' /C calc'!A0"))
    assert not any("<f>" in xml or "<hyperlink" in xml for xml in found.values())
    assert not any("chart" in n or "drawing" in n or "calcChain" in n for n in found)
    assert "definedName" not in found["xl/workbook.xml"].replace("_xlnm.Print_Titles", "") or (
        set(re.findall(r'definedName name="([^"]+)"', found["xl/workbook.xml"]))
        == {"_xlnm.Print_Titles"}
    )


@pytest.mark.parametrize(
    "name", ["=1+1", "+44", "-1", "@SUM(1)", "\t=1", "https://x.example", "12"]
)
def test_a_name_with_formula_characters_is_a_text_in_excel(name: str) -> None:
    content = make(material(area=name), Form.EXCEL)
    assert f"Report for {plain(name)}" in strings(content)
    assert not any("<f>" in xml for xml in parts(content).values())


# -- the plan -------------------------------------------------------------------------------------


def test_the_plan_stands_in_word_and_excel_as_it_was_written() -> None:
    content = made(Form.WORD, plan=PLAN)
    file = docx.Document(io.BytesIO(content))
    here, earlier = (t for t in file.tables if t.rows[0].cells[1].text == "Action")
    assert [row.cells[1].text for row in here.rows[1:]] == [a.title for a in PLAN.here]
    assert here.rows[1].cells[5].text == PLAN.here[0].check
    assert here.rows[2].cells[1].paragraphs[0].runs[0].font.rtl
    assert [row.cells[1].text for row in earlier.rows[1:]] == [a.title for a in PLAN.earlier]
    assert any(p.text == f"{STRANGE}: {LONG}" for p in file.paragraphs)
    content = made(Form.EXCEL, plan=PLAN)
    _, *rows = cells(sheets(content)["Action plan"], content)
    assert [row[1] for row in rows[:1]] == [STRANGE]
    assert {STRANGE, LONG, HEBREW, LETTERS, "Train all new staff"} <= set(strings(content))
    due = (PLAN.here[0].due or CLOSED).toordinal() - date(1899, 12, 30).toordinal()
    assert due in rows[0], "a day and no text"
    assert not any("<f>" in xml or "<hyperlink" in xml for xml in parts(content).values())


def test_the_plan_stands_in_the_pdf_as_it_was_written_and_within_its_columns() -> None:
    read = PdfReader(io.BytesIO(made(Form.PDF, plan=PLAN)))
    pages = [page for page in read.pages if float(page.mediabox.width) > 700]
    text = re.sub(r"\s+", "", "".join(page.extract_text() for page in pages))
    for words in (STRANGE, PLAN.here[0].owner, "An audit that we repeat", "[thumbs up sign]"):
        assert words.replace(" ", "") in text
    assert LETTERS in text
    assert "".join(LONG.split())[:900] in text
    lines = [line for page in pages for line in page.extract_text().splitlines()]
    assert max(len(run) for line in lines for run in re.findall("x+", line)) < 25


# -- T23: nothing leaves but what was published ---------------------------------------------------


def test_no_file_says_who_made_it_or_when() -> None:
    for form in (Form.WORD, Form.EXCEL):
        core = parts(made(form))["docProps/core.xml"]
        found = {e.tag.rpartition("}")[2]: e.text for e in ElementTree.fromstring(core)}  # noqa: S314 - ours
        assert not found.get("creator")
        assert not found.get("lastModifiedBy")
        times = re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", core)
        assert set(times) == {"2026-03-14T00:00:00Z"}
        with ZipFile(io.BytesIO(made(form))) as archive:
            assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert not [n for n in archive.namelist() if "thumbnail" in n or "embed" in n]
    information = pdf().metadata
    assert information
    assert information.author is None
    assert str(information.get("/CreationDate")).startswith("D:20260314000000")
    assert not pdf().attachments


def figures_of(found: Any) -> Iterator[float]:
    """Every number that was published, wherever it stands."""
    if isinstance(found, dict):
        for value in found.values():
            yield from figures_of(value)
    elif isinstance(found, list | tuple):
        for value in found:
            yield from figures_of(value)
    elif isinstance(found, int | float) and not isinstance(found, bool):
        yield found


def test_every_number_in_excel_is_one_that_was_published_or_agreed() -> None:
    found = material()
    published = {*figures_of(found.summary.as_json()), *figures_of(found.detail.as_json())}
    views = (*found.findings.domains, *found.findings.statements)
    agreed = {v.strategic.score.value for v in views if v.strategic and v.strategic.score}
    agreed |= {v.evidence for v in views if v.evidence is not None}
    gaps = {v.gap.points for v in views if v.gap}
    content = made(Form.EXCEL)
    numbers = {
        value
        for sheet in sheets(content).values()
        for row in cells(sheet, content)
        for value in row
        if isinstance(value, int)
    }
    assert numbers
    assert numbers <= published | agreed | gaps


def test_every_number_in_a_chart_is_one_that_was_published_or_agreed() -> None:
    """What a bar is drawn from is what stands in it, and its alternative text says no more."""
    found = material()
    published = {*figures_of(found.summary.as_json()), *figures_of(found.detail.as_json())}
    views = (*found.findings.domains, *found.findings.statements)
    published |= {v.strategic.score.value for v in views if v.strategic and v.strategic.score}
    gaps = {abs(v.gap.points) for v in views if v.gap}
    cuts = {int(band.start or 0) for band in found.pack.instrument.bands}
    charts = [b for s in tell(found).sections for b in s.blocks if isinstance(b, Chart)]
    assert charts
    names = re.compile("|".join(re.escape(s.id) for s in found.pack.instrument.statements))
    for chart in charts:
        assert {*figures_of(dict(chart.data))} <= published | cuts
        said = {int(n) for n in re.findall(r"\d+", names.sub("", chart.alt))}
        assert said <= published | gaps | cuts | {100}, chart.alt


def test_no_count_of_a_batch_is_in_any_file() -> None:
    """How many answered, exactly, stands nowhere; nor does who wrote what."""
    for form in (Form.WORD, Form.EXCEL):
        text = re.sub(r"<[^>]+>", " ", " ".join(parts(made(form)).values()))
        assert not re.search(r"\b337\b", text), "66 + 110 + 130 + 31"
    text = " ".join(page.extract_text() for page in pdf().pages)
    assert not re.search(r"\b(337|66 people|110 people)\b", text)


def test_no_picture_in_word_carries_anything_beside_it() -> None:
    with ZipFile(io.BytesIO(made(Form.WORD))) as archive:
        for name in archive.namelist():
            if name.endswith(".png"):
                png = archive.read(name)
                kinds = set(re.findall(rb"(tEXt|iTXt|zTXt|tIME|eXIf)", png[:200]))
                assert kinds == set()
