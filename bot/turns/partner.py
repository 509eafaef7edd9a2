"""What partners do in the session: join for an agency, rate alone, leave."""

from __future__ import annotations

from collections.abc import Mapping

from bot.roster import Standing
from bot.turns.sitting import own, scene_of, seen_by, show, tell
from bot.turns.visit import Visit
from cards.parts import Card, with_note
from cards.session_forms import join_card, no_part_card
from snapshot import session as core
from snapshot.errors import NotOffered
from snapshot.instrument import OptionId
from snapshot.session import Moment, Ratings, Session, Stage

_MOST_CALLED = 200
"""Characters: what Teams calls people has some hundred at most."""

_WHY_NOT = {
    Standing.ABSENT: "session_not_here",
    Standing.GUEST: "session_guest",
    Standing.UNKNOWN: "session_unchecked",
}


async def look(visit: Visit, _: Session) -> Card:
    """Teams asks for it by itself, whenever everybody's card has changed."""
    return await show(visit)


async def join(visit: Visit, session: Session) -> Card:
    """Choose an agency, or another one; whoever has chosen comes to their own card."""
    turn, page = visit.turn, visit.page
    if refusal := await _refusal(visit):
        return refusal
    if "agency" not in turn.data:
        has_joined = own(await scene_of(visit), visit) is not None
        return await show(visit) if has_joined and not turn.is_set("change") else join_card(page)
    called = turn.id if len(turn.id) <= _MOST_CALLED else ""
    agency, records = turn.text("agency"), visit.service.records
    if agency not in {a.id for a in page.instrument.agencies}:
        raise NotOffered
    try:
        await core.join(visit.running, records, page.instrument, turn.person, agency, called)
    except NotOffered:
        return with_note(await show(visit), page.text("session_full"))
    await _tell_while_rating(visit, session)
    return await show(visit)


async def leave(visit: Visit, session: Session) -> Card:
    await core.leave(visit.running, visit.service.records, visit.turn.person)
    await _tell_while_rating(visit, session)
    return with_note(await show(visit), visit.page.text("session_left"))


async def rate(visit: Visit, _: Session) -> Card:
    """One tap for each scale, each kept at once; or both as they were in the round before."""
    page, turn = visit.page, visit.turn
    if refusal := await _refusal(visit):
        return refusal
    seen = seen_by(visit)
    me = own(await scene_of(visit), visit)
    if me is None:
        return with_note(join_card(page), page.text("session_join_first"))
    chosen = {id: turn.typed(id) for id in ("progress", "evidence")}
    if _is_late_copy(visit, me.earlier(seen.statement), chosen):
        return await show(visit)
    ratings = Ratings(OptionId(chosen["progress"]), OptionId(chosen["evidence"]))
    try:
        await core.rate(
            visit.running, visit.service.records, page.instrument, turn.person, seen, ratings
        )
    except NotOffered:
        return with_note(await show(visit), page.text(await _why_not(visit, seen)))
    await tell(visit)
    return await show(visit)


def _is_late_copy(visit: Visit, now: Ratings | None, chosen: Mapping[str, str]) -> bool:
    """Teams may deliver a tap again, after its author has thought better of it."""
    was = visit.turn.typed("was")
    known = {"progress": now.progress, "evidence": now.evidence} if now else {}
    return any(known.get(id, "") not in (was, option) for id, option in chosen.items() if option)


async def _why_not(visit: Visit, seen: Moment) -> str:
    session = await core.find(visit.running, visit.service.records)
    now = session.moment if session else None
    is_late = now == Moment(seen.statement, seen.round, Stage.REVEALED)
    return "session_late" if is_late else "session_moved_on"


async def _refusal(visit: Visit) -> Card | None:
    """Why this person may not rate here, if so: it is for people of this channel or chat."""
    turn, snapshot = visit.turn, visit.running.snapshot
    standing = Standing.GUEST
    if snapshot.is_for(turn.person.tenant):
        standing = await visit.service.roster.standing(
            turn.address, turn.id, turn.person, snapshot.is_for
        )
    if standing is Standing.MEMBER:
        return None
    return no_part_card(visit.page, _WHY_NOT[standing])


async def _tell_while_rating(visit: Visit, session: Session) -> None:
    """Later an edit would wipe what a facilitator is writing, and nobody is waited for."""
    if session.moment.stage is Stage.RATING:
        await tell(visit)
