"""What a survey turn costs, as a ratio: part of `make bench`.

Our bot answers real HTTP in a process of its own, and so do two others: a stock bot, built of
Microsoft's CloudAdapter, that does nothing but send back the same card, and a bare handler on
the same storage. Rounds alternate, since machines are noisy; each figure is the median of them,
with the lowest and the highest beside it.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from rich.progress import track

from bot.rehearsal.teams import Answer, Teams
from cards.verbs import Verb
from tests.bench.people import (
    STATEMENTS,
    Check,
    Opening,
    beginning,
    newcomer,
    next_statement,
    opening,
    same_as,
)
from tests.bench.servers import Served, serve_bot, serve_floor, serve_stock, started

ROUNDS = 5
AT_ONCE = 16

MOST_OF_STOCK = 0.1
MOST_OF_FLOOR = 3.0

STOCK = ("botbuilder-core", "botbuilder-integration-aiohttp")
_PROJECT = Path(__file__).parents[2] / "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Rival:
    """A server, what it is made of, and how to tell that it answered as it should.

    `passes`: how often in a round a group of people answers all. The fast ones have more, so that
    a passing disturbance of the machine does not weigh more on them than on the slow one.
    """

    served: Served
    made_of: str
    check: Check
    passes: int


def main() -> None:
    with started("bot", serve_bot) as bot:
        seen = asyncio.run(opening(bot.url))
        with (
            started("stock", serve_stock, seen.card) as stock,
            started("floor", serve_floor, seen.answer.body) as floor,
        ):
            echoed = same_as(seen.card)
            rivals = [
                Rival(bot, f"csa-snapshot {_our_version()}", next_statement, passes=5),
                Rival(stock, packages(*STOCK), echoed, passes=1),
                Rival(floor, packages("aiohttp"), echoed, passes=5),
            ]
            for rival in rivals:
                say(described(rival, asyncio.run(one_answer(rival, seen))))
            say(*_compared(measured(rivals, {r.served.name: seen for r in rivals})))


def measured(rivals: list[Rival], seen: Mapping[str, Opening]) -> dict[str, list[float]]:
    """CPU seconds that each spends on an answered statement, by name, in each round.

    `seen`: how each one's survey opens, by name.
    """
    used: dict[str, list[float]] = {r.served.name: [] for r in rivals}
    for _ in track(range(ROUNDS), description="Rounds"):
        for rival in rivals:
            name = rival.served.name
            used[name].append(asyncio.run(one_round(rival, seen[name])))
    return used


async def one_round(rival: Rival, seen: Opening) -> float:
    """CPU seconds of the server for each answered statement, several people at once."""
    return statistics.mean([await _one_pass(rival, seen) for _ in range(rival.passes)])


async def _one_pass(rival: Rival, seen: Opening) -> float:
    async with Teams(rival.served.url) as teams:
        people = [newcomer(teams, seen, rival.check) for _ in range(AT_ONCE)]
        await asyncio.gather(*(p.presses() for p in people))
        before = rival.served.usage().cpu_s
        await asyncio.gather(*(p.answers_all() for p in people))
        return (rival.served.usage().cpu_s - before) / (AT_ONCE * len(STATEMENTS))


async def one_answer(rival: Rival, seen: Opening) -> Answer:
    """What it answers the first tapped option with. Raises `Wrong`."""
    async with Teams(rival.served.url) as teams:
        person = teams.person("Ada")
        first = rival.check(await person.acts(seen.begin), 0)
        answer = await person.acts(first.actions(Verb.ANSWER)[0])
        rival.check(answer, 1)
        return answer


# -- what is printed ----------------------------------------------------------------------------


def described(rival: Rival, answer: Answer) -> str:
    size = len(answer.body)
    return (
        f"{rival.served.name:6} {rival.made_of}\n"
        f"       answers {answer.status}, {size} bytes: {beginning(answer)}"
    )


def _compared(used_s: Mapping[str, Sequence[float]]) -> list[str]:
    lines = [f"{name:6} {_ms(rounds)} of CPU a turn" for name, rounds in used_s.items()]
    for other, most in (("stock", MOST_OF_STOCK), ("floor", MOST_OF_FLOOR)):
        ratio = statistics.median(used_s["bot"]) / statistics.median(used_s[other])
        met = "met" if ratio <= most else "missed"
        lines.append(f"bot / {other}  {ratio:6.3f} (goal: at most {most:g}, {met})")
    return lines


def _ms(rounds_s: Sequence[float]) -> str:
    middle, low, high = (f(rounds_s) * 1000 for f in (statistics.median, min, max))
    return f"{middle:6.2f} ms ({low:.2f} to {high:.2f})"


def packages(*names: str) -> str:
    return ", ".join(f"{name} {version(name)}" for name in names)


def _our_version() -> str:
    return str(tomllib.loads(_PROJECT.read_text())["project"]["version"])


def say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
