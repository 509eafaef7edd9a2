"""Every attack fails on our stores, and the same attack succeeds on a naive one.

Where one succeeds on ours too, it says so (`leaks`), and its test fails once it no longer does.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.attacks.__main__ import PAGE, row_names
from tests.attacks.attack import Attack, Result
from tests.attacks.stores import STORES
from tests.attacks.suite import SUITE, carry_out

type Results = Mapping[str, Result]


@pytest.fixture(scope="module", params=list(STORES))
def results(request: pytest.FixtureRequest) -> Results:
    """Twenty campaigns, none left out; about a minute on two cores."""
    return carry_out(request.param)


@pytest.mark.parametrize("attack", SUITE, ids=lambda attack: attack.name)
def test_the_attack_fails(results: Results, attack: Attack) -> None:
    result = results[attack.name]
    assert result.holds is not bool(attack.leaks), (attack.passes, result.figure)


@pytest.mark.parametrize("attack", SUITE, ids=lambda attack: attack.name)
def test_it_can_tell_a_naive_store_from_ours(results: Results, attack: Attack) -> None:
    assert results[attack.name].is_told, results[attack.name].control


def test_the_page_has_a_row_for_each_attack_and_no_other() -> None:
    assert row_names(PAGE.read_text(encoding="utf-8")) == [attack.name for attack in SUITE]
