"""A bot that is told to end in the middle of a crowd: whoever was answered stays answered."""

from __future__ import annotations

from pathlib import Path

from bot.listening import ENDS_WITHIN_S, GOES_ON_S
from tests.cosmos.server import Server as Cosmos
from tests.production.ending import AT_ONCE, ENDS_IN_S, end_of_one


def test_it_ends_before_its_host_ends_it() -> None:
    assert GOES_ON_S + ENDS_WITHIN_S < ENDS_IN_S


async def test_who_was_answered_before_it_ended_goes_on_at_another(
    cosmos: Cosmos, tmp_path: Path
) -> None:
    ended = await end_of_one(tmp_path, cosmos, people=24, pause_s=0.02)
    assert ended.asking >= AT_ONCE
    assert ended.code == 0
    assert ended.statuses == {200}
    assert ended.errors == ()
