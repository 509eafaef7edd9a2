"""The attacks on Cosmos DB, as far as a server that speaks its protocol can tell: two minutes."""

from __future__ import annotations

import pytest

from tests.attacks.suite import carry_out
from tests.attacks.withstanding import CAMPAIGNS, Results, Withstanding
from tests.cosmos.server import why_not


@pytest.fixture(scope="module")
def results() -> Results:
    if reason := why_not():
        pytest.skip(reason)
    return carry_out(["Cosmos DB"], CAMPAIGNS)["Cosmos DB"]


class TestOnCosmos(Withstanding):
    """The attacks."""
