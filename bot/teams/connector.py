"""Teams' REST API: messages that we send, through one shared HTTP session."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import quote

import aiohttp
import orjson

SEND_TIMEOUT_S = 10.0


class DeliveryError(Exception):
    """Teams did not take a message. `status` is HTTP's, or 0 when there was no answer."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class Connector:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, service_url: str, conversation: str, activity: dict[str, Any]) -> str:
        """Post a message to a conversation and return its id. Raises `DeliveryError`.

        With a bare channel id it begins a new thread; with `;messageid=` it goes into one.
        """
        found = await self._call("POST", service_url, conversation, "/activities", activity)
        return cast(str, found.get("id", ""))

    async def update(
        self, service_url: str, conversation: str, id: str, activity: dict[str, Any]
    ) -> str:
        """Put another message in the place of one that we sent. Raises `DeliveryError`."""
        rest = f"/activities/{quote(id, safe='')}"
        found = await self._call("PUT", service_url, conversation, rest, activity)
        return cast(str, found.get("id", ""))

    async def member(self, service_url: str, conversation: str, id: str) -> dict[str, Any]:
        """What Teams knows of somebody there, such as `email`. Raises `DeliveryError`."""
        return await self._call("GET", service_url, conversation, f"/members/{quote(id, safe='')}")

    async def _call(
        self,
        method: str,
        service_url: str,
        conversation: str,
        rest: str,
        activity: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        base = service_url.rstrip("/")
        url = f"{base}/v3/conversations/{quote(conversation, safe='')}{rest}"
        timeout = aiohttp.ClientTimeout(total=SEND_TIMEOUT_S)
        headers = {"Content-Type": "application/json"}
        body = None if activity is None else orjson.dumps(activity)
        try:
            async with self._session.request(
                method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                if answer.status >= 300:
                    raise DeliveryError(answer.status)
                return cast(dict[str, Any], orjson.loads(await answer.read() or b"{}"))
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as error:
            raise DeliveryError(0) from error
