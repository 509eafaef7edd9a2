"""Opens a database in a process of its own, and says what came of it.

Takes its path, and how long to wait for a lock, in milliseconds.

Apart from the tests, because a connection that is left open by mistake is reported only when
Python clears up.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import storage.sqlite


async def open_and_close(path: Path) -> str:
    """`opened`, or where the class of the error comes from and its name."""
    try:
        async with storage.sqlite.SqliteRecords(path):
            return "opened"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the test asks about
        return f"{type(error).__module__}.{type(error).__name__}"


if __name__ == "__main__":
    storage.sqlite.LOCK_WAIT_MS = int(sys.argv[2])
    sys.stdout.write(asyncio.run(open_and_close(Path(sys.argv[1]))))
