"""Chromium, and Microsoft's local Teams with the bot behind it. What is missing is a skip."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ViewportSize, async_playwright, expect

from infra.playground.run import what_the_playground_lacks
from tests.browser.teams import LocalTeams, Person, local_teams

WAIT_MS = 20_000
TALL = ViewportSize(width=1300, height=3600)  # no card must be scrolled for its picture

# Nothing that reaches for the network, and nothing that a container does not give.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("Chromium is not here: install your system's package `chromium`.")
    expect.set_options(timeout=WAIT_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def teams(tmp_path: Path) -> AsyncIterator[LocalTeams]:
    lacks = what_the_playground_lacks()
    if lacks:
        pytest.skip(f"Microsoft's Playground is not here. {lacks}")
    async with local_teams(tmp_path) as running:
        yield running
        assert running.errors_of_the_bot() == []


@pytest_asyncio.fixture(loop_scope="session")
async def person(chromium: Browser, teams: LocalTeams) -> AsyncIterator[Person]:
    context = await chromium.new_context(viewport=TALL)
    context.set_default_timeout(WAIT_MS)
    yield Person(await context.new_page())
    await context.close()
