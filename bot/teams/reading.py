"""What others answer, read as far as we want it."""

from __future__ import annotations

import aiohttp


async def start_of(content: aiohttp.StreamReader, most: int) -> bytes:
    """All of it, up to so many bytes.

    `content.read` stops at what the network happens to have brought by then.
    """
    read = bytearray()
    while len(read) < most and (part := await content.read(most - len(read))):
        read += part
    return bytes(read)
