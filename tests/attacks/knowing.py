"""T15: a colleague knows some answers of somebody, has all slips, and wants to know the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from snapshot.instrument import DomainId, OptionId
from tests.attacks.attack import OnCampaigns, Result
from tests.attacks.campaign import Campaign
from tests.attacks.people import instrument
from tests.attacks.seen import Choices, Scene, Slip, Someone, scene

KNOWN = 4
"""So many answers of one domain are known: all of a shorter one."""


@dataclass(frozen=True, slots=True)
class Known:
    """Shares of slips of other domains that were found: by the target's mood, and by lots.

    `rows`: had whole rows been kept.
    """

    right: float
    chance: float
    rows: float


def examine(campaign: Campaign) -> Known:
    seen, dice = scene(campaign), Random(campaign.seed)
    right = chance = rows = pairs = 0.0
    for someone in seen.people:
        domain = dice.choice(instrument().domains).id
        knows = seen.truth[someone.name][domain][:KNOWN]
        rows += _row(seen, someone, domain, knows)
        for other in (d.id for d in instrument().domains if d.id != domain):
            said = seen.truth[someone.name][other]
            line = [s for s in seen.slips if s.batch == someone.batch and s.domain == other]
            right += _guess(line, knows, dice).choices == said
            chance += sum(s.choices == said for s in line) / len(line)
            pairs += 1
    return Known(right / pairs, chance / pairs, rows / len(seen.people))


def _guess(line: Sequence[Slip], knows: Choices, dice: Random) -> Slip:
    """The slip whose mean score is nearest: moods go through all that somebody says."""
    mood = _score(knows)
    if mood is None:
        return dice.choice(line)
    return min(line, key=lambda s: (abs((_score(s.choices) or 50) - mood), s.id))


def _score(choices: Iterable[OptionId]) -> float | None:
    scores = instrument().scores
    found = [float(scores[c]) for c in choices if c in scores]
    return sum(found) / len(found) if found else None


def _row(seen: Scene, someone: Someone, domain: DomainId, knows: Choices) -> float:
    """With rows, whoever fits what is known is one of so many; their other answers lie beside."""
    fits = [
        p.name
        for p in seen.people
        if p.batch == someone.batch and seen.truth[p.name][domain][:KNOWN] == knows
    ]
    return 1 / len(fits)


def judge(parts: Sequence[Known]) -> Result:
    right, chance, rows = (
        sum(getattr(p, f) for p in parts) / len(parts) for f in ("right", "chance", "rows")
    )
    return Result(
        f"{100 * right:.0f} % of the slips of other domains found, {100 * chance:.0f} % by chance",
        f"whole rows: {100 * rows:.0f} % found",
        right < 3 * chance and right < 0.3,
        rows > 0.6,
    )


KNOWING = OnCampaigns(
    "T15",
    "Four answers of somebody are known",
    "all slips, who was in which batch, and four answers to one domain",
    "of other domains less than 30 % found, and less than three times what chance gives",
    examine=examine,
    judge=judge,
)
