"""What the core raises. Each error carries facts as attributes, never an answer or a name."""

from __future__ import annotations


class SnapshotError(Exception):
    """Root of the errors of the core."""


class NotOffered(SnapshotError):
    """Somebody chose what no card offers them now. Nothing has changed."""


class NotComplete(SnapshotError):
    """A ballot can be sent only once every statement has an answer."""


class NotOpen(SnapshotError):
    """The envelope takes no more answers. `state` says why."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


class Overtaken(SnapshotError):
    """Somebody else has changed it since it was looked at. Nothing has changed."""


class Full(SnapshotError):
    """There are as many as there can be."""


class NotLater(SnapshotError):
    """A deadline can only move to a later time."""


class Busy(SnapshotError):
    """Others kept changing the same record; the caller may try again."""


class Damaged(SnapshotError):
    """A sealed value does not open under this key and context."""


class TooLong(SnapshotError):
    """A value does not fit into the constant size of its seal."""


class WrongKey(SnapshotError):
    """The key at hand is not the one that this snapshot was opened with."""


class Tampered(SnapshotError):
    """Settings that were frozen at opening are no longer those that were sealed then."""


class OtherInstrument(SnapshotError):
    """The pack at hand is not the version that this snapshot was opened with."""


class EmptyPlaceholder(SnapshotError):
    """A text cannot be shown because one of its placeholders has no value."""

    def __init__(self, text: str, placeholder: str) -> None:
        super().__init__(f"{text}: nothing to put in place of {{{placeholder}}}")
        self.text = text
        self.placeholder = placeholder
