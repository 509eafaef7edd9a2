"""Key Vault keeps the contract, as far as a stand-in for it can tell."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from storage.keyvault import KeyVault
from tests.contract.keys_contract import KeysContract
from tests.keyvault.server import Server


@pytest.fixture
async def keys(vault: Server) -> AsyncIterator[KeyVault]:
    async with KeyVault(vault.vault, wait=vault.clock.wait) as opened:
        yield opened


class TestKeyVault(KeysContract):
    """The contract."""
