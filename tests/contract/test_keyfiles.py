"""Key files keep the contract, and nobody but the bot's own user can read them."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from snapshot.ports import KeyMissing, KeysError
from storage.keyfiles import KeyFiles, UnsafeKeyFile
from tests.contract.keys_contract import KeysContract


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "var" / "keys"


@pytest.fixture
def keys(folder: Path) -> KeyFiles:
    return KeyFiles(folder)


class TestKeyFiles(KeysContract):
    """The contract."""


def files(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, by name."""
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def allow(path: Path, permissions: int) -> None:
    path.chmod(permissions)


def leave(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
async def test_nobody_else_on_the_machine_may_read_a_key(keys: KeyFiles, folder: Path) -> None:
    await keys.create("service")
    assert mode(folder / "service.key") == 0o600
    assert mode(folder) == 0o700


async def test_a_key_outlives_the_process(keys: KeyFiles, folder: Path) -> None:
    made = await keys.create("service")
    assert await KeyFiles(folder).read("service") == made
    assert files(folder) == {"service.key": made}


@pytest.mark.parametrize("permissions", [0o640, 0o604, 0o620, 0o602, 0o660, 0o644, 0o777], ids=oct)
async def test_a_key_that_others_may_read_or_change_is_refused_with_advice(
    keys: KeyFiles, folder: Path, permissions: int
) -> None:
    made = await keys.create("service")
    path = folder / "service.key"
    allow(path, permissions)
    with pytest.raises(UnsafeKeyFile) as refused:
        await keys.read("service")
    advice = f"chmod 600 {path}"
    assert advice in str(refused.value)
    assert made.hex() not in str(refused.value)

    allow(path, 0o600)
    assert await keys.read("service") == made


@pytest.mark.parametrize("name", ["../outside", "a/b", "/etc/a", "", "."])
async def test_an_odd_name_leaves_no_file_anywhere(
    tmp_path: Path, keys: KeyFiles, name: str
) -> None:
    with pytest.raises(KeysError):
        await keys.create(name)
    assert files(tmp_path) == {}


async def test_losing_the_race_leaves_no_second_file(keys: KeyFiles, folder: Path) -> None:
    made = await keys.create("service")
    with pytest.raises(KeysError):
        await keys.create("service")
    assert files(folder) == {"service.key": made}


@contextmanager
def a_full_disk() -> Iterator[None]:
    """No file of this process can grow beyond half a key."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_half_of_a_key_is_never_taken_for_one(keys: KeyFiles, folder: Path) -> None:
    with a_full_disk(), pytest.raises(OSError, match="File too large"):
        await keys.create("service")
    assert "service.key" not in files(folder)
    with pytest.raises(KeyMissing):
        await keys.read("service")
    made = await keys.create("service")
    assert await keys.read("service") == made


async def test_a_key_that_could_not_be_written_leaves_no_draft(
    keys: KeyFiles, folder: Path
) -> None:
    with a_full_disk(), pytest.raises(OSError, match="File too large"):
        await keys.create("service")
    assert files(folder) == {}


async def test_whoever_reads_while_a_key_is_made_sees_all_of_it_or_nothing(
    keys: KeyFiles, folder: Path
) -> None:
    lengths: set[int] = set()
    done = Event()

    def look() -> None:
        while not done.is_set():
            lengths.update(len(p.read_bytes()) for p in folder.glob("*.key"))

    watcher = Thread(target=look)
    watcher.start()
    for number in range(40):
        await keys.create(f"snapshot-{number}")
    done.set()
    watcher.join()
    assert lengths == {32}


async def test_a_draft_that_a_crash_left_is_not_read_as_a_key(keys: KeyFiles, folder: Path) -> None:
    await keys.create("another")
    leave(folder / "service.0a1b2c3d", b"half a key")
    with pytest.raises(KeyMissing):
        await keys.read("service")
    assert len(await keys.create("service")) == 32
