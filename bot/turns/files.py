"""Files that somebody may have in their private chat: offered, and made once they want them.

Nothing is kept in between. An offer says only which file of which snapshot it is, and whoever
answers it is asked for their rights again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from bot.turns.account import did
from bot.turns.turn import Consent, File, Given, NotMade, NotTaken, Offer, Place, Reply, Turn
from bot.turns.visit import Service, Visit, takes_answers
from cards.notice import message_card, notice_card
from cards.page import Page
from cards.parts import Card
from snapshot.acts import Did
from snapshot.opening import Running

_MOST_TAKEN = 1_000


type Make = Callable[[Visit], Awaitable[File | None]]
"""A file as it is now; None where there is nothing to put into it. May raise `NotMade`."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One that is offered to facilitators.

    `about`, `none`: messages that say what it is, or that there is nothing to put into it. `did`:
    what is noted of whoever has taken it. `when`: whether a snapshot has one just now.
    """

    make: Make
    about: str
    none: str
    did: Did
    when: Callable[[Service, Running], bool] = takes_answers


async def offer(visit: Visit, what: str, kind: Kind, shown: Callable[[Page], Card]) -> Reply:
    """`shown` is the card that goes with it."""
    page, toast = visit.page, visit.service.pack.wording.messages["toast"]
    file = await kind.make(visit)
    if file is None:
        return Reply(notice_card(page, kind.none), toast)
    about = {"what": what, "snapshot": page.snapshot.id}
    offered = Offer(file.name, page.text(kind.about), len(file.content), about)
    return Reply(shown(page), toast, (offered,))


async def answered(turn: Turn, service: Service, kinds: Mapping[str, Kind]) -> Reply | None:
    """What comes of an offer; None where the same answer has been taken already."""
    consent = turn.consent or Consent({})
    words, toast = service.pack_for(turn.locale).wording, service.pack.wording.messages["toast"]
    kind = kinds.get(str(consent.about.get("what")))
    visit = await _visit(turn, service, consent, kind) if kind else None
    if visit is None or kind is None:
        return Reply(message_card(words, "file_not_offered"), toast)
    if not consent.upload:
        return Reply(notice_card(visit.page, "file_declined"), toast)
    place = sha256(consent.upload.encode()).digest()
    if place in service.taken:
        return None
    _note(service, place)
    outcome = await service.afterwards.wait(
        _give(visit, kind, consent, place),
        turn.address,
        lambda outcome: _say(visit.page, outcome, toast),
        Reply(notice_card(visit.page, "file_not_taken"), toast),
    )
    return _say(visit.page, outcome, toast) if outcome else None


async def _visit(turn: Turn, service: Service, consent: Consent, kind: Kind) -> Visit | None:
    """None for whoever may not have it, and for a snapshot that has none or is not theirs."""
    named = consent.about.get("snapshot")
    if turn.place is not Place.PRIVATE or not isinstance(named, str):
        return None
    if not service.rights.may_facilitate(turn.person):
        return None
    running = await service.directory.find(named, fresh=True)
    if running is None or not running.snapshot.is_for(turn.person.tenant):
        return None
    if not kind.when(service, running):
        return None
    return Visit(turn, service, running, service.page(running, turn.locale))


async def _give(visit: Visit, kind: Kind, consent: Consent, place: bytes) -> Given | str:
    """The file where it was wanted, or which message says why it is not there."""
    outcome: Given | str = "file_not_taken"
    try:
        outcome = await _put(visit, kind, consent)
    finally:
        if isinstance(outcome, str):  # it may be tried again
            visit.service.taken.pop(place, None)
    return outcome


async def _put(visit: Visit, kind: Kind, consent: Consent) -> Given | str:
    try:
        file = await kind.make(visit)
        if file is None:
            return kind.none
        await visit.service.put(consent.upload, file.content)
        await did(visit, kind.did, str(consent.about.get("what")))
    except NotMade:
        return "file_not_made"
    except NotTaken as error:
        return "file_gone" if error.is_gone else "file_not_taken"
    return Given(consent.name, consent.id, consent.kind, consent.url)


def _say(page: Page, outcome: Given | str, toast: str) -> Reply:
    if isinstance(outcome, str):
        return Reply(notice_card(page, outcome), toast)
    return Reply(notice_card(page, "file_given"), toast, (outcome,))


def _note(service: Service, place: bytes) -> None:
    service.taken[place] = None
    if len(service.taken) > _MOST_TAKEN:
        del service.taken[next(iter(service.taken))]
