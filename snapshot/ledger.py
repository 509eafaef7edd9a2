"""Messages that nobody asked for: one entry for each message and recipient.

due -> claimed -> sent | deferred | unreachable | dropped | done. Whoever sends claims first, by
compare-and-set, and a claim runs out: so no message is lost when a process dies, and at worst one
is sent again whose acknowledgement was lost.

A head alone tells what may be taken. What is due may be at once, whatever a clock says; its `group`
is the instant of its note. Of the others it is the instant from which (claimed: when the claim runs
out; deferred: until when). A body holds nothing about a person, but for what is sealed in it until
the message ends.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from snapshot.ports import Changed, Exists, Kind, Missing, Record, Records, SnapshotId
from snapshot.publication import Topic

CHANNEL, MODERATORS = "channel", "moderators"
CHANNELS = (CHANNEL, MODERATORS)
"""The recipients that are no person. What goes to one keeps its order: see `is_to_channel`."""

PAGE = 100
"""So many are looked at in one go, however many wait: whole records, which a busy store must still
find and send within the time of one request.
"""

_FIRST = 10


class MessageState(StrEnum):
    DUE = "due"
    CLAIMED = "claimed"
    """Somebody is sending it; when the claim has run out, they are taken to be dead."""
    DEFERRED = "deferred"
    """Tried, and to be tried again."""
    SENT = "sent"
    UNREACHABLE = "unreachable"
    """Teams refused it for good; `why` says how."""
    DROPPED = "dropped"
    """No longer needed."""
    DONE = "done"
    """Any of these three: of a practitioner, nobody is to read which (`tells_nothing`)."""


OPEN = (MessageState.DUE, MessageState.DEFERRED, MessageState.CLAIMED)
"""What will still be taken, now or later."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message to one recipient, as it was last read or written."""

    record: Record

    @property
    def what(self) -> str:
        """Which message: "leads-opening", "unfinished-last-2026-03-20", "post-final"."""
        return self.record.id.rpartition(".")[0]

    @property
    def recipient(self) -> str:
        """A lead's id, an envelope's tag, or one of `CHANNELS`."""
        return recipient_of(self.record.id)

    @property
    def state(self) -> str:
        return self.record.state

    @property
    def tries(self) -> int:
        """How often Teams did not take it."""
        return int(self.record.body.get("tries", 0))

    @property
    def why(self) -> str:
        """What Teams said last: a status, with a label where there is one."""
        return str(self.record.body.get("why", ""))

    @property
    def sealed(self) -> str:
        """As it was noted, as long as the message has not ended; empty: nothing was."""
        return str(self.record.body.get("sealed", ""))


def id_of(what: str, recipient: str) -> str:
    """Raises `ValueError` for a recipient with a dot in it: the last dot parts the two."""
    if "." in recipient or not recipient:
        raise ValueError("a recipient is a word without a dot")
    return f"{what}.{recipient}"


def recipient_of(id: str) -> str:
    return id.rpartition(".")[2]


def is_to_channel(id: str) -> bool:
    """Posts are taken one after the other by whoever knows their order, not by `takeable`."""
    return recipient_of(id) in CHANNELS


def tells_nothing(id: str) -> bool:
    """To practitioners: noted of all who have begun, and what came of it is the same for all.

    Otherwise it would tell who wants no reminders, which nothing else in the store does.
    """
    return id.startswith(f"{Topic.UNFINISHED}-")


async def note(
    records: Records,
    snapshot: SnapshotId,
    what: str,
    recipient: str,
    at: datetime,
    sealed: str = "",
) -> bool:
    """Note that a message is due, and when that was; False if it has been noted before.

    `sealed` is what is needed to send it and stands nowhere else.
    """
    record = Record(
        snapshot,
        Kind.MESSAGE,
        id_of(what, recipient),
        _body(0, "", sealed),
        state=MessageState.DUE,
        group=_from(at.replace(microsecond=0)),  # what is due now may be taken now
    )
    try:
        await records.create(record)
    except Exists:
        return False
    return True


async def find(records: Records, snapshot: SnapshotId, id: str) -> Entry | None:
    try:
        return Entry(await records.read(snapshot, Kind.MESSAGE, id))
    except Missing:
        return None


async def takeable(records: Records, snapshot: SnapshotId, now: datetime) -> list[Entry]:
    """Messages to people that may be taken now, those that have waited longest first.

    At most `PAGE` of each state. Whoever takes them asks again, until there are none.
    """
    found: list[Entry] = []
    for state in OPEN:
        page = await records.first(snapshot, Kind.MESSAGE, state, PAGE)
        found += [Entry(r) for r in page if _may_be_taken(r, now) and not is_to_channel(r.id)]
    return found


async def how_far(records: Records, snapshot: SnapshotId, what: str) -> Counter[str]:
    """How many are in each state. Only ever asked of messages to leads."""
    heads = await records.heads(snapshot, Kind.MESSAGE)
    return Counter(head.state for head in heads if head.id.rpartition(".")[0] == what)


async def next_at(records: Records, snapshot: SnapshotId) -> datetime | None:
    """When the next message may be taken, perhaps long ago; None: none is open."""
    # More than one, since those that somebody has broken may come first.
    first = [await records.first(snapshot, Kind.MESSAGE, state, _FIRST) for state in OPEN]
    instants = [instant for page in first for r in page if (instant := _instant(r.group))]
    return min(instants, default=None)


async def claim(records: Records, entry: Entry, now: datetime, for_s: float) -> Entry | None:
    """Take a message for some seconds; None: it may not be taken now, or somebody else has."""
    if not _may_be_taken(entry.record, now):
        return None
    until = now + timedelta(seconds=for_s)
    return await _move(records, entry, MessageState.CLAIMED, entry.record.body, until)


async def settle(records: Records, entry: Entry, outcome: MessageState, why: str = "") -> bool:
    """Note what came of a claimed message, for good: sent, unreachable (`why`) or dropped.

    False: the claim had run out and somebody else has taken it. Raises `ValueError` for a state
    in which it would be taken again.
    """
    if outcome in OPEN:
        raise ValueError(f"{outcome} is not how a message ends")
    body = _body(entry.tries, why or entry.why)
    if tells_nothing(entry.record.id):
        outcome, body = MessageState.DONE, _body(0, "")
    return await _move(records, entry, outcome, body, None) is not None


async def defer(records: Records, entry: Entry, until: datetime, tries: int, why: str = "") -> bool:
    """Give a claimed message back, to be taken from a later time on. False: as for `settle`."""
    body = _body(tries, why or entry.why, entry.sealed)
    return await _move(records, entry, MessageState.DEFERRED, body, until) is not None


async def release(records: Records, entry: Entry, now: datetime) -> bool:
    """Give a claimed message back as if it had not been taken. False: as for `settle`."""
    return await _move(records, entry, MessageState.DUE, entry.record.body, now) is not None


async def revive(records: Records, snapshot: SnapshotId, recipient: str, now: datetime) -> int:
    """Somebody who could not be reached has talked to the bot: what they missed is due again.

    How many messages that are. Whether each is still wanted is asked before it is sent.
    """
    heads = await records.heads(snapshot, Kind.MESSAGE, MessageState.UNREACHABLE)
    revived = 0
    for head in heads:
        if recipient_of(head.id) != recipient or not (
            entry := await find(records, snapshot, head.id)
        ):
            continue
        if entry.state == MessageState.UNREACHABLE:
            revived += await release(records, entry, now)
    return revived


async def _move(
    records: Records,
    entry: Entry,
    state: MessageState,
    body: Any,
    at: datetime | None,
) -> Entry | None:
    """None if somebody else has changed it."""
    record = replace(entry.record, state=state, body=body, group=_from(at) if at else "")
    try:
        return Entry(await records.replace(record))
    except Changed:
        return None


def _body(tries: int, why: str, sealed: str = "") -> dict[str, Any]:
    return {"tries": tries, "why": why, **({"sealed": sealed} if sealed else {})}


def _may_be_taken(record: Record, now: datetime) -> bool:
    instant = _instant(record.group)
    if record.state == MessageState.DUE:
        return instant is not None
    return record.state in OPEN and instant is not None and instant <= now


def _from(at: datetime) -> str:
    """Whole seconds, never early."""
    second = at.astimezone(UTC) + timedelta(seconds=1, microseconds=-1)
    return f"{second.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def _instant(group: str) -> datetime | None:
    """None for what somebody has broken in the store: it is never taken."""
    try:
        instant = datetime.fromisoformat(group)
    except ValueError:
        return None
    return instant if instant.tzinfo else None
