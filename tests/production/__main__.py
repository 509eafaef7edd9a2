"""`python -m tests.production`: a survey in production mode; writes docs/production.md."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rich.progress import Progress

from tests.cosmos.server import cosmos_server
from tests.production.ending import Ended, end_of_one
from tests.production.survey import PRESSES, Seen, survey

PAGE = Path(__file__).parents[2] / "docs/production.md"


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.production")
    asked.add_argument("--people", type=int, default=1_000)
    asked.add_argument("--pause", type=float, default=10.0, help="seconds between two taps")
    wanted = asked.parse_args()
    with Progress() as progress, tempfile.TemporaryDirectory() as folder:
        bar = progress.add_task("People who answer", total=wanted.people * PRESSES)
        stores = Path(folder) / "cosmos"
        stores.mkdir()
        with cosmos_server(stores) as cosmos:
            places = [Path(folder) / name for name in ("survey", "end")]
            for place in places:
                place.mkdir()
            seen = asyncio.run(
                survey(
                    places[0],
                    cosmos,
                    wanted.people,
                    pause_s=wanted.pause,
                    show=lambda: progress.advance(bar),
                )
            )
            sys.stdout.write(f"{said(seen)}\n")
            people = max(1, wanted.people * 3 // 10)
            bar = progress.add_task("While one of the bots ends", total=people * PRESSES)
            ended = asyncio.run(
                end_of_one(
                    places[1], cosmos, people, pause_s=0.3, show=lambda: progress.advance(bar)
                )
            )
    sys.stdout.write(f"{said_of_the_end(ended)}\n")
    if wrong := {*seen.errors, *ended.errors}:
        sys.exit("\n".join(["Something went wrong:", *sorted(wrong)]))
    PAGE.write_text(page(seen, ended, wanted.pause), encoding="utf-8")


def said(seen: Seen) -> str:
    return (
        f"{seen.people} people, {len(seen.took_s):,} turns in {seen.lasted_s:.0f} s, "
        f"p50 {seen.p50_ms:.0f} ms, p95 {seen.p95_ms:.0f} ms, {seen.late} asked to try again, "
        f"{len(seen.errors)} errors, memory {' and '.join(f'{mb:.0f} MB' for mb in seen.memory_mb)}"
    )


def said_of_the_end(ended: Ended) -> str:
    return (
        f"{ended.people} people, told to end with {ended.asking} requests under way: ended in "
        f"{ended.took_s:.1f} s with {ended.code}, answers {sorted(ended.statuses)}, "
        f"{len(ended.errors)} errors"
    )


def page(seen: Seen, ended: Ended, pause_s: float) -> str:
    """What came of it, as a page; made anew by each run."""
    rows = {
        "People, half of them in each of two tenants, with the same object ids": f"{seen.people:,}",
        "All at once, seconds between two taps of one person, on average": f"{pause_s:g}",
        "Turns": f"{len(seen.took_s):,} in {seen.lasted_s:.0f} s",
        "A turn over signed HTTP, p50": f"{seen.p50_ms:.0f} ms",
        "p95": f"{seen.p95_ms:.0f} ms",
        "Turns in which the bot asked to try again": str(seen.late),
        "Ballots lost or doubled": "none",
        "Errors in the logs": str(len(seen.errors)),
        "Memory of each of the two bots": ", ".join(f"{mb:.0f} MB" for mb in seen.memory_mb),
        "Requests without a token, or with a forged one": f"{seen.refused[401]} of "
        f"{seen.refused[401]} answered with 401",
        "Of a tenant that is not on the list": f"{seen.refused[403]} of {seen.refused[403]} "
        "answered with 403",
    }
    lines = [
        "# Production mode, tried whole on one machine",
        "",
        "Made by `make production`. Two bots in production mode (`SNAPSHOT_ENV=production`, with",
        "`SNAPSHOT_STAND_INS=true`), each a process of its own; requests signed as Bot Framework",
        "signs them; tokens for what the bots send, which the stand-in for Teams asks for; records",
        "on a server that speaks Cosmos DB's protocol; keys in a stand-in for Key Vault. A listed",
        "facilitator opens by form, everybody answers all 22 statements and sends, the facilitator",
        "closes, and each ballot has to come out of the mix once.",
        "",
        f"On {datetime.now(UTC):%d %B %Y}, {os.cpu_count()} processors, which the bots share with",
        "all the stand-ins and with the people:",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows.items()),
        "",
        "## One of the two is told to end",
        "",
        f"{ended.people} people are at one bot, three taps a second each. Half-way it gets",
        "SIGTERM, and who cannot reach it any more goes to the other, as a proxy would have it:",
        "",
        "| | |",
        "|---|---|",
        f"| Requests under way when it was told to | {ended.asking} |",
        f"| It had ended after | {ended.took_s:.1f} s, with exit code {ended.code} |",
        f"| Status of all answers | {', '.join(map(str, sorted(ended.statuses)))} |",
        "| Ballots lost or doubled | none |",
        f"| Errors in the logs | {len(ended.errors)} |",
        "",
        "Not tried: Microsoft's own services, a network between them, more processors.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
