"""Every kind of card, built from values, for whatever has to look at all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from bot.briefing import brief_of
from bot.sample import CONTACTS
from bot.turns import facilitator, moderator, practitioner
from bot.turns.turn import Place
from cards.chat import continue_card, unfinished_card
from cards.comments import Checked, checked_card, comments_card
from cards.contacts import correct_card, corrected_card, say_changes
from cards.help import (
    facilitator_help_card,
    moderator_help_card,
    practitioner_help_card,
    privacy_card,
    wellbeing_card,
    worried_card,
    worried_in_channel_card,
)
from cards.leads import (
    leads_added_card,
    leads_file_card,
    leads_form,
    leads_read_card,
    leads_to_email_card,
    leads_unreachable_card,
    reminder_card,
    reminder_words,
)
from cards.moderation import (
    comment_card,
    escalated_card,
    moderation_done,
    moderation_notice,
    theme_card,
)
from cards.notice import choose_card, message_card, notice_card, sent_card, withdraw_card
from cards.opening import (
    Draft,
    contacts_form,
    headcount_id,
    last_look_card,
    opened_card,
    shareable_card,
    snapshot_form,
)
from cards.page import Page, Setting, page_of
from cards.parts import Card, press, with_note
from cards.plan import (
    BOXES,
    Desk,
    action_form,
    advice_card,
    plan_card,
    plan_notice,
    take_off_card,
    values_of,
)
from cards.progress import (
    Planned,
    close_card,
    closed_card,
    code_card,
    extend_card,
    extended_card,
    nudge_card,
    refused_card,
    reminders_card,
    status_card,
    words_go_card,
)
from cards.report import ready_card, report_card
from cards.review import all_answered_card, review_card
from cards.scene import Scene
from cards.session import newer_card, shared_card
from cards.session_forms import (
    agree_form,
    agreed_card,
    dissent_form,
    join_card,
    more_card,
    no_part_card,
    own_card,
    with_words,
)
from cards.statement import statement_card
from cards.summary import interim_card, summary_card
from cards.verbs import Verb
from cards.welcome import welcome_card
from content.packs import HERE, load_packs
from content.recommending import load_libraries
from snapshot.advice import Library
from snapshot.comments import Comment, CommentState
from snapshot.disclosure import DomainFigures, End, Figure, Summary
from snapshot.envelope import Ballot
from snapshot.findings import Recommended
from snapshot.instrument import BandId, Statement
from snapshot.lead_lists import Parsed, Reason, Refused, Row
from snapshot.leads import Added, Lead
from snapshot.plan import MOST, Action, Plan, Status
from snapshot.ports import SnapshotId
from snapshot.screening import Finding, Identifier
from snapshot.session import (
    MOST_NOTE,
    Agreed,
    Dissent,
    Moment,
    Partner,
    Ratings,
    Session,
    Stage,
    spread_of,
    strategic_of,
)
from snapshot.snapshot import Correction, Mixing, Snapshot, form_cells
from snapshot.wording import Pack
from tests.report.material import NOBODY, material

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
    other = next(name for name in _packs() if name != language)
    snapshot = _snapshot(pack, nation)
    if long:
        snapshot = replace(snapshot, contacts=_LONG_CONTACTS)
    return page_of(snapshot, pack, _SETTING, mixing=snapshot.opened, other=other)


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


def _report(page: Page) -> Card:
    """With all that it may hold."""
    return report_card(page, brief_of(material(page.words.language)), with_files=True)


def _report_of_nobody(page: Page) -> Card:
    nobody = material(page.words.language, people=NOBODY, session=False)
    return report_card(page, brief_of(nobody), with_files=False)


def _withheld(page: Page) -> Card:
    return summary_card(page, Summary(K, 0, 0, ()), closed_date=_closed_date(page))


def _interim(page: Page) -> Card:
    """Fewer than 20 scored answers in a domain: its colour and one share."""
    amber = page.instrument.bands[1].id
    domains = tuple(
        DomainFigures(d.id, amber, favourable=Figure(60)) for d in page.instrument.domains
    )
    return interim_card(page, Summary(K, 25, 20, domains))


def _closed_date(page: Page) -> str:
    return page.facts["deadline_date"]


def _noted(page: Page) -> Card:
    return with_note(statement(page, 3), page.text("stale_choice"))


def _not_complete(page: Page) -> Card:
    return with_note(statement(page, 22), page.text("submit_incomplete"))


# -- comments -------------------------------------------------------------------------------------

FINE = Finding(frozenset(), likely_name=False, risk=False)


def _comments(page: Page) -> Card:
    return comments_card(page, {}, revision=22)


def _comments_again(page: Page) -> Card:
    typed = {page.instrument.domains[1].id: "More *time* for talks [here](x)."}
    return comments_card(page, typed, revision=22)


def _checked(page: Page, *, risk: bool = False) -> Card:
    """Each thing that may be in the way, in boxes of their own."""
    said = (
        Checked("Call me on 07700 900123", replace(FINE, identifiers=frozenset(Identifier))),
        Checked("We did well with Jayden", replace(FINE, likely_name=True, risk=risk)),
        Checked("And so on", FINE, too_long=True),
        Checked("More time for each child", FINE),
    )
    typed = zip((d.id for d in page.instrument.domains), said, strict=False)
    return checked_card(page, dict(typed), revision=22, seen="0" * 32)


def _at_risk(page: Page) -> Card:
    return _checked(page, risk=True)


def _asked_about(page: Page) -> Card:
    words = Checked("We did well with Jayden", replace(FINE, likely_name=True))
    return checked_card(page, {page.instrument.domains[0].id: words}, revision=22, seen="0" * 32)


def _review_with_comments(page: Page) -> Card:
    answers = {s.id: page.instrument.practice.options[0].id for s in page.instrument.statements}
    comments = {page.instrument.domains[0].id: "More *time* for talks.\nAnd a [room](http://x)."}
    cell = page.snapshot.cells[0].id
    return review_card(page, Ballot(cell, answers, revision=22, comments=comments))


def _a_comment(page: Page, state: CommentState = CommentState.WAITING) -> Comment:
    words = "Training helps, but *nobody* has time.\n\n[Look](http://example.org) <b>here</b>."
    return Comment("0" * 32, page.instrument.domains[0].id, words, state)


def _judge(page: Page) -> Card:
    return comment_card(page, _a_comment(page), {})


def _judge_again(page: Page) -> Card:
    note = page.text("comments_paraphrase")
    return comment_card(page, _a_comment(page), {"decision": "paraphrase"}, note=note)


def _escalated(page: Page) -> Card:
    return escalated_card(page, _a_comment(page, CommentState.ESCALATED), {})


def _theme(page: Page) -> Card:
    comments = [_a_comment(page), _a_comment(page)]
    return theme_card(page, page.instrument.domains[0], comments, {})


def _passed_on(page: Page) -> Card:
    told = {"passed_to": "the front door", "passed_when": "Monday, 10am"}
    return moderation_notice(page, "comments_passed_on", **told)


def _moderators(message: str) -> Exhibit:
    return _in_channel(f"moderators_{message}", lambda page: moderation_notice(page, message))


# -- opening --------------------------------------------------------------------------------------


def draft(page: Page) -> Draft:
    """A form that is filled in, with the longest contacts."""
    counts = {headcount_id(a.id): str(40 + 10 * i) for i, a in enumerate(page.instrument.agencies)}
    typed = {
        "area": page.snapshot.area,
        "partnership_name": page.snapshot.partnership_name,
        "nation": page.snapshot.nation,
        "deadline": "2025-04-11",
        "deadline_time": "17:00",
        "quiet_dates": "3 April 2025; 14-25 April 2025",
        "report_month": "May",
        "threshold": "10",
        "mixing": "every_3_days",
        "language": page.words.language,
        **counts,
        **asdict(_LONG_CONTACTS),
    }
    return Draft(page.pack, "0" * 20, typed, tuple(_packs()), "2025-04-01")


def _form(page: Page) -> Card:
    empty = replace(draft(page), typed={"threshold": "10", "deadline_time": "17:00"})
    return snapshot_form(empty)


def _form_again(page: Page) -> Card:
    labels = [page.words.inputs[id].text for id in ("area", "deadline", "quiet_dates")]
    said = [page.text("form_problem", field_label=label) for label in labels]
    why = page.text("quiet_dates_unread", quiet_part="Easter 2025")
    filled = draft(page)
    again = replace(filled, typed={**filled.typed, "quiet_dates": "3 April 2025; Easter 2025"})
    return snapshot_form(again, [*said, why])


def _contacts_form(page: Page) -> Card:
    return contacts_form(draft(page))


def _last_look(page: Page) -> Card:
    likely = page.text("interim_likely", first_interim_day=_closed_date(page))
    warning = page.text("results_probably_withheld", headcount_total="20")
    first = date(2025, 4, 14)
    quiet = (date(2025, 4, 3), *(first + timedelta(days=n) for n in range(12)))
    page = replace(page, snapshot=replace(page.snapshot, quiet=quiet))
    return last_look_card(page, draft(page), likely=likely, warning=warning)


def _status_card(page: Page) -> Card:
    day = _closed_date(page)
    notes = [
        page.text("progress", progress_day=day, progress_band="30", next_progress_day=day),
        page.text("interim_none", interim_minimum="20"),
        page.text("moderators_missing"),
    ]
    return status_card(page, notes, has_summary=False)


def _status_with_summary(page: Page) -> Card:
    return status_card(page, [page.text("moderators_ready")], has_summary=True)


def _extend(page: Page) -> Card:
    return extend_card(page, {"reason": "Half term"}, [page.text("extend_not_later")])


def _correct(page: Page) -> Card:
    """As whoever was slower sees it."""
    page = _corrected_page(page)
    said = page.text("contacts_overtaken", contact_changes=say_changes(page, 1))
    return correct_card(page, asdict(page.snapshot.contacts), [said])


def _corrected(page: Page) -> Card:
    return corrected_card(_corrected_page(page), 1)


def _corrected_page(page: Page) -> Page:
    old = replace(
        page.snapshot.contacts, front_door_phone="01632 960 009", safeguarding_name="Sal Smith"
    )
    return replace(page, snapshot=replace(page.snapshot, corrections=(Correction(old),)))


def _reminders(page: Page) -> Card:
    sent = page.text("reminders_sent", leads_sent="41", leads_waiting="2", leads_by_email="7")
    day = page.text("upcoming_leads", reminder_day=_closed_date(page))
    nudge = page.text("upcoming_nudge", reminder_day=_closed_date(page))
    words = reminder_words(page, "midway", "")
    return reminders_card(page, sent, [Planned(day, words), Planned(nudge, ())])


def _no_reminders(page: Page) -> Card:
    return reminders_card(page, "", [])


def _nudge(page: Page) -> Card:
    stands = ("below", "near", "above")
    beside = {c.id: stands[n % len(stands)] for n, c in enumerate(page.snapshot.cells)}
    frozen = {"progress": 40, "agencies": beside}
    return nudge_card(page, page.snapshot.deadline.date(), frozen)


def _nudge_of_few(page: Page) -> Card:
    frozen: dict[str, object] = {"progress": None, "agencies": {}}
    return nudge_card(page, page.snapshot.deadline.date(), frozen)


def _extended(page: Page) -> Card:
    day = _closed_date(page)
    return extended_card(page, old_day=day, new_day=day, reason="Half term came in between.")


def _choose(page: Page) -> Card:
    return choose_card(page.words, [page, page], "start")


def _switched(page: Page) -> Card:
    return with_note(continue_card(page), page.text("language_switched"))


# -- leads ----------------------------------------------------------------------------------------

_BY = date(2025, 4, 3)
_LONGEST = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.org"


def _a_list(people: int) -> Parsed:
    """Every reason for which a row may be refused, and words that look like a link."""
    rows = [Row(n, f"dsl{n}@hill.example", "[Ann](http://x)", "Hill *School*") for n in range(2)]
    rows += [Row(n, _LONGEST, "Ŵ" * 98, "W " * 49) for n in range(2, people)]
    return Parsed(tuple(rows), tuple(Refused(100 + n, r) for n, r in enumerate(Reason)))


def _leads_added(page: Page, people: int = 3) -> Card:
    return leads_added_card(page, _a_list(people), Added(people - 1, 1, ()))


def _many_leads_added(page: Page) -> Card:
    refused = tuple(Refused(n, Reason.HIDDEN_CHARACTER) for n in range(300))
    return leads_added_card(page, Parsed(_a_list(300).rows, refused), Added(300, 0, ()))


def _leads_read(page: Page) -> Card:
    return leads_read_card(page, _a_list(3), Added(2, 1, ()))


def _leads_unreachable(page: Page) -> Card:
    leads = [Lead("", "dsl@hill.example", "[Ann](http://x)", "Hill *School*")]
    leads += [Lead("", _LONGEST, "Ŵ" * 98, "W " * 49)] * 300
    return leads_unreachable_card(page, _BY, leads)


def _reminder(which: str) -> Exhibit:
    return Exhibit(f"reminder_{which}", lambda page: reminder_card(page, which, "Siân"), sent=True)


# -- the session ----------------------------------------------------------------------------------

_HEBREW, _FAMILY = "\u05e9\u05dc\u05d5\u05dd", "\U0001f469\u200d\U0001f467"
_ODD = f"More *time* for <b>talks</b> [here](x).\n\n{_HEBREW} {_FAMILY}"
_LONGEST_NOTE = "ẅ🙂" * (MOST_NOTE // 2)


def scene(
    page: Page,
    stage: Stage = Stage.RATING,
    *,
    position: int = 7,
    number: int = 1,
    joined: int = 12,
    rated: int = 5,
    agreed: int = 6,
    words: str = "",
    paused: bool = False,
    near: bool = False,
    rounds_ago: int = 0,
) -> Scene:
    """A session at a statement, so many of the first of which are agreed.

    `rounds_ago`: how long since those who have rated did.
    """
    statements = page.instrument.statements
    moment = Moment(statements[position - 1].id, number, stage)
    ratings = [_rating(page, n if not near else 1) for n in range(rated)]
    spread = spread_of(ratings, strategic_of(page.instrument))
    session = Session(
        "19:channel",
        moment,
        {s.id: number for s in statements[:position]},
        spread if stage is Stage.REVEALED else None,
        {s.id: _agreement(page, n, words) for n, s in enumerate(statements[:agreed])},
        paused=paused,
    )
    agencies = page.instrument.agencies
    partners = [
        Partner(
            f"{n:032}",
            agencies[n % len(agencies)].id,
            {moment.statement: (number - rounds_ago, ratings[n])} if n < rated else {},
            f"29:{n:0128}",
        )
        for n in range(joined)
    ]
    return Scene(page, session, partners)


def _rating(page: Page, number: int) -> Ratings:
    strategic = strategic_of(page.instrument)
    one, other = strategic.progress.options, strategic.evidence.options
    return Ratings(one[number % len(one)].id, other[number % len(other)].id)


def _agreement(page: Page, number: int, words: str) -> Agreed:
    """With words, no agency agrees."""
    agencies = page.instrument.agencies if words else ()
    dissent = tuple(Dissent(agency.id, words) for agency in agencies)
    return Agreed(_rating(page, number), words, words, dissent)


def _session(name: str, make: Callable[[Page], Card]) -> Exhibit:
    return _in_channel(f"session_{name}", make)


def _shared(name: str, stage: Stage = Stage.RATING, **more: Any) -> Exhibit:
    return _session(name, lambda page: shared_card(scene(page, stage, **more)))


def _own(name: str, stage: Stage = Stage.RATING, *, who: int = 0, **more: Any) -> Exhibit:
    def make(page: Page) -> Card:
        found = scene(page, stage, **more)
        return own_card(found, found.partners[who], facilitates=who == 0)

    return _session(name, make)


def _agree(page: Page) -> Card:
    return agree_form(scene(page, Stage.REVEALED, rated=12, near=True), {"progress": "partly"})


def _agree_again(page: Page) -> Card:
    found = scene(page, Stage.AGREED, agreed=7)
    typed = {"note": _LONGEST_NOTE, "evidence_named": _ODD}
    label = {"progress_label": "Partly true", "evidence_label": "Some evidence"}
    return agree_form(found, typed, page.text("session_recorded_meanwhile", **label))


def _dissent(page: Page) -> Card:
    found = scene(page, Stage.AGREED, agreed=7, words=_ODD)
    lengths = {"length": "2001", "most_characters": str(MOST_NOTE)}
    label = page.words.inputs["dissent"].text
    problem = page.text("session_too_long", field_label=label, **lengths)
    return dissent_form(found, {"dissent": _LONGEST_NOTE}, problem)


def _in_vain(page: Page) -> Card:
    note = page.text("session_moved_on")
    return with_words(shared_card(scene(page, number=2)), note, [_ODD, _LONGEST_NOTE])


# -- the plan -------------------------------------------------------------------------------------

_TODAY = date(2025, 6, 2)


@cache
def _libraries() -> dict[str, Library]:
    return load_libraries(HERE, [pack.instrument for pack in _packs().values()])


def _desk(page: Page) -> Desk:
    return Desk(page, _libraries()[page.words.language], _TODAY)


def _red(page: Page) -> list[Recommended]:
    """What is recommended where everything is red, and then everything that shows."""
    library, red = _libraries()[page.words.language], page.instrument.bands[0].id
    found = [Recommended(s, red, a.by_band[red]) for s, a in library.statements.items()]
    shown = page.instrument.domains[0].id
    return [*found, *(Recommended(shown, p.id, p.recommendation) for p in library.patterns)]


def _action(page: Page, number: int = 0) -> Action:
    """One as the library words it, with an owner."""
    found = _red(page)[number]
    return Action(
        f"{number:020x}",
        page.snapshot.id,
        date(2025, 4, 20),
        title=found.recommendation.text,
        owner="Siân O'Neill-Ŵyn",
        agency=found.recommendation.lead,
        due=date(2025, 9, 30),
        check=found.recommendation.check,
        about=found.about,
        because=found.because,
        revision=1,
    )


def _a_plan(page: Page) -> Plan:
    """Without an owner, overdue, done, from another snapshot; and words that look like code."""
    bare = Action("f" * 20, page.snapshot.id, _TODAY, title="Meet the schools", revision=1)
    late = replace(
        _action(page, 1), due=date(2025, 5, 1), status=Status.UNDER_WAY, note="Waits for a room."
    )
    strange = replace(
        _action(page, 2),
        title="**Ask** [them](http://x) <b>now</b> # \u05e9\u05dc\u05d5\u05dd 👩🏽\u200d🏫",
        note="1. First.\n- Second, at https://example.org/a_b?c=d&e={{DATE(2025-01-01T00:00:00Z)}}\n"
        * 2,
        check="Word. " * 40,
    )
    done = replace(_action(page, 3), snapshot=SnapshotId("before"), status=Status.DONE)
    return Plan((late, _action(page), strange, bare), (done,))


def _plan(page: Page) -> Card:
    return plan_card(_desk(page), _a_plan(page), left=7, notes=[page.text("plan_saved")])


def _plan_not_yet(page: Page) -> Card:
    old = replace(_action(page), snapshot=SnapshotId("before"))
    return plan_card(_desk(page), Plan((), (old,)))


def _plan_of_many(page: Page) -> Card:
    """The longest that can be, of characters that take the most room."""
    full = replace(
        _action(page),
        title="👩" * MOST["title"],
        owner="ŵ" * MOST["owner"],
        check="W" * MOST["check"],
    )
    return plan_card(_desk(page), Plan((full,) * 50), left=7)


def _own_action(page: Page) -> Card:
    empty = Action("0" * 20, page.snapshot.id, _TODAY)
    return action_form(_desk(page), empty, values_of(empty))


def _pick(page: Page) -> Card:
    picked = replace(_action(page), owner="", revision=0)
    return action_form(_desk(page), picked, values_of(picked))


def _action_again(page: Page) -> Card:
    """Everything that may be wrong with it at once, and words as long as they may be."""
    label = page.words.inputs["note"].text
    numbers = {"character_count": "2,100", "character_most": "2,000"}
    problems = [
        page.text("plan_needs_title", field_label=page.words.inputs["recommendation"].text),
        page.text("plan_too_long", field_label=label, **numbers),
        page.text("plan_cut", field_label=label),
        page.text("plan_late"),
        page.text("plan_full", action_most="100"),
    ]
    typed = {**values_of(_action(page)), "recommendation": "", "note": "👩" * MOST["note"]}
    return action_form(_desk(page), _action(page), typed, problems=problems)


def _overtaken(page: Page) -> Card:
    mine = {id: "👩" * MOST[name] for id, name in _LONG_BOXES.items()}
    typed = {**values_of(_action(page)), **mine}
    now = replace(_action(page), **{name: "ŵ" * MOST[name] for name in MOST})  # type: ignore[arg-type]
    said = [page.text("plan_overtaken")]
    return action_form(_desk(page), _action(page), typed, problems=said, now=now)


_LONG_BOXES = {id: name for id, name in BOXES.items() if name in MOST}


def _gone(page: Page) -> Card:
    off = replace(_action(page), revision=2)
    said = [page.text("plan_gone")]
    return action_form(_desk(page), off, values_of(_action(page)), problems=said)


def _advice(page: Page) -> Card:
    amber = page.instrument.bands[1].id
    found = [*_red(page)[:3], replace(_red(page)[4], because=BandId(amber)), *_red(page)[-2:]]
    return advice_card(_desk(page), found)


def _all_advice(page: Page) -> Card:
    return advice_card(_desk(page), _red(page), start=20)


# -- and the rest ---------------------------------------------------------------------------------


def _practitioner_help(page: Page) -> Card:
    commands = [c for c in page.words.private if c.id in practitioner.WORDS]
    return practitioner_help_card(page, commands)


def _facilitator_help(page: Page) -> Card:
    return facilitator_help_card(page, *facilitator.commands(page))


def _moderator_help(page: Page) -> Card:
    commands = [c for c in page.words.channel if c.id in moderator.WORDS]
    return moderator_help_card(page, commands)


def _notice(*messages: str) -> Exhibit:
    """What somebody is told who asks where they are, or what has become of what they did."""
    return Exhibit(messages[0], lambda page: notice_card(page, *messages), sent=True)


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
    _status("too_fast"),
    _notice("too_late_to_withdraw"),
    Exhibit(
        "closed",
        lambda page: notice_card(page, "closed", closed_date=_closed_date(page)),
        sent=True,
    ),
    Exhibit("withdraw", lambda page: withdraw_card(page, sent=False), sent=True),
    Exhibit("withdraw_sent", lambda page: withdraw_card(page, sent=True), sent=True),
    _status("quiet_done"),
    Exhibit("comments", _comments),
    Exhibit("comments_again", _comments_again),
    Exhibit("comments_checked", _checked),
    Exhibit("comments_at_risk", _at_risk),
    Exhibit("comments_asked_about", _asked_about),
    Exhibit("review_with_comments", _review_with_comments),
    Exhibit("choose", _choose, sent=True),
    Exhibit("language_switched", _switched, sent=True),
    _message("already_open"),
    _message("facilitator_only"),
    _message("moderator_only"),
    _message("moderators_elsewhere"),
    _message("moderate_code_wrong"),
    _message("nothing_open_channel"),
    _message("nothing_open"),
    _message("private_chat_only"),
    Exhibit("worried", worried_card),
    Exhibit("privacy", privacy_card, sent=True),
    Exhibit("wellbeing", wellbeing_card),
    Exhibit("help", _practitioner_help, sent=True),
    _reminder("opening"),
    _reminder("midway"),
    _reminder("last"),
    Exhibit("reminder_nameless", lambda page: reminder_card(page, "opening", ""), sent=True),
    _notice("leads_stopped"),
    _notice("leads_no_file"),
    _notice("leads_under_way"),
    _notice("leads_interrupted"),
    Exhibit("leads_file", leads_file_card, sent=True),
    _notice("leads_file_none"),
    _notice("file_given"),
    _notice("file_declined"),
    _notice("file_gone"),
    _notice("file_not_taken"),
    _message("file_not_offered"),
    Exhibit("leads_read", _leads_read, sent=True),
    _in_channel("leads_form", leads_form),
    _in_channel("leads_form_again", lambda page: leads_form(page, page.text("leads_too_much"))),
    _in_channel("leads_added", _leads_added),
    _in_channel("leads_added_many", _many_leads_added),
    _in_channel("leads_to_email", lambda page: leads_to_email_card(page, _BY)),
    _in_channel("leads_unreachable", _leads_unreachable),
    _shared("start", position=1, joined=0, rated=0, agreed=0),
    _shared("rating"),
    _shared("all_rated", rated=12),
    _shared("again", number=2),
    _shared("gone_back", number=2, agreed=22),
    _shared("apart", Stage.REVEALED, rated=12),
    _shared("near", Stage.REVEALED, rated=12, near=True),
    _shared("agreed", Stage.AGREED, agreed=7, words=_ODD),
    _shared("agreed_at_length", Stage.AGREED, agreed=7, words=_LONGEST_NOTE, joined=60),
    _shared("done", Stage.AGREED, position=22, agreed=22, words=_ODD, joined=60),
    _shared("paused", paused=True),
    _session("newer", newer_card),
    _session("join", join_card),
    _own("own", who=11),
    _own("own_rated", who=1),
    _own("own_rated_before", who=1, number=2, rounds_ago=1),
    _own("own_of_a_facilitator", who=0),
    _own("own_shown", Stage.REVEALED, who=1, rated=12),
    _session("agree", _agree),
    _session("agree_again", _agree_again),
    _session("dissent", _dissent),
    _session("more", lambda page: more_card(scene(page))),
    _session("so_far", lambda page: agreed_card(scene(page, words=_ODD))),
    _session("not_here", lambda page: no_part_card(page, "session_not_here")),
    _session("guest", lambda page: no_part_card(page, "session_guest")),
    _session("in_vain", _in_vain),
    _message("session_none"),
    _message("session_elsewhere"),
    _message("session_no_scales"),
    _in_channel("help", _facilitator_help),
    _in_channel("form", _form),
    _in_channel("form_again", _form_again),
    _in_channel("contacts", _contacts_form),
    _in_channel("last_look", _last_look),
    _in_channel("opened", opened_card),
    _in_channel("shareable", shareable_card),
    _in_channel("status", _status_card),
    _in_channel("status_with_summary", _status_with_summary),
    _in_channel("moderators_code", lambda page: code_card(page, "ABCD2345")),
    _in_channel("extend", _extend),
    _in_channel("extended", _extended),
    _in_channel("correct", _correct),
    _in_channel("corrected", _corrected),
    Exhibit("unfinished_midway", lambda page: unfinished_card(page, "midway"), sent=True),
    Exhibit("unfinished_last", lambda page: unfinished_card(page, "last"), sent=True),
    _in_channel("reminders", _reminders),
    _in_channel("reminders_of_nobody", _no_reminders),
    _in_channel("nudge", _nudge),
    _in_channel("nudge_of_few", _nudge_of_few),
    _in_channel("refused", lambda page: refused_card(page, "facilitator_only")),
    _in_channel("interim", _interim),
    _in_channel("comment", _judge),
    _in_channel("comment_again", _judge_again),
    _in_channel("escalated", _escalated),
    _in_channel("passed_on", _passed_on),
    _in_channel("theme", _theme),
    _in_channel("all_read", lambda page: moderation_done(page, "comments_done")),
    _moderators("moderators_registered"),
    _moderators("comments_queue"),
    _moderators("comments_nudge"),
    _moderators("comments_themes_wait"),
    _moderators("comments_escalated_nudge"),
    _in_channel("moderator_help", _moderator_help),
    _in_channel("plan_where", plan_notice),
    _in_channel("plan", _plan),
    _in_channel("plan_empty", lambda page: plan_card(_desk(page), Plan(), left=0)),
    _in_channel("plan_not_yet", _plan_not_yet),
    _in_channel("plan_of_many", _plan_of_many),
    _in_channel("plan_own_action", _own_action),
    _in_channel("plan_pick", _pick),
    _in_channel("plan_action_again", _action_again),
    _in_channel("plan_overtaken", _overtaken),
    _in_channel("plan_gone", _gone),
    _in_channel("plan_take_off", lambda page: take_off_card(_desk(page), _action(page))),
    _in_channel("plan_advice", _advice),
    _in_channel("plan_advice_end", _all_advice),
    _in_channel("plan_advice_none", lambda page: advice_card(_desk(page), [])),
    _in_channel("close", close_card),
    _in_channel("closed", lambda page: closed_card(page, _closed_date(page))),
    _in_channel("words_go", lambda page: words_go_card(page, date(2027, 5, 11))),
    _in_channel("worried", worried_in_channel_card),
    _in_channel("summary", _summary),
    _in_channel("report", _report),
    _in_channel("report_of_nobody", _report_of_nobody),
    Exhibit("report_ready", lambda page: ready_card(page, "var/reports/x", with_files=False)),
    Exhibit("report_ready_with_files", lambda page: ready_card(page, "", with_files=True)),
    _notice("report_being_shared"),
    _notice("report_shared", "report_in_files"),
    _notice("report_shared_before", "report_not_in_files"),
    _notice("file_not_made"),
    _notice("report_words_gone"),
    _in_channel("withheld", _withheld),
)
