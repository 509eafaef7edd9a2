"""From a turn to its function, and from whatever went wrong to a card, in one place."""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace

import structlog

from bot.logs import where
from bot.turns import (
    facilitator,
    files,
    leads,
    moderator,
    opening,
    plan,
    practitioner,
    reports,
    session,
)
from bot.turns.turn import Place, Reply, Turn
from bot.turns.visit import Handler, Service, Visit, takes_answers
from cards.notice import choose_card, message_card
from cards.parts import Card, with_note
from cards.verbs import Verb
from snapshot.errors import Busy, Damaged, NotComplete, NotOffered, NotOpen
from snapshot.greeting import Greeting, note_greeting
from snapshot.opening import Running
from snapshot.ports import RecordsError
from snapshot.wording import Command, Wording

_MOST_SCREENED = 2_000
"""Characters of what is typed in a private chat, looked through for words of risk."""

_log = structlog.get_logger()


async def act(turn: Turn, service: Service) -> Reply | None:
    """What a turn is answered with; None where silence is right."""
    if turn.consent is not None:
        return await files.answered(turn, service, _FILES)
    if turn.installed:
        await _note_install(turn, service)
        return None
    answer = _with_more_than_a_card(turn, service)
    if answer is not None:
        return await answer(turn, service)
    if turn.place is Place.PRIVATE:
        shown = await _in_private(turn, service)
    elif turn.place is Place.CHANNEL:
        shown = await _in_channel(turn, service)
    else:
        shown = _private_chat_only(turn, service)
    return Reply(shown, service.pack.wording.messages["toast"]) if shown else None


def apology(turn: Turn, service: Service) -> Reply:
    """For a turn that failed inside: nothing is lost, since nothing is kept in between."""
    return _try_again(turn, service, "something_wrong")


def slow_down(turn: Turn, service: Service) -> Reply:
    """For somebody who has taken more turns than anybody can."""
    return _try_again(turn, service, "too_fast")


def _try_again(turn: Turn, service: Service, why: str) -> Reply:
    """Asks nothing of the store, which may be what failed."""
    words = _words_for(turn, service)
    known = service.directory.known(str(turn.data.get("snapshot")))
    if turn.place is Place.PRIVATE and known and known.snapshot.is_for(turn.person.tenant):
        shown = practitioner.try_again(service.page(known, words.language), why)
    else:
        shown = message_card(words, why)
    return Reply(shown, words.messages["toast"])


def outsider(locale: str, service: Service) -> Reply:
    """For somebody without an account, of whom nobody could say whom they speak for."""
    words = service.pack_for(locale).wording
    return Reply(message_card(words, "session_guest"), words.messages["toast"])


def _with_more_than_a_card(
    turn: Turn, service: Service
) -> Callable[[Turn, Service], Awaitable[Reply | None]] | None:
    """What answers, where files follow the card or it is edited later."""
    if turn.place is Place.PRIVATE:
        command = _command(turn, service, "private", dict.fromkeys(leads.WORDS | reports.WORDS))
        if leads.wants_list(turn, service, command):
            return leads.offer_list
        if answer := reports.meant(turn, service, command):
            return answer
    spoken = _command(turn, service, "channel", dict.fromkeys(session.WORDS))
    return session.answer if session.is_meant(turn, spoken) else None


async def _note_install(turn: Turn, service: Service) -> None:
    """They are greeted when it is their turn, and only where there is something to answer."""
    found = await service.directory.of_tenant(turn.person.tenant)
    open_ones = [r for r in found if takes_answers(service, r)]
    if turn.place is not Place.PRIVATE or not open_ones:
        return
    if await leads.was_installed_for(turn, service, open_ones):
        return
    greeting = Greeting(turn.address.as_json(), turn.locale)
    now = service.clock()
    if await note_greeting(open_ones[0], service.records, turn.person, greeting, now):
        service.wake()


# -- private chat -------------------------------------------------------------------------------


async def _in_private(turn: Turn, service: Service) -> Card | None:
    if turn.file and service.rights.may_facilitate(turn.person):
        return await leads.with_file(turn, service)
    command = _command(turn, service, "private", practitioner.WORDS)
    handler = _private_handler(turn, command, service)
    found = await service.directory.of_tenant(turn.person.tenant)
    named = await _named(turn, service, handler)
    running = [r for r in found if takes_answers(service, r)]
    if named is None and len(running) > 1 and handler not in practitioner.ANYWHERE:
        return _choose(turn, service, running, command)
    about = named or next(iter([*running, *found]), None)
    if about is None:
        return message_card(_words_for(turn, service), "nothing_open")
    known_anyway = handler in practitioner.ANYWHERE | practitioner.HELP
    if turn.verb is None or named is not None or known_anyway:
        return await _about(turn, service, about, handler)
    return await _about(turn, service, about, None)


def _private_handler(turn: Turn, command: str, service: Service) -> Handler | None:
    if turn.verb is not None:
        if turn.verb == Verb.CHOOSE and "file" in turn.data:
            return leads.read_file
        return _PRIVATE_VERBS.get(turn.verb)
    if not command and _speaks_of_a_concern(turn, service):
        return practitioner.worried
    return practitioner.WORDS.get(command, practitioner.continue_chat)


def _speaks_of_a_concern(turn: Turn, service: Service) -> bool:
    """Nobody reads what is typed here: whoever tells of a child must hear at once whom to call."""
    typed = fold(turn.words)
    labels = (p.wording.verbs[Verb.WORRIED] for p in service.packs.values())
    asked = any(fold(label).rstrip("?") in typed for label in labels)
    return asked or service.screener.screen(turn.words[:_MOST_SCREENED]).risk


async def _about(turn: Turn, service: Service, running: Running, handler: Handler | None) -> Card:
    """One turn about one snapshot. Without a handler, what was pressed is no longer on offer."""
    visit = Visit(turn, service, running, service.page(running, _language(turn)))
    try:
        if handler not in practitioner.HELP | leads.OF_LEADS:
            visit = await _with_envelope(visit)
        elif turn.verb is None:
            visit = await _in_their_language(visit)
        if turn.verb == Verb.LANGUAGE:
            visit, handler = await _change_language(visit)
        shown = await _visit(visit, handler)
        if handler not in practitioner.SAVING:
            await _meet(visit)
        return shown
    except Damaged as error:
        _log.error("envelope damaged", snapshot=running.snapshot.id, **where(error))
        return practitioner.try_again(visit.page)


async def _meet(visit: Visit) -> None:
    """Without a read; and without a write, but for somebody whose chat has moved."""
    if visit.envelope is not None and visit.takes_answers:
        with suppress(Busy, NotOpen, RecordsError):  # they have their answer all the same
            await visit.survey.meet(visit.turn.person)


async def _with_envelope(visit: Visit) -> Visit:
    """Read once for the whole turn. What stands in it of the language goes before the card's."""
    survey = visit.survey
    envelope = await survey.envelope(visit.turn.person)
    if envelope is None:
        return visit
    contact = survey.contact(envelope)
    visit = replace(visit, envelope=envelope)
    return visit.in_language(contact.language) if contact else visit


async def _in_their_language(visit: Visit) -> Visit:
    """Help that was typed: no card says the language. It is given whatever the envelope says."""
    with suppress(Damaged, RecordsError):
        return await _with_envelope(visit)
    return visit


async def _visit(visit: Visit, handler: Handler | None) -> Card:
    if handler is None:
        return await _where_you_are(visit)
    try:
        if visit.takes_answers or handler in practitioner.ALWAYS:
            return await handler(visit)
        return await practitioner.closed(visit)
    except NotComplete:
        again = await _with_envelope(visit)
        return with_note(await practitioner.show(again), visit.page.text("submit_incomplete"))
    except (NotOffered, NotOpen):
        return await _where_you_are(await _with_envelope(visit))


async def _where_you_are(visit: Visit) -> Card:
    here = practitioner.show if visit.takes_answers else practitioner.closed
    return with_note(await here(visit), visit.page.text("stale_choice"))


async def _named(turn: Turn, service: Service, handler: Handler | None) -> Running | None:
    """The snapshot that a card names, if it is this tenant's."""
    named = turn.data.get("snapshot")
    if turn.verb is None or not isinstance(named, str):
        return None
    found = await service.directory.find(named, fresh=handler in practitioner.DECIDING)
    return found if found and found.snapshot.is_for(turn.person.tenant) else None


def _choose(turn: Turn, service: Service, running: list[Running], command: str) -> Card:
    words = _words_for(turn, service)
    pages = [service.page(r, words.language) for r in running]
    return choose_card(words, pages, command)


async def _change_language(visit: Visit) -> tuple[Visit, Handler | None]:
    """Remember the language, and go on with the card that was in front of the person."""
    turn = visit.turn
    language = turn.data.get("to")
    if not isinstance(language, str) or language not in visit.service.packs:
        return visit, None
    # Without an envelope to remember it, cards carry it along.
    if visit.envelope is not None and visit.envelope.contact is not None:
        await visit.survey.settle(turn.person, language=language)
    verb = turn.data.get("again")
    handler = practitioner.VIEWS.get(verb) if isinstance(verb, str) else None
    kept = {key: value for key, value in turn.data.items() if key in ("snapshot", "statement")}
    boxes = {key: value for key, value in turn.data.items() if key.startswith("comment.")}
    again = replace(turn, verb=verb, data=kept | boxes)
    shown = await _with_envelope(replace(visit, turn=again)) if visit.envelope else visit
    return replace(shown, turn=again).in_language(language), handler or practitioner.show


# -- channels -----------------------------------------------------------------------------------


async def _in_channel(turn: Turn, service: Service) -> Card:
    await service.directory.meet(turn.address)
    command = _command(turn, service, "channel", _CHANNEL_COMMANDS)
    if start := opening.VERBS.get(turn.verb or "") or opening.WORDS.get(command):
        return await _start(start, turn, service)
    if turn.verb in moderator.VERBS or command in moderator.WORDS:
        return await _moderating(turn, service, command)
    here = await service.directory.of_channel(turn.address)
    if here is None and await service.directory.moderated_in(turn.address):
        return await _moderating(turn, service, command)
    running = here or await service.directory.take_sample(turn.address)
    if running is None:
        return message_card(_words_for(turn, service), "nothing_open_channel")
    return await _facilitating(turn, service, running, command)


async def _start(start: opening.Start, turn: Turn, service: Service) -> Card:
    try:
        return await start(turn, service)
    except NotOffered:
        words = _words_for(turn, service)
        here = await service.directory.of_channel(turn.address)
        if here is None:
            shown = message_card(words, "nothing_open_channel")
        else:
            shown = await facilitator.status(Visit(turn, service, here, service.page(here)))
        return with_note(shown, words.messages["stale_choice"])


async def _facilitating(turn: Turn, service: Service, running: Running, command: str) -> Card:
    handler = (
        _FACILITATING_VERBS.get(turn.verb)
        if turn.verb is not None
        else _FACILITATING_WORDS.get(command)
    )
    if handler in _DECIDING:
        found = await service.directory.find(running.snapshot.id, fresh=True)
        if found is None:  # its settings are no longer those that were sealed
            return message_card(_words_for(turn, service), "nothing_open_channel")
        running = found
    visit = Visit(turn, service, running, service.page(running))
    meant_here = turn.data.get("snapshot") == running.snapshot.id
    if turn.verb is not None and not (handler and meant_here):
        return with_note(await facilitator.status(visit), visit.page.text("stale_choice"))
    if handler in _DECIDING and not service.rights.may_facilitate(turn.person):
        return facilitator.refused(visit, "facilitator_only")
    if handler is None and _command(turn, service, "private", practitioner.WORDS):
        return _private_chat_only(turn, service)
    try:
        return await (handler or facilitator.help)(visit)
    except (NotOffered, NotOpen):
        return with_note(await facilitator.status(visit), visit.page.text("stale_choice"))


async def _moderating(turn: Turn, service: Service, command: str) -> Card:
    found = await service.directory.moderated_in(turn.address)
    named = turn.data.get("snapshot")
    running = next((r for r in found if turn.verb is None or r.snapshot.id == named), None)
    if running is None or not service.rights.may_moderate(turn.person):
        return message_card(_words_for(turn, service), "moderator_only")
    visit = Visit(turn, service, running, service.page(running))
    handler = moderator.VERBS.get(turn.verb or "") or moderator.WORDS.get(command, moderator.help)
    try:
        return await handler(visit)
    except NotOffered:
        return with_note(await moderator.review(visit), visit.page.text("stale_choice"))


def _private_chat_only(turn: Turn, service: Service) -> Card:
    link = service.setting.survey_link
    return message_card(_words_for(turn, service), "private_chat_only", survey_link=link)


# -- what was pressed or typed ------------------------------------------------------------------

_PRIVATE_VERBS = {**practitioner.VERBS, **leads.PRIVATE_VERBS}
_FACILITATING_VERBS = {**facilitator.VERBS, **leads.VERBS, **plan.VERBS}
_FACILITATING_WORDS = {**facilitator.WORDS, **plan.WORDS}
_DECIDING = facilitator.DECIDING | leads.DECIDING | plan.DECIDING

_FILES = {**leads.FILES, **reports.FILES}

_CHANNEL_COMMANDS = {
    **opening.WORDS,
    **moderator.WORDS,
    **_FACILITATING_WORDS,
}

_WITH_MORE = frozenset({"moderate"})
"""Commands that something follows."""


def _language(turn: Turn) -> str:
    """That of the card, or else that of the person's Teams."""
    carried = turn.data.get("language")
    return carried if isinstance(carried, str) and carried else turn.locale


def _words_for(turn: Turn, service: Service) -> Wording:
    return service.pack_for(_language(turn)).wording


def _command(turn: Turn, service: Service, place: str, known: Mapping[str, object]) -> str:
    """The id of the typed command, in whatever language; empty: none."""
    if turn.verb is not None:
        return ""
    typed = fold(turn.words)
    commands: list[Command] = [
        c for pack in service.packs.values() for c in getattr(pack.wording, place)
    ]
    return next((c.id for c in commands if c.id in known and _means(c, typed)), "")


def _means(command: Command, typed: str) -> bool:
    words = [fold(word) for word in command.words]
    if typed in words:
        return True
    return command.id in _WITH_MORE and any(typed.startswith(f"{word} ") for word in words)


def fold(words: str) -> str:
    """Typed words without capitals, accents or the kind of apostrophe."""
    plain = unicodedata.normalize("NFKD", words.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold().strip()
