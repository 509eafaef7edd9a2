"""Kills a worker at every write of a mix and of a close, and writes docs/crash.md."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.progress import track

from tests.cosmos.server import Server, cosmos_server
from tests.crash.killing import Killing, Run, a_close, a_mix
from tests.crash.table import Row, rows

PAGE = Path(__file__).parents[2] / "docs" / "crash.md"

SQLITE, COSMOS = "sqlite", "cosmos"
PEOPLE = {SQLITE: 60, COSMOS: 10}

# Where there is a disk in memory, SQLite need not wait for a real one at each write.
MEMORY = Path("/dev/shm")  # noqa: S108  # each run makes a folder of its own in it
SCRATCH = MEMORY if MEMORY.is_dir() else None

_ABOUT = f"""\
# Crashes

We kill a worker at every write of a mix and of a close, and write down what came of it. `make
crash` wrote this page; the tests do the same with fewer people, and fail where anything is lost or
doubled.

Everybody has sent their answers, each with a comment. A worker in a process of its own is ended by
SIGKILL just before or just after one write (of a record, or of the pin beside the keys). Then
another is started, which mixes what is open and closes. What is in the store after that is compared
with the answers that went in. On {SQLITE} that is done with {PEOPLE[SQLITE]} people, on {COSMOS}
(the server of the tests) with {PEOPLE[COSMOS]}. The database itself is not killed: what SQLite does
when the power fails is SQLite's own to test.

A run is one kill and one restart: two for each write, one before it and one after. *Lost* and
*doubled* are slips and comments. *Amiss* counts the runs where something else was not as it has to
be: sizes of batches, counts, envelopes that were not emptied, a journal, publications, the phase.
"""

_HEAD = "| killed at | runs | ballots in | ballots out | lost | doubled | amiss |"
_RULE = "|---|--:|--:|--:|--:|--:|--:|"


@dataclass(frozen=True, slots=True)
class Table:
    store: str
    run: Run
    rows: list[Row]

    def __str__(self) -> str:
        title = f"## A {self.run.name} on {self.store}, {self.run.people} people"
        return "\n".join([title, "", _HEAD, _RULE, *map(_line, self.rows), _line(self._sum), ""])

    @property
    def _sum(self) -> Row:
        numbers = zip(*(_numbers(row) for row in self.rows), strict=True)
        return Row("**all**", *map(sum, numbers))


def page(tables: list[Table]) -> str:
    return "\n".join([_ABOUT, *map(str, tables)])


def _line(row: Row) -> str:
    return f"| {row.what} | {' | '.join(f'{n:,}' for n in _numbers(row))} |"


def _numbers(row: Row) -> tuple[int, ...]:
    return (row.runs, row.ballots_in, row.ballots_out, row.lost, row.doubled, row.amiss)


def tables() -> Iterator[Table]:
    with _scratch() as folder, ExitStack() as stack:
        (folder / "server").mkdir()
        server = stack.enter_context(cosmos_server(folder / "server"))
        for store, people in PEOPLE.items():
            for run in (a_mix(people), a_close(people)):
                yield _table(store, run, folder / f"{store}-{run.name}", server)


def _table(store: str, run: Run, folder: Path, server: Server) -> Table:
    folder.mkdir()
    killing = Killing(run, folder, server if store == COSMOS else None)
    points = killing.points()
    found = track(killing.outcomes(points), f"{run.name} on {store}", total=len(points))
    return Table(store, run, rows(found, run.people))


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        yield Path(folder)


def main() -> None:
    PAGE.write_text(page(list(tables())), encoding="utf-8")


if __name__ == "__main__":
    main()
