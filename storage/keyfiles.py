"""Keys as files of their own, readable by nobody but the user that runs the bot.

Keep the folder on another volume than the database, and out of its backups.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from pathlib import Path

from snapshot.ports import KeyExists, KeyMissing, KeysError
from snapshot.sealing import KEY_BYTES

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


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

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise KeyMissing(name)
        return self._folder / f"{name}.key"

    def _create(self, path: Path) -> bytes:
        key = secrets.token_bytes(KEY_BYTES)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Written whole under another name first: a crash leaves no half of a key behind.
        draft = path.with_suffix(f".{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            raise KeyExists(path.stem) from None
        finally:
            draft.unlink()
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


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
