"""The page says what was tried, on each store."""

from __future__ import annotations

import pytest

from tests.attacks.__main__ import ELSEWHERE, PAGE, row_names
from tests.attacks.stores import STORES
from tests.attacks.suite import SUITE
from tests.cosmos.server import ROOT


@pytest.mark.parametrize("store", STORES)
def test_it_has_a_row_for_each_attack_and_no_other(store: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert row_names(text, store) == [attack.name for attack in SUITE]


@pytest.mark.parametrize("number", ELSEWHERE)
def test_what_is_tested_elsewhere_is_there(number: str) -> None:
    for file, tests in ELSEWHERE[number].tests.items():
        text = (ROOT / file).read_text(encoding="utf-8")
        assert [test for test in tests if f"def {test}(" not in text] == []
