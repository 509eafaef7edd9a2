"""The snapshots that there are, read from the store at most every 30 seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import structlog

from bot.logs import where
from bot.turns.turn import Address
from snapshot.errors import Damaged, OtherInstrument, SnapshotError
from snapshot.opening import Running, take_up
from snapshot.ports import (
    DIRECTORY,
    Changed,
    KeyExists,
    Keys,
    KeysError,
    Kind,
    Missing,
    Record,
    Records,
)
from snapshot.sealing import Sealer
from snapshot.snapshot import Phase
from snapshot.wording import Pack

CACHE_S = 30.0
SERVICE_KEY = "service"

_log = structlog.get_logger()


async def service_sealer(keys: Keys) -> Sealer:
    """Seals what outlives a snapshot, such as its channel; the key is made at the first start."""
    try:
        return Sealer(await keys.create(SERVICE_KEY), SERVICE_KEY)
    except KeyExists:
        return Sealer(await keys.read(SERVICE_KEY), SERVICE_KEY)


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
        self._read_at = float("-inf")

    async def all(self, *, fresh: bool = False) -> list[Running]:
        """Every snapshot that can be used, the newest first.

        One whose key or settings do not fit is left out with an alarm; the others run.
        """
        now = self._seconds()
        if fresh or now - self._read_at >= CACHE_S:
            records = await self._records.read_all(DIRECTORY, Kind.SNAPSHOT)
            found = [await self._take_up(record) for record in records]
            self._known = {r.snapshot.id: r for r in found if r}
            self._read_at = now
        return sorted(self._known.values(), key=lambda r: r.snapshot.opened, reverse=True)

    async def find(self, id: str, *, fresh: bool = False) -> Running | None:
        """`fresh` reads the record again, for a step that must not miss a close."""
        known = next((r for r in await self.all() if r.snapshot.id == id), None)
        if known is None or not fresh:
            return known
        try:
            record = await self._records.read(DIRECTORY, Kind.SNAPSHOT, id)
        except Missing:
            return None
        return self.note(known.with_record(record))

    def known(self, id: str) -> Running | None:
        """What is remembered, without asking the store."""
        return self._known.get(id)

    def note(self, running: Running) -> Running:
        """Remember a newer version than the one that was read last."""
        self._known[running.snapshot.id] = running
        return running

    async def for_tenant(self, tenant: str) -> Running | None:
        """The snapshot that is open to a tenant, or else the last one that was."""
        found = [r for r in await self.all() if r.snapshot.is_for(tenant)]
        return next((r for r in found if r.phase is Phase.OPEN), next(iter(found), None))

    async def for_channel(self, address: Address) -> Running | None:
        """The channel's snapshot: its open one, or else the last.

        A sample snapshot without a channel belongs to the first one that asks.
        """
        found = await self.all()
        here = [r for r in found if address.is_same_place(self.address(r))]
        if opened := next((r for r in here if r.phase is Phase.OPEN), None):
            return opened
        for running in found:
            if running.snapshot.sample and running.channel is None:
                return await self._give(running, address)
        return next(iter(here), None)

    def address(self, running: Running) -> Address | None:
        """Where the facilitator's channel is, once it is known."""
        if running.channel is None:
            return None
        try:
            opened = self._sealer.open(running.channel, "channel", running.snapshot.id)
            return Address.from_json(opened)
        except (Damaged, TypeError) as error:
            _log.error("channel not readable", snapshot=running.snapshot.id, **where(error))
            return None

    async def _give(self, running: Running, address: Address) -> Running | None:
        sealed = self._sealer.seal(address.as_json(), "channel", running.snapshot.id)
        body = {**running.record.body, "channel": sealed}
        try:
            record = await self._records.replace(replace(running.record, body=body))
        except Changed:  # another channel may have been first
            await self.all(fresh=True)
            return await self.for_channel(address)
        return self.note(running.with_record(record))

    def _with_its_instrument(self, running: Running) -> Running:
        """Answers to one version cannot be read as answers to another."""
        snapshot, pack = running.snapshot, self._packs.get(running.snapshot.language)
        frozen = (snapshot.instrument, snapshot.instrument_version)
        if pack is None or (pack.instrument.id, pack.instrument.version) != frozen:
            raise OtherInstrument(snapshot.id)
        return running

    async def _take_up(self, record: Record) -> Running | None:
        known = self._known.get(record.id)
        if known and known.record.etag == record.etag:
            return known
        try:
            return self._with_its_instrument(await take_up(record, self._keys))
        except (SnapshotError, KeysError) as error:
            _log.error("snapshot stopped", snapshot=record.id, **where(error))
            return None
