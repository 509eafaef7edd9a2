"""Comments after the mix: a topic and the words, nothing that tells whose or when.

They wait for moderators, who approve, paraphrase, hide or escalate each. A record is never deleted,
since a slow worker could make it again: what nobody may read any more is overwritten.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from snapshot.errors import NotOffered
from snapshot.instrument import CommentRules, DomainId, Instrument
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
from snapshot.sealing import Sealer


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


@dataclass(frozen=True, slots=True)
class Comment:
    id: str
    domain: DomainId
    text: str
    state: CommentState


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


async def next_comment(records: Records, snapshot: SnapshotId) -> Comment | None:
    """An escalated one first. Otherwise by the ids, which are random and say nothing."""
    for state in UNDECIDED:
        for head in await records.heads(snapshot, Kind.COMMENT, state):
            comment = await read_comment(records, snapshot, head.id)
            if comment.state is state:  # otherwise somebody has just decided
                return comment
    return None


async def read_comment(records: Records, snapshot: SnapshotId, id: str) -> Comment:
    """Raises `NotOffered` for a comment that is not there, or not in the queue yet."""
    return _comment(await _read(records, snapshot, id))


async def decide(
    records: Records, snapshot: SnapshotId, id: str, decision: Decision, words: str = ""
) -> None:
    """Carry out a moderator's decision; `words` are those of a paraphrase.

    Raises `NotOffered` when somebody else has decided already.
    """
    record = await _read(records, snapshot, id)
    if record.state != CommentState.WAITING:
        raise NotOffered
    state, text = {
        Decision.APPROVE: (CommentState.APPROVED, record.body["text"]),
        Decision.PARAPHRASE: (CommentState.PARAPHRASED, words),
        Decision.HIDE: (CommentState.HIDDEN, ""),
        Decision.ESCALATE: (CommentState.ESCALATED, record.body["text"]),
    }[decision]
    await _put(records, replace(record, state=state, body={**record.body, "text": text}))
    if text != record.body["text"]:
        await _forget(records)


async def pass_on(
    records: Records, snapshot: SnapshotId, id: str, *, to: str, when: str, sealer: Sealer
) -> None:
    """Note that a concern has been passed on, and drop its words.

    Who was told is sealed under the service's key. Raises `NotOffered` unless it is escalated.
    """
    record = await _read(records, snapshot, id)
    if record.state != CommentState.ESCALATED:
        raise NotOffered
    told = sealer.seal({"to": to, "when": when}, "passed-on", snapshot, id)
    body = {"domain": record.body["domain"], "text": "", "passed_on": told}
    await _put(records, replace(record, state=CommentState.PASSED_ON, body=body))
    await _forget(records)


async def printed(records: Records, snapshot: SnapshotId) -> dict[DomainId, list[Comment]]:
    """What moderators let through, by domain. In the order of the ids, which are random."""
    found: dict[DomainId, list[Comment]] = {}
    for record in await records.read_all(snapshot, Kind.COMMENT):
        if record.state in PRINTED:
            comment = _comment(record)
            found.setdefault(comment.domain, []).append(comment)
    return found


async def wanting_a_theme(
    records: Records, snapshot: SnapshotId, instrument: Instrument
) -> list[DomainId]:
    """The domains with too few comments to quote, and no summary of the moderators' yet."""
    comments = await printed(records, snapshot)
    done = {head.id for head in await records.heads(snapshot, Kind.THEME)}
    few = instrument.comments.quotes_from
    return [
        d.id
        for d in instrument.domains
        if 0 < len(comments.get(d.id, ())) < few and d.id not in done
    ]


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


def _comment(record: Record) -> Comment:
    return Comment(
        record.id, DomainId(record.body["domain"]), record.body["text"], CommentState(record.state)
    )
