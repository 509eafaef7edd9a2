"""Opens the container in a Cosmos DB account, and refuses an account that would break a promise."""

from __future__ import annotations

import base64
import binascii
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.documents import ConnectionPolicy

from snapshot.ports import DIRECTORY, Unavailable
from storage.azure import entra, transport
from storage.cosmos_calls import CONFLICT, FORBIDDEN, UNAUTHORIZED, Failure, Patience, once
from storage.errors import NewerDatabase, Refused, Unusable

OPEN_S = 10.0
"""How long each step of opening may take; nobody waits in front of a card."""

CONTAINER = "records"
PARTITION = "/snapshot"
SCHEMA_VERSION = 1
VERSION_ITEM = "schema"
"""In the directory's partition; no record can be called so, since records' ids hold a colon."""

# Only what the queries ask for. What is sealed would cost on every write and is never looked for.
INDEXING: Any = {  # not the mapping of strings that the client's annotation asks for
    "indexingMode": "consistent",
    "automatic": True,
    "includedPaths": [{"path": f"/{name}/?"} for name in ("snapshot", "kind", "state", "group")],
    "excludedPaths": [{"path": "/*"}],
}

ENOUGH = ("Strong", "BoundedStaleness")
"""Within the one region that we talk to, both show each process what another has written."""


@dataclass(frozen=True, slots=True)
class Account:
    """`url` is `https://HOST:PORT/`. A key is for emulators only, otherwise Entra signs us in."""

    url: str
    database: str
    key: str = field(default="", repr=False)
    ca_file: Path | None = None


async def open_container(
    account: Account, credential: AsyncTokenCredential | None, stack: AsyncExitStack
) -> ContainerProxy:
    """Everything that has to be closed again goes on `stack`.

    Raises `Unusable`, `NewerDatabase`, `Unavailable`.
    """
    client = await _client(account, credential, stack)
    try:
        if account.key:
            await _make(client, account.database)
        else:
            await _check_account(client)
        container = client.get_database_client(account.database).get_container_client(CONTAINER)
        await _check_container(container, account.database)
        await _check_version(container)
    except Refused as error:
        raise Unusable(
            f"{error}: this identity may not use the database; it needs the role "
            "Cosmos DB Built-in Data Contributor"
        ) from None
    return container


async def _client(
    account: Account, credential: AsyncTokenCredential | None, stack: AsyncExitStack
) -> CosmosClient:
    if not account.key and credential is None:
        credential = await stack.enter_async_context(entra())
    _check_key(account.key)
    policy = ConnectionPolicy()
    # The keyword `retry_total=0` would be taken for "not given", and nine retries be made.
    policy.RetryOptions = type(policy.RetryOptions)(max_retry_attempt_count=0)
    client = CosmosClient(
        account.url,
        account.key or credential or "",
        connection_policy=policy,
        retry_total=0,
        retry_connect=0,
        retry_read=0,
        # Straight to the account's own address, which leads to the region that takes writes: a
        # read that went to another one would show what was there a while ago.
        enable_endpoint_discovery=False,
        enable_compact_utf8_item_writes=True,
        transport=transport(account.url, account.ca_file, "COSMOS_CA_FILE"),
    )
    stack.push_async_callback(client.close)
    opened = await once(client.__aenter__, OPEN_S)
    if not isinstance(opened, Failure):
        return client
    if opened.status in (UNAUTHORIZED, FORBIDDEN):
        raise Unusable(f"{opened}: it does not let us in; look at the identity and its role")
    raise Unavailable(str(opened))


def _check_key(key: str) -> None:
    """The client would only notice at the first request, with an error that nobody expects."""
    try:
        base64.b64decode(key, validate=True)
    except binascii.Error:
        is_key = False
    else:
        is_key = True
    if not is_key:
        raise Unusable("COSMOS_KEY is not a key: those are written in base 64")


async def _make(client: CosmosClient, database: str) -> None:
    """The database and its container, for emulators; a real account has them from its template."""
    await _patience().call(lambda: client.create_database_if_not_exists(database))
    # A conflict is another process that was faster.
    await _patience().call(
        lambda: client.get_database_client(database).create_container_if_not_exists(
            CONTAINER, PartitionKey(PARTITION), indexing_policy=INDEXING
        )
    )


async def _check_account(client: CosmosClient) -> None:
    """A real account only: emulators, which have a key, are one process without copies."""
    account = await _patience().call(client.client_connection.GetDatabaseAccount)
    if isinstance(account, Failure):
        raise Unavailable(str(account))
    level = (account.ConsistencyPolicy or {}).get("defaultConsistencyLevel")
    if level not in ENOUGH:
        raise Unusable(
            f"the account's consistency is {level}: with that, a process may not see what another "
            "has written, and could publish figures about too few people. Set the account to "
            "bounded staleness or strong"
        )
    if account._EnableMultipleWritableLocations:  # there is no public name for it
        raise Unusable(
            "the account takes writes in several regions: two of them could change the same "
            "record. Set it to a single region for writes"
        )


async def _check_container(container: ContainerProxy, database: str) -> None:
    found = await _patience().call(container.read)
    if isinstance(found, Failure):
        raise Unusable(
            f"there is no container {CONTAINER} in the database {database}: it is made when the "
            "account is deployed"
        )
    if found["partitionKey"]["paths"] != [PARTITION]:
        raise Unusable(f"the container {CONTAINER} is not partitioned by {PARTITION}")


async def _check_version(container: ContainerProxy) -> None:
    item = {"id": VERSION_ITEM, "snapshot": DIRECTORY, "version": SCHEMA_VERSION}
    found = await _patience().call(lambda: container.read_item(VERSION_ITEM, DIRECTORY))
    if isinstance(found, Failure):
        made = await _patience().call(lambda: container.create_item(item))
        if isinstance(made, Failure) and made.status == CONFLICT:
            await _check_version(container)
    elif found["version"] > SCHEMA_VERSION:
        raise NewerDatabase(
            "the database was written by a newer version of this program; please update it"
        )


def _patience() -> Patience:
    return Patience(OPEN_S, OPEN_S)
