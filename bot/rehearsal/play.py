"""A whole snapshot with made-up people, on a bot in a process of its own, over real HTTP."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from bot.rehearsal.acts import (
    ACTS,
    FACILITATOR,
    KEY_DAYS,
    MODERATOR,
    OPENS,
    VIEWERS,
    Cast,
    Lead,
    calendar,
)
from bot.rehearsal.check import complaints, errors_in, kept_in
from bot.rehearsal.figures import figures
from bot.rehearsal.gallery import Viewer
from bot.rehearsal.pages import write_pages
from bot.rehearsal.people import TENANTS, Made, make_people
from bot.rehearsal.plan import OWNERS
from bot.rehearsal.practitioners import Practitioner
from bot.rehearsal.server import Place, ServerGone, serving
from bot.rehearsal.stage import GoesWrong, Stage, Timed
from bot.rehearsal.teams import BotTrouble, NotOnTheCard
from bot.rehearsal.words import names
from content.packs import load_packs
from report.making import Form
from storage.sqlite import SqliteRecords

_MOST_LEADS = 40
_PEOPLE_FOR_A_LEAD = 8
_FEWEST_LEADS = 4


class Failed(Exception):
    """Something was lost, doubled or wrong; the message says what, one thing a line."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to rehearse. `out` is where the pages and figures are put."""

    how_many: int
    seed: int
    out: Path
    language: str = "en-GB"


type Progress = Callable[[int, int, str], None]
"""Is told how many visits have been made, of how many, and which act is on."""


async def rehearse(wanted: Wanted, progress: Progress) -> dict[str, Any]:
    """The figures, once all is played, checked and written down. Raises `Failed`."""
    wanted.out.mkdir(parents=True, exist_ok=True)
    log = wanted.out / "bot.log"
    log.write_text("")
    with TemporaryDirectory() as folder:
        try:
            found, wrong = await _play(wanted, Path(folder), progress)
        except* (GoesWrong, BotTrouble, NotOnTheCard, ServerGone) as errors:
            first = _innermost(errors)
            said = str(first) or "the bot has ended"
            raise Failed("\n".join([said, *errors_in(log)])) from first
    if wrong := [*wrong, *errors_in(log)]:
        raise Failed("\n".join(wrong))
    return found


def _innermost(error: BaseException) -> BaseException:
    return _innermost(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


async def _play(
    wanted: Wanted, folder: Path, progress: Progress
) -> tuple[dict[str, Any], list[str]]:
    began = time.perf_counter()
    async with _stage(wanted, folder, progress) as (stage, cast):
        try:
            for stage.gallery.act, act in ACTS.items():
                await act(stage, cast)
        finally:  # what was seen until then helps to see what went wrong
            write_pages(stage.gallery, wanted.out, cast.files)
        seconds = time.perf_counter() - began
        async with SqliteRecords(folder / "snapshot.db") as records:
            kept = await kept_in(records)
    found = figures(stage, cast, kept, seed=wanted.seed, seconds=seconds)
    wrong = complaints(stage, cast, kept)
    report = {**found, "wrong": wrong}
    (wanted.out / "figures.json").write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    return found, wrong


@asynccontextmanager
async def _stage(
    wanted: Wanted, folder: Path, progress: Progress
) -> AsyncIterator[tuple[Stage, Cast]]:
    packs = load_packs()
    instrument = packs[wanted.language].instrument
    people = make_people(
        instrument,
        calendar(wanted.language),
        people=wanted.how_many,
        seed=wanted.seed,
        language=wanted.language,
    )
    visits = sum(1 + (p.manner.returns is not None) for p in people)
    visits += len(instrument.statements) + len(OWNERS) + 1 + len(Form)
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        progress(done, visits, stage.gallery.act)

    place = Place(_environment(folder), OPENS, wanted.out / "bot.log")
    async with serving(place) as server, Timed(server.url) as teams:
        apologies = [pack.wording.messages["something_wrong"] for pack in packs.values()]
        stage = Stage(
            folder,
            teams,
            server,
            instrument,
            wanted.language,
            OPENS,
            advance,
            apologies,
            packs[wanted.language].wording,
        )
        stage.viewers.update(VIEWERS)
        yield stage, _cast(stage, people, Random(f"{wanted.seed}: others"))


def _environment(folder: Path) -> dict[str, str]:
    return {
        "SNAPSHOT_ENV": "local",
        "SNAPSHOT_STORE": f"sqlite:///{folder / 'snapshot.db'}",
        "SNAPSHOT_KEYS": f"file:{folder / 'keys'}",
        "SNAPSHOT_REPORTS": str(folder / "reports"),
        "SNAPSHOT_TENANTS": ",".join(TENANTS),
        "SNAPSHOT_FACILITATORS": f"{TENANTS[0]}/{FACILITATOR}",
        "SNAPSHOT_KEY_DAYS": str(KEY_DAYS),
        "SNAPSHOT_LINK": "https://teams.example/chat-with-the-bot",
    }


def _cast(stage: Stage, people: list[Made], dice: Random) -> Cast:
    teams, language = stage.teams, stage.language
    how_many = min(_MOST_LEADS, max(_FEWEST_LEADS, len(people) // _PEOPLE_FOR_A_LEAD))
    leads = [
        Lead(
            teams.person(name, tenant=TENANTS[number % 2], locale=language),
            talks=number == 0 or dice.random() < 0.8,
            stops=dice.random() < 0.15,
        )
        for number, name in enumerate(names(how_many))
    ]
    # Somebody has to be left for the facilitators to e-mail.
    leads[-1].talks = False
    stage.viewers.update({lead.here.chat: Viewer.LEAD for lead in leads})
    return Cast(
        teams.person("Fay Cilitator", tenant=TENANTS[0], object_id=FACILITATOR, locale=language),
        teams.person("Mo Derator", tenant=TENANTS[1], object_id=MODERATOR, locale=language),
        leads,
        [_practitioner(stage, made) for made in people],
        dice,
    )


def _practitioner(stage: Stage, made: Made) -> Practitioner:
    here = stage.teams.person(
        made.name, tenant=made.tenant, object_id=made.object_id, locale=made.manner.locale
    )
    return Practitioner(made, here)
