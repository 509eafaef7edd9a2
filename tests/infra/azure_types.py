"""Azure's own definitions of its resources, and what in a resource does not fit them.

`types/` holds those of the resource types that we use; `python -m tests.infra.azure_types FILE...`
takes them out of the files that types/SOURCE.txt names.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.infra.bicep import Resource, Unknown

HERE = Path(__file__).parent / "types"

REQUIRED, READ_ONLY = 1, 2
"""Bits of a property's `flags`."""

_OURS_ALONE = ("parent", "scope", "dependsOn")
"""Bicep's words, of which Azure's types know nothing."""

type Types = list[dict[str, Any]]
"""The types of one file, which name each other by their place in it."""


@cache
def known() -> Mapping[str, tuple[Types, dict[str, Any]]]:
    """By `TYPE@VERSION`."""
    found = {}
    for path in sorted(HERE.glob("*.json")):
        types = json.loads(path.read_text())
        for each in types:
            if each["$type"] == "ResourceType":
                found[each["name"]] = (types, each)
    return found


def problems(resource: Resource) -> list[str]:
    """Empty where nothing is wrong. Raises `KeyError` for a type or version that is not known."""
    if resource.exists:
        return []
    types, found = known()[f"{resource.type}@{resource.version}"]
    body = {name: value for name, value in resource.body.items() if name not in _OURS_ALONE}
    where = f"{resource.file}: {resource.symbol}"
    return list(_wrong(types, _at(types, found["body"]), body, where))


def _at(types: Types, ref: Mapping[str, str]) -> dict[str, Any]:
    return types[int(ref["$ref"].removeprefix("#/"))]


def _wrong(types: Types, wanted: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    if isinstance(value, Unknown):
        return
    match wanted["$type"]:
        case "ObjectType":
            yield from _wrong_object(types, wanted, value, where)
        case "DiscriminatedObjectType":
            yield from _wrong_kind(types, wanted, value, where)
        case "ArrayType":
            yield from _wrong_list(types, wanted, value, where)
        case "UnionType":
            yield from _wrong_choice(types, wanted, value, where)
        case "StringType" | "StringLiteralType" | "IntegerType" | "BooleanType":
            yield from _wrong_value(wanted, value, where)


def _wrong_object(types: Types, wanted: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: an object is wanted"
        return
    properties, others = wanted["properties"], wanted.get("additionalProperties")
    for name, found in properties.items():
        if found["flags"] & REQUIRED and value.get(name) is None:
            yield f"{where}: {name} is missing"
    for name, each in value.items():
        if name in properties and properties[name]["flags"] & READ_ONLY:
            yield f"{where}: {name} can only be read"
        elif name in properties:
            found = properties[name]
            inner = {**_at(types, found["type"]), **found.get("limits", {})}
            yield from _wrong(types, inner, each, f"{where}.{name}")
        elif others:
            yield from _wrong(types, _at(types, others), each, f"{where}.{name}")
        else:
            yield f"{where}: there is no {name}"


def _wrong_list(types: Types, wanted: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{where}: a list is wanted"
        return
    for place, each in enumerate(value):
        yield from _wrong(types, _at(types, wanted["itemType"]), each, f"{where}[{place}]")


def _wrong_kind(types: Types, wanted: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    """An object whose other properties hang on the value of one."""
    kind = value.get(wanted["discriminator"]) if isinstance(value, dict) else None
    if kind not in wanted["elements"]:
        yield f"{where}: {wanted['discriminator']} may not be {kind!r}"
        return
    found = _at(types, wanted["elements"][kind])
    whole = {**found, "properties": {**wanted["baseProperties"], **found["properties"]}}
    yield from _wrong_object(types, whole, value, where)


def _wrong_choice(types: Types, wanted: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    """Of an open list we take the listed ones only: that is how a slip of the pen is found."""
    choices = [_at(types, each) for each in wanted["elements"]]
    listed = [each["value"] for each in choices if each["$type"] == "StringLiteralType"]
    if listed and value not in listed:
        yield f"{where}: {value!r} is not one of {', '.join(listed)}"
    elif not listed and all(any(_wrong(types, each, value, where)) for each in choices):
        yield f"{where}: {value!r} fits nothing that may stand here"


def _wrong_value(wanted: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    kinds = {"StringType": str, "StringLiteralType": str, "IntegerType": int, "BooleanType": bool}
    if type(value) is not kinds[wanted["$type"]]:
        yield f"{where}: {value!r} is no {wanted['$type'].removesuffix('Type')}"
        return
    size = len(value) if isinstance(value, str) else value
    broken = (
        ("value" in wanted and value != wanted["value"])
        or size < wanted.get("minLength", wanted.get("minValue", size))
        or size > wanted.get("maxLength", wanted.get("maxValue", size))
        or not re.search(wanted.get("pattern", ""), str(value))
    )
    if broken:
        yield f"{where}: {value!r} may not stand here"


# -- taking over newer definitions ------------------------------------------------------------


def trimmed(types: Types, names: set[str]) -> Types:
    """Of a whole file, what the resource types of these names need, without what is for readers."""
    places: dict[int, int] = {}
    order: list[int] = []

    def keep(place: int) -> None:
        if place not in places:
            places[place] = len(order)
            order.append(place)
            for ref in _refs(types[place]):
                keep(ref)

    for place, each in enumerate(types):
        if each["$type"] == "ResourceType" and each["name"] in names:
            keep(place)
    return [_renumbered(types[place], places) for place in order]


def _refs(node: Any) -> Iterator[int]:
    if isinstance(node, list):
        for each in node:
            yield from _refs(each)
    elif isinstance(node, dict):
        if "$ref" in node:
            yield int(node["$ref"].removeprefix("#/"))
        for name, each in node.items():
            if name != "functions":
                yield from _refs(each)


_LIMITS = re.compile(r"Minimum value is (\d+)\. Maximum value is (\d+)|>=(\d+) and <=(\d+)")
"""Some stand in a property's description alone."""


def _renumbered(node: Any, places: Mapping[int, int]) -> Any:
    if isinstance(node, list):
        return [_renumbered(each, places) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {"$ref": f"#/{places[int(node['$ref'].removeprefix('#/'))]}"}
    kept = {
        name: _renumbered(each, places)
        for name, each in node.items()
        # A property may be called so too; that is an object.
        if name != "functions" and not (name == "description" and isinstance(each, str))
    }
    if found := _LIMITS.search(str(node.get("description", ""))):
        least, most = (int(each) for each in found.groups() if each)
        kept["limits"] = {"minValue": least, "maxValue": most}
    return kept


def _take_over(paths: list[Path]) -> None:
    from tests.infra.test_bicep import used_types

    names = used_types()
    for path in paths:
        found = trimmed(json.loads(path.read_text()), names)
        if found:
            lines = ",\n".join(json.dumps(each) for each in found)
            (HERE / path.name).write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    _take_over([Path(each) for each in sys.argv[1:]])
