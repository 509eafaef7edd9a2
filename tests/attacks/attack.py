"""What an attack is: something that must fail on ours, and must succeed on a naive store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.attacks.campaign import Campaign
from tests.attacks.stores import OpenStore


@dataclass(frozen=True, slots=True)
class Result:
    """`figure` and `control` are for people to read; `holds` and `is_told` are what counts.

    `is_told`: the same attack succeeded on the naive store, so it can tell one from the other.
    """

    figure: str
    control: str
    holds: bool
    is_told: bool


@dataclass(frozen=True, slots=True)
class Attack:
    """`number` is that of the threat model; `passes` is the criterion in words."""

    number: str
    name: str
    attacker_has: str
    passes: str


@dataclass(frozen=True, slots=True)
class OnCampaigns(Attack):
    """Looks at every campaign by itself (`examine`), then judges all of them together."""

    examine: Callable[[Campaign], Any] = lambda campaign: None
    judge: Callable[[Sequence[Any]], Result] = lambda parts: Result("", "", False, False)


@dataclass(frozen=True, slots=True)
class Staged(Attack):
    """Sets up a small snapshot of its own and does something to it."""

    stage: Callable[[OpenStore, Path], Awaitable[Result]] | None = None
