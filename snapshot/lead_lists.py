"""Lists of leads as people have them: lines that were pasted, and CSV files of any make.

A row is taken whole or refused, and a refusal has its line, as an editor counts them, and a reason.
Nothing is guessed of a name or an address: what is odd goes back to whoever sent it.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

MOST_ROWS = 10_000
"""In one list: no snapshot has more leads. What follows is not looked at."""

MOST_IN_A_CELL = 100
_MOST_CELL_BYTES = 200
"""As JSON: all leads have to fit into a seal of constant size."""

_DELIMITERS = ",;\t"
_LOOKED_AT = 10
"""Lines by which the delimiter is found."""

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS = re.compile(
    rf"(?=.{{3,254}}\Z)(?=[^@]{{1,64}}@)[a-z0-9_%+&'~-]+(?:\.[a-z0-9_%+&'~-]+)*"
    rf"@(?:{_LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{2,59}})"
)
_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>(?P<rest>[^<>]*)")
"""How mail programs write it: `Ann Smith <ann@example.org>`."""

_NEXT_NAMED = re.compile(r"(?<=>)\s*;\s*(?=\S)")
_LINE_END = re.compile(r"\r\n|\r|\n")

_COLUMNS = {
    "address": {"email", "emailaddress", "mail", "address", "ebost", "cyfeiriad", "cyfeiriadebost"},
    "name": {"name", "fullname", "enw", "enwllawn"},
    "organisation": {"organisation", "organization", "school", "sefydliad", "ysgol"},
}
"""What a header may call them, without spaces, hyphens and capitals."""

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_NOT_TEXT = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")
"""Workbooks, new and old, and PDF."""


class Reason(StrEnum):
    """Why a row was not taken."""

    UNREADABLE = "unreadable"
    """The file is no text."""
    NO_ADDRESS_COLUMN = "no_address_column"
    NO_ADDRESS = "no_address"
    BAD_ADDRESS = "bad_address"
    TWICE = "twice"
    """The address stands further up already."""
    FORMULA = "formula"
    """It would be carried out by whatever spreadsheet the list is opened in next."""
    HIDDEN_CHARACTER = "hidden_character"
    TOO_LONG = "too_long"
    QUOTES = "quotes"
    """A quotation mark is not closed, or something follows the one that closes."""
    TOO_MANY = "too_many"
    """No snapshot has room for more leads."""


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody to add, checked. The address is in small letters; the rest may be empty."""

    line: int
    address: str
    name: str = ""
    organisation: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    line: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was taken and what was refused, each in the order of the lines."""

    rows: tuple[Row, ...]
    refused: tuple[Refused, ...]

    def without(self, over: Collection[Row]) -> Parsed:
        """The same where there was no room for some of the rows."""
        refused = [*self.refused, *(Refused(row.line, Reason.TOO_MANY) for row in over)]
        left = set(over)
        return Parsed(
            tuple(row for row in self.rows if row not in left),
            tuple(sorted(refused, key=lambda each: each.line)),
        )


def normal_address(address: str) -> str:
    """Capitals mean nothing to any mail server that people here use."""
    return address.strip().lower()


def parse_pasted(text: str) -> Parsed:
    """One `email, name, organisation` or `Name <email>, organisation` a line.

    What has been copied from a spreadsheet has tabs, and may have its header too.
    """
    return _parse(_pasted(text), rest=True)


def parse_csv(raw: bytes) -> Parsed:
    """A CSV file, with or without a header in English or Welsh; its other columns are passed over.

    Without a header: address, name, organisation.
    """
    text = _decoded(raw)
    if text is None:
        return Parsed((), (Refused(1, Reason.UNREADABLE),))
    return _parse(_records(text), rest=False)


# -- from bytes to cells --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Cells:
    """One record; None: its quotation marks make no sense."""

    line: int
    cells: Sequence[str] | None


def _decoded(raw: bytes) -> str | None:
    """By its byte-order mark, or else by what it holds: zero bytes are UTF-16's.

    Text that is valid UTF-8 is UTF-8, since accented letters of another encoding hardly ever are.
    The rest is Windows-1252. None: neither fits.
    """
    if raw.startswith(_NOT_TEXT):
        return None
    encoding = next((name for bom, name in _BOMS if raw.startswith(bom)), "")
    try:
        if not encoding and raw.count(0) * 4 > len(raw):
            # In what people write here, the upper byte of nearly each letter is zero.
            is_little = raw[1::2].count(0) > raw[::2].count(0)
            encoding = "utf-16-le" if is_little else "utf-16-be"
        if encoding:
            return raw.decode(encoding)
        return _as_utf_8(raw) or raw.decode("cp1252")
    except UnicodeDecodeError:
        return None


def _as_utf_8(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _records(text: str) -> Iterator[_Cells]:
    return _split(text, _delimiter(text))


def _pasted(text: str) -> Iterator[_Cells]:
    """Line by line, so that a stray quotation mark takes no other line with it."""
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if _NAMED.match(line):
            for one in _NEXT_NAMED.split(line):
                yield _Cells(number, _named_cells(one))
        else:
            for found in _split(line, _delimiter(line)):
                yield _Cells(number, found.cells)


def _named_cells(text: str) -> list[str]:
    found = _NAMED.fullmatch(text)
    if not found:
        return [text]
    name = found["name"].strip(" \"',;")
    return [found["address"], name, found["rest"].strip(" ,;\t")]


def _split(text: str, delimiter: str) -> Iterator[_Cells]:
    """`strict`, or a quotation mark that is not closed would swallow the rest of a file."""
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=delimiter != "\t")
    while True:
        line = reader.line_num + 1
        try:
            yield _Cells(line, next(reader))
        except csv.Error:
            yield _Cells(line, None)
        except StopIteration:
            return


def _delimiter(text: str) -> str:
    """The one that lays bare most addresses or names of columns, then that with most cells.

    An address hangs together with its neighbours wherever one splits at another character.
    """
    lines = [line for line in text.splitlines() if line.strip()][:_LOOKED_AT]

    def worth(delimiter: str) -> tuple[int, int]:
        split = [line.split(delimiter) for line in lines]
        telling = sum(any(_is_telling(cell) for cell in cells) for cells in split)
        return telling, sum(len(cells) for cells in split)

    return max(_DELIMITERS, key=worth)


def _is_telling(cell: str) -> bool:
    return bool(_column(cell)) or bool(_ADDRESS.fullmatch(normal_address(cell.strip(' "'))))


# -- from cells to rows ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where what stands; None: nowhere. `rest`: all that follows belongs to the organisation."""

    address: int | None = 0
    name: int | None = 1
    organisation: int | None = 2
    rest: bool = False


class _Refusal(Exception):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def _parse(records: Iterable[_Cells], *, rest: bool) -> Parsed:
    columns: _Columns | None = None
    rows: dict[str, Row] = {}
    refused: list[Refused] = []
    for found in records:
        if found.cells is not None and not any(cell.strip() for cell in found.cells):
            continue
        if len(rows) == MOST_ROWS:
            refused.append(Refused(found.line, Reason.TOO_MANY))
            continue
        if columns is None:
            header = _header(found.cells or ())
            columns = header or _Columns(rest=rest)
            if header and header.address is None:
                return Parsed((), (Refused(found.line, Reason.NO_ADDRESS_COLUMN),))
            if header:
                continue
        try:
            row = _row(found, columns, rows)
            rows[row.address] = row
        except _Refusal as refusal:
            refused.append(Refused(found.line, refusal.reason))
    return Parsed(tuple(rows.values()), tuple(refused))


def _header(cells: Sequence[str]) -> _Columns | None:
    """The columns, if these cells name any; an address among them is somebody's."""
    if any("@" in cell for cell in cells):
        return None
    places: dict[str, int] = {}
    for place, cell in enumerate(cells):
        if column := _column(cell):
            places.setdefault(column, place)
    if not places:
        return None
    return _Columns(places.get("address"), places.get("name"), places.get("organisation"))


def _column(cell: str) -> str | None:
    said = "".join(c for c in cell.casefold() if c.isalpha())
    return next((column for column, names in _COLUMNS.items() if said in names), None)


def _row(found: _Cells, columns: _Columns, taken: Container[str]) -> Row:
    """`taken`: the addresses further up. Raises `_Refusal`."""
    if found.cells is None:
        raise _Refusal(Reason.QUOTES)
    address, name, organisation = (
        _clean(_cell(found.cells, place))
        for place in (columns.address, columns.name, columns.organisation)
    )
    if columns.rest:
        following = (_clean(cell) for cell in found.cells[3:])
        organisation = ", ".join(said for said in (organisation, *following) if said)
    if named := _NAMED.fullmatch(address):
        address, name = named["address"], name or _clean(named["name"])
    address = normal_address(address)
    if not address:
        raise _Refusal(Reason.NO_ADDRESS)
    if not _ADDRESS.fullmatch(address):
        raise _Refusal(Reason.BAD_ADDRESS)
    if address in taken:
        raise _Refusal(Reason.TWICE)
    if not (_fits(name) and _fits(organisation)):
        raise _Refusal(Reason.TOO_LONG)
    return Row(found.line, address, name, organisation)


def _cell(cells: Sequence[str], place: int | None) -> str:
    return cells[place] if place is not None and place < len(cells) else ""


def _clean(cell: str) -> str:
    """On one line. Raises `_Refusal` for what a spreadsheet would carry out, or nobody sees."""
    if any(unicodedata.category(c)[0] == "C" and c not in "\t\r\n" for c in cell):
        raise _Refusal(Reason.HIDDEN_CHARACTER)
    said = " ".join(cell.split())
    # Full-width signs do the same in some spreadsheets.
    if cell.startswith(("\t", "\r")) or unicodedata.normalize("NFKC", said)[:1] in [*"=+-@"]:
        raise _Refusal(Reason.FORMULA)
    return said


def _fits(said: str) -> bool:
    as_json = json.dumps(said, ensure_ascii=False).encode()
    return len(said) <= MOST_IN_A_CELL and len(as_json) <= _MOST_CELL_BYTES


# -- a list for a spreadsheet ---------------------------------------------------------------------


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """As Excel opens it, without a cell that it would work out."""
    written = io.StringIO(newline="")
    out = csv.writer(written)
    out.writerow(columns)
    out.writerows([_as_text(cell) for cell in row] for row in rows)
    return written.getvalue().encode("utf-8-sig")


def _as_text(cell: str) -> str:
    first = unicodedata.normalize("NFKC", cell).lstrip(" ")[:1]
    return f"'{cell}" if first and first in _FORMULA else cell


_FORMULA = "=+-@\t\r\n"
