"""One of two processes that race for the same record, at a signal.

For each line of its input it reads the record, says `ready`, waits for another line, replaces
the record, and says whether it won.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from snapshot.ports import Changed, Kind, SnapshotId
from storage.sqlite import SqliteRecords

RACE = SnapshotId("race")


async def race(path: Path, name: str) -> None:
    async with SqliteRecords(path) as records:
        say("here")
        while sys.stdin.readline():
            read = await records.read(RACE, Kind.JOURNAL, "journal")
            say("ready")
            sys.stdin.readline()
            try:
                await records.replace(replace(read, state=name))
            except Changed:
                say("lost")
            else:
                say("won")


def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(race(Path(sys.argv[1]), sys.argv[2]))
