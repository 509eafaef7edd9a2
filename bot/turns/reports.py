"""The report, as files in a facilitator's private chat: Word, PDF and Excel."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from bot.logs import where
from bot.printing import print_files
from bot.reporting import Missing, NoReport, gather
from bot.turns import files
from bot.turns.turn import Offer, Reply, Turn
from bot.turns.visit import Service, Visit, takes_answers
from cards.notice import choose_card, message_card, notice_card
from cards.page import Page
from cards.verbs import Verb
from report.making import Form, name_of
from report.material import Material
from snapshot.opening import Running

_REPORT = "report"


@dataclass(frozen=True, slots=True)
class _Made:
    """Each form of it. `folder`: where they have been written, too, if anywhere."""

    files: Sequence[files.File]
    folder: str = ""


type _Outcome = _Made | str
"""The report, or which message says why there is none."""

_log = structlog.get_logger()

_WHY = {Missing.CLOSE: "report_not_yet", Missing.READING: "report_waits_for_comments"}


def wants_report(turn: Turn, service: Service, command: str) -> bool:
    """Whether a facilitator has asked for it."""
    chosen = turn.data.get("command") if turn.verb == Verb.CHOOSE else ""
    return _REPORT in (command, chosen) and service.rights.may_facilitate(turn.person)


async def offer_report(turn: Turn, service: Service) -> Reply:
    """Of the snapshot that has closed; they choose among several."""
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
        _make_all(Visit(turn, service, only, page)),
        turn.address,
        partial(_say, page, toast),
        Reply(notice_card(page, "something_wrong"), toast),
    )
    if outcome is None:
        return Reply(notice_card(page, "report_under_way"), toast)
    return _say(page, toast, outcome)


def _is_over(service: Service, running: Running) -> bool:
    return not takes_answers(service, running)


def _say(page: Page, toast: str, outcome: _Outcome) -> Reply:
    if isinstance(outcome, str):
        return Reply(notice_card(page, outcome), toast)
    said = ("report_ready", "report_kept") if outcome.folder else ("report_ready",)
    shown = notice_card(page, *said, report_folder=outcome.folder)
    return Reply(shown, toast, _offers(page, outcome.files))


def _offers(page: Page, made: Sequence[files.File]) -> tuple[Offer, ...]:
    about = page.text("report_file_about")
    return tuple(
        Offer(file.name, about, len(file.content), {"what": what, "snapshot": page.snapshot.id})
        for what, file in zip(FILES, made, strict=True)
    )


async def _make_all(visit: Visit) -> _Outcome:
    try:
        material = await gather(visit.service, visit.running)
    except NoReport as error:
        return _WHY[error.missing]
    made = await _made(visit.service, material, list(Form))
    return _Made(made, await _kept(visit, made))


async def _kept(visit: Visit, made: Sequence[files.File]) -> str:
    """The folder, in local use; empty elsewhere, and where it cannot be written to."""
    if visit.service.reports is None:
        return ""
    folder = visit.service.reports / visit.page.snapshot.id
    try:
        await asyncio.to_thread(_write, folder, made)
    except OSError as error:
        _log.error("report not written", snapshot=visit.page.snapshot.id, **where(error))
        return ""
    return str(folder)


def _write(folder: Path, made: Sequence[files.File]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in made:
        (folder / file.name).write_bytes(file.content)


async def _make(form: Form, visit: Visit) -> files.File | None:
    try:
        material = await gather(visit.service, visit.running)
    except NoReport:
        return None
    (made,) = await _made(visit.service, material, [form])
    return made


async def _made(service: Service, material: Material, forms: Sequence[Form]) -> list[files.File]:
    """One at a time: ten facilitators who ask at once take no more of the machine than one."""
    async with service.reporting:
        contents = await print_files(material, forms)
    named = zip(forms, contents, strict=True)
    return [files.File(name_of(material, form), content) for form, content in named]


WORDS = frozenset({_REPORT})
"""May be typed in a private chat, by facilitators."""

FILES: Mapping[str, files.Kind] = {
    f"{_REPORT}-{form}": files.Kind(
        partial(_make, form), "report_file_about", "report_not_yet", _is_over
    )
    for form in Form
}
