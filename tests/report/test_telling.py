"""What the report says, and what it says where something is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from report.blocks import Block, Bullets, Chart, Document, Heading, Paragraph, Quotes, Table
from report.telling import tell
from snapshot.advice import no_advice
from snapshot.disclosure import End, Figure
from snapshot.findings import find
from tests.report.material import (
    COMMENTS,
    FEW,
    HEBREW,
    LETTERS,
    LONG,
    NOBODY,
    NOTE,
    PACKS,
    PLAN,
    SOME,
    STRANGE,
    material,
)

LANGUAGES = ("en-GB", "cy-GB")


def words_of(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            yield block.text
        case Paragraph():
            yield f"{block.lead} {block.text}".strip()
        case Bullets():
            for item in block.items:
                yield from words_of(item)
        case Quotes():
            yield from block.texts
        case Table():
            yield from block.columns
            yield from (cell.text for row in block.rows for cell in row)
        case Chart():
            yield from (block.title, block.alt)


def said(document: Document) -> list[str]:
    first = [document.title, document.subtitle, *document.lines]
    return [*first, *(w for s in document.sections for b in s.blocks for w in words_of(b))]


def section(document: Document, title: str) -> list[str]:
    (found,) = (s for s in document.sections if s.title == title)
    return [w for b in found.blocks for w in words_of(b)]


def blocks[B: Block](document: Document, kind: type[B]) -> list[B]:
    return [b for s in document.sections for b in s.blocks if isinstance(b, kind)]


# -- what stands out ------------------------------------------------------------------------------


def test_three_to_five_key_points_are_told_first_each_with_its_places() -> None:
    found = section(tell(material()), "In short")
    points = found[found.index("Key points") + 1 : found.index("Before you read on")]
    assert 3 <= len(points) <= 5
    assert points[0].startswith("Act first: Rated ▼ Red (Priority): AW2 Recognising signs; ")
    assert any(p.startswith("The two views lie furthest apart: ") for p in points)


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_is_there_or_missing_it_can_be_told(language: str) -> None:
    """A text that is missing, or has an empty placeholder, would raise."""
    for people in (None, NOBODY, FEW, SOME):
        for session in (True, False):
            for earlier in (True, False):
                found = material(language, people=people, session=session, earlier=earlier)
                document = tell(found)
                assert document.language == language
                for words in said(document):
                    assert "{" not in words.replace(NOTE, "").replace(COMMENTS[1], "")


def test_without_a_session_it_says_so_and_shows_what_practitioners_say() -> None:
    document = tell(material(session=False))
    assert "There was no strategic session" in " ".join(section(document, "In short"))
    assert "What partners agreed" not in said(document)
    assert any("Practitioners: ◆ Amber" in words for words in said(document))
    assert blocks(document, Chart)


def test_without_answers_it_says_so_and_shows_what_partners_say() -> None:
    document = tell(material(people=NOBODY))
    assert "Fewer than 10 practitioners answered" in " ".join(section(document, "In short"))
    everything = "\n".join(said(document))
    assert "What partners agreed" in everything
    assert not [c for c in blocks(document, Chart) if c.drawing != "strip"]
    assert "What practitioners wrote" not in everything
    assert "one person's words" not in everything
    assert not any(comment in everything for comment in COMMENTS if len(comment) > 10)


def test_without_either_it_is_still_of_use() -> None:
    document = tell(material(people=NOBODY, session=False))
    titles = [s.title for s in document.sections]
    assert titles == ["In short", "Action plan", "Method and limits", "The statements"]
    (plan,) = blocks(document, Table)
    assert all(cell.text == "" for row in plan.rows for cell in row)
    statements = section(document, "The statements")
    assert sum(w.startswith("Evidence to look for: ") for w in statements) == 22


def test_of_few_people_there_are_colours_and_favourable_shares_and_no_scores() -> None:
    document = tell(material(people=SOME, session=False))
    assert all(chart.drawing != "bars" for chart in blocks(document, Chart))
    assert "Favourable" in said(document)
    (shown,) = [w for w in section(document, "The domains at a glance") if "boxes" in w]
    assert "partners none, practitioners ◆ Amber" in shown


def test_a_colour_without_a_number_says_why() -> None:
    why = "Where practitioners have a colour and no number"
    few, many = tell(material(people=SOME)), tell(material())
    assert any(w.startswith(why) for w in section(few, "CSA Awareness"))
    assert not any(w.startswith(why) for w in said(many))


def test_of_agencies_scores_and_shares_are_told_apart() -> None:
    """Both may stand in one column, and 40 is little as a score and much as a share."""
    tables = [t for t in blocks(tell(material(people=SOME)), Table) if "Police" in t.columns]
    figures = {cell.text for table in tables for row in table.rows for cell in row[1:]}
    assert any(re.fullmatch(r"score (under |over )?\d+", figure) for figure in figures)
    assert not [f for f in figures if f != "–" and not f.startswith("score ") and "%" not in f]


# -- what leads to what ---------------------------------------------------------------------------


def test_each_recommendation_says_which_statements_and_rule_led_to_it() -> None:
    found = material()
    document = tell(found)
    (table,) = [t for t in blocks(document, Table) if t.columns[0] == "Recommendation"]
    because = [row[1].text for row in table.rows]
    assert because[0].startswith("▼ Red (Priority): ")
    assert any("(partners' score at least 20 points above practitioners')" in b for b in because)
    told = {r.recommendation.text for r in found.findings.recommended}
    assert {row[0].text for row in table.rows} == told
    assert all(
        any(f"{r.about} " in b for b in because)
        for r in found.findings.recommended
        if r.about in {s.id for s in found.pack.instrument.statements}
    )


def test_the_plan_begins_with_recommendations_and_has_rows_to_fill_in() -> None:
    (plan,) = [t for t in blocks(tell(material()), Table) if t.to_fill]
    assert plan.columns == (
        "Statement",
        "Action",
        "Owner",
        "Owner's agency",
        "Due date",
        "How we will know that it worked",
        "Status",
    )
    assert plan.rows[0][1].text
    assert [row[2].text for row in plan.rows] == [""] * len(plan.rows)
    assert all(cell.text == "" for cell in plan.rows[-1])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_plan_has_what_was_chosen_and_how_far_earlier_actions_have_come(language: str) -> None:
    found = material(language, plan=PLAN)
    words = found.pack.wording
    (wide,) = (s for s in tell(found).sections if s.title == words.told("plan"))
    here, earlier = (b for b in wide.blocks if isinstance(b, Table))
    status = words.choices["status"]
    rows = [[cell.text for cell in row] for row in here.rows]
    first = PLAN.here[0]
    assert rows[0][0].startswith("AW2 ")
    assert rows[0][1:3] == [STRANGE, first.owner]
    assert rows[0][3] == {"en-GB": "Police", "cy-GB": "Yr heddlu"}[language]
    assert rows[0][4] == {"en-GB": "30 June 2026", "cy-GB": "30 Mehefin 2026"}[language]
    assert rows[0][5:] == [first.check, status["under_way"]]
    assert rows[1] == [words.told("plan_own"), HEBREW, LETTERS, "", "", "", status["not_started"]]
    assert len(rows) == 2, "nothing that nobody chose"
    assert [row[6].text for row in earlier.rows] == [status["not_started"], status["done"]]
    when = {"en-GB": "On the plan since 1 March 2025", "cy-GB": "ers 1 Mawrth 2025"}[language]
    assert all(row[0].text.endswith(when) for row in earlier.rows)
    notes = [item for b in wide.blocks if isinstance(b, Bullets) for item in b.items]
    assert [(n.lead, n.text) for n in notes] == [(f"{STRANGE}:", LONG), (f"{HEBREW}:", HEBREW)]


def test_earlier_actions_stand_below_recommendations_while_nothing_is_chosen() -> None:
    document = tell(material(plan=replace(PLAN, here=())))
    to_fill, earlier = (t for t in blocks(document, Table) if t.columns[1] == "Action")
    assert to_fill.to_fill
    assert to_fill.rows[0][1].text
    assert len(earlier.rows) == 2


def test_a_programme_without_a_library_has_a_report_without_recommendations() -> None:
    found = material()
    instrument = found.pack.instrument
    library = no_advice(instrument)
    findings = find(instrument, library, found.summary, found.detail, found.findings.agreed)
    document = tell(replace(found, library=library, findings=findings))
    assert "Recommendations" not in [s.title for s in document.sections]
    assert "Action plan" in [s.title for s in document.sections]


# -- what was said --------------------------------------------------------------------------------


def test_comments_are_quoted_where_there_are_enough_and_summed_up_where_not() -> None:
    found = material()
    document = tell(found)
    first, second, third, fourth = (
        section(document, d.title) for d in found.pack.instrument.domains[:4]
    )
    assert [w for w in first if w in COMMENTS] == list(COMMENTS)
    assert "Feedback is rare." in second
    assert any("have not summed them up yet" in w for w in third)
    assert "No comments were let through." in fourth
    nowhere = tell(replace(found, offered_comments=False, voices={}))
    assert "What practitioners wrote" not in said(nowhere)


def test_partners_notes_and_dissent_stand_with_their_statement() -> None:
    found = section(tell(material()), PACKS["en-GB"].instrument.domains[0].title)
    agreed = found[found.index("What partners agreed") + 1 :]
    assert agreed[0].startswith("AW1 Leadership priority: Progress: Partly true. Evidence: ")
    assert agreed[1] == "Does not agree, Police: We see fewer."
    assert f"Note: {NOTE}" in agreed


# -- figures and how they are read ----------------------------------------------------------------


def test_agency_groups_are_told_by_name_and_replies_in_bands() -> None:
    document = tell(material())
    (replies,) = [t for t in blocks(document, Table) if t.columns[0] == "Agency group"]
    assert [tuple(c.text for c in row) for row in replies.rows] == [
        ("Education or early years", "about 30%"),
        ("Health", "about 30%"),
        ("Other agencies", "about 50%"),
        ("Police", "about 40%"),
    ]


def test_an_arrow_says_how_far_and_what_reads_otherwise_is_named() -> None:
    found = section(tell(material(earlier=True)), "Direction of travel")
    assert "the snapshot of May 2025" in found[0]
    assert any(w.startswith("↓ Worse (") for w in found)
    assert any("Not compared" in w and "PV2" in w for w in found)
    assert "Direction of travel" not in [s.title for s in tell(material()).sections]


def test_a_chart_says_all_that_it_shows() -> None:
    for chart in blocks(tell(material()), Chart):
        assert chart.title
        for row in chart.data["rows"]:
            assert row["label"] in chart.alt
    (bars, *_) = [c for c in blocks(tell(material()), Chart) if c.drawing == "bars"]
    assert "Not true yet " in bars.alt
    assert "under 5%" in " ".join(c.alt for c in blocks(tell(material()), Chart))


def test_method_and_limits_print_the_rules_that_were_fixed() -> None:
    found = " ".join(section(tell(material()), "Method and limits"))
    for words in (
        "fewer than 10 people",
        "Only at the close",
        "2 March 2026",
        "Red from 0, Amber from 40, Green from 70",
        "Not true yet 0, Partly true 33.33",
        "version 1.0.0",
        "below 1/3",
    ):
        assert words in found


def test_an_end_is_said_as_one_in_a_gap() -> None:
    found = material()
    view = found.findings.domains[0]
    assert view.practice
    assert view.gap
    over = replace(
        view,
        practice=replace(view.practice, score=Figure(95, End.OVER)),
        gap=replace(view.gap, points=-45, or_more=True),
    )
    findings = replace(found.findings, domains=(over, *found.findings.domains[1:]))
    words = " ".join(said(tell(replace(found, findings=findings))))
    assert "over 95" in words
    assert "\N{MINUS SIGN}45 or more (!)" in words
