"""Sixty people over five agencies, with pauses and a restart: every ballot comes out once."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from bot.rehearsal.teams import Teams
from snapshot.instrument import DONT_KNOW
from snapshot.ports import DIRECTORY, Kind
from snapshot.tally import Slip, Tally
from tests.stories.conftest import RunningBot
from tests.stories.people import (
    AGENCIES,
    Respondent,
    answers,
    begins,
    closes,
    respondents,
    sends,
    summary_in,
)

PEOPLE = 60


async def test_every_ballot_is_cut_in_five_slips_and_counted_once(
    teams: Teams, bot: RunningBot, capfd: pytest.CaptureFixture[str]
) -> None:
    facilitator, channel = teams.person("Canary-Facilitator"), teams.channel()
    await facilitator.posts("status", channel)
    everybody = respondents(teams, PEOPLE, AGENCIES, Random(60))

    await with_pauses_and_a_restart(everybody, bot)
    await closes(facilitator, channel)
    summary = await summary_in(teams, channel)

    assert f"about {PEOPLE} practitioners" in summary.card.words
    service = bot.app.service
    (running,) = await service.directory.all(fresh=True)
    slips = [
        Slip.from_json(r.id, r.body)
        for r in await service.records.read_all(running.snapshot.id, Kind.SLIP)
    ]
    assert Counter((s.cell, s.domain, s.choices) for s in slips) == expected_slips(bot, everybody)
    tallies = [
        Tally.from_json(r.id, r.body)
        for r in await service.records.read_all(running.snapshot.id, Kind.TALLY)
    ]
    assert sum(t.people for t in tallies) == PEOPLE
    for envelope in await service.records.read_all(running.snapshot.id, Kind.ENVELOPE):
        assert envelope.state == "released"
        assert not any(envelope.body.values())
    assert await service.records.heads(running.snapshot.id, Kind.JOURNAL) == []
    # What is published for the report has a share for each option.
    assert await kinds_with_answers(bot) == {Kind.SLIP, Kind.TALLY, Kind.PUBLICATION}

    await bot.stops()
    canaries = [p.person.name for p in everybody] + [p.person.object_id for p in everybody]
    canaries += [facilitator.name, facilitator.object_id, channel]
    assert found_in(bot.folder, canaries) == []
    log = "".join(capfd.readouterr())
    assert [c for c in canaries if c in log] == []
    await bot.starts()


async def with_pauses_and_a_restart(everybody: list[Respondent], bot: RunningBot) -> None:
    async def first_half(one: Respondent) -> None:
        await begins(one.person, one.agency)
        await answers(one.person, one.options[:11])

    async def second_half(one: Respondent) -> None:
        await one.person.opens_the_chat()
        await answers(one.person, one.options[11:])
        await sends(one.person)

    await asyncio.gather(*(p.takes_part() for p in everybody[:20]))
    await asyncio.gather(*(first_half(p) for p in everybody[20:]))
    await bot.restarts()
    await asyncio.gather(*(second_half(p) for p in everybody[20:]))


async def kinds_with_answers(bot: RunningBot) -> set[Kind]:
    """The kinds of records in which the id of an option stands.

    "dont_know" aside: that is also the name of a published figure.
    """
    service = bot.app.service
    (running,) = await service.directory.all()
    choices = service.pack.instrument.practice.options
    options = [f'"{o.id}"' for o in choices if o.id != DONT_KNOW]
    return {
        kind
        for partition in (DIRECTORY, running.snapshot.id)
        for kind in Kind
        for record in await service.records.read_all(partition, kind)
        if any(option in json.dumps(dict(record.body)) for option in options)
    }


def expected_slips(
    bot: RunningBot, everybody: list[Respondent]
) -> Counter[tuple[str, str, tuple[str, ...]]]:
    """Worked out from the people's own notes, with the labels that they pressed."""
    instrument = bot.app.service.pack.instrument
    option = {o.label: str(o.id) for o in instrument.practice.options}
    agency = {a.label: str(a.id) for a in instrument.agencies}
    expected: Counter[tuple[str, str, tuple[str, ...]]] = Counter()
    for one in everybody:
        pressed = dict(zip((s.id for s in instrument.statements), one.options, strict=True))
        for domain in instrument.domains:
            choices = tuple(option[pressed[s.id]] for s in instrument.of_domain(domain.id))
            expected[agency[one.agency], domain.id, choices] += 1
    return expected


def found_in(folder: Path, canaries: list[str]) -> list[str]:
    """Which of these stand in the bytes of any file."""
    everything = b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())
    assert everything
    return [c for c in canaries if c.encode() in everything]


async def test_while_it_runs_answers_and_names_stand_in_no_file(
    teams: Teams, bot: RunningBot
) -> None:
    """The write-ahead log included: an answer is only ever written into the sealed envelope."""
    ada = teams.person("Canary-Name")
    await begins(ada, "Police")
    await answers(ada, ["Partly true", "Fully true"])
    options = [str(o.id) for o in bot.app.service.pack.instrument.practice.options]
    secrets = [ada.name, ada.object_id, ada.chat, *(f'"{o}"' for o in options)]
    assert found_in(bot.folder, secrets) == []
    assert found_in(bot.folder, ["police"]) == ["police"], "the plain cell is there to be found"
