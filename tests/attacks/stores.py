"""The stores that are attacked. Another one is another line in `STORES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from snapshot.ports import Records, SnapshotId
from tests.attacks.on_cosmos import open_cosmos
from tests.attacks.on_sqlite import open_sqlite
from tests.attacks.recording import Places, Row, Version
from tests.attacks.trouble import Reached


class Store(Protocol):
    """A store, and everything that it leaves to whoever runs it. Seconds count from the opening."""

    @property
    def records(self) -> Records: ...

    def dates(self, second: int) -> None:
        """From here on it is this second for the store, if it notes any."""

    def leftovers(self) -> bytes:
        """What lies about of it, and was not there when this was asked before, if it can tell."""

    def history(self, recorded: Sequence[Version]) -> list[Version]:
        """Every version of every record: as the store itself tells it, if it does."""

    async def places(self, snapshot: SnapshotId) -> Mapping[str, Places]:
        """Where the slips of a snapshot lie, by their ids."""

    async def lays(self, rows: Sequence[Row]) -> Mapping[str, Places]:
        """Write rows as one would without thinking, one after the other; where they lie then."""

    async def emptied(self, rows: Sequence[Row]) -> bytes:
        """What is left of such rows when they have been deleted."""

    def reached(self) -> AbstractAsyncContextManager[Reached]:
        """The same store for a bot of its own, and the means to make it fail."""


type OpenStore = Callable[[Path], AbstractAsyncContextManager[Store]]

STORES: dict[str, OpenStore] = {"SQLite": open_sqlite, "Cosmos DB": open_cosmos}
