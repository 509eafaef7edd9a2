"""What Teams sends, as checked JSON. By itself: Bot Framework takes a second to import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

CHANNEL = "msteams"
_MOST_CHARACTERS = 2_048


class BadActivity(Exception):
    """The body is not an activity that Teams sends; it is answered with 400."""


def read_body(raw: bytes) -> Mapping[str, Any]:
    """Raises `BadActivity`."""
    try:
        return mapping(orjson.loads(raw))
    except orjson.JSONDecodeError:
        raise BadActivity("not JSON") from None


def tenants_in(body: Mapping[str, Any]) -> set[str]:
    """Every tenant that an activity names. Raises `BadActivity`."""
    data = mapping(body.get("channelData") or {})
    places = (
        (mapping(body.get("conversation")), "tenantId"),
        (mapping(data.get("tenant") or {}), "id"),
    )
    return {text_of(fields, key, "").lower() for fields, key in places} - {""}


def mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadActivity("an object was expected")
    return value


def text_of(
    fields: Mapping[str, Any],
    key: str,
    default: str | None = None,
    most: int = _MOST_CHARACTERS,
) -> str:
    value = fields.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise BadActivity(f"{key} must be a text")
    # What people type may be long and is cut; an id that long is none.
    if len(value) > most:
        if key != "text":
            raise BadActivity(f"{key} is too long")
        return value[:most]
    return value
