"""docs/guides/it.md lists each event that the code logs, with its level, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guides" / "it.md").read_text(encoding="utf-8")
FOLDERS = ("bot", "storage", "snapshot")
LEVELS = ("info", "warning", "error", "critical", "exception", "debug")

type Event = tuple[str, str]
"""Name and level."""


def named_on_the_page() -> list[Event]:
    return re.findall(r"^\| `([A-Za-z][A-Za-z -]*)` \| (\w+) \|", PAGE, re.MULTILINE)


def logged(tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """What is logged, and at which level."""
    for call in ast.walk(tree):
        match call:
            case ast.Call(func=ast.Attribute(value=logger, attr=level), args=[event, *_]) if (
                level in LEVELS and ast.unparse(logger) in ("_log", "structlog.get_logger()")
            ):
                yield event, level


def events_in(tree: ast.Module) -> Iterator[Event]:
    for event, level in logged(tree):
        match event:
            case ast.Constant(value=str(name)):
                yield name, level
            case ast.Name(id=parameter):
                names = list(handed_over(tree, parameter))
                assert names, f"nobody says what {parameter} is"
                yield from ((name, level) for name in names)
            case _:
                assert ast.unparse(event) == "deed.did", "this test has to learn that"
                yield from ((name, level) for name in deeds())


def handed_over(tree: ast.Module, parameter: str) -> Iterator[str]:
    """What the callers of a function that logs one of its parameters give it."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        parameters = [each.arg for each in function.args.args if each.arg != "self"]
        if parameter in parameters and any(
            ast.unparse(event) == parameter for event, _ in logged(function)
        ):
            yield from constants(tree, function.name, parameters.index(parameter))


def constants(tree: ast.Module, function: str, position: int) -> Iterator[str]:
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] == function:
            given = call.args[position]
            assert isinstance(given, ast.Constant), ast.unparse(call)
            yield str(given.value)


def deeds() -> Iterator[str]:
    """What the worker does: what it and its parts yield as text, and each `Deed` that is made."""
    for path in sorted((ROOT / "bot").glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        yield from (name for name in made_as_deeds(tree))
        for function in ast.walk(tree):
            if isinstance(function, ast.AsyncFunctionDef) and _returns_text(function):
                yield from yielded(function)


def _returns_text(function: ast.AsyncFunctionDef) -> bool:
    returns = function.returns
    return returns is not None and ast.unparse(returns) == "AsyncIterator[str]"


def made_as_deeds(tree: ast.Module) -> Iterator[str]:
    for call in ast.walk(tree):
        match call:
            case ast.Call(func=ast.Name(id="Deed"), args=[ast.Constant(value=str(name)), *_]):
                yield name


def yielded(function: ast.AsyncFunctionDef) -> Iterator[str]:
    for each in ast.walk(function):
        match each:
            case ast.Yield(value=ast.Constant(value=str(name))):
                yield name
            case ast.Yield(value=ast.JoinedStr(values=parts)):
                yield "".join(
                    str(p.value) if isinstance(p, ast.Constant) else placeholder(p) for p in parts
                )


def placeholder(part: ast.expr) -> str:
    """As the page writes it: `{topic}` is TOPIC."""
    assert isinstance(part, ast.FormattedValue)
    return ast.unparse(part.value).upper()


def of_the_code() -> set[Event]:
    return {
        event
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        for event in events_in(ast.parse(path.read_text(encoding="utf-8")))
    }


def test_the_page_names_each_event_that_the_code_logs_and_no_other() -> None:
    named, in_code = named_on_the_page(), of_the_code()
    assert len(named) == len(set(named)), "one is there twice"
    assert sorted(in_code - set(named)) == [], "logged, and not on the page"
    assert sorted(set(named) - in_code) == [], "on the page, and logged by nobody"
    assert len(in_code) > 40


def test_each_event_says_what_it_means_and_what_to_do() -> None:
    rows = [line for line in PAGE.splitlines() if re.match(r"\| `[a-z]", line)]
    listed = [row for row in rows if re.search(r"\| (info|warning|error) \|", row)]
    assert [row for row in listed if "" in [cell.strip() for cell in row.split("|")[1:-1]]] == []


@pytest.mark.parametrize(
    ("code", "events"),
    [
        ("_log.error('a thing', snapshot=id)", [("a thing", "error")]),
        ("structlog.get_logger().warning('library')", [("library", "warning")]),
        (
            "def tell(entry, event):\n    _log.error(event)\ntell(1, 'letter failed')",
            [("letter failed", "error")],
        ),
    ],
)
def test_events_are_found_however_they_are_logged(code: str, events: list[Event]) -> None:
    assert list(events_in(ast.parse(code))) == events
