"""A snapshot from its opening to the end of its key, and what each step asks of Cosmos DB.

The real bot works on the server of the tests, and a proxy counts. One person goes through the
survey by the cards; the others' sealed envelopes are put into the store. Then the worker mixes,
fills the moderators' queue and closes as it always does.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import batched
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from rich.progress import Progress

from bot.rehearsal.teams import PersonHere, Teams
from bot.sample import HEADCOUNTS, open_sample
from snapshot.envelope import Ballot, Envelope, State
from snapshot.instrument import AgencyId
from snapshot.opening import Running
from snapshot.sealing import CONTACT_BYTES, Person, Tag
from snapshot.survey import to_record
from storage.cosmos_calls import Patience
from storage.keyfiles import KeyFiles
from tests.cosmos.counting import Asked, Counting, Trip
from tests.cosmos.server import Server, cosmos_server, settings_for
from tests.ports import free_port
from tests.stories.commenting import AWARENESS, Channels, moderators_register
from tests.stories.conftest import RunningBot
from tests.stories.people import STATEMENTS, closes

REPLY_SHARE = 0.4
"""As the instrument expects: the headcounts are so large that this share of them has sent."""

UNFINISHED = 0.1
"""So many begin and do not send, for each who sends."""

WRITERS = 0.25
WORDS = "We need more time together, and joint training after meetings in town. " * 3
"""A comment of a usual length, some 200 characters; one for each who writes."""

AT_ONCE = 8
REQUESTS_A_PERSON = 14
"""About, for the progress bar alone."""

SENT = "when all have sent"
MIXING = "the first mixing"
CLOSE = "the close"
PROBE = "a readiness probe"
MINUTE = "a minute with nothing due"

EXPECTED = {404, 409, 412}
"""Answers that the bot reckons with; any other failure would spoil the count."""

UNHURRIED_S = 120.0


@dataclass
class Counts:
    """`turns`: of one person, in order; `steps`: of the worker and others. Trips by name.

    `kept`: sizes in bytes of the items that are there at some moments, by kind. `own_bytes`: what
    Cosmos DB's own fields add to an item.
    """

    people: int
    turns: list[tuple[str, list[Trip]]] = field(default_factory=list)
    steps: dict[str, list[Trip]] = field(default_factory=dict)
    kept: dict[str, Mapping[str, Sequence[int]]] = field(default_factory=dict)
    own_bytes: float = 0.0


def counted(people: int) -> Counts:
    """Raises RuntimeError when a request failed that should not have."""
    with (
        tempfile.TemporaryDirectory() as folder,
        cosmos_server(Path(folder)) as cosmos,
        pytest.MonkeyPatch.context() as patch,
        Progress() as progress,
    ):
        # A busy machine must not make the bot ask twice.
        patch.setattr("storage.cosmos.Patience", partial(Patience, UNHURRIED_S, UNHURRIED_S))
        patch.setattr("bot.directory.CACHE_S", 3600.0)
        return asyncio.run(_count(people, cosmos, progress))


async def _count(people: int, cosmos: Server, progress: Progress) -> Counts:
    counts = Counts(people)
    async with _campaign(people, cosmos) as campaign, _shown(campaign, progress):
        await campaign.goes_through_the_survey(counts)
        await campaign.others_send()
        counts.kept[SENT] = campaign.proxy.kept
        async for name in campaign.steps():
            counts.steps[name] = campaign.taken()
            counts.kept[name] = campaign.proxy.kept
    known = [t for _, trips in counts.turns for t in trips if t.asked is Asked.READ and t.before]
    counts.own_bytes = statistics.median(t.size - t.before for t in known)
    return counts


@asynccontextmanager
async def _campaign(people: int, cosmos: Server) -> AsyncIterator[Campaign]:
    with tempfile.TemporaryDirectory() as folder:
        async with Counting(cosmos) as proxy:
            settings = settings_for(proxy.reach(cosmos.new_database()))
            bot = RunningBot(Path(folder), free_port(), more_settings=settings)
            await bot.starts()
            await bot.stops_working()
            async with Teams(bot.url) as teams:
                running = await _opened(bot, people)
                channels = await moderators_register(teams)
                yield Campaign(people, bot, proxy, teams, running, channels)
            await bot.stops()


@asynccontextmanager
async def _shown(campaign: Campaign, progress: Progress) -> AsyncIterator[None]:
    about = campaign.people * REQUESTS_A_PERSON
    bar = progress.add_task(f"{campaign.people} people", total=about)

    async def look() -> None:
        while True:
            await asyncio.sleep(0.2)
            progress.update(bar, completed=min(campaign.asked, about))

    looking = asyncio.create_task(look(), name="progress")
    try:
        yield
    finally:
        looking.cancel()
    progress.update(bar, completed=about)


async def _opened(bot: RunningBot, people: int) -> Running:
    service = bot.app.service
    scale = people / (REPLY_SHARE * sum(HEADCOUNTS.values()))
    running = await open_sample(
        service.records,
        KeyFiles(bot.folder / "keys"),
        service.pack.instrument,
        people=0,
        now=bot.clock(),
        dice=Random(1),
        headcounts={agency: round(n * scale) for agency, n in HEADCOUNTS.items()},
    )
    return service.directory.note(running)


@dataclass
class Campaign:
    """One snapshot and its people, seen through the proxy."""

    people: int
    bot: RunningBot
    proxy: Counting
    teams: Teams
    running: Running
    channels: Channels
    dice: Random = field(default_factory=lambda: Random(2))
    _before: int = 0

    @property
    def asked(self) -> int:
        """How many requests there have been so far."""
        return self._before + len(self.proxy.trips)

    def taken(self) -> list[Trip]:
        """The trips since it was last asked. Raises RuntimeError for one that went wrong."""
        trips = self.proxy.take()
        self._before += len(trips)
        if wrong := {t.status for t in trips if t.status >= 400} - EXPECTED:
            raise RuntimeError(f"the server answered {wrong}: this counts nothing")
        return trips

    # -- people ---------------------------------------------------------------------------------

    async def goes_through_the_survey(self, counts: Counts) -> None:
        ada = self.teams.person("Ada")
        for name, turn in _survey(ada):
            self.taken()
            await turn
            counts.turns.append((name, self.taken()))

    async def others_send(self) -> None:
        """Everybody else has sent, in each agency as many as it has people; some only began."""
        sent = [(n, State.SUBMITTED) for n in range(1, self.people)]
        begun = [(n, State.OPEN) for n in range(self.people, round(self.people * (1 + UNFINISHED)))]
        for some in batched([*sent, *begun], AT_ONCE):
            await asyncio.gather(*(self._keep(n, state) for n, state in some))
        self.taken()

    async def _keep(self, number: int, state: State) -> None:
        running = self.running
        tag = running.sealer.tag(Person("sample", f"{number}"))
        contact = running.sealer.seal({}, "contact", tag, size=CONTACT_BYTES)
        envelope = Envelope(Tag(tag), state, self._ballot(state), contact)
        record = to_record(envelope, running.snapshot.id, running.sealer)
        await self.bot.app.service.records.create(record)

    def _ballot(self, state: State) -> Ballot:
        instrument = self.bot.app.service.pack.instrument
        options = [option.id for option in instrument.practice.options]
        agency = self.dice.choices(list(HEADCOUNTS), weights=list(HEADCOUNTS.values()))[0]
        cell = self.running.snapshot.cell_of(AgencyId(agency))
        assert cell, "who answers works for an agency that is on offer"
        domain = self.dice.choice(instrument.domains).id
        return Ballot(
            cell.id,
            {s.id: self.dice.choice(options) for s in instrument.statements},
            sent=state is State.SUBMITTED,
            revision=len(instrument.statements) + 1,
            comments={domain: WORDS} if self.dice.random() < WRITERS else {},
        )

    # -- what is due ----------------------------------------------------------------------------

    async def steps(self) -> AsyncIterator[str]:
        """Each step is done when its name comes."""
        await self._work("2026-03-04T12:00")
        yield f"{MINUTE}, before any mixing"
        await self._readiness()
        yield PROBE
        await self._work("2026-03-05T02:00", "mixed")
        yield MIXING
        await self._work("2026-03-06T09:30", "comments-queued")
        yield "the morning after: the moderators' queue, the interim summary, posts"
        yield f"{await self._moderate()} decisions of a moderator"
        await self._work("2026-03-06T12:00")
        yield f"{MINUTE}, after a mixing"
        await closes(self.channels.fay, self.channels.facilitators)
        await self._work("2026-03-06T12:01", "closed")
        yield CLOSE
        await self._work("2026-03-09T09:30", "comments-queued")
        yield "the morning after the close: the rest of the moderators' queue"
        yield f"{await self._moderate()} more decisions"
        await self._work("2026-03-09T12:00")
        yield f"{MINUTE}, after the close"
        await self._work("2026-03-16T12:00", "key-destroyed")
        yield "the day on which the key is destroyed"
        await self._work("2026-03-17T12:00")
        yield f"{MINUTE}, once the key is gone"

    async def _work(self, time: str, *wanted: str) -> None:
        """What the worker does when it is this time, there; it has to include what is wanted."""
        zone = ZoneInfo(self.running.snapshot.timezone)
        self.bot.clock.now = datetime.fromisoformat(time).replace(tzinfo=zone)
        done = {deed.did for deed in await self.bot.app.worker.do_due()}
        if missing := set(wanted) - done:
            raise RuntimeError(f"{missing} was not done at {time}, but {done or 'nothing'}")

    async def _moderate(self) -> int:
        """Approve all that is in the queue; how many comments that were."""
        mo, channel = self.channels.mo, self.channels.moderators
        await mo.posts("comments", channel)
        self.taken()
        shown = await mo.presses_in(channel, "Read the comments")
        decided = 0
        while "Save and go on" in shown.buttons:
            typed = {"decision": "approve", "paraphrase": ""}
            shown = await mo.presses_in(channel, "Save and go on", typed)
            decided += 1
        return decided

    async def _readiness(self) -> None:
        async with aiohttp.ClientSession() as session, session.get(f"{self.bot.url}/readyz"):
            return


def _survey(ada: PersonHere) -> Iterator[tuple[str, Awaitable[object]]]:
    yield "start (typed)", ada.types("start")
    yield "Continue", ada.presses("Continue")
    yield "agency", ada.presses("Police")
    for number in range(1, STATEMENTS + 1):
        yield f"answer {number}", ada.presses("Mostly true")
    yield "comments", ada.presses("Next", {AWARENESS: WORDS})
    yield "review", ada.presses("See my answers")
    yield "send", ada.presses("Send my answers")


def times(trip: Trip, partnerships: int) -> Trip:
    """A query of the list of snapshots, as it is with so many of them."""
    if (trip.asked, trip.kind) != (Asked.QUERY, "snapshot"):
        return trip
    return replace(trip, size=trip.size * partnerships, loaded=[*trip.loaded] * partnerships)
