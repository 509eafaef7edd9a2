"""Calls to Cosmos DB that end in time, and what becomes of those that fail.

The client's own retries are switched off (`cosmos_opening`): they may take half a minute, while
somebody waits in front of a card, and they send a write again when the connection broke after the
server had acted. Below it, aiohttp still sends a read, replace or delete once more when a kept
connection turns out to be broken; so whoever writes looks whether they have done it already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.cosmos.exceptions import CosmosHttpResponseError

from snapshot.ports import Unavailable
from storage.errors import Refused

VERB_S = 1.4
"""How long one verb may take in all: a turn reads and writes, and must answer within 3 s."""

ATTEMPT_S = 1.0
"""How long one request may take. Cosmos DB answers within 10 ms, a new connection within 200.

Much less would count the time that a request waits for its turn in a busy process, and turn a
crowd of 800 at once into requests that are sent twice.
"""

ATTEMPTS = 4
PAUSE_S = 0.05
"""Before the second attempt where the server names no time; then twice as long each time."""

NOTHING_HEARD = 0
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, STALE = 401, 403, 404, 409, 412

# Request timeout, gone (the partition moves), too many requests, retry with; all 5xx besides.
_PASSING = (NOTHING_HEARD, 408, 410, 429, 449)
# Of 403: the region takes no writes at the moment, the account is just failing over to another.
_FAILING_OVER = (3, 1008)
# Of 404: a replica that lags behind the session. Anything but 0 is about more than the item.
_LAGGING = 1002


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer other than success; `status` is `NOTHING_HEARD` where there was none."""

    status: int
    substatus: int = 0
    wait_s: float | None = None

    @property
    def passes(self) -> bool:
        """Whether the same call may well succeed in a moment."""
        return (
            self.status in _PASSING
            or self.status >= 500
            or (self.status == FORBIDDEN and self.substatus in _FAILING_OVER)
            or (self.status == NOT_FOUND and self.substatus == _LAGGING)
        )

    @property
    def is_missing(self) -> bool:
        """The item is not there; with a substatus, it is the container that is gone."""
        return self.status == NOT_FOUND and not self.substatus

    def __str__(self) -> str:
        if self.status == NOTHING_HEARD:
            return "Cosmos DB did not answer in time"
        return f"Cosmos DB answered {self.status}/{self.substatus}"


class Patience:
    """The time that one verb has for all its calls."""

    def __init__(self, limit_s: float = VERB_S, attempt_s: float = ATTEMPT_S) -> None:
        self._attempt_s = attempt_s
        self._until = asyncio.get_running_loop().time() + limit_s

    async def call[T](self, work: Callable[[], Awaitable[T]]) -> T | Failure:
        """What `work` gives, or why the store said no: `NOT_FOUND`, `CONFLICT`, `STALE`.

        Raises `Unavailable` when the time or the attempts are used up, `Refused` for any other
        answer. An attempt may find that an earlier one has done the work already.
        """
        found = await self._try(work)
        if not isinstance(found, Failure):
            return found
        # Raised here and not where it was caught: no error of the client hangs on ours, since
        # those hold requests, and requests hold bodies and tokens.
        if found.passes:
            raise Unavailable(str(found))
        if found.is_missing or found.status in (CONFLICT, STALE):
            return found
        raise Refused(str(found))

    async def _try[T](self, work: Callable[[], Awaitable[T]]) -> T | Failure:
        found: T | Failure = Failure(NOTHING_HEARD)
        for attempt in range(ATTEMPTS):
            found = await once(work, min(self._attempt_s, self._left_s))
            if not isinstance(found, Failure) or not found.passes:
                return found
            pause_s = PAUSE_S * 2**attempt if found.wait_s is None else found.wait_s
            if pause_s >= self._left_s or attempt + 1 == ATTEMPTS:
                break
            await asyncio.sleep(pause_s)
        return found

    @property
    def _left_s(self) -> float:
        return self._until - asyncio.get_running_loop().time()


async def once[T](work: Callable[[], Awaitable[T]], limit_s: float) -> T | Failure:
    try:
        async with asyncio.timeout(limit_s):
            return await work()
    except CosmosHttpResponseError as error:
        return _failure(error)
    except ClientAuthenticationError:
        return Failure(UNAUTHORIZED)
    except (AzureError, aiohttp.ClientError, OSError):  # TimeoutError is an OSError
        return Failure(NOTHING_HEARD)


def _failure(error: CosmosHttpResponseError) -> Failure:
    return Failure(error.status_code or NOTHING_HEARD, error.sub_status or 0, _wait_s(error))


def _wait_s(error: CosmosHttpResponseError) -> float | None:
    """How long the server wants us to wait; None where it does not say."""
    headers = error.headers or {}
    for name, seconds in (("x-ms-retry-after-ms", 0.001), ("Retry-After", 1.0)):
        try:
            return max(0.0, float(headers[name]) * seconds)
        except (KeyError, ValueError):
            continue
    return None
