"""Files put where everybody in a channel finds them, by Graph."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from bot.logs import where
from bot.teams.connector import DeliveryError
from bot.teams.graph import Graph, GraphError
from bot.teams.groups import Groups
from bot.turns.turn import Address, File, NotTaken

_log = structlog.get_logger()


class ChannelFiles:
    def __init__(self, groups: Groups, graph: Graph) -> None:
        self._groups = groups
        self._graph = graph

    async def keep(self, address: Address, files: Sequence[File]) -> None:
        """Each in the place of an earlier one of its name. Raises `NotTaken`."""
        try:
            group = await self._groups.of(address)
            if not group:
                raise NotTaken(is_gone=True)
            folder = await self._graph.files_of(address.tenant, group, address.conversation)
            for file in files:
                await self._graph.keep(address.tenant, folder, file.name, file.content)
        except (GraphError, DeliveryError) as error:
            _log.warning("files not put into the channel", **where(error))
            raise NotTaken(is_gone=False) from error
