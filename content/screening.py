"""Reads the word lists by which comments are screened, one file for each language."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field

from content.yaml_files import BrokenPack, Part, complaint, read
from snapshot.screening import Lists, Screener

HERE = Path(__file__).parent


def load_screener(folder: Path = HERE) -> Screener:
    """A screener with the lists of all languages of a folder. Raises `BrokenPack`.

    A programme that has none of its own uses ours: comments are never kept unscreened.
    """
    paths = [*folder.glob("screening.*.yaml")] or [*HERE.glob("screening.*.yaml")]
    return _made_of(tuple(_read_lists(path) for path in sorted(paths)))


_made_of = lru_cache(Screener)


# An entry without a letter would be found everywhere.
type _Entries = Annotated[list[Annotated[str, Field(pattern=r"[^\W\d_]")]], Field(min_length=1)]


class _ListsFile(Part):
    # A misspelt key would switch off a whole list without a word.
    model_config = ConfigDict(extra="forbid")

    language: str
    titles: _Entries
    plain_titles: _Entries
    common: _Entries
    birth: _Entries
    months: _Entries
    ages: _Entries
    name_cues: _Entries
    harmless: _Entries
    risk: _Entries
    ordinary: _Entries


def _read_lists(path: Path) -> Lists:
    file = read(path, _ListsFile)
    if path.name != f"screening.{file.language}.yaml":
        raise BrokenPack(complaint(path, ("language",), "must be that of the file's name"))
    entries: dict[str, list[str]] = file.model_dump(exclude={"language"})
    for name, words in entries.items():
        _refuse_doubles(path, name, words)
    return Lists(**{name: tuple(words) for name, words in entries.items()})


def _refuse_doubles(path: Path, name: str, words: Sequence[str]) -> None:
    seen: set[str] = set()
    for index, word in enumerate(words):
        if word.casefold() in seen:
            raise BrokenPack(complaint(path, (name, index), f"{word!r} stands twice"))
        seen.add(word.casefold())
