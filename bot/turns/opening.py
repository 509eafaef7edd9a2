"""Opening a snapshot and registering its moderators: what needs no snapshot in the channel.

The form is three cards. Nothing of it is kept until the last: each card carries what was typed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bot.turns import facilitator
from bot.turns.account import note
from bot.turns.form import (
    Rules,
    contact_problems,
    draft_id,
    first_day,
    headcount_total,
    quiet_problem,
    snapshot_from,
    snapshot_id,
    snapshot_problems,
    typed_in,
)
from bot.turns.turn import Reply, Turn
from bot.turns.visit import Service, Visit, takes_answers
from cards.inputs import label_of
from cards.moderation import moderation_notice
from cards.notice import message_card
from cards.opening import (
    Draft,
    contacts_form,
    headcount_id,
    last_look_card,
    opened_card,
    snapshot_form,
)
from cards.page import Page, page_of, say_day
from cards.parts import Card, with_note
from cards.verbs import Verb
from snapshot.acts import Did, Role
from snapshot.calendar import first_interim
from snapshot.errors import NotOffered
from snapshot.opening import Running
from snapshot.ports import Exists
from snapshot.snapshot import Snapshot

type Start = Callable[[Turn, Service], Awaitable[Card]]


async def new(turn: Turn, service: Service) -> Card:
    """The first card, and from it on to the second."""
    if refusal := await _refusal(turn, service):
        return refusal
    draft = _draft(turn, service)
    if not turn.is_set("save"):
        return snapshot_form(draft)
    if said := _objections(draft, service, turn):
        return snapshot_form(draft, said)
    return contacts_form(draft)


async def contacts(turn: Turn, service: Service) -> Card:
    """The second card, and from it on to the last look."""
    if refusal := await _refusal(turn, service):
        return refusal
    draft = _draft(turn, service)
    if said := _objections(draft, service, turn):
        return snapshot_form(draft, said)
    if not turn.is_set("save"):
        return contacts_form(draft)
    if wrong := contact_problems(draft.typed):
        return contacts_form(draft, [_look_again(draft, id) for id in wrong])
    snapshot = snapshot_from(draft.id, draft.typed, _rules(turn, service))
    return _last_look(snapshot, draft, service)


async def open_it(turn: Turn, service: Service) -> Card:
    """Open the snapshot. Pressed twice, or by two people, it is opened once.

    A vault takes some seconds to make a key, more than a turn has.
    """
    words, toast = service.pack_for(turn.locale).wording, service.pack.wording.messages["toast"]
    opened = await service.afterwards.wait(
        _open(turn, service),
        turn.address,
        lambda shown: Reply(shown, toast),
        Reply(message_card(words, "something_wrong"), toast),
    )
    return opened or _under_way(turn, service)


def _under_way(turn: Turn, service: Service) -> Card:
    """The last look once more, so that nothing that was typed is lost if this process ends."""
    draft = _draft(turn, service)
    shown = _last_look(snapshot_from(draft.id, draft.typed, _rules(turn, service)), draft, service)
    return with_note(shown, draft.words.messages["opening_under_way"])


async def _open(turn: Turn, service: Service) -> Card:
    draft = _draft(turn, service)
    async with service.opening:  # or two people with a form each would both find nothing open
        await service.directory.all(fresh=True)  # another process may have opened one
        if refusal := await _refusal(turn, service, but=snapshot_id(draft.id)):
            return refusal
        if said := _objections(draft, service, turn):
            return snapshot_form(draft, said)
        if wrong := contact_problems(draft.typed):
            return contacts_form(draft, [_look_again(draft, id) for id in wrong])
        running = await _opened(draft, turn, service)
    page = service.page(running)
    visit = Visit(turn, service, running, page)
    if not takes_answers(service, running):
        return await facilitator.status(visit)
    return opened_card(page)


async def _opened(draft: Draft, turn: Turn, service: Service) -> Running:
    """The snapshot of this draft, now or before. Raises `NotOffered` for another channel's."""
    snapshot = snapshot_from(draft.id, draft.typed, _rules(turn, service))
    try:
        running = await service.directory.open(snapshot, turn.address)
        await note(turn, service, running, Role.FACILITATOR, Did.OPENED)
    except Exists:
        known = await service.directory.find(snapshot.id, fresh=True)
        if known is None or not turn.address.is_same_place(service.directory.address(known)):
            raise NotOffered from None
        running = known
    service.wake()  # it tells the channel
    return running


async def moderate(turn: Turn, service: Service) -> Card:
    """Register this channel for the moderators of the snapshot that the code fits."""
    code = turn.words.split()[-1]
    words = service.pack_for(turn.locale).wording
    running = await service.directory.with_code(code)
    if running is None or not takes_answers(service, running):
        return message_card(words, "moderate_code_wrong")
    if turn.address.is_same_place(service.directory.address(running)):
        return message_card(words, "moderators_elsewhere")
    if not service.rights.may_moderate(turn.person):
        return message_card(words, "moderator_only")
    is_known = turn.address.is_same_place(service.directory.moderators(running))
    if not is_known:
        if await service.directory.register(running, turn.address) is None:
            return await moderate(turn, service)
        await note(turn, service, running, Role.MODERATOR, Did.REGISTERED)
    return moderation_notice(service.page(running), "moderators_registered")


# -- the draft ------------------------------------------------------------------------------------


def _draft(turn: Turn, service: Service) -> Draft:
    """What has been typed so far; a new one where nothing has. Raises `NotOffered`."""
    pack = service.pack_for(turn.locale)
    if turn.verb is None:
        id, typed = service.new_id(), _defaults(turn, service)
    else:
        id, typed = draft_id(turn.data.get("draft")), typed_in(turn.data, pack.instrument)
    return Draft(pack, id, typed, tuple(service.packs), first_day(service.clock()))


def _defaults(turn: Turn, service: Service) -> dict[str, str]:
    pack = service.pack_for(turn.locale)
    return {
        "deadline_time": "17:00",
        "threshold": str(pack.instrument.limits.smallest_group),
        "language": pack.wording.language,
        **{headcount_id(a.id): "0" for a in pack.instrument.agencies},
    }


def _rules(turn: Turn, service: Service) -> Rules:
    return Rules(
        service.pack.instrument,
        tuple(service.packs),
        service.clock(),
        service.rights.tenants or (turn.person.tenant,),
    )


async def _refusal(turn: Turn, service: Service, but: str = "") -> Card | None:
    """Why nothing can be opened here by this person, if so; `but`: the snapshot that it is."""
    words = service.pack_for(turn.locale).wording
    if not service.rights.may_facilitate(turn.person):
        return message_card(words, "facilitator_only")
    here = await service.directory.of_channel(turn.address)
    if here and here.snapshot.id != but and takes_answers(service, here):
        return message_card(words, "already_open")
    return None


# -- what is said about it ------------------------------------------------------------------------


def _objections(draft: Draft, service: Service, turn: Turn) -> list[str]:
    """What has to be mended on the first card."""
    rules = _rules(turn, service)
    if wrong := snapshot_problems(draft.typed, rules):
        return [said for id in wrong for said in _about(draft, id, rules)]
    total = headcount_total(draft.typed, draft.pack.instrument)
    if total < int(draft.typed["threshold"]):
        return [_about_headcounts(draft, "total_too_small")]
    return []


def _about(draft: Draft, id: str, rules: Rules) -> list[str]:
    """Which field it is; of dates, which have no input of their own, also why."""
    said = [_look_again(draft, id)]
    if id == "quiet_dates" and (problem := quiet_problem(draft.typed[id], rules)):
        said.append(draft.words.message(problem.message, problem.values))
    return said


def _look_again(draft: Draft, id: str) -> str:
    return draft.words.message("form_problem", {"field_label": _label(draft, id)})


def _label(draft: Draft, id: str) -> str:
    field, _, agency_id = id.partition(".")
    if not agency_id:
        return label_of(draft.words, field).text
    agency = next(a for a in draft.pack.instrument.agencies if a.id == agency_id)
    nation = draft.typed.get("nation", "")
    return label_of(draft.words, field, agency_name=agency.label_in(nation)).text


def _about_headcounts(draft: Draft, message: str) -> str:
    total = headcount_total(draft.typed, draft.pack.instrument)
    values = {"headcount_total": str(total), "min_group_size": draft.typed["threshold"]}
    return draft.words.message(message, values)


def _last_look(snapshot: Snapshot, draft: Draft, service: Service) -> Card:
    page = _page_in(draft, snapshot, service)
    limits = draft.pack.instrument.limits
    total = headcount_total(draft.typed, draft.pack.instrument)
    is_small = total * limits.expected_reply_share < snapshot.k
    return last_look_card(
        page,
        draft,
        likely=_interim(snapshot, page, service),
        warning=_about_headcounts(draft, "results_probably_withheld") if is_small else "",
    )


def _interim(snapshot: Snapshot, page: Page, service: Service) -> str:
    day = first_interim(snapshot, page.instrument.limits, service.working_days(snapshot.nation))
    if day is None:
        return page.text("interim_not_before_close")
    return page.text("interim_likely", first_interim_day=say_day(day, page.pack))


def _page_in(draft: Draft, snapshot: Snapshot, service: Service) -> Page:
    """In the language of whoever opens it, not yet that of the channel."""
    return page_of(snapshot, draft.pack, service.setting)


VERBS: Mapping[str, Start] = {
    Verb.NEW: new,
    Verb.CONTACTS: contacts,
    Verb.OPEN: open_it,
}
WORDS: Mapping[str, Start] = {
    "new": new,
    "moderate": moderate,
}
