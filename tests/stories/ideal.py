"""The figures of a summary, worked out from people's notes without the code under test.

Straight from the rules of docs/rating.md, in floats, one statement after the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from statistics import mean, median

type Notes = Sequence[tuple[str, Mapping[str, str]]]
"""Of each person: the cell, and what they chose for each statement."""

type Groups = Sequence[tuple[Collection[str], int]]
"""Cells that were weighed as one, and their headcount."""

SCORES = {"not_yet": 0.0, "partly": 33.33, "mostly": 66.67, "fully": 100.0}
FAVOURABLE = ("mostly", "fully")
TRIM = 3


def ideal_figures[S: str](notes: Notes, groups: Mapping[S, Groups]) -> dict[str, float]:
    """Exact figures of one domain, all on 0 to 100; `groups` are those of its statements."""
    chosen = [answers[s] for _, answers in notes for s in groups]
    scored = [option for option in chosen if option in SCORES]
    asked = [option for option in chosen if option != "not_relevant"]
    return {
        "weighted": mean(_weighted(notes, s, weighed) for s, weighed in groups.items()),
        "unweighted": mean(_unweighted(notes, s) for s in groups),
        "favourable": 100 * sum(o in FAVOURABLE for o in scored) / len(scored),
        "dont_know": 100 * sum(o == "dont_know" for o in asked) / len(asked),
    }


def _unweighted(notes: Notes, statement: str) -> float:
    return mean(SCORES[a[statement]] for _, a in notes if a[statement] in SCORES)


def _weighted(notes: Notes, statement: str, groups: Groups) -> float:
    scores = [
        [SCORES[a[statement]] for cell, a in notes if cell in cells and a[statement] in SCORES]
        for cells, _ in groups
    ]
    weights = [headcount / len(of) for (_, headcount), of in zip(groups, scores, strict=True)]
    middle = median(weights)
    used = [min(max(w, middle / TRIM), middle * TRIM) for w in weights]
    total = sum(w * sum(of) for w, of in zip(used, scores, strict=True))
    return total / sum(w * len(of) for w, of in zip(used, scores, strict=True))
