"""One person's sealed record, and what may happen to it.

The place in the survey is worked out from the ballot each time; nothing stores it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from snapshot.errors import NotComplete, NotOffered, NotOpen
from snapshot.instrument import DomainId, Instrument, OptionId, Statement, StatementId
from snapshot.sealing import Tag
from snapshot.snapshot import CellId


class State(StrEnum):
    OPEN = "open"
    SUBMITTED = "submitted"
    MIXING = "mixing"
    """Claimed by a mix that has not finished; to its owner the same as submitted."""
    RELEASED = "released"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    """Not sent before the close: deleted unread."""
    WITHHELD = "withheld"
    """Sent, but too few people answered in all: deleted unread."""
    DAMAGED = "damaged"
    """Sent, but what is sealed cannot be read, or is not a ballot that counts."""


SEALED = frozenset({State.OPEN, State.SUBMITTED, State.MIXING})
"""The states in which an envelope holds a sealed ballot that is to be opened."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """What stands inside the seal.

    `revision` counts the changes. A button that overwrites an answer or comments carries the
    revision that it was made for, so a late copy of an earlier tap changes nothing.
    `comments` is None until the card for them has been saved, whether or not with words.
    """

    cell: CellId
    answers: Mapping[StatementId, OptionId] = field(default_factory=dict)
    sent: bool = False
    revision: int = 0
    comments: Mapping[DomainId, str] | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "cell": self.cell,
            "answers": dict(self.answers),
            "sent": self.sent,
            "revision": self.revision,
            "comments": None if self.comments is None else dict(self.comments),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`, also of one from before there were comments.

        Raises KeyError, TypeError or ValueError for anything else.
        """
        comments = value.get("comments")
        return cls(
            cell=value["cell"],
            answers=dict(value["answers"]),
            sent=bool(value["sent"]),
            revision=int(value["revision"]),
            comments=None if comments is None else dict(comments),
        )

    def fits(self, instrument: Instrument) -> bool:
        """Whether it answers every statement of the instrument, and nothing else."""
        return (
            {s.id for s in instrument.statements} == set(self.answers)
            and all(instrument.option(option) for option in self.answers.values())
            and {d.id for d in instrument.domains} >= set(self.comments or ())
        )


def largest_ballot(instrument: Instrument) -> Ballot:
    """One that takes as much room in its seal as any ballot of this instrument can."""
    longest = max((o.id for o in instrument.practice.options), key=len)
    cell = max((a.id for a in instrument.agencies), key=len)
    return Ballot(
        CellId(cell),
        {s.id: longest for s in instrument.statements},
        revision=10**9,
        comments={d.id: "x" * (instrument.comments.max_bytes - 2) for d in instrument.domains},
    )


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach a person, sealed apart from the ballot: a reminder need not open answers.

    `quiet`: they want no more reminders.
    """

    tenant: str
    object_id: str
    address: Mapping[str, str]
    language: str
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Envelope:
    """`ballot` is None once there is nothing sealed any more; `contact` likewise."""

    tag: Tag
    state: State
    ballot: Ballot | None
    contact: str | None
    etag: str = ""

    def begun_in(self, cell: CellId) -> Envelope:
        """Choose another agency. Raises `NotOffered` once there are answers for this one."""
        ballot = self._draft()
        if ballot.cell == cell:
            return self
        if ballot.answers:
            raise NotOffered
        return replace(self, ballot=replace(ballot, cell=cell))

    def answered(self, statement: StatementId, option: OptionId, revision: int) -> Envelope:
        """Raises `NotOffered` when another answer was given since the button was made."""
        ballot = self._draft()
        given = ballot.answers.get(statement)
        if given == option:
            return self
        if given is not None and revision != ballot.revision:
            raise NotOffered
        answers = {**ballot.answers, statement: option}
        return replace(self, ballot=replace(ballot, answers=answers, revision=ballot.revision + 1))

    def commented(self, comments: Mapping[DomainId, str], revision: int) -> Envelope:
        """Raises `NotOffered` when others were saved since the card was made."""
        ballot = self._draft()
        if ballot.comments == comments:
            return self
        if ballot.comments is not None and revision != ballot.revision:
            raise NotOffered
        return replace(
            self, ballot=replace(ballot, comments=comments, revision=ballot.revision + 1)
        )

    def submitted(self, instrument: Instrument) -> Envelope:
        """Raises `NotComplete`. Sending what has been sent changes nothing."""
        if self.state in (State.SUBMITTED, State.MIXING):
            return self
        ballot = self._draft()
        if not ballot.fits(instrument):
            raise NotComplete
        return replace(self, state=State.SUBMITTED, ballot=replace(ballot, sent=True))

    def withdrawn(self) -> Envelope:
        """Raises `NotOpen` once the answers have been mixed, or are being mixed."""
        if self.state is State.WITHDRAWN:
            return self
        if self.state not in (State.OPEN, State.SUBMITTED):
            raise NotOpen(self.state)
        return self.emptied(State.WITHDRAWN)

    def emptied(self, state: State) -> Envelope:
        """Drop what is sealed for good, and keep only that there was an envelope."""
        return replace(self, state=state, ballot=None, contact=None)

    def _draft(self) -> Ballot:
        if self.state is not State.OPEN or self.ballot is None:
            raise NotOpen(self.state)
        return self.ballot


def next_statement(instrument: Instrument, ballot: Ballot) -> Statement | None:
    """The first statement without an answer, or None when all have one."""
    return next((s for s in instrument.statements if s.id not in ballot.answers), None)
