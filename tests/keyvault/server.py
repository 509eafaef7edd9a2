"""A stand-in for Azure Key Vault: its REST interface for secrets, over HTTPS on a loopback address.

There is an emulator for Java and ones for .NET and Go, none on PyPI, and none on npm that knows
versions and deletion. What is imitated here is what Microsoft documents: names, the challenge that
asks for a token, versions with random ids, listed in pages of at most 25 and dated in whole
seconds; a listing of nothing for a secret that is not there; soft delete, its conflicts, purge and
purge protection. Who may do what is not looked at: a test says that the vault refuses.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

from aiohttp import web

from storage.keyvault import Vault
from tests.cosmos.server import write_certificate

TENANT = "9d5c6a00-0000-4000-8000-000000000000"
TOKEN = "ZQXJ-token"
LONGEST_PAGE = 25
LONGEST_VALUE = 25_000
_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
_DAY_S = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Fault:
    """`status` 0: the connection is cut. `acts`: the vault has done it before that.

    `until`: what is waited for before that.
    """

    status: int = 0
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    acts: bool = False
    until: asyncio.Event | None = None


@dataclass
class Clock:
    """The vault's: faster than ours, so that no test waits for whole seconds of it to pass."""

    pace: float
    _held: float | None = None
    _started: float = field(default_factory=time.monotonic)

    def __call__(self) -> float:
        if self._held is not None:
            return self._held
        return 1_780_000_000 + (time.monotonic() - self._started) * self.pace

    def hold(self) -> None:
        """At the beginning of a second."""
        self._held = float(int(self()) + 1)

    def go_on(self) -> None:
        assert self._held is not None
        self._started = time.monotonic() - (self._held - 1_780_000_000) / self.pace
        self._held = None

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.pace)


class Gate:
    """Whoever sets a secret waits in front of it until it is opened, for one each time."""

    def __init__(self) -> None:
        self._arrived = asyncio.Semaphore(0)
        self._let_through = asyncio.Semaphore(0)

    async def passes(self) -> None:
        self._arrived.release()
        await self._let_through.acquire()

    async def somebody_waits(self) -> None:
        await self._arrived.acquire()

    def opens(self) -> None:
        self._let_through.release()


@dataclass
class Secret:
    """`versions` and when they were made by id. `deleted`: when that was."""

    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=dict)
    latest: str = ""
    deleted: float | None = None


type Plan = Callable[[web.Request], Fault | None]


@dataclass
class Server:
    """`ids` are those of the coming versions; when there are no more, they are random.

    `listing_takes_s`: a version is there at once, but listed only after that. `seen`: the
    requests of those who had a token, such as `GET /secrets/key-service/versions`.
    """

    folder: Path
    clock: Clock
    recovery_level: str = "CustomizedRecoverable+Purgeable"
    days: int = 7
    deleting_takes_s: float = 0.0
    listing_takes_s: float = 0.0
    ids: Iterator[str] = field(default_factory=lambda: iter(()))
    plan: Plan = lambda _: None
    gate: Gate | None = None
    secrets: dict[str, Secret] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    port: int = 0
    _backwards: bool = False
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def vault(self) -> Vault:
        return Vault(f"https://127.0.0.1:{self.port}", self.folder / "cert.pem", is_emulator=True)

    def next(self, *faults: Fault | None) -> None:
        """These befall the next requests, one each (None: nothing does); then all is well."""
        coming = list(faults)
        self.plan = lambda _: coming.pop(0) if coming else None

    def always(self, fault: Fault | None) -> None:
        self.plan = lambda _: fault

    def values(self) -> list[str]:
        return [v["value"] for s in self.secrets.values() for v in s.versions.values()]

    async def has_listed(self, secret: str, how_often: int) -> None:
        """Wait until the versions of a secret have been asked for so often."""
        while self.seen.count(f"GET /secrets/{secret}/versions") < how_often:
            self._came.clear()
            await self._came.wait()

    # -- how requests come in ---------------------------------------------------------------

    async def take(self, request: web.Request) -> web.StreamResponse:
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            return self._challenge()
        if self.gate and request.method == "PUT":
            await self.gate.passes()
        self.seen.append(f"{request.method} {request.path}")
        self._came.set()
        fault = self.plan(request)
        if fault is None:
            return await self._answer(request)
        if fault.acts:
            await self._answer(request)
        await asyncio.sleep(fault.delay_s)
        if fault.until is not None:
            await fault.until.wait()
        if fault.status:
            return self._refusal(fault.status, fault.code, fault.headers)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    def _challenge(self) -> web.Response:
        asks = (
            f'Bearer authorization="https://login.microsoftonline.com/{TENANT}", '
            'resource="https://vault.azure.net"'
        )
        return self._refusal(401, "Unauthorized", {"WWW-Authenticate": asks})

    async def _answer(self, request: web.Request) -> web.Response:
        kind, name, *rest = request.path.strip("/").split("/")
        if not _NAME.fullmatch(name) or not request.query.get("api-version"):
            return self._refusal(400, "BadParameter")
        name = name.lower()
        self._finish(name)
        if request.method == "PUT":
            return self._set(name, await request.json())
        if kind == "deletedsecrets":
            return self._purge(name) if request.method == "DELETE" else self._get_deleted(name)
        if request.method == "DELETE":
            return self._delete(name)
        return self._list(name, request) if rest == ["versions"] else self._get(name, *rest)

    # -- secrets ----------------------------------------------------------------------------

    def _set(self, name: str, given: Mapping[str, Any]) -> web.Response:
        secret = self.secrets.setdefault(name, Secret())
        if self._is_being_deleted(secret):
            return self._refusal(409, "Conflict", inner="ObjectIsBeingDeleted")
        if secret.deleted is not None:
            return self._refusal(409, "Conflict", inner="ObjectIsDeletedButRecoverable")
        if len(given["value"]) > LONGEST_VALUE:
            return self._refusal(400, "BadParameter")
        id, now = next(self.ids, secrets.token_hex(16)), int(self.clock())
        secret.latest, secret.times[id] = id, self.clock()
        secret.versions[id] = {
            "value": given["value"],
            "id": f"{self.vault.url}/secrets/{name}/{id}",
            "tags": given.get("tags") or {},
            "attributes": {
                "enabled": True,
                "created": now,
                "updated": now,
                "recoveryLevel": self.recovery_level,
                "recoverableDays": self.days,
            },
        }
        return self._json(secret.versions[id])

    def _list(self, name: str, request: web.Request) -> web.Response:
        found = self._there(name)
        shown = self.clock() - self.listing_takes_s
        ids = sorted(id for id in found.versions if found.times[id] <= shown) if found else []
        most = min(int(request.query.get("maxresults", LONGEST_PAGE)), LONGEST_PAGE)
        # In which order is promised nowhere, so it is another each time.
        self._backwards ^= "$skiptoken" not in request.query
        backwards, _, start_text = request.query.get(
            "$skiptoken", f"{self._backwards}.0"
        ).partition(".")
        ids, start = ids[:: -1 if backwards == "True" else 1], int(start_text)
        page = [self._without_value(found.versions[i]) for i in ids[start : start + most] if found]
        following = None
        if start + most < len(ids):
            following = (
                f"{self.vault.url}/secrets/{name}/versions?$skiptoken={backwards}.{start + most}"
            )
        return self._json({"value": page, "nextLink": following})

    def _get(self, name: str, id: str = "") -> web.Response:
        found = self._there(name)
        version = found.versions.get(id or found.latest) if found else None
        if version is None:
            return self._refusal(404, "SecretNotFound")
        if not version["attributes"]["enabled"]:
            return self._refusal(403, "Forbidden", inner="SecretDisabled")
        return self._json(version)

    def _delete(self, name: str) -> web.Response:
        found = self._there(name)
        if found is None:
            return self._refusal(404, "SecretNotFound")
        found.deleted = self.clock()
        return self._json(self._deleted_bundle(name, found))

    def _get_deleted(self, name: str) -> web.Response:
        found = self.secrets.get(name)
        if found is None or found.deleted is None or self._is_being_deleted(found):
            return self._refusal(404, "SecretNotFound")
        return self._json(self._deleted_bundle(name, found))

    def _purge(self, name: str) -> web.Response:
        found = self.secrets.get(name)
        if found is None or found.deleted is None:
            return self._refusal(404, "SecretNotFound")
        if "Purgeable" not in self.recovery_level:
            return self._refusal(403, "Forbidden", inner="PurgeProtected")
        if self._is_being_deleted(found):
            return self._refusal(409, "Conflict", inner="ObjectIsBeingDeleted")
        del self.secrets[name]
        return web.Response(status=204)

    def _there(self, name: str) -> Secret | None:
        found = self.secrets.get(name)
        return found if found and found.deleted is None and found.versions else None

    def _is_being_deleted(self, secret: Secret) -> bool:
        """It is gone at once, but takes a while to be among the deleted."""
        return secret.deleted is not None and (
            self.clock() < secret.deleted + self.deleting_takes_s
        )

    def _finish(self, name: str) -> None:
        """The vault itself purges what it has kept for long enough."""
        found = self.secrets.get(name)
        if found and self.clock() > (found.deleted or self.clock()) + self.days * _DAY_S:
            del self.secrets[name]

    # -- what goes out ----------------------------------------------------------------------

    def _deleted_bundle(self, name: str, secret: Secret) -> dict[str, Any]:
        assert secret.deleted is not None
        return {
            **self._without_value(secret.versions[secret.latest]),
            "recoveryId": f"{self.vault.url}/deletedsecrets/{name}",
            "deletedDate": int(secret.deleted),
            "scheduledPurgeDate": int(secret.deleted) + self.days * _DAY_S,
        }

    @staticmethod
    def _without_value(version: Mapping[str, Any]) -> dict[str, Any]:
        return {name: held for name, held in version.items() if name != "value"}

    def _json(self, content: Mapping[str, Any]) -> web.Response:
        return web.json_response(content, headers=self._date())

    def _refusal(
        self, status: int, code: str, headers: Mapping[str, str] | None = None, inner: str = ""
    ) -> web.Response:
        error: dict[str, Any] = {"code": code, "message": "ZQXJ told by the vault"}
        if inner:
            error["innererror"] = {"code": inner}
        told = {**self._date(), **(headers or {})}
        return web.json_response({"error": error}, status=status, headers=told)

    def _date(self) -> dict[str, str]:
        return {"Date": formatdate(self.clock(), usegmt=True)}


@asynccontextmanager
async def key_vault(folder: Path, pace: float = 50.0) -> AsyncIterator[Server]:
    """A vault with nothing in it, of which `pace` seconds pass in one of ours."""
    write_certificate(folder)
    server = Server(folder, Clock(pace))
    async with AsyncExitStack() as stack:
        shown = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        shown.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", server.take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=shown).start()
        server.port = int(runner.addresses[0][1])
        yield server
