"""Calls to Key Vault: how long we try, and what its refusals mean."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from snapshot.ports import KeysUnavailable

VERB_S = 10.0
"""How long one verb may take in all; what has to be waited for the vault's clock is within it."""

ATTEMPT_S = 4.0
DESTROY_S = 30.0
"""A vault may take some seconds to delete, and nobody waits in front of a card."""

PAUSE_S = 0.25
"""Before the second attempt; then twice as long each time, unless the vault says how long."""

ROLE = "Key Vault Secrets Officer"

NOTHING_HEARD = 0
UNAUTHORIZED = 401
FORBIDDEN = 403
NOT_FOUND = 404
CONFLICT = 409
THROTTLED = 429

RECOVERABLE = "ObjectIsDeletedButRecoverable"
_DISABLED = "SecretDisabled"
_PASSING = (NOTHING_HEARD, 408, THROTTLED)
_NETWORK = ("ForbiddenByFirewall", "ForbiddenByConnection")
_CODE = re.compile(r"[A-Za-z]{1,60}")


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer other than success; `status` is `NOTHING_HEARD` where there was none.

    `code`: the vault's own word for it, such as `ForbiddenByFirewall`.
    """

    status: int
    code: str = ""
    wait_s: float | None = None

    @property
    def passes(self) -> bool:
        """Whether the same call may well succeed in a moment."""
        # Other conflicts than this one: being deleted, purged or recovered just now.
        is_busy = self.status == CONFLICT and self.code != RECOVERABLE
        return self.status in _PASSING or self.status >= 500 or is_busy

    @property
    def is_answer(self) -> bool:
        """Whether it tells something about the secret, and not about the call."""
        return self.status == NOT_FOUND or self.code == RECOVERABLE

    def __str__(self) -> str:
        if self.status == NOTHING_HEARD:
            return (
                "the key vault did not answer in time: look at the network, at its address in "
                "SNAPSHOT_KEYS, and at SNAPSHOT_KEYS_CA_FILE if that is set"
            )
        if self.status == THROTTLED:
            return "the key vault was asked too much: try again in a minute"
        if self.status == UNAUTHORIZED:
            return "the key vault does not know us: look at the bot's identity and its tenant"
        if self.code in _NETWORK:
            return "the key vault's network rules keep this machine out: let it in"
        if self.code == _DISABLED:
            return "a version of the secret has been disabled in the key vault: enable it"
        if self.status == FORBIDDEN:
            return f"this identity may not do that in the key vault: it needs the role {ROLE}"
        return f"the key vault answered {self.status} {self.code}".rstrip()


class Patience:
    """The time that one verb has for all that it does. `wait` sleeps for so many seconds."""

    def __init__(
        self,
        wait: Callable[[float], Awaitable[None]],
        limit_s: float,
        attempt_s: float,
    ) -> None:
        self._wait = wait
        self._attempt_s = attempt_s
        self._until = asyncio.get_running_loop().time() + limit_s

    async def call[T](
        self, work: Callable[[], Awaitable[T]], *, but: Collection[int] = ()
    ) -> T | Failure:
        """What `work` gives; or that the secret is missing, or deleted but recoverable.

        Raises `KeysUnavailable` for any other answer (`but` those of these statuses), or when the
        time is used up. An attempt may find that an earlier one has done the work already.
        """
        pause_s = PAUSE_S / 2
        while isinstance(found := await _once(work, min(self._attempt_s, self._left_s)), Failure):
            if not found.passes:
                break
            pause_s = pause_s * 2 if found.wait_s is None else found.wait_s
            if pause_s >= self._left_s:
                break
            await asyncio.sleep(pause_s)
        # Raised here and not where it was caught: no error of the client hangs on ours, since
        # those hold requests, and requests hold keys and tokens.
        if isinstance(found, Failure) and not (found.is_answer or found.status in but):
            raise KeysUnavailable(str(found))
        return found

    async def wait(self, seconds: float) -> None:
        if seconds >= self._left_s:
            raise KeysUnavailable("the key vault is being written to all the time: try again")
        await self._wait(seconds)

    @property
    def _left_s(self) -> float:
        return self._until - asyncio.get_running_loop().time()


async def _once[T](work: Callable[[], Awaitable[T]], limit_s: float) -> T | Failure:
    try:
        async with asyncio.timeout(limit_s):
            return await work()
    except ClientAuthenticationError:
        return Failure(UNAUTHORIZED)
    except HttpResponseError as error:
        return _failure(error)
    except (AzureError, aiohttp.ClientError, OSError):  # TimeoutError is an OSError
        return Failure(NOTHING_HEARD)
    except ValueError:  # how the client says that whoever answers is not the vault of this address
        return Failure(UNAUTHORIZED)


def _failure(error: HttpResponseError) -> Failure:
    response: Any = error.response
    if response is None:
        return Failure(NOTHING_HEARD)
    return Failure(response.status_code, _code(response), _wait_s(response.headers))


def _code(response: Any) -> str:
    """The innermost of the codes that an answer holds. Its message is left: it may quote."""
    try:
        found = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return ""
    code = ""
    while isinstance(found, Mapping):
        code, found = found.get("code") or code, found.get("innererror")
    return code if _CODE.fullmatch(str(code)) else ""


def _wait_s(headers: Mapping[str, str]) -> float | None:
    """How long the vault wants us to wait; None where it does not say."""
    try:
        return max(0.0, float(headers["Retry-After"]))
    except (KeyError, ValueError):
        return None
