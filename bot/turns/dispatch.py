"""From a turn to its function, and from whatever went wrong to a card, in one place."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

import structlog

from bot.logs import where
from bot.turns import facilitator, practitioner
from bot.turns.turn import Place, Reply, Turn
from bot.turns.visit import Handler, Service, Visit
from cards.notice import message_card
from cards.parts import Card, with_note
from snapshot.errors import Damaged, NotComplete, NotOffered, NotOpen
from snapshot.opening import Running
from snapshot.wording import Command

_log = structlog.get_logger()


async def act(turn: Turn, service: Service) -> Reply | None:
    """What a turn is answered with; None where silence is right."""
    if turn.place is Place.PRIVATE:
        shown = await _in_private(turn, service)
    elif turn.installed:
        shown = None
    elif turn.place is Place.CHANNEL:
        shown = await _in_channel(turn, service)
    else:
        shown = _private_chat_only(service)
    return Reply(shown, service.pack.wording.messages["toast"]) if shown else None


def apology(turn: Turn, service: Service) -> Reply:
    """For a turn that failed inside: nothing is lost, since nothing is kept in between.

    Asks nothing of the store, which may be what failed.
    """
    words = service.pack.wording
    known = service.directory.known(str(turn.data.get("snapshot")))
    if turn.place is Place.PRIVATE and known and known.snapshot.is_for(turn.person.tenant):
        shown = practitioner.try_again(service.page(known))
    else:
        shown = message_card(words, "something_wrong")
    return Reply(shown, words.messages["toast"])


# -- private chat -------------------------------------------------------------------------------


async def _in_private(turn: Turn, service: Service) -> Card | None:
    handler = practitioner.continue_chat if turn.installed else _private_handler(turn, service)
    named = await _named(turn, service, handler)
    running = named or await service.directory.for_tenant(turn.person.tenant)
    if running is None:
        # An administrator's mass install greets nobody for whom there is nothing to answer.
        return None if turn.installed else message_card(service.pack.wording, "nothing_open")
    visit = Visit(turn, service, running, service.page(running))
    # Help is never refused, however old the card: somebody may be worried about a child.
    known = named is not None or handler in practitioner.ALWAYS
    if turn.verb is not None and not (handler and known):
        return await _where_you_are(visit)
    return await _visit(visit, handler or practitioner.continue_chat)


async def _visit(visit: Visit, handler: Handler) -> Card:
    try:
        if visit.takes_answers or handler in practitioner.ALWAYS:
            return await handler(visit)
        return await practitioner.closed(visit)
    except NotComplete:
        return with_note(await practitioner.show(visit), visit.page.text("submit_incomplete"))
    except (NotOffered, NotOpen):
        return await _where_you_are(visit)
    except Damaged as error:
        _log.error("envelope damaged", snapshot=visit.running.snapshot.id, **where(error))
        return practitioner.try_again(visit.page)


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


def _private_handler(turn: Turn, service: Service) -> Handler | None:
    commands = service.pack.wording.private
    return _handler(turn, practitioner.VERBS, practitioner.WORDS, commands)


# -- channels -----------------------------------------------------------------------------------


async def _in_channel(turn: Turn, service: Service) -> Card:
    running = await service.directory.for_channel(turn.address)
    if running is None:
        return message_card(service.pack.wording, "nothing_open")
    commands = service.pack.wording.channel
    handler = _handler(turn, facilitator.VERBS, facilitator.WORDS, commands)
    if handler in facilitator.DECIDING:
        running = await service.directory.find(running.snapshot.id, fresh=True) or running
    visit = Visit(turn, service, running, service.page(running))
    meant_here = turn.data.get("snapshot") == running.snapshot.id
    if turn.verb is not None and not (handler and meant_here):
        return with_note(await facilitator.status(visit), visit.page.text("stale_choice"))
    if handler is None and _private_handler(turn, service):
        return _private_chat_only(service)
    return await (handler or facilitator.help)(visit)


def _private_chat_only(service: Service) -> Card:
    link = service.setting.survey_link
    return message_card(service.pack.wording, "private_chat_only", survey_link=link)


# -- what was pressed or typed ------------------------------------------------------------------


def _handler(
    turn: Turn,
    verbs: Mapping[str, Handler],
    words: Mapping[str, Handler],
    commands: Sequence[Command],
) -> Handler | None:
    if turn.verb is not None:
        return verbs.get(turn.verb)
    typed = fold(turn.words)
    return next(
        (words[c.id] for c in commands if c.id in words and typed in map(fold, c.words)), None
    )


def fold(words: str) -> str:
    """Typed words without capitals, accents or the kind of apostrophe."""
    plain = unicodedata.normalize("NFKD", words.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold().strip()
