"""A morning on which eighty are reminded, a Teams that fails, two processes, one of them killed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest

from bot.rehearsal.teams import Trouble
from tests.cosmos.server import Server, settings_for
from tests.ledger.area import some
from tests.ledger.checking import CUT, Weather
from tests.ledger.running import Stage, reminded

WEATHER = {Trouble(429, retry_after="3"): 0.10, Trouble(502): 0.05, Trouble(): 0.01, CUT: 0.02}


async def one_of_two_is_killed(stage: Stage) -> None:
    """The other is this process."""
    process = stage.starts()
    await stage.until_it_works(process)
    await stage.until_got(1)
    working = asyncio.create_task(stage.works())
    await stage.until_got(stage.most // 2)
    stage.kills(process)
    await working


@pytest.mark.parametrize("store", ["sqlite", "cosmos"])
async def test_everybody_gets_what_they_should_though_one_of_two_processes_is_killed(
    store: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    settings = None
    if store == "cosmos":
        server: Server = request.getfixturevalue("cosmos")
        settings = settings_for(server.new_database())
    weather = Weather(Random(7), WEATHER, over_after=15)
    found = await reminded(tmp_path, some(60, 20), weather, one_of_two_is_killed, store=settings)
    assert found.missed() == []
