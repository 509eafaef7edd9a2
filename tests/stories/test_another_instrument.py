"""Another programme's content in place of ours by a setting alone: survey, close and sample."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from bot.rehearsal.teams import Teams
from bot.sample import open_sample
from content.packs import load_packs
from snapshot.ports import Kind
from snapshot.survey import from_record
from storage.keyfiles import KeyFiles
from storage.sqlite import SqliteRecords
from tests.packs.programme import another_programme
from tests.ports import free_port
from tests.stories.conftest import RunningBot
from tests.stories.people import Respondent, asks_about, begins, closes, summary_in

# As people see it, so that the numbers below are worked out from what was pressed and nothing else.
DOMAINS = {"Noticing": 5, "Acting together": 4, "Mending": 2}
SCORES = {
    "Hardly ever": 0,
    "Now and then": 25,
    "Half of the time": 50,
    "Most times": 75,
    "Every time": 100,
}
FAVOURABLE = ("Most times", "Every time")
UNSURE, NOT_MINE = "Cannot say", "Not my patch"
BANDS = {
    80: "– Calm: Holding",
    60: "~ Breeze: Keep going",
    30: "∿ Swell: Take care",
    0: "≋ Storm: Act now",
}
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
AGENCIES = ("Coastguard", "Schools", "Clinics", "Clubs and churches")

# Eight for each agency are fewer than its k of 12: they are mixed as one group and weigh alike.
PEOPLE, WITHOUT_A_VIEW = 32, 4

# That of 20 to 49 people among its steps of 4, 10 and 20.
STEP = 10

# How often each option is chosen, in the order of SCORES, for the statements of one domain.
TEMPERS = {
    "Noticing": (1, 1, 2, 6, 6),
    "Acting together": (2, 3, 4, 3, 2),
    "Mending": (8, 6, 3, 2, 1),
}


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[RunningBot]:
    content = another_programme(tmp_path / "content")
    async with RunningBot(tmp_path, free_port(), content=content) as running:
        await running.opens_a_snapshot()
        yield running


def people(teams: Teams, dice: Random) -> list[Respondent]:
    """A few of them have no view of any statement, the others of nearly all."""

    def choices(number: int) -> tuple[str, ...]:
        if number < WITHOUT_A_VIEW:
            return (UNSURE,) * 11
        weights = [
            (*TEMPERS[domain], 1, 1) for domain, size in DOMAINS.items() for _ in range(size)
        ]
        options = [*SCORES, UNSURE, NOT_MINE]
        return tuple(dice.choices(options, weights=each)[0] for each in weights)

    return [
        Respondent(teams.person(f"Person {number}"), AGENCIES[number % 4], choices(number))
        for number in range(PEOPLE)
    ]


async def test_it_is_asked_in_its_own_words(teams: Teams) -> None:
    ada = teams.person("Ada")
    shown = await begins(ada, "Clubs and churches")
    asked = []
    for number in range(1, 12):
        asked.append(asks_about(shown))
        assert f"{number} of 11" in shown.words
        assert shown.buttons[:7] == [*SCORES, UNSURE, NOT_MINE]
        shown = await ada.presses("Now and then")
    assert asked == [f"n-{n}" for n in range(1, 6)] + [f"a-{n}" for n in range(1, 5)] + [
        "m-1",
        "m-2",
    ]
    assert "answered all 11 statements" in shown.words


async def test_its_summary_says_what_people_pressed(teams: Teams) -> None:
    facilitator, channel = teams.person("Fay"), teams.channel()
    await facilitator.posts("status", channel)
    everybody = people(teams, Random(11))
    await asyncio.gather(*(one.takes_part() for one in everybody))
    await closes(facilitator, channel)

    words = (await summary_in(teams, channel)).card.words

    assert "about 30 practitioners" in words
    assert "Storm from 0, Swell from 30, Breeze from 60, Calm from 80" in words
    pressed = list(zip(*(one.options for one in everybody), strict=True))
    for title, size in DOMAINS.items():
        of_domain, pressed = pressed[:size], pressed[size:]
        assert "\n".join([title, *expected(of_domain)]) in words
    assert not pressed


def expected(statements: Sequence[Sequence[str]]) -> list[str]:
    """What has to be said of a domain; for each of its statements, what everybody pressed.

    The score is the mean of its statements' means, since each of them counts alike.
    """
    scored = [[SCORES[option] for option in each if option in SCORES] for each in statements]
    assert min(map(len, scored)) >= 20
    score = sum((Fraction(sum(each), len(each)) for each in scored), Fraction()) / len(scored)
    pressed = Counter(option for each in statements for option in each)
    favourable = Fraction(sum(pressed[o] for o in FAVOURABLE), sum(map(len, scored)))
    unsure = Fraction(pressed[UNSURE], pressed.total() - pressed[NOT_MINE])
    said = rounded(score)
    return [
        next(band for start, band in BANDS.items() if score >= start),
        f"Score out of 100: {said} weighted by headcount, {said} unweighted",
        f'Of the scored answers, {rounded(100 * favourable)}% are "Most times" or "Every time"',
        f'{rounded(100 * unsure)}% chose "Cannot say"',
    ]


def rounded(value: Fraction) -> int:
    assert STEP <= value <= 100 - STEP, "nearer to an end, only under or over would be said"
    return math.floor(value / STEP + Fraction(1, 2)) * STEP


async def test_a_sample_of_it_runs_to_its_summary(tmp_path: Path) -> None:
    content = another_programme(tmp_path / "content")
    bot = RunningBot(tmp_path, free_port(), sample=30, content=content)
    await bot.starts()
    async with Teams(bot.url) as teams:
        facilitator, channel = teams.person("Fay"), teams.channel()
        status = await facilitator.posts("status", channel)
        assert all(agency in status.words for agency in AGENCIES)
        await closes(facilitator, channel)
        summary = await summary_in(teams, channel)
    await bot.stops()
    assert "about 30 practitioners" in summary.card.words
    assert summary.card.words.count("weighted by headcount,") == len(DOMAINS)


async def test_a_sample_takes_only_options_that_are_on_the_scale(tmp_path: Path) -> None:
    """The two without a score may be left out."""
    instrument = load_packs(another_programme(tmp_path / "content"))["en-GB"].instrument
    scored = tuple(o for o in instrument.practice.options if o.id in instrument.scores)
    bare = replace(instrument, practice=replace(instrument.practice, options=scored))
    async with SqliteRecords(tmp_path / "snapshot.db") as records:
        running = await open_sample(
            records, KeyFiles(tmp_path / "keys"), bare, people=20, now=NOW, dice=Random(1)
        )
        envelopes = await records.read_all(running.snapshot.id, Kind.ENVELOPE)
    for record in envelopes:
        ballot = from_record(record, running.sealer).ballot
        assert ballot
        assert ballot.fits(bare)
