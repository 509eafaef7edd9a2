"""The report, as files in a facilitator's private chat, and in short for their channel."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

import structlog

from bot.logs import where
from bot.printing import NotPrinted
from bot.reporting import Missing, NoReport, gather, write
from bot.turns import files
from bot.turns.account import did
from bot.turns.turn import File, NotTaken, Offer, Place, Reply, Turn
from bot.turns.visit import Service, Visit, takes_answers
from cards.notice import choose_card, message_card, notice_card
from cards.page import Page
from cards.report import ready_card
from cards.verbs import Verb
from report.making import Form
from snapshot.acts import Did
from snapshot.opening import Running
from snapshot.publication import Topic, id_of, record

_REPORT = "report"


@dataclass(frozen=True, slots=True)
class _Made:
    """Each form of it. `folder`: where they have been written, too, if anywhere."""

    files: Sequence[File]
    folder: str = ""


@dataclass(frozen=True, slots=True)
class _Told:
    """Which messages say what came of it."""

    messages: tuple[str, ...]


type Meant = Callable[[Turn, Service], Awaitable[Reply]]
type _Outcome = _Made | _Told
type _Work = Callable[[Visit], Awaitable[_Outcome]]

_log = structlog.get_logger()

_IN_FILES = ("report_in_files",)
_WHY = {
    Missing.CLOSE: "report_not_yet",
    Missing.READING: "report_waits_for_comments",
    Missing.WORDS: "report_words_gone",
}


def meant(turn: Turn, service: Service, command: str) -> Meant | None:
    """What answers a facilitator who wants it, or wants it shared."""
    if turn.place is not Place.PRIVATE or not service.rights.may_facilitate(turn.person):
        return None
    if turn.verb is not None and turn.verb in VERBS:
        return VERBS[turn.verb]
    chosen = turn.data.get("command") if turn.verb == Verb.CHOOSE else ""
    return offer if _REPORT in (command, chosen) else None


async def offer(turn: Turn, service: Service) -> Reply:
    """Of the snapshot that has closed; they choose among several."""
    return await _about_one(turn, service, _make_all, "report_under_way")


async def share(turn: Turn, service: Service) -> Reply:
    """In short in the channel and, where that is set up, as files among those of the channel.

    As often as one likes: what has not changed since is not posted again.
    """
    return await _about_one(turn, service, _share, "report_being_shared")


async def _about_one(turn: Turn, service: Service, work: _Work, meanwhile: str) -> Reply:
    words, toast = service.pack_for(turn.locale).wording, service.pack.wording.messages["toast"]
    found = await service.directory.of_tenant(turn.person.tenant)
    over = [r for r in found if _is_over(service, r)]
    if turn.verb is not None:
        over = [r for r in over if r.snapshot.id == turn.data.get("snapshot")]
    if not over:
        return Reply(message_card(words, "report_not_yet"), toast)
    if len(over) > 1:
        pages = [service.page(r, words.language) for r in over]
        return Reply(choose_card(words, pages, _REPORT), toast)
    (only,) = over
    page = service.page(only, words.language)
    outcome = await service.afterwards.wait(
        _done(work, Visit(turn, service, only, page)),
        turn.address,
        partial(_say, service, page, toast),
        Reply(notice_card(page, "something_wrong"), toast),
    )
    if outcome is None:
        return Reply(notice_card(page, meanwhile), toast)
    return _say(service, page, toast, outcome)


def _is_over(service: Service, running: Running) -> bool:
    return not takes_answers(service, running)


def _say(service: Service, page: Page, toast: str, outcome: _Outcome) -> Reply:
    if isinstance(outcome, _Told):
        return Reply(notice_card(page, *outcome.messages), toast)
    shown = ready_card(page, outcome.folder, with_files=service.keep is not None)
    return Reply(shown, toast, _offers(page, outcome.files))


def _offers(page: Page, made: Sequence[File]) -> tuple[Offer, ...]:
    about = page.text("report_file_about")
    return tuple(
        Offer(file.name, about, len(file.content), {"what": what, "snapshot": page.snapshot.id})
        for what, file in zip(FILES, made, strict=True)
    )


# -- making and sharing it ------------------------------------------------------------------------


async def _done(work: _Work, visit: Visit) -> _Outcome:
    try:
        return await work(visit)
    except NoReport as error:
        return _Told((_WHY[error.missing],))
    except NotPrinted:
        return _Told(("file_not_made",))


async def _make_all(visit: Visit) -> _Outcome:
    made = await _printed(visit, tuple(Form))
    await did(visit, Did.MADE_REPORT)
    return _Made(made, await _kept(visit, made))


async def _share(visit: Visit) -> _Outcome:
    """The files first, so that the post in the channel can say whether they are there."""
    service, running = visit.service, visit.running
    made = await _printed(visit, tuple(Form))
    said = await _put_into_channel(service, running, made)
    # The same report has the same bytes, so one that has been posted is known by them.
    which = sha256(b"".join(sha256(file.content).digest() for file in made)).hexdigest()[:32]
    id, body = id_of(Topic.REPORT, which), {"files": said == _IN_FILES}
    is_new = await record(service.records, running.snapshot.id, id, body)
    await did(visit, Did.SHARED_REPORT)
    service.wake()
    return _Told(("report_shared" if is_new else "report_shared_before", *said))


async def _printed(visit: Visit, forms: Sequence[Form]) -> Sequence[File]:
    """Raises `NoReport`, `NotPrinted`."""
    material = await gather(visit.service, visit.running)
    return await visit.service.printer.print(material, forms)


async def _put_into_channel(
    service: Service, running: Running, made: Sequence[File]
) -> tuple[str, ...]:
    """Which message says what came of it; none where it is not wanted."""
    address = service.directory.address(running)
    if service.keep is None or address is None:
        return ()
    try:
        await service.keep(address, made)
    except NotTaken:
        return ("report_not_in_files",)
    return _IN_FILES


async def _kept(visit: Visit, made: Sequence[File]) -> str:
    """The folder, in local use; empty elsewhere, and where it cannot be written to."""
    if visit.service.reports is None:
        return ""
    folder = visit.service.reports / visit.page.snapshot.id
    try:
        await asyncio.to_thread(write, folder, made)
    except OSError as error:
        _log.error("report not written", snapshot=visit.page.snapshot.id, **where(error))
        return ""
    return str(folder)


async def _make(form: Form, visit: Visit) -> File | None:
    try:
        (made,) = await _printed(visit, (form,))
    except NoReport:
        return None
    return made


VERBS: Mapping[str, Meant] = {Verb.SHARE_REPORT: share}
WORDS = frozenset({_REPORT})
"""May be typed in a private chat, by facilitators."""

FILES: Mapping[str, files.Kind] = {
    f"{_REPORT}-{form}": files.Kind(
        partial(_make, form), "report_file_about", "report_not_yet", Did.TOOK_REPORT, _is_over
    )
    for form in Form
}
