"""What a rehearsal comes to in numbers: of made-up people, so none of it is anybody's."""

from __future__ import annotations

import hashlib
import statistics
from collections import Counter
from typing import Any

import orjson
from rich.table import Table

from bot.rehearsal.acts import CHANNEL, MODERATORS, Cast
from bot.rehearsal.check import Kept, messages
from bot.rehearsal.practitioners import Part
from bot.rehearsal.session import partners_among
from bot.rehearsal.stage import Kind, Stage

_MS = 1000.0


def figures(stage: Stage, cast: Cast, kept: Kept, *, seed: int, seconds: float) -> dict[str, Any]:
    """As JSON. `played` is the same for the same seed, whatever the machine, but for `final`.

    Who is mixed with whom is thrown with dice that nobody can foresee, so where too few are left of
    a group, a final figure may differ by a step.
    """
    took = sorted(stage.teams.took)
    everybody = len(cast.practitioners)
    grown = stage.memory_mib["before the close"] - stage.memory_mib["opened"]
    stored = stage.bytes_stored["before the close"] - stage.bytes_stored["opened"]
    return {
        "seed": seed,
        "language": stage.language,
        "played": _played(stage, cast, kept),
        "seconds": round(seconds, 1),
        "turns": len(took),
        "turns_per_second": round(len(took) / (seconds - stage.worked_s), 1),
        "turn_ms": {"p50": _ms(took, 50), "p95": _ms(took, 95)},
        "turns_asked_to_try_again": stage.late,
        "worker_seconds": round(stage.worked_s, 1),
        "posts": _posts(stage),
        "bytes_stored": stage.bytes_stored,
        "bytes_stored_per_person": round(stored / everybody),
        "server_mib": {when: round(mib, 1) for when, mib in stage.memory_mib.items()},
        "server_kib_per_person": round(grown * 1024 / everybody, 2),
        "cards": len(stage.gallery),
    }


def _played(stage: Stage, cast: Cast, kept: Kept) -> dict[str, Any]:
    parts = Counter(person.part for person in cast.practitioners)
    final = {key: kept.final.get(key) for key in ("k", "people", "step", "domains")}
    return {
        "people": len(cast.practitioners),
        **{str(part): parts[part] for part in Part if part is not Part.NEW},
        "agencies": dict(Counter(p.made.agency for p in cast.practitioners)),
        "answers": _fingerprint(cast),
        "comments": cast.read.total(),
        "partners": partners_among(len(cast.practitioners)),
        "statements_agreed": len(cast.agreement.pairs),
        "partners_ratings": cast.agreement.ratings,
        "dissent": cast.agreement.dissent,
        "actions": len(cast.planned),
        "messages": _messages(stage),
        "final": final,
    }


def _messages(stage: Stage) -> dict[str, int]:
    """By kind; greetings are told from replies by who was to get one."""
    found = Counter(kind for (_, kind), n in messages(stage).items() for _ in range(n))
    greeted = sum(n for (_, kind), n in stage.expected.items() if kind is Kind.GREETING)
    found.update({Kind.GREETING: greeted, Kind.REPLY: -greeted})
    return {str(kind): found[kind] for kind in Kind}


def _posts(stage: Stage) -> dict[str, int]:
    topics = {d: n for d, n in stage.deeds.items() if d.startswith("posted-")}
    unasked = sum(len(stage.unasked(channel)) for channel in (CHANNEL, MODERATORS))
    asked = sum(len(stage.teams.posts(channel)) for channel in (CHANNEL, MODERATORS)) - unasked
    return {**{d.removeprefix("posted-"): n for d, n in sorted(topics.items())}, "asked for": asked}


def _fingerprint(cast: Cast) -> str:
    """Of everybody's answers as they were at the end."""
    answers = [[p.made.number, p.part, p.answers] for p in cast.practitioners]
    encoded = orjson.dumps(answers, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(encoded).hexdigest()[:16]


def _ms(took: list[float], percent: int) -> float:
    return round(_MS * statistics.quantiles(took, n=100)[percent - 1], 1)


def table(found: dict[str, Any]) -> Table:
    """For a terminal."""
    played = found["played"]
    shown = Table(show_header=False, box=None, pad_edge=False)
    rows = {
        "People": f"{played['people']}: {played['sent']} sent, {played['begun']} never did,"
        f" {played['withdrawn']} withdrew",
        "Comments": f"{played['comments']}, each read once",
        "Session": f"{played['partners']} partners agreed on {played['statements_agreed']}"
        f" statements with {played['partners_ratings']} ratings",
        "Plan": f"{played['actions']} actions",
        "Turns": f"{found['turns']} in {found['seconds']} s,"
        f" {found['turns_per_second']} a second while people act"
        f" ({found['worker_seconds']} s are the worker's)",
        "A turn": f"p50 {found['turn_ms']['p50']} ms, p95 {found['turn_ms']['p95']} ms",
        "Messages": _listed(played["messages"]),
        "Posts": _listed(found["posts"]),
        "Stored": f"{found['bytes_stored']['before the close'] / 1e6:.1f} MB before the close,"
        f" {found['bytes_stored_per_person']} bytes a person",
        "Server": f"{found['server_mib']['opened']} MiB at first,"
        f" {found['server_mib']['before the close']} MiB before the close,"
        f" {found['server_kib_per_person']} KiB a person",
        "Cards": f"{found['cards']} to look at",
    }
    for name, value in rows.items():
        shown.add_row(f"{name}  ", value)
    return shown


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items())
