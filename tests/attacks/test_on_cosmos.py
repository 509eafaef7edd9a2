"""The attacks on Cosmos DB, as far as a server that speaks its protocol can tell: a minute."""

from __future__ import annotations

import pytest

from tests.attacks.suite import carry_out
from tests.attacks.withstanding import FEWER, Results, Withstanding
from tests.cosmos.server import why_not


@pytest.fixture(scope="module")
def results() -> Results:
    if reason := why_not():
        pytest.skip(reason)
    return carry_out(["Cosmos DB"], FEWER)["Cosmos DB"]


class TestOnCosmos(Withstanding):
    """The attacks."""
