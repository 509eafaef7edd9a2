"""What facilitators, moderators and the operator have done: a log that is only ever added to.

Never what practitioners do, nor what partners rate. Each entry is sealed under the service's key
for its own number, so that whoever writes to the database can neither change, move nor make one;
one that was taken out leaves a gap, unless it was the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from snapshot.attempts import Attempts
from snapshot.errors import Damaged
from snapshot.opening import Running
from snapshot.ports import Exists, Kind, Record, Records
from snapshot.sealing import ACT_BYTES, Person

SAME_WITHIN = timedelta(minutes=1)
"""Teams may deliver a tap twice: the same again so soon is not noted again."""

_NOTED = "noted"
_MOST = 99_999_999
_DIGITS = len(str(_MOST))


class Role(StrEnum):
    FACILITATOR = "facilitator"
    MODERATOR = "moderator"
    OPERATOR = "operator"
    """At the command line, of whom the bot knows no more."""


class Did(StrEnum):
    OPENED = "opened"
    EXTENDED = "extended"
    CORRECTED = "corrected"
    """The contacts."""
    CLOSED = "closed"
    ADDED_LEADS = "added-leads"
    SAW_LEADS = "saw-leads"
    """The addresses of those to be e-mailed, on a card or as a file."""
    ERASED_LEAD = "erased-lead"
    STARTED_SESSION = "started-session"
    REVEALED = "revealed"
    RATED_AGAIN = "rated-again"
    AGREED = "agreed"
    DISSENT = "dissent"
    PAUSED_SESSION = "paused-session"
    SAVED_ACTION = "saved-action"
    TOOK_OFF_ACTION = "took-off-action"
    MADE_REPORT = "made-report"
    TOOK_REPORT = "took-report"
    SHARED_REPORT = "shared-report"
    REGISTERED = "registered"
    """The moderators' channel."""
    DECIDED = "decided"
    PASSED_ON = "passed-on"
    WROTE_THEME = "wrote-theme"
    DESTROYED_KEY = "destroyed-key"


@dataclass(frozen=True, slots=True)
class Act:
    """`about`: which one, by an id or a number; never anybody's words. `at` is in UTC."""

    at: datetime
    role: Role
    did: Did
    about: str = ""
    person: Person | None = None

    def is_same(self, earlier: Act) -> bool:
        return replace(self, at=earlier.at) == earlier and self.at - earlier.at < SAME_WITHIN


@dataclass(frozen=True, slots=True)
class Line:
    """One number of the log. `act` None: it is missing, or cannot be read."""

    number: int
    act: Act | None
    is_missing: bool = False


async def append(running: Running, records: Records, act: Act) -> None:
    """Note an act after all that were noted before."""
    attempts = Attempts()
    while True:
        attempts.begin()
        last = await records.first(running.snapshot.id, Kind.ACT, _NOTED, 1)
        if last and _is_same(running, last[0], act):
            return
        number = int(last[0].id) + 1 if last else 1
        with suppress(Exists):  # somebody else has done something in this moment
            await records.create(_record(running, number, act))
            return


async def read_log(running: Running, records: Records) -> Sequence[Line]:
    """All of it in order, with what is missing in between."""
    found = {int(r.id): r for r in await records.read_all(running.snapshot.id, Kind.ACT)}
    return [
        _line(running, number, found.get(number)) for number in range(1, max(found, default=0) + 1)
    ]


def _line(running: Running, number: int, record: Record | None) -> Line:
    if record is None:
        return Line(number, None, is_missing=True)
    try:
        return Line(number, _opened(running, record))
    except Damaged:
        return Line(number, None)


def _is_same(running: Running, record: Record, act: Act) -> bool:
    try:
        return act.is_same(_opened(running, record))
    except Damaged:
        return False


def _record(running: Running, number: int, act: Act) -> Record:
    """The newest comes first, by its group."""
    snapshot, id = running.snapshot.id, f"{number:0{_DIGITS}}"
    written = {**asdict(act), "at": act.at.astimezone(UTC).isoformat(timespec="seconds")}
    sealed = running.service.seal(written, "act", snapshot, id, size=ACT_BYTES)
    newest_first = f"{_MOST - number:0{_DIGITS}}"
    return Record(snapshot, Kind.ACT, id, {"sealed": sealed}, state=_NOTED, group=newest_first)


def _opened(running: Running, record: Record) -> Act:
    sealed = record.body.get("sealed", "")
    written: dict[str, Any] = running.service.open(sealed, "act", record.snapshot, record.id)
    person = written["person"] and Person(**written["person"])
    return Act(
        datetime.fromisoformat(written["at"]),
        Role(written["role"]),
        Did(written["did"]),
        written["about"],
        person,
    )
