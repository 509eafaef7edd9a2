"""Whether a run of reminders kept what was promised, figure by figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.delivery import AT_ONCE, FRESH_S
from bot.rehearsal.teams import Call
from tests.ledger.area import (
    CANARY,
    CHANGING,
    LEFT_ALONE,
    REACHABLE,
    TO_EMAIL,
    TOAST,
    Area,
    Part,
)
from tests.ledger.checking import (
    MOST_A_SECOND,
    lost_acknowledgements,
    most_within,
    repeats,
    taken,
    too_early,
    unexplained,
)

TEAMS_TAKES = 50
"""In a second. Where a clock is wrong, runs of two processes may overlap for a moment."""

IN_A_SECOND = "most in any second"

LATE_S = FRESH_S + 3.0
"""How long after somebody changed their mind a message that was on its way may still arrive."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What is promised, in words, what was found, and whether that is as promised."""

    name: str
    promised: str
    found: str
    is_kept: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a run. `calls` are of the bot, as Teams met them; `logged` by all processes.

    `killed_after`: so many calls, for each kill. `wrong_clocks`: how many jumped or differed.
    `sent` and `to_email`: ids of leads, by the store. `left_over`: messages to practitioners of
    which the ledger still knows. `is_untouched`: no envelope was changed. `cpu_s`: of all of them.
    """

    area: Area
    calls: Sequence[Call]
    summaries: frozenset[str]
    killed_after: Sequence[int]
    wrong_clocks: int
    is_done: bool
    changed_at: float
    took_s: float
    cpu_s: float
    sent: frozenset[str]
    to_email: frozenset[str]
    left_over: int
    is_untouched: bool
    logged: str

    def figures(self) -> list[Figure]:
        return [*self._happened(), *self._who_got_it(), *self._how(), *self._what_is_left()]

    def missed(self) -> list[str]:
        """For each promise that was not kept, what was found.

        Not in a single second: a stand-in that is held up notes many calls at once.
        """
        return [
            f"{f.name}: {f.found} (promised: {f.promised})"
            for f in self.figures()
            if not f.is_kept and f.name != IN_A_SECOND
        ]

    def _happened(self) -> Iterator[Figure]:
        people = self.area.people
        leads = sum(len(people[p]) for p in Part if p.is_lead)
        begun = sum(len(people[p]) for p in (Part.UNFINISHED, Part.BLOCKED, Part.FINISHES))
        yield Figure("people", "", f"{leads:,} leads, {begun:,} who have begun and not finished")
        many, throttled = len(self.calls), _answered(self.calls, 429)
        yield Figure("calls", "", f"{many:,} in {self.took_s:.0f} s")
        yield Figure("answered 429", "", f"{throttled:,} ({throttled / max(many, 1):.1%})")
        failed = sum(1 for c in self.calls if c.trouble) - throttled
        yield Figure("failed otherwise", "", f"{failed:,} ({failed / max(many, 1):.1%})")
        each_ms = 1000 * self.cpu_s / max(many, 1)
        yield Figure("processor", "", f"{self.cpu_s:.1f} s, {each_ms:.1f} ms a call")
        if self.killed_after:
            calls = ", ".join(f"{calls:,}" for calls in self.killed_after)
            yield Figure("killed", "", f"after call {calls}")

    def _who_got_it(self) -> Iterator[Figure]:
        area, got = self.area, taken(self.calls)
        reachable = area.chats(*REACHABLE)
        reached = sum(chat in got for chat in reachable)
        yield _all("got it", reached, len(reachable), "reachable")
        late = [
            call
            for call in self.calls
            if call.conversation in area.chats(*CHANGING)
            and call.is_taken
            and call.at > self.changed_at + LATE_S
        ]
        changing = len(area.chats(*CHANGING))
        yield _none("after they had stopped or finished", len(late), f" ({changing} did)")
        left_alone = area.chats(*LEFT_ALONE)
        calls = sum(call.conversation in left_alone for call in self.calls)
        yield _none("calls to those who get none", calls, f" ({len(left_alone)})")
        yield _none("messages to anybody else", len(got.keys() - area.chats(*Part)))
        shown = ", ".join(sorted(self.summaries))
        yield Figure("shown on a locked phone", TOAST, shown, self.summaries == {TOAST})

    def _how(self) -> Iterator[Figure]:
        lost = lost_acknowledgements(self.calls).total()
        may_repeat = (len(self.killed_after) + self.wrong_clocks) * AT_ONCE
        own = unexplained(self.calls)
        yield Figure(
            "sent again, acknowledgement lost",
            f"at most {lost}",
            f"{repeats(self.calls) - own}",
            repeats(self.calls) - own <= lost,
        )
        yield _most("sent again otherwise", own, may_repeat)
        refused = self.area.refused
        calls = sum(call.conversation in refused for call in self.calls)
        yield _most("calls to those who block the bot", calls, len(refused) + may_repeat)
        early = len(too_early(self.calls))
        if self.wrong_clocks:  # what was put off may be tried at once, and then is not any more
            yield Figure("earlier than Retry-After", "", f"{early}")
        else:
            yield _none("earlier than Retry-After", early)
        most = TEAMS_TAKES if self.wrong_clocks else MOST_A_SECOND
        yield _most(IN_A_SECOND, most_within(self.calls, 1.0), most)
        yield _most("most in any five", most_within(self.calls, 5.0), 5 * MOST_A_SECOND)

    def _what_is_left(self) -> Iterator[Figure]:
        area = self.area
        expected = area.ids(*TO_EMAIL)
        yield Figure("all was done", "yes", "yes" if self.is_done else "no", self.is_done)
        leads = area.ids(Part.LEAD)
        yield _all("leads noted as sent", len(leads & self.sent), len(leads))
        yield Figure(
            "leads to be e-mailed",
            f"the {len(expected)} whom Teams does not reach",
            f"{len(self.to_email & expected)}, and {len(self.to_email - expected)} others",
            self.to_email == expected,
        )
        yield _none("kept of practitioners", self.left_over)
        touched = "no" if self.is_untouched else "yes"
        yield Figure("envelopes changed by it", "no", touched, self.is_untouched)
        secrets = {CANARY, *area.ids(*Part)}
        yield _none("names and tags in the logs", sum(secret in self.logged for secret in secrets))


def _answered(calls: Sequence[Call], status: int) -> int:
    return sum(bool(call.trouble and call.trouble.status == status) for call in calls)


def _all(name: str, found: int, of: int, which: str = "") -> Figure:
    return Figure(name, f"all {of:,} {which}".strip(), f"{found:,}", found == of)


def _none(name: str, found: int, more: str = "") -> Figure:
    return Figure(name, f"none{more}", f"{found:,}", found == 0)


def _most(name: str, found: int, most: int) -> Figure:
    return Figure(name, f"at most {most:,}", f"{found:,}", found <= most)
