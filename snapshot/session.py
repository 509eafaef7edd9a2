"""The session in which strategic partners come to one rating of each statement.

Everybody rates alone; the facilitator shows the spread; the group talks, rates again if it likes,
and the facilitator writes down what was agreed. Not anonymous: a partner speaks for an agency. What
each had rated is deleted once the pair is agreed.

Partners write records of their own, so sixty of them may rate in the same second; the session's own
record is written by facilitators alone, and each of their acts says what it was looking at, so
that of two who press at once, one acts. All is sealed under the service's key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from typing import Any, Self

from snapshot.attempts import Attempts
from snapshot.errors import NotOffered
from snapshot.instrument import (
    DONT_KNOW,
    AgencyId,
    Instrument,
    NearRule,
    OptionId,
    Scale,
    Statement,
    StatementId,
    Strategic,
)
from snapshot.opening import Running
from snapshot.ports import Changed, Exists, Kind, Missing, Record, Records
from snapshot.sealing import PARTNER_BYTES, Person

MOST_PARTNERS = 60
"""As many as Teams shows a card of their own in one conversation."""

MOST_NOTE = 2_000
"""Characters, of a note, of evidence that is named, and of what somebody does not agree with."""

_ID = "session"


class Stage(StrEnum):
    RATING = "rating"
    REVEALED = "revealed"
    AGREED = "agreed"


@dataclass(frozen=True, slots=True)
class Ratings:
    """One of them may be empty for somebody who has not finished: then they have not rated."""

    progress: OptionId
    evidence: OptionId

    @property
    def is_whole(self) -> bool:
        return bool(self.progress and self.evidence)


_NO_RATINGS = Ratings(OptionId(""), OptionId(""))


@dataclass(frozen=True, slots=True)
class Spread:
    """How often each option was chosen, the ones that nobody chose left out."""

    progress: Mapping[OptionId, int]
    evidence: Mapping[OptionId, int]
    near: bool


@dataclass(frozen=True, slots=True)
class Dissent:
    agency: AgencyId
    note: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """`named`: the evidence that partners pointed to. `near`: whether they had rated alike."""

    ratings: Ratings
    note: str = ""
    named: str = ""
    dissent: tuple[Dissent, ...] = ()
    near: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """What somebody looks at when they act: a statement, which round of it, and how far that is."""

    statement: StatementId
    round: int
    stage: Stage


@dataclass(frozen=True, slots=True)
class Session:
    """`place`: the conversation that it is held in. `rounds`: of each statement, the last one.

    `card`: where the message that everybody sees stands, in Teams' own terms; empty before it does.
    """

    place: str
    moment: Moment
    rounds: Mapping[StatementId, int] = field(default_factory=dict)
    spread: Spread | None = None
    agreed: Mapping[StatementId, Agreed] = field(default_factory=dict)
    paused: bool = False
    card: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "etag"}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`."""
        moment, spread = value["moment"], value["spread"]
        return cls(
            place=value["place"],
            moment=Moment(moment["statement"], moment["round"], Stage(moment["stage"])),
            rounds=value["rounds"],
            spread=Spread(**spread) if spread else None,
            agreed={s: _agreed_from_json(found) for s, found in value["agreed"].items()},
            paused=value["paused"],
            card=value["card"],
        )


@dataclass(frozen=True, slots=True)
class Partner:
    """Somebody who rates. `given`: their last ratings of each statement that is not yet agreed.

    `called` is what Teams calls them, who have a card of their own.
    """

    id: str
    agency: AgencyId
    given: Mapping[StatementId, tuple[int, Ratings]] = field(default_factory=dict)
    called: str = ""

    def rated(self, moment: Moment) -> Ratings | None:
        """What they have rated in the round of this moment."""
        number, ratings = self.given.get(moment.statement, (0, _NO_RATINGS))
        return ratings if number == moment.round and ratings.is_whole else None

    def earlier(self, statement: StatementId) -> Ratings | None:
        """What they rated last, to start from."""
        return self.given[statement][1] if statement in self.given else None


# -- the facilitator ------------------------------------------------------------------------------


async def find(running: Running, records: Records) -> Session | None:
    """Raises `Damaged`."""
    try:
        record = await records.read(running.snapshot.id, Kind.SESSION, _ID)
    except Missing:
        return None
    found = running.service.open(record.body["sealed"], "session", running.snapshot.id)
    return replace(Session.from_json(found), etag=record.etag)


async def start(running: Running, records: Records, instrument: Instrument, place: str) -> Session:
    """Begin at the first statement, or go on where it was paused, in the same place or another."""
    strategic_of(instrument)
    attempts = Attempts()
    while True:
        attempts.begin()
        found = await find(running, records)
        if found is None:
            first = Moment(instrument.statements[0].id, 1, Stage.RATING)
            session = Session(place, first, {first.statement: 1})
        elif (found.place, found.paused) == (place, False):
            return found
        else:
            session = replace(found, place=place, paused=False)
        with suppress(Changed, Exists):
            return await _write(running, records, session)


async def reveal(
    running: Running, records: Records, instrument: Instrument, seen: Moment
) -> Session:
    """Show the spread of what has been rated by now. Raises `NotOffered` where nobody has rated."""
    if not any(p.rated(seen) for p in await partners(running, records)):
        raise NotOffered
    shown = replace(seen, stage=Stage.REVEALED)
    session = await _act(running, records, seen, lambda s: replace(s, moment=shown), Stage.RATING)
    return await with_spread(running, records, instrument, session)


async def with_spread(
    running: Running, records: Records, instrument: Instrument, session: Session
) -> Session:
    """Counted once no rating counts any more: whoever was told that theirs does is in it.

    Anybody may do it, since the one who had the ratings shown may have died in between.
    """
    if session.moment.stage is not Stage.REVEALED or session.spread:
        return session
    rated = [p.rated(session.moment) for p in await partners(running, records)]
    spread = spread_of([ratings for ratings in rated if ratings], strategic_of(instrument))
    with suppress(Changed):
        return await _write(running, records, replace(session, spread=spread))
    return await _found(running, records)


async def again(running: Running, records: Records, seen: Moment) -> Session:
    """Another round on the same statement."""
    stages = (Stage.REVEALED, Stage.AGREED)
    return await _act(running, records, seen, lambda s: _at(s, seen.statement), *stages)


async def agree(
    running: Running, records: Records, instrument: Instrument, seen: Moment, agreed: Agreed
) -> Session:
    """Write down what was agreed once the ratings were shown, and delete those; or mend it later.

    Dissent that was noted before stands unless there is other. Raises `NotOffered` for what is on
    no scale, for a dissent of no agency, and for words that are too long.
    """
    _check(instrument, agreed)

    def change(session: Session) -> Session:
        before = session.agreed.get(seen.statement, Agreed(agreed.ratings))
        is_mended = seen.stage is Stage.AGREED
        near = before.near if is_mended else bool(session.spread and session.spread.near)
        written = replace(agreed, near=near, dissent=agreed.dissent or before.dissent)
        told = {**session.agreed, seen.statement: written}
        moment = replace(seen, stage=Stage.AGREED)
        return replace(session, moment=moment, spread=None, agreed=told)

    session = await _act(running, records, seen, change, Stage.REVEALED, Stage.AGREED)
    await forget_agreed(running, records, session)
    return session


async def dissent(
    running: Running, records: Records, instrument: Instrument, seen: Moment, told: Dissent
) -> Session:
    """Note who does not agree with what was agreed, and why; without words, take it back.

    Raises `NotOffered` for no agency, for words that are too long, and where nothing is agreed.
    """

    def change(session: Session) -> Session:
        agreed = session.agreed[seen.statement]
        others = tuple(d for d in agreed.dissent if d.agency != told.agency)
        noted = replace(agreed, dissent=(*others, told) if told.note else others)
        return replace(session, agreed={**session.agreed, seen.statement: noted})

    _check_words(instrument, told.note, agencies=[told.agency])
    return await _act(running, records, seen, change, Stage.AGREED)


async def put_card(
    running: Running, records: Records, card: Mapping[str, str]
) -> Mapping[str, str]:
    """Note where the message that everybody sees stands; the one before it, empty for none."""
    attempts = Attempts()
    while True:
        attempts.begin()
        session = await _found(running, records)
        with suppress(Changed):
            await _write(running, records, replace(session, card=card))
            return session.card


async def go_to(
    running: Running,
    records: Records,
    instrument: Instrument,
    seen: Moment,
    statement: StatementId,
) -> Session:
    """Turn to any statement; what was agreed on it stands until something new is.

    Raises `NotOffered` when there is no such statement.
    """
    if instrument.statement(statement) is None:
        raise NotOffered
    return await _act(running, records, seen, lambda s: _at(s, statement), *Stage)


async def pause(running: Running, records: Records) -> Session:
    """Until somebody starts it again, perhaps after days."""
    attempts = Attempts()
    while True:
        attempts.begin()
        session = await _found(running, records)
        if session.paused:
            return session
        with suppress(Changed):
            return await _write(running, records, replace(session, paused=True))


async def forget_agreed(running: Running, records: Records, session: Session) -> None:
    """Delete ratings of what is agreed; again after one who died before they had done so.

    While an agreed statement is rated again, those ratings are kept until it is agreed anew.
    """
    current = session.moment
    agreed = set(session.agreed)
    if current.stage is not Stage.AGREED:
        agreed.discard(current.statement)
    for partner in await partners(running, records):
        if agreed & partner.given.keys():
            await _change(running, records, partner.id, lambda p: _without(p, agreed))


async def forget_words(running: Running, records: Records) -> bool:
    """Drop all that was said; which ratings were agreed stays. Whether there was anything."""
    attempts = Attempts()
    while True:
        attempts.begin()
        session = await find(running, records)
        if session is None:
            return False
        agreed = {s: Agreed(a.ratings, near=a.near) for s, a in session.agreed.items()}
        bare = replace(session, agreed=agreed, place="", card={})
        if bare == session:
            return False
        with suppress(Changed):
            await _write(running, records, bare)
            return True


# -- partners -------------------------------------------------------------------------------------


async def partners(running: Running, records: Records) -> list[Partner]:
    """Everybody who has joined, by id. Raises `Damaged`."""
    found = await records.read_all(running.snapshot.id, Kind.PARTNER)
    return [_opened(running, record) for record in found]


async def partner(running: Running, records: Records, person: Person) -> Partner | None:
    id = partner_id(running, person)
    try:
        return _opened(running, await records.read(running.snapshot.id, Kind.PARTNER, id))
    except Missing:
        return None


async def join(
    running: Running,
    records: Records,
    instrument: Instrument,
    person: Person,
    agency: str,
    called: str = "",
) -> Partner:
    """Speak for an agency from now on. What they have rated stands.

    Raises `NotOffered` for an unknown agency, or when as many as can be have joined.
    """
    await _found(running, records)
    if agency not in {a.id for a in instrument.agencies}:
        raise NotOffered
    id = partner_id(running, person)
    while await partner(running, records, person) is None:
        if len(await records.heads(running.snapshot.id, Kind.PARTNER)) >= MOST_PARTNERS:
            raise NotOffered
        with suppress(Exists):
            joined = Partner(id, AgencyId(agency), called=called)
            await records.create(_record(running, joined))
            return joined

    def change(partner: Partner) -> Partner:
        return replace(partner, agency=AgencyId(agency), called=called)

    return await _change(running, records, id, change)


async def leave(running: Running, records: Records, person: Person) -> None:
    """Nobody waits for them any more, and what they had rated is gone."""
    with suppress(Missing, Changed):
        id = partner_id(running, person)
        await records.delete(await records.read(running.snapshot.id, Kind.PARTNER, id))


async def rate(
    running: Running,
    records: Records,
    instrument: Instrument,
    person: Person,
    seen: Moment,
    ratings: Ratings,
) -> Partner:
    """Rate, or change one's mind until the ratings are shown; what is left empty stays as it was.

    Raises `NotOffered` for what is on no scale, for whoever has not joined, and when the ratings
    are shown already: then this one does not count.
    """
    strategic = strategic_of(instrument)
    for scale, option in (
        (strategic.progress, ratings.progress),
        (strategic.evidence, ratings.evidence),
    ):
        if option:
            _on(scale, option)
    _same(await _found(running, records), seen, Stage.RATING)

    def change(partner: Partner) -> Partner:
        before = partner.earlier(seen.statement) or _NO_RATINGS
        now = Ratings(ratings.progress or before.progress, ratings.evidence or before.evidence)
        if now == _NO_RATINGS:
            raise NotOffered
        return replace(partner, given={**partner.given, seen.statement: (seen.round, now)})

    rated = await _change(running, records, partner_id(running, person), change)
    _same(await _found(running, records), seen, Stage.RATING)
    return rated


def partner_id(running: Running, person: Person) -> str:
    parts = (running.snapshot.id, person.tenant, person.object_id)
    return running.service.name("partner", *parts)


# -- near agreement -------------------------------------------------------------------------------


def spread_of(given: Sequence[Ratings], strategic: Strategic) -> Spread:
    progress = Counter(r.progress for r in given)
    evidence = Counter(r.evidence for r in given)
    near = is_near(progress, strategic.progress, strategic.near) and is_near(
        evidence, strategic.evidence, strategic.near
    )
    return Spread(dict(progress), dict(evidence), near)


def is_near(chosen: Mapping[OptionId, int], scale: Scale, rule: NearRule) -> bool:
    """Whether ratings on one scale are near agreement; nobody agrees on not knowing."""
    steps = [o.id for o in scale.options if o.score is not None]
    places = [steps.index(option) for option in chosen if option in steps]
    unsure = Fraction(chosen.get(DONT_KNOW, 0), sum(chosen.values()) or 1)
    return (
        bool(places)
        and max(places) - min(places) <= rule.within_steps
        and unsure < rule.dont_know_under
    )


def after(instrument: Instrument, session: Session, statement: StatementId) -> Statement | None:
    """The next statement; after the last one, the first that nothing is agreed on."""
    following = instrument.statements[instrument.position(statement) :]
    left = (s for s in instrument.statements if s.id not in {*session.agreed, statement})
    return next(iter(following), None) or next(left, None)


def before(instrument: Instrument, statement: StatementId) -> Statement | None:
    position = instrument.position(statement)
    return instrument.statements[position - 2] if position > 1 else None


def strategic_of(instrument: Instrument) -> Strategic:
    """Raises `NotOffered` where the programme has no session."""
    if instrument.strategic is None:
        raise NotOffered
    return instrument.strategic


# -- inside ---------------------------------------------------------------------------------------


async def _act(
    running: Running,
    records: Records,
    seen: Moment,
    change: Callable[[Session], Session],
    *stages: Stage,
) -> Session:
    """Change the session if it stands where the facilitator saw it.

    Raises `NotOffered` when it does not, since somebody else was faster, and while it is paused.
    """
    attempts = Attempts()
    while True:
        attempts.begin()
        session = await _found(running, records)
        _same(session, seen, *stages)
        with suppress(Changed):
            return await _write(running, records, change(session))


def _same(session: Session, seen: Moment, *stages: Stage) -> None:
    if session.paused or session.moment != seen or seen.stage not in stages:
        raise NotOffered


def _at(session: Session, statement: StatementId) -> Session:
    number = session.rounds.get(statement, 0) + 1
    return replace(
        session,
        moment=Moment(statement, number, Stage.RATING),
        rounds={**session.rounds, statement: number},
        spread=None,
    )


async def _found(running: Running, records: Records) -> Session:
    session = await find(running, records)
    if session is None:
        raise NotOffered
    return session


async def _write(running: Running, records: Records, session: Session) -> Session:
    id = running.snapshot.id
    body = {"sealed": running.service.seal(session.as_json(), "session", id)}
    record = Record(id, Kind.SESSION, _ID, body, etag=session.etag)
    write = records.replace if session.etag else records.create
    return replace(session, etag=(await write(record)).etag)


async def _change(
    running: Running, records: Records, id: str, change: Callable[[Partner], Partner]
) -> Partner:
    """Until nobody else comes in between. Raises `NotOffered` for whoever has not joined."""
    attempts = Attempts()
    while True:
        attempts.begin()
        try:
            record = await records.read(running.snapshot.id, Kind.PARTNER, id)
        except Missing:
            raise NotOffered from None
        known = _opened(running, record)
        changed = change(known)
        if changed == known:
            return known
        with suppress(Changed):
            await records.replace(replace(_record(running, changed), etag=record.etag))
            return changed


def _record(running: Running, partner: Partner) -> Record:
    written = {**asdict(partner), "id": ""}
    id = running.snapshot.id
    sealed = running.service.seal(written, "partner", id, partner.id, size=PARTNER_BYTES)
    return Record(id, Kind.PARTNER, partner.id, {"sealed": sealed})


def _opened(running: Running, record: Record) -> Partner:
    sealed = record.body.get("sealed", "")
    written = running.service.open(sealed, "partner", running.snapshot.id, record.id)
    given = {s: (number, Ratings(**ratings)) for s, (number, ratings) in written["given"].items()}
    return Partner(record.id, written["agency"], given, written["called"])


def _without(partner: Partner, statements: set[StatementId]) -> Partner:
    return replace(partner, given={s: r for s, r in partner.given.items() if s not in statements})


def _check(instrument: Instrument, agreed: Agreed) -> None:
    strategic = strategic_of(instrument)
    _on(strategic.progress, agreed.ratings.progress)
    _on(strategic.evidence, agreed.ratings.evidence)
    words = [agreed.note, agreed.named, *(d.note for d in agreed.dissent)]
    _check_words(instrument, *words, agencies=[d.agency for d in agreed.dissent])


def _check_words(instrument: Instrument, *words: str, agencies: Sequence[AgencyId]) -> None:
    if any(len(text) > MOST_NOTE for text in words):
        raise NotOffered
    if set(agencies) - {a.id for a in instrument.agencies}:
        raise NotOffered


def _on(scale: Scale, option: OptionId) -> None:
    if scale.option(option) is None:
        raise NotOffered


def _agreed_from_json(value: Mapping[str, Any]) -> Agreed:
    dissent = tuple(Dissent(**found) for found in value["dissent"])
    return Agreed(**{**value, "ratings": Ratings(**value["ratings"]), "dissent": dissent})
