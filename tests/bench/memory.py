"""Whether the bot's memory stays flat over 20,000 turns: part of `make bench`."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass

from rich.progress import track

from bot.rehearsal.teams import Teams
from tests.bench.people import Answering, Opening, newcomer, next_statement, opening
from tests.bench.servers import Served, serve_bot, started

THOUSANDS = 20
AT_ONCE = 20

MOST_GROWTH = 0.05
"""Of some 100 MiB that is about 280 bytes for each turn between the two readings: less than a kept
person, envelope or card would take. What grows without being a leak is far below it: the store's
page cache fills up as its file grows, and the allocator settles.
"""


def main() -> None:
    with started("bot", serve_bot) as bot:
        resident = asyncio.run(measured(bot))
    first, last = resident[0], resident[-1]
    growth = last / first - 1
    sys.stdout.write(
        f"resident {first:.1f} MiB after 1,000 turns, {last:.1f} MiB after {THOUSANDS},000:"
        f" {growth:+.1%} (goal: flat, at most {MOST_GROWTH:+.0%})\n"
    )
    if growth > MOST_GROWTH:
        sys.exit(1)


async def measured(bot: Served) -> list[float]:
    """Resident memory in MiB after each thousand turns, each new person's first to last."""
    seen = await opening(bot.url)
    found = []
    async with Teams(bot.url) as teams:
        seats = [Seat(teams, seen) for _ in range(AT_ONCE)]
        for _ in track(range(THOUSANDS), description="Thousands of turns"):
            await asyncio.gather(*(s.takes(1000 // AT_ONCE) for s in seats))
            found.append(bot.usage().resident_mib)
    return found


@dataclass
class Seat:
    """One place at which people answer, each after the other has answered all."""

    teams: Teams
    seen: Opening
    taken_by: Answering | None = None

    async def takes(self, turns: int) -> None:
        """Raises `Wrong`."""
        for _ in range(turns):
            if self.taken_by is None or self.taken_by.is_done:
                self.taken_by = newcomer(self.teams, self.seen, next_statement)
            await self.taken_by.presses()


if __name__ == "__main__":
    main()
