"""Which group of the directory a channel's team is: what Graph calls the team by."""

from __future__ import annotations

from bot.teams.connector import Connector
from bot.turns.turn import Address

_MOST = 1_000


class Groups:
    """Asked of Teams once for each team: it stays the same."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._known: dict[str, str] = {}

    async def of(self, address: Address) -> str:
        """Empty where nobody has talked in the channel yet, or Teams does not tell.

        Raises `DeliveryError`.
        """
        if not address.team:
            return ""
        if address.team not in self._known:
            told = await self._connector.team(address.service_url, address.team)
            group = told.get("aadGroupId")
            if not isinstance(group, str) or not group:
                return ""
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[address.team] = group
        return self._known[address.team]
