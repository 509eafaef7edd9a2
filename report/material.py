"""What a report is made of. All of it has been published, or agreed by partners who said so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from snapshot.advice import Library
from snapshot.detail import Detail
from snapshot.disclosure import Summary
from snapshot.findings import Findings
from snapshot.instrument import DomainId
from snapshot.plan import Plan
from snapshot.snapshot import Snapshot
from snapshot.wording import Pack


@dataclass(frozen=True, slots=True)
class Voice:
    """What moderators let through of one domain's comments.

    `comments` only where they are enough to be quoted. Otherwise, where `is_heard`, there are some,
    and `theme` sums them up once moderators have.
    """

    comments: tuple[str, ...] = ()
    theme: str = ""
    is_heard: bool = False


@dataclass(frozen=True, slots=True)
class Material:
    """What the report says, and nothing else of a snapshot.

    `voices`: of the domains that were commented on. `earlier`: the month that is compared with.
    `plan`: as facilitators had filled it by then. `closed` is the day of the close, and the only
    date that the files themselves carry.
    """

    snapshot: Snapshot
    closed: date
    pack: Pack
    library: Library
    summary: Summary
    detail: Detail
    findings: Findings
    voices: Mapping[DomainId, Voice] = field(default_factory=dict)
    offered_comments: bool = False
    earlier: str = ""
    plan: Plan = field(default_factory=Plan)
