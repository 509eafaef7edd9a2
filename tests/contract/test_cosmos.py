"""Cosmos DB keeps the contract, as far as a server that speaks its protocol can tell."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from storage.cosmos import CosmosRecords
from tests.contract.records_contract import RecordsContract
from tests.cosmos.server import Server


@pytest.fixture
async def records(cosmos: Server) -> AsyncIterator[CosmosRecords]:
    async with CosmosRecords(cosmos.new_database()) as opened:
        yield opened


class TestCosmos(RecordsContract):
    """The contract."""
