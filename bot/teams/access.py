"""Whom we may call with whose word: a token goes to Teams alone."""

from __future__ import annotations

from typing import Protocol

from bot.teams.hosts import is_loopback


class NoAccess(Exception):
    """That address may not be called, or there is no token for it now.

    `wait_s`: after how long there may be one; None: never for this address.
    """

    def __init__(self, wait_s: float | None = None) -> None:
        super().__init__()
        self.wait_s = wait_s


class Access(Protocol):
    async def token(self, url: str) -> str:
        """What a call of this address has to show; empty: nothing. Raises `NoAccess`."""

    def refused(self) -> None:
        """It was not taken."""


class LocalAccess:
    """This machine, to which nothing has to be shown."""

    async def token(self, url: str) -> str:
        if not is_loopback(url):
            raise NoAccess
        return ""

    def refused(self) -> None:
        pass
