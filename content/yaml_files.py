"""Reads a file of content into a value of a given shape, and says where one is wrong."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError


class BrokenPack(Exception):
    """A pack cannot be used. The message names the file, the line, the place and the rule."""


class Part(BaseModel):
    """A part of a file. Unless it says otherwise, what it does not name is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


def read[F: Part](path: Path, shape: type[F]) -> F:
    """The file as a value of this shape. Raises `BrokenPack`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BrokenPack(f"{path.name} is missing") from None
    except UnicodeDecodeError as error:
        raise BrokenPack(f"{path.name}: not UTF-8: {error}") from None
    try:
        value: F = _understood(text, shape)
        return value
    except yaml.YAMLError as error:
        raise BrokenPack(f"{path.name}: not YAML: {error}") from None
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        raise BrokenPack("\n".join(complaint(path, f["loc"], f["msg"]) for f in found)) from None


# Values are frozen, and a process may start more than one bot: the tests start hundreds.
@lru_cache
def _understood[F: Part](text: str, shape: type[F]) -> F:
    # S506: it is the safe loader, only stricter.
    return shape.model_validate(yaml.load(text, Loader=_Loader))  # noqa: S506


class _Loader(yaml.CSafeLoader):
    """YAML takes the last of two equal keys; here that is a mistake."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def complaint(path: Path, place: tuple[str | int, ...], rule: str) -> str:
    """What is wrong, and where. `place` is the keys and numbers that lead there."""
    tree = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    where = ".".join(str(step) for step in place)
    return f"{path.name}, line {_line(tree, place)}: {where}: {rule}"


def _line(node: yaml.Node | None, place: tuple[str | int, ...]) -> int:
    """The line of a place in the file, or of the nearest thing around it that is there."""
    for step in place:
        if isinstance(node, yaml.MappingNode):
            inner = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            inner = node.value[step] if step < len(node.value) else None
        else:
            inner = None
        if inner is None:
            break
        node = inner
    return node.start_mark.line + 1 if node else 1
