"""Messages that nobody asked for: taken from the ledger, sent at Teams' pace, their fate noted.

Any number of processes may do this for one snapshot at the same time. Who has claimed a message
sends it, asks right before whether it is still wanted, and has it noted, also when asked to stop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import structlog

from bot.logs import where
from bot.pace import Pace
from bot.teams.connector import FORBIDDEN, NOT_FOUND, TOO_MANY, DeliveryError
from bot.turns.turn import Address, Reply
from snapshot.ledger import (
    Entry,
    MessageState,
    claim,
    defer,
    find,
    is_to_channel,
    next_at,
    release,
    settle,
    takeable,
    tells_nothing,
)
from snapshot.ports import Records, RecordsError, SnapshotId

AT_ONCE = 32

CLAIM_S = 60.0
"""How long a claim lives: far longer than a call may take, so that it never runs out under one."""
CALL_S = 20.0
"""What is kept of it for the letter and the call; until then it may wait for its turn."""

FIRST_WAIT_S, LONGEST_WAIT_S = 2.0, 600.0
"""Before a second attempt, and later ones, where Teams names no time; each about twice the last."""

CLOCKS_DIFFER_S = 2.0
"""Added to what Teams asks for: a machine whose clock is ahead may be the one to take it next."""

MOST_AHEAD_S = 86_400.0
"""So far ahead another's clock may be; more is no clock, but something that was broken by hand."""

FRESH_S = 3.0
"""A letter that has waited longer for its turn is written again: it may no longer be wanted. Where
two processes are at work, it waits for two seconds.
"""

GIVE_UP_S, CATCH_BREATH_S = 10.0, 0.5
"""Where the store answers nobody for so long, a round ends. Before that, whoever it did not answer
rests for a moment: among thousands of calls one that fails must not stop the others.
"""

NOTING_S = (0.5, 1.0, 2.0, 4.0)
"""Pauses before what came of a call is noted again, where the store did not answer."""

BEAT_S = 0.5
"""What was sent is noted at the next beat, and the next messages are taken then: many at once,
which a store can make cheap.
"""

ALIKE_S = 0.75
"""How long it takes at least to be done with a practitioner, written to or not: longer than most
calls take, so that the time does not tell who has finished or wants no reminders.
"""

NO_LETTER = "no letter"
"""Why a message was put off that could not be written: something is wrong on our side."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes to one recipient. The card of `reply` is encoded once, however many it goes to.

    `until`: from when on it makes no sense any more.
    """

    address: Address
    reply: Reply
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Not:
    """Nothing goes out: it is no longer needed, or, with a reason, there is no way to them.

    `tenant`: to take a turn of its pace all the same, where nobody is to count the letters.
    """

    why: str = ""
    tenant: str = ""


type Write = Callable[[Entry], Awaitable[Letter | Not]]
"""Writes the letter, right before it goes out, from what is known then.

What it asks of Teams itself, such as to make a conversation, waits for a turn of the pace first. It
may raise `DeliveryError`, which is taken as if sending had.
"""


class Delivery:
    """`send` posts a card to an address as a new message, or raises `DeliveryError`.

    `clock` tells the time with its zone, `dice` need not be good ones.
    """

    def __init__(
        self,
        records: Records,
        send: Callable[[Address, Reply], Awaitable[None]],
        pace: Pace,
        clock: Callable[[], datetime],
        dice: Random,
        *,
        at_once: int = AT_ONCE,
        claim_s: float = CLAIM_S,
        beat_s: float = BEAT_S,
        alike_s: float = ALIKE_S,
        give_up_s: float = GIVE_UP_S,
    ) -> None:
        self._records = records
        self._send = send
        self._pace = pace
        self._clock = clock
        self._dice = dice
        self._at_once = at_once
        self._claim_s = claim_s
        self._beat_s = beat_s
        self._alike_s = alike_s
        self._give_up_s = give_up_s
        self._told: set[tuple[object, ...]] = set()

    async def deliver(self, snapshot: SnapshotId, write: Write) -> datetime | None:
        """Send what may be taken now, and return when something may be again; None: never.

        That may be now, where the store did not answer. Cancelled, it ends what is being sent and
        gives back the rest. Posts to channels are left to `post`.
        """
        self._told.clear()
        waiting = _Waiting(self._records, snapshot, self._now, self._dice, self._give_up_s)
        async with asyncio.TaskGroup() as group:
            for number in range(self._at_once):
                group.create_task(self._work(waiting, write), name=f"delivery-{number}")
        try:
            at = await next_at(self._records, snapshot)
        except RecordsError as error:
            _log.error("store not reached", snapshot=snapshot, **where(error))
            return self._clock()
        return at and at - self._ahead()

    async def post(self, snapshot: SnapshotId, id: str, write: Write) -> Entry | None:
        """Send this one message if it may be taken now; how it stands then. Raises `RecordsError`.

        None: there is none of this id.
        """
        entry = await find(self._records, snapshot, id)
        if entry is None:
            return None
        await self._take(entry, write)
        return await find(self._records, snapshot, id)

    async def _work(self, waiting: _Waiting, write: Write) -> None:
        while entry := await waiting.next():
            try:
                await self._take(entry, write)
            except RecordsError as error:  # what is claimed is free again in a minute
                await waiting.bears(error)
            else:
                waiting.is_answered()
            finally:
                waiting.done(entry)

    # -- one message ------------------------------------------------------------------------------

    async def _take(self, found: Entry, write: Write) -> None:
        runs_out = _loop_time() + self._claim_s
        claiming = asyncio.ensure_future(claim(self._records, found, self._now(), self._claim_s))
        try:
            entry = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            with suppress(RecordsError):
                if entry := await claiming:
                    await release(self._records, entry, self._now())
            raise
        if entry:
            await self._handle(entry, write, runs_out)

    async def _handle(self, entry: Entry, write: Write, runs_out: float) -> None:
        """`runs_out`: when the claim does, by the clock of the event loop."""
        try:
            async with asyncio.timeout_at(runs_out - min(CALL_S, self._claim_s / 2)):
                letter = await self._letter_in_turn(entry, write)
        except DeliveryError as error:
            await self._failed(entry, None, error)
        except TimeoutError:
            await self._put_off(entry, self._wait_s(entry), entry.why)
        except asyncio.CancelledError:
            await _to_its_end(release(self._records, entry, self._now()))
            raise
        except RecordsError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one letter, the others must go out
            found = where(error)
            if self._is_news(entry, "letter failed", *found.values()):
                _log.error("letter failed", snapshot=entry.record.snapshot, **found)
            await self._put_off(entry, self._wait_s(entry), NO_LETTER)
        else:
            # From here on it may arrive: what came of it is noted whatever happens to us.
            await _to_its_end(self._send_off(entry, letter))

    async def _letter_in_turn(self, entry: Entry, write: Write) -> Letter | Not:
        """Written again where it had to wait, and not made to wait again for that.

        Otherwise, once so many wait in all processes that it takes longer than a letter is fresh,
        turns would be used up and nothing be sent.
        """
        written, written_at = await write(entry), _loop_time()
        while lane := _lane(entry, written):
            await self._wait_for_turn(*lane)
            if _loop_time() - written_at <= FRESH_S:
                break
            written, written_at = await write(entry), _loop_time()
            if _lane(entry, written) == lane:
                break
        return written

    async def _wait_for_turn(self, tenant: str, channel: str) -> None:
        if channel:
            await self._pace.turn_in_channel(tenant, channel)
        else:
            await self._pace.turn(tenant)

    async def _send_off(self, entry: Entry, letter: Letter | Not) -> None:
        if isinstance(letter, Not):
            if letter.tenant:
                await self._as_long_as_any(_nothing())
            outcome = MessageState.UNREACHABLE if letter.why else MessageState.DROPPED
            await self._settle(entry, outcome, letter.why)
            return
        sending = self._send(letter.address, letter.reply)
        try:
            await (self._as_long_as_any(sending) if tells_nothing(entry.record.id) else sending)
        except DeliveryError as error:
            await self._failed(entry, letter, error)
            await self._pace.heard(letter.address.tenant, refused_for_s=_refused_for_s(error))
        else:
            await self._settle(entry, MessageState.SENT)
            await self._pace.heard(letter.address.tenant)

    # -- what did not arrive ----------------------------------------------------------------------

    async def _failed(self, entry: Entry, letter: Letter | None, error: DeliveryError) -> None:
        why = str(error)
        if error.passes or _is_worth_asking_again(entry, error):
            until = letter.until if letter else None
            await self._put_off(entry, self._wait_s(entry, error.retry_after_s), why, until)
        else:
            if not tells_nothing(entry.record.id):  # the log would say that it had to be written
                self._tell_refused(entry, why)
            await self._settle(entry, MessageState.UNREACHABLE, why)

    async def _put_off(
        self, entry: Entry, wait_s: float, why: str, until: datetime | None = None
    ) -> None:
        wait = timedelta(seconds=wait_s)
        if until and self._clock() + wait >= until:
            await self._settle(entry, MessageState.DROPPED, why)
        else:
            again = self._now() + wait
            await _firmly(lambda: defer(self._records, entry, again, entry.tries + 1, why))

    async def _as_long_as_any(self, work: Awaitable[None]) -> None:
        ends_at = _loop_time() + self._alike_s
        try:
            await work
        finally:
            await asyncio.sleep(ends_at - _loop_time())

    def _now(self) -> datetime:
        """By the fastest clock that takes part: for it, claims by another would have run out."""
        return self._clock() + self._ahead()

    def _ahead(self) -> timedelta:
        return timedelta(seconds=min(self._pace.ahead_s, MOST_AHEAD_S))

    async def _beat(self) -> None:
        await asyncio.sleep(self._beat_s - _loop_time() % self._beat_s)

    async def _settle(self, entry: Entry, outcome: MessageState, why: str = "") -> None:
        is_sent = outcome is MessageState.SENT and not is_to_channel(entry.record.id)
        if is_sent or tells_nothing(entry.record.id):
            await self._beat()
        await _firmly(lambda: settle(self._records, entry, outcome, why))

    def _wait_s(self, entry: Entry, at_least_s: float | None = None) -> float:
        longest = min(FIRST_WAIT_S * 2.0 ** min(entry.tries, 20), LONGEST_WAIT_S)
        wait_s = longest * self._dice.uniform(0.5, 1.0)
        return wait_s if at_least_s is None else max(wait_s, at_least_s + CLOCKS_DIFFER_S)

    def _tell_refused(self, entry: Entry, why: str) -> None:
        """Somebody may have removed the app; that a channel has is for the operator to see to."""
        if not self._is_news(entry, "message refused", why):
            return
        if is_to_channel(entry.record.id):
            _log.error("message refused", snapshot=entry.record.snapshot, why=why)
        else:
            _log.warning("message refused", snapshot=entry.record.snapshot, why=why)

    def _is_news(self, entry: Entry, *what: object) -> bool:
        """Not for each: how many practitioners cannot be reached is nobody's business either."""
        told = (is_to_channel(entry.record.id), entry.record.snapshot, *what)
        if told in self._told:
            return False
        self._told.add(told)
        return True


def _lane(entry: Entry, written: Letter | Not) -> tuple[str, str] | None:
    """For which tenant, and which channel if it goes to one, it needs a turn; None: for none."""
    if isinstance(written, Not):
        return (written.tenant, "") if written.tenant else None
    address = written.address
    return address.tenant, address.conversation if is_to_channel(entry.record.id) else ""


def _is_worth_asking_again(entry: Entry, error: DeliveryError) -> bool:
    """Somebody may add the bot to the team again, and a channel does not say so by talking."""
    return is_to_channel(entry.record.id) and error.status in (FORBIDDEN, NOT_FOUND)


def _refused_for_s(error: DeliveryError) -> float | None:
    return (error.retry_after_s or FIRST_WAIT_S) if error.status == TOO_MANY else None


class _Waiting:
    """What may be taken, a page at a time and in random order.

    In random order, so that two processes rarely want the same one.
    """

    def __init__(
        self,
        records: Records,
        snapshot: SnapshotId,
        clock: Callable[[], datetime],
        dice: Random,
        give_up_s: float,
    ) -> None:
        self._records = records
        self._snapshot = snapshot
        self._clock = clock
        self._dice = dice
        self._give_up_s = give_up_s
        self._page: list[Entry] = []
        self._in_hand: set[str] = set()
        self._lock = asyncio.Lock()
        self._failing_since: float | None = None
        self._ended = False

    async def next(self) -> Entry | None:
        """One that nobody here has in hand; None: there are no more."""
        async with self._lock:
            if not self._page and not self._ended:
                await self._turn_page()
            if self._ended or not self._page:
                return None
            entry = self._page.pop()
            self._in_hand.add(entry.record.id)
            return entry

    def done(self, entry: Entry) -> None:
        self._in_hand.discard(entry.record.id)

    def is_answered(self) -> None:
        self._failing_since = None

    async def bears(self, error: RecordsError) -> None:
        """The store did not answer: a rest, or the end for all."""
        now = _loop_time()
        if self._failing_since is None:
            self._failing_since = now
        if self._ended or now - self._failing_since < self._give_up_s:
            await asyncio.sleep(CATCH_BREATH_S)
            return
        _log.error("store not reached", snapshot=self._snapshot, **where(error))
        self._ended = True

    async def _turn_page(self) -> None:
        while not self._ended:
            try:
                page = await takeable(self._records, self._snapshot, self._clock())
            except RecordsError as error:
                await self.bears(error)
                continue
            self._page = [e for e in page if e.record.id not in self._in_hand]
            self._dice.shuffle(self._page)
            return


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


async def _nothing() -> None:
    """Where there is no letter."""


async def _firmly(work: Callable[[], Awaitable[object]]) -> None:
    """Raises `RecordsError` only when the store has not answered for some time."""
    for pause_s in NOTING_S:
        try:
            await work()
        except RecordsError:
            await asyncio.sleep(pause_s)
        else:
            return
    await work()


async def _to_its_end(work: Coroutine[None, None, object]) -> None:
    """Also when we are cancelled meanwhile; then the cancellation goes on afterwards."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
