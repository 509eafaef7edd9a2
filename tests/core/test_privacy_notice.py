"""docs/privacy-notice.md says what stands behind each sentence, and must not fall behind them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from content.packs import load_packs

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "privacy-notice.md").read_text(encoding="utf-8")
COLUMNS = ("en-GB", "cy-GB")
MESSAGES = (
    "privacy_short",
    "privacy_notice",
    "receipt",
    "already_sent",
    "withdrawn",
    "comments_intro",
    "free_text_warning",
    "free_text_check",
)
PACKS = load_packs()
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


def rows(message: str) -> list[list[str]]:
    """The cells of the table under the message's name."""
    table = PAGE.split(f"### `{message}`\n")[1].split("\n#")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def on_one_line(text: str) -> str:
    return " ".join(line.removeprefix("- ") for line in text.splitlines() if line)


@pytest.mark.parametrize("message", MESSAGES)
def test_the_page_has_every_sentence_as_it_stands_on_the_card(message: str) -> None:
    for column, language in enumerate(COLUMNS):
        said = " ".join(row[column] for row in rows(message))
        assert said == on_one_line(PACKS[language].wording.messages[message])


@pytest.mark.parametrize("message", MESSAGES)
def test_something_is_said_of_every_sentence(message: str) -> None:
    assert all(len(row) == 3 and all(row) for row in rows(message))


def test_what_the_tables_point_to_is_on_the_page() -> None:
    titles = re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)
    known = {title.lower().replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) <= known


@pytest.mark.parametrize(("path", "name"), TESTS)
def test_every_test_that_is_named_is_there(path: str, name: str) -> None:
    assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")


def test_tests_are_named() -> None:
    """A page whose names are written in another way would pass unread."""
    assert len(TESTS) >= len(MESSAGES)
    assert PAGE.count("`tests/") == PAGE.count("::")
