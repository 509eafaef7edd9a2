"""The bot behind its own server, in this process."""

from tests.stories.conftest import bot, teams, unhurried

__all__ = ["bot", "teams", "unhurried"]
