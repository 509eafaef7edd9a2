"""Comments and those who moderate them, in the words of the stories."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.rehearsal.teams import PersonHere, Sent, Shown, Teams
from snapshot.comments import opened
from snapshot.envelope import Ballot, Contact, Envelope, State
from snapshot.instrument import DomainId, OptionId
from snapshot.opening import Running
from snapshot.ports import Kind, Record
from snapshot.sealing import Person
from snapshot.snapshot import CellId
from snapshot.survey import from_record, to_record
from tests.stories.conftest import RunningBot
from tests.stories.people import begins

AWARENESS = "comment.awareness"
PREVENTION = "comment.prevention"
DOMAINS = (
    "awareness",
    "prevention",
    "initial-response",
    "effective-assessment",
    "recovery-support",
)
BOXES = tuple(f"comment.{domain}" for domain in DOMAINS)


async def the_snapshot(bot: RunningBot) -> Running:
    (running,) = await bot.app.service.directory.all()
    return running


# -- practitioners ------------------------------------------------------------------------------


async def gets_to_the_end(person: PersonHere, bot: RunningBot) -> Shown:
    """Begin, have all statements answered in the store, and look at the card that comes next."""
    await begins(person, "Police")
    running, record = await the_snapshot(bot), await envelope_of(person, bot)
    envelope = replace(from_record(record, running.sealer), ballot=full_ballot(bot))
    after = to_record(envelope, running.snapshot.id, running.sealer)
    await bot.app.service.records.replace(after)
    await person.types("start")
    return await person.opens_the_chat()


async def envelope_of(person: PersonHere, bot: RunningBot) -> Record:
    running = await the_snapshot(bot)
    tag = running.sealer.tag(Person(person.tenant, person.object_id))
    return await bot.app.service.records.read(running.snapshot.id, Kind.ENVELOPE, tag)


async def ballot_of(person: PersonHere, bot: RunningBot) -> Ballot:
    running, record = await the_snapshot(bot), await envelope_of(person, bot)
    ballot = from_record(record, running.sealer).ballot
    assert ballot
    return ballot


async def comments_of(person: PersonHere, bot: RunningBot) -> Mapping[DomainId, str] | None:
    """What stands inside the seal; None: the card has not been saved."""
    return (await ballot_of(person, bot)).comments


async def contact_of(person: PersonHere, bot: RunningBot) -> Contact:
    running, record = await the_snapshot(bot), await envelope_of(person, bot)
    return Contact(**running.sealer.open(record.body["contact"], "contact", record.id))


async def have_sent(
    bot: RunningBot,
    *,
    comments: Sequence[Mapping[str, str]],
    people: Sequence[PersonHere] = (),
    running: Running | None = None,
    option: str = "mostly",
) -> None:
    """One person for each of these has sent answers to all statements, straight into the store.

    The first of them are `people`, the others nobody in particular. `running`: which snapshot,
    where there are several; `option`: what they answer everywhere.
    """
    running = running or await the_snapshot(bot)
    known = [Person(person.tenant, person.object_id) for person in people]
    strangers = [Person("sample", f"{bot.clock()} {n}") for n in range(len(known), len(comments))]
    for person, said in zip([*known, *strangers], comments, strict=True):
        written = {DomainId(domain): words for domain, words in said.items()}
        ballot = replace(full_ballot(bot, option), sent=True, comments=written)
        envelope = Envelope(running.sealer.tag(person), State.SUBMITTED, ballot, contact=None)
        record = to_record(envelope, running.snapshot.id, running.sealer)
        await bot.app.service.records.create(record)


def full_ballot(bot: RunningBot, option: str = "mostly") -> Ballot:
    statements = bot.app.service.pack.instrument.statements
    answers = {statement.id: OptionId(option) for statement in statements}
    return Ballot(CellId("police"), answers, revision=len(answers))


# -- moderators ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Channels:
    """The two channels of a snapshot, with somebody in each."""

    fay: PersonHere
    facilitators: str
    mo: PersonHere
    moderators: str
    code: str

    def heard(self, teams: Teams) -> list[Sent]:
        """What was posted in the moderators' channel unasked."""
        return unasked(teams, self.moderators)


def unasked(teams: Teams, channel: str) -> list[Sent]:
    return [sent for sent in teams.posts(channel) if ";" not in sent.conversation]


async def code_on_the_status_card(facilitator: PersonHere, channel: str) -> str:
    await facilitator.posts("status", channel)
    shown = await facilitator.presses_in(channel, "Show the moderators' code")
    found = re.search(r"moderate ([A-Z2-9]{8})\b", shown.words)
    assert found, shown.words
    return found[1]


async def moderators_register(teams: Teams) -> Channels:
    fay, facilitators = teams.person("Fay"), teams.channel()
    code = await code_on_the_status_card(fay, facilitators)
    mo, moderators = teams.person("Mo"), teams.channel("moderators")
    shown = await mo.posts(f"moderate {code}", moderators)
    assert "now moderates the comments for Exampleshire" in shown.words
    return Channels(fay, facilitators, mo, moderators, code)


async def words_in(bot: RunningBot) -> list[tuple[str, str]]:
    """The comments that are kept, by domain and words."""
    running = await the_snapshot(bot)
    found = [opened(running, record) for record in await comments_in(bot)]
    return [(comment.domain, comment.text) for comment in found]


async def comments_in(bot: RunningBot) -> list[Record]:
    running = await the_snapshot(bot)
    return await bot.app.service.records.read_all(running.snapshot.id, Kind.COMMENT)


# -- where words are ----------------------------------------------------------------------------


def rich_text(shown: Shown) -> list[str]:
    """What is shown as it stands, without being taken for markdown."""
    return [run["text"] for block in _rich(shown.card) for run in block["inlines"]]


def _rich(element: Any) -> list[Any]:
    inner = [*element.get("body", ()), *element.get("items", ()), *element.get("columns", ())]
    here = [element] if element["type"] == "RichTextBlock" else []
    return here + [found for each in inner for found in _rich(each)]


def bytes_of(folder: Path) -> bytes:
    return b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())
