"""The survey in a private chat. Each function answers one button or typed word with a card.

Only the answer to a person's own tap may show what they chose; what is sent as a message of
its own is the same for everybody who is in the same state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.turns.commenting import comments
from bot.turns.facilitator import IN_PRIVATE
from bot.turns.place import boxes, draft_of, what_next
from bot.turns.turn import Reply
from bot.turns.visit import Handler, Service, Visit, closed_date, survey_of, takes_answers
from cards.chat import continue_card, unfinished_card
from cards.help import (
    practitioner_help_card,
    privacy_card,
    wellbeing_card,
    worried_card,
)
from cards.notice import choose_card, notice_card, sent_card, withdraw_card
from cards.page import Page
from cards.parts import Card, kept, press, with_note
from cards.review import review_card
from cards.statement import statement_card
from cards.verbs import Verb
from cards.welcome import welcome_card
from snapshot.envelope import Contact, State
from snapshot.errors import NotOffered, NotOpen
from snapshot.instrument import Statement
from snapshot.opening import Running

# -- buttons ------------------------------------------------------------------------------------


async def begin(visit: Visit) -> Card:
    turn = visit.turn
    language = visit.page.words.language
    contact = Contact(turn.person.tenant, turn.person.object_id, turn.address.as_json(), language)
    return what_next(visit, await visit.survey.begin(turn.person, turn.text("agency"), contact))


async def show(visit: Visit) -> Card:
    """Whatever comes next for this person, on any device; never a choice that was made."""
    return what_next(visit, visit.envelope)


async def answer(visit: Visit) -> Card:
    turn = visit.turn
    envelope = await visit.survey.answer(
        turn.person, turn.text("statement"), turn.text("option"), turn.number("revision")
    )
    return what_next(visit, envelope)


async def change(visit: Visit) -> Card:
    """One statement again, with the answer that was given."""
    return await _again(visit, _statement(visit))


async def back(visit: Visit) -> Card:
    """The statement before; from the first, the agencies while nothing has been answered."""
    position = visit.page.instrument.position(_statement(visit).id)
    if position > 1:
        return await _again(visit, visit.page.instrument.statements[position - 2])
    return await agencies(visit)


async def agencies(visit: Visit) -> Card:
    """The agencies, as long as another one can be chosen."""
    draft = draft_of(visit.envelope)
    if draft and not draft.answers:
        return welcome_card(visit.page)
    return await show(visit)


async def review(visit: Visit) -> Card:
    draft = draft_of(visit.envelope)
    return review_card(visit.page, draft) if draft else await show(visit)


async def submit(visit: Visit) -> Card:
    await visit.survey.submit(visit.turn.person)
    return _receipt(visit.page)


async def withdraw(visit: Visit) -> Card:
    """Asks once more, then deletes what is sealed."""
    if not visit.turn.is_set("confirmed"):
        envelope = visit.envelope
        if envelope and envelope.state in (State.OPEN, State.SUBMITTED):
            return withdraw_card(visit.page, sent=envelope.state is State.SUBMITTED)
        return await show(visit)
    try:
        return what_next(visit, await visit.survey.withdraw(visit.turn.person))
    except NotOpen as error:
        if error.state in (State.MIXING, State.RELEASED):
            return notice_card(visit.page, "too_late_to_withdraw")
        raise


async def quiet(visit: Visit) -> Card:
    """No more reminders. The answers stay, and the survey can be gone on with."""
    if draft_of(visit.envelope) is None:
        return await show(visit)
    await visit.survey.settle(visit.turn.person, quiet=True)
    return _go_on(visit.page, "quiet_done", Verb.QUIET)


async def choose(visit: Visit) -> Card:
    """One of several open snapshots, and on with what was wanted there."""
    wanted = WORDS.get(str(visit.turn.data.get("command")), show)
    return await (show if wanted is continue_chat else wanted)(visit)


# -- typed words --------------------------------------------------------------------------------


async def continue_chat(visit: Visit) -> Card:
    return continue_card(visit.page)


async def in_english(visit: Visit) -> Card:
    return await _switch(visit, "en-GB")


async def in_welsh(visit: Visit) -> Card:
    return await _switch(visit, "cy-GB")


async def _switch(visit: Visit, language: str) -> Card:
    """Every open snapshot that somebody has begun remembers it."""
    service, person = visit.service, visit.turn.person
    if language not in service.packs:
        return continue_card(visit.page)
    for running in await service.directory.of_tenant(person.tenant):
        if takes_answers(service, running):
            survey = survey_of(service, running)
            if await survey.envelope(person):
                await survey.settle(person, language=language)
    page = visit.in_language(language).page
    return with_note(continue_card(page), page.text("language_switched"))


async def status(visit: Visit) -> Card:
    envelope = visit.envelope
    if envelope is None:
        return _go_on(visit.page, "status_not_started", "status")
    if envelope.state is State.OPEN:
        return _go_on(visit.page, "status_in_progress", "status")
    return what_next(visit, envelope)


async def help(visit: Visit) -> Card:
    """Facilitators may type more."""
    may_facilitate = visit.service.rights.may_facilitate(visit.turn.person)
    known = WORDS.keys() | IN_PRIVATE if may_facilitate else WORDS.keys()
    return practitioner_help_card(
        visit.page, [c for c in visit.page.words.private if c.id in known]
    )


# -- shown again in another language --------------------------------------------------------------


async def receipt(visit: Visit) -> Card:
    if visit.envelope and visit.envelope.state in (State.SUBMITTED, State.MIXING):
        return _receipt(visit.page)
    return await show(visit)


async def is_quiet(visit: Visit) -> Card:
    contact = visit.envelope and visit.survey.contact(visit.envelope)
    if contact and contact.quiet and draft_of(visit.envelope):
        return _go_on(visit.page, "quiet_done", Verb.QUIET)
    return await show(visit)


# -- help, one tap away on every card -----------------------------------------------------------


async def worried(visit: Visit) -> Card:
    return worried_card(visit.page, boxes(visit))


async def privacy(visit: Visit) -> Card:
    return privacy_card(visit.page, boxes(visit))


async def wellbeing(visit: Visit) -> Card:
    return wellbeing_card(visit.page, boxes(visit))


def try_again(page: Page, why: str = "something_wrong") -> Card:
    """Something went wrong, on our side unless `why` says else, and nothing is lost."""
    return _go_on(page, why)


# -- after the close ----------------------------------------------------------------------------


async def closed(visit: Visit) -> Card:
    """What became of this person's part, once nobody can answer any more."""
    envelope = visit.envelope
    mixed_soon = (State.OPEN, State.SUBMITTED, State.MIXING)
    if envelope is None or envelope.state in mixed_soon:
        return notice_card(visit.page, "closed", closed_date=closed_date(visit.running, visit.page))
    return what_next(visit, envelope)


async def _again(visit: Visit, statement: Statement) -> Card:
    draft = draft_of(visit.envelope)
    if draft is None:
        return await show(visit)
    return statement_card(
        visit.page,
        statement,
        revision=draft.revision,
        given=draft.answers.get(statement.id),
    )


def _statement(visit: Visit) -> Statement:
    found = visit.page.instrument.statement(visit.turn.text("statement"))
    if found is None:
        raise NotOffered
    return found


def _go_on(page: Page, message: str, again: str = Verb.SHOW) -> Card:
    return notice_card(page, message, actions=[press(page, Verb.SHOW)], again=again)


def _receipt(page: Page) -> Card:
    return sent_card(page, "receipt", again=Verb.SUBMIT)


# -- what goes to them ----------------------------------------------------------------------------


def greeting(service: Service, found: Sequence[Running], language: str) -> Reply:
    """For whoever has got the app: the first card, or which of these they mean."""
    pages = [service.page(running, language) for running in found]
    page, *others = pages
    if others:
        return Reply(choose_card(page.words, pages, ""), page.words.messages["toast"])
    shown = kept(page, "continue", lambda: continue_card(page))
    return Reply(shown, page.words.messages["toast"])


def unfinished(service: Service, running: Running, language: str, which: str) -> Reply:
    """For whoever has begun and not sent; `which`: midway or last. The same for all of them."""
    page = service.page(running, language)
    shown = kept(page, ("unfinished", which), lambda: unfinished_card(page, which))
    return Reply(shown, page.words.messages["toast"])


VERBS: Mapping[str, Handler] = {
    Verb.BEGIN: begin,
    Verb.SHOW: show,
    Verb.ANSWER: answer,
    Verb.BACK: back,
    Verb.CHANGE: change,
    Verb.REVIEW: review,
    Verb.SUBMIT: submit,
    Verb.WITHDRAW: withdraw,
    Verb.COMMENTS: comments,
    Verb.QUIET: quiet,
    Verb.CHOOSE: choose,
    Verb.LANGUAGE: show,
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
    "english": in_english,
    "cymraeg": in_welsh,
}

VIEWS: Mapping[str, Handler] = {
    Verb.BEGIN: agencies,
    Verb.SHOW: show,
    Verb.CHANGE: change,
    Verb.REVIEW: review,
    Verb.COMMENTS: comments,
    Verb.SUBMIT: receipt,
    Verb.WITHDRAW: withdraw,
    Verb.QUIET: is_quiet,
    Verb.WORRIED: worried,
    Verb.PRIVACY: privacy,
    Verb.WELLBEING: wellbeing,
    "status": status,
    "help": help,
}
"""What only shows a card, and so may be shown again in another language."""

HELP = frozenset({worried, privacy, wellbeing})
"""Needs nothing but the snapshot, and is given whatever else may be wrong."""

ALWAYS = HELP | {help, continue_chat, in_english, in_welsh}
"""What one may still do once the snapshot takes no more answers."""

ANYWHERE = frozenset({worried, wellbeing, help, in_english, in_welsh})
"""What may be asked without saying of which snapshot, however old the card.

Not the privacy notice: where two are open, each has a controller and days of its own.
"""

SAVING = frozenset({begin, answer, comments, submit, withdraw, quiet})
"""What writes into the envelope itself."""

DECIDING = frozenset({begin, submit, withdraw})
"""Steps that read the snapshot again, so that a close elsewhere is not missed."""
