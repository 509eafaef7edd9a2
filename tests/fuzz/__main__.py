"""`python -m tests.fuzz`: ten thousand spoilt requests; writes docs/fuzz.md."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rich.progress import Progress

from tests.cosmos.server import cosmos_server
from tests.fuzz.fuzzing import Found, fuzz

PAGE = Path(__file__).parents[2] / "docs/fuzz.md"

MOST_GROWTH = 0.10
"""Of what it holds after a fifth of the requests: caches fill up, and the allocator settles."""

MOST_MORE_FILES = 12


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz")
    asked.add_argument("--requests", type=int, default=10_000)
    asked.add_argument("--seed", type=int, default=1)
    wanted = asked.parse_args()
    with Progress() as progress, tempfile.TemporaryDirectory() as folder:
        bar = progress.add_task("Requests", total=wanted.requests)
        stores = Path(folder) / "cosmos"
        stores.mkdir()
        with cosmos_server(stores) as cosmos:
            found = asyncio.run(
                fuzz(
                    Path(folder),
                    cosmos,
                    wanted.requests,
                    wanted.seed,
                    show=lambda: progress.advance(bar),
                )
            )
    sys.stdout.write(page(found))
    if wrong := [*found.wrong, *_too_much(found)]:
        sys.exit("\n".join(["Something went wrong:", *sorted(set(wrong))]))
    PAGE.write_text(page(found), encoding="utf-8")


def _too_much(found: Found) -> list[str]:
    before, after = found.held
    wrong = []
    if after.memory_mb > before.memory_mb * (1 + MOST_GROWTH):
        wrong.append(f"memory grew from {before.memory_mb:.0f} to {after.memory_mb:.0f} MB")
    if after.open_files > before.open_files + MOST_MORE_FILES:
        wrong.append(f"open files grew from {before.open_files} to {after.open_files}")
    return wrong


def page(found: Found) -> str:
    """What came of it, as a page; made anew by each run."""
    after = found.held[-1]
    statuses = sorted(found.statuses.items())
    lines = [
        "# Spoilt requests",
        "",
        "Made by `make fuzz`. A bot in production mode, a process of its own, gets activities of",
        "every kind that it knows: each button, each typed word, installs, answers to offered",
        "files. In each, one to four fields are removed, of another type, too long, nested, or",
        "another's; one in ten is then cut, doubled, in other letters, too deep or too large. One",
        "in seven has no good token. No answer may be an error of the server (501 is what Teams is",
        "told of an invoke that no card of ours makes), no answer or log line may hold a stack",
        "trace or what was sent, and somebody who had answered three statements before goes on",
        "with the fourth.",
        "",
        f"On {datetime.now(UTC):%d %B %Y}:",
        "",
        "| | |",
        "|---|---|",
        f"| Requests | {after.requests:,} |",
        *(f"| Answered with {status} | {count:,} |" for status, count in statuses),
        f"| What should not have been | {len(found.wrong)} |",
        *(
            f"| After {held.requests:,}: memory, open files | {held.memory_mb:.0f} MB, "
            f"{held.open_files} |"
            for held in found.held
        ),
        *(f"| In the log, {line} | {count:,} |" for line, count in found.logged.most_common()),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
