"""A message that changes all the time is edited every five seconds at most, by all processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from bot.editing import EVERY_S, TRIES, Editing, NotEdited
from bot.pace import Pace
from bot.turns.turn import Posted, Reply
from cards.parts import Card, text
from snapshot.ports import Records
from storage.sqlite import SqliteRecords

TENANT, MESSAGE = "tenant-of-exampleshire", "a session"
POSTED = Posted("http://127.0.0.1:1/", "19:facilitators@thread.tacv2", "1")


@dataclass
class Desk:
    """A message that shows a number. Time passes when somebody sleeps, or as `passes` says."""

    records: Records
    stack: AsyncExitStack
    now: float = 1_000.0
    number: int = 0
    posted: Posted | None = POSTED
    shown: list[tuple[float, int]] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)
    drawn: int = 0
    is_driven: bool = False

    async def process(self) -> Editing:
        pace = Pace(self.records, lambda: self.now, self.sleep)
        return await self.stack.enter_async_context(
            Editing(self.edit, pace.turn_to_edit, self.sleep)
        )

    async def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        await asyncio.sleep(0)
        while True:
            if not self.is_driven or self.now >= until:
                break
            await asyncio.sleep(0.001)
        self.now = max(self.now, until)

    async def passes(self, seconds: float) -> None:
        """So slowly that a store that takes its time does not take seconds of it."""
        until = self.now + seconds
        while self.now < until:
            await asyncio.sleep(0.001)
            self.now += 0.01

    async def draw(self) -> tuple[Posted, Reply] | None:
        self.drawn += 1
        card = Card(type="AdaptiveCard", version="1.5", body=[text(str(self.number))])
        return (self.posted, Reply(card, "")) if self.posted else None

    async def edit(self, posted: Posted, reply: Reply) -> None:
        if self.troubles:
            raise self.troubles.pop()
        assert posted == self.posted
        (block,) = reply.card.to_dict()["body"]
        self.shown.append((self.now, int(block["text"])))

    async def shows(self, number: int) -> None:
        async with asyncio.timeout(60):
            while True:
                if self.shown and self.shown[-1][1] == number:
                    return
                await asyncio.sleep(0.005)

    @property
    def gaps(self) -> list[float]:
        return [later - earlier for (earlier, _), (later, _) in pairwise(self.shown)]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with SqliteRecords(tmp_path / "snapshot.db") as records, AsyncExitStack() as stack:
        yield Desk(records, stack)


@pytest.mark.parametrize("how_many", [1, 2, 3])
async def test_it_is_edited_every_five_seconds_at_most_and_the_last_state_wins(
    desk: Desk, how_many: int
) -> None:
    """It changes four times a second, and each time another process is told."""
    desk.is_driven = True
    processes = [await desk.process() for _ in range(how_many)]
    for number in range(1, 61):
        desk.number = number
        processes[number % how_many].note(MESSAGE, TENANT, desk.draw)
        await desk.passes(0.25)
    await desk.passes(20.0)
    assert desk.shown[-1][1] == 60
    assert len(desk.shown) > 2
    assert min(desk.gaps) >= EVERY_S


async def test_what_has_not_changed_is_not_edited(desk: Desk) -> None:
    editing = await desk.process()
    editing.note(MESSAGE, TENANT, desk.draw)
    await desk.shows(0)
    editing.note(MESSAGE, TENANT, desk.draw)
    async with asyncio.timeout(60):
        while True:
            if desk.drawn == 2:
                break
            await asyncio.sleep(0.005)
    desk.number = 1
    editing.note(MESSAGE, TENANT, desk.draw)
    await desk.shows(1)
    assert [number for _, number in desk.shown] == [0, 1]


async def test_a_newer_message_is_edited_though_it_shows_the_same(desk: Desk) -> None:
    editing = await desk.process()
    editing.note(MESSAGE, TENANT, desk.draw)
    await desk.shows(0)
    desk.posted = Posted(POSTED.service_url, POSTED.conversation, "2")
    editing.note(MESSAGE, TENANT, desk.draw)
    async with asyncio.timeout(60):
        while True:
            if len(desk.shown) == 2:
                return
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("after_s", [None, 30.0])
async def test_what_teams_does_not_take_is_tried_again_when_it_says(
    desk: Desk, after_s: float | None
) -> None:
    desk.troubles = [NotEdited(passes=True, after_s=after_s)]
    began = desk.now
    (await desk.process()).note(MESSAGE, TENANT, desk.draw)
    await desk.shows(0)
    assert desk.now - began >= (after_s or EVERY_S)


async def test_an_edit_is_pending_until_it_is_made_or_teams_refuses(desk: Desk) -> None:
    desk.troubles = [NotEdited(passes=True) for _ in range(TRIES)]
    editing = await desk.process()
    assert not editing.is_pending(MESSAGE)
    editing.note(MESSAGE, TENANT, desk.draw)
    assert editing.is_pending(MESSAGE)
    async with asyncio.timeout(60):
        while True:
            if len(desk.troubles) < TRIES and not editing.is_pending(MESSAGE):
                break
            await asyncio.sleep(0)
    assert desk.shown == [], "nobody waits for what may take minutes"
    await desk.shows(0)
    await is_idle()
    assert not editing.is_pending(MESSAGE)


async def test_what_teams_will_never_take_is_given_up_and_the_next_change_is_not(
    desk: Desk,
) -> None:
    desk.troubles = [NotEdited(passes=False), ValueError("odd")]
    editing = await desk.process()
    for number in (1, 2, 3):
        desk.number = number
        editing.note(MESSAGE, TENANT, desk.draw)
        await is_idle()
    assert [number for _, number in desk.shown] == [3]


async def test_it_is_not_tried_for_ever(desk: Desk) -> None:
    desk.troubles = [NotEdited(passes=True) for _ in range(50)]
    editing = await desk.process()
    editing.note(MESSAGE, TENANT, desk.draw)
    await is_idle()
    assert len(desk.troubles) == 50 - TRIES - 1


async def is_idle() -> None:
    """Nobody waits to edit any more."""
    async with asyncio.timeout(60):
        await asyncio.gather(*[t for t in asyncio.all_tasks() if t.get_name() == "editing"])
