"""T16: whoever has all logs, at DEBUG, of a run in which every kind of turn has failed."""

from __future__ import annotations

import asyncio
import io
import logging
import re
import sys
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    ExitStack,
    asynccontextmanager,
    contextmanager,
    redirect_stderr,
    redirect_stdout,
    suppress,
)
from dataclasses import dataclass, replace
from pathlib import Path
from traceback import TracebackException
from unittest.mock import patch

import structlog

from bot.rehearsal.teams import Trouble as Refusal
from bot.turns.dispatch import act as real_act
from bot.turns.turn import Reply, Turn
from bot.turns.visit import Service
from cards.verbs import Verb
from snapshot.ports import DIRECTORY, Changed, Kind, Record
from tests.attacks.attack import Result, Staged
from tests.attacks.bots import CANARY, Stage, a_stage
from tests.attacks.rest import guises
from tests.attacks.stores import OpenStore
from tests.attacks.tour import ASKS, JSON, asks, forgotten, odd_bodies, ready, spoilt
from tests.attacks.trouble import Trouble

CANARIES = tuple(guises(CANARY))

LOOK_S = 1.0
"""How long leads are looked for. Where every write is told that somebody else was faster, the pace
tries again without rest for as long as that: in earnest 15 seconds, of both the bot and the store.
"""

MOST_LOCALS = 3
"""Exceptions whose values the naive logger writes: each is some 100 kB."""

# -- all that is logged ----------------------------------------------------------------------------


@contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """Of the bot and all libraries, at DEBUG, with what exceptions say; and what is printed."""
    told = io.StringIO()
    known = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    root, before = logging.root, structlog.get_config()
    handlers, level = root.handlers[:], root.level
    levels = [(each, each.level, each.propagate, each.disabled) for each in known]
    with ExitStack() as stack:
        stack.enter_context(redirect_stdout(told))
        stack.enter_context(redirect_stderr(told))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("always")
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
        root.handlers[:] = [logging.StreamHandler(told)]
        root.handlers[0].setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
        root.setLevel(logging.DEBUG)
        for each in known:
            each.setLevel(logging.NOTSET)
            each.propagate, each.disabled = True, False
        _try_out()
        try:
            yield told
        finally:
            structlog.configure(**before)
            root.handlers[:] = handlers
            root.setLevel(level)
            for each, was, propagates, is_disabled in levels:
                each.setLevel(was)
                each.propagate, each.disabled = propagates, is_disabled


PROBES = tuple(f"probe {number}" for number in range(5))


def _try_out() -> None:
    """Each of these must be found in the log, or it is not all that there is."""
    logged, said, warned, printed, ours = PROBES
    logging.getLogger("azure.probe").debug(logged)
    logging.getLogger("aiohttp.probe").debug("", exc_info=ValueError(said))
    warnings.warn(warned, stacklevel=1)
    sys.stdout.write(printed)
    structlog.get_logger().debug(ours)


# -- what a naive logger would have written --------------------------------------------------------


@contextmanager
def naive_logger(told: io.StringIO) -> Iterator[None]:
    """Exceptions of turns, with the values of what they came through."""
    most = iter(range(MOST_LOCALS))

    async def act(turn: Turn, service: Service) -> Reply | None:
        try:
            return await real_act(turn, service)
        except Exception as error:
            if next(most, None) is not None:
                whole = TracebackException.from_exception(error, capture_locals=True)
                told.writelines(whole.format())
            raise

    with patch("bot.app.act", act):
        yield


# -- what goes wrong -------------------------------------------------------------------------------

type Goes = Callable[[Stage], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def away(stage: Stage) -> AsyncIterator[None]:
    with stage.reached.fails(Trouble.AWAY):
        yield


@asynccontextmanager
async def read_only(stage: Stage) -> AsyncIterator[None]:
    with stage.reached.fails(Trouble.READ_ONLY):
        yield


@asynccontextmanager
async def changed(stage: Stage) -> AsyncIterator[None]:
    with stage.reached.fails(Trouble.CHANGED):
        yield


@asynccontextmanager
async def damaged(stage: Stage) -> AsyncIterator[None]:
    """All that is sealed of people."""
    kinds = (Kind.ENVELOPE, Kind.LEAD, Kind.COMMENT)
    found = [
        r for kind in kinds for r in await stage.records.read_all(stage.running.snapshot.id, kind)
    ]
    async with broken(stage, found):
        yield


@asynccontextmanager
async def tampered(stage: Stage) -> AsyncIterator[None]:
    """The settings of the snapshot."""
    found = await stage.records.read(DIRECTORY, Kind.SNAPSHOT, stage.running.snapshot.id)
    async with broken(stage, [found]):
        yield
    await stage.bot.app.service.directory.all(fresh=True)


@asynccontextmanager
async def refused(stage: Stage) -> AsyncIterator[None]:
    """Teams takes nothing, and says whom that is about."""
    stage.teams.befalls = lambda _: Refusal(status=403, code=CANARY)
    yield
    stage.teams.befalls = lambda _: None


@asynccontextmanager
async def broken(stage: Stage, found: Sequence[Record]) -> AsyncIterator[None]:
    records = stage.records
    odd = [replace(r, body={**r.body, **dict.fromkeys(_SEALED, CANARY)}) for r in found]
    put = [await records.replace(record) for record in odd]
    yield
    for record, now in zip(found, put, strict=True):
        with suppress(Changed):
            await records.replace(replace(record, etag=now.etag))


_SEALED = ("ballot", "contact", "sealed", "settings")

TROUBLES: tuple[Goes, ...] = (away, read_only, changed, damaged, tampered, refused)


# -- the run ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """`log` is all that was logged, `naive` what a naive logger would have written.

    `unanswered`: what got no answer of its own where nothing was wrong.
    """

    log: str
    naive: str
    turns: int
    unanswered: Sequence[str]

    @property
    def is_whole(self) -> bool:
        return all(probe in self.log for probe in PROBES)

    @property
    def failed(self) -> int:
        """Turns in which something went wrong inside."""
        return sum(self.log.count(f'"event": "{event}"') for event in _FAILED)


_FAILED = ("turn failed", "envelope damaged", "reply not delivered")


async def run(stage: Stage) -> Run:
    naive = io.StringIO()
    shorter = patch("bot.meeting.LOOK_TIMEOUT_S", LOOK_S)
    with everything_logged() as told, naive_logger(naive), shorter:
        for goes in TROUBLES:
            await _ask_all(stage, goes)
        await _ask_oddly(stage)
        unanswered = await _ask_well(stage)
    heard = [body.decode("utf-8", "replace") for body in stage.teams.heard]
    return Run(told.getvalue(), "\n".join([naive.getvalue(), *heard]), len(heard), unanswered)


async def _ask_all(stage: Stage, goes: Goes) -> None:
    """All at once, since most of it is waiting. What closes the snapshot is left for the end."""
    waiting = [await ready(stage, ask) for ask in ASKS if ask.name != Verb.CLOSE or goes in _STOP]
    async with goes(stage):
        await asyncio.gather(*(asks(stage, one) for one in waiting))
        await stage.bot.works()


_STOP = (away, read_only, changed, tampered)
"""In these nothing can be closed."""


async def _ask_oddly(stage: Stage) -> None:
    waiting = [await ready(stage, ask) for ask in ASKS if ask.data is not None]
    for one in waiting:
        await asyncio.gather(*(asks(stage, odd) for odd in spoilt(one)))
    for body in odd_bodies(stage.somebody()):
        await stage.teams.request(body, JSON)


async def _ask_well(stage: Stage) -> list[str]:
    """One after the other; what got nothing better than what an old card gets."""
    stale = stage.bot.app.service.pack.wording.messages["stale_choice"]
    found = []
    for ask in ASKS:
        shown = await asks(stage, await ready(stage, ask))
        if shown is None or stale in shown.words:
            found.append(f"{ask.where}: {ask.name}")
        if ask.name == Verb.CLOSE:
            await stage.bot.works()
    return found


# -- what is found ---------------------------------------------------------------------------------

_CODES = re.compile(
    r"\b(?:not_yet|partly|mostly|fully|anecdotal|dont_know|not_relevant|(?:AW|PV|IR|EA|RS)[1-5])\b"
)
_VALUE = re.compile(r"""["']value["']""")


@dataclass(frozen=True, slots=True)
class Found:
    """In how many places: names, ids, addresses and words; codes; a `value`."""

    canaries: int
    codes: int
    values: int

    def __str__(self) -> str:
        return f"{self.canaries} canaries, {self.codes} codes, {self.values} values"


def search(log: str) -> Found:
    raw = log.encode()
    return Found(
        sum(raw.count(canary) for canary in CANARIES),
        sum(1 for _ in _CODES.finditer(log)),
        sum(1 for _ in _VALUE.finditer(log)),
    )


async def logs(open_store: OpenStore, folder: Path) -> Result:
    async with a_stage(open_store, folder / "bot") as stage:
        made = await run(stage)
    found, control = search(made.log), search(made.naive)
    left_out = sorted([*forgotten(), *made.unanswered])
    said = f"{made.turns} turns of {len(ASKS)} kinds, {made.failed} failed inside"
    return Result(
        "; ".join([str(found), said, *(f"not asked: {name}" for name in left_out)]),
        f"what came in, and exceptions with their values: {control}",
        found == Found(0, 0, 0)
        and made.is_whole
        and made.failed > len(TROUBLES) * len(ASKS) / 4
        and not left_out,
        min(control.canaries, control.codes, control.values) > 0,
    )


LOGS = Staged(
    "T16",
    "Everything that is logged",
    "all logs, at DEBUG and with what exceptions say, of turns of every kind: a store that is "
    "away, changed again and again or damaged; Teams that refuses; odd values of each kind",
    "no name, id, address or words, no code of a statement or an answer, no `value`",
    stage=logs,
)
