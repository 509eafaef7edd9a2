"""What somebody attached: fetched from where Teams keeps files, and from nowhere else."""

from __future__ import annotations

from urllib.parse import urlsplit

import aiohttp

from bot.teams.identity import is_loopback
from bot.turns.turn import NoFile

MOST_BYTES = 2 * 1024 * 1024
FETCH_TIMEOUT_S = 10.0

_SHAREPOINT = ".sharepoint.com"
_TEAMS = "smba.trafficmanager.net"


class Files:
    """`from_here`: on this machine too, for local use."""

    def __init__(self, session: aiohttp.ClientSession, *, from_here: bool) -> None:
        self._session = session
        self._from_here = from_here

    async def fetch(self, url: str) -> bytes:
        """Raises `NoFile`."""
        if not is_allowed(url, from_here=self._from_here):
            raise NoFile
        timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
        # What arrives compressed may be a bomb.
        headers = {"Accept-Encoding": "identity"}
        try:
            async with self._session.get(
                url, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                if answer.status != 200 or "Content-Encoding" in answer.headers:
                    raise NoFile
                return await _read(answer.content)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NoFile from error


def is_allowed(url: str, *, from_here: bool) -> bool:
    """Whether a file may be fetched from there; `from_here`: from this machine too."""
    try:
        parts = urlsplit(url)
        is_plain = parts.port in (None, 443) and not parts.username and not parts.password
    except ValueError:
        return False
    if from_here and is_loopback(url):
        return parts.scheme in ("http", "https")
    host = parts.hostname or ""
    is_theirs = host.endswith(_SHAREPOINT) or host == _TEAMS
    return parts.scheme == "https" and is_plain and is_theirs


async def _read(content: aiohttp.StreamReader) -> bytes:
    """Raises `NoFile` as soon as it is too much."""
    read = bytearray()
    async for part in content.iter_chunked(64 * 1024):
        read += part
        if len(read) > MOST_BYTES:
            raise NoFile
    return bytes(read)
