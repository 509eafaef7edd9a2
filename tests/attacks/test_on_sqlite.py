"""The attacks on SQLite: less than a minute on two cores."""

from __future__ import annotations

import pytest

from tests.attacks.suite import carry_out
from tests.attacks.withstanding import CAMPAIGNS, Results, Withstanding


@pytest.fixture(scope="module")
def results() -> Results:
    return carry_out(["SQLite"], CAMPAIGNS)["SQLite"]


class TestOnSqlite(Withstanding):
    """The attacks."""
