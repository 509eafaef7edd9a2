"""Who belongs to a conversation: asked of Teams, and remembered for some minutes.

A shared card can be forwarded, and whoever has left a channel may still have it open.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bot.turns.turn import Address
from snapshot.sealing import Person

KNOWN_S = 600.0
"""Minutes, not days: somebody who was taken out of a channel is out soon."""

KNOWN_AT_MOST_S = 3600.0
"""For so long, whoever belonged does still if Teams cannot tell."""

MOST_REMEMBERED = 5_000

_OUTSIDE = ("guest", "anonymous")
_GUEST_IN_NAME = "#ext#"


class NotThere(Exception):
    """Teams knows nobody of that id in the conversation."""


class NotTold(Exception):
    """Teams did not answer."""


class Standing(StrEnum):
    MEMBER = "member"
    ABSENT = "absent"
    GUEST = "guest"
    UNKNOWN = "unknown"


type Ask = Callable[[Address, str], Awaitable[Mapping[str, Any]]]
"""What Teams says of somebody in a conversation. Raises `NotThere`, `NotTold`."""


@dataclass(frozen=True, slots=True)
class _Known:
    standing: Standing
    at: float


class Roster:
    """`seconds` is a clock that never goes back."""

    def __init__(self, ask: Ask, seconds: Callable[[], float]) -> None:
        self._ask = ask
        self._seconds = seconds
        self._known: dict[tuple[str, Person], _Known] = {}

    async def standing(
        self, address: Address, id: str, person: Person, is_for: Callable[[str], bool]
    ) -> Standing:
        """`id`: what Teams calls them. `is_for`: whose organisations' people may take part."""
        key, now = (address.conversation, person), self._seconds()
        known = self._known.get(key)
        if known and now - known.at < KNOWN_S:
            return known.standing
        try:
            found = _standing(await self._ask(address, id), person, is_for)
        except NotThere:
            found = Standing.ABSENT
        except NotTold:
            is_fresh = known is not None and now - known.at < KNOWN_AT_MOST_S
            return known.standing if known and is_fresh else Standing.UNKNOWN
        self._known.pop(key, None)
        if found is Standing.MEMBER:  # the others may be put right at any moment
            self._known[key] = _Known(found, now)
            if len(self._known) > MOST_REMEMBERED:
                del self._known[next(iter(self._known))]
        return found


def is_about(said: Mapping[str, Any], person: Person) -> bool:
    """Whether what Teams says of an id in a conversation is said of this person."""
    object_id = _text(said, "aadObjectId") or _text(said, "objectId")
    return object_id.lower() == person.object_id


def _standing(said: Mapping[str, Any], person: Person, is_for: Callable[[str], bool]) -> Standing:
    """Of a guest, Teams says so by role or by a name that was made for them."""
    if not is_about(said, person):
        return Standing.ABSENT
    tenant = _text(said, "tenantId").lower() or person.tenant
    role, name = _text(said, "userRole").lower(), _text(said, "userPrincipalName").lower()
    if role in _OUTSIDE or _GUEST_IN_NAME in name or not is_for(tenant):
        return Standing.GUEST
    return Standing.MEMBER


def _text(said: Mapping[str, Any], key: str) -> str:
    found = said.get(key)
    return found if isinstance(found, str) else ""
