"""Hundreds of spoilt requests at a bot in production mode; `make fuzz` sends thousands."""

from __future__ import annotations

from pathlib import Path

from tests.cosmos.server import Server
from tests.fuzz.fuzzing import fuzz

MOST_MORE_FILES = 12
"""Connections that are kept open, here and to the store."""


async def test_spoilt_requests_do_no_harm(cosmos: Server, tmp_path: Path) -> None:
    found = await fuzz(tmp_path, cosmos, 600)
    assert found.wrong == []
    assert found.statuses[200] > 50
    assert found.statuses[400] > 50
    assert found.statuses[401] > 50
    before, after = found.held
    assert after.open_files - before.open_files <= MOST_MORE_FILES
