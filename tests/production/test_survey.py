"""Production mode, whole: two bots, two tenants, signed requests, Cosmos DB's protocol, a vault."""

from __future__ import annotations

from pathlib import Path

from tests.cosmos.server import Server
from tests.production.survey import PRESSES, survey

PEOPLE = 24


async def test_a_full_survey_of_two_tenants_by_two_bots(cosmos: Server, tmp_path: Path) -> None:
    seen = await survey(tmp_path, cosmos, PEOPLE)
    assert seen.errors == []
    assert len(seen.took_s) - seen.late == PEOPLE * PRESSES
