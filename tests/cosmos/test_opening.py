"""What an account must be like before anything is kept in it."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from snapshot.ports import DIRECTORY, Unavailable
from storage.cosmos import CosmosRecords
from storage.cosmos_opening import CONTAINER, SCHEMA_VERSION, VERSION_ITEM, Account
from storage.errors import NewerDatabase, Unusable
from tests.contract.records_contract import HERE, an_envelope
from tests.cosmos.proxy import Fault, Proxy
from tests.cosmos.server import KEY, Server
from tests.relay import Relay

STRONG = {"userConsistencyPolicy": {"defaultConsistencyLevel": "Strong"}}


class SignedIn:
    """Entra, as far as the client asks."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        if self._error:
            raise self._error
        return AccessToken("ZQXJ-token", int(time.time()) + 3600)

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> SignedIn:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


@pytest.fixture
async def proxy(cosmos: Server) -> AsyncIterator[Proxy]:
    async with Proxy(cosmos) as between:
        yield between


@pytest.fixture
async def deployed(cosmos: Server) -> Account:
    """With database and container, as Bicep would have made them."""
    account = cosmos.new_database()
    async with CosmosRecords(account):
        return account


def real(account: Account, proxy: Proxy, credential: SignedIn | None = None) -> CosmosRecords:
    """Without a key, so that it is taken for a real account."""
    return CosmosRecords(replace(proxy.reach(account), key=""), credential or SignedIn())


@pytest.mark.parametrize("level", ["Strong", "BoundedStaleness"])
async def test_a_consistency_that_shows_what_others_wrote_will_do(
    deployed: Account, proxy: Proxy, level: str
) -> None:
    proxy.account_says = {"userConsistencyPolicy": {"defaultConsistencyLevel": level}}
    async with real(deployed, proxy) as records:
        await records.create(an_envelope())


@pytest.mark.parametrize("level", ["Session", "ConsistentPrefix", "Eventual"])
async def test_a_weaker_consistency_is_refused(deployed: Account, proxy: Proxy, level: str) -> None:
    proxy.account_says = {"userConsistencyPolicy": {"defaultConsistencyLevel": level}}
    with pytest.raises(Unusable, match=f"consistency is {level}.*bounded staleness or strong"):
        async with real(deployed, proxy):
            pass


async def test_two_regions_that_take_writes_are_refused(deployed: Account, proxy: Proxy) -> None:
    proxy.account_says = {**STRONG, "enableMultipleWriteLocations": True}
    with pytest.raises(Unusable, match="single region for writes"):
        async with real(deployed, proxy):
            pass


async def test_in_a_real_account_nothing_is_made_and_what_is_missing_is_told(
    cosmos: Server, proxy: Proxy
) -> None:
    proxy.account_says = STRONG
    empty = cosmos.new_database()
    for _ in range(2):
        with pytest.raises(Unusable, match=f"no container {CONTAINER} in the database test-"):
            async with real(empty, proxy):
                pass


async def test_who_cannot_sign_in_is_told_without_what_entra_said(
    deployed: Account, proxy: Proxy
) -> None:
    entra = SignedIn(ClientAuthenticationError("ZQXJ"))
    with pytest.raises(Unusable) as refused:
        async with real(deployed, proxy, entra):
            pass
    assert "look at the identity and its role" in str(refused.value)
    assert "ZQXJ" not in f"{refused.value} {refused.value.__context__!r}"


async def test_who_may_not_read_is_told_which_role_is_needed(
    deployed: Account, proxy: Proxy
) -> None:
    proxy.account_says = STRONG
    proxy.always(Fault(status=403))
    with pytest.raises(Unusable, match="Cosmos DB Built-in Data Contributor"):
        async with real(deployed, proxy):
            pass


async def test_an_account_that_does_not_answer_is_unavailable(
    deployed: Account, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.cosmos_opening.OPEN_S", 0.5)
    proxy.always(Fault(delay_s=5.0, status=503))
    with pytest.raises(Unavailable):
        async with CosmosRecords(proxy.reach(deployed)):
            pass


# -- on the way there -----------------------------------------------------------------------------


async def test_the_proxy_that_the_environment_names_is_used(
    deployed: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Relay() as relay:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ada:ZQXJ@127.0.0.1:{relay.port}")
        monkeypatch.setenv("NO_PROXY", "")
        async with CosmosRecords(deployed) as records:
            await records.create(an_envelope())
    assert relay.asked
    signed = base64.b64encode(b"ada:ZQXJ").decode()
    for asked in relay.asked:
        assert asked.startswith(f"CONNECT {urlsplit(deployed.url).netloc} ")
        assert f"Proxy-Authorization: Basic {signed}" in asked


async def test_an_address_that_needs_no_proxy_is_reached_without(
    deployed: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Relay() as relay:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{relay.port}")
        monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
        async with CosmosRecords(deployed) as records:
            await records.create(an_envelope())
    assert relay.asked == []


# -- versions -------------------------------------------------------------------------------------


async def test_what_was_kept_outlives_the_process(deployed: Account) -> None:
    async with CosmosRecords(deployed) as before:
        kept = await before.create(an_envelope())
    async with CosmosRecords(deployed) as after:
        assert await after.read(HERE, kept.kind, "ada") == kept
        await after.replace(replace(kept, state="submitted"))


async def test_a_database_of_a_newer_version_is_refused(deployed: Account) -> None:
    async with CosmosRecords(deployed) as records:
        newer = {"id": VERSION_ITEM, "snapshot": DIRECTORY, "version": SCHEMA_VERSION + 1}
        await records._items.upsert_item(newer)
    with pytest.raises(NewerDatabase, match="newer version of this program; please update it"):
        async with CosmosRecords(deployed):
            pass


async def test_the_index_holds_nothing_of_a_body(deployed: Account) -> None:
    async with CosmosRecords(deployed) as records:
        policy = (await records._items.read())["indexingPolicy"]
    assert policy["excludedPaths"] == [{"path": "/*"}]
    assert {each["path"] for each in policy["includedPaths"]} == {
        "/snapshot/?",
        "/kind/?",
        "/state/?",
        "/group/?",
    }


# -- certificates and keys ------------------------------------------------------------------------


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(deployed: Account) -> None:
    """The client by itself would trust anybody on a loopback address."""
    with pytest.raises(Unavailable):
        async with CosmosRecords(replace(deployed, ca_file=None)):
            pass


async def test_what_is_no_key_is_told_without_it(deployed: Account) -> None:
    with pytest.raises(Unusable) as refused:
        async with CosmosRecords(replace(deployed, key="ZQXJ!")):
            pass
    assert "COSMOS_KEY" in str(refused.value)
    assert "ZQXJ" not in f"{refused.value} {refused.value.__context__!r} {deployed!r}"
    assert KEY not in repr(deployed)
