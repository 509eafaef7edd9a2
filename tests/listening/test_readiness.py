"""Anybody who reaches the port may ask whether the bot is ready, as often as they like."""

from __future__ import annotations

import asyncio

from bot.readiness import Readiness


async def test_however_many_ask_at_once_each_part_is_asked_once() -> None:
    """A vault takes so many requests and no more; the bot needs them for its keys."""
    asked = 0

    async def slow() -> bool:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return asked > 1

    now = 0.0
    ready = Readiness({"keys": slow}, lambda: now)
    assert await asyncio.gather(*(ready.missing() for _ in range(100))) == [["keys"]] * 100
    assert asked == 1
    now = 5.0
    assert await asyncio.gather(*(ready.missing() for _ in range(100))) == [[]] * 100
    assert asked == 2
