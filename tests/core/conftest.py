"""One small area for the tests of the core, and how long Hypothesis may take."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.core.exampleshire import Area, open_area

# A slow machine is not a wrong program; without this, an example that takes 0.2 s is a failure.
settings.register_profile("core", settings.default, deadline=None)
settings.load_profile("core")


@pytest.fixture
async def area(tmp_path: Path) -> AsyncIterator[Area]:
    """Police and health, k = 10, nobody has answered yet."""
    async with open_area(tmp_path) as opened:
        yield opened
