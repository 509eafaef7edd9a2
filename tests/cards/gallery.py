"""Every kind of card, built from values, for whatever has to look at all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from bot.sample import CONTACTS
from bot.turns import facilitator, practitioner
from bot.turns.turn import Place
from cards.chat import continue_card
from cards.help import (
    facilitator_help_card,
    practitioner_help_card,
    privacy_card,
    wellbeing_card,
    worried_card,
    worried_in_channel_card,
)
from cards.notice import message_card, notice_card, sent_card, withdraw_card
from cards.page import Page, Setting, page_of
from cards.parts import Card, press, with_note
from cards.progress import close_card, closed_card, progress_card
from cards.review import all_answered_card, review_card
from cards.statement import statement_card
from cards.summary import summary_card
from cards.verbs import Verb
from cards.welcome import welcome_card
from content.packs import load_packs
from snapshot.disclosure import DomainFigures, End, Figure, Summary
from snapshot.envelope import Ballot
from snapshot.instrument import Statement
from snapshot.ports import SnapshotId
from snapshot.snapshot import Mixing, Snapshot, form_cells
from snapshot.wording import Pack

K = 10

_SETTING = Setting("http://localhost:56150", key_days=7, backup_days=30)

# About the longest that people would type into the form, addresses with nothing to break them at.
_LONG_CONTACTS = replace(
    CONTACTS,
    front_door_name="Multi-agency safeguarding hub for Exampleshire and the Vale of Example",
    front_door_hours="Monday to Thursday, 8.45am to 5.15pm, and Friday, 8.45am to 4.30pm",
    safeguarding_name="Katherine Montgomery",
    safeguarding_email="multi-agency.safeguarding.partnership@exampleshire-combined.example.org",
    contact_email="safeguarding.children.partnership.team@exampleshire-combined.example.org",
    data_controller="Exampleshire and the Vale of Example combined safeguarding partnership",
    privacy_url="https://www.exampleshire-combined.example.org/safeguarding/snapshot/privacy-notice",
)


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A kind of card.

    `sent`: it goes into a private chat as a message of its own, which Teams keeps and an employer
    can search. All others only ever answer a tap, or stand in the facilitators' channel.
    """

    name: str
    make: Callable[[Page], Card]
    sent: bool = False
    place: Place = Place.PRIVATE


# -- whose card it is -----------------------------------------------------------------------------


@cache
def page(language: str = "en-GB", nation: str = "England", *, long: bool = False) -> Page:
    pack = _packs()[language]
    found = page_of(_snapshot(pack, nation), pack, _SETTING)
    if not long:
        return found
    return page_of(replace(found.snapshot, contacts=_LONG_CONTACTS), pack, _SETTING)


@cache
def _packs() -> dict[str, Pack]:
    return load_packs()


def _snapshot(pack: Pack, nation: str) -> Snapshot:
    here = ZoneInfo("Europe/London")
    limits = pack.instrument.limits
    return Snapshot(
        id=SnapshotId("sample-0123456789"),
        area="Exampleshire",
        partnership_name="Exampleshire safeguarding children partnership",
        nation=nation,
        language=pack.instrument.language,
        tenants=(),
        instrument=pack.instrument.id,
        instrument_version=pack.instrument.version,
        cells=form_cells(
            {a.id: 100 for a in pack.instrument.agencies},
            k=K,
            reply_share=limits.expected_reply_share,
        ),
        k=K,
        mixing=Mixing.CLOSE,
        opened=datetime(2025, 3, 31, 9, tzinfo=here),
        deadline=datetime(2025, 4, 11, 17, tzinfo=here),
        timezone="Europe/London",
        report_month="May",
        contacts=CONTACTS,
        sample=True,
    )


# -- the cards ------------------------------------------------------------------------------------


def statement(page: Page, position: int = 1) -> Card:
    return statement_card(page, _statement(page, position), revision=position - 1)


def _statement(page: Page, position: int) -> Statement:
    return page.instrument.statements[position - 1]


def _statement_again(page: Page) -> Card:
    given = page.instrument.practice.options[0].id
    return statement_card(page, _statement(page, 7), revision=22, given=given)


def _review(page: Page) -> Card:
    """All options in turn."""
    options = page.instrument.practice.options
    answers = {s.id: options[i % len(options)].id for i, s in enumerate(page.instrument.statements)}
    return review_card(page, Ballot(page.snapshot.cells[0].id, answers, revision=len(answers)))


def _nothing_answered(page: Page) -> Card:
    return review_card(page, Ballot(page.snapshot.cells[0].id))


def _summary(page: Page) -> Card:
    """Each band, the grey one too, and each way in which a figure may be printed."""
    awareness, prevention, initial, assessment, recovery = (d.id for d in page.instrument.domains)
    red, amber, green = (b.id for b in page.instrument.bands)
    domains = (
        DomainFigures(awareness, green, Figure(78), Figure(76), Figure(88), Figure(6)),
        DomainFigures(prevention, amber, Figure(62), Figure(58), Figure(66), Figure(8)),
        DomainFigures(initial, amber, Figure(50), Figure(54), Figure(60), Figure(12), few=True),
        DomainFigures(
            assessment,
            red,
            Figure(12),
            Figure(10, End.UNDER),
            Figure(10, End.UNDER),
            Figure(90, End.OVER),
        ),
        DomainFigures(recovery, page.instrument.not_rated.id, dont_know=Figure(64)),
    )
    return summary_card(page, Summary(K, 120, 2, domains), closed_date=_closed_date(page))


def _withheld(page: Page) -> Card:
    return summary_card(page, Summary(K, 0, 0, ()), closed_date=_closed_date(page))


def _closed_date(page: Page) -> str:
    return page.facts["deadline_date"]


def _noted(page: Page) -> Card:
    return with_note(statement(page, 3), page.text("stale_choice"))


def _not_complete(page: Page) -> Card:
    return with_note(statement(page, 22), page.text("submit_incomplete"))


def _practitioner_help(page: Page) -> Card:
    commands = [c for c in page.words.private if c.id in practitioner.WORDS]
    return practitioner_help_card(page, commands)


def _facilitator_help(page: Page) -> Card:
    commands = [c for c in page.words.channel if c.id in facilitator.WORDS]
    return facilitator_help_card(page, commands)


def _notice(message: str) -> Exhibit:
    """What somebody is told who asks where they are, or what has become of their answers."""
    return Exhibit(message, lambda page: notice_card(page, message), sent=True)


def _sent(message: str) -> Exhibit:
    return Exhibit(message, lambda page: sent_card(page, message), sent=True)


def _status(message: str) -> Exhibit:
    return Exhibit(
        message,
        lambda page: notice_card(page, message, actions=[press(page, Verb.SHOW)]),
        sent=True,
    )


def _message(message: str) -> Exhibit:
    return Exhibit(
        message,
        lambda page: message_card(page.words, message, survey_link=page.facts["survey_link"]),
        sent=True,
    )


def _in_channel(name: str, make: Callable[[Page], Card]) -> Exhibit:
    return Exhibit(f"channel_{name}", make, place=Place.CHANNEL)


EXHIBITS = (
    Exhibit("continue", continue_card, sent=True),
    Exhibit("welcome", welcome_card, sent=True),
    Exhibit("statement", statement),
    Exhibit("statement_again", _statement_again),
    Exhibit("statement_noted", _noted),
    Exhibit("not_complete", _not_complete),
    Exhibit("all_answered", all_answered_card),
    Exhibit("review", _review),
    Exhibit("review_of_nothing", _nothing_answered),
    _sent("receipt"),
    _sent("already_sent"),
    _status("status_not_started"),
    _status("status_in_progress"),
    _notice("already_mixed"),
    _notice("withdrawn"),
    _notice("closed_not_sent"),
    _notice("withheld"),
    _status("something_wrong"),
    _notice("too_late_to_withdraw"),
    Exhibit(
        "closed",
        lambda page: notice_card(page, "closed", closed_date=_closed_date(page)),
        sent=True,
    ),
    Exhibit("withdraw", withdraw_card, sent=True),
    _message("nothing_open"),
    _message("private_chat_only"),
    Exhibit("worried", worried_card),
    Exhibit("privacy", privacy_card, sent=True),
    Exhibit("wellbeing", wellbeing_card),
    Exhibit("help", _practitioner_help, sent=True),
    _in_channel("help", _facilitator_help),
    _in_channel("progress", progress_card),
    _in_channel("close", close_card),
    _in_channel("closed", lambda page: closed_card(page, _closed_date(page))),
    _in_channel("worried", worried_in_channel_card),
    _in_channel("summary", _summary),
    _in_channel("withheld", _withheld),
)
