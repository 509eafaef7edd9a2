"""The whole bot on a store that is attacked, with Teams in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from pathlib import Path
from unittest.mock import patch

from bot import haste
from bot.rehearsal.teams import BOT_ID, Answer, PersonHere, Teams
from snapshot.comments import CommentState, mixed
from snapshot.envelope import Ballot, Contact, Envelope, State
from snapshot.instrument import DomainId
from snapshot.lead_lists import Row
from snapshot.leads import add, lead_id, note_person
from snapshot.opening import Running
from snapshot.ports import Kind, Record, Records
from snapshot.sealing import CONTACT_BYTES, Person, Tag
from snapshot.survey import to_record
from tests.attacks.stores import OpenStore
from tests.attacks.trouble import Reached
from tests.ports import free_port
from tests.stories.commenting import code_on_the_status_card, full_ballot
from tests.stories.opening import BotOnDemand

CANARY = "ZqxjCanary"
"""Stands in every name, id, address and text of these people, and nowhere else."""

SAID = f"We want more time for {CANARY} training."


@dataclass
class Overheard(Teams):
    """`heard`: the bodies of all requests to the bot."""

    heard: list[bytes] = field(default_factory=list)

    async def request(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.heard.append(body)
        return await super().request(body, headers)


@dataclass
class Stage:
    """A snapshot that is open, with a channel of each kind. `records` go past the bot."""

    bot: BotOnDemand
    teams: Overheard
    running: Running
    records: Records
    reached: Reached
    numbers: Iterator[int] = field(default_factory=count)
    code: str = ""

    async def gets_ready(self) -> None:
        self.facilitator, self.moderator = self.somebody(), self.somebody()
        self.channel, self.moderators = (self.teams.channel(f"{CANARY}{n}") for n in (1, 2))
        self.code = await code_on_the_status_card(self.facilitator, self.channel)
        await self.moderator.posts(f"moderate {self.code}", self.moderators)
        (self.running,) = await self.bot.app.service.directory.all(fresh=True)

    def somebody(self, tenant: str = "tenant-of-exampleshire") -> PersonHere:
        """Whom nobody has seen before."""
        number = next(self.numbers)
        name = f"{CANARY} Person {number}"
        person = PersonHere(self.teams, name, tenant, f"{CANARY}-{number:04}")
        self.teams.people[person.id] = person
        return person

    def known_as(self, person: PersonHere) -> Person:
        """To the bot."""
        return Person(person.tenant, person.object_id.lower())

    def tag(self, person: PersonHere) -> Tag:
        return self.running.sealer.tag(self.known_as(person))

    async def has_begun(
        self, person: PersonHere, ballot: Ballot | None = None, state: State = State.OPEN
    ) -> Record:
        """Without a ballot, all is answered, and there is a comment."""
        said = {DomainId("awareness"): SAID}
        ballot = ballot or replace(full_ballot(self.bot), comments=said)
        ballot = replace(ballot, sent=state is State.SUBMITTED)
        envelope = Envelope(self.tag(person), state, ballot, self._contact(person))
        record = to_record(envelope, self.running.snapshot.id, self.running.sealer)
        return await self.records.create(record)

    async def envelope(self, person: PersonHere) -> Record:
        return await self.records.read(self.running.snapshot.id, Kind.ENVELOPE, self.tag(person))

    async def is_lead(self, person: PersonHere) -> None:
        await add(self.running, self.records, [Row(1, person.email.lower(), person.name, CANARY)])
        id = lead_id(self.running, person.email)
        chat = self._address(person)
        await note_person(self.running, self.records, id, self.known_as(person), chat)

    async def comment(self, *, is_urgent: bool = False) -> str:
        """The id of one that waits for a moderator."""
        id = f"{next(self.numbers):032x}"
        waiting = mixed(self.running, id, DomainId("awareness"), SAID)
        state = CommentState.ESCALATED if is_urgent else CommentState.WAITING
        await self.records.create(replace(waiting, state=state))
        return id

    def _address(self, person: PersonHere) -> dict[str, str]:
        return {
            "service_url": f"{self.teams.url}/",
            "conversation": person.chat,
            "bot": BOT_ID,
            "tenant": person.tenant,
        }

    def _contact(self, person: PersonHere) -> str:
        who = self.known_as(person)
        contact = Contact(who.tenant, who.object_id, self._address(person), "en-GB")
        tag = self.tag(person)
        return self.running.sealer.seal(asdict(contact), "contact", tag, size=CONTACT_BYTES)


@asynccontextmanager
async def a_stage(open_store: OpenStore, folder: Path) -> AsyncIterator[Stage]:
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240  # nothing else runs in a test
    async with AsyncExitStack() as stack:
        # A tour is hundreds of turns of one facilitator in a few seconds.
        stack.enter_context(patch.object(haste, "AT_ONCE", 1_000_000))
        store = await stack.enter_async_context(open_store(folder))
        reached = await stack.enter_async_context(store.reached())
        bot = BotOnDemand(folder, free_port(), more_settings=reached.environment)
        await bot.starts()
        stack.push_async_callback(bot.stops)
        running = await bot.opens_a_snapshot()
        teams = await stack.enter_async_context(Overheard(bot.url))
        stage = Stage(bot, teams, running, store.records, reached)
        await stage.gets_ready()
        yield stage
