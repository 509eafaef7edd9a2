"""The attacks on Cosmos DB, as far as a server that speaks its protocol can tell: two minutes."""

from __future__ import annotations

import pytest

from tests.attacks.suite import SEEDS, carry_out
from tests.attacks.withstanding import Results, Withstanding
from tests.cosmos.server import why_not

CAMPAIGNS = SEEDS[:8]
"""So that all tests take less than ten minutes; `make attacks` plays all, on both stores."""


@pytest.fixture(scope="module")
def results() -> Results:
    if reason := why_not():
        pytest.skip(reason)
    return carry_out("Cosmos DB", CAMPAIGNS)


class TestOnCosmos(Withstanding):
    """The attacks."""
