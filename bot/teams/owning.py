"""Who owns a team, by Graph."""

from __future__ import annotations

from bot.owners import Ask, NotTold, Team
from bot.teams.graph import Graph, GraphError
from snapshot.sealing import Person


def owning(graph: Graph) -> Ask:
    async def ask(team: Team) -> frozenset[Person]:
        try:
            return frozenset(await graph.owners_of(team.tenant, team.group))
        except GraphError as error:
            raise NotTold from error

    return ask
