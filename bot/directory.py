"""The snapshots that there are, read from the store at most every 30 seconds."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

import structlog

from bot.logs import where
from bot.turns.turn import Address
from snapshot.destroying import take_up_either
from snapshot.errors import Damaged, OtherInstrument, SnapshotError
from snapshot.opening import Running, open_snapshot
from snapshot.ports import (
    DIRECTORY,
    Changed,
    Keys,
    KeysError,
    KeysUnavailable,
    Kind,
    Missing,
    Record,
    Records,
    RecordsError,
)
from snapshot.sealing import Sealer
from snapshot.snapshot import Phase, Snapshot
from snapshot.wording import Pack

CACHE_S = 30.0
SOON_S = 2.0
"""Before anybody is told that there is nothing here: another process may just have opened it."""

_log = structlog.get_logger()


class Directory:
    """`seconds` is a clock that never goes back, for the cache alone."""

    def __init__(
        self,
        records: Records,
        keys: Keys,
        sealer: Sealer,
        packs: Mapping[str, Pack],
        seconds: Callable[[], float],
    ) -> None:
        self._packs = packs
        self._records = records
        self._keys = keys
        self._sealer = sealer
        self._seconds = seconds
        self._known: dict[str, Running] = {}
        self._unread: dict[str, Running] = {}
        self._read_at = float("-inf")
        self._reading: asyncio.Future[None] | None = None

    async def all(self, *, fresh: bool = False) -> list[Running]:
        """Every snapshot that can be used, the newest first.

        One whose key or settings do not fit is left out with an alarm; the others run.
        """
        if fresh:
            await self._read()
        else:
            await self._read_if_older(CACHE_S)
        return sorted(self._known.values(), key=lambda r: r.snapshot.opened, reverse=True)

    def unread(self) -> list[Running]:
        """Closed ones that were opened with another version of the instrument, as last read.

        Nobody can read their figures any more. Their keys end all the same, and what is kept.
        """
        return list(self._unread.values())

    async def kept(self) -> list[Running]:
        """Of which something is kept, whether or not it can be used. Read anew."""
        return [*await self.all(fresh=True), *self.unread()]

    async def find_kept(self, id: str) -> Running | None:
        return next((r for r in await self.kept() if r.snapshot.id == id), None)

    async def _read_if_older(self, than_s: float) -> None:
        if self._seconds() - self._read_at >= than_s:
            # Turns that come while it is read wait for the same answer, or fail with it.
            if self._reading is None or self._reading.done():
                self._reading = asyncio.ensure_future(self._read())
            await asyncio.shield(self._reading)

    async def _read(self) -> None:
        now, before = self._seconds(), dict(self._known)
        records = await self._records.read_all(DIRECTORY, Kind.SNAPSHOT)
        found = [await self._take_up(record) for record in records]
        # What a turn has opened, moved or closed since then is newer than what was read.
        noted = {id: r for id, r in self._known.items() if r is not before.get(id)}
        self._known = {r.snapshot.id: r for r in found if r} | noted
        self._unread = {id: r for id, r in self._unread.items() if id in {r.id for r in records}}
        self._read_at = now

    async def find(self, id: str, *, fresh: bool = False) -> Running | None:
        """`fresh` reads the record again, for a step that must not miss a close."""
        known = next((r for r in await self.all() if r.snapshot.id == id), None)
        if known is None or not fresh:
            return known
        try:
            record = await self._records.read(DIRECTORY, Kind.SNAPSHOT, id)
        except Missing:
            return None
        found = await self._take_up(record)
        if found is None:
            self._known.pop(id, None)
            return None
        return self.note(found)

    def known(self, id: str) -> Running | None:
        """What is remembered, without asking the store."""
        return self._known.get(id)

    def remembered(self) -> list[Running]:
        """Every snapshot that is remembered, without asking the store."""
        return list(self._known.values())

    def note(self, running: Running) -> Running:
        """Remember a newer version than the one that was read last."""
        self._known[running.snapshot.id] = running
        return running

    async def of_tenant(self, tenant: str) -> list[Running]:
        """The snapshots in which somebody of a tenant may have a part, the newest first."""
        return await self._those(lambda r: r.snapshot.is_for(tenant))

    async def of_channel(self, address: Address) -> Running | None:
        """The channel's snapshot: its open one, or else the last."""
        here = await self._those(lambda r: address.is_same_place(self.address(r)))
        return next((r for r in here if r.phase is Phase.OPEN), next(iter(here), None))

    async def _those(self, are_meant: Callable[[Running], bool]) -> list[Running]:
        found = [r for r in await self.all() if are_meant(r)]
        if not found:
            await self._read_if_older(SOON_S)
            found = [r for r in await self.all() if are_meant(r)]
        return found

    async def take_sample(self, address: Address) -> Running | None:
        """A sample snapshot belongs to the first channel that asks."""
        for running in await self.all():
            if running.snapshot.sample and running.channel is None:
                return await self._place(running, address, "channel")
        return None

    async def moderated_in(self, address: Address) -> list[Running]:
        """The snapshots whose comments are moderated in a channel, the newest first."""
        found = await self.all()
        return [r for r in found if address.is_same_place(self.moderators(r))]

    async def with_code(self, code: str) -> Running | None:
        """The open snapshot whose moderators have this code."""
        given = code.upper().encode()
        for running in await self.all():
            known = running.moderator_code.encode()
            if running.phase is Phase.OPEN and hmac.compare_digest(known, given):
                return running
        return None

    async def register(self, running: Running, address: Address) -> Running | None:
        """Make a channel the moderators'. None: somebody else was faster, look again."""
        return await self._place(running, address, "moderators")

    async def meet(self, address: Address) -> None:
        """Somebody has talked in a channel: if it is a known one, remember where it is now.

        Nothing is written unless something of it has changed. It is no secret who facilitates.
        """
        for role, known in (("channel", self.address), ("moderators", self.moderators)):
            for running in await self.all():
                place = known(running)
                if place is None or not address.is_same_place(place):
                    continue
                newer = replace(address, team=address.team or place.team)
                if newer != place:
                    with suppress(RecordsError):  # they get their answer all the same
                        await self._place(running, newer, role)

    async def open(self, snapshot: Snapshot, address: Address) -> Running:
        """Open a snapshot for the channel of its facilitators. Raises `Exists` for a known id."""
        sealed = self._seal(address, "channel", snapshot.id)
        opened = await open_snapshot(self._records, self._keys, snapshot, channel=sealed)
        return self.note(opened)

    def address(self, running: Running) -> Address | None:
        """Where the facilitators' channel is, once it is known."""
        return self._open(running, running.channel, "channel")

    def moderators(self, running: Running) -> Address | None:
        """Where the moderators' channel is, once one has registered."""
        return self._open(running, running.moderators, "moderators")

    def _open(self, running: Running, sealed: str | None, role: str) -> Address | None:
        if sealed is None:
            return None
        try:
            return Address.from_json(self._sealer.open(sealed, role, running.snapshot.id))
        except (Damaged, TypeError) as error:
            _log.error("channel not readable", snapshot=running.snapshot.id, **where(error))
            return None

    def _seal(self, address: Address, role: str, snapshot: str) -> str:
        return self._sealer.seal(address.as_json(), role, snapshot)

    async def _place(self, running: Running, address: Address, role: str) -> Running | None:
        """Note where a snapshot's channel is. None if its record has changed since."""
        sealed = self._seal(address, role, running.snapshot.id)
        body = {**running.record.body, role: sealed}
        try:
            record = await self._records.replace(replace(running.record, body=body))
        except Changed:
            await self.all(fresh=True)
            return None
        if running.key_is_gone:  # which the settings were sealed under
            kept = await self._take_up(record)
            return self.note(kept) if kept else None
        return self.note(running.with_record(record))

    def _has_its_instrument(self, running: Running) -> bool:
        """Answers to one version cannot be read as answers to another."""
        snapshot, pack = running.snapshot, self._packs.get(running.snapshot.language)
        frozen = (snapshot.instrument, snapshot.instrument_version)
        return pack is not None and (pack.instrument.id, pack.instrument.version) == frozen

    async def _take_up(self, record: Record) -> Running | None:
        """None for one that cannot be used."""
        known, unread = self._known.get(record.id), self._unread.get(record.id)
        if known and known.record == record:
            return known
        if unread and unread.record == record:
            return None
        self._unread.pop(record.id, None)  # what it says now may not fit its key any more
        try:
            running = await take_up_either(record, self._records, self._keys)
            if self._has_its_instrument(running):
                return running
            if running.phase is not Phase.CLOSED:
                raise OtherInstrument(record.id)
            self._unread[record.id] = running
            _log.warning("snapshot of another version", snapshot=record.id)
            return None
        except KeysUnavailable as error:
            # Nothing is wrong with the snapshot: what is known of it serves until it can be read.
            _log.error("keys not reached", snapshot=record.id, **where(error))
            return known
        except (SnapshotError, KeysError) as error:
            _log.error("snapshot stopped", snapshot=record.id, **where(error))
            return None
