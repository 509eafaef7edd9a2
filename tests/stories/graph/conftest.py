"""Stories with Microsoft Graph: the stand-ins, and the settings that lead a bot to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rehearsal.teams import Teams
from tests.graph.server import APP, HOME, MANIFEST, SECRET, Server, microsoft
from tests.ports import free_port


@pytest.fixture
async def graph(tmp_path: Path) -> AsyncIterator[Server]:
    async with microsoft(tmp_path) as running:
        yield running


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
async def teams(port: int) -> AsyncIterator[Teams]:
    async with Teams(f"http://127.0.0.1:{port}") as here:
        yield here


def graph_settings(graph: Server, teams: Teams, *tenants: str) -> dict[str, str]:
    return {
        "SNAPSHOT_TENANTS": ",".join(tenants),
        "MicrosoftAppId": APP,
        "MicrosoftAppTenantId": HOME,
        "MicrosoftAppPassword": SECRET,
        "TEAMS_APP_ID": MANIFEST,
        "TEAMS_AUTHORITY": graph.url,
        "GRAPH_URL": graph.url,
        "GRAPH_CA_FILE": str(graph.folder / "cert.pem"),
        "TEAMS_SERVICE_URL": f"{teams.url}/",
    }
