"""What every store has to withstand. One file of tests for each store, so that they run at once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.attacks.attack import Attack, Result
from tests.attacks.suite import SEEDS, SUITE

type Results = Mapping[str, Result]

CAMPAIGNS = SEEDS[:4]
FEWER = SEEDS[:2]
"""So that all tests take some ten minutes; `make attacks` plays all of them. Fewer where a campaign
takes twice as long.
"""

each = pytest.mark.parametrize("attack", SUITE, ids=lambda attack: attack.name)


class Withstanding:
    """Every attack fails, and the same attack succeeds on a naive store.

    Each store supplies `results`: of so many campaigns, none of them left out.
    """

    @each
    def test_the_attack_fails(self, results: Results, attack: Attack) -> None:
        result = results[attack.name]
        assert result.holds, (attack.passes, result.figure)

    @each
    def test_it_can_tell_a_naive_store_from_ours(self, results: Results, attack: Attack) -> None:
        assert results[attack.name].is_told, results[attack.name].control
