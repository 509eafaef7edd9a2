"""The process that prints a report does not start, is killed, or takes too long."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.printing import NotPrinted, Printer, print_files
from bot.turns.turn import File
from report.making import Form
from report.material import Material
from tests.report.material import material

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="/proc tells of processes, and is not here"
)


def printers() -> list[int]:
    """The processes of ours that print."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except (OSError, IndexError):  # it has ended
            continue
        if int(parent) == os.getpid() and words[1:3] == [b"-m", b"report"]:
            found.append(int(folder.name))
    return found


async def test_one_that_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.printing.sys.executable", "/not/there")
    with pytest.raises(NotPrinted):
        await print_files(material("en-GB"), [Form.PDF])


async def test_one_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.printing.TIMEOUT_S", 0.1)
    with pytest.raises(NotPrinted):
        await print_files(material("en-GB"), [Form.PDF])
    assert printers() == []


async def test_one_that_is_killed() -> None:
    printing = asyncio.create_task(print_files(material("en-GB"), [Form.PDF]))
    async with asyncio.timeout(60):
        while not (found := printers()):  # noqa: ASYNC110 - nothing else could tell
            await asyncio.sleep(0.01)
    (process,) = found
    os.kill(process, signal.SIGKILL)
    with pytest.raises(NotPrinted):
        await printing
    assert printers() == []


async def test_a_report_is_printed_once_until_something_in_it_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    printer, printed = Printer(), []

    async def counted(material: Material, forms: Sequence[Form]) -> list[File]:
        printed.append(list(forms))
        return await print_files(material, forms)

    monkeypatch.setattr("bot.printing.print_files", counted)
    english = material("en-GB")
    first = await printer.print(english, [Form.EXCEL])
    assert await printer.print(material("en-GB"), [Form.EXCEL]) == first
    everything = await printer.print(english)
    assert everything[-1] == first[0]
    assert await printer.print(english) == everything
    assert printed == [[Form.EXCEL], [Form.WORD, Form.PDF]]
    changed = material("en-GB", area="Otherwick")
    assert await printer.print(changed, [Form.EXCEL]) != first
    assert printed[2:] == [[Form.EXCEL]]


async def test_what_was_printed_is_forgotten_after_some_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.printing.KEPT_S", 0.0)
    printer = Printer()
    await printer.print(material("en-GB"), [Form.EXCEL])
    await asyncio.sleep(0.01)
    assert not printer._printed
