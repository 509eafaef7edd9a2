"""What takes longer than a turn is given some seconds when the process is to end, and no more."""

from __future__ import annotations

import asyncio

import pytest

from bot import afterwards
from bot.afterwards import Afterwards
from bot.turns.turn import Address, Reply
from cards.parts import Card, text

HERE = Address("https://teams.example/", "a:chat", "28:bot", "tenant")


def reply(words: str) -> Reply:
    return Reply(Card(type="AdaptiveCard", version="1.5", body=[text(words)]), "")


DONE, FAILED = reply("done"), reply("failed")


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(afterwards, "PATIENCE_S", 0.02)
    monkeypatch.setattr(afterwards, "ENDS_WITHIN_S", 0.5)


async def told_of(takes_s: float) -> list[Reply]:
    """Of work that is under way when the process is told to end."""
    told: list[Reply] = []

    async def send(_: Address, said: Reply) -> None:
        told.append(said)

    async with asyncio.timeout(5), Afterwards(send) as later:
        assert await later.wait(asyncio.sleep(takes_s, 1), HERE, lambda _: DONE, FAILED) is None
    return told


async def test_who_asked_is_told_although_the_process_ends() -> None:
    assert await told_of(0.2) == [DONE]


async def test_what_takes_too_long_is_given_up_and_nobody_hears_of_it() -> None:
    """The card that they have says what to do then."""
    began = asyncio.get_running_loop().time()
    assert await told_of(60.0) == []
    assert asyncio.get_running_loop().time() - began < 4
