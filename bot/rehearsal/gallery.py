"""Every card that somebody saw, once, in the order in which they came up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice

from bot.rehearsal.teams import Json, Shown

_FIRST_TEXTS = 5
_OF_A_STATEMENT = 4
"""So many texts tell one card of a private chat from another; what follows is somebody's own."""


class Viewer(StrEnum):
    PRACTITIONER = "A practitioner, in a private chat"
    LEAD = "A safeguarding lead, in a private chat"
    FACILITATOR = "The facilitator who asked, in their channel"
    FACILITATORS = "Everybody in the facilitators' channel"
    FACILITATOR_ALONE = "The facilitator, in a private chat"
    PARTNER = "A strategic partner, in the session"
    MODERATOR = "The moderator who asked, in their channel"
    MODERATORS = "Everybody in the moderators' channel"


_SHARED = (Viewer.FACILITATOR, Viewer.FACILITATORS, Viewer.MODERATORS)


@dataclass
class Hung:
    """A card, when it was first seen, by whom, and what had led to it. `times` it was seen."""

    card: Json
    at: datetime
    act: str
    viewer: Viewer
    cause: str
    times: int = 0

    @property
    def title(self) -> str:
        """Its first line, without marks, and more of them where it is short."""
        line = ""
        for text in Shown(self.card).words.splitlines():
            if text.strip() and len(line) < _SHORT:
                line = f"{line} · {text.strip()}" if line else text.strip()
        line = line.replace("*", "").replace("\\", "")
        return line if len(line) <= _LONGEST else f"{line[:_LONGEST].rsplit(' ', 1)[0]} …"


_SHORT, _LONGEST = 65, 130


@dataclass
class Gallery:
    """`act` is what the story is at."""

    act: str = ""
    _hung: dict[tuple[str, ...], Hung] = field(default_factory=dict)

    def note(self, card: Json, at: datetime, viewer: Viewer, cause: str) -> None:
        key = (viewer, str(card.get("lang")), *_look_of(card, viewer))
        if key not in self._hung:
            self._hung[key] = Hung(card, at, self.act, viewer, cause)
        self._hung[key].times += 1

    def __iter__(self) -> Iterator[Hung]:
        return iter(self._hung.values())

    def __len__(self) -> int:
        return len(self._hung)


def _look_of(card: Json, viewer: Viewer) -> tuple[str, ...]:
    """What cards have in common that count as the same one.

    What is posted, and what facilitators see, is kept whenever a word of it differs. A card in a
    private chat also holds what one person chose or wrote: one example of each is enough, and of
    what partners see, one for each statement.
    """
    shown = Shown(card)
    if viewer in _SHARED:
        return (shown.words, *shown.buttons)
    texts = (line for line in shown.words.splitlines() if line.strip())
    if viewer is Viewer.PARTNER:
        return (*islice(texts, _OF_A_STATEMENT),)
    return (*islice(texts, _FIRST_TEXTS), *shown.buttons)
