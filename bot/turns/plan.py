"""The action plan of an area: facilitators fill it after the close, and keep it up for good.

The typed word is answered where everybody in the channel sees it, so without any word of the plan.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from bot.turns.account import did
from bot.turns.turn import MOST_TYPED
from bot.turns.visit import Handler, Visit
from cards.parts import Card
from cards.plan import (
    BOXES,
    NO_AGENCY,
    Desk,
    action_form,
    advice_card,
    cut_to_fit,
    plan_card,
    plan_notice,
    say_needed,
    take_off_card,
    values_of,
)
from cards.verbs import Verb
from snapshot.acts import Did
from snapshot.calendar import day_of
from snapshot.closing import final_detail, final_summary
from snapshot.errors import Full, NotOffered, Overtaken
from snapshot.findings import Recommended
from snapshot.findings import find as find_findings
from snapshot.plan import (
    MOST,
    MOST_ACTIONS,
    Action,
    Status,
    id_for,
    not_picked,
    read_plan,
    save,
    suggested,
    take_off,
)
from snapshot.plan import find as find_action
from snapshot.screening import clean_up
from snapshot.session import find as find_session

MOST_AHEAD = timedelta(days=3653)
"""A due date further away is a slip of the finger."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NEW = re.compile(r"[0-9a-f]{20}")
_KNOWN = re.compile(r"[0-9a-f]{20}|[0-9a-f]{32}")
_IN_LINES = ("check", "note")


async def announce(visit: Visit) -> Card:
    return plan_notice(visit.page)


async def show(visit: Visit) -> Card:
    return await _plan(visit)


async def advise(visit: Visit) -> Card:
    """The recommendations that are not on the plan; before the close there are none."""
    left = await _left(visit)
    if left is None:
        return await _plan(visit)
    return advice_card(_desk(visit), left, _start(visit, len(left)))


async def edit(visit: Visit) -> Card:
    """The form, with what is known already; and from it on to the plan."""
    turn, desk = visit.turn, _desk(visit)
    try:
        action = await _meant(visit)
    except NotOffered:
        return await _plan(visit, visit.page.text("stale_choice"))
    if turn.is_set("save"):
        return await _save(visit, action)
    if action.is_off:
        return await _plan(visit, visit.page.text("stale_choice"))
    return action_form(desk, action, values_of(action), start=_number(visit, "start"))


async def remove(visit: Visit) -> Card:
    """Asks once more, since the words are gone then."""
    turn, page = visit.turn, visit.page
    running, records, area = visit.running, visit.service.records, visit.service.area(visit.running)
    try:
        action = await _kept(visit)
        if not turn.is_set("confirmed") and not action.is_off:
            return take_off_card(_desk(visit), action, _number(visit, "start"))
        await take_off(running, records, area, action.id, turn.number("revision"))
        await did(visit, Did.TOOK_OFF_ACTION, action.id)
    except (NotOffered, Overtaken):
        return await _plan(visit, page.text("stale_choice"))
    return await _plan(visit, page.text("plan_off"))


async def _plan(visit: Visit, note: str = "") -> Card:
    plan = await read_plan(visit.running, visit.service.records, visit.service.area(visit.running))
    recommended = await _recommended(visit)
    left = None if recommended is None else len(not_picked(recommended, plan))
    start = _start(visit, len(plan.actions))
    return plan_card(_desk(visit), plan, start, left=left, notes=[note] if note else [])


# -- which action it is ---------------------------------------------------------------------------


async def _meant(visit: Visit) -> Action:
    """The action that a card is about, as it is now or would be. Raises `NotOffered`.

    Nothing of a new one is taken from the card: what was recommended is looked up again.
    """
    turn = visit.turn
    if "about" in turn.data:
        return await _picked(visit, turn.text("about"), turn.text("because"))
    if "action" not in turn.data:
        return await _new(visit, visit.service.new_id())
    known = await _find(visit, turn.text("action"))
    return known or await _new(visit, turn.text("action"))


async def _picked(visit: Visit, about: str, because: str) -> Action:
    """What was recommended, in the words of the library, or what has been made of it."""
    id = id_for(visit.running, visit.service.area(visit.running), about, because)
    known = await _find(visit, id)
    if known and not known.is_off:
        return known
    recommended, desk = await _recommended(visit), _desk(visit)
    if recommended is None or desk.library is None:
        raise NotOffered
    empty = known or Action(id, visit.running.snapshot.id, desk.today)
    empty = replace(empty, since=desk.today, about=about, because=because)
    found = [r for r in recommended if (r.about, r.because) == (about, because)]
    if not found:
        # Partners may have agreed something else since the form was opened.
        if visit.turn.is_set("save") and desk.library.may_recommend(about, because):
            return empty
        raise NotOffered
    action = suggested(empty, found[0], desk.library)
    return replace(action, note=say_needed(desk, found[0]))


async def _new(visit: Visit, id: str) -> Action:
    """One of the facilitators' own. Raises `NotOffered` before the close."""
    if not _NEW.fullmatch(id) or await _recommended(visit) is None:
        raise NotOffered
    return Action(id, visit.running.snapshot.id, _today(visit))


async def _kept(visit: Visit) -> Action:
    """Raises `NotOffered` for one that was never on the plan."""
    found = await _find(visit, visit.turn.text("action"))
    if found is None:
        raise NotOffered
    return found


async def _find(visit: Visit, id: str) -> Action | None:
    if not _KNOWN.fullmatch(id):  # it would go into an address, which clients of a store may log
        raise NotOffered
    return await find_action(
        visit.running, visit.service.records, visit.service.area(visit.running), id
    )


# -- what is recommended --------------------------------------------------------------------------


async def _left(visit: Visit) -> Sequence[Recommended] | None:
    recommended = await _recommended(visit)
    if recommended is None:
        return None
    plan = await read_plan(visit.running, visit.service.records, visit.service.area(visit.running))
    return not_picked(recommended, plan)


async def _recommended(visit: Visit) -> Sequence[Recommended] | None:
    """From what has been published and agreed, and nothing else; None before that."""
    running, records, service = visit.running, visit.service.records, visit.service
    id, library = running.snapshot.id, service.library(running)
    final = await final_summary(records, id)
    if final is None:
        return None
    if library is None:
        return ()
    session = await find_session(running, records)
    detail = await final_detail(records, id)
    agreed = session.agreed if session else {}
    instrument = service.instrument(running)
    return find_findings(instrument, library, final[0], detail, agreed).recommended


# -- what was typed -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Typed:
    """What stands in the boxes, the action that it makes, and what is wrong with it."""

    boxes: Mapping[str, str]
    action: Action
    problems: Sequence[str]


async def _save(visit: Visit, now: Action) -> Card:
    """Nobody's words are lost: what cannot be kept stands in the boxes again."""
    page, desk, start = visit.page, _desk(visit), _number(visit, "start")
    typed = _read(visit, now)
    seen = replace(typed.action, revision=visit.turn.number("revision"))
    if typed.problems:
        return action_form(desk, seen, typed.boxes, start=start, problems=typed.problems)
    try:
        await save(visit.running, visit.service.records, visit.service.area(visit.running), seen)
    except Full:
        said = page.text("plan_full", action_most=str(MOST_ACTIONS))
        return action_form(desk, seen, typed.boxes, start=start, problems=[said])
    except Overtaken:
        return await _overtaken(visit, typed)
    await did(visit, Did.SAVED_ACTION, seen.id)
    return await _plan(visit, page.text("plan_saved"))


async def _overtaken(visit: Visit, typed: _Typed) -> Card:
    """Both are shown; whoever saves now has seen what they write over."""
    now = await _find(visit, typed.action.id)
    if now is None:
        raise NotOffered
    said = visit.page.text("plan_gone" if now.is_off else "plan_overtaken")
    seen = replace(typed.action, revision=now.revision)
    return action_form(
        _desk(visit),
        seen,
        typed.boxes,
        start=_number(visit, "start"),
        problems=[said],
        now=None if now.is_off else now,
    )


def _read(visit: Visit, now: Action) -> _Typed:
    raw = {id: visit.turn.typed(id, most=MOST_TYPED + 1) for id in BOXES}
    cleaned = {id: _clean(id, words[:MOST_TYPED]) for id, words in raw.items()}
    boxes, cut = cut_to_fit(cleaned)
    cut += [id for id, words in raw.items() if len(words) > MOST_TYPED and id not in cut]
    problems = [_about(visit, "plan_cut", id) for id in cut]
    due = _due(visit, cleaned["due_date"])
    action = replace(
        now,
        title=cleaned["recommendation"],
        owner=cleaned["owner_name"],
        agency=_agency(visit, cleaned["owner_agency"]),
        due=due,
        check=cleaned["check"],
        status=_status(cleaned["status"] or now.status),
        note=cleaned["note"],
    )
    problems += _problems(visit, now, action)
    if cleaned["due_date"] and due is None:
        boxes = {**boxes, "due_date": ""}
        problems.append(_about(visit, "form_problem", "due_date"))
    return _Typed(boxes, action, problems)


def _problems(visit: Visit, now: Action, action: Action) -> list[str]:
    """A day that has passed may stand: with what is over, or where it stood before."""
    said = [] if action.title else [_about(visit, "plan_needs_title", "recommendation")]
    for id, name in BOXES.items():
        if name in MOST and (count := len(getattr(action, name))) > MOST[name]:
            numbers = {"character_count": str(count), "character_most": str(MOST[name])}
            said.append(_about(visit, "plan_too_long", id, **numbers))
    if action.is_overdue(_today(visit)) and action.due != now.due:
        said.append(visit.page.text("plan_late"))
    return said


def _about(visit: Visit, message: str, id: str, **more: str) -> str:
    return visit.page.text(message, field_label=visit.page.words.inputs[id].text, **more)


def _clean(id: str, words: str) -> str:
    cleaned = clean_up(words)
    return cleaned.strip() if id in _IN_LINES else " ".join(cleaned.split())


def _due(visit: Visit, typed: str) -> date | None:
    """None for what is no day, or too far away."""
    try:
        day = date.fromisoformat(typed) if _DAY.fullmatch(typed) else None
    except ValueError:
        return None
    return day if day and day - _today(visit) <= MOST_AHEAD else None


def _status(typed: str) -> Status:
    """Raises `NotOffered`."""
    if typed not in set(Status):
        raise NotOffered
    return Status(typed)


def _agency(visit: Visit, typed: str) -> str:
    """Raises `NotOffered`."""
    if typed in ("", NO_AGENCY):
        return ""
    if typed not in _desk(visit).agencies:
        raise NotOffered
    return typed


# -- the rest -------------------------------------------------------------------------------------


def _desk(visit: Visit) -> Desk:
    return Desk(visit.page, visit.service.library(visit.running), _today(visit))


def _today(visit: Visit) -> date:
    return day_of(visit.running.snapshot, visit.service.clock())


def _number(visit: Visit, key: str) -> int:
    return visit.turn.number(key) if key in visit.turn.data else 0


def _start(visit: Visit, end: int) -> int:
    """From which one on; the first where so many are no longer there."""
    start = _number(visit, "start")
    return start if 0 <= start < end else 0


VERBS: Mapping[str, Handler] = {
    Verb.PLAN: show,
    Verb.ADVICE: advise,
    Verb.EDIT_ACTION: edit,
    Verb.TAKE_OFF: remove,
}
WORDS: Mapping[str, Handler] = {
    "plan": announce,
}

DECIDING = frozenset({announce, *VERBS.values()})
"""Only facilitators see it, too."""
