"""T8, T9, T20: somebody who may write to the database, to be left alone with a victim."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from snapshot.calendar import mixings
from snapshot.envelope import State
from snapshot.errors import Tampered
from snapshot.interim import mix_due
from snapshot.opening import extend, open_snapshot, take_up
from snapshot.ports import Record
from snapshot.sealing import Sealer
from snapshot.snapshot import Mixing, Snapshot
from tests.attacks.attack import Result, Staged
from tests.attacks.campaign import SeededKeys
from tests.attacks.naive import batches_by_plain_fields
from tests.attacks.stores import OpenStore
from tests.core.exampleshire import (
    INSTRUMENT,
    OPENED,
    SOME_CHOICES,
    Area,
    K,
    a_ballot,
    a_snapshot,
    no_waiting,
)


@asynccontextmanager
async def an_area(
    open_store: OpenStore, folder: Path, snapshot: Snapshot | None = None
) -> AsyncIterator[Area]:
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240  # nothing else runs in a test
    async with open_store(folder) as store:
        keys = SeededKeys(1)
        running = await open_snapshot(store.records, keys, snapshot or a_snapshot())
        yield Area(running, store.records)


# -- T8: a batch that only looks full --------------------------------------------------------------

FAKES = ("copied", "forged", "draft", "moved", "flipped", "odd")


async def fill_up(area: Area) -> None:
    """Four of the police have sent, and the attacker makes them look like many."""
    await area.people_send({"police": 4, "health": 12})
    victim = await area.envelope("police-0")
    for number in range(3):
        await area.keeps(f"copied-{number}", a_ballot("police", SOME_CHOICES))
        await area.rewrite(f"copied-{number}", body=victim.body)
        await _forged(area, f"forged-{number}")
        await area.keeps(
            f"draft-{number}", a_ballot("police", SOME_CHOICES[:2], sent=False), State.OPEN
        )
        await area.rewrite(f"draft-{number}", state=State.SUBMITTED)
        await area.keeps(f"moved-{number}", a_ballot("health", SOME_CHOICES))
        await area.rewrite(f"moved-{number}", group="police")
        await area.keeps(f"flipped-{number}", a_ballot("police", SOME_CHOICES))
        await _flipped(area, f"flipped-{number}")


async def _forged(area: Area, name: str) -> None:
    sealer = Sealer(bytes(32), area.running.snapshot.id)
    ballot = a_ballot("police", SOME_CHOICES).as_json()
    await area.keeps(name, a_ballot("police", SOME_CHOICES))
    sealed = sealer.seal(ballot, "ballot", area.tag(name), size=8192)
    await area.rewrite(name, body={"ballot": sealed, "contact": None})


async def _flipped(area: Area, name: str) -> None:
    record = await area.envelope(name)
    raw = bytearray(base64.b64decode(record.body["ballot"]))
    raw[100] ^= 1
    sealed = base64.b64encode(raw).decode()
    await area.rewrite(name, body={**record.body, "ballot": sealed})


async def swap(open_store: OpenStore, folder: Path) -> Result:
    async with an_area(open_store, folder) as area:
        await fill_up(area)
        naive = await batches_by_plain_fields(area)
        await area.mix().flush()
        fewest = min(t.people for t in await area.tallies())
        fakes = [f"{kind}-{n}" for kind in FAKES[:5] for n in range(3)]
        counted = sum([(await area.envelope(f)).state == State.RELEASED for f in fakes])
    return Result(
        f"{counted} of {len(fakes)} fakes counted; smallest batch {fewest} people who sent",
        f"state and cell believed as they stand outside the seal: {min(naive)} people who sent",
        counted == 0 and fewest >= K,
        min(naive) < K,
    )


SWAP = Staged(
    "T8",
    "A batch filled up with fakes",
    "writing to the database: copied, forged, unsent, relabelled and damaged envelopes",
    f"no fake counts; {K} people or more who sent in each batch",
    stage=swap,
)

# -- T9: batches at the attacker's hour ------------------------------------------------------------


def every_third_day() -> Snapshot:
    return replace(a_snapshot(), mixing=Mixing.EVERY_3_DAYS)


async def is_mixed(area: Area, hours: float, seed: int = 1) -> bool:
    return await mix_due(
        area.running,
        INSTRUMENT,
        area.records,
        OPENED + timedelta(hours=hours),
        dice=Random(seed),
        wait=no_waiting,
    )


async def trickle(open_store: OpenStore, folder: Path) -> Result:
    naive = await without_threshold(open_store, folder / "naive")
    async with an_area(open_store, folder / "ours", every_third_day()) as area:
        first, second, *_ = [
            (m - OPENED) / timedelta(hours=1) for m in mixings(area.running.snapshot)
        ]
        await area.people_send({"police": 3 * K})
        early = [await is_mixed(area, hour) for hour in range(int(first))]
        # All but the victim are deleted; then the due mixing comes, and whoever asks again.
        for number in range(1, 3 * K):
            await area.records.delete(await area.envelope(f"police-{number}"))
        await is_mixed(area, first)
        alone = len(await area.slips())
        await area.people_send({"health": 3 * K})
        again = [await is_mixed(area, hour) for hour in range(int(first) + 1, int(second))]
        await is_mixed(area, second)
        await area.mix().flush()
        fewest = min(t.people for t in await area.tallies())
    return Result(
        f"{sum(early) + sum(again)} of {len(early) + len(again)} hourly calls mixed out of turn; "
        f"{alone} slips of the one left over; smallest batch {fewest}",
        f"mixed when somebody asks, whoever is there: {naive}",
        not any(early + again) and not alone and fewest >= K,
        naive < K,
    )


async def without_threshold(open_store: OpenStore, folder: Path) -> int:
    """The same mix with k = 1, run when the attacker likes: how many leave together."""
    async with an_area(open_store, folder, a_snapshot(k=1)) as area:
        await area.people_send({"police": 1})
        await area.mix().flush()
        return (await area.tallies())[0].people


TRICKLE = Staged(
    "T9",
    "One person left, and mixes out of turn",
    "writing to the database, and calling the worker at any hour",
    f"nothing is mixed before it is due; never fewer than {K} at once",
    stage=trickle,
)

# -- T20: settings ---------------------------------------------------------------------------------

type Change = Callable[[dict[str, Any]], object]

CHANGES: tuple[Change, ...] = (
    lambda settings: settings.update(k=3),
    lambda settings: settings.update(deadline=OPENED.isoformat()),
    lambda settings: settings["cells"][0].update(headcount=1),
    lambda settings: settings["cells"][0].update(agencies=["police", "health"]),
    lambda settings: settings.update(mixing="daily"),
    lambda settings: settings.update(tenants=["of the attacker"]),
)


async def settings_changed(open_store: OpenStore, folder: Path) -> Result:
    refused = 0
    naive = await believing_settings(open_store, folder / "naive")
    for number, change in enumerate(CHANGES):
        async with an_area(open_store, folder / str(number)) as area:
            body = _copy(area.running.record.body)
            change(body["settings"])
            changed = await area.records.replace(replace(area.running.record, body=body))
            refused += await _is_refused(area, changed)
    async with an_area(open_store, folder / "other") as area:
        other = replace(a_snapshot(k=3), id=a_snapshot().id)
        sealed = Sealer(bytes(32), other.id).seal(other.as_json(), "settings")
        body = {**area.running.record.body, "settings": other.as_json(), "settings_seal": sealed}
        refused += await _is_refused(area, replace(area.running.record, body=body))
    return Result(
        f"{refused} of {len(CHANGES) + 1} changes stop the snapshot",
        f"settings believed as they stand: a batch of {naive}",
        refused == len(CHANGES) + 1,
        naive < K,
    )


async def believing_settings(open_store: OpenStore, folder: Path) -> int:
    """How many leave together where k is taken from what stands outside the seal."""
    async with an_area(open_store, folder) as area:
        body = _copy(area.running.record.body)
        CHANGES[0](body["settings"])
        believed = replace(area.running, snapshot=Snapshot.from_json(body["settings"]))
        gullible = Area(believed, area.records)
        await gullible.people_send({"police": 3})
        await gullible.mix().flush()
        return (await gullible.tallies())[0].people


async def _is_refused(area: Area, record: Record) -> bool:
    try:
        await take_up(record, area.running.keys)
    except Tampered:
        return True
    return False


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(part) for name, part in value.items()}
    return [_copy(part) for part in value] if isinstance(value, list) else value


SETTINGS = Staged(
    "T20",
    "Other settings after the opening",
    "writing to the database: k, cells, deadline, mixing, tenants, seals of their own",
    "every change stops the snapshot",
    stage=settings_changed,
)


async def extension_undone(open_store: OpenStore, folder: Path) -> Result:
    async with an_area(open_store, folder) as area:
        before = area.running
        later = before.snapshot.deadline + timedelta(days=7)
        after = await extend(before, area.records, later, "more time", OPENED)
        earlier = _copy(after.record.body)
        earlier["settings"]["deadline"] = before.snapshot.as_json()["deadline"]
        by_hand = await _is_refused(area, replace(after.record, body=earlier))
        put_back = await area.records.replace(replace(before.record, etag=after.record.etag))
        is_refused = await _is_refused(area, put_back)
    told = "stops the snapshot" if is_refused else "accepted: closes on the old day"
    control = "stops the snapshot" if by_hand else "accepted"
    return Result(told, f"the old day without its seal: {control}", is_refused, by_hand)


EXTENSION = Staged(
    "T20",
    "An extension undone",
    "writing to the database, and the settings as they were sealed before the extension",
    "stops the snapshot",
    stage=extension_undone,
)
