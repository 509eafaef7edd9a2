"""Who may call us."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from bot.teams.activity import CHANNEL
from bot.teams.hosts import is_loopback


class NotAllowed(Exception):
    """The caller is not Teams, or not for us; it is answered with 401 and nothing runs."""


class Callers(Protocol):
    async def verify(self, headers: Mapping[str, str], body: Mapping[str, Any]) -> None:
        """Raises `NotAllowed`."""


class LocalCallers:
    """For one machine: no token, but nothing from outside it either.

    A web page that is open in a browser here must not be able to act as somebody: it cannot
    send JSON without asking first, nor hide that it spoke to another host's name.
    """

    async def verify(self, headers: Mapping[str, str], body: Mapping[str, Any]) -> None:
        if headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
            raise NotAllowed
        if not is_loopback(f"//{headers.get('Host', '')}"):
            raise NotAllowed
        if not is_loopback(str(body.get("serviceUrl", ""))) or body.get("channelId") != CHANNEL:
            raise NotAllowed
