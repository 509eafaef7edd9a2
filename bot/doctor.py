"""What an operator is told of all that the bot needs, one part after the other: `doctor`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass

from bot.settings import BadSettings, Settings
from content.packs import HERE, BrokenPack, load_packs
from content.recommending import load_libraries
from content.screening import load_screener
from snapshot.opening import SERVICE
from snapshot.ports import DIRECTORY, KeyMissing, Keys, KeysError, Kind, Records, RecordsError
from storage.errors import Unusable
from storage.proxy import proxy_host

type Open[T] = Callable[[Settings], AbstractAsyncContextManager[T]]

WITHIN_S = 30.0
"""For each part: the slowest vault answers sooner."""


@dataclass(frozen=True, slots=True)
class Found:
    """`problem`: what is wrong and what to do; empty: nothing. `note`: what is good to know."""

    part: str
    problem: str = ""
    note: str = ""


async def examine(
    settings: Settings, store: Open[Records], keys: Open[Keys]
) -> AsyncIterator[Found]:
    """Each part by itself, so that what is wrong with one does not hide the others."""
    yield await _content(settings)
    found, snapshots = await _store(settings, store)
    yield found
    yield await _keys(settings, keys, snapshots)
    if proxy := proxy_host():
        yield Found("proxy", note=f"https goes through {proxy}, but for what NO_PROXY names")
    if settings.app_id:
        # msal is large, and most who try the bot do without.
        from bot.teams.examining import examine_microsoft

        try:
            async for found in examine_microsoft(settings):
                yield found
        except BadSettings as error:
            yield Found("app", str(error))
    else:
        yield Found("Microsoft", note="not set up: nothing is asked of it in local use")


async def _content(settings: Settings) -> Found:
    folder = settings.content or HERE
    try:
        packs = await asyncio.to_thread(load_packs, folder)
        instruments = [pack.instrument for pack in packs.values()]
        await asyncio.to_thread(load_libraries, folder, instruments)
        await asyncio.to_thread(load_screener, folder)
    except BrokenPack as error:
        return Found("content", str(error))
    return Found("content", note=", ".join(sorted(packs)))


async def _store(settings: Settings, open_it: Open[Records]) -> tuple[Found, int]:
    """And how many snapshots there are, as far as that can be told."""
    try:
        async with asyncio.timeout(WITHIN_S), open_it(settings) as records:
            snapshots = await records.heads(DIRECTORY, Kind.SNAPSHOT)
    except (Unusable, RecordsError, OSError) as error:
        return Found("store", _said(error)), 0
    return Found("store", note=f"{len(snapshots)} snapshots"), len(snapshots)


async def _keys(settings: Settings, open_it: Open[Keys], snapshots: int) -> Found:
    try:
        async with asyncio.timeout(WITHIN_S), AsyncExitStack() as stack:
            keys = await stack.enter_async_context(open_it(settings))
            await keys.read(SERVICE)
            days = await keys.recoverable_days(SERVICE)
    except KeyMissing:
        if snapshots:
            return Found("keys", f"the key {SERVICE!r}, with which snapshots were opened, is gone")
        return Found("keys", note="none yet: the first start makes one")
    except (Unusable, KeysError, OSError) as error:
        return Found("keys", _said(error))
    kept = f"a key that is destroyed can be brought back for {days} days" if days else ""
    return Found("keys", note=kept)


def _said(error: Exception) -> str:
    return str(error) or f"it did not answer ({type(error).__name__})"
