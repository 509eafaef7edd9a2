"""The strategic session: from a turn to who does it, and what only facilitators do.

It is held in the facilitators' channel or in the chat of a meeting. Its one message shows
everybody the same; whoever presses something sees their own card in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from bot.turns import partner
from bot.turns.account import did
from bot.turns.sitting import (
    Step,
    counted,
    mend,
    overtaken,
    said_in_vain,
    scene_of,
    seen_by,
    show,
    tell,
)
from bot.turns.turn import Place, Posted, Reply, Turn
from bot.turns.visit import Service, Visit, takes_answers
from bot.turns.writing import dissent, record
from cards.notice import choose_card, message_card
from cards.parts import Card, with_note
from cards.session import shared_card
from cards.session_forms import agreed_card, more_card
from cards.verbs import Verb
from snapshot import session as core
from snapshot.acts import Did
from snapshot.errors import NotOffered
from snapshot.opening import Running
from snapshot.session import Moment, Session, Stage

_START = "session"

WORDS = frozenset({_START})
"""May be typed in a channel or in the chat of a meeting, by facilitators."""


def is_meant(turn: Turn, command: str) -> bool:
    """Whether a turn is about the session; `command`: the id of what was typed, or empty."""
    chosen = turn.data.get("command") if turn.verb == Verb.CHOOSE else ""
    is_one = turn.verb in VERBS or _START in (command, chosen)
    return turn.place is not Place.PRIVATE and is_one


async def answer(turn: Turn, service: Service) -> Reply:
    words, toast = service.pack_for(turn.locale).wording, service.pack.wording.messages["toast"]
    is_start = turn.verb not in VERBS
    if is_start and not service.rights.may_facilitate(turn.person):
        return Reply(message_card(words, "facilitator_only"), toast)
    found = await _found(turn, service)
    if not found:
        return Reply(message_card(words, "nothing_open_channel"), toast)
    if len(found) > 1:
        pages = [service.page(r, words.language) for r in found]
        return Reply(choose_card(words, pages, _START), toast)
    visit = Visit(turn, service, found[0], service.page(found[0]))
    return await _start(visit) if is_start else Reply(await _press(visit), toast)


async def _found(turn: Turn, service: Service) -> list[Running]:
    """The snapshots that it may be about. In the chat of a meeting, those of the person."""
    directory = service.directory
    if turn.place is Place.CHANNEL:
        await directory.meet(turn.address)
        here = await directory.of_channel(turn.address)
        found = [here or await directory.take_sample(turn.address)]
        known = [r for r in found if r]
    else:
        all_of_them = await directory.of_tenant(turn.person.tenant)
        known = [r for r in all_of_them if takes_answers(service, r)] or all_of_them[:1]
        known = all_of_them if turn.verb is not None else known
    if turn.verb is not None:
        return [r for r in known if r.snapshot.id == turn.data.get("snapshot")]
    return known


async def _start(visit: Visit) -> Reply:
    """A message of its own, which all look at from now on."""
    service, page = visit.service, visit.page
    toast = service.pack.wording.messages["toast"]
    before = await core.find(visit.running, service.records)
    try:
        await core.start(visit.running, service.records, page.instrument, _place(visit.turn))
    except NotOffered:
        return Reply(message_card(page.words, "session_no_scales"), toast)
    if before is None or before.paused or before.place != _place(visit.turn):
        await did(visit, Did.STARTED_SESSION)
    scene = await scene_of(visit)
    said = scene.text("session_resumed") if before and before.paused else ""
    return Reply(shared_card(scene, said), toast, sent=partial(_note, visit))


async def _note(visit: Visit, posted: Posted) -> None:
    """This is the message from now on; the one before it says so."""
    service, running = visit.service, visit.running
    before = await core.put_card(running, service.records, posted.as_json())
    if before and before != posted.as_json():
        mend(visit, Posted.from_json(before))
    mend(visit, posted)


def _place(turn: Turn) -> str:
    return turn.address.conversation


async def _press(visit: Visit) -> Card:
    turn, page = visit.turn, visit.page
    session = await counted(visit)
    if session is None:
        return message_card(page.words, "session_none")
    if session.place != _place(turn):
        return message_card(page.words, "session_elsewhere")
    step = VERBS[turn.verb or ""]
    if step in FACILITATING and not visit.service.rights.may_facilitate(turn.person):
        return with_note(await show(visit), page.text("facilitator_only"))
    try:
        return await step(visit, session)
    except NotOffered:
        return with_note(await show(visit), page.text("session_moved_on"))


# -- what facilitators do -------------------------------------------------------------------------


async def resume(visit: Visit, _: Session) -> Card:
    await core.start(
        visit.running, visit.service.records, visit.page.instrument, _place(visit.turn)
    )
    await did(visit, Did.STARTED_SESSION)
    return await _moved(visit)


async def reveal(visit: Visit, _: Session) -> Card:
    seen = seen_by(visit)
    try:
        await core.reveal(visit.running, visit.service.records, visit.page.instrument, seen)
    except NotOffered:
        shown = Moment(seen.statement, seen.round, Stage.REVEALED)
        return await overtaken(visit, seen, shown.__eq__, "session_none_rated")
    await did(visit, Did.REVEALED, seen.statement)
    return await _moved(visit)


async def again(visit: Visit, _: Session) -> Card:
    seen = seen_by(visit)
    try:
        await core.again(visit.running, visit.service.records, seen)
    except NotOffered:
        anew = Moment(seen.statement, seen.round + 1, Stage.RATING)
        return await overtaken(visit, seen, anew.__eq__)
    await did(visit, Did.RATED_AGAIN, seen.statement)
    return await _moved(visit)


async def onward(visit: Visit, session: Session) -> Card:
    seen = seen_by(visit)
    target = core.after(visit.page.instrument, session, seen.statement)
    return await _go(visit, seen, target.id if target else "")


async def back(visit: Visit, _: Session) -> Card:
    seen = seen_by(visit)
    target = core.before(visit.page.instrument, seen.statement)
    return await _go(visit, seen, target.id if target else "")


async def jump(visit: Visit, _: Session) -> Card:
    return await _go(visit, seen_by(visit), visit.turn.text("to"))


async def _go(visit: Visit, seen: Moment, target: str) -> Card:
    statement = visit.page.instrument.statement(target)
    if statement is None:
        raise NotOffered
    try:
        await core.go_to(
            visit.running, visit.service.records, visit.page.instrument, seen, statement.id
        )
    except NotOffered:
        return await overtaken(visit, seen, lambda now: now.statement == statement.id)
    return await _moved(visit)


async def pause(visit: Visit, _: Session) -> Card:
    await core.pause(visit.running, visit.service.records)
    await did(visit, Did.PAUSED_SESSION)
    return await _moved(visit)


async def more(visit: Visit, _: Session) -> Card:
    return more_card(await scene_of(visit))


async def so_far(visit: Visit, _: Session) -> Card:
    return agreed_card(await scene_of(visit))


async def _moved(visit: Visit) -> Card:
    """Whoever died after something had been agreed has left ratings behind."""
    session = await core.find(visit.running, visit.service.records)
    if session:
        await core.forget_agreed(visit.running, visit.service.records, session)
    await tell(visit)
    return await show(visit)


async def agree(visit: Visit, session: Session) -> Card:
    return await _write(visit, session, record)


async def disagree(visit: Visit, session: Session) -> Card:
    return await _write(visit, session, dissent)


async def _write(visit: Visit, session: Session, step: Step) -> Card:
    """Nobody's words are lost because somebody else was faster."""
    try:
        return await step(visit, session)
    except NotOffered:
        return await said_in_vain(visit)


VERBS: Mapping[str, Step] = {
    Verb.SESSION: partner.look,
    Verb.JOIN: partner.join,
    Verb.RATE: partner.rate,
    Verb.LEAVE: partner.leave,
    Verb.START: resume,
    Verb.REVEAL: reveal,
    Verb.AGAIN: again,
    Verb.AGREE: agree,
    Verb.DISSENT: disagree,
    Verb.NEXT: onward,
    Verb.BEFORE: back,
    Verb.GO: jump,
    Verb.PAUSE: pause,
    Verb.MORE: more,
    Verb.AGREED: so_far,
}

FACILITATING: frozenset[Step] = frozenset(
    {resume, reveal, again, agree, disagree, onward, back, jump, pause, more}
)
