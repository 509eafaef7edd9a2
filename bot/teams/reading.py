"""What others answer, read as far as we want it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp


async def start_of(content: aiohttp.StreamReader, most: int) -> bytes:
    """All of it, up to so many bytes.

    `content.read` stops at what the network happens to have brought by then.
    """
    read = bytearray()
    while len(read) < most and (part := await content.read(most - len(read))):
        read += part
    return bytes(read)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds, or a date, counted from that of the answer: our own clock may differ."""
    value = headers.get("Retry-After", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        at, now = _date(value), _date(headers.get("Date", "")) or datetime.now(UTC)
        return max(0.0, (at - now).total_seconds()) if at else None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _date(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
