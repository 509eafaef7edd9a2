"""Where a rehearsal is played: one Teams, one bot, one clock, and all that comes of it."""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from bot.rehearsal.gallery import Gallery, Viewer
from bot.rehearsal.server import Server
from bot.rehearsal.teams import Answer, Json, PersonHere, Sent, Shown, Teams, chat_of
from cards.verbs import Verb
from snapshot.instrument import Instrument
from snapshot.wording import Wording

OK = 200

_TRIES = 5
_BUSY = "the bot asked somebody to try again, and again: perhaps the machine is too busy"


class GoesWrong(Exception):
    """The bot did something that the story does not have; the message says what."""


class Kind(StrEnum):
    """What is sent in private chats."""

    REPLY = "reply"
    GREETING = "greeting"
    UNFINISHED = "reminder to finish"
    LEADS = "reminder to a lead"


@dataclass
class Timed(Teams):
    """`took` has for each request the seconds until it was answered."""

    took: array[float] = field(default_factory=lambda: array("d"))

    async def request(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        began = time.perf_counter()
        answer = await super().request(body, headers)
        self.took.append(time.perf_counter() - began)
        return answer


@dataclass
class Stage:
    """`expected` counts the messages that have to come, by chat and kind.

    `deeds` counts what the worker did, by its name; `advance` is called after each visit.
    `memory_mib` is what the server held, and `bytes_stored` what lay in its store, by what had
    been done by then. `worked_s`: how long its worker had something to do. `late` counts turns for
    which the bot asked people to try again, in one of the words of `apologies` or for an edit.
    """

    folder: Path
    teams: Timed
    server: Server
    instrument: Instrument
    language: str
    now: datetime
    advance: Callable[[], None]
    apologies: Sequence[str]
    wording: Wording
    gallery: Gallery = field(default_factory=Gallery)
    expected: Counter[tuple[str, Kind]] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)
    viewers: dict[str, Viewer] = field(default_factory=dict)
    memory_mib: dict[str, float] = field(default_factory=dict)
    worked_s: float = 0.0
    late: int = 0
    bytes_stored: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.teams.hears = self._hear

    # -- time -----------------------------------------------------------------------------------

    async def moves(self, to: datetime, *, works: bool = False) -> tuple[str, ...]:
        """Move the clock; what the worker did then, if it does."""
        self.now, began = to, time.perf_counter()
        worked = await self.server.moves(to, works=works)
        self.worked_s += time.perf_counter() - began
        self.deeds.update(worked.deeds)
        return worked.deeds

    async def works(self) -> tuple[str, ...]:
        return await self.moves(self.now, works=True)

    async def takes_stock(self, when: str) -> None:
        """Note what the server holds in memory, and what lies in its store."""
        worked = await self.server.moves(self.now, works=False)
        self.memory_mib[when] = worked.resident_mib
        files = [f for f in self.folder.rglob("*") if f.is_file()]
        self.bytes_stored[when] = sum(f.stat().st_size for f in files)

    # -- what people do -------------------------------------------------------------------------

    async def presses(
        self, person: PersonHere, action: Json, typed: Mapping[str, str] | None = None
    ) -> Shown:
        """Press a button of the card in front of somebody in their private chat."""
        return await self._acts(person, action, typed, Viewer.PRACTITIONER)

    async def opens(self, person: PersonHere) -> Shown:
        """Open the chat: Teams runs the `refresh` of the newest message, if it has one."""
        shown = await person.looks()
        if shown is None:
            raise GoesWrong("somebody who was to be greeted was not")
        if shown.refresh is None:
            return await self.presses(person, only(shown, Verb.SHOW))
        refresh = shown.refresh
        answer = await self._answer(lambda: person.acts(refresh, trigger="automatic"))
        return self._sees(person, answer, Viewer.PRACTITIONER, "The chat is opened")

    async def types(self, person: PersonHere, words: str) -> Shown:
        """In a private chat."""
        for _ in range(_TRIES):
            self.expected[person.object_id, Kind.REPLY] += 1
            if not self._is_apology(shown := await person.types(words)):
                return shown
        raise GoesWrong(_BUSY)

    async def asks(self, person: PersonHere, words: str, channel: str) -> Shown:
        """Mention the bot in a channel."""
        for _ in range(_TRIES):
            if not self._is_apology(shown := await person.posts(words, channel)):
                return shown
        raise GoesWrong(_BUSY)

    async def presses_in(
        self,
        person: PersonHere,
        channel: str,
        action: Json,
        typed: Mapping[str, str] | None = None,
        viewer: Viewer | None = None,
    ) -> Shown:
        """`viewer`: unless given, whoever asks there."""
        is_moderator = self.viewers[channel.partition(";")[0]] is Viewer.MODERATORS
        viewer = viewer or (Viewer.MODERATOR if is_moderator else Viewer.FACILITATOR)
        return await self._acts(person, action, typed, viewer, channel)

    async def _acts(
        self,
        person: PersonHere,
        action: Json,
        typed: Mapping[str, str] | None,
        viewer: Viewer,
        chat: str | None = None,
    ) -> Shown:
        filled = person.sees.filled(typed or {}) if person.sees else {}
        answer = await self._answer(lambda: person.acts(action, filled, chat=chat))
        return self._sees(person, answer, viewer, f"Pressed: {action.get('title', '')}")

    async def _answer(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """What comes of a tap. Who is told that the bot was too slow presses once more."""
        for _ in range(_TRIES):
            answer = await ask()
            if answer.status != OK or not answer.body:
                raise GoesWrong(f"a turn was answered with {answer.status}")
            if not self._is_apology(answer.card):
                return answer
        raise GoesWrong(_BUSY)

    def _is_apology(self, shown: Shown) -> bool:
        is_late = any(words in shown.words for words in self.apologies)
        self.late += is_late
        return is_late

    def _sees(self, person: PersonHere, answer: Answer, viewer: Viewer, cause: str) -> Shown:
        person.sees = shown = answer.card
        self.gallery.note(shown.card, self.now, viewer, cause)
        return shown

    # -- what comes -----------------------------------------------------------------------------

    def _hear(self, sent: Sent) -> None:
        if sent.is_file:
            return
        place, _, thread = sent.conversation.partition(";")
        viewer = self.viewers.get(place, Viewer.PRACTITIONER)
        if viewer in (Viewer.PRACTITIONER, Viewer.LEAD, Viewer.FACILITATOR_ALONE):
            is_reminder = kind_of(sent.card) is not None
            cause = "Reminded" if is_reminder else "Typed a word, or has just got the app"
        else:
            cause = "Typed, with the bot's mention" if thread else "Posted unasked"
        self.gallery.note(sent.card.card, self.now, viewer, cause)

    def unasked(self, channel: str) -> list[Sent]:
        """What was posted in a channel as a thread of its own."""
        return [sent for sent in self.teams.posts(channel) if ";" not in sent.conversation]

    def received(self, object_id: str) -> list[Sent]:
        """Files aside: Teams shows a card of its own for those."""
        return [sent for sent in self.teams.posts(chat_of(object_id)) if not sent.is_file]


def kind_of(card: Shown) -> Kind | None:
    """What a message in a private chat is, by its buttons; None: a reply or a greeting."""
    if card.actions(Verb.STOP_LEAD):
        return Kind.LEADS
    if card.actions(Verb.QUIET) and not card.actions(Verb.WITHDRAW):
        return Kind.UNFINISHED
    return None


def only(shown: Shown, verb: Verb, **data: object) -> Json:
    """The button with this verb and these data. Raises `GoesWrong` where there is not one."""
    found = [
        action
        for action in shown.actions(verb)
        if all(action.get("data", {}).get(key) == value for key, value in data.items())
    ]
    if len(found) != 1:
        raise GoesWrong(f"a card has {len(found)} buttons for {verb} {data or ''}, and not one")
    return found[0]
