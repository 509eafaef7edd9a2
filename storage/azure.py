"""What our clients for Azure's services share: how they sign in, and whom they trust."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport

from storage.errors import Unusable


# Its package hands it out lazily, hence without a type.
class _Transport(AioHttpTransport):  # type: ignore[misc]
    async def send(self, request: Any, **config: Any) -> Any:
        # For loopback addresses the client of Cosmos DB would not look at certificates at all, and
        # with a certificate file any would open a new connection for each request. The session
        # looks at them.
        return await super().send(request, **{**config, "connection_verify": True})


def transport(url: str, ca_file: Path | None, setting: str) -> Any:
    """Who closes the client that it is given to closes it too.

    `ca_file`, which `setting` names, replaces the machine's own list. Raises `Unusable`.
    """
    try:
        trusted = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise Unusable(f"{setting} cannot be read as a certificate") from None
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=trusted),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # the client does it
        # Asked once: with `trust_env`, each request would look through the environment and for a
        # file of passwords, in other threads, which takes a third of the CPU of a read or write.
        proxy=_proxy_to(url),
    )
    return _Transport(session=session)


def _proxy_to(url: str) -> str | None:
    """The proxy that the environment (`HTTPS_PROXY`, `NO_PROXY`) or the system names, if any."""
    host = urlsplit(url).netloc
    return None if proxy_bypass(host) else getproxies().get("https")


def entra() -> Any:
    """The managed identity of the machine, or whoever is signed in on a desk."""
    # Imported late: it is large, and emulators do without.
    from azure.identity.aio import DefaultAzureCredential

    return DefaultAzureCredential()
