"""Whether every turn is answered when 32 people answer at once: part of `make bench`."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter

import aiohttp
from rich.progress import Progress

from bot.rehearsal.teams import Teams
from tests.bench.people import TURNS, Answering, Wrong, newcomer, next_statement, opening
from tests.bench.servers import serve_bot, started

AT_ONCE = 32


def main() -> None:
    with started("bot", serve_bot) as bot:
        failed = asyncio.run(crowd(bot.url))
    turns = AT_ONCE * TURNS
    sys.stdout.write(f"{failed.total()} of {turns} turns failed, {AT_ONCE} at once (goal: none)\n")
    sys.stdout.writelines(f"{count:6} x {why}\n" for why, count in failed.most_common(5))
    if failed:
        sys.exit(1)


async def crowd(url: str) -> Counter[str]:
    """Everybody begins and answers every statement, all at the same time; what failed, and how."""
    seen = await opening(url)
    failed: Counter[str] = Counter()
    with Progress() as progress:
        bar = progress.add_task("At once", total=AT_ONCE * TURNS)

        async def goes_through(someone: Answering) -> None:
            # As many presses as it takes when none fails: somebody whose turn failed presses
            # again what is in front of them, and gets less far.
            for _ in range(TURNS):
                try:
                    await someone.presses()
                except (Wrong, aiohttp.ClientError, TimeoutError) as error:
                    failed[str(error) or type(error).__name__] += 1
                progress.advance(bar)

        async with Teams(url) as teams:
            people = [newcomer(teams, seen, next_statement) for _ in range(AT_ONCE)]
            await asyncio.gather(*(goes_through(p) for p in people))
    return failed


if __name__ == "__main__":
    main()
