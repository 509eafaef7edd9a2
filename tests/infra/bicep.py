"""What our Bicep would deploy for given parameters, worked out without Azure and its compiler.

`pycep-parser` makes the tree. It does not tell the text `'port'` from the name `port`, so texts are
marked before it sees them. Only what our templates use is understood, anything else is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from ipaddress import ip_network
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from pycep import BicepParser

_PARSER = BicepParser()
_MARK = "§"
_TEXT_OR_COMMENT = re.compile(r"//[^\n]*|'(?:\\.|[^'\\\n])*'")
_HOLE = re.compile(r"\$\{([^}]*)\}")

TENANT = "11111111-1111-4111-8111-111111111111"
IDENTITY = "22222222-2222-4222-8222-222222222222"
GROUP = "/subscriptions/s/resourceGroups/g"


class Mistake(Exception):
    """The compiler would refuse it, or we would not know what it means."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """What only Azure knows, in the words of the template."""

    text: str


@dataclass(frozen=True, slots=True)
class Resource:
    """`body` as it would be sent; `file` and `symbol` say where it stands."""

    file: str
    symbol: str
    type: str
    version: str
    exists: bool
    body: dict[str, Any]

    @property
    def id(self) -> str:
        return f"{GROUP}/{self.type}/{self.body['name']}"


@dataclass(frozen=True, slots=True)
class Parameter:
    file: str
    name: str
    type: str
    rules: Mapping[str, Any]
    """By name of the decorator, such as `min_value`."""
    has_default: bool
    default: Any


@dataclass(frozen=True, slots=True)
class Deployment:
    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any]
    unused: tuple[str, ...]
    """Parameters and variables that nothing asks for, as `FILE: NAME`."""

    def of(self, type: str) -> list[Resource]:
        return [each for each in self.resources if each.type == type and not each.exists]

    def only(self, type: str) -> Resource:
        (found,) = self.of(type)
        return found


# What Azure would answer for a resource, by type.
_ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "Microsoft.ManagedIdentity/userAssignedIdentities": {
        "clientId": IDENTITY,
        "principalId": IDENTITY,
    },
    "Microsoft.KeyVault/vaults": {"vaultUri": "https://area-abcdefghijklm.vault.azure.net/"},
    "Microsoft.App/containerApps": {
        "configuration": {"ingress": {"fqdn": "area-bot.example.azurecontainerapps.io"}}
    },
}


@dataclass
class _Scope:
    """The names of one file; one that is asked for is worked out then, and noted as used."""

    file: str
    names: dict[str, Callable[[], Any]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def value(self, name: str) -> Any:
        if name not in self.names:
            raise Mistake(f"{self.file}: nothing is called {name}")
        self.used.add(name)
        return self.names[name]()

    def inside(self, name: str, value: Any) -> _Scope:
        return _Scope(self.file, {**self.names, name: lambda: value}, self.used)


@cache
def parse(text: str) -> Mapping[str, Any]:
    """The tree, in which texts begin with a mark and names do not."""
    if "'''" in text or _MARK in text:
        raise Mistake("texts of several lines and the sign for paragraphs are not understood here")
    lines = (_marked(line) for line in text.splitlines())
    tree: Any = _PARSER.parse(text="\n".join(lines) + "\n")
    return dict(tree)


def _marked(line: str) -> str:
    is_type = re.match(r"\s*(resource|module|targetScope)\b", line)

    def mark(found: re.Match[str]) -> str:
        if found[0].startswith("//"):
            return ""
        return found[0] if is_type else f"'{_MARK}{found[0][1:]}"

    return _TEXT_OR_COMMENT.sub(mark, line)


def parameters(path: Path) -> list[Parameter]:
    return [
        _parameter(path, *each) for each in parse(path.read_text()).get("parameters", {}).items()
    ]


def _parameter(path: Path, name: str, found: Mapping[str, Any]) -> Parameter:
    rules = {each["type"]: each.get("argument", True) for each in found["decorators"]}
    default = found["default"]
    return Parameter(path.name, name, found["type"], rules, default is not None, default)


def chosen(path: Path) -> dict[str, Any]:
    """What a `.bicepparam` file says. The parser knows variables, which look the same."""
    text = re.sub(r"(?m)^using .*$", "", path.read_text())
    tree = parse(re.sub(r"(?m)^param ", "var ", text))
    scope = _Scope(path.name)
    return {name: _evaluated(each["value"], scope) for name, each in tree["variables"].items()}


def deploy(path: Path, given: Mapping[str, Any]) -> Deployment:
    """Raises `Mistake`."""
    tree = parse(path.read_text())
    scope = _Scope(path.name)
    declared = parameters(path)
    if strange := set(given) - {each.name for each in declared}:
        raise Mistake(f"{path.name} has no parameter {', '.join(sorted(strange))}")
    for parameter in declared:
        scope.names[parameter.name] = _later(_given, parameter, given, scope)
    for name, variable in tree.get("variables", {}).items():
        scope.names[name] = _later(_evaluated, variable["value"], scope)
    own = [*scope.names]
    for name, found in tree.get("resources", {}).items():
        scope.names[name] = _later(_resource, name, found, scope)
    for name, found in tree.get("modules", {}).items():
        scope.names[name] = _later(_module, path, found, scope)
    made = [work() for work in scope.names.values()]  # also what nothing asks for has to hold
    outputs = {n: _evaluated(o["value"], scope) for n, o in tree.get("outputs", {}).items()}
    unused = [f"{path.name}: {name}" for name in own if name not in scope.used]
    return _together(made, outputs, unused)


def _together(made: Iterable[Any], outputs: Mapping[str, Any], unused: list[str]) -> Deployment:
    resources: list[Resource] = []
    for each in made:
        if isinstance(each, Resource):
            resources.append(each)
        elif isinstance(each, Deployment):
            resources.extend(each.resources)
            unused.extend(each.unused)
    return Deployment(tuple(resources), outputs, tuple(unused))


def _later(work: Callable[..., Any], *given: Any) -> Callable[[], Any]:
    return cache(partial(work, *given))


def _given(parameter: Parameter, given: Mapping[str, Any], scope: _Scope) -> Any:
    where = f"{parameter.file}: {parameter.name}"
    if parameter.name not in given and not parameter.has_default:
        raise Mistake(f"{where} is not given")
    value: Any = given.get(parameter.name, _evaluated(parameter.default, scope))
    types: dict[str, type] = {
        "string": str, "int": int, "bool": bool, "array": list, "object": dict,
    }  # fmt: skip
    is_right = isinstance(value, (Unknown, types[parameter.type]))
    if not is_right or isinstance(value, bool) != (parameter.type == "bool"):
        raise Mistake(f"{where} is no {parameter.type}")
    rules = {name: _evaluated(rule, scope) for name, rule in parameter.rules.items()}
    broken = (
        ("min_value" in rules and value < rules["min_value"])
        or ("min_length" in rules and len(value) < rules["min_length"])
        or ("max_length" in rules and len(value) > rules["max_length"])
        or ("allowed" in rules and value not in rules["allowed"])
    )
    if broken:
        raise Mistake(f"{where} may not be {value!r}")
    return value


def _resource(name: str, found: Mapping[str, Any], scope: _Scope) -> Resource | None:
    config = found["config"]
    if "config" in config:
        if not _evaluated(config["condition"], scope):
            return None
        config = config["config"]
    body = _evaluated(config, scope)
    body.pop("dependsOn", None)
    return Resource(scope.file, name, found["type"], found["api_version"], found["existing"], body)


def _module(path: Path, found: Mapping[str, Any], scope: _Scope) -> Deployment | None:
    config = found["config"]
    if "config" in config:
        if not _evaluated(config["condition"], scope):
            return None
        config = config["config"]
    _evaluated(config.get("dependsOn", []), scope)
    given = _evaluated(config["params"], scope)
    return deploy(path.parent / found["detail"]["path"], given)


def _evaluated(node: Any, scope: _Scope) -> Any:
    if isinstance(node, str):
        return _text(node[1:], scope) if node.startswith(_MARK) else scope.value(node)
    if isinstance(node, list):
        return [_evaluated(each, scope) for each in node]
    if not isinstance(node, dict):
        return node
    if "loop_type" in node:
        return list(_looped(node, scope))
    if "operator" in node:
        return _operated(node["operator"], scope)
    if "function" in node:
        return _called(node["function"], scope)
    return {_key(name, scope): _evaluated(each, scope) for name, each in node.items()}


def _key(name: str, scope: _Scope) -> str:
    written = name.strip("'")
    return str(_text(written[1:], scope)) if written.startswith(_MARK) else name


def _text(text: str, scope: _Scope) -> str:
    def fill(hole: re.Match[str]) -> str:
        tree = parse(f"var it = {hole[1]}")
        value = _evaluated(tree["variables"]["it"]["value"], scope)
        return value.text if isinstance(value, Unknown) else str(value)

    return _HOLE.sub(fill, text)


def _looped(node: Mapping[str, Any], scope: _Scope) -> Iterator[Any]:
    detail = node["loop_type"]["detail"]
    for each in _evaluated(detail["array_name"], scope):
        yield _evaluated(node["config"], scope.inside(detail["item_name"], each))


def _operated(found: Mapping[str, Any], scope: _Scope) -> Any:
    operands = found["operands"]
    if found["type"] == "conditional":
        which = "true_value" if _evaluated(operands["condition"], scope) else "false_value"
        # The other one has to make sense as well.
        values = {name: _evaluated(operands[name], scope) for name in ("true_value", "false_value")}
        return values[which]
    if found["type"] == "property_accessor":
        value = _evaluated(operands["operand_1"], scope)
        for name in _steps(operands["operand_2"]):
            value = _property(value, name, scope)
        return value
    raise Mistake(f"{scope.file}: {found['type']} is not understood here")


def _steps(node: Any) -> Iterator[str]:
    """`a.b.c` comes as a, then b and c in one."""
    while isinstance(node, dict):
        operands = node["operator"]["operands"]
        yield operands["operand_1"]
        node = operands["operand_2"]
    yield node


def _property(value: Any, name: str, scope: _Scope) -> Any:
    if isinstance(value, Resource):
        answers = {
            "id": value.id,
            "name": value.body["name"],
            "properties": _ANSWERS.get(value.type),
        }
        value = answers
    elif isinstance(value, Deployment):
        value = {"outputs": value.outputs}
    if not isinstance(value, Mapping) or value.get(name) is None:
        raise Mistake(f"{scope.file}: there is no {name}")
    return value[name]


def _called(found: Mapping[str, Any], scope: _Scope) -> Any:
    given = [_evaluated(each, scope) for each in found.get("parameters", {}).values()]
    if found["type"] not in _FUNCTIONS:
        raise Mistake(f"{scope.file}: the function {found['type']} is not understood here")
    return _FUNCTIONS[found["type"]](*given)


def _subnet(network: str, prefix: int, index: int) -> str:
    return str(next(islice(ip_network(network).subnets(new_prefix=prefix), index, None)))


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "cidrSubnet": _subnet,
    "empty": lambda value: not value,
    "guid": lambda *parts: str(uuid5(NAMESPACE_OID, "|".join(parts))),
    "items": lambda value: [{"key": key, "value": value[key]} for key in sorted(value)],
    "join": lambda values, between: between.join(values),
    # Azure's types have no fractions, so this is how one is written.
    "json": lambda text: Unknown(f"json('{text}')"),
    "max": max,
    "resource_group": lambda *_: {"id": GROUP, "location": "uksouth"},
    "string": str,
    "subscription_resource_id": lambda type, name, *_: f"/subscriptions/s/{type}/{name}",
    "tenant": lambda: {"tenantId": TENANT},
    "to_lower": str.lower,
    "union": lambda *all: {name: value for each in all for name, value in each.items()},
    "unique_string": lambda *_: "abcdefghijklm",
}
