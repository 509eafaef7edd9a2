"""The strategic session in Teams: everybody rates alone, sees the spread, and agrees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rehearsal.teams import Teams
from tests.stories.opening import BotOnDemand
from tests.stories.partners import RECORD, Room, a_session_bot


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    async for running in a_session_bot(tmp_path):
        yield running


@pytest.fixture
async def room(teams: Teams, bot: BotOnDemand) -> Room:
    return Room(teams, bot, teams.channel())


async def test_from_the_start_to_the_next_statement(room: Room) -> None:
    shown = await room.starts()
    assert "This part is not anonymous." in shown.words
    assert "Near agreement" in shown.words
    assert "Nobody has joined yet." in shown.words
    ada, ben = await room.partners(2)
    shown = await room.rates(ada, "partly", "some")
    assert "Your ratings are saved." in shown.words
    assert "Still to rate: 1." in shown.words
    await room.rates(ben, "mostly", "some")
    shown = await room.has_it_shown()
    assert "Partly true: 1" in shown.words
    assert "Mostly true: 1" in shown.words
    assert "This is near agreement." in shown.words
    shown = await room.records(note="As we said.", evidence_named="An audit.")
    assert "agreed.** Progress: Partly true. Evidence: Some evidence." in shown.words
    assert "As we said." in shown.words
    assert await room.given() == []
    shown = await room.goes_on()
    assert "2 of 22" in shown.words
    assert RECORD not in shown.buttons
