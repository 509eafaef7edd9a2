"""In CI a skipped test fails the run.

On a desk a test may be skipped because the machine lacks Node or Chromium. In CI that would turn
a broken installation into a green run with a smaller number in it, which nobody reads.
"""

import gc
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.cosmos.server import Server, cosmos_server
from tests.keyvault.server import Server as Vault
from tests.keyvault.server import key_vault

# So that an assertion in these says what it compared, as one in a test module does.
pytest.register_assert_rewrite(
    "tests.contract.records_contract", "tests.contract.keys_contract", "tests.core.mixed"
)

# A disk in memory, where there is one with room: SQLite waits for a real one at each write. A
# container often has one that is too small. Nothing here cuts the power, so none is the wiser.
_MEMORY, _ROOM = Path("/dev/shm"), 2 * 1024**3  # noqa: S108  # each run makes a folder of its own
if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


@pytest.fixture(scope="module", autouse=True)
def _what_is_left_open_is_found_where_it_was_left() -> Iterator[None]:
    """Otherwise a test of another module would fail for it, minutes later."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def cosmos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that speaks Cosmos DB's protocol; each test takes a database of its own in it."""
    with cosmos_server(tmp_path_factory.mktemp("cosmos")) as running:
        yield running


@pytest.fixture
async def vault(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Vault]:
    """A stand-in for Key Vault with nothing in it, whose clock runs fast."""
    async with key_vault(tmp_path_factory.mktemp("vault")) as running:
        yield running


def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`: one more than there are processors, since many a test waits for something.

    Tried on two of them: with four it takes longer than with three, and turns come too late.
    """
    return (os.cpu_count() or 1) + 1


def skipped_in_ci(config: pytest.Config) -> list[pytest.TestReport | pytest.CollectReport]:
    """What was skipped, tests and whole modules alike; nothing where CI is not set."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get("CI") or reporter is None:
        return []
    return list(reporter.stats.get("skipped", []))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.exitstatus == pytest.ExitCode.OK and skipped_in_ci(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    skipped = skipped_in_ci(config)
    if not skipped:
        return
    terminalreporter.section("skipped, which CI takes as failed", red=True, bold=True)
    for report in skipped:
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        terminalreporter.line(f"{report.nodeid}: {why}", red=True)
