"""Words as they can be printed: without what no file may hold, and told which way they run."""

from __future__ import annotations

import re
import unicodedata

_NEVER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""No XML holds these, and nobody can see them."""


def plain(text: str) -> str:
    """With one kind of line break."""
    return _NEVER.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def runs_left(text: str) -> bool:
    """Whether it is read from right to left: the first letter with a direction says so."""
    for character in text:
        direction = unicodedata.bidirectional(character)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False
