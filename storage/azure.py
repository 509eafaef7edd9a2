"""What our clients for Azure's services share: how they sign in, and whom they trust."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakSet

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport

from storage.errors import Unusable
from storage.proxy import proxy_to


# Its package hands it out lazily, hence without a type.
class _Transport(AioHttpTransport):  # type: ignore[misc]
    async def send(self, request: Any, **config: Any) -> Any:
        # For loopback addresses the client of Cosmos DB would not look at certificates at all, and
        # with a certificate file any would open a new connection for each request. The session
        # looks at them.
        return await super().send(request, **{**config, "connection_verify": True})


class _ToEntra(_Transport):
    """By itself it would take `HTTP_PROXY` for the machine's identity, which no proxy can ask."""

    def __init__(self) -> None:
        super().__init__(use_env_settings=False)

    async def send(self, request: Any, **config: Any) -> Any:
        return await super().send(request, **{**config, "proxy": proxy_to(request.url)})


class Connections(aiohttp.TCPConnector):
    """`close` ends those too whose request was given up, and waits until they have ended.

    Of these aiohttp itself keeps no note: each goes on saying goodbye, for up to half a minute to
    a server that does not listen, when the client has ended and perhaps the event loop as well.
    """

    END_S = 1.0
    _LOOK_S = 0.005

    def __init__(self, trusted: ssl.SSLContext) -> None:
        super().__init__(ssl=trusted, socket_factory=self._make)
        self._made: WeakSet[socket.socket] = WeakSet()

    def _make(self, address: aiohttp.AddrInfoType) -> socket.socket:
        family, type, protocol, *_ = address
        made = socket.socket(family, type, protocol)
        self._made.add(made)
        return made

    async def close(self, *, abort_ssl: bool = False) -> None:
        await super().close(abort_ssl=abort_ssl)
        for each in self._open():
            with suppress(OSError):  # it has ended just now
                each.shutdown(socket.SHUT_RDWR)
        for _ in range(round(self.END_S / self._LOOK_S)):
            if not self._open():
                break
            await asyncio.sleep(self._LOOK_S)

    def _open(self) -> list[socket.socket]:
        return [each for each in self._made if each.fileno() != -1]


def transport(url: str, ca_file: Path | None, setting: str) -> Any:
    """Who closes the client that it is given to closes it too.

    `ca_file`, which `setting` names, replaces the machine's own list. Raises `Unusable`.
    """
    try:
        trusted = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise Unusable(f"{setting} cannot be read as a certificate") from None
    session = aiohttp.ClientSession(
        connector=Connections(trusted),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # the client does it
        # Asked once: with `trust_env`, each request would look through the environment and for a
        # file of passwords, in other threads, which takes a third of the CPU of a read or write.
        proxy=proxy_to(url),
    )
    return _Transport(session=session)


def entra() -> Any:
    """The managed identity of the machine, or whoever is signed in on a desk."""
    # Imported late: it is large, and emulators do without.
    from azure.identity.aio import DefaultAzureCredential

    return DefaultAzureCredential(transport=_ToEntra())
