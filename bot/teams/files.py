"""Files: fetched from where Teams keeps them, put into a person's own, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import aiohttp

from bot.teams.hosts import is_loopback
from bot.teams.reading import start_of
from bot.turns.turn import NoFile, NotTaken
from storage.proxy import proxy_to

MOST_BYTES = 2 * 1024 * 1024
FETCH_TIMEOUT_S = 10.0

MOST_BYTES_PUT = 16 * 1024 * 1024
PUT_TIMEOUT_S = 30.0

_GONE = (401, 403, 404, 410)
"""The address is no longer, or never was, one to put this file at."""

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
                url, proxy=proxy_to(url), headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                if answer.status != 200 or "Content-Encoding" in answer.headers:
                    raise NoFile
                found = await start_of(answer.content, MOST_BYTES + 1)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NoFile from error
        if len(found) > MOST_BYTES:
            raise NoFile
        return found

    async def put(self, url: str, content: bytes) -> None:
        """Raises `NotTaken`."""
        size = len(content)
        if not 0 < size <= MOST_BYTES_PUT or not is_own(url, from_here=self._from_here):
            raise NotTaken(is_gone=False)
        timeout = aiohttp.ClientTimeout(total=PUT_TIMEOUT_S)
        headers = {
            "Content-Range": f"bytes 0-{size - 1}/{size}",
            "Content-Type": "application/octet-stream",
        }
        try:
            async with self._session.put(
                url,
                proxy=proxy_to(url),
                data=content,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                if answer.status not in (200, 201):  # 202: a part of it is still missing
                    raise NotTaken(is_gone=answer.status in _GONE)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise NotTaken(is_gone=False) from error


def is_allowed(url: str, *, from_here: bool) -> bool:
    """Whether a file may be fetched from there; `from_here`: from this machine too."""
    return _is_at(url, lambda host: host.endswith(_SHAREPOINT) or host == _TEAMS, from_here)


def is_own(url: str, *, from_here: bool) -> bool:
    """Whether that is in the OneDrive of somebody at work or school, where a file may be put."""
    return _is_at(url, lambda host: host.endswith(_SHAREPOINT), from_here)


def _is_at(url: str, is_theirs: Callable[[str], bool], from_here: bool) -> bool:
    try:
        parts = urlsplit(url)
        is_plain = parts.port in (None, 443) and not parts.username and not parts.password
    except ValueError:
        return False
    if from_here and is_loopback(url):
        return parts.scheme in ("http", "https")
    return parts.scheme == "https" and is_plain and is_theirs(parts.hostname or "")
