"""A full survey in production mode, and what is to be seen of it."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from bot.directory import SOON_S
from bot.rehearsal.teams import PersonHere, Sent, Shown, Teams
from content.packs import load_packs
from tests.cosmos.server import Server as Cosmos
from tests.graph.server import HOME, POLICE
from tests.ports import free_port
from tests.production.stage import FACILITATOR, Production, production
from tests.stories.conftest import Clock
from tests.stories.opening import BotOnDemand, a_form, opens
from tests.stories.people import (
    AGENCIES,
    OPTIONS,
    STATEMENTS,
    Respondent,
    closes,
)
from tests.stories.processes import errors
from tests.stories.test_on_cosmos import each_came_out_once

PRESSES = 1 + 2 + STATEMENTS + 1
"""Of one person: a word, the way to the first statement, each statement, and sending."""

ELSEWHERE = "66666666-6666-4666-8666-666666666666"
ENDS_WITHIN_S = 600.0
_TRIES = 20
_TRY_AGAIN = load_packs()["en-GB"].wording.messages["something_wrong"]


@dataclass
class Seen:
    """`took_s`: seconds of each turn. `late`: turns that people were asked to try again."""

    people: int
    took_s: list[float] = field(default_factory=list)
    late: int = 0
    lasted_s: float = 0.0
    refused: Counter[int] = field(default_factory=Counter)
    memory_mb: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dice: Random = field(default_factory=lambda: Random(8))

    @property
    def p50_ms(self) -> float:
        return 1_000 * statistics.median(self.took_s)

    @property
    def p95_ms(self) -> float:
        return 1_000 * statistics.quantiles(self.took_s, n=20)[-1]


async def survey(
    folder: Path,
    cosmos: Cosmos,
    people: int,
    *,
    pause_s: float = 0.0,
    show: Callable[[], None] = lambda: None,
) -> Seen:
    """Everybody answers at once, `pause_s` apart on average, half of them in each tenant.

    They have the same object ids in both. Raises `AssertionError` for what is not as it should be.
    """
    async with production(folder, cosmos) as stage:
        seen = Seen(people)
        await _strangers_are_refused(stage, seen)
        fay, channel = await opens_one(stage, people)
        everybody = everybody_of(stage, people)
        began = time.monotonic()
        stage.teams.took_s.clear()
        await asyncio.gather(*all_take_part(everybody, pause_s, seen, show))
        seen.lasted_s, seen.took_s = time.monotonic() - began, list(stage.teams.took_s)
        seen.memory_mb = [bot.memory_mb for bot in stage.bots]
        summed_up = hears(stage.teams, "Summary for Otherwick")
        await closes(fay, channel)
        async with asyncio.timeout(ENDS_WITHIN_S):
            await summed_up.wait()
        await each_ballot_is_there_once(stage, everybody)
        seen.errors = [f"{line['event']} {line.get('error', '')}" for line in errors(stage.folder)]
        return seen


def hears(teams: Teams, words: str) -> asyncio.Event:
    event = asyncio.Event()

    def hear(sent: Sent) -> None:
        if words in sent.card.words:
            event.set()

    teams.hears = hear
    return event


async def _strangers_are_refused(stage: Production, seen: Seen) -> None:
    """At each of the bots, and nothing comes of it."""
    teams = stage.teams
    person = teams.signed_person("Mallory", ELSEWHERE, FACILITATOR)
    activity = person.activity("message", text="start")
    async with aiohttp.ClientSession() as session:
        for bot in stage.bots:
            good = stage.identity.signer.token(f"{teams.url}/")
            forged = stage.identity.signer.token(
                f"{teams.url}/", by="another's", head={"kid": "first"}
            )
            for token in ("", forged, good):
                headers = {"Authorization": f"Bearer {token}"} if token else {}
                async with session.post(
                    f"{bot.url}/api/messages", json=activity, headers=headers
                ) as answer:
                    seen.refused[answer.status] += 1
            async with session.get(f"{bot.url}/readyz") as answer:
                assert answer.status == 200, await answer.text()
    assert seen.refused == {401: 2 * len(stage.bots), 403: len(stage.bots)}
    assert teams.sent == []


async def opens_one(stage: Production, people: int) -> tuple[PersonHere, str]:
    """A facilitator who is listed opens a snapshot; somebody who is not cannot."""
    teams = stage.teams
    channel = teams.channel(tenant=HOME)
    deadline = datetime.now(UTC) + timedelta(days=10)
    headcounts = {name: str(max(40, 2 * people)) for name in _HEADCOUNTS}
    form = a_form(deadline=f"{deadline:%Y-%m-%d}", quiet_dates="", mixing="close", **headcounts)
    stan = teams.signed_person("Stan", POLICE, FACILITATOR)
    refused = await stan.posts("new", channel)
    assert not refused.inputs, "the same object id in another tenant is somebody else"
    fay = teams.signed_person("Fay", HOME, FACILITATOR)
    is_open = hears(stage.teams, "The snapshot for Otherwick is open.")
    await opens(fay, channel, form)
    async with asyncio.timeout(ENDS_WITHIN_S):
        await is_open.wait()
    await asyncio.sleep(SOON_S)  # until every process knows of it
    return fay, channel


_HEADCOUNTS = (
    "headcount_police",
    "headcount_childrens_social_care",
    "headcount_health",
    "headcount_education_early_years",
    "headcount_voluntary_community",
)


def everybody_of(stage: Production, people: int) -> list[Respondent]:
    dice = Random(7)
    return [
        Respondent(
            stage.teams.signed_person(
                f"Person {number}",
                (HOME, POLICE)[number % 2],
                f"aaaaaaaa-aaaa-4aaa-8aaa-{number // 2:012}",
            ),
            AGENCIES[dice.randrange(len(AGENCIES))],
            tuple(dice.choices(OPTIONS, k=STATEMENTS)),
        )
        for number in range(people)
    ]


def all_take_part(
    everybody: Sequence[Respondent], pause_s: float, seen: Seen, show: Callable[[], None]
) -> list[Coroutine[Any, Any, None]]:
    """Each at a pace of their own."""
    waits = [seen.dice.uniform(0.5, 1.5) * pause_s for _ in everybody]
    return [takes_part(one, wait, seen, show) for one, wait in zip(everybody, waits, strict=True)]


async def takes_part(one: Respondent, pause_s: float, seen: Seen, show: Callable[[], None]) -> None:
    # Somewhere within the first pause, so that they do not all tap in the same moment.
    await asyncio.sleep(seen.dice.random() * pause_s)
    await _types("start", one.person, seen)
    show()
    for title in ("Continue", one.agency, *one.options, "Send my answers"):
        await asyncio.sleep(pause_s)
        await _presses(one.person, title, seen)
        show()


async def _types(words: str, person: PersonHere, seen: Seen) -> None:
    await _until_in_time(lambda: person.types(words), seen)


async def _presses(person: PersonHere, title: str, seen: Seen) -> None:
    assert person.sees
    action = person.sees.action(title)

    async def presses() -> Shown:
        return (await person.acts(action)).card

    person.sees = await _until_in_time(presses, seen)


async def _until_in_time(does: Callable[[], Awaitable[Shown]], seen: Seen) -> Shown:
    """Again where the bot asks for that, as people would."""
    for _ in range(_TRIES):
        shown = await does()
        if _TRY_AGAIN not in shown.words:
            return shown
        seen.late += 1
    raise AssertionError("the bot was too slow again and again")


async def each_ballot_is_there_once(stage: Production, everybody: list[Respondent]) -> None:
    """Somebody else looks into the store, with the same settings."""
    looking = BotOnDemand(
        stage.folder, free_port(), Clock(datetime.now(UTC)), more_settings=stage.environment
    )
    await looking.starts()
    await each_came_out_once(looking, everybody)
    await looking.stops()
