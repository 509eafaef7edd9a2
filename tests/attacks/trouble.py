"""What befalls a store under a bot that uses it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Protocol


class Trouble(StrEnum):
    AWAY = "away"
    """No verb is answered."""
    READ_ONLY = "read only"
    """Nothing that is written arrives."""
    CHANGED = "changed"
    """Whoever writes is always told that somebody else was faster."""


class Reached(Protocol):
    @property
    def environment(self) -> Mapping[str, str]:
        """The settings with which a bot uses the store."""

    def fails(self, how: Trouble) -> AbstractContextManager[None]:
        """As long as this lasts."""
