"""Every figure that leaves goes through disclosure: nothing else reads counts, slips or tallies."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("bot", "cards", "content", "report", "snapshot", "storage")

READS = {
    "counts": {"tally", "rating", "basis", "disclosure"},
    "SLIP": {"mix"},
    "TALLY": {"mix", "progress"},
    "people": {"tally", "disclosure", "detail"},
    "weighted": {"rating", "disclosure", "detail"},
    "unweighted": {"rating", "disclosure", "detail"},
}
"""What tells how many chose what, and the modules of the core that may look at it.

Cards show `Figure`s, which are fit to be printed; those have other owners, named below.
"""

PRINTED = {
    ("cards/summary.py", "people"),
    ("cards/summary.py", "weighted"),
    ("cards/summary.py", "unweighted"),
    # What the report rests on is what has been published.
    ("snapshot/views.py", "weighted"),
    ("snapshot/findings.py", "weighted"),
    ("snapshot/findings.py", "unweighted"),
    ("report/front.py", "people"),
    ("report/domains.py", "weighted"),
    ("report/domains.py", "unweighted"),
    ("report/excel.py", "people"),
    ("report/excel.py", "weighted"),
    ("report/excel.py", "unweighted"),
    # The number of made-up people in a sample is a setting.
    ("bot/sample.py", "people"),
    # Those of a rehearsal are its actors.
    ("bot/rehearsal/teams.py", "people"),
    # It sets made-up answers against what became of them, in a store that it has made itself.
    ("bot/rehearsal/check.py", "SLIP"),
    ("bot/rehearsal/check.py", "TALLY"),
    ("bot/app.py", "people"),
}


def attributes(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield node.attr


def readers() -> set[tuple[str, str]]:
    """Each file that reads one of these, with what it reads."""
    return {
        (str(path.relative_to(ROOT)), name)
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        for name in attributes(path)
        if name in READS
    }


def test_counts_are_read_by_nobody_else() -> None:
    allowed = {(f"snapshot/{owner}.py", name) for name, owners in READS.items() for owner in owners}
    assert readers() <= allowed | PRINTED


def test_the_gate_is_where_they_are_read() -> None:
    """Otherwise a new name for them would leave this test with nothing to find."""
    found = readers()
    for name in ("counts", "people", "weighted", "unweighted"):
        assert ("snapshot/disclosure.py", name) in found
    assert {("snapshot/mix.py", "SLIP"), ("snapshot/progress.py", "TALLY")} <= found
