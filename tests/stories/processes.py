"""Bots in processes of their own, which know the real time and of each other only by the store."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Self

import aiohttp

from bot.rehearsal.teams import Answer, Teams
from tests.stories.conftest import RunningBot

ROOT = Path(__file__).parents[2]
STARTS_WITHIN_S = 120.0
ENDS_WITHIN_S = 120.0


async def start(folder: Path, environment: Mapping[str, str], *words: str) -> Process:
    """`python -m bot` with these words; what it logs stands in `folder`."""
    with (folder / "bot.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *words,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )


@dataclass(frozen=True)
class Ended:
    """What came of a command."""

    code: int | None
    out: str
    err: str


async def command(bot: RunningBot, *words: str, typed: str = "") -> Ended:
    """`python -m bot` with these words on the files of a bot, to its end; `typed` answers it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *words),
        cwd=bot.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **bot.environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(typed.encode()), ENDS_WITHIN_S)
    return Ended(process.returncode, out.decode(), err.decode())


@dataclass
class Serving:
    """`python -m bot serve`; who leaves the block ends it."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['PORT']}"

    async def __aenter__(self) -> Self:
        self._process = await start(self.folder, self.environment, "serve")
        async with asyncio.timeout(STARTS_WITHIN_S):
            while not await self._answers():
                continue
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            self._process.terminate()
        await self._process.communicate()

    async def ends(self) -> int:
        """Asked to stop; its exit code."""
        self._process.terminate()
        return await self._process.wait()

    async def is_killed(self) -> None:
        self._process.kill()
        assert await self._process.wait() == -signal.SIGKILL, "it had ended already"

    async def is_told_to_end(self) -> int:
        """Its exit code."""
        self._process.terminate()
        return await self._process.wait()

    @property
    def open_files(self) -> int:
        """Sockets among them (Linux)."""
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir()))

    @property
    def memory_mb(self) -> float:
        """What it holds now (Linux)."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        (kilobytes,) = re.findall(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
        return int(kilobytes) / 1024

    async def _answers(self) -> bool:
        assert self._process.returncode is None, "it has ended"
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.url}/healthz"):
                return True
        except aiohttp.ClientError:
            await asyncio.sleep(0.05)
            return False


@dataclass
class Tick:
    """`python -m bot tick`."""

    folder: Path
    environment: Mapping[str, str]

    async def starts(self, at: datetime) -> Self:
        """As if it were this time."""
        self._process = await start(self.folder, self.environment, "tick", "--at", at.isoformat())
        return self

    async def is_killed(self) -> None:
        self._process.kill()
        assert await self._process.wait() == -signal.SIGKILL, "it had ended already"

    async def ends(self) -> tuple[int, list[str]]:
        """Exit code, and what it did."""
        said, _ = await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode, [json.loads(line)["did"] for line in said.splitlines()]


@dataclass
class Spread(Teams):
    """Each request goes to one of the bots, by lot."""

    bots: Sequence[Serving] = ()
    dice: Random = field(default_factory=lambda: Random(1))

    async def request(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.bot_url = self.dice.choice(self.bots).url
        return await super().request(body, headers)


def log_lines(folder: Path) -> Iterator[Mapping[str, str]]:
    for line in (folder / "bot.log").read_text().splitlines():
        yield json.loads(line)


def errors(folder: Path) -> Iterator[Mapping[str, str]]:
    """What was logged as an error, but that database or turn were late: the machine may be busy."""
    for line in log_lines(folder):
        if line["level"] == "error" and not _is_late(line):
            yield line


def _is_late(line: Mapping[str, str]) -> bool:
    error = line.get("error")
    return error == "Unavailable" or (line["event"], error) == ("turn failed", "TimeoutError")
