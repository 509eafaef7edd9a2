"""T18: another account of the same tenant, with somebody's cards in hand and their ids known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import batched
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson
from aiohttp import web

from bot.rehearsal.teams import Json, PersonHere, Shown
from bot.teams.adapter import Adapter
from bot.teams.bot import Bot
from bot.teams.connector import Connector, new_session
from bot.teams.identity import LocalCallers
from bot.turns.dispatch import act, apology, outsider
from bot.turns.turn import Reply, Turn
from bot.web import make_web
from cards.verbs import Verb
from snapshot.envelope import Ballot, State
from snapshot.instrument import DomainId, OptionId, StatementId
from snapshot.leads import lead_id
from snapshot.ports import Kind, Record
from snapshot.sealing import Person
from snapshot.snapshot import CellId
from snapshot.survey import from_record
from snapshot.wording import Pack
from tests.attacks.attack import Result, Staged
from tests.attacks.bots import Stage, a_stage
from tests.attacks.stores import OpenStore
from tests.attacks.tour import ASKS, Ask, Has, Where, asks, ready
from tests.cosmos.patience import patient
from tests.stories.commenting import full_ballot

SECRET = "Only the victim says that joint visits are late."

AT_ONCE = 16

PATIENCE_S = 60.0
"""For a turn."""


@dataclass(frozen=True, slots=True)
class Try:
    """One thing that the attacker sends: a pressed button or typed words.

    `forged`: with the victim's ids wherever a client could put any. `begun`: the attacker has
    begun before.
    """

    pressed: Json | None = None
    words: str = ""
    forged: bool = True
    begun: bool = False


# -- what the attacker has -------------------------------------------------------------------------


async def tries(stage: Stage) -> list[Try]:
    """Every button of every card of a private chat, and all that one can type."""
    asked = [await ready(stage, ask) for ask in ASKS if _is_of_the_survey(ask)]
    shown = [await asks(stage, one) for one in asked]
    pressed = [_action(one.ask.name, one.data) for one in asked if one.ask.data is not None]
    actions = {orjson.dumps(a): a for a in [*pressed, *_buttons(shown)]}.values()
    typed = [word for pack in stage.bot.app.service.packs.values() for word in _typed(pack)]
    return [
        *(Try(action, "", *kind) for action in actions for kind in _KINDS),
        *(Try(None, words, *kind) for words in [*typed, *_LINKS] for kind in _KINDS),
    ]


_KINDS = ((True, False), (True, True), (False, True))

_LINKS = (
    "https://teams.microsoft.com/l/chat/0/0?users=28:snapshot-bot&message=status%20{object_id}",
    'https://teams.microsoft.com/l/entity/snapshot/home?context={{"subEntityId":"{tag}"}}',
    "status {object_id}",
    "continue {tag}",
    '{{"verb":"survey.review","data":{{"person":"{object_id}"}}}}',
)
"""What links that lead into Teams put into a chat, with the victim's ids."""


def _is_of_the_survey(ask: Ask) -> bool:
    return ask.where is Where.CHAT and ask.has is not Has.FILE


def _action(verb: str, data: Mapping[str, Any]) -> Json:
    return {"type": "Action.Execute", "verb": verb, "data": data}


def _buttons(shown: Sequence[Shown | None]) -> list[Json]:
    cards = [card for card in shown if card]
    pressed = [a for card in cards for verb in Verb for a in card.actions(verb)]
    refreshed = [card.refresh for card in cards if card.refresh]
    return [_action(a["verb"], a["data"]) for a in [*pressed, *refreshed]]


def _typed(pack: Pack) -> list[str]:
    return [command.words[0] for command in pack.wording.private]


# -- the victim ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Victim:
    """`kept`: the envelope and what is kept of them as a lead; None: they have never been there."""

    person: PersonHere
    tag: str
    kept: Sequence[Record] | None = None

    @property
    def ids(self) -> Json:
        """Under any name that somebody might look for them."""
        who = {"id": self.person.id, "name": self.person.name, "aadObjectId": self.person.object_id}
        names = ("person", "user", "userId", "object_id", "objectId", "aadObjectId", "oid")
        tags = dict.fromkeys(
            ("tag", "envelope", "envelopeId", "record", "recipient", "lead"), self.tag
        )
        chats = dict.fromkeys(
            ("conversation", "conversationId", "chat", "address"), self.person.chat
        )
        return {**dict.fromkeys(names, self.person.object_id), **tags, **chats, "from": who}


async def a_victim(stage: Stage, state: State | None) -> Victim:
    person = stage.somebody()
    victim = Victim(person, stage.tag(person))
    if state is None:
        return victim
    comments = {DomainId("prevention"): SECRET}
    await stage.has_begun(person, replace(full_ballot(stage.bot), comments=comments), state)
    await stage.is_lead(person)
    return replace(victim, kept=await _kept(stage, victim))


async def _kept(stage: Stage, victim: Victim) -> list[Record]:
    id = lead_id(stage.running, victim.person.email)
    lead = await stage.records.read(stage.running.snapshot.id, Kind.LEAD, id)
    return [await stage.envelope(victim.person), lead]


# -- the attack ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """What the attacker is answered to each try, and whether something of the victim's changed."""

    answers: Sequence[bytes]
    changed: bool


async def attack(stage: Stage, all_tries: Sequence[Try], state: State | None) -> Told:
    victim = await a_victim(stage, state)
    answers: list[bytes] = []
    for some in batched(all_tries, AT_ONCE):
        answers += await asyncio.gather(*(_tries(stage, one, victim) for one in some))
    return Told(answers, victim.kept is not None and await _kept(stage, victim) != victim.kept)


async def _tries(stage: Stage, one: Try, victim: Victim) -> bytes:
    attacker = stage.somebody()
    if one.begun:
        given = {StatementId("AW1"): OptionId("partly")}
        await stage.has_begun(attacker, Ballot(CellId("health"), given, revision=1))
    return await _sends(stage, attacker, one, victim)


async def _sends(stage: Stage, person: PersonHere, one: Try, victim: Victim) -> bytes:
    """The answer, or the message that came."""
    ids = victim.ids if one.forged else {}
    answer = await stage.teams.deliver(
        {**_activity(person, one, victim, ids), **_posing(person, ids)}
    )
    messages = stage.teams.posts(person.chat)
    return answer.body or orjson.dumps(messages[-1].activity)


def _activity(person: PersonHere, one: Try, victim: Victim, ids: Json) -> Json:
    if one.pressed is None:
        words = one.words.format(object_id=victim.person.object_id, tag=victim.tag)
        return person.activity("message", text=words, value=ids)
    action = {**one.pressed, "data": {**one.pressed["data"], **ids}}
    value = {"action": action, "trigger": "manual", **ids}
    return person.activity("invoke", name="adaptiveCard/action", value=value)


def _posing(person: PersonHere, ids: Json) -> Json:
    """Called as the victim is; but whose account it is, Teams alone says."""
    return {"from": {**ids["from"], "aadObjectId": person.object_id}} if ids else {}


async def own_old_cards(stage: Stage, all_tries: Sequence[Try]) -> int:
    """Answers that show a draft to whoever has sent it, and whether it has changed since."""
    victim = await a_victim(stage, State.SUBMITTED)
    sent = await _ballot(stage, victim)
    old = [t for t in all_tries if not t.forged and not _withdraws(t)]
    answers = [await _sends(stage, victim.person, one, victim) for one in old]
    given = stage.bot.app.service.pack.wording.words["your_answer"].partition("{")[0].encode()
    shown = sum(SECRET.encode() in answer or given in answer for answer in answers)
    return shown + (await _ballot(stage, victim) != sent)


async def _ballot(stage: Stage, victim: Victim) -> Ballot | None:
    return from_record(await stage.envelope(victim.person), stage.running.sealer).ballot


def _withdraws(one: Try) -> bool:
    return one.pressed is not None and bool(one.pressed["data"].get("confirmed"))


# -- a naive bot -----------------------------------------------------------------------------------


@asynccontextmanager
async def naive_bot(stage: Stage) -> AsyncIterator[None]:
    """The same turns, of whoever the data says."""
    service = stage.bot.app.service

    async def believes(turn: Turn) -> Reply | None:
        named = turn.data.get("person")
        if isinstance(named, str):
            turn = replace(turn, person=Person(turn.person.tenant, named.lower()))
        return await act(turn, service)

    async def missing() -> list[str]:
        return []

    async with new_session() as session:
        gullible = Bot(
            believes,
            lambda turn: apology(turn, service),
            lambda met: None,
            lambda locale: outsider(locale, service),
        )
        adapter = Adapter(LocalCallers(), Connector(session), gullible)
        runner = web.AppRunner(make_web(adapter.receive, missing), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ours, stage.teams.bot_url = stage.teams.bot_url, site.name
        try:
            yield
        finally:
            stage.teams.bot_url = ours
            await runner.cleanup()


# -- what came of it -------------------------------------------------------------------------------


async def over_the_shoulder(open_store: OpenStore, folder: Path) -> Result:
    # An answer that comes too late is an apology, which says how busy this machine is and no more.
    unhurried = patch("bot.teams.bot.TURN_S", PATIENCE_S)
    with patient(), unhurried:
        async with a_stage(open_store, folder / "bot") as stage:
            return await _over_the_shoulder(stage)


async def _over_the_shoulder(stage: Stage) -> Result:
    everything = await tries(stage)
    nobody = await attack(stage, everything, None)
    found = [await attack(stage, everything, s) for s in (State.OPEN, State.SUBMITTED)]
    old = await own_old_cards(stage, everything)
    async with naive_bot(stage):
        naive = await attack(stage, everything, State.OPEN)
    told, tried = sum(_differing(f, nobody) for f in found), len(found) * len(everything)
    changed = sum(f.changed for f in found)
    told_there = _differing(naive, nobody)
    said = "changed" if naive.changed else "unchanged"
    return Result(
        f"{told} of {tried} answers hang on the victim, {changed} changes; {old} of their own old "
        "cards show what was sent",
        f"the person believed that the data names: {told_there} of {len(everything)} answers hang "
        f"on the victim, whose envelope was {said}",
        not told + changed + old,
        told_there > 0 and naive.changed and any(SECRET.encode() in a for a in naive.answers),
    )


def _differing(told: Told, nobody: Told) -> int:
    """Answers that are not what they would be if the victim had never been there."""
    return sum(a != b for a, b in zip(told.answers, nobody.answers, strict=True))


SHOULDER = Staged(
    "T18",
    "Somebody else's cards, forged or forwarded",
    "an account of the same tenant, every button of every card of the victim's, links, and the "
    "victim's ids in all that a client may fill in",
    "every answer is what it would be without the victim; nothing of theirs changes; their own old "
    "cards do not show what was sent",
    stage=over_the_shoulder,
)
