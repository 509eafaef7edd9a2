"""From an address to somebody who can be written to: what the answers may be.

Whoever sends asks through these callables and does not see what is behind them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from snapshot.sealing import Person


@dataclass(frozen=True, slots=True)
class Nobody:
    """None of the tenants has one account, and one only, for the address."""


@dataclass(frozen=True, slots=True)
class Later:
    """A tenant could not be asked just now; asking again before `until` is of no use."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """A tenant does not let us. It stays so until an administrator there does something."""


@dataclass(frozen=True, slots=True)
class Chat:
    """Teams' id of the private chat between a person and the bot."""

    conversation: str


type Found = Person | Nobody | Later | Refused
type Reached = Chat | Later | Refused

type Resolve = Callable[[str, Sequence[str]], Awaitable[Found]]
"""Whose e-mail address this is, in one of these tenants. Raises nothing."""

type Reach = Callable[[Person], Awaitable[Reached]]
"""The chat with a person, for whom the app is installed if it is not yet. Raises nothing."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """`bot` is what Teams calls us; first messages go to `service_url`, for want of another."""

    resolve: Resolve
    reach: Reach
    tenants: Sequence[str]
    bot: str
    service_url: str
