"""The bot behind its own server, in this process."""

from tests.stories.conftest import bot, teams

__all__ = ["bot", "teams"]
