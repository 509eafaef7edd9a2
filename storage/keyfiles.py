"""Keys as files of their own, readable by nobody but the user that runs the bot.

Keep the folder on another volume than the database, and out of its backups.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from snapshot.ports import KEY_NAME, KeyExists, KeyMissing, KeysError, PinChanged
from snapshot.sealing import KEY_BYTES


class UnsafeKeyFile(KeysError):
    """Others on this machine may read the key; the message says how to mend it."""


class BrokenKeyFile(KeysError):
    """The file is not a key, or not a whole one."""


class KeyFiles:
    """Implements `snapshot.ports.Keys`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def create(self, name: str) -> bytes:
        return await asyncio.to_thread(self._create, self._path(name))

    async def read(self, name: str) -> bytes:
        """Raises `KeyMissing`, `UnsafeKeyFile`, `BrokenKeyFile`."""
        return await asyncio.to_thread(self._read, self._path(name))

    async def destroy(self, name: str) -> None:
        await asyncio.to_thread(self._destroy, name)

    async def recoverable_until(self, name: str) -> date | None:  # noqa: ARG002 - of no key
        return None

    async def recoverable_days(self, name: str) -> int:  # noqa: ARG002 - of no key
        return 0

    async def pinned(self, name: str) -> str | None:
        """Raises `KeyMissing` for a name that no key has."""
        return await asyncio.to_thread(_read_pin, self._path(name, "pin"))

    async def pin(self, name: str, value: str, *, was: str | None) -> None:
        await asyncio.to_thread(self._pin, self._path(name, "pin"), value, was)

    def _path(self, name: str, kind: str = "key") -> Path:
        if not KEY_NAME.fullmatch(name):
            raise KeyMissing(name)
        return self._folder / f"{name}.{kind}"

    def _destroy(self, name: str) -> None:
        for kind in ("key", "pin", "lock"):
            _shred(self._path(name, kind))
        if self._folder.is_dir():
            _sync_folder(self._folder)

    def _pin(self, path: Path, value: str, was: str | None) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(path.with_suffix(".lock")):
            if _read_pin(path) != was:
                raise PinChanged(path.stem)
            draft = path.with_suffix(f".{secrets.token_hex(4)}")
            try:
                _write(draft, value.encode())
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)
        _sync_folder(self._folder)

    def _create(self, path: Path) -> bytes:
        key = secrets.token_bytes(KEY_BYTES)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Written whole under another name first: a crash leaves no half of a key behind.
        draft = path.with_suffix(f".{secrets.token_hex(4)}")
        try:
            _write(draft, key)
            os.link(draft, path)
        except FileExistsError:
            raise KeyExists(path.stem) from None
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(self._folder)
        return key

    def _read(self, path: Path) -> bytes:
        try:
            mode = path.stat().st_mode
            key = path.read_bytes()
        except FileNotFoundError:
            raise KeyMissing(path.stem) from None
        if mode & 0o077:
            raise UnsafeKeyFile(f"others may read {path}; run: chmod 600 {path}")
        if len(key) != KEY_BYTES:
            raise BrokenKeyFile(f"{path} does not hold {KEY_BYTES} bytes; put the right one back")
        return key


def _write(path: Path, value: bytes) -> None:
    """A new file that is on the disk when this returns."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())


def _shred(path: Path) -> None:
    """Overwrite a file before it is deleted.

    Where the disk keeps old blocks (snapshots of a volume, wear levelling) this is not enough:
    keep the folder where it does not, and out of backups.
    """
    try:
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return


def _read_pin(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Only one process on this machine at a time; the lock ends with whoever holds it."""
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
