"""The action plan: what partners will do about what was found, who does it, and by when.

It belongs to an area and not to a snapshot, so that the next one finds it as it stands. It is kept
apart from whatever people answered: in a partition of its own, sealed under the service's key.

Each action is a record of its own, and whoever changes one says which revision they saw: of two
at once, one is told. Of one that was taken off the plan the words go and the revision stays, so
that a late copy of a tap does not bring it back.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Self

from snapshot.advice import Library
from snapshot.attempts import Attempts
from snapshot.errors import Full, NotOffered, Overtaken
from snapshot.findings import Recommended
from snapshot.opening import Running
from snapshot.ports import (
    Changed,
    Exists,
    Kind,
    Missing,
    Record,
    Records,
    SnapshotId,
    Unavailable,
)
from snapshot.snapshot import Snapshot

MOST_ACTIONS = 100
"""Of an area."""

MOST = {"title": 300, "owner": 120, "check": 500, "note": 2_000}
"""Characters."""


class Status(StrEnum):
    NOT_STARTED = "not_started"
    UNDER_WAY = "under_way"
    DONE = "done"
    DROPPED = "dropped"


class _Kept(StrEnum):
    """The state of a record."""

    ON = "on"
    OFF = "off"


OPEN = frozenset({Status.NOT_STARTED, Status.UNDER_WAY})


@dataclass(frozen=True, slots=True)
class Action:
    """What is to be done. `agency` is a body of the library, or empty.

    `snapshot`: in which it came onto the plan, and `since` when. `about`, `because`: what was
    recommended, and why, as in `Recommended`; empty for an action of the facilitators' own.
    `revision` counts its changes; 0: it is not kept yet. One that was taken off has no title.
    """

    id: str
    snapshot: SnapshotId
    since: date
    title: str = ""
    owner: str = ""
    agency: str = ""
    due: date | None = None
    check: str = ""
    status: Status = Status.NOT_STARTED
    note: str = ""
    about: str = ""
    because: str = ""
    revision: int = 0
    etag: str = field(default="", compare=False)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_off(self) -> bool:
        return self.revision > 0 and not self.title

    def is_overdue(self, today: date) -> bool:
        return self.is_open and self.due is not None and self.due < today

    def as_json(self) -> dict[str, Any]:
        days = {"since": self.since.isoformat(), "due": self.due and self.due.isoformat()}
        return {name: v for name, v in {**asdict(self), **days}.items() if name != "etag"}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `as_json`."""
        due = value["due"] and date.fromisoformat(value["due"])
        since, status = date.fromisoformat(value["since"]), Status(value["status"])
        return cls(**{**value, "since": since, "due": due, "status": status})


@dataclass(frozen=True, slots=True)
class Plan:
    """`here`: what came onto the plan in a snapshot, and `earlier` in others of the area.

    Both begin with what is still open, the next due first.
    """

    here: tuple[Action, ...] = ()
    earlier: tuple[Action, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        return (*self.here, *self.earlier)


# -- pure -----------------------------------------------------------------------------------------


def plan_of(actions: Iterable[Action], snapshot: SnapshotId) -> Plan:
    """The plan as it is shown with a snapshot."""
    found = sorted((a for a in actions if not a.is_off), key=_order)
    return Plan(
        tuple(a for a in found if a.snapshot == snapshot),
        tuple(a for a in found if a.snapshot != snapshot),
    )


def _order(action: Action) -> tuple[bool, date, str, str]:
    return not action.is_open, action.due or date.max, action.title, action.id


def not_picked(recommended: Sequence[Recommended], plan: Plan) -> tuple[Recommended, ...]:
    """Those that are not on the plan: neither from this snapshot, nor still open from others."""
    known = {(a.about, a.because) for a in plan.actions if a in plan.here or a.is_open}
    return tuple(r for r in recommended if (r.about, r.because) not in known)


def suggested(empty: Action, recommended: Recommended, library: Library) -> Action:
    """An action as the library words it, for the facilitator to change."""
    found = recommended.recommendation
    days = timedelta(days=library.timescales[found.timescale].days)
    return replace(
        empty,
        title=found.text,
        agency=found.lead,
        due=empty.since + days,
        check=found.check,
        about=recommended.about,
        because=recommended.because,
    )


def area_of(running: Running, tenant: str) -> SnapshotId:
    """The partition of an area's plan; nobody can tell from it which area that is.

    `tenant`: of the facilitators' channel, since two partnerships may call their areas alike. All
    sample snapshots of an area share one, which is no real one's.
    """
    snapshot = running.snapshot
    whose = ("sample", "") if snapshot.sample else ("area", tenant)
    return SnapshotId(f"area-{running.service.name('area', *whose, _folded(snapshot))}")


def _folded(snapshot: Snapshot) -> str:
    """The name of the area without capitals and accents, which people do not type alike."""
    plain = unicodedata.normalize("NFKD", snapshot.area)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).casefold().split())


def id_for(running: Running, area: SnapshotId, about: str, because: str) -> str:
    """So that a recommendation that is picked twice comes onto the plan once."""
    return running.service.name("action", area, running.snapshot.id, about, because)


# -- what is kept ---------------------------------------------------------------------------------


async def read_plan(running: Running, records: Records, area: SnapshotId) -> Plan:
    """As it is shown with this snapshot. Raises `Damaged`."""
    found = await records.read_all(area, Kind.ACTION)
    return plan_of((_opened(running, record) for record in found), running.snapshot.id)


async def find(running: Running, records: Records, area: SnapshotId, id: str) -> Action | None:
    """Also one that was taken off. Raises `Damaged`."""
    try:
        return _opened(running, await records.read(area, Kind.ACTION, id))
    except Missing:
        return None


async def save(running: Running, records: Records, area: SnapshotId, action: Action) -> Action:
    """Keep an action, whose revision is the one that was looked at.

    The same again changes nothing. Raises `Overtaken`; `NotOffered` for one without a title and
    for words that are too long; `Full`.
    """
    _check(action)
    wanted = replace(action, revision=action.revision + 1)
    attempts = Attempts()
    while True:
        attempts.begin()
        known = await find(running, records, area, action.id)
        if known and known in (wanted, action):
            return known
        if (known.revision if known else 0) != action.revision:
            raise Overtaken
        if (known is None or known.is_off) and await _is_full(records, area):
            raise Full
        with suppress(Changed, Exists):
            etag = known.etag if known else ""
            return await _write(running, records, area, replace(wanted, etag=etag))


async def take_off(
    running: Running, records: Records, area: SnapshotId, id: str, revision: int
) -> None:
    """Forget the words of an action. Raises `Overtaken`, and `NotOffered` for an unknown one."""
    attempts = Attempts()
    while True:
        attempts.begin()
        known = await find(running, records, area, id)
        if known is None:
            raise NotOffered
        if known.is_off:
            return
        if known.revision != revision:
            raise Overtaken
        off = Action(
            id,
            known.snapshot,
            known.since,
            about=known.about,
            because=known.because,
            revision=revision + 1,
            etag=known.etag,
        )
        with suppress(Changed):
            await _write(running, records, area, off)
            break
    with suppress(Unavailable):  # the next time will do
        await records.forget()


# -- inside ---------------------------------------------------------------------------------------


def _check(action: Action) -> None:
    too_long = any(len(getattr(action, name)) > most for name, most in MOST.items())
    if too_long or not action.title.strip():
        raise NotOffered


async def _is_full(records: Records, area: SnapshotId) -> bool:
    return len(await records.heads(area, Kind.ACTION, _Kept.ON)) >= MOST_ACTIONS


async def _write(running: Running, records: Records, area: SnapshotId, action: Action) -> Action:
    """Raises `Changed`, `Exists`."""
    state = _Kept.OFF if action.is_off else _Kept.ON
    body = {"sealed": running.service.seal(action.as_json(), "action", area, action.id)}
    record = Record(area, Kind.ACTION, action.id, body, state=state, etag=action.etag)
    write = records.replace if action.etag else records.create
    return replace(action, etag=(await write(record)).etag)


def _opened(running: Running, record: Record) -> Action:
    sealed = record.body.get("sealed", "")
    written = running.service.open(sealed, "action", record.snapshot, record.id)
    return replace(Action.from_json(written), etag=record.etag)
