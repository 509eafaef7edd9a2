"""What comes in and what goes out, in our own terms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from cards.parts import Card
from snapshot.errors import NotOffered
from snapshot.sealing import Person

_MOST_CHARACTERS = 200

MOST_TYPED = 4_000
"""Characters of what was typed that we look at: any input of ours holds fewer."""


class Place(StrEnum):
    PRIVATE = "private"
    CHANNEL = "channel"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Address:
    """Where something can be sent later, without a thread: a post there begins a new one.

    `team`: what Teams calls the team that a channel belongs to; empty: it has not said so yet.
    """

    service_url: str
    conversation: str
    bot: str
    tenant: str
    team: str = ""

    def is_same_place(self, other: Address | None) -> bool:
        """The service URL may change with the region; the place stays what it is."""
        return other is not None and (self.tenant, self.conversation) == (
            other.tenant,
            other.conversation,
        )

    def as_json(self) -> dict[str, str]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, str]) -> Self:
        return cls(**value)


@dataclass(frozen=True, slots=True)
class File:
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Offer:
    """A file that somebody may have, of about so many bytes; `about` comes back with their choice.

    Only in a private chat.
    """

    name: str
    description: str
    size: int
    about: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody chose of an offer; none of it is to be trusted.

    `upload`: where the file is to be put, which is a secret; empty: they do not want it. The rest
    is what Teams wants to hear of it then: the file's name there, its id, kind and address.
    """

    about: Mapping[str, Any]
    upload: str = ""
    name: str = ""
    id: str = ""
    kind: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """A file that lies among somebody's own files now."""

    name: str
    id: str
    kind: str
    url: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that one person did. `person` comes from the verified activity alone.

    `id` is what Teams calls them there.

    `verb` is that of a pressed button (None: none was) and `data` what came with it, none of it
    to be trusted; `words` are what was typed, without mentions, and `file` the address of what was
    attached. `locale` is that of their Teams. `consent` is an answer to an offer.
    """

    person: Person
    place: Place
    address: Address
    verb: str | None = None
    words: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    installed: bool = False
    locale: str = ""
    file: str = ""
    consent: Consent | None = None
    id: str = ""

    def text(self, key: str) -> str:
        """A value that the card sent. Raises `NotOffered` for what no card of ours sends."""
        value = self.data.get(key)
        if not isinstance(value, str) or not 0 < len(value) <= _MOST_CHARACTERS:
            raise NotOffered
        return value

    def number(self, key: str) -> int:
        """Raises `NotOffered`."""
        value = self.data.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise NotOffered
        return value

    def typed(self, key: str, most: int = MOST_TYPED) -> str:
        """What was typed into an input, cut where it is too long; an empty one does not arrive.

        Raises `NotOffered` for what no input holds.
        """
        value = self.data.get(key, "")
        if not isinstance(value, str):
            raise NotOffered
        return value[:most]

    def is_set(self, key: str) -> bool:
        return self.data.get(key) is True


class NoFile(Exception):
    """What somebody attached cannot be had: too large, too slow, gone, or not where files are."""


class NotMade(Exception):
    """A file could not be made, for a reason that is ours."""


class NotTaken(Exception):
    """A file could not be put where it was wanted. `is_gone`: nor can it be there later."""

    def __init__(self, *, is_gone: bool) -> None:
        super().__init__()
        self.is_gone = is_gone


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a message of ours stands. `conversation` names its thread, too."""

    service_url: str
    conversation: str
    id: str

    def as_json(self) -> dict[str, str]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, str]) -> Self:
        return cls(**value)


@dataclass(frozen=True, slots=True)
class Reply:
    """A card: in place of the one whose button was pressed, or as a message of its own.

    `toast` is all that a phone or a screen in a classroom may show of it. Each of `files` follows
    in a message of its own. `sent` hears where the message stands, if it is one.
    """

    card: Card
    toast: str
    files: tuple[Offer | Given, ...] = ()
    sent: Callable[[Posted], Awaitable[None]] | None = None
