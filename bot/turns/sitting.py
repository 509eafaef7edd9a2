"""What every step of the session needs: how it stands, what was seen, and telling everybody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from bot.turns.turn import Posted, Reply
from bot.turns.visit import Visit
from cards.parts import Card, with_note
from cards.scene import Scene
from cards.session import newer_card, shared_card
from cards.session_forms import own_card, with_words
from snapshot import session as core
from snapshot.errors import NotOffered
from snapshot.screening import clean_up
from snapshot.session import Moment, Partner, Session, Stage

type Step = Callable[[Visit, Session], Awaitable[Card]]

MOST_KEPT = 6_000
"""Characters of what was typed that stand in a box again, where a note has room for fewer."""


async def counted(visit: Visit) -> Session | None:
    """The session as it is; whoever had the ratings shown may have died before the count."""
    records, running = visit.service.records, visit.running
    session = await core.find(running, records)
    if session is None:
        return None
    return await core.with_spread(running, records, visit.page.instrument, session)


async def scene_of(visit: Visit) -> Scene:
    """Raises `NotOffered` where there is no session."""
    session = await counted(visit)
    if session is None:
        raise NotOffered
    return Scene(visit.page, session, await core.partners(visit.running, visit.service.records))


def own(scene: Scene, visit: Visit) -> Partner | None:
    id = core.partner_id(visit.running, visit.turn.person)
    return next((p for p in scene.partners if p.id == id), None)


def seen_by(visit: Visit) -> Moment:
    """What stood on the card whose button was pressed. Raises `NotOffered`."""
    turn = visit.turn
    statement = visit.page.instrument.statement(turn.text("statement"))
    stage = turn.text("stage")
    if statement is None or stage not in set(Stage):
        raise NotOffered
    return Moment(statement.id, turn.number("round"), Stage(stage))


async def show(visit: Visit) -> Card:
    """What this person is to see now: a card of their own, once they have joined."""
    scene = await scene_of(visit)
    me = own(scene, visit)
    if me is None:
        return shared_card(scene)
    facilitates = visit.service.rights.may_facilitate(visit.turn.person)
    return own_card(scene, me, facilitates=facilitates)


async def overtaken(
    visit: Visit,
    seen: Moment,
    is_wanted: Callable[[Moment], bool],
    otherwise: str = "session_moved_on",
) -> Card:
    """Where it stands now. The same step done twice is as good as once, and nothing is said of it.

    `otherwise`: which message says what is in the way, where it stands still.
    """
    session = await core.find(visit.running, visit.service.records)
    if session is None:
        raise NotOffered
    shown = await show(visit)
    if is_wanted(session.moment):
        return shown
    still = session.moment == seen and not session.paused
    return with_note(shown, visit.page.text(otherwise if still else "session_moved_on"))


async def said_in_vain(visit: Visit) -> Card:
    """Where it stands now, and above it what this person had typed."""
    words = [typed(visit, id) for id in ("note", "evidence_named", "dissent")]
    note = visit.page.text("session_moved_on")
    return with_words(await show(visit), note, words)


def typed(visit: Visit, id: str) -> str:
    """Somebody's words as they are kept. Raises `NotOffered` for what no input holds."""
    return clean_up(visit.turn.typed(id, most=MOST_KEPT))


async def tell(visit: Visit) -> None:
    """The message that everybody sees is to show how it stands; soon, and not at each change."""
    session = await core.find(visit.running, visit.service.records)
    if session and session.card:
        mend(visit, Posted.from_json(session.card))


def mend(visit: Visit, posted: Posted) -> None:
    """A message of the session is not as it should be. Each has a pace of its own."""
    tenant = visit.turn.person.tenant
    visit.service.editing.note(posted.id, tenant, partial(_drawn, visit, posted))


async def _drawn(visit: Visit, posted: Posted) -> tuple[Posted, Reply]:
    """One that is no longer the session's says so."""
    scene = await scene_of(visit)
    is_it = scene.session.card == posted.as_json()
    shown = shared_card(scene) if is_it else newer_card(visit.page)
    return posted, Reply(shown, visit.service.pack.wording.messages["toast"])
