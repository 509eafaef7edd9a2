"""The survey in a private chat. Each function answers one button or typed word with a card.

Only the answer to a person's own tap may show what they chose; what is sent as a message of
its own is the same for everybody who is in the same state.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.turns.visit import Handler, Visit, closed_date
from cards.chat import continue_card
from cards.help import (
    practitioner_help_card,
    privacy_card,
    wellbeing_card,
    worried_card,
)
from cards.notice import notice_card, sent_card, withdraw_card
from cards.page import Page
from cards.parts import Card, press
from cards.review import all_answered_card, review_card
from cards.statement import statement_card
from cards.verbs import Verb
from cards.welcome import welcome_card
from snapshot.envelope import Ballot, Contact, Envelope, State, next_statement
from snapshot.errors import NotOffered, NotOpen
from snapshot.instrument import Statement

_AFTER = {
    State.RELEASED: "already_mixed",
    State.WITHDRAWN: "withdrawn",
    State.EXPIRED: "closed_not_sent",
    State.WITHHELD: "withheld_from_you",
    State.DAMAGED: "not_readable",
}


# -- buttons ------------------------------------------------------------------------------------


async def begin(visit: Visit) -> Card:
    turn = visit.turn
    language = visit.page.words.language
    contact = Contact(turn.person.tenant, turn.person.object_id, turn.address.as_json(), language)
    return _what_next(visit, await visit.survey.begin(turn.person, turn.text("agency"), contact))


async def show(visit: Visit) -> Card:
    """Whatever comes next for this person, on any device; never a choice that was made."""
    return _what_next(visit, await _envelope(visit))


async def answer(visit: Visit) -> Card:
    turn = visit.turn
    envelope = await visit.survey.answer(
        turn.person, turn.text("statement"), turn.text("option"), turn.number("revision")
    )
    return _what_next(visit, envelope)


async def change(visit: Visit) -> Card:
    """One statement again, with the answer that was given."""
    return await _again(visit, _statement(visit))


async def back(visit: Visit) -> Card:
    """The statement before; from the first, the agencies while nothing has been answered."""
    position = visit.page.instrument.position(_statement(visit).id)
    if position > 1:
        return await _again(visit, visit.page.instrument.statements[position - 2])
    envelope = await _envelope(visit)
    draft = _draft(envelope)
    if draft and not draft.answers:
        return welcome_card(visit.page)
    return _what_next(visit, envelope)


async def review(visit: Visit) -> Card:
    envelope = await _envelope(visit)
    draft = _draft(envelope)
    return review_card(visit.page, draft) if draft else _what_next(visit, envelope)


async def submit(visit: Visit) -> Card:
    await visit.survey.submit(visit.turn.person)
    return sent_card(visit.page, "receipt")


async def withdraw(visit: Visit) -> Card:
    """Asks once more, then deletes what is sealed."""
    if not visit.turn.is_set("confirmed"):
        envelope = await _envelope(visit)
        if envelope and envelope.state in (State.OPEN, State.SUBMITTED):
            return withdraw_card(visit.page)
        return _what_next(visit, envelope)
    try:
        return _what_next(visit, await visit.survey.withdraw(visit.turn.person))
    except NotOpen as error:
        if error.state in (State.MIXING, State.RELEASED):
            return notice_card(visit.page, "too_late_to_withdraw")
        raise


# -- typed words --------------------------------------------------------------------------------


async def continue_chat(visit: Visit) -> Card:
    return continue_card(visit.page)


async def status(visit: Visit) -> Card:
    envelope = await _envelope(visit)
    if envelope is None:
        return _go_on(visit.page, "status_not_started")
    if envelope.state is State.OPEN:
        return _go_on(visit.page, "status_in_progress")
    return _what_next(visit, envelope)


async def help(visit: Visit) -> Card:
    return practitioner_help_card(
        visit.page, [c for c in visit.page.words.private if c.id in WORDS]
    )


# -- help, one tap away on every card -----------------------------------------------------------


async def worried(visit: Visit) -> Card:
    return worried_card(visit.page)


async def privacy(visit: Visit) -> Card:
    return privacy_card(visit.page)


async def wellbeing(visit: Visit) -> Card:
    return wellbeing_card(visit.page)


def try_again(page: Page) -> Card:
    """Something went wrong on our side, and nothing is lost."""
    return _go_on(page, "something_wrong")


# -- after the close ----------------------------------------------------------------------------


async def closed(visit: Visit) -> Card:
    """What became of this person's part, once nobody can answer any more."""
    envelope = await _envelope(visit)
    mixed_soon = (State.OPEN, State.SUBMITTED, State.MIXING)
    if envelope is None or envelope.state in mixed_soon:
        return notice_card(visit.page, "closed", closed_date=closed_date(visit.running, visit.page))
    return _what_next(visit, envelope)


def _what_next(visit: Visit, envelope: Envelope | None) -> Card:
    """Worked out from the envelope each time, so nothing that is stored can disagree with it."""
    page = visit.page
    if envelope is None:
        return welcome_card(page)
    if draft := _draft(envelope):
        statement = next_statement(page.instrument, draft)
        if statement is None:
            return all_answered_card(page)
        return statement_card(page, statement, revision=draft.revision)
    if envelope.state in (State.SUBMITTED, State.MIXING):
        return sent_card(page, "already_sent")
    return notice_card(page, _AFTER[envelope.state])


async def _again(visit: Visit, statement: Statement) -> Card:
    envelope = await _envelope(visit)
    draft = _draft(envelope)
    if draft is None:
        return _what_next(visit, envelope)
    return statement_card(
        visit.page,
        statement,
        revision=draft.revision,
        given=draft.answers.get(statement.id),
    )


async def _envelope(visit: Visit) -> Envelope | None:
    return await visit.survey.envelope(visit.turn.person)


def _draft(envelope: Envelope | None) -> Ballot | None:
    """The ballot, as long as it may still be changed."""
    return envelope.ballot if envelope and envelope.state is State.OPEN else None


def _statement(visit: Visit) -> Statement:
    found = visit.page.instrument.statement(visit.turn.text("statement"))
    if found is None:
        raise NotOffered
    return found


def _go_on(page: Page, message: str) -> Card:
    return notice_card(page, message, actions=[press(page, Verb.SHOW)])


VERBS: Mapping[str, Handler] = {
    Verb.BEGIN: begin,
    Verb.SHOW: show,
    Verb.ANSWER: answer,
    Verb.BACK: back,
    Verb.CHANGE: change,
    Verb.REVIEW: review,
    Verb.SUBMIT: submit,
    Verb.WITHDRAW: withdraw,
    Verb.WORRIED: worried,
    Verb.PRIVACY: privacy,
    Verb.WELLBEING: wellbeing,
}
WORDS: Mapping[str, Handler] = {
    "start": continue_chat,
    "continue": continue_chat,
    "status": status,
    "privacy": privacy,
    "withdraw": withdraw,
    "help": help,
}

ALWAYS = frozenset({worried, privacy, wellbeing, help, continue_chat})
"""What one may still do once the snapshot takes no more answers."""

DECIDING = frozenset({begin, submit, withdraw})
"""Steps that read the snapshot again, so that a close elsewhere is not missed."""
