"""What facilitators write down in the session: what was agreed, and who does not agree."""

from __future__ import annotations

from bot.turns.account import did
from bot.turns.sitting import scene_of, seen_by, show, tell, typed
from bot.turns.visit import Visit
from cards.inputs import Values
from cards.parts import Card, with_note
from cards.scene import Scene
from cards.session import pair_labels
from cards.session_forms import agree_form, dissent_form
from snapshot import session as core
from snapshot.acts import Did
from snapshot.errors import NotOffered
from snapshot.instrument import AgencyId, OptionId
from snapshot.session import MOST_NOTE, Agreed, Dissent, Moment, Ratings, Session, Stage

_WORDS = ("note", "evidence_named")
_PAIR = ("progress", "evidence")


async def record(visit: Visit, _: Session) -> Card:
    """The form, and from it on to what was agreed. Raises `NotOffered` if that is overtaken."""
    seen, scene = seen_by(visit), await scene_of(visit)
    if not visit.turn.is_set("save"):
        if scene.session.moment != seen or seen.stage is Stage.RATING:
            raise NotOffered
        return await _not_yet(visit, scene) or agree_form(scene, _proposed(scene))
    said = {id: typed(visit, id) for id in (*_PAIR, *_WORDS)}
    if problem := _problem(visit, said, _WORDS, _has_both(visit, said)):
        if scene.session.moment != seen:
            raise NotOffered
        return agree_form(scene, said, problem)
    ratings = Ratings(OptionId(said["progress"]), OptionId(said["evidence"]))
    agreed = Agreed(ratings, said["note"], said["evidence_named"])
    try:
        await core.agree(visit.running, visit.service.records, visit.page.instrument, seen, agreed)
    except NotOffered:
        return await _beside(visit, seen, agreed, said)
    await did(visit, Did.AGREED, seen.statement)
    await tell(visit)
    return await show(visit)


async def _beside(visit: Visit, seen: Moment, agreed: Agreed, said: Values) -> Card:
    """Somebody else has recorded something for the same moment: if other words, both are shown."""
    scene = await scene_of(visit)
    found = scene.agreed
    if scene.session.moment != Moment(seen.statement, seen.round, Stage.AGREED) or not found:
        raise NotOffered
    ours = (agreed.ratings, agreed.note, agreed.named)
    if (found.ratings, found.note, found.named) == ours:
        return await show(visit)
    labels = pair_labels(visit.page, found)
    return agree_form(scene, said, visit.page.text("session_recorded_meanwhile", **labels))


async def dissent(visit: Visit, _: Session) -> Card:
    """The form, and from it on to what was agreed and who does not. Raises `NotOffered`."""
    seen, scene = seen_by(visit), await scene_of(visit)
    if scene.session.moment != seen:
        raise NotOffered
    if not visit.turn.is_set("save"):
        return await _not_yet(visit, scene) or dissent_form(scene, {})
    said = {id: typed(visit, id) for id in ("dissent_agency", "dissent")}
    agencies = {a.id for a in visit.page.instrument.agencies}
    problem = "" if said["dissent_agency"] in agencies else _look_again(visit, "dissent_agency")
    if problem := _problem(visit, said, ("dissent",), problem):
        return dissent_form(scene, said, problem)
    told = Dissent(AgencyId(said["dissent_agency"]), said["dissent"])
    await core.dissent(visit.running, visit.service.records, visit.page.instrument, seen, told)
    await did(visit, Did.DISSENT, seen.statement)
    await tell(visit)
    return await show(visit)


async def _not_yet(visit: Visit, scene: Scene) -> Card | None:
    """An edit that is about to come would wipe what is typed until then: some seconds."""
    id = scene.session.card.get("id", "")
    if not visit.service.editing.is_pending(id):
        return None
    return with_note(await show(visit), visit.page.text("session_moment"))


def _proposed(scene: Scene) -> Values:
    """What stands already; or else what everybody has rated alike."""
    if agreed := scene.agreed:
        pair = {"progress": agreed.ratings.progress, "evidence": agreed.ratings.evidence}
        return {**pair, "note": agreed.note, "evidence_named": agreed.named}
    spread = scene.session.spread
    chosen = {"progress": spread.progress, "evidence": spread.evidence} if spread else {}
    return {id: next(iter(options)) for id, options in chosen.items() if len(options) == 1}


def _has_both(visit: Visit, said: Values) -> str:
    strategic = core.strategic_of(visit.page.instrument)
    is_whole = strategic.progress.option(said["progress"]) and strategic.evidence.option(
        said["evidence"]
    )
    return "" if is_whole else visit.page.text("session_both")


def _problem(visit: Visit, said: Values, boxes: tuple[str, ...], first: str) -> str:
    """What has to be mended, in words; empty: nothing."""
    page = visit.page
    found = [first] if first else []
    for id in boxes:
        if len(said[id]) > MOST_NOTE:
            lengths = {"length": str(len(said[id])), "most_characters": str(MOST_NOTE)}
            label = page.words.inputs[id].text
            found.append(page.text("session_too_long", field_label=label, **lengths))
    return "\n\n".join(found)


def _look_again(visit: Visit, id: str) -> str:
    return visit.page.text("form_problem", field_label=visit.page.words.inputs[id].text)
