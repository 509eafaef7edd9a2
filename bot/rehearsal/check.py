"""Whether anything was lost or doubled, by what the made-up people themselves know.

The only code outside the core that looks at slips and tallies: of a store that the rehearsal has
made, filled with answers that it made up, and throws away.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import unescape
from zipfile import ZipFile

from bot.rehearsal.acts import CHANNEL, MODERATORS, Cast
from bot.rehearsal.gallery import Viewer
from bot.rehearsal.practitioners import Part
from bot.rehearsal.stage import Kind, Stage, kind_of
from snapshot.instrument import Instrument
from snapshot.ports import DIRECTORY, Record, Records, SnapshotId
from snapshot.ports import Kind as Stored
from snapshot.publication import Outbox, Topic, find, id_of, topic_of

_ONCE = (Topic.OPENING, Topic.EXTENSION, Topic.FINAL, Topic.REPORT)
"""What the facilitators' channel hears exactly once in this story."""

_LATE = ("TimeoutError", "Unavailable")
_LEAD_REMINDERS = 3
_MOST_LEFT_OUT = 3
"""So many times k answers: that few agency groups may have too little news at the end."""

type Count = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store holds at the end."""

    slips: tuple[Record, ...]
    tallies: tuple[Record, ...]
    comments: int
    publications: tuple[Record, ...]
    final: Mapping[str, Any]


async def kept_in(records: Records) -> Kept:
    (snapshot,) = await records.read_all(DIRECTORY, Stored.SNAPSHOT)
    id = SnapshotId(snapshot.id)
    final = await find(records, id, id_of(Topic.FINAL))
    return Kept(
        tuple(await records.read_all(id, Stored.SLIP)),
        tuple(await records.read_all(id, Stored.TALLY)),
        len(await records.heads(id, Stored.COMMENT)),
        tuple(await records.read_all(id, Stored.PUBLICATION)),
        final.body if final else {},
    )


def complaints(stage: Stage, cast: Cast, kept: Kept) -> list[str]:
    """What was lost, doubled or wrong, each in a sentence; empty: all is as it should be."""
    return [
        *_of_answers(stage.instrument, cast, kept),
        *_of_figures(stage.instrument, cast, kept),
        *_of_comments(cast, kept),
        *_of_messages(stage),
        *_of_posts(stage, kept),
        *cast.agreement.wrong,
        *_of_the_plan(cast),
    ]


def errors_in(log: Path) -> list[str]:
    """What the bot itself found wrong, but that it was late: then it asks people to try again."""
    found = []
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            found.append(f"the bot's log has a line that is none of its own: {line[:80]}")
            continue
        if said.get("level") == "error" and said.get("error") not in _LATE:
            found.append(f"the bot logged an error: {said['event']} {said.get('error', '')}")
    return found


# -- answers --------------------------------------------------------------------------------------


def _of_answers(instrument: Instrument, cast: Cast, kept: Kept) -> Iterator[str]:
    """Each domain's answers of each person stand on one slip, and on no other."""
    given = Counter(
        (domain.id, tuple(person.answers[s.id] for s in instrument.of_domain(domain.id)))
        for person in cast.in_part(Part.SENT)
        for domain in instrument.domains
    )
    found = Counter((r.body["domain"], tuple(r.body["choices"])) for r in kept.slips)
    lost, more = (given - found).total(), (found - given).total()
    if lost:
        yield f"{lost} of {given.total()} sets of answers to a domain were lost"
    if more:
        yield f"{more} sets of answers to a domain were doubled, or are nobody's"


def _of_figures(instrument: Instrument, cast: Cast, kept: Kept) -> Iterator[str]:
    """What the final figures rest on is what people answered, each of them counted once."""
    if not kept.final:
        yield "there are no final figures"
        return
    sent = cast.in_part(Part.SENT)
    counted_in = {r.id: r.body for r in kept.tallies}
    if (counted := sum(b["people"] for b in counted_in.values())) != len(sent):
        yield f"{len(sent)} people sent their answers, and {counted} were counted"
    for statement in instrument.statements:
        basis = kept.final["bases"].get(statement.id, {"tallies": []})
        given = Counter(person.answers[statement.id] for person in sent)
        found = _added_up(counted_in[t]["counts"][statement.id] for t in basis["tallies"])
        left_out = _added_up(
            body["counts"][statement.id]
            for id, body in counted_in.items()
            if id not in basis["tallies"]
        )
        # Too few to be told apart from what was published before: they wait, by the rules.
        if _added_up([found, left_out]) != given:
            yield f"the final figures of {statement.id} rest on other answers than people gave"
        yield from _too_many_left_out(statement.id, left_out, kept.final["k"])
    yield from _of_shares(instrument, cast, kept)


def _too_many_left_out(statement: str, left_out: Count, k: int) -> Iterator[str]:
    if (n := sum(left_out.values())) >= k * _MOST_LEFT_OUT:
        yield f"the final figures of {statement} leave out {n} answers"


def _of_shares(instrument: Instrument, cast: Cast, kept: Kept) -> Iterator[str]:
    """Worked out anew from what people know; a figure is rounded, and an end is only a side."""
    favourable, scored = instrument.limits.favourable, instrument.scores
    everything = {r.id for r in kept.tallies}
    for domain in kept.final["domains"]:
        ids = [s.id for s in instrument.of_domain(domain["domain"])]
        bases = [kept.final["bases"][id] for id in ids]
        if not all(b["groups"] and set(b["tallies"]) == everything for b in bases):
            continue
        given = [p.answers[id] for p in cast.in_part(Part.SENT) for id in ids]
        of = sum(option in scored for option in given)
        share = 100 * sum(option in favourable for option in given) / of
        if (printed := domain["favourable"]) and not _fits(printed, share, kept.final["step"]):
            yield f"the favourable share of {domain['domain']} is not what people answered"


def _fits(printed: Mapping[str, Any], share: float, step: int) -> bool:
    value: int = printed["value"]
    match printed["end"]:
        case "under":
            return share < value
        case "over":
            return share > value
        case _:
            return abs(share - value) <= step


def _added_up(counts: Iterable[Count]) -> Counter[str]:
    found: Counter[str] = Counter()
    for count in counts:
        found.update(count)
    return found


# -- comments -------------------------------------------------------------------------------------


def _of_comments(cast: Cast, kept: Kept) -> Iterator[str]:
    written = Counter(
        words for person in cast.in_part(Part.SENT) for words in person.made.comments.values()
    )
    if kept.comments != written.total():
        yield f"{written.total()} comments were sent, and {kept.comments} are kept"
    if lost := (written - cast.read).total():
        yield f"{lost} of {written.total()} comments were shown to no moderator"
    if more := (cast.read - written).total():
        yield f"{more} comments were shown twice, or are nobody's"


def _of_the_plan(cast: Cast) -> Iterator[str]:
    """Each action stands on the plan once, and in the report."""
    lines = Counter(cast.plan.splitlines())
    report = _words_in_word(cast.files)
    for title in cast.planned:
        if lines[title] != 1:
            yield f"an action stands on the plan {lines[title]} times, and not once"
        if title not in report:
            yield "an action is not in the report"


def _words_in_word(files: Mapping[str, bytes]) -> str:
    """Of the report as a Word file, which is the easiest to read."""
    for name, content in files.items():
        if name.endswith(".docx"):
            with ZipFile(io.BytesIO(content)) as packed:
                return unescape(packed.read("word/document.xml").decode())
    return ""


# -- messages -------------------------------------------------------------------------------------


def messages(stage: Stage) -> Counter[tuple[str, Kind]]:
    """What came in private chats, by chat and kind. A greeting looks like a reply.

    What facilitators are told of the report is not counted here, but its files where they come.
    """
    return Counter(
        (person.object_id, kind_of(sent.card) or Kind.REPLY)
        for person in stage.teams.members()
        if stage.viewers.get(person.chat) is not Viewer.FACILITATOR_ALONE
        for sent in stage.received(person.object_id)
    )


def _of_messages(stage: Stage) -> Iterator[str]:
    expected: Counter[tuple[str, Kind]] = Counter()
    for (id, kind), times in stage.expected.items():
        expected[id, Kind.REPLY if kind is Kind.GREETING else kind] += times
    came = messages(stage)
    for kind in (Kind.REPLY, Kind.UNFINISHED, Kind.LEADS):
        wanted = Counter({key: n for key, n in expected.items() if key[1] is kind})
        found = Counter({key: n for key, n in came.items() if key[1] is kind})
        name = "reply or greeting" if kind is Kind.REPLY else kind
        if lost := (wanted - found).total():
            yield f"{lost} of {wanted.total()} messages of the kind {name} did not come"
        if more := (found - wanted).total():
            yield f"{more} messages of the kind {name} came that nobody was to get"
    if stage.deeds["leads-reminded"] != _LEAD_REMINDERS:
        yield f"leads were reminded {stage.deeds['leads-reminded']} times, not {_LEAD_REMINDERS}"
    if not stage.deeds["unfinished-reminded"]:
        yield "nobody who had begun was reminded"


def _of_posts(stage: Stage, kept: Kept) -> Iterator[str]:
    """Each publication that is not silent came to its channel once."""
    waiting = [p.id for p in kept.publications if p.state == Outbox.RECORDED]
    if waiting:
        yield f"{len(waiting)} posts still wait to be sent: {', '.join(waiting)}"
    topics = Counter(topic_of(p.id) for p in kept.publications if p.state != Outbox.SILENT)
    posted = sum(len(stage.unasked(channel)) for channel in (CHANNEL, MODERATORS))
    if posted != topics.total():
        yield f"{topics.total()} posts were to come to the channels, and {posted} came"
    for topic in _ONCE:
        if topics[topic] != 1 or stage.deeds[f"posted-{topic}"] != 1:
            yield f"the post on the topic {topic} was to come once"
