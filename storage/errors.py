"""What opening a store may raise, whichever store it is."""

from __future__ import annotations

from snapshot.ports import RecordsError


class Unusable(Exception):
    """The store cannot be used as it is; the message says why, and what to do."""


class NewerDatabase(Unusable):
    """The store was written by a newer version of this program."""


class Refused(RecordsError):
    """The store turned a call down, and would do so again: rights, or a size that it cannot take.

    The message says which kind of refusal, never what was sent.
    """
