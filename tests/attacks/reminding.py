"""T24: whoever causes reminders and watches what changes, to learn who has finished.

The same people begin in every world; who of them finishes, wants no reminders or cannot be
reached differs. A facilitator, and whoever reads the logs, must see the same in all worlds. Whoever
reads the database sees in it who has finished, which is conceded; the reminders must add nothing.
"""

from __future__ import annotations

import asyncio
import io
import re
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import mean

import orjson

from bot.delivery import Delivery
from bot.forgetting import Forgetting
from bot.meeting import Meeting
from bot.pace import CALLS_A_SECOND, Pace
from bot.posting import Posting
from bot.rehearsal.teams import PersonHere, Trouble
from bot.reminding import Reminding
from bot.teams.bot import encoded
from bot.teams.connector import Connector, new_session
from bot.turns.turn import Address, Reply
from bot.worker import Worker
from snapshot.envelope import State
from snapshot.ledger import MessageState, note, recipient_of
from snapshot.ports import Kind, Records
from snapshot.snapshot import CellId
from snapshot.survey import Survey
from tests.attacks.attack import Result, Staged
from tests.attacks.bots import Stage, a_stage
from tests.attacks.linking import ALARM
from tests.attacks.recording import Recorded, Version
from tests.attacks.stores import OpenStore
from tests.attacks.tampering import an_area
from tests.core.exampleshire import OPENED
from tests.cosmos.patience import patient
from tests.stories.commenting import full_ballot

PEOPLE = 16
"""Of two agencies: too few for a mix before the close, and for a word on either. Both tell of those
who have sent, as they are meant to.
"""

MIDWAY, LAST, LAST_AGAIN = (datetime(2026, 3, day, 9, 30, tzinfo=UTC) for day in (6, 12, 24))
TIMES = (MIDWAY, LAST, LAST_AGAIN)
LATER = {"deadline": "2026-03-26", "reason": "More time."}

SHUFFLES = 4_999

BEAT_S, CALL_S, ALIKE_S = 0.25, 0.1, 1.0
"""The last is longer than in earnest: on a busy machine a call takes some times as long."""

BLOCKED = Trouble(403, code="ConversationBlockedByUser")


NUMBERS = frozenset(range(PEOPLE))
HALF = frozenset(range(0, PEOPLE, 2))


@dataclass(frozen=True, slots=True)
class World:
    """Of people by number: who has sent, who wants no reminders, whom Teams refuses."""

    finished: frozenset[int] = frozenset()
    quiet: frozenset[int] = frozenset()
    blocked: frozenset[int] = frozenset()

    @property
    def reached(self) -> frozenset[int]:
        """Who gets each reminder."""
        return NUMBERS - self.finished - self.quiet - self.blocked


WORLDS: tuple[World, ...] = (
    World(),
    World(finished=NUMBERS),
    World(finished=HALF),
    World(blocked=HALF),
    World(quiet=HALF),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """`facilitator`: cards, posts, how many had been written to before each, deeds and logs.

    `history` is of the ledger and the pace, `tags` are those of people by number; `written` counts
    the reminders that arrived.
    """

    facilitator: Sequence[str]
    history: Sequence[Version]
    tags: Sequence[str]
    written: int


# -- one world -------------------------------------------------------------------------------------


async def watch(open_store: OpenStore, folder: Path, world: World) -> Seen:
    async with a_stage(open_store, folder) as stage, new_session() as session:
        people = [stage.somebody() for _ in range(PEOPLE)]
        await _live(stage, people, world)
        await stage.is_lead(stage.somebody())
        records = Recorded(stage.records, _milliseconds)
        worker = _worker(stage, records, Connector(session))
        told: list[str] = []
        with redirect_stderr(io.StringIO()) as log:
            for at in TIMES:
                told += await _round(stage, worker, at)
                if at is LAST:
                    told += await _extends(stage)
        told += [_TIMES.sub("", line) for line in log.getvalue().splitlines()]
        chats = {person.chat for person in people}
        written = [sent for sent in stage.teams.sent if sent.conversation in chats]
        history = [v for v in records.history if v.record.kind in (Kind.MESSAGE, Kind.PACE)]
        return Seen(told, history, [stage.tag(p) for p in people], len(written))


_TIMES = re.compile(r'"timestamp": "[^"]*"')


async def _live(stage: Stage, people: Sequence[PersonHere], world: World) -> None:
    for number, person in enumerate(people):
        state = State.SUBMITTED if number in world.finished else State.OPEN
        cell = CellId("police" if number < PEOPLE / 2 else "health")
        await stage.has_begun(person, replace(full_ballot(stage.bot), cell=cell), state)
        if number in world.quiet:
            await _survey(stage).settle(stage.known_as(person), quiet=True)
    blocked = {people[number].chat for number in world.blocked}
    stage.teams.befalls = lambda chat: BLOCKED if chat in blocked else None


def _survey(stage: Stage) -> Survey:
    return Survey(stage.running, stage.bot.app.service.instrument(stage.running), stage.records)


def _worker(stage: Stage, records: Records, connector: Connector) -> Worker:
    """Put together as in `bot.app`, on a store that is watched."""
    service = replace(stage.bot.app.service, records=records)

    async def send(address: Address, reply: Reply) -> None:
        await asyncio.sleep(CALL_S)
        await connector.send_encoded(address.service_url, address.conversation, encoded(reply))

    watch = StopWatch()
    pace = Pace(records, watch, watch.sleep)
    delivery = Delivery(
        records, send, pace, service.clock, Random(1), beat_s=BEAT_S, alike_s=ALIKE_S
    )
    posting, reminding = Posting(service, delivery), Reminding(service, delivery)
    meeting = Meeting(connector.member, pace.turn)
    forgetting = Forgetting(service, stage.bot.app.keys)
    return Worker(
        service, posting, reminding, Random(1), asyncio.Event(), meeting, forgetting, None
    )


@dataclass
class StopWatch:
    """For the pace: goes on only when it is waited for."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def _milliseconds() -> int:
    return int(time.monotonic() * 1000)


async def _round(stage: Stage, worker: Worker, at: datetime) -> list[str]:
    """What `tick` prints, what is posted after how many messages, the facilitator's cards."""
    stage.bot.clock.now = at
    before = len(stage.teams.sent)
    told = [deed.did async for deed in worker.deeds()]
    for number, sent in enumerate(stage.teams.sent[before:]):
        if not _is_private(sent.conversation):
            told.append(f"after {number}: {_text(sent.activity)}")
    return [*told, *await _cards(stage)]


async def _cards(stage: Stage) -> list[str]:
    shown = await stage.facilitator.posts("status", stage.channel)
    reminders = await stage.facilitator.presses_in(stage.channel, "See the reminders")
    return [_text(shown.card), _text(reminders.card)]


async def _extends(stage: Stage) -> list[str]:
    """Which makes another reminder due."""
    await stage.facilitator.posts("extend", stage.channel)
    moved = await stage.facilitator.presses_in(stage.channel, "Move the deadline", LATER)
    return [_text(moved.card)]


def _is_private(conversation: str) -> bool:
    return conversation.startswith("a:")


def _text(card: object) -> str:
    return orjson.dumps(card).decode()


# -- what the database tells -----------------------------------------------------------------------


def stories(seen: Seen) -> set[tuple[str, ...]]:
    """What the ledger said of each message to somebody, from when it was noted to its end."""
    found: dict[str, list[str]] = defaultdict(list)
    for version in seen.history:
        record = version.record
        if record.kind is Kind.MESSAGE and recipient_of(record.id) in seen.tags:
            found[record.id].append(f"{version.verb} {record.state} {_text(record.body)}")
    return {tuple(story) for story in found.values()}


def _noted(seen: Seen) -> set[str]:
    """Of whom there ever was a row."""
    recipients = {recipient_of(v.record.id) for v in seen.history if v.record.kind is Kind.MESSAGE}
    return recipients & set(seen.tags)


def calls(seen: Seen) -> int:
    """How many the pace counts."""
    free_at, made = 0.0, 0.0
    for version in seen.history:
        if version.record.id.startswith("tenant-"):
            body = version.record.body
            made += body["free_at"] - max(body["at"], free_at)
            free_at = body["free_at"]
    return round(made * CALLS_A_SECOND)


@dataclass(frozen=True, slots=True)
class Way:
    """Of one message through the ledger, in writes and in milliseconds from the first claim on."""

    what: str
    tag: str
    took: int
    took_ms: int
    ended: int


def ways(seen: Seen) -> list[Way]:
    claimed: dict[str, tuple[int, int]] = {}
    found = []
    for number, version in enumerate(seen.history):
        record = version.record
        if recipient_of(record.id) not in seen.tags or version.verb != "replace":
            continue
        if record.state == MessageState.CLAIMED:
            claimed[record.id] = number, version.second
        else:
            began, began_ms = claimed[record.id]
            what, _, tag = record.id.rpartition(".")
            found.append(Way(what, tag, number - began, version.second - began_ms, number))
    return found


def p_of_going_another_way(seen: Seen, those: frozenset[int]) -> float:
    """That these take as long as others, in writes or milliseconds, and end in no other order.

    The smallest of the three, times three.
    """
    tags, found = {seen.tags[number] for number in those}, ways(seen)
    values = ([w.took for w in found], [w.took_ms for w in found], [w.ended for w in found])
    rounds = defaultdict(list)
    for number, way in enumerate(found):
        rounds[way.what].append(number)
    marked = [way.tag in tags for way in found]
    return min(1.0, len(values) * min(_p(each, marked, [*rounds.values()]) for each in values))


def _p(values: Sequence[int], marked: Sequence[bool], rounds: Sequence[Sequence[int]]) -> float:
    """The marks are shuffled within each round."""
    dice, found = Random(1), _all_apart(values, marked, rounds)
    shuffles = [
        _all_apart(values, _shuffled(marked, rounds, dice), rounds) for _ in range(SHUFFLES)
    ]
    return (1 + sum(each >= found for each in shuffles)) / (1 + SHUFFLES)


def _shuffled(
    marked: Sequence[bool], rounds: Sequence[Sequence[int]], dice: Random
) -> Sequence[bool]:
    after = list(marked)
    for each in rounds:
        for number, mark in zip(
            each, dice.sample([marked[n] for n in each], len(each)), strict=True
        ):
            after[number] = mark
    return after


def _all_apart(
    values: Sequence[int], marked: Sequence[bool], rounds: Sequence[Sequence[int]]
) -> float:
    apart = (_apart([values[n] for n in r], [marked[n] for n in r]) for r in rounds)
    return abs(sum(apart))


def _apart(values: Sequence[int], marked: Sequence[bool]) -> float:
    ours = [v for v, is_marked in zip(values, marked, strict=True) if is_marked]
    others = [v for v, is_marked in zip(values, marked, strict=True) if not is_marked]
    return mean(ours) - mean(others)


# -- a naive bot -----------------------------------------------------------------------------------


async def naive(open_store: OpenStore, folder: Path) -> list[set[str]]:
    """In each world the people of whom the ledger keeps a row, which a card would count.

    They are those whom a reminder goes to, and nobody else.
    """
    found = []
    async with an_area(open_store, folder) as area:
        for number, world in enumerate(WORLDS):
            what, now = f"reminder-{number}", OPENED
            for each in NUMBERS - world.finished - world.quiet:
                await note(area.records, area.running.snapshot.id, what, str(each), now)
            heads = await area.records.heads(area.running.snapshot.id, Kind.MESSAGE)
            found.append({recipient_of(h.id) for h in heads if h.id.startswith(f"{what}.")})
    return found


# -- what came of it -------------------------------------------------------------------------------


async def reminding(open_store: OpenStore, folder: Path) -> Result:
    with patient():  # a store that gives up on a busy machine makes ways of its own
        found = [
            await watch(open_store, folder / f"world-{number}", world)
            for number, world in enumerate(WORLDS)
        ]
    as_seen = {tuple(seen.facilitator) for seen in found}
    told, paces = set[tuple[str, ...]]().union(*map(stories, found)), set(map(calls, found))
    p = min(
        p_of_going_another_way(seen, others)
        for world, seen in zip(WORLDS, found, strict=True)
        if (others := world.quiet | world.blocked)
    )
    rows = await naive(open_store, folder / "naive")
    is_posted = any(line.startswith("after") for line in found[0].facilitator)
    unfinished = NUMBERS - WORLDS[2].finished
    named = len(rows[2] & {str(number) for number in unfinished})
    return Result(
        f"{len(WORLDS)} worlds look like {len(as_seen)} from the channel and the logs; "
        f"{len(told)} way through the ledger; the pace counts {paces.pop()}; who wants none, or "
        f"refuses, goes no other way, p = {p:.2g}",
        f"rows for those alone who are reminded, counted on a card: {len({*map(len, rows)})} "
        f"worlds; {named} of {len(unfinished)} named",
        len(as_seen) == len(told) == 1
        and is_posted
        and not paces
        and all(_noted(seen) == set(seen.tags) for seen in found)
        and p > ALARM
        and [seen.written for seen in found] == [len(TIMES) * len(w.reached) for w in WORLDS],
        len({*map(len, rows)}) > 1 and named == len(unfinished),
    )


REMINDING = Staged(
    "T24",
    "Who is reminded",
    "the facilitators' channel, logs, every version of the ledger and the pace; reminders caused "
    "on purpose, by moving the deadline",
    "the same is seen whoever has finished, wants no reminders or cannot be reached; "
    f"p > {ALARM} for order and time",
    stage=reminding,
)
