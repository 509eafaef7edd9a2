"""Lists of leads: whatever a spreadsheet or a mail program makes of them is read or refused."""

from __future__ import annotations

import csv
import io
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshot.lead_lists import MOST_ROWS, Parsed, Reason, Refused, Row, parse_csv, parse_pasted

ANN = Row(1, "ann@example.org", "Ann Smith", "Hill School")


def refused(parsed: Parsed) -> list[tuple[int, Reason]]:
    return [(each.line, each.reason) for each in parsed.refused]


def people(parsed: Parsed) -> list[tuple[str, str, str]]:
    assert parsed.refused == ()
    return [(row.address, row.name, row.organisation) for row in parsed.rows]


# -- CSV: its shape -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.org,Ann Smith,Hill School",
        "ann@example.org;Ann Smith;Hill School\r\n",
        "ann@example.org\tAnn Smith\tHill School\r",
        '"ann@example.org", "Ann Smith", "Hill School"\n\n',
        " Ann@Example.ORG ;  Ann   Smith ;Hill School",
        "Ann <ann@example.org>,Ann Smith,Hill School",
    ],
)
def test_without_a_header_it_is_address_name_organisation(text: str) -> None:
    assert parse_csv(text.encode()) == Parsed((ANN,), ())


@pytest.mark.parametrize(
    "header",
    [
        "email,name,organisation",
        "E-mail,Name,School",
        "EMAIL ADDRESS,Full name,Organization",
        "e-bost,enw,sefydliad",
        "Cyfeiriad e-bost,Enw,Ysgol",
    ],
)
def test_a_header_is_understood_in_english_and_welsh(header: str) -> None:
    found = people(parse_csv(f"{header}\nann@example.org,Ann Smith,Hill School".encode()))
    assert found == [("ann@example.org", "Ann Smith", "Hill School")]


def test_columns_come_in_any_order_and_others_are_passed_over() -> None:
    text = 'Phone;Ysgol;Salary;Enw;E-bost\n"=1";Hill School;\t-4;Ann Smith;ann@example.org\n'
    assert people(parse_csv(text.encode())) == [("ann@example.org", "Ann Smith", "Hill School")]


def test_columns_may_be_missing_but_not_that_of_the_addresses() -> None:
    assert people(parse_csv(b"school,email\nHill,ann@example.org")) == [
        ("ann@example.org", "", "Hill")
    ]
    assert people(parse_csv(b"ann@example.org\nbob@example.org")) == [
        ("ann@example.org", "", ""),
        ("bob@example.org", "", ""),
    ]
    without = parse_csv(b"\n\nname,school\nAnn,Hill\nann@example.org,Hill")
    assert without == Parsed((), (Refused(3, Reason.NO_ADDRESS_COLUMN),))


def test_quoted_cells_hold_commas_quotes_and_line_breaks() -> None:
    text = (
        'email,name,school\r\n"ann@example.org","Smith, Ann","Hill ""Top""\r\nSchool"\r\n'
        "bob@example.org,Bob,Dale\r\nno address,Cy,Dale\r\n"
    )
    found = parse_csv(text.encode())
    assert found.rows == (
        Row(2, "ann@example.org", "Smith, Ann", 'Hill "Top" School'),
        Row(4, "bob@example.org", "Bob", "Dale"),
    )
    assert refused(found) == [(5, Reason.BAD_ADDRESS)]


def test_more_commas_than_semicolons_do_not_decide_what_divides_the_cells() -> None:
    text = "ann@example.org;Smith, Ann, Dr;Hill, Upper, North\nbob@example.org;Bob;Dale"
    assert people(parse_csv(text.encode())) == [
        ("ann@example.org", "Smith, Ann, Dr", "Hill, Upper, North"),
        ("bob@example.org", "Bob", "Dale"),
    ]


def test_a_quotation_mark_that_is_not_closed_takes_nobody_with_it_in_silence() -> None:
    text = 'ann@example.org,Ann\nbob@example.org,"Bob\ncy@example.org,Cy\n"di@example.org",Di'
    found = parse_csv(text.encode())
    assert [row.address for row in found.rows] == ["ann@example.org"]
    assert refused(found) == [(2, Reason.QUOTES)]


# -- CSV: its bytes -------------------------------------------------------------------------------

WELSH = "e-bost;enw;ysgol\r\nsian@example.org;Siân Ŵyn;Ysgol y Bryn – Tŷ\r\n"
WESTERN = "email,name,school\r\nrene@example.org,René O’Dea,Café “Hill” School\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_is_read_with_and_without_a_byte_order_mark(encoding: str) -> None:
    found = people(parse_csv(WELSH.encode(encoding)))
    assert found == [("sian@example.org", "Siân Ŵyn", "Ysgol y Bryn – Tŷ")]


def test_a_big_endian_byte_order_mark_is_understood() -> None:
    assert len(people(parse_csv(b"\xfe\xff" + WELSH.encode("utf-16-be")))) == 1


def test_windows_1252_is_what_is_no_utf_8() -> None:
    found = people(parse_csv(WESTERN.encode("cp1252")))
    assert found == [("rene@example.org", "René O’Dea", "Café “Hill” School")]


@pytest.mark.parametrize(
    "raw",
    [
        b"PK\x03\x04\x14\x00\x06\x00 a workbook",
        b"\xd0\xcf\x11\xe0 an old workbook",
        b"%PDF-1.7 ann@example.org",
        b"ann@example.org,\x81\x8d",
        b"\xff\xfea",
        b"\xef\xbb\xbf\xff",
    ],
)
def test_what_is_no_text_is_refused_as_a_whole(raw: bytes) -> None:
    assert parse_csv(raw) == Parsed((), (Refused(1, Reason.UNREADABLE),))


@pytest.mark.parametrize("raw", [b"", b"\xef\xbb\xbf", b"\r\n \r\n,,\r\n", b"email,name\r\n"])
def test_an_empty_file_holds_nobody(raw: bytes) -> None:
    assert parse_csv(raw) == Parsed((), ())


# -- what is refused, and why ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (",Ann", Reason.NO_ADDRESS),
        ("ann,Ann", Reason.BAD_ADDRESS),
        ("ann@example", Reason.BAD_ADDRESS),
        ("ann@@example.org", Reason.BAD_ADDRESS),
        ("ann@exam ple.org", Reason.BAD_ADDRESS),
        ("ann.@example.org", Reason.BAD_ADDRESS),
        ("ann@example..org", Reason.BAD_ADDRESS),
        ("ann@-example.org", Reason.BAD_ADDRESS),
        ("ann@192.0.2.1", Reason.BAD_ADDRESS),
        ("änn@example.org", Reason.BAD_ADDRESS),
        ("ann@example.org?cc=all@example.org", Reason.BAD_ADDRESS),
        ("ann@example.org;bob@example.org", Reason.BAD_ADDRESS),
        (f"{'a' * 65}@example.org", Reason.BAD_ADDRESS),
        (f"ann@{'a.' * 130}org", Reason.BAD_ADDRESS),
        ("ann@example.org,=cmd|'/c calc'!A0", Reason.FORMULA),
        ("ann@example.org,+1", Reason.FORMULA),
        ("ann@example.org,Ann,-1+1", Reason.FORMULA),
        ("ann@example.org,Ann,@SUM(A1)", Reason.FORMULA),
        ('ann@example.org,"\tAnn"', Reason.FORMULA),
        ('ann@example.org,"\r=1"', Reason.FORMULA),
        ("ann@example.org,  =1", Reason.FORMULA),
        ("ann@example.org,\N{FULLWIDTH EQUALS SIGN}1", Reason.FORMULA),
        ("=ann@example.org", Reason.FORMULA),
        ("ann@example.org,A\x00nn", Reason.HIDDEN_CHARACTER),
        ("ann@example.org,\x1b[2JAnn", Reason.HIDDEN_CHARACTER),
        ("ann@example.org,Ann,\N{RIGHT-TO-LEFT OVERRIDE}loohcS", Reason.HIDDEN_CHARACTER),
        ("ann\N{ZERO WIDTH SPACE}@example.org", Reason.HIDDEN_CHARACTER),
        (f"ann@example.org,{'A' * 101}", Reason.TOO_LONG),
        (f"ann@example.org,Ann,{'Ŵ' * 100}", Reason.TOO_LONG),
        ('ann@example.org,"Ann" Smith', Reason.QUOTES),
        ("ZOE@Example.org,Zoe again", Reason.TWICE),
    ],
)
def test_a_row_is_refused_with_its_line_and_the_others_are_taken(
    cells: str, reason: Reason
) -> None:
    found = parse_csv(f"email,name,school\nzoe@example.org\n{cells}\nyan@example.org\n".encode())
    assert [row.address for row in found.rows] == ["zoe@example.org", "yan@example.org"]
    assert refused(found) == [(3, reason)]


@pytest.mark.parametrize(
    "address",
    [
        "o'neill-jones@example.sch.uk",
        "head_teacher+dsl@hill.example.gov.wales",
        "a@b.example.nhs.net",
        "1234@example.police.uk",
        "dsl@xn--ysgol-y-bryn.example.cymru",
        f"{'a' * 64}@{'b' * 63}.org",
    ],
)
def test_addresses_that_people_here_have_are_taken(address: str) -> None:
    assert people(parse_csv(address.encode())) == [(address, "", "")]


def test_ten_thousand_rows_are_taken() -> None:
    text = "".join(f"dsl{n}@example.org;Name {n};School, {n}\r\n" for n in range(10_000))
    found = people(parse_csv(text.encode("utf-16")))
    assert len(found) == 10_000
    assert found[-1] == ("dsl9999@example.org", "Name 9999", "School, 9999")


# -- pasted ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann@example.org, Ann Smith, Hill School", [("Ann Smith", "Hill School")]),
        ("ann@example.org, Ann Smith, Hill School, Leeds", [("Ann Smith", "Hill School, Leeds")]),
        ("ann@example.org\tAnn Smith\tHill School\r\n", [("Ann Smith", "Hill School")]),
        ("Ann Smith <ann@example.org>, Hill School", [("Ann Smith", "Hill School")]),
        ('"Smith, Ann" <Ann@example.org>;', [("Smith, Ann", "")]),
        ("<ann@example.org>", [("", "")]),
        ("Name\tEmail\nAnn Smith\tann@example.org", [("Ann Smith", "")]),
    ],
)
def test_a_pasted_line_is_one_lead(text: str, expected: list[tuple[str, str]]) -> None:
    assert people(parse_pasted(text)) == [("ann@example.org", *each) for each in expected]


def test_a_line_from_a_mail_program_may_name_several() -> None:
    found = parse_pasted("Ann <ann@example.org>; Smith, Bob <bob@example.org>; oops\n")
    assert [(row.address, row.name) for row in found.rows] == [
        ("ann@example.org", "Ann"),
        ("bob@example.org", "Smith, Bob"),
    ]
    assert refused(found) == [(1, Reason.BAD_ADDRESS)]


def test_a_stray_quotation_mark_takes_no_other_pasted_line_with_it() -> None:
    found = parse_pasted('ann@example.org, "Ann\n\nbob@example.org, Bob\r\n=1, Cy\r\n')
    assert [(row.line, row.address) for row in found.rows] == [(3, "bob@example.org")]
    assert refused(found) == [(1, Reason.QUOTES), (4, Reason.FORMULA)]


# -- whatever a spreadsheet writes is read back, and nothing breaks it ----------------------------

WORDS = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=40
).map(lambda said: " ".join(said.split()))
SAID = WORDS.filter(lambda said: said == "" or said[0].isalpha())
LOCAL = st.from_regex(r"[a-z0-9][a-z0-9_.'-]{0,20}[a-z0-9]", fullmatch=True).filter(
    lambda local: ".." not in local
)
PEOPLE = st.lists(
    st.tuples(LOCAL.map(lambda local: f"{local}@example.org"), SAID, SAID),
    min_size=1,
    max_size=8,
    unique_by=lambda each: each[0],
)


@given(
    people=PEOPLE,
    delimiter=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoting=st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
    line_end=st.sampled_from(["\r\n", "\n"]),
    order=st.permutations([0, 1, 2]),
)
def test_what_is_written_is_read_back(
    people: list[tuple[str, str, str]],
    delimiter: str,
    encoding: str,
    quoting: Literal[0, 1],
    line_end: str,
    order: list[int],
) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(
        written, delimiter=delimiter, quoting=quoting, lineterminator=line_end, strict=True
    )
    for cells in [("e-bost", "enw", "ysgol"), *people]:
        writer.writerow([cells[place] for place in order])
    found = parse_csv(written.getvalue().encode(encoding))
    fitting = [
        (line, each)
        for line, each in enumerate(people, start=2)
        if all(len(said.encode()) <= 150 for said in each)
    ]
    assert [(row.line, (row.address, row.name, row.organisation)) for row in found.rows] == fitting
    assert {each.reason for each in found.refused} <= {Reason.TOO_LONG}


@given(st.binary(max_size=400))
def test_whatever_the_bytes_it_is_read_or_refused(raw: bytes) -> None:
    check(parse_csv(raw))
    check(parse_pasted(raw.decode("cp1252", "replace")))


@given(st.lists(st.sampled_from([*",;\t\"'=<>@\r\n a\0", "ann@example.org", "email"])))
def test_whatever_the_cells_they_are_read_or_refused(parts: list[str]) -> None:
    check(parse_csv("".join(parts).encode()))
    check(parse_pasted("".join(parts)))


def check(found: Parsed) -> None:
    """Nobody twice, nothing that breaks a line or begins a formula, lines in order."""
    assert len({row.address for row in found.rows}) == len(found.rows)
    for row in found.rows:
        for said in (row.address, row.name, row.organisation):
            assert said == " ".join(said.split())
            assert said[:1] not in [*"=+-@"]
    for lines in ([r.line for r in found.rows], [r.line for r in found.refused]):
        assert lines == sorted(lines)


def test_of_a_list_that_is_too_long_the_first_rows_are_taken() -> None:
    lines = [f"dsl{n}@example.org" for n in range(1, MOST_ROWS + 3)]
    found = parse_csv("\n".join(["email", *lines, "nobody"]).encode())
    assert [row.address for row in found.rows] == lines[:MOST_ROWS]
    assert found.refused == tuple(
        Refused(line, Reason.TOO_MANY) for line in range(MOST_ROWS + 2, MOST_ROWS + 5)
    )
