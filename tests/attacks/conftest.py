"""So that an assertion in what all stores share says what it compared."""

import pytest

pytest.register_assert_rewrite("tests.attacks.withstanding")
