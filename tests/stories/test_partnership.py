"""A whole snapshot: 300 people, seven agencies, two tenants, twelve days, four mixes, the close.

The bot answers real HTTP; what is due is done by `python -m bot tick --at` in processes of their
own, on the same files. Everything is checked against the people's own notes.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from bot.rehearsal.teams import PersonHere, Teams
from snapshot.closing import final_summary
from snapshot.comments import CommentState
from snapshot.disclosure import End, Figure
from snapshot.opening import Running
from snapshot.ports import Kind
from snapshot.progress import all_tallies
from snapshot.publication import bases_in
from snapshot.tally import Slip
from tests.stories.conftest import RunningBot
from tests.stories.ideal import Notes, ideal_figures
from tests.stories.opening import only_headcounts, opens
from tests.stories.people import answers, begins, seen, sends

ROOT = Path(__file__).parents[2]
OPENED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TENANTS = ("tenant-of-exampleshire", "tenant-of-the-vale")

HEADCOUNTS = {
    "police": "110",
    "childrens_social_care": "90",
    "health": "190",
    "education_early_years": "260",
    "probation_youth_justice": "14",
    "voluntary_community": "60",
    "housing_other": "9",
}
PEOPLE = {
    "Police": 55,
    "Children's social care": 50,
    "Health": 65,
    "Education or early years": 80,
    "Probation or youth justice": 12,
    "Voluntary or community sector": 30,
    "Housing or another service": 8,
}
LEANINGS = {
    "Education or early years": (5, 5, 2, 1, 1, 1),
    "Health": (3, 4, 3, 1, 1, 1),
}
"""How likely each option is, where it is not as for the others: the largest agencies, which answer
least for their size, see least progress. So a figure without weights is another one."""

LEFT_OUT = 3.0
"""Points by which a domain may differ where the last few answers to a statement had to stay out."""

COMMENTS = (
    "More time to think in supervision.",
    "Joint training helped us to speak one language.",
    "It is not clear who does what after the strategy meeting.",
)


@dataclass
class Practitioner:
    """Somebody who keeps notes of what they pressed. `begins_on` and `ends_on` count days."""

    person: PersonHere
    agency: str
    options: list[str]
    begins_on: int
    ends_on: int
    changes: bool
    comment: str
    withdraws: bool
    never_sends: bool
    has_sent: bool = field(default=False)

    async def first_half(self) -> None:
        await begins(self.person, self.agency)
        await answers(self.person, self.options[:11])

    async def second_half(self) -> None:
        """On another device, where the chat is as it was sent: `refresh` shows what comes next.

        Unless a reminder came last: then "Continue" does.
        """
        self.person = self.person.on_another_device()
        if "Continue" in (await self.person.opens_the_chat()).buttons:
            await self.person.presses("Continue")
        await answers(self.person, self.options[11:])
        await self.person.presses("Next", self._boxes())
        if self.changes:
            await self._changes_an_answer()
        if self.never_sends:
            return
        await sends(self.person)
        if self.withdraws:
            await self.person.presses("Withdraw my answers")
            await self.person.presses("Yes, delete my answers")
        self.has_sent = not self.withdraws

    def _boxes(self) -> Mapping[str, str]:
        return {"comment.prevention": self.comment} if self.comment else {}

    async def _changes_an_answer(self) -> None:
        await self.person.presses("See my answers")
        change = seen(self.person).actions("survey.change")[4]
        self.person.sees = (await self.person.acts(change)).card
        self.options[4] = "Fully true"
        await self.person.presses("Fully true")


def practitioners(teams: Teams, options: Sequence[str], dice: Random) -> list[Practitioner]:
    """More come in the first days and before the deadline than in between."""
    everybody = []
    for agency, how_many in PEOPLE.items():
        for number in range(how_many):
            begins_on = dice.choices(range(12), weights=[9, 7, 5, 3, 2, 2, 3, 3, 2, 4, 5, 3])[0]
            luck = dice.random()
            everybody.append(
                Practitioner(
                    teams.person(f"Canary-{agency}-{number}", tenant=dice.choice(TENANTS)),
                    agency,
                    dice.choices(options, weights=LEANINGS.get(agency, (1, 1, 4, 5, 1, 1)), k=22),
                    begins_on,
                    min(begins_on + dice.choice([0, 0, 1, 2]), 11),
                    changes=dice.random() < 0.1,
                    comment=dice.choice(COMMENTS) if dice.random() < 0.12 else "",
                    withdraws=luck < 0.03,
                    never_sends=luck > 0.95,
                )
            )
    return everybody


@dataclass
class Partnership:
    """What a test of a whole snapshot has at hand."""

    bot: RunningBot
    teams: Teams
    everybody: list[Practitioner]
    facilitators: str
    moderators: str
    did: list[str] = field(default_factory=list)

    async def day(self, number: int) -> None:
        """Everything that people do on one day, all at once."""
        for part, of_today in (
            (Practitioner.first_half, [p for p in self.everybody if p.begins_on == number]),
            (Practitioner.second_half, [p for p in self.everybody if p.ends_on == number]),
        ):
            for some in batches(of_today, 32):
                await asyncio.gather(*(part(p) for p in some))

    async def ticks(self, day: int, hour: int, minute: int = 0) -> list[str]:
        """The clock moves on, and a process of its own does what is due."""
        at = OPENED.replace(hour=hour, minute=minute) + timedelta(days=day)
        self.bot.clock.now = at
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "tick",
            "--at",
            at.isoformat(),
            cwd=ROOT,
            env={**os.environ, **self.bot.environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        assert b'"error"' not in errors, errors.decode()
        did = [json.loads(line)["did"] for line in out.decode().splitlines()]
        self.did += did
        return did

    def posts(self, channel: str) -> list[str]:
        """What was posted there unasked."""
        sent = (s for s in self.teams.posts(channel) if ";" not in s.conversation)
        return [s.card.words for s in sent]


def batches[T](values: Sequence[T], size: int) -> list[Sequence[T]]:
    return [values[i : i + size] for i in range(0, len(values), size)]


@pytest.fixture
async def partnership(bot: RunningBot, teams: Teams) -> Partnership:
    """Opened by a facilitator's form; moderators have registered."""
    bot.more_settings = {"SNAPSHOT_TENANTS": ",".join(TENANTS)}
    await bot.restarts()
    await bot.stops_working()
    await forget_the_sample(bot)
    facilitator, moderator = teams.person("Fay"), teams.person("Mo")
    here, there = teams.channel("facilitators"), teams.channel("moderators")
    form = {**only_headcounts(**HEADCOUNTS), "deadline": "2026-03-12", "deadline_time": "17:00"}
    await opens(facilitator, here, form)
    shown = await facilitator.presses_in(here, "Show the moderators' code")
    code = shown.words.partition("moderate ")[2][:8]
    await moderator.posts(f"moderate {code}", there)
    labels = [o.label for o in bot.app.service.pack.instrument.practice.options]
    return Partnership(bot, teams, practitioners(teams, labels, Random(300)), here, there)


async def forget_the_sample(bot: RunningBot) -> None:
    """The fixture's own snapshot, which would be open to the same people."""
    for running in await bot.app.service.directory.all(fresh=True):
        await bot.app.service.records.delete(running.record)
    assert await bot.app.service.directory.all(fresh=True) == []


async def test_three_hundred_people_over_twelve_days(partnership: Partnership) -> None:
    here = partnership
    moderator = here.teams.person("Mo")
    assert await here.ticks(day=0, hour=9) == ["posted-opening"]
    for day in range(3):
        await here.day(day)
    assert await here.ticks(day=3, hour=2) == ["mixed"]
    await here.day(3)
    assert "interim-summary" in await here.ticks(day=4, hour=9, minute=30)
    await reads_the_comments(moderator, here.moderators)
    for day in (4, 5):
        await here.day(day)
    assert await here.ticks(day=6, hour=2) == ["mixed"]
    await here.day(6)
    assert "interim-summary" in await here.ticks(day=7, hour=9, minute=30)
    await reads_the_comments(moderator, here.moderators)
    for day in (7, 8):
        await here.day(day)
    assert await here.ticks(day=9, hour=2) == ["mixed"]
    await extends(here, "2026-03-14")
    await here.day(9)
    assert "interim-summary" not in await here.ticks(day=10, hour=9, minute=30), "one a week"
    for day in (10, 11):
        await here.day(day)
    assert await here.ticks(day=12, hour=2) == ["mixed"]
    assert await here.ticks(day=12, hour=17) == ["closed", "posted-final"]
    assert "comments-queued" in await here.ticks(day=14, hour=9, minute=30)
    await reads_the_comments(moderator, here.moderators)
    assert await here.ticks(day=14, hour=9, minute=31) == []

    await every_ballot_was_counted_once(here)
    await the_summary_says_what_people_pressed(here)
    await comments_came_out_once(here)
    assert here.did.count("mixed") == 4
    assert here.did.count("posted-interim") == 2
    assert here.did.count("posted-extension") == 1
    words_of_comments_stay_among_moderators(here)


async def extends(here: Partnership, day: str) -> None:
    facilitator = here.teams.person("Fay")
    await facilitator.posts("extend", here.facilitators)
    shown = await facilitator.presses_in(
        here.facilitators,
        "Move the deadline",
        {"deadline": day, "reason": "Half term came in between."},
    )
    assert "Half term came in between." in shown.words


async def reads_the_comments(moderator: PersonHere, channel: str) -> None:
    """Approve one, paraphrase the next, and so on, until none is left."""
    await moderator.posts("comments", channel)
    if "Read the comments" not in seen(moderator).buttons:
        return
    shown = await moderator.presses_in(channel, "Read the comments")
    decisions = iter(["approve", "paraphrase", "hide"] * 40)
    while "Save and go on" in shown.buttons:
        typed = {"decision": next(decisions)}
        if typed["decision"] == "paraphrase":
            typed["paraphrase"] = "They would like more of it."
        shown = await moderator.presses_in(channel, "Save and go on", typed)


# -- what must have come out ----------------------------------------------------------------------


async def the_snapshot(here: Partnership) -> Running:
    (running,) = await here.bot.app.service.directory.all(fresh=True)
    return running


def notes_of(here: Partnership) -> Notes:
    """The cell and the option ids of everybody who sent, from their own notes."""
    instrument = here.bot.app.service.pack.instrument
    option = {o.label: str(o.id) for o in instrument.practice.options}
    agency = {a.label: str(a.id) for a in instrument.agencies}
    small = {"probation_youth_justice", "voluntary_community", "housing_other"}
    return [
        (
            "other" if agency[p.agency] in small else agency[p.agency],
            {s.id: option[o] for s, o in zip(instrument.statements, p.options, strict=True)},
        )
        for p in here.everybody
        if p.has_sent
    ]


async def every_ballot_was_counted_once(here: Partnership) -> None:
    running, records = await the_snapshot(here), here.bot.app.service.records
    instrument = here.bot.app.service.pack.instrument
    expected = Counter(
        (cell, domain.id, tuple(chosen[s.id] for s in instrument.of_domain(domain.id)))
        for cell, chosen in notes_of(here)
        for domain in instrument.domains
    )
    found = [
        Slip.from_json(r.id, r.body) for r in await records.read_all(running.snapshot.id, Kind.SLIP)
    ]
    assert Counter((s.cell, s.domain, s.choices) for s in found) == expected
    tallies = await all_tallies(records, running.snapshot.id)
    assert sum(t.people for t in tallies) == len(notes_of(here))
    assert all(running.snapshot.k <= t.people <= 100 for t in tallies)
    states = Counter(h.state for h in await records.heads(running.snapshot.id, Kind.ENVELOPE))
    assert states == {
        "released": len(notes_of(here)),
        "withdrawn": sum(p.withdraws and not p.never_sends for p in here.everybody),
        "expired": sum(p.never_sends for p in here.everybody),
    }


async def the_summary_says_what_people_pressed(here: Partnership) -> None:
    """Worked out from the notes, without the code under test; printed rounded, ends coded.

    Which cells were weighed as one is read from the publication: after interim summaries that
    depends on which batches people came in (docs/decisions/0005).
    """
    running, records = await the_snapshot(here), here.bot.app.service.records
    found = await final_summary(records, running.snapshot.id)
    assert found
    summary, publication = found
    bases = bases_in(publication) or {}
    everything = {t.id for t in await all_tallies(records, running.snapshot.id)}
    assert abs(summary.people - len(notes_of(here))) <= 2
    instrument = here.bot.app.service.pack.instrument
    for figures in summary.domains:
        of_domain = {s.id: bases[s.id] for s in instrument.of_domain(figures.domain)}
        groups = {s: [(g.cells, g.headcount) for g in b.groups] for s, b in of_domain.items()}
        assert all(sum(n for _, n in weighed) == 733 for weighed in groups.values())
        ideal = ideal_figures(notes_of(here), groups)
        is_whole = all(basis.tallies == everything for basis in of_domain.values())
        slack = summary.step / 2 if is_whole else LEFT_OUT
        for name, exact in ideal.items():
            printed = getattr(figures, name)
            assert is_printed_as(exact, printed, slack), (figures.domain, name)
    posted = here.posts(here.facilitators)[-1]
    assert f"about {summary.people} practitioners" in posted


def is_printed_as(exact: float, printed: Figure, slack: float) -> bool:
    if printed.end is End.UNDER:
        return exact < printed.value + slack
    if printed.end is End.OVER:
        return exact > printed.value - slack
    return abs(exact - printed.value) <= slack + 1e-9


async def comments_came_out_once(here: Partnership) -> None:
    running, records = await the_snapshot(here), here.bot.app.service.records
    found = await records.read_all(running.snapshot.id, Kind.COMMENT)
    written = [p.comment for p in here.everybody if p.has_sent and p.comment]
    states = Counter(r.state for r in found)
    assert len(found) == len(written) >= 10
    assert set(states) == {CommentState.APPROVED, CommentState.PARAPHRASED, CommentState.HIDDEN}
    assert all(set(r.body) == {"sealed"} for r in found)


def words_of_comments_stay_among_moderators(here: Partnership) -> None:
    """No message that was ever sent holds one: moderators see them only in answers to a tap."""
    everything = json.dumps([dict(s.activity) for s in here.teams.sent])
    assert not [words for words in COMMENTS if words in everything]
