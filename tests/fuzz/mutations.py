"""Activities of every kind that the bot knows, and what becomes of them when they are spoilt."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from bot.rehearsal.teams import FILE, PersonHere
from tests.attacks.tour import ASKS, Ask, Where

CANARY = "ZQXJfuzzcanary"
"""Stands in all that is made up here, and in no log."""

type Json = dict[str, Any]

KINDS = ("installationUpdate", "conversationUpdate", "messageReaction", "event", CANARY)
ACTIONS = ("add", "remove", "add-upgrade", CANARY)


def activities(person: PersonHere, snapshot: str, channel: str) -> list[Json]:
    """One of each, whole."""
    found = [_asked(ask, person, snapshot, channel) for ask in ASKS]
    found += [person.activity(kind, action=action) for kind in KINDS for action in ACTIONS]
    found += [_consent(person, choice, snapshot) for choice in ("accept", "decline", CANARY)]
    file = {"contentType": FILE, "name": CANARY, "content": {"downloadUrl": "http://127.0.0.1:9/"}}
    found.append(person.activity("message", text="", attachments=[file]))
    found.append(person.activity("invoke", name="task/fetch", value={}))
    return found


def _asked(ask: Ask, person: PersonHere, snapshot: str, channel: str) -> Json:
    chat = None if ask.where is Where.CHAT else channel
    if ask.data is None:
        return person.activity("message", chat=chat, text=f"{ask.name} {ask.words}")
    data = {"snapshot": snapshot, **ask.data}
    action = {"type": "Action.Execute", "verb": str(ask.name), "data": data}
    value = {"action": action, "trigger": "manual"}
    return person.activity("invoke", chat=chat, name="adaptiveCard/action", value=value)


def _consent(person: PersonHere, choice: str, snapshot: str) -> Json:
    place = dict.fromkeys(("contentUrl", "uploadUrl", "name", "uniqueId", "fileType"), CANARY)
    context = {"file": "leads", "snapshot": snapshot}
    value = {"type": "fileUpload", "action": choice, "context": context, "uploadInfo": place}
    return person.activity("invoke", name="fileConsent/invoke", value=value)


# -- how they are spoilt ---------------------------------------------------------------------------


def _nested(depth: int) -> Any:
    value: Any = CANARY
    for _ in range(depth):
        value = [value]
    return value


_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**53,
    1e308,
    "",
    " ",
    CANARY,
    CANARY * 500,
    f"{CANARY}\x00\x1f\x7f",
    f"\u202e{CANARY}\ufeff\U0001f600",
    "../../etc/passwd",
    f"' OR 1=1 -- {CANARY}",
    "{area} {0} %s ${x}",
    [],
    {},
    [CANARY, None, {}],
    {"id": CANARY},
    {"$ref": CANARY, "": ""},
    _nested(200),
    _nested(300),
)
ODD = tuple(json.dumps(value) for value in _VALUES)


def spoilt(activity: Json, others: list[Json], dice: Random) -> bytes:
    """One to four things are wrong with it; at times it is no longer JSON."""
    activity = copy.deepcopy(activity)
    for _ in range(dice.randint(1, 4)):
        dice.choice(_SPOILING)(activity, others, dice)
    raw = json.dumps(activity, separators=(",", ":")).encode()
    return dice.choice(_BREAKING)(raw, dice) if dice.random() < 0.1 else raw


def _removed(activity: Json, _: list[Json], dice: Random) -> None:
    inner, key = _somewhere(activity, dice)
    inner.pop(key, None)


def _retyped(activity: Json, _: list[Json], dice: Random) -> None:
    inner, key = _somewhere(activity, dice)
    inner[key] = json.loads(dice.choice(ODD))


def _swapped(activity: Json, others: list[Json], dice: Random) -> None:
    """Some part is another's."""
    inner, key = _somewhere(activity, dice)
    inner[key] = copy.deepcopy(dice.choice(list(dice.choice(others).values())))


def _of_another(activity: Json, others: list[Json], dice: Random) -> None:
    key = dice.choice(("from", "conversation", "value", "channelData", "type", "name"))
    if key in (other := dice.choice(others)):
        activity[key] = copy.deepcopy(other[key])


def _added(activity: Json, _: list[Json], dice: Random) -> None:
    inner, _key = _somewhere(activity, dice)
    name = dice.choice(("id", "snapshot", "revision", "statement", "again", CANARY))
    inner[name] = json.loads(dice.choice(ODD))


def _somewhere(activity: Json, dice: Random) -> tuple[Json, str]:
    """An object within it, and one of its keys."""
    places = [(of, key) for of in _objects(activity) for key in of]
    return dice.choice(places) if places else (activity, CANARY)


def _objects(value: Any) -> list[Json]:
    """Recursion is not for what is nested so deep."""
    found, waiting = [], [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            found.append(one)
            waiting.extend(one.values())
    return found


_SPOILING: tuple[Callable[[Json, list[Json], Random], None], ...] = (
    _removed,
    _retyped,
    _retyped,
    _retyped,
    _swapped,
    _of_another,
    _added,
)


def _cut(raw: bytes, dice: Random) -> bytes:
    return raw[: dice.randrange(len(raw))]


def _changed(raw: bytes, dice: Random) -> bytes:
    at = dice.randrange(len(raw))
    return raw[:at] + dice.randbytes(1) + raw[at + 1 :]


def _half_a_pair(raw: bytes, dice: Random) -> bytes:
    return raw.replace(CANARY.encode(), rb"\ud800").replace(b'"text":"', rb'"text":"\udfff')


def _in_other_letters(raw: bytes, dice: Random) -> bytes:
    return raw.decode().encode(dice.choice(("utf-16", "utf-32", "utf-7")))


def _doubled(raw: bytes, dice: Random) -> bytes:
    return raw[:-1] + b"," + raw[1:]


def _no_number(raw: bytes, dice: Random) -> bytes:
    return raw[:-1] + b',"x":' + dice.choice((b"NaN", b"Infinity", b"1" * 5_000, b"1e999")) + b"}"


def _deep(raw: bytes, dice: Random) -> bytes:
    depth = dice.choice((1_000, 10_000, 100_000))
    return raw[:-1] + b',"x":' + b"[" * depth + b"]" * depth + b"}"


def _large(raw: bytes, dice: Random) -> bytes:
    return raw + b" " * dice.choice((100_000, 300_000))


_BREAKING: tuple[Callable[[bytes, Random], bytes], ...] = (
    _cut,
    _changed,
    _half_a_pair,
    _in_other_letters,
    _doubled,
    _no_number,
    _deep,
    _large,
)


def headers(good: str, dice: Random) -> Mapping[str, str]:
    """Mostly those of Teams; otherwise without a token, or with a broken one."""
    kind = {"Content-Type": "application/json"}
    if dice.random() < 0.85:
        return {**kind, "Authorization": f"Bearer {good}"}
    odd = (
        "",
        "Bearer",
        f"Bearer {CANARY}",
        f"Basic {good}",
        f"Bearer {good[:-9]}",
        f"Bearer {good}x",
    )
    return {**kind, "Authorization": dice.choice(odd)}
