"""What an operator does with leads: `python -m bot leads import`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.turns.visit import Service, takes_answers
from cards.leads import say_refused, say_row
from snapshot.lead_lists import parse_csv
from snapshot.leads import add

type Told = Callable[[int, int], None]
"""Hears how many more rows have been seen to, and of how many."""

MOST_BYTES = 2 * 1024 * 1024


class CannotImport(Exception):
    """The message says why, and holds nothing of the file."""


@dataclass(frozen=True, slots=True)
class Import:
    """`taken` and `refused` are lines for whoever has the file, with names in them."""

    taken: list[str]
    refused: list[str]
    new: int
    known: int


async def import_leads(service: Service, file: Path, snapshot: str, told: Told) -> Import:
    """Add the leads of a CSV file to a snapshot, or to the only one that is open.

    Raises `CannotImport`.
    """
    raw = _read(file)
    found = [r for r in await service.directory.all(fresh=True) if takes_answers(service, r)]
    fitting = [r for r in found if snapshot in ("", r.snapshot.id)]
    if not fitting:
        raise CannotImport(f"No snapshot {snapshot} is open." if snapshot else "None is open.")
    if len(fitting) > 1:
        ids = "\n".join(f"  --snapshot {r.snapshot.id}" for r in fitting)
        raise CannotImport(f"More than one snapshot is open. Say which:\n{ids}")
    (running,) = fitting
    parsed = parse_csv(raw)
    told(0, len(parsed.rows))
    added = await add(
        running, service.records, parsed.rows, lambda more: told(more, len(parsed.rows))
    )
    kept, page = parsed.without(added.over), service.page(running, "en-GB")
    return Import(
        [say_row(page, row) for row in kept.rows],
        [say_refused(page, refused) for refused in kept.refused],
        added.new,
        added.known,
    )


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            raw = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise CannotImport(f"{file} cannot be read: {error.strerror}") from None
    if len(raw) > MOST_BYTES:
        raise CannotImport(f"{file} is larger than 2 MB.")
    return raw
