"""The plan and the report of a rehearsal: what was found becomes actions, and files."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from bot.rehearsal.gallery import Viewer
from bot.rehearsal.stage import OK, GoesWrong, Kind, Stage, only
from bot.rehearsal.teams import GIVEN, OFFER, Json, PersonHere, Shown
from bot.rehearsal.words import OWN_ACTION, PLAN_NOTE
from cards.verbs import Verb
from report.making import Form

OWNERS = ("Ann Archer", "Bethan Baker", "Carys Cooper")
"""Of the recommendations that are picked."""

_DUE = "2026-06-30"
_WAITS_S = 0.05
_MADE_WITHIN_S = 120.0


async def fill_plan(stage: Stage, facilitator: PersonHere, channel: str) -> list[str]:
    """Some of what is recommended and one of their own; the titles of all that is on the plan."""

    async def press(action: Json, **typed: str) -> Shown:
        return await stage.presses_in(facilitator, channel, action, typed)

    titles = []
    shown = await _opens_plan(stage, facilitator, channel)
    for number, owner in enumerate(OWNERS):
        shown = await press(only(shown, Verb.ADVICE))
        form = await press(_adding(shown)[number])
        titles.append(form.inputs["recommendation"])
        status = "under_way" if number == 0 else "not_started"
        typed = {"owner_name": owner, "status": status}
        shown = await press(only(form, Verb.EDIT_ACTION, save=True), **typed)
        stage.advance()
    form = await press(only(shown, Verb.EDIT_ACTION, own=True))
    own = OWN_ACTION[stage.language]
    typed = {"recommendation": own, "due_date": _DUE, "note": PLAN_NOTE[stage.language]}
    await press(only(form, Verb.EDIT_ACTION, save=True), **typed)
    stage.advance()
    return [*titles, own]


def _adding(shown: Shown) -> list[Json]:
    """A button for each thing that is recommended and not on the plan."""
    return shown.actions(Verb.EDIT_ACTION)


async def read_plan(stage: Stage, facilitator: PersonHere, channel: str) -> str:
    """All words of the plan, page after page."""
    shown = await _opens_plan(stage, facilitator, channel)
    words = [shown.words]
    while further := [a for a in shown.actions(Verb.PLAN) if a["data"].get("start")]:
        shown = await stage.presses_in(facilitator, channel, further[0])
        words.append(shown.words)
    return "\n".join(words)


async def _opens_plan(stage: Stage, facilitator: PersonHere, channel: str) -> Shown:
    shown = await stage.asks(facilitator, "plan", channel)
    return await stage.presses_in(facilitator, channel, only(shown, Verb.PLAN))


async def take_report(stage: Stage, facilitator: PersonHere) -> Mapping[str, bytes]:
    """Each form of it, by the file's name: asked for, offered and taken in a private chat."""
    stage.viewers[facilitator.chat] = Viewer.FACILITATOR_ALONE
    await stage.types(facilitator, "report")
    offers = await _files(facilitator, OFFER, len(Form))
    for number, form in enumerate(Form, start=1):
        answer = await facilitator.chooses("accept", upload=f"report.{form}", ending=f".{form}")
        if answer.status != OK:
            raise GoesWrong(f"a file that was wanted was answered with {answer.status}")
        await _files(facilitator, GIVEN, number)
        stage.advance()
    given = [file["name"] for file in await _files(facilitator, GIVEN, len(Form))]
    if sorted(given) != sorted(file["name"] for file in offers):
        raise GoesWrong("other files were given than offered")
    # Whether it was said first that the report is being made hangs on how busy the machine is.
    del stage.expected[facilitator.object_id, Kind.REPLY]
    return {name: stage.teams.uploads[f"report.{name.rpartition('.')[2]}"] for name in given}


async def share_report(stage: Stage, facilitator: PersonHere) -> None:
    """With the channel, where it is posted when the worker looks next."""
    offered = [sent.card for sent in stage.received(facilitator.object_id)]
    action = only(next(c for c in offered if c.actions(Verb.SHARE_REPORT)), Verb.SHARE_REPORT)
    shown = await stage.presses(facilitator, action)
    said = stage.wording.messages["report_shared"]
    try:
        async with asyncio.timeout(_MADE_WITHIN_S):
            # Where it takes long, they are told in a message later.
            while said not in shown.words:
                await asyncio.sleep(_WAITS_S)
                shown = await facilitator.looks() or shown
    except TimeoutError:
        raise GoesWrong("the report was not shared") from None


async def _files(person: PersonHere, kind: str, count: int) -> list[Json]:
    """So many, once they are there. Raises `GoesWrong`."""
    try:
        async with asyncio.timeout(_MADE_WITHIN_S):
            while True:
                found = [file for file in person.files() if file["contentType"] == kind]
                if len(found) >= count:
                    break
                await asyncio.sleep(_WAITS_S)
    except TimeoutError:
        raise GoesWrong("the report did not come") from None
    if len(found) > count:
        raise GoesWrong("a file of the report came twice")
    return found
