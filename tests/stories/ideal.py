"""The figures of a summary, worked out from people's notes without the code under test.

Straight from the rules of docs/rating.md, in floats, one statement after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, median

type Notes = Sequence[tuple[str, Mapping[str, str]]]
"""Of each person: the cell, and what they chose for each statement."""

SCORES = {"not_yet": 0.0, "partly": 33.33, "mostly": 66.67, "fully": 100.0}
FAVOURABLE = ("mostly", "fully")
TRIM = 3


def ideal_figures[C: str](
    notes: Notes, statements: Sequence[str], headcounts: Mapping[C, int], *, k: int
) -> dict[str, float]:
    """Exact figures of one domain, all on 0 to 100."""
    chosen = [(cell, answers[s]) for cell, answers in notes for s in statements]
    scored = [option for _, option in chosen if option in SCORES]
    asked = [option for _, option in chosen if option != "not_relevant"]
    return {
        "weighted": mean(_weighted(notes, s, headcounts, k) for s in statements),
        "unweighted": mean(_unweighted(notes, s) for s in statements),
        "favourable": 100 * sum(o in FAVOURABLE for o in scored) / len(scored),
        "dont_know": 100 * sum(o == "dont_know" for o in asked) / len(asked),
    }


def _unweighted(notes: Notes, statement: str) -> float:
    return mean(SCORES[a[statement]] for _, a in notes if a[statement] in SCORES)


def _weighted[C: str](notes: Notes, statement: str, headcounts: Mapping[C, int], k: int) -> float:
    by_cell = {
        cell: [SCORES[a[statement]] for c, a in notes if c == cell and a[statement] in SCORES]
        for cell in headcounts
    }
    if any(len(scores) < k for scores in by_cell.values()):
        raise ValueError("merging small groups is not worked out here")
    weights = {cell: headcounts[cell] / len(scores) for cell, scores in by_cell.items()}
    middle = median(weights.values())
    used = {cell: min(max(w, middle / TRIM), middle * TRIM) for cell, w in weights.items()}
    total = sum(used[cell] * sum(scores) for cell, scores in by_cell.items())
    return total / sum(used[cell] * len(scores) for cell, scores in by_cell.items())
