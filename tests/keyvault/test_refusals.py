"""What a vault answers when it does not do what is asked, and what we make of it."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from snapshot.ports import KeysUnavailable
from storage.errors import Unusable
from storage.keyvault import KeyVault, StillRecoverable, Vault
from tests.keyvault.server import TOKEN, Fault, Server

NAME = "exampleshire-2026"
PROTECTED = "CustomizedRecoverable"
HANGS_S = 60.0
VERBS: dict[str, Callable[[KeyVault], Coroutine[Any, Any, Any]]] = {
    "create": lambda keys: keys.create("another"),
    "read": lambda keys: keys.read(NAME),
    "pinned": lambda keys: keys.pinned(NAME),
    "pin": lambda keys: keys.pin(NAME, "second", was="first"),
    "destroy": lambda keys: keys.destroy(NAME),
    "recoverable until": lambda keys: keys.recoverable_until(NAME),
    "recoverable days": lambda keys: keys.recoverable_days(NAME),
}


class SignedIn:
    """Entra, as far as the client asks."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        if self._error:
            raise self._error
        return AccessToken(TOKEN, int(time.time()) + 3600)

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> SignedIn:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


@pytest.fixture
async def keys(vault: Server) -> AsyncIterator[KeyVault]:
    """A key with a pin."""
    async with KeyVault(vault.vault, wait=vault.clock.wait) as opened:
        await opened.create(NAME)
        await opened.pin(NAME, "first", was=None)
        yield opened


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the last attempt two seconds are left, for a busy machine: pauses take 3.75 s."""
    for name in ("VERB_S", "ATTEMPT_S", "DESTROY_S"):
        monkeypatch.setattr(f"storage.keyvault.{name}", 6.0)


def everything_of(error: BaseException | None) -> str:
    """All that could be shown of an error: itself, what it holds, and what led to it."""
    said = ""
    while error:
        said += f"{error} {error!r} {vars(error)}"
        error = error.__cause__ or error.__context__
    return said


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault(429, headers={"Retry-After": "60"}), "asked too much: try again in a minute"),
        (Fault(401), "look at the bot's identity"),
        (Fault(403, "ForbiddenByRbac"), "needs the role Key Vault Secrets Officer"),
        (Fault(403, "ForbiddenByFirewall"), "network rules keep this machine out"),
        (Fault(403, "SecretDisabled"), "has been disabled in the key vault: enable it"),
        (Fault(400, "BadParameter"), "answered 400 BadParameter"),
        (Fault(503), "answered 503"),
        (Fault(), "did not answer in time"),
        (Fault(delay_s=HANGS_S), "did not answer in time"),
    ],
    ids=["429", "401", "role", "firewall", "disabled", "400", "503", "cut", "hangs"],
)
async def test_every_verb_says_what_to_do_in_time_and_shows_no_key(
    keys: KeyVault, vault: Server, hurried: None, fault: Fault, says: str
) -> None:
    secret = [value for value in vault.values() if value != "first"]
    vault.always(fault)
    async with asyncio.timeout(HANGS_S / 2):
        errors = await asyncio.gather(
            *(verb(keys) for verb in VERBS.values()), return_exceptions=True
        )
    assert {type(error) for error in errors} == {KeysUnavailable}
    assert [str(error) for error in errors if says not in str(error)] == []
    held = "".join(everything_of(e) for e in errors if isinstance(e, BaseException))
    assert [part for part in ("ZQXJ", TOKEN, *secret) if part in held] == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, headers={"Retry-After": "0"}),
        Fault(429),
        Fault(500),
        Fault(503),
        Fault(),
        Fault(409, "ObjectIsBeingDeleted"),
    ],
    ids=["429", "429 without a time", "500", "503", "cut", "busy"],
)
async def test_what_passes_is_tried_again(
    keys: KeyVault, vault: Server, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr("storage.keyvault_calls.PAUSE_S", 0.01)
    for verb in VERBS.values():
        if verb is VERBS["recoverable until"]:  # after `destroy`, what is left to be asked
            await keys.create(NAME)
        vault.next(fault, fault)
        before = len(vault.seen)
        await verb(keys)
        assert len(vault.seen) - before >= 3


async def test_a_key_that_was_being_made_is_in_no_error(vault: Server) -> None:
    """The request that fails is the one that carries it."""

    def refuses(request: web.Request) -> Fault | None:
        return Fault(403, "ForbiddenByRbac", acts=True) if request.method == "PUT" else None

    vault.plan = refuses
    async with KeyVault(vault.vault, wait=vault.clock.wait) as keys:
        with pytest.raises(KeysUnavailable) as refused:
            await keys.create(NAME)
    sent = vault.values()
    held = everything_of(refused.value)
    # An error of the client would hold the request, and that the key.
    assert refused.value.__cause__ is refused.value.__context__ is None
    assert len(sent) == 1
    assert sent[0] not in held
    assert base64.b64decode(sent[0]).hex() not in held


async def test_while_a_vault_hangs_everything_else_goes_on(keys: KeyVault, vault: Server) -> None:
    """It answers only after that: who waited for it in the event loop would wait for ever."""
    answers = asyncio.Event()
    vault.next(Fault(until=answers, status=503))
    reading = asyncio.ensure_future(keys.read(NAME))
    for _ in range(50):
        await asyncio.sleep(0.001)
    assert not reading.done()
    answers.set()
    assert len(await reading) == 32


# -- whom we trust, and who we are ----------------------------------------------------------------


@pytest.mark.usefixtures("hurried")
async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(vault: Server) -> None:
    async with KeyVault(replace(vault.vault, ca_file=None)) as keys:
        with pytest.raises(KeysUnavailable, match="SNAPSHOT_KEYS_CA_FILE"):
            await keys.read(NAME)
    assert vault.seen == []


async def test_a_certificate_that_cannot_be_read_is_told(vault: Server) -> None:
    broken = replace(vault.vault, ca_file=vault.folder / "not-there.pem")
    with pytest.raises(Unusable, match="SNAPSHOT_KEYS_CA_FILE cannot be read as a certificate"):
        async with KeyVault(broken):
            pass


@pytest.mark.usefixtures("hurried")
async def test_a_machine_without_a_network_is_told() -> None:
    async with KeyVault(Vault("https://127.0.0.1:9", is_emulator=True)) as keys:
        with pytest.raises(KeysUnavailable, match="look at the network"):
            await keys.read(NAME)


async def test_who_cannot_sign_in_is_told_without_what_entra_said(vault: Server) -> None:
    entra = SignedIn(ClientAuthenticationError("ZQXJ"))
    async with KeyVault(vault.vault, entra) as keys:
        with pytest.raises(KeysUnavailable, match="look at the bot's identity") as refused:
            await keys.read(NAME)
    assert "ZQXJ" not in everything_of(refused.value)


async def test_a_real_vaults_token_goes_to_no_other_host(vault: Server) -> None:
    """Whoever answers in its place asks for a token of vault.azure.net, and gets none."""
    async with KeyVault(replace(vault.vault, is_emulator=False), SignedIn()) as keys:
        with pytest.raises(KeysUnavailable):
            await keys.read(NAME)
    assert vault.seen == []


# -- what is deleted ------------------------------------------------------------------------------


async def test_a_key_that_may_be_purged_is_gone(keys: KeyVault, vault: Server) -> None:
    vault.deleting_takes_s = 20.0  # it cannot be purged before it is among the deleted
    assert await keys.recoverable_days(NAME) == 0
    await keys.destroy(NAME)
    assert await keys.recoverable_until(NAME) is None
    assert vault.secrets == {}
    assert len(await keys.create(NAME)) == 32


async def test_a_key_of_a_protected_vault_can_be_brought_back_until_a_day(
    keys: KeyVault, vault: Server
) -> None:
    vault.recovery_level, vault.days = PROTECTED, 30
    await keys.create("protected")
    await keys.pin("protected", "first", was=None)
    assert await keys.recoverable_days("protected") == 30
    assert await keys.recoverable_until("protected") is None, "it is in use"
    await keys.destroy("protected")
    expected = datetime.fromtimestamp(vault.clock(), UTC) + timedelta(days=30)
    assert await keys.recoverable_until("protected") == expected.date()
    assert {s.deleted is None for n, s in vault.secrets.items() if "protected" in n} == {False}
    with pytest.raises(StillRecoverable, match=r"key-protected was deleted.*purge it otherwise"):
        await keys.create("protected")
    await keys.destroy("protected")


async def test_a_role_that_may_not_purge_leaves_a_key_that_can_be_brought_back(
    keys: KeyVault, vault: Server
) -> None:
    def refuses(request: web.Request) -> Fault | None:
        is_purge = request.method == "DELETE" and "/deletedsecrets/" in request.path
        return Fault(403, "ForbiddenByRbac") if is_purge else None

    vault.plan = refuses
    await keys.destroy(NAME)
    assert await keys.recoverable_until(NAME) is not None
    assert await keys.pinned(NAME) is None

    vault.always(None)
    await keys.destroy(NAME)
    assert await keys.recoverable_until(NAME) is None, "whoever may purge ends what was begun"
