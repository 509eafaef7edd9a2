"""The strategic session of a rehearsal: partners, all statements, and who disagrees."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from bot.rehearsal.gallery import Viewer
from bot.rehearsal.people import TENANTS
from bot.rehearsal.stage import GoesWrong, Stage, only
from bot.rehearsal.teams import Json, PersonHere, Shown
from bot.rehearsal.words import DISSENT, EVIDENCE, SESSION_NOTE
from cards.verbs import Verb
from snapshot.instrument import OptionId, Scale, Statement
from snapshot.session import Ratings, strategic_of

_MOST_PARTNERS, _FEWEST_PARTNERS = 12, 3
_PEOPLE_FOR_A_PARTNER = 25

_HARD = 4
"""At every fourth statement they rate twice, and one agency does not agree."""

_LEADERS_SEE = (3, 3, 2, 3, 2)
"""The best that any of them says of a domain, in their order, by the points of the scale."""

_LOOK_AGAIN_S = 0.1
_TRIES = 100


@dataclass
class Agreement:
    """What the facilitator wrote down, in the order of the statements; how many rated how often.

    `wrong`: what the bot made of it otherwise.
    """

    pairs: list[Ratings] = field(default_factory=list)
    ratings: int = 0
    dissent: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class Room:
    """The session's one message: `thread` is where it stands, `look` what asks for one's card."""

    stage: Stage
    thread: str
    look: Json
    facilitator: PersonHere
    partners: Sequence[PersonHere]
    given: dict[str, Ratings] = field(default_factory=dict)

    async def sees(self, person: PersonHere) -> Shown:
        """One's own card, as Teams asks for it after each edit."""
        return await self.presses(person, self.look)

    async def presses(self, person: PersonHere, action: Json, **typed: str) -> Shown:
        viewer = Viewer.FACILITATOR if person is self.facilitator else Viewer.PARTNER
        return await self.stage.presses_in(person, self.thread, action, typed, viewer)

    async def writes(self, verb: Verb, **typed: str) -> Shown:
        """What a form of the facilitator's takes, once the message is up to date."""
        for _ in range(_TRIES):
            shown = await self.sees(self.facilitator)
            shown = await self.presses(self.facilitator, shown.actions(verb)[0])
            if shown.inputs:
                return await self.presses(self.facilitator, only(shown, verb, save=True), **typed)
            self.stage.late += 2
            await asyncio.sleep(_LOOK_AGAIN_S)
        raise GoesWrong("a form of the session did not open")

    async def moves(self, verb: Verb) -> Shown:
        shown = await self.sees(self.facilitator)
        return await self.presses(self.facilitator, only(shown, verb))


async def hold_session(
    stage: Stage, facilitator: PersonHere, channel: str, how_many: int, dice: Random
) -> Agreement:
    """`how_many` partners."""
    room = await _opens(stage, facilitator, channel, how_many)
    agreement = Agreement()
    await _all(_joins(room, n) for n in range(len(room.partners)))
    statements = stage.instrument.statements
    for number, statement in enumerate(statements):
        is_hard = number % _HARD == 0
        await _rates(room, agreement, statement, dice, spread=2 if is_hard else 1)
        if is_hard:
            await room.moves(Verb.AGAIN)
            await _rates(room, agreement, statement, dice, spread=1)
        await _agrees(room, agreement, is_hard=is_hard)
        if statement is not statements[-1]:
            await room.moves(Verb.NEXT)
        stage.advance()
    await _looks_at_all(room, agreement)
    return agreement


def partners_among(people: int) -> int:
    """How many come to a session in an area of so many practitioners."""
    return min(_MOST_PARTNERS, max(_FEWEST_PARTNERS, people // _PEOPLE_FOR_A_PARTNER))


async def _opens(stage: Stage, facilitator: PersonHere, channel: str, how_many: int) -> Room:
    shown = await stage.asks(facilitator, "session", channel)
    look = {**only(shown, Verb.JOIN), "verb": Verb.SESSION}
    partners = [
        stage.teams.person(f"Partner {n}", tenant=TENANTS[0], locale=stage.language)
        for n in range(how_many)
    ]
    return Room(stage, stage.teams.posts(channel)[-1].conversation, look, facilitator, partners)


async def _joins(room: Room, number: int) -> None:
    agencies, partner = room.stage.instrument.agencies, room.partners[number]
    shown = await room.presses(partner, {**room.look, "verb": Verb.JOIN})
    agency = agencies[number % len(agencies)].id
    await room.presses(partner, only(shown, Verb.JOIN, agency=agency))


async def _rates(
    room: Room, agreement: Agreement, statement: Statement, dice: Random, *, spread: int
) -> None:
    """Around what leaders see of a domain, further apart at first where a statement is hard."""
    instrument = room.stage.instrument
    strategic = strategic_of(instrument)
    domain = next(n for n, d in enumerate(instrument.domains) if d.id == statement.domain)
    middle = _LEADERS_SEE[domain % len(_LEADERS_SEE)]
    for partner in room.partners:
        progress = strategic.progress.options[middle - spread + dice.randrange(spread + 1)].id
        evidence = strategic.evidence.options[1 + dice.randrange(2)].id
        room.given[partner.id] = Ratings(progress, evidence)
    await _all(_taps(room, partner) for partner in room.partners)
    agreement.ratings += len(room.partners)
    shown = await room.moves(Verb.REVEAL)
    if not _are_counted(room, shown):
        agreement.wrong.append(f"ratings of {statement.id} were lost or doubled")


async def _taps(room: Room, partner: PersonHere) -> None:
    """One tap for each scale; what is chosen already from the round before is saved as it is."""
    given, shown = room.given[partner.id], await room.sees(partner)
    for scale, option in (("progress", given.progress), ("evidence", given.evidence)):
        shown = await room.presses(partner, only(shown, Verb.RATE, **{scale: option}))


def _are_counted(room: Room, shown: Shown) -> bool:
    """As many stand behind each option as partners chose it."""
    strategic, found = strategic_of(room.stage.instrument), Counter(shown.words.splitlines())
    sides: tuple[tuple[Scale, Callable[[Ratings], OptionId]], ...] = (
        (strategic.progress, lambda r: r.progress),
        (strategic.evidence, lambda r: r.evidence),
    )
    wanted: Counter[str] = Counter()
    for scale, side in sides:
        chosen = Counter(side(ratings) for ratings in room.given.values())
        wanted.update(
            room.stage.wording.word("chosen", option=option.label, count=chosen[option.id])
            for option in scale.options
        )
    return wanted <= found


async def _agrees(room: Room, agreement: Agreement, *, is_hard: bool) -> None:
    """On what most of them chose."""
    language, given = room.stage.language, room.given.values()
    progress = Counter(r.progress for r in given).most_common(1)[0][0]
    evidence = Counter(r.evidence for r in given).most_common(1)[0][0]
    agreement.pairs.append(Ratings(progress, evidence))
    note, named = SESSION_NOTE[language], EVIDENCE[language]
    words = {"note": note if is_hard else "", "evidence_named": named}
    await room.writes(Verb.AGREE, progress=progress, evidence=evidence, **words)
    if is_hard:
        agency = room.stage.instrument.agencies[2].id
        await room.writes(Verb.DISSENT, dissent_agency=agency, dissent=DISSENT[language])
        agreement.dissent += 1


async def _looks_at_all(room: Room, agreement: Agreement) -> None:
    """The list of all that was agreed has each pair as it was written down."""
    shown = await room.moves(Verb.MORE)
    shown = await room.presses(room.facilitator, only(shown, Verb.AGREED))
    strategic = strategic_of(room.stage.instrument)
    lines = shown.words.splitlines()
    for statement, pair in zip(room.stage.instrument.statements, agreement.pairs, strict=True):
        progress, evidence = (
            strategic.progress.option(pair.progress),
            strategic.evidence.option(pair.evidence),
        )
        said = room.stage.wording.word(
            "agreed_pair",
            progress=progress.label if progress else "",
            evidence=evidence.label if evidence else "",
        )
        if lines[lines.index(statement.short) + 1] != said:
            agreement.wrong.append(f"what was agreed on {statement.id} was lost")


async def _all(doing: Iterable[Awaitable[None]]) -> None:
    await asyncio.gather(*doing)
