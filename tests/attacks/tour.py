"""All that one can ask of the bot: each button and each typed word, and what goes with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import orjson

from bot.rehearsal.teams import FILE, Answer, PersonHere, Shown
from bot.turns import (
    dispatch,
    facilitator,
    moderator,
    opening,
    plan,
    practitioner,
    reports,
    session,
)
from cards.verbs import Verb
from tests.attacks.bots import CANARY, SAID, Stage
from tests.stories.opening import a_form

JSON = {"Content-Type": "application/json"}

AN_ID = "an id"
"""Stands for that of a comment that waits, or of a form: another one each time."""

CSV = f"email,name\n{CANARY}.file@{CANARY}.example,{CANARY} Filed\n"


class Where(StrEnum):
    CHAT = "chat"
    CHANNEL = "channel"
    MODERATORS = "moderators"
    ELSEWHERE = "elsewhere"
    """In a channel without a snapshot, of another tenant."""


class Has(StrEnum):
    """What whoever asks has done before."""

    NOTHING = "nothing"
    DRAFT = "draft"
    LEAD = "lead"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Ask:
    """A `verb` with `data`, or without one a typed word; `words` is what follows that."""

    where: Where
    name: str
    data: Mapping[str, Any] | None = None
    words: str = ""
    has: Has = Has.DRAFT

    @property
    def known_as(self) -> tuple[Where, str]:
        """The handler that it is for."""
        view = self.data and self.data.get("again")
        return self.where, f"in another language: {view}" if view else self.name


def _pressed(where: Where, verb: Verb, **data: Any) -> Ask:
    return Ask(where, verb, data)


def _in_chat() -> Iterator[Ask]:
    boxes = {"comment.awareness": SAID}
    at = {"statement": "AW2"}
    given = {"statement": "AW2", "option": "not_yet", "revision": 22}
    pressed: Mapping[Verb, Mapping[str, Any]] = {
        Verb.SHOW: {},
        Verb.ANSWER: given,
        Verb.BACK: at,
        Verb.CHANGE: at,
        Verb.REVIEW: {},
        Verb.SUBMIT: {},
        Verb.WITHDRAW: {"confirmed": True},
        Verb.QUIET: {},
        Verb.CHOOSE: {"command": "status"},
        Verb.WORRIED: boxes,
        Verb.PRIVACY: boxes,
        Verb.WELLBEING: boxes,
    }
    for verb, data in pressed.items():
        yield _pressed(Where.CHAT, verb, **data)
    yield replace(_pressed(Where.CHAT, Verb.BEGIN, agency="police"), has=Has.NOTHING)
    yield replace(_pressed(Where.CHAT, Verb.STOP_LEAD), has=Has.LEAD)
    yield replace(_pressed(Where.CHAT, Verb.CHOOSE), has=Has.FILE)
    yield _pressed(Where.CHAT, Verb.COMMENTS, save=True, revision=22, **boxes)
    named = {"comment.awareness": f"Ask Mrs {CANARY} on 07700 900123, {CANARY}@example.org"}
    yield _pressed(Where.CHAT, Verb.COMMENTS, save=True, revision=22, **named)
    yield _pressed(Where.CHAT, Verb.COMMENTS, kept=True)
    yield _pressed(Where.CHAT, Verb.LANGUAGE, to="cy-GB")
    for view in practitioner.VIEWS:
        yield _pressed(Where.CHAT, Verb.LANGUAGE, to="cy-GB", again=str(view), **at, **boxes)
    for word in practitioner.WORDS:
        yield Ask(Where.CHAT, word)
    yield Ask(Where.CHAT, _A_FILE, has=Has.FILE)
    yield Ask(Where.CHAT, SAID)


def _in_channels() -> Iterator[Ask]:
    here, there = Where.CHANNEL, Where.ELSEWHERE
    lines = f"{CANARY}.pasted@{CANARY}.example, {CANARY} Pasted\nno address of {CANARY}"
    yield _pressed(here, Verb.STATUS)
    yield _pressed(here, Verb.STATUS, reminders=True)
    yield _pressed(here, Verb.STATUS, code=True)
    yield _pressed(here, Verb.EXTEND, save=True, deadline="2026-03-26", reason=f"For {CANARY}.")
    yield _pressed(here, Verb.WORRIED)
    yield _pressed(here, Verb.ADD_LEADS, save=True, leads=lines)
    yield _pressed(here, Verb.EMAIL_LEADS, by="2026-03-06")
    form = {**a_form(area=CANARY, contact_email=f"{CANARY}@example.org"), "draft": AN_ID}
    yield _pressed(here, Verb.CORRECT, save=True, seen=0, **form)
    for verb in (Verb.NEW, Verb.CONTACTS, Verb.OPEN):
        yield _pressed(there, verb, save=True, **form)
    for word in facilitator.WORDS:
        yield Ask(here, word)
    for word in opening.WORDS:
        yield Ask(there, word, words=CANARY)
    yield from _in_the_session()
    yield _pressed(here, Verb.CLOSE, confirmed=True)
    yield from _of_the_plan()
    for word in reports.WORDS:
        yield Ask(Where.CHAT, word)
    yield _pressed(Where.CHAT, Verb.SHARE_REPORT)


def _in_the_session() -> Iterator[Ask]:
    """In the order in which one statement is agreed, so that something comes of each."""
    here, pair = Where.CHANNEL, {"progress": "fully", "evidence": "anecdotal"}
    rating, revealed, agreed = (_at(stage) for stage in ("rating", "revealed", "agreed"))
    again = {**rating, "round": 2}
    noted = {"note": SAID, "evidence_named": SAID}
    for word in session.WORDS:
        yield Ask(here, word)
    yield _pressed(here, Verb.JOIN, agency="police")
    yield _pressed(here, Verb.SESSION)
    yield _pressed(here, Verb.RATE, **rating, **pair)
    yield _pressed(here, Verb.REVEAL, **rating)
    yield _pressed(here, Verb.AGAIN, **revealed)
    yield _pressed(here, Verb.RATE, **again, **pair)
    yield _pressed(here, Verb.REVEAL, **again)
    now = {**revealed, "round": 2}
    yield _pressed(here, Verb.AGREE, save=True, **now, **pair, **noted)
    objects = {"dissent_agency": "police", "dissent": SAID}
    yield _pressed(here, Verb.DISSENT, save=True, **{**agreed, "round": 2}, **objects)
    for verb in (Verb.AGREED, Verb.MORE, Verb.PAUSE, Verb.START, Verb.LEAVE):
        yield _pressed(here, verb)
    yield _pressed(here, Verb.NEXT, **{**agreed, "round": 2})
    yield _pressed(here, Verb.BEFORE, **_at("rating", "AW2"))
    yield _pressed(here, Verb.GO, to="AW3", **rating)


def _at(stage: str, statement: str = "AW1") -> Mapping[str, Any]:
    return {"statement": statement, "round": 1, "stage": stage}


def _of_the_plan() -> Iterator[Ask]:
    here, one = Where.CHANNEL, {"action": 20 * "a"}
    typed = {"recommendation": SAID, "owner_name": f"{CANARY} Owner", "check": SAID, "note": SAID}
    for word in plan.WORDS:
        yield Ask(here, word)
    yield _pressed(here, Verb.PLAN)
    yield _pressed(here, Verb.ADVICE)
    yield _pressed(here, Verb.EDIT_ACTION, save=True, revision=0, **one, **typed)
    yield _pressed(here, Verb.TAKE_OFF, confirmed=True, revision=1, **one)


def _among_moderators() -> Iterator[Ask]:
    here, it = Where.MODERATORS, {"comment": AN_ID}
    passed = {"passed_to": f"{CANARY} Lead", "passed_when": f"today, {CANARY}"}
    yield _pressed(here, Verb.READ_COMMENTS)
    yield _pressed(here, Verb.DECIDE, decision="paraphrase", paraphrase=SAID, **it)
    yield _pressed(here, Verb.DECIDE, decision="escalate", **it)
    yield _pressed(here, Verb.DECIDE, told=True, **it, **passed)
    yield _pressed(here, Verb.THEME, domain="awareness", theme=SAID)
    for word in moderator.WORDS:
        yield Ask(here, word)


_A_FILE = "a file"

ASKS: tuple[Ask, ...] = (*_in_chat(), *_among_moderators(), *_in_channels())
"""In this order they make sense: the plan is for after the close."""


def forgotten() -> set[str]:
    """What the code knows and nobody here asks for."""
    known = {
        *((Where.CHAT, verb) for verb in (*dispatch._PRIVATE_VERBS, *reports.VERBS)),
        *((Where.CHAT, word) for word in (*practitioner.WORDS, *reports.WORDS)),
        *((Where.CHAT, f"in another language: {view}") for view in practitioner.VIEWS),
        *((Where.CHANNEL, verb) for verb in dispatch._FACILITATING_VERBS),
        *((Where.MODERATORS, verb) for verb in moderator.VERBS),
        *((Where.ELSEWHERE, verb) for verb in opening.VERBS),
    }
    asked = {ask.known_as for ask in ASKS}
    names = {name for _, name in asked}
    anywhere = {*Verb, *dispatch._CHANNEL_COMMANDS} - names
    return {f"{where}: {name}" for where, name in known - asked} | anywhere


# -- asking ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ready:
    """Somebody with something to ask, and all that has to be there for it."""

    ask: Ask
    person: PersonHere
    place: str
    data: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""

    def saying(self, data: Mapping[str, Any]) -> Ready:
        return replace(self, data=data)


async def ready(stage: Stage, ask: Ask) -> Ready:
    person = await _person(stage, ask)
    data = {"snapshot": stage.running.snapshot.id, "language": "en-GB", **(ask.data or {})}
    if data.get("comment") == AN_ID:
        data["comment"] = await stage.comment(is_urgent="told" in data)
    if data.get("draft") == AN_ID:
        data["draft"] = f"{next(stage.numbers):020x}"
    file = _file(stage, person) if ask.has is Has.FILE else ""
    if file and ask.data is not None:
        data["file"] = file
    place = {
        Where.CHAT: person.chat,
        Where.CHANNEL: stage.channel,
        Where.MODERATORS: stage.moderators,
        Where.ELSEWHERE: stage.teams.channel(person.object_id),
    }[ask.where]
    return Ready(ask, person, place, data, file)


async def _person(stage: Stage, ask: Ask) -> PersonHere:
    if ask.where is Where.ELSEWHERE:
        return stage.somebody("tenant-of-elsewhere")
    if ask.where is not Where.CHAT:
        return stage.facilitator if ask.where is Where.CHANNEL else stage.moderator
    person = stage.somebody()
    if ask.has is Has.DRAFT:
        await stage.has_begun(person)
    if ask.has is Has.LEAD:
        await stage.is_lead(person)
    return person


def _file(stage: Stage, person: PersonHere) -> str:
    stage.teams.files[person.object_id] = CSV.encode()
    return f"{stage.teams.url}/files/{person.object_id}"


async def asks(stage: Stage, one: Ready) -> Shown | None:
    """What comes back, if anything does."""
    before = len(stage.teams.sent)
    answer = await stage.teams.deliver(_activity(stage, one))
    if one.ask.data is not None:
        return _card_in(answer)
    return next((s.card for s in stage.teams.sent[before:] if s.conversation == one.place), None)


def _activity(stage: Stage, one: Ready) -> Mapping[str, Any]:
    ask, person = one.ask, one.person
    if ask.data is not None:
        action = {"type": "Action.Execute", "verb": ask.name, "data": one.data}
        value = {"action": action, "trigger": "manual"}
        return person.activity("invoke", chat=one.place, name="adaptiveCard/action", value=value)
    if ask.name == _A_FILE:
        file = {"contentType": FILE, "name": f"{CANARY}.csv", "content": {"downloadUrl": one.file}}
        return person.activity("message", chat=one.place, text="", attachments=[file])
    typed = f"{_word(stage, ask)} {ask.words}"
    return person.activity("message", chat=one.place, text=typed)


def _word(stage: Stage, ask: Ask) -> str:
    """What one types for it; what is no command is typed as it stands."""
    wording = stage.bot.app.service.pack.wording
    commands = wording.private if ask.where is Where.CHAT else wording.channel
    return next((command.words[0] for command in commands if command.id == ask.name), ask.name)


def _card_in(answer: Answer) -> Shown | None:
    try:
        return answer.card
    except (KeyError, TypeError, ValueError):
        return None


# -- asking for what cannot be ---------------------------------------------------------------------

_ODD = (SAID, CANARY * 600, [CANARY], {CANARY: CANARY}, 10**18, None)


def spoilt(one: Ready) -> list[Ready]:
    """The same with odd values of each kind, for a snapshot that is not there, and with more."""
    kept = {"snapshot": one.data["snapshot"]}
    found = [{**dict.fromkeys(one.data, odd), **kept} for odd in _ODD]
    found += [{**one.data, "snapshot": CANARY}, {**one.data, CANARY: CANARY}]
    return [one.saying(data) for data in found]


def odd_bodies(person: PersonHere) -> list[bytes]:
    """What is no activity, or not one of ours."""
    whole = person.activity("message", text=SAID)
    pressed = {"type": "Action.Execute", "verb": CANARY, "data": {CANARY: SAID}}
    changed: list[Mapping[str, Any]] = [
        {"type": CANARY},
        {"type": "invoke", "name": CANARY, "value": SAID},
        {"type": "invoke", "name": "adaptiveCard/action", "value": SAID},
        {"type": "invoke", "name": "adaptiveCard/action", "value": {"action": pressed}},
        {"from": CANARY},
        {"conversation": {"id": CANARY, "conversationType": CANARY}},
        {"serviceUrl": f"http://{CANARY}.example/"},
        {"attachments": CANARY},
        {"text": [SAID]},
        {"value": SAID},
        {"channelData": {"tenant": CANARY}},
    ]
    bodies = [orjson.dumps({**whole, **each}) for each in changed]
    return [*bodies, f'{{"text": "{SAID}"'.encode(), CANARY.encode(), b""]
