"""So that an assertion in a contract says what it compared, as one in a test module does."""

import pytest

pytest.register_assert_rewrite("tests.contract.records_contract", "tests.contract.keys_contract")
