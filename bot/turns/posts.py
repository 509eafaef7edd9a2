"""What is posted unasked: from a recorded publication to a card and the channel that it goes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from bot.briefing import brief_of
from bot.reporting import gather
from bot.turns.turn import Address, Reply
from bot.turns.visit import Service, closed_date
from cards.contacts import corrected_card
from cards.leads import leads_to_email_card
from cards.moderation import moderation_notice
from cards.opening import shareable_card
from cards.page import Page, say_day
from cards.parts import Card
from cards.progress import extended_card, nudge_card, words_go_card
from cards.report import report_card
from cards.summary import interim_card, summary_card
from snapshot.calendar import day_of
from snapshot.disclosure import Summary
from snapshot.ledger import CHANNEL, MODERATORS
from snapshot.opening import Running
from snapshot.ports import Record
from snapshot.publication import Topic, topic_of, which_of
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


async def post_of(service: Service, running: Running, publication: Record) -> Reply | None:
    """None once it is no longer wanted: an interim summary that comes after the close.

    The final one stands beside it then, and does not know of it. Raises `NoReport`.
    """
    topic, page = topic_of(publication.id), service.page(running)
    if topic is Topic.INTERIM and running.phase is not Phase.OPEN:
        return None
    if topic is Topic.REPORT:
        shown = await _report(service, running, page, publication)
    else:
        shown = _CARDS[topic](page, running, publication)
    return Reply(shown, page.words.messages["toast"])


async def _report(service: Service, running: Running, page: Page, publication: Record) -> Card:
    """As it is now: what partners agreed and planned is kept nowhere a second time."""
    material = await gather(service, running)
    return report_card(page, brief_of(material), with_files=publication.body["files"])


def extension_card(page: Page, number: int) -> Card:
    """What everyone is told of the deadline's move of this number, from 1."""
    snapshot = page.snapshot
    moved, *later = snapshot.extensions[number - 1 :]
    deadline = later[0].old_deadline if later else snapshot.deadline
    old_day = say_day(day_of(snapshot, moved.old_deadline), page.pack)
    new_day = say_day(day_of(snapshot, deadline), page.pack)
    return extended_card(page, old_day=old_day, new_day=new_day, reason=moved.reason)


def _opening(page: Page, _: Running, __: Record) -> Card:
    return shareable_card(page)


def _extension(page: Page, _: Running, publication: Record) -> Card:
    return extension_card(page, publication.body["number"])


def _correction(page: Page, _: Running, publication: Record) -> Card:
    return corrected_card(page, publication.body["number"])


def _to_email(page: Page, _: Running, publication: Record) -> Card:
    return leads_to_email_card(page, date.fromisoformat(publication.body["by"]))


def _interim(page: Page, _: Running, publication: Record) -> Card:
    return interim_card(page, Summary.from_json(publication.body))


def _final(page: Page, running: Running, publication: Record) -> Card:
    closed = closed_date(running, page)
    return summary_card(page, Summary.from_json(publication.body), closed_date=closed)


def _progress(page: Page, _: Running, publication: Record) -> Card:
    return nudge_card(page, date.fromisoformat(which_of(publication.id)), publication.body)


def _words_go(page: Page, _: Running, publication: Record) -> Card:
    return words_go_card(page, date.fromisoformat(which_of(publication.id)))


def _to_moderators(page: Page, _: Running, publication: Record) -> Card:
    return moderation_notice(page, _for_moderators(publication))


def _for_moderators(publication: Record) -> str:
    """Which message they get."""
    if topic_of(publication.id) is Topic.COMMENTS:
        return "comments_queue"
    return "comments_escalated_nudge" if publication.body["escalated"] else "comments_nudge"


_CARDS: Mapping[Topic, Callable[[Page, Running, Record], Card]] = {
    Topic.OPENING: _opening,
    Topic.EXTENSION: _extension,
    Topic.CORRECTION: _correction,
    Topic.PROGRESS: _progress,
    Topic.EMAIL: _to_email,
    Topic.INTERIM: _interim,
    Topic.FINAL: _final,
    Topic.COMMENTS: _to_moderators,
    Topic.NUDGE: _to_moderators,
    Topic.KEEPING: _words_go,
}
"""The others only mark that something is done."""
