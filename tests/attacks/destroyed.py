"""T21: once the key is destroyed, whoever has everything else opens nothing and knows nobody."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from snapshot.closing import begin_close, finish_close
from snapshot.destroying import destroy_if_due
from snapshot.errors import Damaged
from snapshot.opening import SERVICE, Running, open_snapshot
from snapshot.ports import Keys, Kind
from snapshot.sealing import KEY_BYTES, Person, Sealer
from snapshot.survey import Survey
from storage.keyfiles import KeyFiles
from tests.attacks.attack import Result, Staged
from tests.attacks.ids import digests
from tests.attacks.recording import Recorded, Version
from tests.attacks.stores import OpenStore
from tests.core.exampleshire import (
    HELPING,
    INSTRUMENT,
    OPTIONS,
    TENANT,
    K,
    a_snapshot,
    contact,
    no_waiting,
    person,
)

STAFF = tuple(person(f"police-{number}") for number in range(60))
"""The full list. The first of them took part; the last of those began and did not send."""
TOOK_PART = 2 * K
KEY_DAYS = 7


class DerivedKeys(KeyFiles):
    """As one might save the trouble of keeping many keys: each is worked out from the service's."""

    async def create(self, name: str) -> bytes:
        if name == SERVICE:
            return await super().create(name)
        return await self.read(name)

    async def read(self, name: str) -> bytes:
        service = await super().read(SERVICE)
        return service if name == SERVICE else derived(service, name)


class BinnedKeys(KeyFiles):
    """What is destroyed is only moved out of sight."""

    async def destroy(self, name: str) -> None:
        found = self._path(name)
        found.rename(found.with_suffix(".old"))


def derived(service: bytes, name: str) -> bytes:
    return hmac.new(service, name.encode(), hashlib.sha256).digest()


# -- what is left ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Left:
    """What the attacker has when it is over.

    `content`: whatever lay about of the store at any time, backups too. `keys`: the folder of the
    keys, names and bytes. `was` is the truth: the key that was destroyed.
    """

    snapshot: str
    history: Sequence[Version]
    content: bytes
    service: bytes
    keys: Sequence[bytes]
    was: bytes

    @property
    def tags(self) -> set[str]:
        return {v.record.id for v in self.history if v.record.kind is Kind.ENVELOPE}


async def lives_through(open_store: OpenStore, folder: Path, keys: Keys) -> Left:
    """A snapshot from its opening to the end of its key. `keys` are in `folder / "keys"`."""
    folder.mkdir(parents=True)  # noqa: ASYNC240  # nothing else runs in a test
    async with open_store(folder) as store:
        records = Recorded(store.records, lambda: 0)
        running = await open_snapshot(records, keys, a_snapshot())
        was = await keys.read(running.snapshot.id)
        await people_take_part(running, records)
        backups = [store.leftovers()]
        at = running.snapshot.deadline
        running = await begin_close(running, records, at)
        await finish_close(running, INSTRUMENT, records, dice=Random(1), wait=no_waiting)
        backups.append(store.leftovers())
        found = records.latest[Kind.SNAPSHOT, running.snapshot.id]
        due = at + timedelta(days=KEY_DAYS)
        is_gone = await destroy_if_due(running.with_record(found), records, due, KEY_DAYS)
        assert is_gone
        backups.append(store.leftovers())
        return Left(
            running.snapshot.id,
            store.history(records.history),
            b"".join(backups),
            await keys.read(SERVICE),
            list(_files(folder / "keys")),
            was,
        )


async def people_take_part(running: Running, records: Recorded) -> None:
    survey, dice = Survey(running, INSTRUMENT, records), Random(1)
    for number, who in enumerate(STAFF[:TOOK_PART]):
        envelope = await survey.begin(who, "police", contact(who.object_id))
        for statement in INSTRUMENT.statements:
            assert envelope.ballot is not None
            revision = envelope.ballot.revision
            envelope = await survey.answer(who, statement.id, dice.choice(OPTIONS), revision)
        assert envelope.ballot is not None
        await survey.comment(who, {HELPING: f"More time, {number}."}, envelope.ballot.revision)
        if number < TOOK_PART - 1:
            await survey.submit(who)


def _files(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.rglob("*")):
        yield path.name.encode()
        if path.is_file():
            yield path.read_bytes()


# -- what is tried --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tried:
    """How many of the sealed texts open, tags that match somebody, traces of the key itself."""

    opened: int
    sealed: int
    matched: int
    tags: int
    traces: int
    keys: int

    @property
    def holds(self) -> bool:
        return not (self.opened or self.matched or self.traces)


def attack(left: Left) -> Tried:
    keys = candidates(left)
    sealers = [Sealer(key, scope) for key in keys for scope in (left.snapshot, SERVICE)]
    texts = sealed_texts(left.history)
    tags = left.tags
    everything = b"".join([left.content, *left.keys])
    return Tried(
        sum(any(_opens(sealer, *text) for sealer in sealers) for text in texts),
        len(texts),
        len(tags & names_of(STAFF, sealers)),
        len(tags),
        sum(guise in everything for guise in _guises(left.was)),
        len(keys),
    )


def candidates(left: Left) -> set[bytes]:
    """Keys that stand somewhere, or that one could work out from what stands there."""
    found = {bytes(KEY_BYTES), left.service}
    for file in left.keys:
        found |= {file[at : at + KEY_BYTES] for at in range(len(file) - KEY_BYTES + 1)}
    for content in (left.content, *left.keys):
        found |= {bytes.fromhex(text.decode()) for text in _HEX.findall(content)}
        found |= {base64.b64decode(text) for text in _BASE64.findall(content)}
    words = [left.snapshot, "csa1", f"csa1\x1f{left.snapshot}", TENANT]
    for key in (b"", left.service):
        found |= {derived(key, word) for word in words}
    return found | {hashlib.sha256(word.encode()).digest() for word in words}


_HEX = re.compile(rb"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])")
_BASE64 = re.compile(rb"(?<![0-9a-zA-Z+/])[0-9a-zA-Z+/]{43}=")

type Text = tuple[str, tuple[str, ...]]
"""What is sealed, and for which context."""


def sealed_texts(history: Iterable[Version]) -> list[Text]:
    """All that were ever kept, of every version, but for what the service sealed for itself."""
    found: dict[Text, None] = {}
    for version in history:
        record, body = version.record, version.record.body
        for name, context in _CONTEXTS.get(record.kind, {}).items():
            if text := body.get(name):
                found[text, (*context, record.id) if name in _OWN else context] = None
    return list(found)


_CONTEXTS: Mapping[Kind, Mapping[str, tuple[str, ...]]] = {
    Kind.ENVELOPE: {"ballot": ("ballot",), "contact": ("contact",)},
    Kind.JOURNAL: {"sealed": ("mix",)},
    Kind.SNAPSHOT: {
        "settings_seal": ("settings",),
        "key_check": ("key-check",),
        "phase_seal": ("phase",),
    },
}
_OWN = {"ballot", "contact"}
"""Sealed for one person's tag."""


def _opens(sealer: Sealer, text: str, context: tuple[str, ...]) -> bool:
    try:
        sealer.open(text, *context)
    except Damaged:
        return False
    return True


def names_of(staff: Iterable[Person], sealers: Iterable[Sealer]) -> set[str]:
    """Whatever tags of these people could be: under any key at hand, or hashes without one."""
    sealers = list(sealers)
    found = set()
    for who in staff:
        found |= {str(sealer.tag(who)) for sealer in sealers}
        found |= {digest[:32] for text in _spelt(who) for digest in digests(text, [])}
    return found


def _spelt(who: Person) -> Iterator[bytes]:
    yield who.object_id.encode()
    for between in ("", "\x1f", "/", "|", ":"):
        yield f"{who.tenant}{between}{who.object_id}".encode()


def _guises(key: bytes) -> list[bytes]:
    return [key, key.hex().encode(), key.hex().upper().encode(), base64.b64encode(key).rstrip(b"=")]


# -- what comes of it -----------------------------------------------------------------------------


async def destroyed(open_store: OpenStore, folder: Path) -> Result:
    ours = await _tried(open_store, folder / "ours", KeyFiles)
    kept = await _tried(open_store, folder / "derived", DerivedKeys)
    binned = await _tried(open_store, folder / "binned", BinnedKeys)
    hashed = hashed_tags(STAFF[:TOOK_PART]) & names_of(STAFF, [])
    return Result(
        f"{ours.opened} of {ours.sealed} seals opened with {ours.keys} keys, {ours.matched} of "
        f"{ours.tags} tags matched, {ours.traces} traces of the key",
        f"a key derived from the service's: {kept.opened} of {kept.sealed} opened, {kept.matched} "
        f"of {kept.tags} matched; a key only moved away: {binned.opened} of {binned.sealed}; "
        f"tags hashed without a key: {len(hashed)} of {TOOK_PART} matched",
        ours.holds and ours.tags == TOOK_PART and ours.sealed > TOOK_PART,
        all(t.opened == t.sealed and t.matched == t.tags for t in (kept, binned))
        and binned.traces > 0
        and len(hashed) == TOOK_PART,
    )


async def _tried(open_store: OpenStore, folder: Path, keys: type[KeyFiles]) -> Tried:
    return attack(await lives_through(open_store, folder, keys(folder / "keys")))


def hashed_tags(staff: Iterable[Person]) -> set[str]:
    return {hashlib.sha256(f"{p.tenant}\x1f{p.object_id}".encode()).hexdigest()[:32] for p in staff}


DESTROYED = Staged(
    "T21",
    "After the key was destroyed",
    "every version and every backup, what is left of the keys' folder, the service's key, the full "
    "list of staff",
    "nothing that the snapshot sealed opens, no tag matches anybody, no trace of the key",
    stage=destroyed,
)
