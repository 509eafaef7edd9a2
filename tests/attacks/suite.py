"""All attacks, and how they are carried out: twenty campaigns a store, none left out."""

from __future__ import annotations

import asyncio
import gc
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.attacks.attack import Attack, OnCampaigns, Result, Staged
from tests.attacks.campaign import Campaign, play
from tests.attacks.destroyed import DESTROYED
from tests.attacks.figures import REPORTED, SOLVING, SUBTRACTING
from tests.attacks.ids import IDS
from tests.attacks.interrupted import CRASH, WITHDRAW
from tests.attacks.knowing import KNOWING
from tests.attacks.logs import LOGS
from tests.attacks.naive import lay_out, plain_drafts
from tests.attacks.order import CLEARING, IDS_IN_ORDER, NEIGHBOURS, PLACE, TIME
from tests.attacks.pools import POOLS
from tests.attacks.remainders import REMAINDERS
from tests.attacks.reminding import REMINDING
from tests.attacks.replay import REPLAY
from tests.attacks.rest import FOUND, LABELS
from tests.attacks.shape import LENGTHS, LINGERING, VERSIONS
from tests.attacks.shoulder import SHOULDER
from tests.attacks.stores import STORES, OpenStore, Store
from tests.attacks.tampering import EXTENSION, SETTINGS, SWAP, TRICKLE
from tests.attacks.words import WORDS
from tests.cosmos.patience import patient

SEEDS = range(1, 21)
WORKERS = 2

SUITE: tuple[Attack, ...] = (
    TIME,
    PLACE,
    IDS_IN_ORDER,
    CLEARING,
    IDS,
    NEIGHBOURS,
    LENGTHS,
    VERSIONS,
    LINGERING,
    FOUND,
    POOLS,
    SWAP,
    TRICKLE,
    CRASH,
    WITHDRAW,
    REPLAY,
    SUBTRACTING,
    LABELS,
    SOLVING,
    REPORTED,
    KNOWING,
    LOGS,
    SHOULDER,
    WORDS,
    SETTINGS,
    EXTENSION,
    DESTROYED,
    REMAINDERS,
    REMINDING,
)

# Where there is a disk in memory, SQLite need not wait for a real one at each of 100,000 writes.
MEMORY = Path("/dev/shm")  # noqa: S108  # each run makes a folder of its own in it
SCRATCH = MEMORY if MEMORY.is_dir() else None

type Parts = Mapping[str, Any]


def carry_out(stores: Sequence[str], seeds: Sequence[int] = SEEDS) -> dict[str, dict[str, Result]]:
    """What came of each attack on each of the stores, by its name."""
    # Without the collector of cycles, which would walk over a campaign's 100 MB again and again.
    new_process = get_context("spawn")
    with ProcessPoolExecutor(WORKERS, new_process, initializer=gc.disable) as pool:
        going = [(store, *_begin(pool, store, seeds)) for store in stores]
        return {store: _judged(staged, parts) for store, staged, parts in going}


def _begin(
    pool: Executor, store: str, seeds: Sequence[int]
) -> tuple[Mapping[str, Future[Result]], Sequence[Future[Parts]]]:
    staged = {a.name: pool.submit(_stage, store, a.name) for a in SUITE if isinstance(a, Staged)}
    return staged, [pool.submit(_examine, store, seed) for seed in seeds]


def _judged(
    staged: Mapping[str, Future[Result]], campaigns: Sequence[Future[Parts]]
) -> dict[str, Result]:
    parts = [campaign.result() for campaign in campaigns]
    results = {name: future.result() for name, future in staged.items()}
    for attack in SUITE:
        if isinstance(attack, OnCampaigns):
            results[attack.name] = attack.judge([p[attack.name] for p in parts])
    return results


def _examine(store: str, seed: int) -> Parts:
    """One campaign. What is found is small; the campaign itself, some 100 MB, is dropped."""
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        campaign = asyncio.run(_played(seed, STORES[store], Path(folder)))
    return {a.name: a.examine(campaign) for a in SUITE if isinstance(a, OnCampaigns)}


async def _played(seed: int, open_store: OpenStore, folder: Path) -> Campaign:
    """With naive rows in the same store afterwards, for the same attacks."""
    with patient():
        async with open_store(folder) as store:
            return await _played_on(store, seed)


async def _played_on(store: Store, seed: int) -> Campaign:
    campaign = await play(seed, store)
    places = {**campaign.places, **await lay_out(campaign, store)}
    return replace(campaign, places=places, drafts=await plain_drafts(campaign, store))


def _stage(store: str, name: str) -> Result:
    (attack,) = [a for a in SUITE if isinstance(a, Staged) and a.name == name]
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        return asyncio.run(_staged(attack, STORES[store], Path(folder)))


async def _staged(attack: Staged, open_store: OpenStore, folder: Path) -> Result:
    assert attack.stage is not None
    return await attack.stage(open_store, folder)
