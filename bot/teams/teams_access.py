"""Our token, shown to Teams and nobody else. By itself, since msal is large."""

from __future__ import annotations

from collections.abc import Callable

from bot.teams.access import NoAccess
from bot.teams.tokens import CONNECTOR, NoToken, Tokens


class TeamsAccess:
    """`is_teams`: whether a service URL is one of Teams'. `tenant`: that of the app itself."""

    def __init__(self, tokens: Tokens, tenant: str, is_teams: Callable[[str], bool]) -> None:
        self._tokens = tokens
        self._tenant = tenant
        self._is_teams = is_teams

    async def token(self, url: str) -> str:
        if not self._is_teams(url):
            raise NoAccess
        try:
            return await self._tokens.get(self._tenant, CONNECTOR)
        except NoToken as error:
            wait_s = error.wait_s
        raise NoAccess(wait_s)

    def refused(self) -> None:
        self._tokens.forget(self._tenant, CONNECTOR)

    async def reach(self) -> bool:
        """Whether there is a token to show."""
        try:
            return bool(await self._tokens.get(self._tenant, CONNECTOR))
        except NoToken:
            return False
