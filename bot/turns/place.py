"""Where somebody is in the survey: worked out from the envelope each time.

So nothing that is stored can disagree with it.
"""

from __future__ import annotations

from bot.turns.turn import MOST_TYPED
from bot.turns.visit import Visit
from cards.comments import box_id, comments_card
from cards.notice import notice_card, sent_card
from cards.parts import Card
from cards.review import all_answered_card
from cards.statement import statement_card
from cards.welcome import welcome_card
from snapshot.envelope import Ballot, Envelope, State, next_statement

_AFTER = {
    State.RELEASED: "already_mixed",
    State.WITHDRAWN: "withdrawn",
    State.EXPIRED: "closed_not_sent",
    State.WITHHELD: "withheld_from_you",
    State.DAMAGED: "not_readable",
}


def what_next(visit: Visit, envelope: Envelope | None) -> Card:
    """The card that comes next. It never shows a choice that was made, or a comment."""
    page = visit.page
    if envelope is None:
        return welcome_card(page)
    if draft := draft_of(envelope):
        statement = next_statement(page.instrument, draft)
        if statement is not None:
            return statement_card(page, statement, revision=draft.revision)
        if draft.comments is None and visit.running.moderators:
            return comments_card(page, {}, revision=draft.revision)
        return all_answered_card(page)
    if envelope.state in (State.SUBMITTED, State.MIXING):
        return sent_card(page, "already_sent")
    return notice_card(page, _AFTER[envelope.state])


def boxes(visit: Visit) -> dict[str, str]:
    """What stood in the boxes for comments of the card before, if it had any."""
    ids = [box_id(domain.id) for domain in visit.page.instrument.domains]
    typed = {id: visit.turn.data.get(id) for id in ids}
    return {id: words[:MOST_TYPED] for id, words in typed.items() if isinstance(words, str)}


def draft_of(envelope: Envelope | None) -> Ballot | None:
    """The ballot, as long as it may still be changed."""
    return envelope.ballot if envelope and envelope.state is State.OPEN else None
