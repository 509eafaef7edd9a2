"""A worker that is killed before and after each of its writes, then started again.

Nothing may be lost and nothing doubled. The process really ends by SIGKILL, on a real store.
`make crash` does the same with more people.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.exampleshire import INSTRUMENT
from tests.cosmos.server import Server
from tests.crash.killing import Killing, Run, a_close, a_mix
from tests.crash.table import each_kind

PEOPLE = 10


@pytest.mark.parametrize("run", [a_close(PEOPLE), a_mix(PEOPLE)], ids=lambda run: run.name)
def test_killed_before_and_after_each_write_nothing_is_lost_or_doubled(
    run: Run, tmp_path: Path
) -> None:
    killing = Killing(run, tmp_path)
    points = killing.points()
    each = 3 + len(INSTRUMENT.domains)
    assert len(points) > 2 * max(run.batches) * each, "claims, slips, comments and releases"
    for point, outcome in killing.outcomes(points):
        assert outcome == killing.well, point


def test_killed_at_a_write_of_each_kind_nothing_is_lost_on_cosmos(
    cosmos: Server, tmp_path: Path
) -> None:
    killing = Killing(a_close(4, k=3), tmp_path, cosmos)
    points = each_kind(killing.points())
    assert len(points) > 2 * 10
    for point, outcome in killing.outcomes(points):
        assert outcome == killing.well, point
