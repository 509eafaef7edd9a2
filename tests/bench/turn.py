"""What a survey turn costs, as a ratio: part of `make bench`.

Our bot answers real HTTP in a process of its own, and so do two others: a stock bot, built of
Microsoft's CloudAdapter, that does nothing but send back the same card, and a bare handler on
the same storage. Rounds alternate, since machines are noisy; each figure is the median of them,
with the lowest and the highest beside it.

Both bots run twice: as one tries them on a desk, where nobody's token is checked, and as they run
in production, where each request shows one. Ours then has its production settings; the stock bot
has an app id and checks by its own code. Both ask the tests' identity service for the keys.
All that such a server does for a turn is counted: the request read, its token checked, the answer
made and sent, and for ours the store and the worker beside it. What is not: whoever sends the
requests, the identity service, and how the servers start. No message leaves in these turns, so
neither bot needs a token of its own.

A group of people sends one token with all its requests. The stock bot checks the signature each
time; ours once, when they begin, which is not counted, since it remembers those that were good.
So ours is measured with another token for each request too, which is the most it can cost.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

from rich.progress import track

from bot.rehearsal.teams import Answer, Teams
from cards.verbs import Verb
from tests.bench.people import (
    STATEMENTS,
    Check,
    Opening,
    Wrong,
    beginning,
    newcomer,
    next_statement,
    opening,
    same_as,
)
from tests.bench.servers import Served, serve_bot, serve_floor, serve_stock, started
from tests.bench.signed import Identity, SignedTeams, identity

ROUNDS = 5
AT_ONCE = 16

MOST_OF_STOCK = 0.1
MOST_OF_FLOOR = 3.0

COMPARED = (
    ("bot", "stock", MOST_OF_STOCK),
    ("bot, tokens", "stock, tokens", MOST_OF_STOCK),
    ("bot, a token each", "stock, tokens", MOST_OF_STOCK),
    ("bot", "floor", MOST_OF_FLOOR),
    ("bot, tokens", "floor", MOST_OF_FLOOR),
)
"""Which is set against which, and the goal."""

STOCK = ("botbuilder-core", "botbuilder-integration-aiohttp")
_PROJECT = Path(__file__).parents[2] / "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Rival:
    """A server, what it is made of, and how to tell that it answered as it should.

    `passes`: how often in a round a group of people answers all. The fast ones have more, so that
    a passing disturbance of the machine does not weigh more on them than on the slow one.
    `by`: the Teams by which they reach it.
    """

    served: Served
    made_of: str
    check: Check
    passes: int
    by: Callable[[str], Teams] = Teams


def main() -> None:
    with (
        identity() as known,
        started("bot", serve_bot) as bot,
        started("bot, tokens", serve_bot, **known.settings) as checking,
    ):
        signed = partial(SignedTeams, identity=known, port=known.port)
        # A snapshot has an id of its own, so each bot needs its own buttons.
        seen = asyncio.run(opening(bot.url))
        seen_signed = asyncio.run(opening(checking.url, signed))
        keys = (known.metadata, str(known.ca_file))
        with (
            started("stock", serve_stock, seen.card) as stock,
            started("stock, tokens", serve_stock, seen.card, *keys) as stock_checking,
            started("floor", serve_floor, seen.answer.body) as floor,
        ):
            us, it, echoed = f"csa-snapshot {_our_version()}", packages(*STOCK), same_as(seen.card)
            each = replace(checking, name="bot, a token each")
            without = [
                Rival(bot, us, next_statement, passes=5),
                Rival(stock, it, echoed, passes=1),
                Rival(floor, packages("aiohttp"), echoed, passes=5),
            ]
            shown = [
                Rival(checking, us, next_statement, passes=5, by=signed),
                Rival(each, us, next_statement, passes=5, by=partial(signed, one_each=True)),
                Rival(stock_checking, it, echoed, passes=1, by=signed),
            ]
            for rival in shown:
                asyncio.run(turns_away(rival, seen_signed, known))
            starts = {r.served.name: seen for r in without}
            starts |= {r.served.name: seen_signed for r in shown}
            rivals = without + shown
            for rival in rivals:
                say(described(rival, asyncio.run(one_answer(rival, starts[rival.served.name]))))
            say(*_compared(measured(rivals, starts)))


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
    async with rival.by(rival.served.url) as teams:
        people = [newcomer(teams, seen, rival.check) for _ in range(AT_ONCE)]
        await asyncio.gather(*(p.presses() for p in people))
        before = rival.served.usage().cpu_s
        await asyncio.gather(*(p.answers_all() for p in people))
        return (rival.served.usage().cpu_s - before) / (AT_ONCE * len(STATEMENTS))


async def one_answer(rival: Rival, seen: Opening) -> Answer:
    """What it answers the first tapped option with. Raises `Wrong`."""
    async with rival.by(rival.served.url) as teams:
        person = teams.person("Ada")
        first = rival.check(await person.acts(seen.begin), 0)
        answer = await person.acts(first.actions(Verb.ANSWER)[0])
        rival.check(answer, 1)
        return answer


async def turns_away(rival: Rival, seen: Opening, known: Identity) -> None:
    """Whoever shows no token, or one that is forged. Raises `Wrong` if one is let in."""
    nobody = Teams(rival.served.url, port=known.port)
    forger = SignedTeams(rival.served.url, port=known.port, identity=known, by="another's")
    for caller in (nobody, forger):
        async with caller as teams:
            answer = await teams.person("Mallory").acts(seen.begin)
        if answer.status == 200:
            raise Wrong(f"{rival.served.name} let somebody in: {beginning(answer)}")


# -- what is printed ----------------------------------------------------------------------------


def described(rival: Rival, answer: Answer) -> str:
    size = len(answer.body)
    return (
        f"{rival.served.name:6} {rival.made_of}\n"
        f"       answers {answer.status}, {size} bytes: {beginning(answer)}"
    )


def _compared(used_s: Mapping[str, Sequence[float]]) -> list[str]:
    width = max(map(len, used_s))
    lines = [f"{name:{width}} {_ms(rounds)} of CPU a turn" for name, rounds in used_s.items()]
    for one, other, most in COMPARED:
        ratio = statistics.median(used_s[one]) / statistics.median(used_s[other])
        met = "met" if ratio <= most else "missed"
        lines.append(f"{one} / {other}: {ratio:.3f} (goal: at most {most:g}, {met})")
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
