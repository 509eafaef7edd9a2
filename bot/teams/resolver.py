"""The answers of Graph as those who send want them: see `bot.resolving`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import aiohttp

from bot.resolving import Chat, Found, Later, Lookup, Nobody, Reach, Reached, Refused, Resolve
from bot.settings import Settings
from bot.teams.graph import AskLater, CannotInstall, Graph, NoConsent
from bot.teams.tokens import Tokens
from snapshot.sealing import Person

NOT_YET_S = 30.0
"""A chat is there some seconds after the app has been installed."""


def graph_of(settings: Settings, tokens: Tokens, session: aiohttp.ClientSession) -> Graph:
    return Graph(settings.graph_url, settings.teams_app_id, settings.tenants, tokens, session)


def lookup_of(settings: Settings, graph: Graph, clock: Callable[[], datetime]) -> Lookup:
    return Lookup(
        resolver(graph, clock),
        reacher(graph, clock),
        settings.tenants,
        f"28:{settings.app_id}",
        settings.service_url,
    )


def resolver(graph: Graph, clock: Callable[[], datetime]) -> Resolve:
    """Asks the tenants in turn until one knows the address."""

    async def resolve(address: str, tenants: Sequence[str]) -> Found:
        elsewhere: list[Found] = []
        for tenant in tenants:
            found = await _ask(graph, address, tenant, clock)
            if isinstance(found, Person):
                return found
            elsewhere.append(found)
        waits = [found.until for found in elsewhere if isinstance(found, Later)]
        if waits:
            return Later(min(waits))
        return Refused() if Refused() in elsewhere else Nobody()

    return resolve


async def _ask(graph: Graph, address: str, tenant: str, clock: Callable[[], datetime]) -> Found:
    try:
        return await graph.find_person(address, tenant) or Nobody()
    except AskLater as error:
        return _later(error.wait_s, clock)
    except NoConsent:
        return Refused()


def reacher(graph: Graph, clock: Callable[[], datetime]) -> Reach:
    async def reach(person: Person) -> Reached:
        try:
            chat = await _chat(graph, person)
        except AskLater as error:
            return _later(error.wait_s, clock)
        except (NoConsent, CannotInstall):
            return Refused()
        return Chat(chat) if chat else _later(NOT_YET_S, clock)

    return reach


async def _chat(graph: Graph, person: Person) -> str | None:
    installation = await graph.installation(person)
    if installation is None:
        await graph.install(person)
        installation = await graph.installation(person)
    return await graph.chat_with(person, installation) if installation else None


def _later(wait_s: float, clock: Callable[[], datetime]) -> Later:
    return Later(clock() + timedelta(seconds=wait_s))
