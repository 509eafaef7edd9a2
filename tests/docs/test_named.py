"""What the pages name is there: files, headings, make targets, commands, settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer.main
from typer.core import TyperGroup

from bot.__main__ import cli
from bot.settings import Settings
from infra.teams_app.settings import AppSettings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
every_page = pytest.mark.parametrize("name", NAMES)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# -- links ----------------------------------------------------------------------------------------

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def links_in(text: str) -> Iterator[str]:
    """Those to other files of ours, and within the page."""
    for found in _LINK.finditer(_FENCE.sub("", text)):
        link = found[1] or found[2]
        if not re.match(r"[a-z]+:", link):
            yield link


def anchors_of(text: str) -> set[str]:
    """As GitHub makes them of headings; of equal ones all but the first get a number."""
    found: dict[str, int] = {}
    for line in _FENCE.sub("", text).splitlines():
        if heading := re.match(r"#{1,6} (.+)", line):
            words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).strip().lower()
            anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
            found[anchor] = found.get(anchor, -1) + 1
    return {f"{a}-{n}" if n else a for a, most in found.items() for n in range(most + 1)}


def leads_nowhere(link: str, page: Path) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / unquote(path)) if path else page
    if not target.exists():
        return True
    return bool(anchor) and anchor not in anchors_of(target.read_text(encoding="utf-8"))


@every_page
def test_each_link_leads_somewhere(name: str) -> None:
    assert [link for link in links_in(text_of(name)) if leads_nowhere(link, ROOT / name)] == []


@pytest.mark.parametrize(
    ("link", "is_broken"),
    [
        ("deploy.md", False),
        ("deploy.md#backups", False),
        ("../README.md#run-it", False),
        ("decisions", False),
        ("nowhere.md", True),
        ("deploy.md#nowhere", True),
        ("#nowhere", True),
    ],
)
def test_links_are_held_to_files_and_headings(link: str, is_broken: bool) -> None:
    text = f"See [there]({link}), [not ours](https://example.org/nowhere.md)."
    (found,) = links_in(text)
    assert leads_nowhere(found, ROOT / "docs" / "cosmos.md") is is_broken


# -- what is typed --------------------------------------------------------------------------------


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))


def made_in(text: str) -> set[str]:
    """In code and as a line of its own; *make sure* is no target."""
    return set(
        re.findall(r"(?:^ {4,}|`)(?:[A-Z_]+=\S+ )?make\s+([a-z][a-z-]*)", text, re.MULTILINE)
    )


@every_page
def test_each_make_target_is_in_the_makefile(name: str) -> None:
    assert made_in(text_of(name)) - targets() == set()


_CODE = re.compile(r"`([^`]+)`|^((?: {4,}.*)?python -m bot .*)$", re.MULTILINE)
_COMMAND = re.compile(r"python -m bot ([a-z][^`\"#]*)")


def commands_in(text: str) -> list[list[str]]:
    """The words after `python -m bot`, in a line of code or within a sentence, there over two."""
    spans = (inline or line for inline, line in _CODE.findall(text.replace("```", "")))
    found = (_COMMAND.search(" ".join(span.split())) for span in spans)
    return [each[1].split() for each in found if each]


def unknown(words: list[str]) -> str:
    """What of a command the command line does not know; empty: nothing."""
    command = typer.main.get_command(cli)
    for position, word in enumerate(words):
        if not isinstance(command, TyperGroup):
            return unknown_options(command.params, words[position:])
        # `keys status|destroy` names both.
        names = re.sub(r"[.,;:)]+$", "", word).split("|")
        if any(each not in command.commands for each in names):
            return " ".join(words[: position + 1])
        command = command.commands[names[0]]
    return ""


def unknown_options(params: Sequence[object], words: Sequence[str]) -> str:
    known = {option for each in params for option in getattr(each, "opts", ())} | {"--help"}
    given = {re.sub(r"[^a-z-].*$", "", word) for word in words if word.startswith("--")}
    return " ".join(sorted(given - known))


def test_pages_name_enough_that_these_tests_can_fail() -> None:
    text = "\n".join(text_of(name) for name in NAMES)
    assert len(list(links_in(text))) > 150
    assert made_in(text) >= {"run", "rehearse", "test", "package", "sbom"}
    assert ["rehearse", "--people", "50"] in [words[:3] for words in commands_in(text)]
    assert len(commands_in(text)) > 20
    assert len(set(_SETTING.findall(text))) > 25


@every_page
def test_each_command_is_one_of_the_command_line(name: str) -> None:
    assert [words for words in commands_in(text_of(name)) if unknown(words)] == []


@pytest.mark.parametrize(
    ("typed", "what"),
    [
        ("`python -m bot serve`", ""),
        ("`python -m bot keys destroy SNAPSHOT --yes`", ""),
        ("`python -m bot keys\nstatus`", ""),
        ("    python -m bot tick --at 2026-03-05T02:00\n", ""),
        ("`python -m bot keys mend`", "keys mend"),
        ("`python -m bot mend`", "mend"),
        ("`python -m bot purge SNAPSHOT --slowly`", "--slowly"),
    ],
)
def test_commands_are_held_to_the_command_line(typed: str, what: str) -> None:
    (words,) = commands_in(typed)
    assert unknown(words) == what


# -- settings -------------------------------------------------------------------------------------

_SETTING = re.compile(
    r"(?<![\w/.-])((?:SNAPSHOT|COSMOS|TEAMS|GRAPH)_[A-Z0-9_]*[A-Z0-9]|MicrosoftApp[A-Z]\w*)"
)
_READ_BY_MAKE = re.compile(r"\$[({]([A-Z_]+)[)}]|ifdef ([A-Z_]+)")


def settings() -> set[str]:
    of_models = {
        str(field.alias)
        for model in (Settings, AppSettings)
        for field in model.model_fields.values()
    }
    return of_models | {a or b for a, b in _READ_BY_MAKE.findall(MAKEFILE)}


@every_page
def test_each_setting_is_one_that_is_read(name: str) -> None:
    assert set(_SETTING.findall(text_of(name))) - settings() == set()
