"""Comments in a private chat: checked before anything is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from bot.turns.place import draft_of, what_next
from bot.turns.visit import Visit
from cards.comments import Checked, box_id, checked_card, comments_card
from cards.parts import Card, with_note
from snapshot.comments import fits
from snapshot.errors import NotOffered
from snapshot.instrument import DomainId
from snapshot.screening import clean_up


async def comments(visit: Visit) -> Card:
    """The card for comments, or what comes next once they have been kept.

    Until then the words stand in the boxes of the card, and nowhere else.
    """
    draft = draft_of(visit.envelope)
    if draft is None or not visit.running.moderators:
        return what_next(visit, visit.envelope)
    typed = _typed(visit)
    if not visit.turn.is_set("save"):
        shown = (draft.comments or {}) if visit.turn.is_set("kept") else typed
        return comments_card(visit.page, shown, revision=draft.revision)
    checked = {domain: _check(visit, words) for domain, words in typed.items()}
    if visit.turn.is_set("clear"):
        typed = {domain: typed[domain] for domain in checked if checked[domain].is_clean}
    elif not _may_stay(visit, checked):
        revision = visit.turn.number("revision")
        return checked_card(visit.page, checked, revision=revision, seen=_digest(typed))
    return await _save(visit, typed)


async def _save(visit: Visit, typed: Mapping[DomainId, str]) -> Card:
    """What comes next, or the boxes again where other words were saved since they were shown."""
    person = visit.turn.person
    try:
        revision = visit.turn.number("revision")
        return what_next(visit, await visit.survey.comment(person, typed, revision))
    except NotOffered:
        draft = draft_of(await visit.survey.envelope(person))
        if draft is None:
            raise
        shown = {**(draft.comments or {}), **typed}
        again = comments_card(visit.page, shown, revision=draft.revision)
        return with_note(again, visit.page.text("stale_choice"))


def _may_stay(visit: Visit, checked: Mapping[DomainId, Checked]) -> bool:
    """Clean words may, and those that somebody wants to keep after they were asked about them."""
    if any(c.is_refused for c in checked.values()):
        return False
    words = {domain: c.words for domain, c in checked.items()}
    was_asked = visit.turn.data.get("keep") == _digest(words)
    return was_asked or all(c.is_clean for c in checked.values())


def _typed(visit: Visit) -> dict[DomainId, str]:
    """What stands in the boxes. An empty box does not arrive at all."""
    found = {}
    for domain in visit.page.instrument.domains:
        words = clean_up(visit.turn.typed(box_id(domain.id)))
        if words:
            found[domain.id] = words
    return found


def _check(visit: Visit, words: str) -> Checked:
    rules = visit.page.instrument.comments
    return Checked(words, visit.service.screener.screen(words), too_long=not fits(words, rules))


def _digest(words: Mapping[DomainId, str]) -> str:
    """Stands for words that somebody was asked about, so that no others slip by."""
    text = json.dumps(dict(sorted(words.items())))
    return hashlib.sha256(text.encode()).hexdigest()[:32]
