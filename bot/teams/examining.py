"""Whether Microsoft knows the app, and lets it do what it is set up for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp

from bot.doctor import Found
from bot.settings import Env, Settings
from bot.teams.connector import new_session
from bot.teams.graph import Graph, GraphError, NoConsent, NoTeam
from bot.teams.microsoft import app_of
from bot.teams.resolver import graph_of
from bot.teams.signing_keys import SigningKeys
from bot.teams.tokens import CONNECTOR, GRAPH, NoToken, Tokens


async def examine_microsoft(settings: Settings) -> AsyncIterator[Found]:
    """Raises `BadSettings`."""
    async with new_session(settings.graph_ca_file) as session:
        tokens = Tokens(app_of(settings), session)
        if settings.env is Env.PRODUCTION:
            yield await _signing_keys(settings, session)
            yield await _token("token for Teams", tokens, settings.app_tenant, CONNECTOR)
        if not settings.asks_graph:
            yield Found("Graph", note="not set up: docs/graph.md says what it is for")
            return
        for tenant in settings.tenants:
            yield await _token(f"Graph in {tenant}", tokens, tenant, GRAPH)
        graph = graph_of(settings, tokens, session)
        for each in settings.facilitator_teams:
            yield await _owners(graph, *each.split("/"))


async def _signing_keys(settings: Settings, session: aiohttp.ClientSession) -> Found:
    part = "signing keys"
    if await SigningKeys(settings.openid, session).reach():
        return Found(part)
    return Found(
        part,
        f"they cannot be had from {settings.openid}: let the bot reach login.botframework.com, and "
        "see that TEAMS_OPENID_METADATA is right. Until then nobody is let in",
    )


async def _token(part: str, tokens: Tokens, tenant: str, scope: str) -> Found:
    try:
        await tokens.get(tenant, scope)
    except NoToken as error:
        return Found(part, str(error))
    return Found(part)


async def _owners(graph: Graph, tenant: str, group: str) -> Found:
    part = f"owners of {group}"
    try:
        owners = await graph.owners_of(tenant, group)
    except NoTeam:
        return Found(part, "there is no such team: look at SNAPSHOT_FACILITATOR_TEAMS")
    except NoConsent:
        return Found(part, "not allowed: an owner has to put the app into the team (docs/graph.md)")
    except GraphError:
        return Found(part, "Graph did not answer: try again in some minutes")
    return Found(part, note=f"{len(owners)} people may facilitate")
