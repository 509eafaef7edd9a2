"""Reading, changing and writing again where somebody else came between: often, and not for ever."""

from __future__ import annotations

from snapshot.ports import Unavailable

MOST = 100
"""Sixty people who change the same record at once need no more than sixty each."""


class Attempts:
    """`begin` stands where an attempt does, and raises `Unavailable` instead of one too many.

    A store that says "changed" for ever is as good as one that does not answer.
    """

    def __init__(self) -> None:
        self._made = 0

    def begin(self) -> None:
        if self._made == MOST:
            raise Unavailable("changed by others again and again")
        self._made += 1
