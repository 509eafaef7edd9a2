"""What has to hold of a run of messages, read from the stand-in's own log of calls."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from bot.rehearsal.teams import Call, Trouble

MOST_A_SECOND = 40

CUT = Trouble(taken=True)
"""It took the message, and the acknowledgement was lost."""


@dataclass
class Weather:
    """What befalls calls, by shares; `blocked` chats answer 403 each time.

    It is over after so many calls that something has befallen.
    """

    dice: Random
    shares: Mapping[Trouble, float]
    blocked: Collection[str] = ()
    over_after: float = math.inf

    def __call__(self, conversation: str) -> Trouble | None:
        if conversation in self.blocked:
            return Trouble(403, code="ConversationBlockedByUser")
        drawn = self.dice.random()
        for trouble, share in self.shares.items():
            if drawn < share and self.over_after > 0:
                self.over_after -= 1
                return trouble
            drawn -= share
        return None


def taken(calls: Sequence[Call]) -> Counter[str]:
    """How often each conversation got its message."""
    return Counter(call.conversation for call in calls if call.is_taken)


def repeats(calls: Sequence[Call]) -> int:
    return sum(often - 1 for often in taken(calls).values())


def lost_acknowledgements(calls: Sequence[Call]) -> Counter[str]:
    """How often a message of each conversation was taken, and nobody heard of it."""
    return Counter(call.conversation for call in calls if call.trouble and call.trouble.taken)


def unexplained(calls: Sequence[Call]) -> int:
    """Repeats that no lost acknowledgement accounts for."""
    lost = lost_acknowledgements(calls)
    return sum(max(0, often - 1 - lost[chat]) for chat, often in taken(calls).items())


def most_within(calls: Sequence[Call], seconds: float) -> int:
    """In any so many seconds, wherever they begin."""
    return most_times_within([call.at for call in calls], seconds)


def most_times_within(found: Sequence[float], seconds: float) -> int:
    times = sorted(found)
    first, most = 0, 0
    for last, at in enumerate(times):
        while times[first] <= at - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def too_early(calls: Sequence[Call]) -> list[float]:
    """By how many seconds each call came before what Retry-After had asked for (in seconds)."""
    not_before: dict[str, float] = defaultdict(float)
    found = []
    for call in sorted(calls, key=lambda c: c.at):
        if call.at < not_before[call.conversation]:
            found.append(not_before[call.conversation] - call.at)
        if call.trouble and call.trouble.retry_after:
            not_before[call.conversation] = call.answered + float(call.trouble.retry_after)
    return found
