"""What is posted unasked: from a recorded publication to a card and the channel that it goes to."""

from __future__ import annotations

from bot.turns.turn import Address, Reply
from bot.turns.visit import Service, closed_date
from cards.moderation import moderation_notice
from cards.opening import shareable_card
from cards.page import Page, say_day
from cards.parts import Card
from cards.progress import extended_card
from cards.summary import interim_card, summary_card
from snapshot.calendar import day_of
from snapshot.disclosure import Summary
from snapshot.ledger import CHANNEL, MODERATORS
from snapshot.opening import Running
from snapshot.ports import Record
from snapshot.publication import Topic, topic_of
from snapshot.snapshot import Phase

_FOR_MODERATORS = (Topic.COMMENTS, Topic.NUDGE)


def recipient_of(publication: Record) -> str:
    """The one of the ledger's channels that it is for."""
    return MODERATORS if topic_of(publication.id) in _FOR_MODERATORS else CHANNEL


def address_of(service: Service, running: Running, publication: Record) -> Address | None:
    """None as long as the channel that it is for is not known."""
    directory = service.directory
    if recipient_of(publication) == MODERATORS:
        return directory.moderators(running)
    return directory.address(running)


def post_of(service: Service, running: Running, publication: Record) -> Reply | None:
    """None once it is no longer wanted: an interim summary that comes after the close.

    The final one stands beside it then, and does not know of it.
    """
    if topic_of(publication.id) is Topic.INTERIM and running.phase is not Phase.OPEN:
        return None
    page = service.page(running)
    return Reply(_card(page, running, publication), page.words.messages["toast"])


def extension_card(page: Page, number: int) -> Card:
    """What everyone is told of the deadline's move of this number, from 1."""
    snapshot = page.snapshot
    moved, *later = snapshot.extensions[number - 1 :]
    deadline = later[0].old_deadline if later else snapshot.deadline
    old_day = say_day(day_of(snapshot, moved.old_deadline), page.pack)
    new_day = say_day(day_of(snapshot, deadline), page.pack)
    return extended_card(page, old_day=old_day, new_day=new_day, reason=moved.reason)


def _card(page: Page, running: Running, publication: Record) -> Card:
    match topic_of(publication.id):
        case Topic.OPENING:
            return shareable_card(page)
        case Topic.EXTENSION:
            return extension_card(page, publication.body["number"])
        case Topic.INTERIM:
            return interim_card(page, Summary.from_json(publication.body))
        case Topic.FINAL:
            summary = Summary.from_json(publication.body)
            return summary_card(page, summary, closed_date=closed_date(running, page))
        case Topic.COMMENTS:
            return moderation_notice(page, "comments_queue")
        case Topic.NUDGE:
            is_urgent = publication.body["escalated"]
            message = "comments_escalated_nudge" if is_urgent else "comments_nudge"
            return moderation_notice(page, message)
        case Topic.MIXING:
            raise ValueError("only marks that a day's mixing is done")
