"""Makes the files of a report in a process of its own, which ends when they are made.

A thread would not do: to load what prints them, and the fonts, holds up every other thread for a
second or two on a busy machine, and no turn may wait so long. The memory goes with the process.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import structlog

import report
from bot.turns.turn import File, NotMade
from report.making import Form, name_of
from report.material import Material

TIMEOUT_S = 120.0

KEPT_S = 600.0
"""For so long the last report is remembered, in memory alone."""

_log = structlog.get_logger()

_ROOT = Path(report.__file__).parents[1]

_PASSED_ON = ("PATH", "SYSTEMROOT")
"""Of the environment, which holds secrets that printing does not need."""


class NotPrinted(NotMade):
    """The process failed or took too long. What it said of that may hold words of a comment."""


class Printer:
    """Prints one report at a time: ten who ask at once take no more of the machine than one does.

    It is offered, then taken form by form, then shared: what has been printed serves for all of it
    as long as nothing in it changes.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._of: bytes = b""
        self._printed: dict[Form, File] = {}
        self._forgetting: asyncio.TimerHandle | None = None

    async def print(self, material: Material, forms: Sequence[Form] = tuple(Form)) -> list[File]:
        """In the order of `forms`. Raises `NotPrinted`."""
        async with self._lock:
            of = sha256(pickle.dumps(material)).digest()
            if of != self._of:
                self._forget()
                self._of = of
            if missing := [form for form in forms if form not in self._printed]:
                files = await print_files(material, missing)
                self._printed.update(zip(missing, files, strict=True))
                self._remember()
            return [self._printed[form] for form in forms]

    def _remember(self) -> None:
        if self._forgetting:
            self._forgetting.cancel()
        self._forgetting = asyncio.get_running_loop().call_later(KEPT_S, self._forget)

    def _forget(self) -> None:
        self._of, self._printed = b"", {}


async def print_files(material: Material, forms: Sequence[Form]) -> list[File]:
    """In the order of `forms`. Raises `NotPrinted`."""
    given = pickle.dumps((material, list(forms)))
    process = await _start()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            written, _ = await process.communicate(given)
    except TimeoutError:
        raise _failed("it took too long") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise _failed(f"it ended with {process.returncode}")
    # S301: it is our own process.
    contents: list[bytes] = pickle.loads(written)  # noqa: S301
    named = zip(forms, contents, strict=True)
    return [File(name_of(material, form), content) for form, content in named]


async def _start() -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "report"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=_ROOT,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        )
    except OSError:  # no memory left, or no more processes
        raise _failed("it could not be started") from None


def _failed(why: str) -> NotPrinted:
    _log.error("report not printed", why=why)
    return NotPrinted()
