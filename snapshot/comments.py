"""Comments after the mix: a topic and the words, nothing that tells whose or when.

Both are sealed under the service's key and have one length: a database that dates what is written
shows who stayed long on the card for comments, and by the words one could tell who wrote which.
They wait for moderators, who approve, paraphrase, hide or escalate each. A record is never deleted,
since a slow worker could make it again: what nobody may read any more is overwritten.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from snapshot.errors import NotOffered
from snapshot.instrument import CommentRules, DomainId, Instrument
from snapshot.opening import Running
from snapshot.ports import (
    Changed,
    Exists,
    Kind,
    Missing,
    Record,
    Records,
    SnapshotId,
    Unavailable,
)
from snapshot.sealing import COMMENT_BYTES


class CommentState(StrEnum):
    MIXED = "mixed"
    """Not in the moderators' queue yet."""
    WAITING = "waiting"
    APPROVED = "approved"
    PARAPHRASED = "paraphrased"
    HIDDEN = "hidden"
    ESCALATED = "escalated"
    """Somebody may be at risk, and nobody has been told yet."""
    PASSED_ON = "passed-on"


class Decision(StrEnum):
    APPROVE = "approve"
    PARAPHRASE = "paraphrase"
    HIDE = "hide"
    ESCALATE = "escalate"


UNDECIDED = (CommentState.ESCALATED, CommentState.WAITING)
"""What moderators still have to do something about, the most urgent first."""

PRINTED = (CommentState.APPROVED, CommentState.PARAPHRASED)

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Comment:
    id: str
    domain: DomainId
    text: str
    state: CommentState


def mixed(running: Running, id: str, domain: DomainId, text: str) -> Record:
    """What the mix makes of a comment."""
    body = _sealed(running, id, domain, text)
    return Record(running.snapshot.id, Kind.COMMENT, id, body, state=CommentState.MIXED)


def opened(running: Running, record: Record) -> Comment:
    """A comment as it is kept. Raises `Damaged`."""
    written = running.service.open(record.body["sealed"], "comment", running.snapshot.id, record.id)
    return Comment(
        record.id, DomainId(written["domain"]), written["text"], CommentState(record.state)
    )


async def fill_queue(records: Records, snapshot: SnapshotId) -> int:
    """Put what has been mixed into the moderators' queue; how many comments that were."""
    found = await records.heads(snapshot, Kind.COMMENT, CommentState.MIXED)
    for head in found:
        record = await records.read(snapshot, Kind.COMMENT, head.id)
        if record.state != CommentState.MIXED:
            continue  # somebody else was faster, and a moderator may have decided already
        with suppress(Changed):
            await records.replace(replace(record, state=CommentState.WAITING))
    return len(found)


async def undecided(records: Records, snapshot: SnapshotId) -> dict[CommentState, int]:
    """How many comments are in each state in which something has to be done about them."""
    return {s: len(await records.heads(snapshot, Kind.COMMENT, s)) for s in UNDECIDED}


async def are_read(records: Records, snapshot: SnapshotId) -> bool:
    """Whether nothing is left to be done about any comment, wherever it is under way."""
    states = (CommentState.MIXED, *UNDECIDED)
    return not any([await records.heads(snapshot, Kind.COMMENT, state) for state in states])


async def next_comment(running: Running, records: Records) -> Comment | None:
    """An escalated one first. Otherwise by the ids, which are random and say nothing."""
    for state in UNDECIDED:
        for head in await records.heads(running.snapshot.id, Kind.COMMENT, state):
            comment = await read_comment(running, records, head.id)
            if comment.state is state:  # otherwise somebody has just decided
                return comment
    return None


async def read_comment(running: Running, records: Records, id: str) -> Comment:
    """Raises `NotOffered` for a comment that is not there, or not in the queue yet."""
    return opened(running, await _read(records, running.snapshot.id, id))


async def decide(
    running: Running, records: Records, id: str, decision: Decision, words: str = ""
) -> None:
    """Carry out a moderator's decision; `words` are those of a paraphrase.

    Raises `NotOffered` when somebody else has decided already.
    """
    record = await _read(records, running.snapshot.id, id)
    if record.state != CommentState.WAITING:
        raise NotOffered
    written = opened(running, record)
    state, text = {
        Decision.APPROVE: (CommentState.APPROVED, written.text),
        Decision.PARAPHRASE: (CommentState.PARAPHRASED, words),
        Decision.HIDE: (CommentState.HIDDEN, ""),
        Decision.ESCALATE: (CommentState.ESCALATED, written.text),
    }[decision]
    body = _sealed(running, id, written.domain, text)
    await _put(records, replace(record, state=state, body=body))
    if text != written.text:
        await _forget(records)


async def pass_on(running: Running, records: Records, id: str, *, to: str, when: str) -> None:
    """Note that a concern has been passed on, and drop its words.

    Raises `NotOffered` unless it is escalated.
    """
    snapshot = running.snapshot.id
    record = await _read(records, snapshot, id)
    if record.state != CommentState.ESCALATED:
        raise NotOffered
    told = running.service.seal({"to": to, "when": when}, "passed-on", snapshot, id)
    body = {**_sealed(running, id, opened(running, record).domain, ""), "passed_on": told}
    await _put(records, replace(record, state=CommentState.PASSED_ON, body=body))
    await _forget(records)


async def printed(running: Running, records: Records) -> dict[DomainId, list[Comment]]:
    """What moderators let through, by domain. In the order of the ids, which are random."""
    found: dict[DomainId, list[Comment]] = {}
    for record in await records.read_all(running.snapshot.id, Kind.COMMENT):
        if record.state in PRINTED:
            comment = opened(running, record)
            found.setdefault(comment.domain, []).append(comment)
    return found


async def wanting_a_theme(
    running: Running, records: Records, instrument: Instrument
) -> list[DomainId]:
    """The domains with too few comments to quote, and no summary of the moderators' yet."""
    comments = await printed(running, records)
    done = {head.id for head in await records.heads(running.snapshot.id, Kind.THEME)}
    few = instrument.comments.quotes_from
    return [
        d.id
        for d in instrument.domains
        if 0 < len(comments.get(d.id, ())) < few and d.id not in done
    ]


async def themes(records: Records, snapshot: SnapshotId) -> dict[DomainId, str]:
    """The moderators' own summaries, by domain."""
    found = await records.read_all(snapshot, Kind.THEME)
    return {DomainId(record.id): record.body["text"] for record in found}


async def keep_theme(records: Records, snapshot: SnapshotId, domain: DomainId, text: str) -> None:
    """The moderators' own summary of a domain; a newer one takes its place."""
    body = {"text": text}
    with suppress(Exists):
        await records.create(Record(snapshot, Kind.THEME, domain, body))
        return
    found = await records.read(snapshot, Kind.THEME, domain)
    await _put(records, replace(found, body=body))


def fits(text: str, rules: CommentRules) -> bool:
    """Whether a comment can be saved: all of them have to fit into a seal of constant size."""
    try:
        return len(text) <= rules.max_characters and json_bytes(text) <= rules.max_bytes
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can carry and no store can
        return False


def json_bytes(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode())


async def _read(records: Records, snapshot: SnapshotId, id: str) -> Record:
    if not _ID.fullmatch(id):  # it would go into an address, which clients of a store may log
        raise NotOffered
    try:
        record = await records.read(snapshot, Kind.COMMENT, id)
    except Missing:
        raise NotOffered from None
    if record.state == CommentState.MIXED:
        raise NotOffered
    return record


async def _put(records: Records, record: Record) -> None:
    try:
        await records.replace(record)
    except Changed:
        raise NotOffered from None


async def _forget(records: Records) -> None:
    """Leave nothing in the store's files of words that were overwritten."""
    with suppress(Unavailable):  # the next time will do: what was decided stands
        await records.forget()


def _sealed(running: Running, id: str, domain: DomainId, text: str) -> dict[str, str]:
    written = {"domain": domain, "text": text}
    scope = ("comment", running.snapshot.id, id)
    return {"sealed": running.service.seal(written, *scope, size=COMMENT_BYTES)}
