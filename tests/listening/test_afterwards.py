"""What takes longer than a turn is given some seconds when the process is to end, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bot import afterwards
from bot.afterwards import Afterwards
from bot.turns.turn import Address, Reply
from cards.parts import Card, text

HERE = Address("https://teams.example/", "a:chat", "28:bot", "tenant")


def reply(words: str) -> Reply:
    return Reply(Card(type="AdaptiveCard", version="1.5", body=[text(words)]), "")


DONE, FAILED = reply("done"), reply("failed")
HANG_S = 60.0


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(afterwards, "PATIENCE_S", 0.02)


async def told_of(
    work: Coroutine[Any, Any, object], ends: Callable[[], object] = lambda: None
) -> list[Reply]:
    """Of work that is under way when the process is told to end, and then `ends`, if at all."""
    told: list[Reply] = []

    async def send(_: Address, said: Reply) -> None:
        told.append(said)

    async with asyncio.timeout(HANG_S), Afterwards(send) as later:
        assert await later.wait(work, HERE, lambda _: DONE, FAILED) is None
        asyncio.get_running_loop().call_soon(ends)
    return told


async def test_who_asked_is_told_although_the_process_ends() -> None:
    done = asyncio.Event()
    assert await told_of(done.wait(), done.set) == [DONE]


async def test_what_takes_too_long_is_given_up_and_nobody_hears_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The card that they have says what to do then."""
    monkeypatch.setattr(afterwards, "ENDS_WITHIN_S", 0.1)
    assert await told_of(asyncio.Event().wait()) == []
