"""Keys in Azure Key Vault, as secrets; several processes on several machines may share a vault.

A vault knows neither "create if absent" nor "replace if unchanged": whoever sets a secret adds a
version, and nobody is refused. So who was first is decided afterwards, by a rule that all apply
alike. Each version carries a random mark of whoever wrote it, and one of a pin the id of the
version that it takes the place of. Of a key the oldest version counts; of pins, the oldest
successor of the one before. Versions are dated in whole seconds, so equals go by their ids. And no
listing is believed before its youngest version is `SETTLE_S` old by the vault's own clock: until
then another of the same second could still come and stand before it. Later ones stand behind it.

This is as safe as that clock, no safer: two could both think that they were first if machines of
the vault dated writes more than `SETTLE_S` - 1 seconds apart, or took longer than that to list
what they had dated. Microsoft promises neither. See docs/decisions/0008-key-vault.md.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from asyncio import sleep
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Self

from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ServiceResponseError
from azure.keyvault.secrets import DeletedSecret, SecretProperties
from azure.keyvault.secrets.aio import SecretClient

from snapshot.ports import KEY_NAME, KeyExists, KeyMissing, KeysError, PinChanged
from snapshot.sealing import KEY_BYTES
from storage.azure import entra, transport
from storage.keyvault_calls import ATTEMPT_S, DESTROY_S, FORBIDDEN, VERB_S, Failure, Patience

SETTLE_S = 3.0
"""How old a version has to be before anybody relies on no other having come before it."""

LONGEST_DAYS = 90
"""For which a vault keeps what is deleted, where it does not say."""

_WRITE = "write"
_AFTER = "after"
_NOTHING = "nothing"
"""What the first pin takes the place of: a tag cannot be empty everywhere."""


class BrokenKey(KeysError):
    """The secret is not a key, or not a whole one."""


class StillRecoverable(KeysError):
    """A key of this name was deleted and can still be brought back; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Vault:
    """`url` is `https://HOST[:PORT]`. An emulator's is on a loopback address, with a `ca_file`."""

    url: str
    ca_file: Path | None = None
    is_emulator: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a secret, without its value. `created`: in whole seconds of the vault."""

    created: datetime
    id: str
    write: str | None
    after: str | None

    @property
    def order(self) -> tuple[datetime, str]:
        return self.created, self.id


class KeyVault:
    """Implements `snapshot.ports.Keys`. One client for the life of the process."""

    def __init__(
        self,
        vault: Vault,
        credential: AsyncTokenCredential | None = None,
        wait: Callable[[float], Awaitable[None]] = sleep,
    ) -> None:
        """Without a credential it is looked for (Entra). `wait` waits for the vault's clock."""
        self._vault = vault
        self._credential = credential
        self._wait = wait
        self._stack = AsyncExitStack()
        self._client: SecretClient

    async def __aenter__(self) -> Self:
        """Asks nothing of the vault yet. Raises `Unusable`."""
        async with AsyncExitStack() as stack:
            credential: Any = self._credential
            if credential is None:
                credential = _Anybody() if self._vault.is_emulator else entra()
                await stack.enter_async_context(credential)
            self._client = SecretClient(
                self._vault.url,
                credential,
                transport=transport(self._vault.url, self._vault.ca_file, "SNAPSHOT_KEYS_CA_FILE"),
                # A loopback address is no part of vault.azure.net, for which Entra gives tokens.
                verify_challenge_resource=not self._vault.is_emulator,
                retry_total=0,
            )
            stack.push_async_callback(self._client.close)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    # -- keys -------------------------------------------------------------------------------

    async def create(self, name: str) -> bytes:
        """Raises `KeyExists`, `StillRecoverable`. Takes some `SETTLE_S` seconds."""
        secret, patience = _secret("key", name), self._patience()
        if (await self._versions(secret, patience))[0]:
            raise KeyExists(name)
        key = secrets.token_bytes(KEY_BYTES)
        mark = await self._set(secret, base64.b64encode(key).decode(), {}, patience)
        if _oldest(await self._settled(secret, patience, mark)).write != mark:
            raise KeyExists(name)
        return key

    async def read(self, name: str) -> bytes:
        """Raises `KeyMissing`, `BrokenKey`."""
        secret, patience = _secret("key", name), self._patience()
        versions = await self._settled(secret, patience)
        if not versions:
            raise KeyMissing(name)
        return _key(secret, await self._value(secret, _oldest(versions), patience))

    async def destroy(self, name: str) -> None:
        """Purges where the vault and our role allow it: see `recoverable_until`."""
        # The key first: without it, a pin that is left opens nothing.
        for kind in ("key", "pin"):
            await self._destroy(_secret(kind, name))

    async def recoverable_until(self, name: str) -> date | None:
        found = await self._deleted(_secret("key", name), self._patience())
        return _day(found) if found else None

    async def recoverable_days(self, name: str) -> int:
        """Raises `KeyMissing`. Takes it that our role may purge where the vault lets anybody."""
        patience = self._patience()
        listed, _ = await self._list(_secret("key", name), patience)
        if not listed:
            raise KeyMissing(name)
        if _may_be_purged(listed[0]):
            return 0
        days = listed[0].recoverable_days
        return LONGEST_DAYS if days is None else days

    # -- pins -------------------------------------------------------------------------------

    async def pinned(self, name: str) -> str | None:
        secret, patience = _secret("pin", name), self._patience()
        chain = _chain(await self._settled(secret, patience))
        return await self._value(secret, chain[-1], patience) if chain else None

    async def pin(self, name: str, value: str, *, was: str | None) -> None:
        """Takes some `SETTLE_S` seconds. Raises `StillRecoverable`.

        Earlier pins stay as older versions until `destroy`: a vault deletes whole secrets only.
        """
        secret, patience = _secret("pin", name), self._patience()
        chain = _chain(await self._settled(secret, patience))
        now = await self._value(secret, chain[-1], patience) if chain else None
        if now != was:
            raise PinChanged(name)
        after = chain[-1].id if chain else _NOTHING
        mark = await self._set(secret, value, {_AFTER: after}, patience)
        # Somebody may have gone on from ours already, so it need not be the last.
        if mark not in {v.write for v in _chain(await self._settled(secret, patience, mark))}:
            raise PinChanged(name)

    # -- secrets ----------------------------------------------------------------------------

    def _patience(self) -> Patience:
        return Patience(self._wait, VERB_S, ATTEMPT_S)

    async def _settled(self, secret: str, patience: Patience, mark: str = "") -> list[Version]:
        """All versions, once none can come that would stand before one of them.

        `mark`: of a version that we have added, and that has to be among them.
        """
        while True:
            versions, now = await self._versions(secret, patience)
            ages = [(now - v.created).total_seconds() for v in versions]
            is_ours_there = not mark or any(v.write == mark for v in versions)
            if is_ours_there and all(age_s >= SETTLE_S for age_s in ages):
                return versions
            await patience.wait(SETTLE_S - max(0.0, min(ages, default=0.0)))

    async def _versions(self, secret: str, patience: Patience) -> tuple[list[Version], datetime]:
        listed, now = await self._list(secret, patience)
        return [_version(found) for found in listed], now

    async def _list(
        self, secret: str, patience: Patience
    ) -> tuple[list[SecretProperties], datetime]:
        """What the vault tells of each version, and what its clock showed when we began to ask."""

        async def all_pages() -> tuple[list[SecretProperties], list[datetime]]:
            times: list[datetime] = []
            pages = self._client.list_properties_of_secret_versions(
                secret, raw_response_hook=lambda answer: times.append(_date(answer))
            )
            return [found async for found in pages], times

        found = await patience.call(all_pages)
        if isinstance(found, Failure):  # some emulators say that of a secret without versions
            return [], datetime.now(UTC)
        listed, times = found
        return listed, times[0]

    async def _value(self, secret: str, version: Version, patience: Patience) -> str:
        found = await patience.call(lambda: self._client.get_secret(secret, version.id))
        if isinstance(found, Failure):
            raise KeyMissing(secret)  # it was destroyed in between
        return found.value or ""

    async def _set(self, secret: str, value: str, tags: dict[str, str], patience: Patience) -> str:
        """Add a version, and say by which mark it is known. It may come twice, both marked."""
        mark = secrets.token_hex(8)
        done = await patience.call(
            lambda: self._client.set_secret(secret, value, tags={**tags, _WRITE: mark})
        )
        if isinstance(done, Failure):
            raise StillRecoverable(
                f"{secret} was deleted and can still be brought back: recover it in the key vault "
                "if it is wanted, purge it otherwise"
            )
        return mark

    async def _destroy(self, secret: str) -> None:
        patience = Patience(self._wait, DESTROY_S, DESTROY_S)
        # Comes back when it has been deleted, so that it can be purged.
        await patience.call(lambda: self._client.delete_secret(secret))
        left = await self._deleted(secret, patience)
        if left and _may_be_purged(left.properties):
            # Where our role may not, it is deleted all the same: `recoverable_until` tells.
            await patience.call(lambda: self._client.purge_deleted_secret(secret), but=(FORBIDDEN,))

    async def _deleted(self, secret: str, patience: Patience) -> DeletedSecret | None:
        found = await patience.call(lambda: self._client.get_deleted_secret(secret))
        return None if isinstance(found, Failure) else found


class _Anybody:
    """Signs in to an emulator, which lets in whoever has a token."""

    async def get_token(self, *_: str, **__: Any) -> Any:
        return AccessToken("anybody", 2**31)

    async def close(self) -> None:
        return

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return


def _secret(kind: str, name: str) -> str:
    """A vault takes letters, digits and dashes, as names do, and does not look at capitals."""
    if not KEY_NAME.fullmatch(name):
        raise KeyMissing(name)
    return f"{kind}-{name}"


def _date(answer: Any) -> datetime:
    try:
        return parsedate_to_datetime(answer.http_response.headers["Date"])
    except (KeyError, ValueError):
        raise ServiceResponseError("an answer without a date") from None


def _version(found: SecretProperties) -> Version:
    tags = found.tags or {}
    created = found.created_on or datetime.min.replace(tzinfo=UTC)
    return Version(created, found.version or "", tags.get(_WRITE), tags.get(_AFTER))


def _oldest(versions: Iterable[Version]) -> Version:
    return min(versions, key=lambda v: v.order)


def _chain(versions: Iterable[Version]) -> list[Version]:
    """From the first pin to the one that counts now: of each, the oldest successor."""
    first: dict[str | None, Version] = {}
    for version in sorted(versions, key=lambda v: v.order):
        first.setdefault(version.after, version)
    chain: list[Version] = []
    at = _NOTHING
    while at in first:
        chain.append(first[at])
        at = first[at].id
    return chain


def _key(secret: str, value: str) -> bytes:
    try:
        key = base64.b64decode(value, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise BrokenKey(f"the first version of {secret} is not {KEY_BYTES} bytes in base 64")
    return key


def _may_be_purged(properties: SecretProperties) -> bool:
    return "Purgeable" in (properties.recovery_level or "")


def _day(found: DeletedSecret) -> date:
    return found.scheduled_purge_date.date() if found.scheduled_purge_date else date.max
