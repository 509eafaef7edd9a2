"""A report from what a store holds: what has been published and agreed, and nothing else.

It refuses as long as there is something in it that nobody has read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from bot.acts import operator_did
from bot.comparing import earlier_of
from bot.printing import NotPrinted
from bot.turns.turn import File
from bot.turns.visit import Service
from report.material import Material, Voice
from snapshot.acts import Did
from snapshot.advice import no_advice
from snapshot.closing import final_detail, final_summary
from snapshot.comments import are_read, printed, themes
from snapshot.findings import find
from snapshot.instrument import DomainId, Instrument
from snapshot.keeping import words_are_gone
from snapshot.opening import Running
from snapshot.plan import read_plan
from snapshot.session import find as find_session


class Missing(StrEnum):
    """Why there is no report yet."""

    CLOSE = "close"
    READING = "reading"
    WORDS = "words"


@dataclass(frozen=True)
class NoReport(Exception):
    missing: Missing


async def gather(service: Service, running: Running, language: str = "") -> Material:
    """Unless given, in the language of the channel. Raises `NoReport`."""
    snapshot, records = running.snapshot, service.records
    final = await final_summary(records, snapshot.id)
    if final is None or running.closed is None:
        raise NoReport(Missing.CLOSE)
    if await words_are_gone(running, records):
        raise NoReport(Missing.WORDS)
    if not await are_read(records, snapshot.id):
        raise NoReport(Missing.READING)
    pack = service.pack_for(language, snapshot.language)
    instrument = pack.instrument
    library = service.libraries.get(instrument.language) or no_advice(instrument)
    detail = await final_detail(records, snapshot.id)
    session = await find_session(running, records)
    agreed = session.agreed if session else {}
    earlier = await earlier_of(service, running, pack)
    return Material(
        snapshot,
        date.fromisoformat(running.closed),
        pack,
        library,
        final[0],
        detail,
        find(instrument, library, final[0], detail, agreed, earlier),
        await _voices(service, running, instrument),
        offered_comments=running.moderators is not None,
        earlier=earlier.when if earlier else "",
        plan=await read_plan(running, records, service.area(running)),
    )


def write(folder: Path, files: Iterable[File]) -> list[Path]:
    """Where they are, then. Raises `OSError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = []
    for file in files:
        written.append(folder / file.name)
        written[-1].write_bytes(file.content)
    return written


class CannotReport(Exception):
    """The message says why, to whoever runs the bot."""


_WHY = {
    Missing.CLOSE: "It has not closed yet, or its last answers are still being mixed.",
    Missing.READING: "A comment has not been read, or a concern has not been passed on. "
    "Moderators have to do that first.",
    Missing.WORDS: "Its comments and notes have been deleted (SNAPSHOT_NOTE_DAYS). "
    "Use the report that was made before.",
}


async def write_report(service: Service, snapshot: str, out: Path, language: str) -> list[Path]:
    """Each form into a folder; where they are. Raises `CannotReport`."""
    if language and language not in service.packs:
        known = ", ".join(sorted(service.packs))
        raise CannotReport(f"There is no language {language}. There are {known}.")
    running = await service.directory.find(snapshot, fresh=True)
    if running is None:
        raise CannotReport(f"There is no snapshot {snapshot}, or it is stopped.")
    try:
        material = await gather(service, running, language)
    except NoReport as error:
        raise CannotReport(f"There is no report of {snapshot}. {_WHY[error.missing]}") from None
    try:
        files = await service.printer.print(material)
        await operator_did(service, running, Did.MADE_REPORT)
        return await asyncio.to_thread(write, out, files)
    except NotPrinted:
        raise CannotReport("It could not be printed; there may be too little memory.") from None
    except OSError as error:
        raise CannotReport(f"{out} cannot be written to: {error.strerror}") from None


async def _voices(
    service: Service, running: Running, instrument: Instrument
) -> dict[DomainId, Voice]:
    """Words where there are enough of them, and otherwise what moderators say of them."""
    comments = await printed(running, service.records)
    said = await themes(service.records, running.snapshot.id)
    few = instrument.comments.quotes_from
    return {
        domain: Voice(
            tuple(c.text for c in found) if len(found) >= few else (),
            said.get(domain, ""),
            is_heard=True,
        )
        for domain, found in comments.items()
    }
