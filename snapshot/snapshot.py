"""One area's run of the exercise, as it was frozen at opening."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NewType, Self

from snapshot.instrument import OTHER_AGENCIES, AgencyId
from snapshot.ports import SnapshotId

CellId = NewType("CellId", str)

OTHER = CellId(OTHER_AGENCIES)
"""The cell of the agencies that are too small for one of their own."""


class Phase(StrEnum):
    OPEN = "open"
    CLOSING = "closing"
    """Takes no more answers; what was sent is being mixed."""
    CLOSED = "closed"


class Mixing(StrEnum):
    """When sealed answers are mixed; at the close in any case."""

    WEEKLY = "weekly"
    EVERY_3_DAYS = "every_3_days"
    DAILY = "daily"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Cell:
    """The coarse label that an answer may carry, and how many people it stands for.

    `named` is the agency that gives the combined cell its name; None: "Other agencies".
    """

    id: CellId
    agencies: tuple[AgencyId, ...]
    headcount: int
    named: AgencyId | None = None


@dataclass(frozen=True, slots=True)
class Contacts:
    """Whom people can turn to. Each of these stands on a card that somebody may need."""

    front_door_name: str
    front_door_phone: str
    front_door_hours: str
    out_of_hours_phone: str
    allegations_contact: str
    staff_support: str
    safeguarding_name: str
    safeguarding_email: str
    contact_email: str
    data_controller: str
    privacy_url: str


@dataclass(frozen=True, slots=True)
class Extension:
    """The deadline was moved; `reason` is what everyone is told."""

    old_deadline: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Correction:
    """The contacts were wrong, or somebody else has taken over: what they were until then."""

    old: Contacts


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`deadline` and `opened` know their time zone; `tenants` may take part.

    On `quiet` days, such as school holidays, nobody is reminded; all else goes on.
    A sample snapshot holds made-up answers and is open to whoever runs the bot on a desk.
    """

    id: SnapshotId
    area: str
    partnership_name: str
    nation: str
    language: str
    tenants: tuple[str, ...]
    instrument: str
    instrument_version: str
    cells: tuple[Cell, ...]
    k: int
    mixing: Mixing
    opened: datetime
    deadline: datetime
    timezone: str
    report_month: str
    contacts: Contacts
    sample: bool = False
    extensions: tuple[Extension, ...] = ()
    corrections: tuple[Correction, ...] = ()
    quiet: tuple[date, ...] = ()

    def is_for(self, tenant: str) -> bool:
        return self.sample or tenant in self.tenants

    def cell_of(self, agency: str) -> Cell | None:
        """The cell of an agency that is on offer, or None."""
        return next((c for c in self.cells if agency in c.agencies), None)

    @property
    def headcounts(self) -> dict[CellId, int]:
        return {c.id: c.headcount for c in self.cells}

    def as_json(self) -> dict[str, Any]:
        """As it comes back from a store: lists, not tuples."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=_in_words))
        return plain

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`, also of one from before some of these could be told."""
        value = {"extensions": (), "corrections": (), "quiet": (), **value}
        known = {field.name: value[field.name] for field in fields(cls)}
        return cls(
            **known
            | {
                "opened": datetime.fromisoformat(value["opened"]),
                "deadline": datetime.fromisoformat(value["deadline"]),
                "tenants": tuple(value["tenants"]),
                "cells": tuple(_cell(c) for c in value["cells"]),
                "mixing": Mixing(value["mixing"]),
                "contacts": Contacts(**value["contacts"]),
                "extensions": tuple(
                    Extension(datetime.fromisoformat(e["old_deadline"]), e["reason"])
                    for e in value["extensions"]
                ),
                "corrections": tuple(
                    Correction(Contacts(**c["old"])) for c in value["corrections"]
                ),
                "quiet": tuple(date.fromisoformat(day) for day in value["quiet"]),
            }
        )


def _in_words(value: object) -> str:
    if not isinstance(value, date):  # a datetime is one too
        raise TypeError(f"{type(value).__name__} does not go into JSON")
    return value.isoformat()


def _cell(value: Mapping[str, Any]) -> Cell:
    return Cell(**{**value, "agencies": tuple(value["agencies"])})


def form_cells(
    headcounts: Mapping[AgencyId, int], *, k: int, reply_share: float
) -> tuple[Cell, ...]:
    """Cells for the headcounts of an opening, fixed for good before anybody answers.

    An agency stands alone when at least `k` of its people are likely to answer (`reply_share`
    of them). The smaller ones are combined; if even together they are too few, the smallest
    agency that could stand alone joins them and lends them its name. An agency with nobody
    in it is in no cell.
    """
    floor = math.ceil(k / reply_share)
    alone = {a: n for a, n in headcounts.items() if n >= floor}
    small = {a: n for a, n in headcounts.items() if 0 < n < floor}
    named = None
    if small and sum(small.values()) < floor and alone:
        named = min(alone, key=lambda a: (alone[a], a))
        small[named] = alone.pop(named)
    cells = [Cell(CellId(a), (a,), n) for a, n in sorted(alone.items())]
    if small:
        cells.append(Cell(OTHER, tuple(sorted(small)), sum(small.values()), named))
    return tuple(cells)
