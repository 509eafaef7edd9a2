"""A store that waits for a busy machine, for tests that are about something else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from storage.cosmos_calls import Patience


@contextmanager
def patient() -> Iterator[None]:
    """Otherwise whoever is held up gives up, as they have to where somebody waits for an answer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("storage.cosmos.Patience", partial(Patience, 30.0, 15.0))
        yield
