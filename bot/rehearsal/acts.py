"""The story of a snapshot, act by act. `ACTS` is the order in which they are played.

The dates are the rehearsal's own: a window of two weeks that is extended by some days.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from bot.rehearsal.gallery import Viewer
from bot.rehearsal.people import SLOTS, TENANTS, Calendar, headcounts
from bot.rehearsal.plan import fill_plan, read_plan, share_report, take_report
from bot.rehearsal.practitioners import Part, Practitioner
from bot.rehearsal.session import Agreement, hold_session, partners_among
from bot.rehearsal.stage import GoesWrong, Kind, Stage, only
from bot.rehearsal.teams import Json, PersonHere, Shown
from bot.rehearsal.words import AT_RISK, PARAPHRASE, REASON, THEME
from bot.working_days import working_days
from cards.verbs import Verb
from snapshot.calendar import MIXED_AT, POSTED_AT

ZONE = ZoneInfo("Europe/London")
OPENS = datetime(2026, 3, 2, 9, 0, tzinfo=ZONE)
CLOSES = datetime(2026, 3, 13, 16, 30, tzinfo=ZONE)
EXTENDED_ON = date(2026, 3, 4)
CLOSES_AFTER_ALL = datetime(2026, 3, 18, 16, 30, tzinfo=ZONE)
KEY_DAYS = 7

_COME_AT = (time(10, 15), time(13, 30), time(19, 45))
_AT_ONCE = 8
_DAY = timedelta(days=1)
_CODE = re.compile(r"\b([A-Z2-9]{8})\b")

FACILITATOR = "aaaaaaaa-0000-4000-8000-00000000000f"
MODERATOR = "aaaaaaaa-0000-4000-8000-00000000000d"
CHANNEL = f"19:facilitators-{TENANTS[0]}@thread.tacv2"
MODERATORS = f"19:moderators-{TENANTS[1]}@thread.tacv2"


@dataclass
class Lead:
    """A safeguarding lead. Who never talks to the bot can only be e-mailed."""

    here: PersonHere
    talks: bool
    stops: bool
    has_stopped: bool = False


@dataclass
class Cast:
    """Everybody who has a part. `read`: the words of comments that moderators were shown.

    `agreement` is what partners came to, `planned` the title of each action, `plan` all words of
    the plan as the facilitator last saw it, and `files` the report by its names.
    """

    facilitator: PersonHere
    moderator: PersonHere
    leads: Sequence[Lead]
    practitioners: Sequence[Practitioner]
    dice: Random
    read: Counter[str] = field(default_factory=Counter)
    agreement: Agreement = field(default_factory=Agreement)
    planned: Sequence[str] = ()
    plan: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)

    def in_part(self, part: Part) -> list[Practitioner]:
        return [p for p in self.practitioners if p.part is part]


type Act = Callable[[Stage, Cast], Awaitable[None]]


def nation(language: str) -> str:
    return "Wales" if language == "cy-GB" else "England"


def calendar(language: str) -> Calendar:
    """The slots in which people come, from the morning of the opening to the deadline."""
    is_working_day = working_days(nation(language))
    working = [is_working_day(at.date()) for at in _slots()]
    return Calendar(len(working), working)


def _slots() -> list[datetime]:
    days = ((OPENS + n * _DAY).date() for n in range((CLOSES_AFTER_ALL - OPENS).days + 1))
    times = (datetime.combine(day, at, ZONE) for day in days for at in _COME_AT)
    return [at for at in times if at < CLOSES_AFTER_ALL]


# -- before anybody answers -----------------------------------------------------------------------


async def opens(stage: Stage, cast: Cast) -> None:
    """The facilitator's form of three cards."""
    form = _form(stage, cast)
    shown = await stage.asks(cast.facilitator, "new", CHANNEL)
    for _ in range(3):
        typed = {id: value for id, value in form.items() if id in shown.inputs}
        shown = await stage.presses_in(cast.facilitator, CHANNEL, _onward(shown), typed)
    if "posted-opening" not in await stage.works():
        raise GoesWrong("the snapshot was not opened")


async def moderators_register(stage: Stage, cast: Cast) -> None:
    status = await stage.asks(cast.facilitator, "status", CHANNEL)
    asked = only(status, Verb.STATUS, code=True)
    shown = await stage.presses_in(cast.facilitator, CHANNEL, asked)
    found = _CODE.search(shown.words)
    if found is None:
        raise GoesWrong("the card shows no code for moderators")
    await stage.asks(cast.moderator, f"moderate {found[1]}", MODERATORS)


async def leads_are_added(stage: Stage, cast: Cast) -> None:
    """Pasted into a card. Some of them have talked to the bot by then, some never do."""
    status = await stage.asks(cast.facilitator, "status", CHANNEL)
    box = await stage.presses_in(cast.facilitator, CHANNEL, only(status, Verb.ADD_LEADS))
    pasted = "\n".join(
        f"{lead.here.email}, {lead.here.name}, Exampleshire School" for lead in cast.leads
    )
    add = only(box, Verb.ADD_LEADS, save=True)
    await stage.presses_in(cast.facilitator, CHANNEL, add, {"leads": pasted})
    for lead in cast.leads:
        if lead.talks:
            await stage.types(lead.here, "start")


async def the_app_is_given(stage: Stage, cast: Cast) -> None:
    """To some, by their administrator: each is greeted once."""
    await _at_once(p.installs(stage) for p in cast.practitioners if p.made.manner.has_the_app)
    await stage.works()
    await stage.takes_stock("opened")


# -- while it is open -----------------------------------------------------------------------------


async def people_answer(stage: Stage, cast: Cast) -> None:
    """Day by day: what is due at night and in the morning, and then whoever comes."""
    for slot, at in enumerate(_slots()):
        if slot % SLOTS == 0:
            await _day_begins(stage, cast, at.date())
        await stage.moves(at)
        await _at_once(_visits(stage, cast, slot))
        if slot % SLOTS == 1:
            await stage.works()
    await stage.takes_stock("before the close")


async def _day_begins(stage: Stage, cast: Cast, day: date) -> None:
    for due in (MIXED_AT, POSTED_AT):
        if (at := datetime.combine(day, due, ZONE)) > stage.now:
            done = await _works_at(stage, cast, at)
            if "posted-nudge" in done:
                await reads_comments(stage, cast)
    if day == EXTENDED_ON:
        await _extends(stage, cast)
    if day.weekday() == 0 and day != OPENS.date():
        await _looks(stage, cast)


async def _works_at(stage: Stage, cast: Cast, at: datetime) -> tuple[str, ...]:
    """What the worker does then; and which reminders have to come because of it."""
    unfinished = [p.made.object_id for p in cast.practitioners if p.is_unfinished]
    leads = [lead for lead in cast.leads if lead.talks and not lead.has_stopped]
    done = await stage.moves(at, works=True)
    if "unfinished-reminded" in done:
        stage.expected.update((id, Kind.UNFINISHED) for id in unfinished)
    if "leads-reminded" in done:
        stage.expected.update((lead.here.object_id, Kind.LEADS) for lead in leads)
        await _some_stop(stage, leads)
    if "posted-email" in done:
        await _looks_whom_to_email(stage, cast)
    return done


async def _some_stop(stage: Stage, leads: Sequence[Lead]) -> None:
    for lead in leads:
        shown = await lead.here.looks()
        if lead.stops and shown:
            await stage.presses(lead.here, only(shown, Verb.STOP_LEAD))
            lead.has_stopped = True


def _visits(stage: Stage, cast: Cast, slot: int) -> Iterable[Awaitable[None]]:
    for person in cast.practitioners:
        manner = person.made.manner
        if manner.arrives == slot:
            yield _visit(stage, person.comes(stage))
        elif manner.returns == slot:
            yield _visit(stage, person.comes_back(stage))


async def _visit(stage: Stage, doing: Awaitable[None]) -> None:
    await doing
    stage.advance()


async def _extends(stage: Stage, cast: Cast) -> None:
    box = await stage.asks(cast.facilitator, "extend", CHANNEL)
    typed = {"deadline": CLOSES_AFTER_ALL.date().isoformat(), "reason": REASON[stage.language]}
    await stage.presses_in(cast.facilitator, CHANNEL, only(box, Verb.EXTEND, save=True), typed)
    await stage.works()


async def _looks(stage: Stage, cast: Cast) -> None:
    """The facilitator asks how it stands, and what comes next."""
    status = await stage.asks(cast.facilitator, "status", CHANNEL)
    for shown in ({"reminders": True}, {"summary": True}):
        for action in status.actions(Verb.STATUS):
            if shown.items() <= action["data"].items():
                cast.facilitator.sees = status
                await stage.presses_in(cast.facilitator, CHANNEL, action)


async def _looks_whom_to_email(stage: Stage, cast: Cast) -> None:
    cast.facilitator.sees = posted = stage.unasked(CHANNEL)[-1].card
    for action in posted.actions(Verb.EMAIL_LEADS):
        await stage.presses_in(cast.facilitator, CHANNEL, action)


async def partners_agree(stage: Stage, cast: Cast) -> None:
    how_many = partners_among(len(cast.practitioners))
    cast.agreement = await hold_session(stage, cast.facilitator, CHANNEL, how_many, cast.dice)


# -- the close and after it -----------------------------------------------------------------------


async def closes(stage: Stage, cast: Cast) -> None:
    """By the clock: nobody has to do anything."""
    done = await stage.moves(CLOSES_AFTER_ALL, works=True)
    if not {"closed", "posted-final"} <= set(done):
        raise GoesWrong("the deadline came, and no final summary")
    await stage.asks(cast.facilitator, "status", CHANNEL)
    await stage.takes_stock("closed")


async def some_come_too_late(stage: Stage, cast: Cast) -> None:
    late = [p for part in (Part.BEGUN, Part.SENT) for p in cast.in_part(part)[:3]]
    await _at_once(p.comes_too_late(stage) for p in late)


async def comments_are_read(stage: Stage, cast: Cast) -> None:
    """On the next working morning, to the last one, and what is too few to quote summed up."""
    is_working_day = working_days(nation(stage.language))
    day = CLOSES_AFTER_ALL.date() + _DAY
    while not is_working_day(day):
        day += _DAY
    await stage.moves(datetime.combine(day, POSTED_AT, ZONE), works=True)
    await reads_comments(stage, cast)


async def reads_comments(stage: Stage, cast: Cast) -> None:
    shown = await stage.asks(cast.moderator, "comments", MODERATORS)
    if not (review := shown.actions(Verb.READ_COMMENTS)):
        return
    shown = await stage.presses_in(cast.moderator, MODERATORS, review[0])
    while shown.actions(Verb.DECIDE) or shown.actions(Verb.THEME):
        shown = await _decides(stage, cast, shown)


async def _decides(stage: Stage, cast: Cast, shown: Shown) -> Shown:
    """The words of a comment decide; one in ten is put in other words, one in ten is hidden."""
    language = stage.language
    if theme := shown.actions(Verb.THEME):
        typed = {"theme": THEME[language]}
        return await stage.presses_in(cast.moderator, MODERATORS, theme[0], typed)
    words = _quoted(shown)
    cast.read[words] += 1
    decision = ("paraphrase", "hide", *["approve"] * 8)[len(words) % 10]
    typed = {"decision": "escalate" if words in AT_RISK.values() else decision}
    if typed["decision"] == "paraphrase":
        typed["paraphrase"] = PARAPHRASE[language]
    decide = only(shown, Verb.DECIDE)
    shown = await stage.presses_in(cast.moderator, MODERATORS, decide, typed)
    if "passed_to" in shown.inputs:
        told = {"passed_to": "Front door", "passed_when": "10:00"}
        decide = only(shown, Verb.DECIDE, told=True)
        shown = await stage.presses_in(cast.moderator, MODERATORS, decide, told)
        shown = await stage.presses_in(cast.moderator, MODERATORS, only(shown, Verb.READ_COMMENTS))
    return shown


def _quoted(shown: Shown) -> str:
    """The comment on a card, which stands there as it was written."""
    (found,) = [
        "".join(run["text"] for run in block["inlines"])
        for container in shown.card["body"]
        for block in container.get("items", ())
        if block["type"] == "RichTextBlock"
    ]
    return str(found)


async def the_plan_is_filled(stage: Stage, cast: Cast) -> None:
    cast.planned = await fill_plan(stage, cast.facilitator, CHANNEL)


async def the_report_is_made(stage: Stage, cast: Cast) -> None:
    cast.files = await take_report(stage, cast.facilitator)


async def the_report_is_shared(stage: Stage, cast: Cast) -> None:
    await share_report(stage, cast.facilitator)
    await stage.works()


async def the_key_is_destroyed(stage: Stage, cast: Cast) -> None:
    """From then on nobody can open what was sealed; what was published, and the plan, is shown."""
    done = await stage.moves(CLOSES_AFTER_ALL + (KEY_DAYS + 1) * _DAY, works=True)
    if "key-destroyed" not in done:
        raise GoesWrong("the snapshot's key was not destroyed on its day")
    await stage.asks(cast.facilitator, "status", CHANNEL)
    cast.plan = await read_plan(stage, cast.facilitator, CHANNEL)
    await stage.takes_stock("at the end")


ACTS: Mapping[str, Act] = {
    "A facilitator opens a snapshot": opens,
    "Moderators register": moderators_register,
    "Safeguarding leads are put on the list": leads_are_added,
    "Some are given the app": the_app_is_given,
    "Practitioners answer": people_answer,
    "Strategic partners agree": partners_agree,
    "The snapshot closes": closes,
    "Some come too late": some_come_too_late,
    "Moderators read the comments": comments_are_read,
    "The facilitator fills the action plan": the_plan_is_filled,
    "The report is made": the_report_is_made,
    "The report is shared": the_report_is_shared,
    "The key is destroyed": the_key_is_destroyed,
}
"""What is played, in this order, each under the words that stand above its cards."""


# -- what they type -------------------------------------------------------------------------------


def _form(stage: Stage, cast: Cast) -> dict[str, str]:
    staff = headcounts(stage.instrument, len(cast.practitioners))
    return {
        "area": "Exampleshire",
        "partnership_name": "Exampleshire Safeguarding Children Partnership",
        "nation": nation(stage.language),
        "deadline": CLOSES.date().isoformat(),
        "deadline_time": f"{CLOSES:%H:%M}",
        "report_month": "Mai" if stage.language == "cy-GB" else "May",
        "threshold": str(stage.instrument.limits.smallest_group),
        "mixing": "every_3_days",
        **{f"headcount.{agency}": str(n) for agency, n in staff.items()},
        "language": stage.language,
        "front_door_name": "Exampleshire MASH",
        "front_door_phone": "01632 960 101",
        "front_door_hours": "8am to 6pm",
        "out_of_hours_phone": "01632 960 102",
        "allegations_contact": "LADO, 01632 960 103",
        "staff_support": "01632 960 104",
        "safeguarding_name": "Sam Sample",
        "safeguarding_email": "safeguarding@example.org",
        "contact_email": "snapshot@example.org",
        "data_controller": "Exampleshire Council",
        "privacy_url": "https://example.org/privacy",
    }


def _onward(shown: Shown) -> Json:
    """The button that keeps what was typed, whatever language it is in."""
    (action,) = [
        action
        for verb in (Verb.NEW, Verb.CONTACTS, Verb.OPEN)
        for action in shown.actions(verb)
        if action["data"].get("save")
    ]
    return action


async def _at_once(doing: Iterable[Awaitable[None]]) -> None:
    """All of these, some at a time."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(what: Awaitable[None]) -> None:
        async with gate:
            await what

    async with asyncio.TaskGroup() as group:
        for what in doing:
            group.create_task(one(what))


VIEWERS = {CHANNEL: Viewer.FACILITATORS, MODERATORS: Viewer.MODERATORS}
