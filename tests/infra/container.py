"""Does what a Containerfile says without a container engine, in folders that stand for its stages.

Only what ours uses is understood. The programs are this machine's: of an image we see which files
it has, who they let write, and whether the bot starts from them.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
CONTAINERFILE = ROOT / "infra" / "container" / "Containerfile"


class NoRegistry(Exception):
    """pip cannot reach its package index."""


@dataclass(frozen=True, slots=True)
class Step:
    """`RUN`, and what stands behind it on one line."""

    verb: str
    words: str

    @property
    def exec_form(self) -> list[str]:
        found: list[str] = json.loads(self.words)
        return found


@dataclass
class Stage:
    """`root` stands for `/`."""

    root: Path
    at: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    user: str = ""
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def path(self, inside: str) -> Path:
        return self.root / str(PurePosixPath(self.at, inside)).lstrip("/")

    def here(self, word: str) -> str:
        """With the folders of the image as they are called on this machine."""
        return re.sub(r"(?<![\w/.])/opt\b", str(self.root / "opt"), word)


def steps(text: str) -> list[Step]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    split = (line.split(maxsplit=1) for line in joined.splitlines() if line.strip())
    return [Step(verb, words) for verb, words in split]


def build(context: Path, folder: Path, text: str) -> Stage:
    """The last stage, made from the files that a client would send. Raises `NoRegistry`."""
    stages: dict[str, Stage] = {}
    stage = Stage(folder)
    for step in steps(text):
        if step.verb == "FROM":
            name = step.words.partition(" AS ")[2] or "last"
            stage = stages[name] = Stage(folder / name)
        else:
            _do(step, stage, stages, context)
    return stage


def _do(step: Step, stage: Stage, stages: dict[str, Stage], context: Path) -> None:
    match step.verb:
        case "ENV":
            pairs = (each.partition("=") for each in shlex.split(step.words))
            stage.environment.update({name: value for name, _, value in pairs})
        case "WORKDIR":
            stage.at = step.words
            stage.path(".").mkdir(parents=True, exist_ok=True)
        case "COPY":
            _copy(step.words.split(), stage, stages, context)
        case "RUN":
            _run(step.words, stage)
        case _:
            _note(step, stage)


def _note(step: Step, stage: Stage) -> None:
    match step.verb:
        case "USER":
            stage.user = step.words
        case "ENTRYPOINT":
            stage.entrypoint = step.exec_form
        case "CMD":
            stage.command = step.exec_form
        case "HEALTHCHECK":
            stage.health = json.loads(step.words.partition(" CMD ")[2])
        case "ARG" | "EXPOSE":
            pass
        case _:
            raise ValueError(f"{step.verb} is not understood here")


def _copy(words: Sequence[str], stage: Stage, stages: dict[str, Stage], context: Path) -> None:
    *options, source, target = words
    if options:
        (option,) = options
        found = stages[option.removeprefix("--from=")].path(source)
    else:
        found = context / source
    goal = stage.path(target)
    if found.is_dir():
        shutil.copytree(found, goal, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.copy(found, goal / found.name if target.endswith("/") else goal)


def _run(words: str, stage: Stage) -> None:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    done = subprocess.run(  # noqa: S603 - what our own file says
        ["/bin/sh", "-ec", stage.here(words)],
        cwd=stage.path("."),
        env={**os.environ, **stage.environment, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and re.search(r"Connection|timed out|name resolution", done.stderr):
        raise NoRegistry
    assert done.returncode == 0, done.stderr


# -- the files that a client sends to an engine -----------------------------------------------


def sent(folder: Path, rules: str) -> Iterator[Path]:
    """Files that `.dockerignore` leaves, relative to the folder. The last rule that fits counts."""
    patterns = [line for line in rules.splitlines() if line and not line.startswith("#")]
    for each in sorted(folder.iterdir()):
        if _is_sent(each.relative_to(folder), patterns):
            yield from _sent_below(each, folder, patterns)


def _sent_below(path: Path, folder: Path, patterns: Sequence[str]) -> Iterator[Path]:
    if not _is_sent(path.relative_to(folder), patterns):
        return
    if not path.is_dir():
        yield path.relative_to(folder)
        return
    for each in sorted(path.iterdir()):
        yield from _sent_below(each, folder, patterns)


def _is_sent(path: Path, patterns: Sequence[str]) -> bool:
    sent = True
    for pattern in patterns:
        wanted = re.compile(_regex(pattern.removeprefix("!")))
        if any(wanted.fullmatch(each.as_posix()) for each in (path, *path.parents)):
            sent = pattern.startswith("!")
    return sent


def _regex(pattern: str) -> str:
    parts = re.split(r"(\*\*/|\*)", pattern)
    return "".join({"**/": "(?:.*/)?", "*": "[^/]*"}.get(p, re.escape(p)) for p in parts)
