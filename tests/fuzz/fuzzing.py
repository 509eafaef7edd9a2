"""Thousands of spoilt requests at a bot in production mode, and what is to be seen of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bot.rehearsal.teams import Answer, PersonHere
from tests.cosmos.server import Server as Cosmos
from tests.fuzz.mutations import CANARY, Json, activities, headers, spoilt
from tests.graph.server import HOME, POLICE
from tests.production.stage import Production, production
from tests.production.survey import opens_one
from tests.stories.people import asks_about, begins, seen
from tests.stories.processes import Serving, log_lines

AT_ONCE = 8
PEOPLE = 60
"""Enough that none of them is asked to slow down."""

NOT_OURS = 501
"""What Teams is told of an invoke that no card of ours makes."""

GOOD = "ZQXJ-good-person"


@dataclass(frozen=True, slots=True)
class Held:
    """What the bot holds after so many requests."""

    requests: int
    memory_mb: float
    open_files: int


@dataclass
class Found:
    """`wrong`: what should not have been, each in a line."""

    statuses: Counter[int] = field(default_factory=Counter)
    held: list[Held] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    logged: Counter[str] = field(default_factory=Counter)


async def fuzz(
    folder: Path,
    cosmos: Cosmos,
    requests: int,
    seed: int = 1,
    show: Callable[[], None] = lambda: None,
) -> Found:
    """Measures after a fifth, and after all. The same requests for the same seed."""
    found, dice = Found(), Random(seed)
    async with production(folder, cosmos, bots=1) as stage:
        _, channel = await opens_one(stage, PEOPLE)
        good = await _answers_three(stage)
        snapshot = str(seen(good).actions("survey.answer")[0]["data"]["snapshot"])
        stock = list(_stock(stage, snapshot, channel))
        first = requests // 5
        for count, total in ((first, first), (requests - first, requests)):
            await _sends(stage, found, stock, count, dice, show)
            found.held.append(_held(stage.bots[0], total))
        assert asks_about(await good.opens_the_chat()) == "AW4", "what was answered is still there"
        await good.presses("Mostly true")
        assert asks_about(seen(good)) != "AW4", "and they go on"
        _read_log(stage.folder, found)
    return found


async def _answers_three(stage: Production) -> PersonHere:
    good = stage.teams.signed_person("Good", HOME, GOOD)
    await begins(good)
    for _ in range(3):
        await good.presses("Mostly true")
    return good


def _stock(stage: Production, snapshot: str, channel: str) -> Iterator[Json]:
    for number in range(PEOPLE):
        person = stage.teams.signed_person(
            CANARY, (HOME, POLICE)[number % 2], f"{CANARY}-{number // 2}"
        )
        named = (snapshot, "another-snapshot")[number % 5 == 0]
        yield from activities(person, named, channel)


async def _sends(
    stage: Production,
    found: Found,
    stock: list[Json],
    count: int,
    dice: Random,
    show: Callable[[], None],
) -> None:
    token = stage.identity.signer.token(f"{stage.teams.url}/")
    coming = iter(range(count))

    async def one_after_another() -> None:
        for _ in coming:
            body = spoilt(dice.choice(stock), stock, dice)
            try:
                async with asyncio.timeout(60):
                    answer = await stage.teams.request(body, headers(token, dice))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
                found.wrong.append(f"no answer: {type(error).__name__}")
            else:
                _judge(answer, found)
            show()

    await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))


def _judge(answer: Answer, found: Found) -> None:
    found.statuses[answer.status] += 1
    if answer.status >= 500 and (answer.status != NOT_OURS or answer.body):
        found.wrong.append(f"answered with {answer.status}")
    for word in (b"Traceback", b'File "', GOOD.encode()):
        if word in answer.body:
            found.wrong.append(f"{word.decode()} in an answer")


def _held(bot: Serving, requests: int) -> Held:
    return Held(requests, bot.memory_mb, bot.open_files)


def _read_log(folder: Path, found: Found) -> None:
    log = (folder / "bot.log").read_text().lower()
    words = ("Traceback", CANARY, GOOD)
    found.wrong += [f"{word} in the log" for word in words if word.lower() in log]
    for line in log_lines(folder):
        found.logged[f"{line['level']}: {line['event']} {line.get('error', '')}".strip()] += 1
        if line["level"] == "error" and line.get("error") not in ("Unavailable", "TimeoutError"):
            found.wrong.append(f"{line['event']} {line.get('error')} {line.get('at')}")
