"""What a survey turn costs the bot on Cosmos DB, beside SQLite: part of `make bench`.

Both bots answer real HTTP, each in a process of its own; the server of the tests, which speaks
Cosmos DB's protocol, is a third. What is compared is the CPU of the bots, in rounds that alternate:
how long a real account takes to answer cannot be measured here. How often it is asked is counted,
in `tests/stories/test_round_trips.py`.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.people import next_statement, opening
from tests.bench.servers import serve_bot, started
from tests.bench.turn import Rival, described, measured, one_answer, packages, say
from tests.cosmos.server import cosmos_server, settings_for, why_not

MOST_MS = 5.0
"""Of the bot's CPU for a whole turn: the goal is "a few ms"."""


def main() -> None:
    if reason := why_not():
        say(f"not measured on Cosmos DB: {reason}")
        return
    with tempfile.TemporaryDirectory() as folder, cosmos_server(Path(folder)) as cosmos:
        settings = settings_for(cosmos.new_database())
        with (
            started("sqlite", serve_bot) as sqlite,
            started("cosmos", serve_bot, **settings) as on_cosmos,
        ):
            rivals = [
                Rival(sqlite, "SQLite", next_statement, passes=3),
                Rival(on_cosmos, packages("azure-cosmos", "aiohttp"), next_statement, passes=3),
            ]
            # A snapshot has an id of its own, so each bot needs its own buttons.
            seen = {r.served.name: asyncio.run(opening(r.served.url)) for r in rivals}
            for rival in rivals:
                say(described(rival, asyncio.run(one_answer(rival, seen[rival.served.name]))))
            say(*_compared(measured(rivals, seen)))


def _compared(used_s: Mapping[str, Sequence[float]]) -> list[str]:
    lines = [f"{name:6} {_per_turn(rounds)}" for name, rounds in used_s.items()]
    ratios = [b / a for a, b in zip(used_s["sqlite"], used_s["cosmos"], strict=True)]
    lines.append(
        f"cosmos / sqlite {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} rounds)"
    )
    is_met = statistics.median(used_s["cosmos"]) * 1000 <= MOST_MS
    lines.append(f"goal: at most {MOST_MS:g} ms a turn, {'met' if is_met else 'missed'}")
    return lines


def _per_turn(rounds_s: Sequence[float]) -> str:
    middle, low, high = (f(rounds_s) * 1000 for f in (statistics.median, min, max))
    per_core = f"{1000 / middle:.0f} turns a second and core"
    return f"{middle:.2f} ms of CPU a turn ({low:.2f} to {high:.2f}), {per_core}"


if __name__ == "__main__":
    main()
