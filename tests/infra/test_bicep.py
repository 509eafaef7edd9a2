"""Each resource of our Bicep is held against Azure's own definition of its type.

This is no compiler, and Azure may refuse what fits: see docs/deploy.md for what was not tried.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.infra.azure_types import known, problems
from tests.infra.bicep import TENANT, Deployment, Mistake, chosen, deploy, parameters

AZURE = Path(__file__).parents[2] / "infra" / "azure"

EXAMPLE = chosen(AZURE / "example.bicepparam")

# Their definitions are not among those in types/, so they are parsed and nothing more.
PARSED_ONLY = {
    "Microsoft.Insights/diagnosticSettings@2021-05-01-preview",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01",
    "Microsoft.Network/privateDnsZones@2024-06-01",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01",
    "Microsoft.Network/privateEndpoints@2024-05-01",
    "Microsoft.Network/virtualNetworks@2024-05-01",
}

SWITCHES = ("privateEndpoints", "serverless", "tickJob", "zoneRedundant")


def ways() -> Iterator[Mapping[str, Any]]:
    """The example with every combination of the switches."""
    for values in product((False, True), repeat=len(SWITCHES)):
        yield {**EXAMPLE, **dict(zip(SWITCHES, values, strict=True))}


def every_deployment(folder: Path = AZURE) -> Iterator[Deployment]:
    for create in (False, True):
        yield deploy(folder / "foundation.bicep", {"name": "area", "createRegistry": create})
    for way in ways():
        yield deploy(folder / "main.bicep", way)


def used_types() -> set[str]:
    return {f"{r.type}@{r.version}" for each in every_deployment() for r in each.resources}


def all_problems(folder: Path) -> set[str]:
    return {
        problem
        for each in every_deployment(folder)
        for resource in each.resources
        if f"{resource.type}@{resource.version}" not in PARSED_ONLY
        for problem in problems(resource)
    }


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(AZURE, tmp_path / "azure"))


def change(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text()
    assert text.count(old) >= 1, f"{file} has no {old}"
    path.write_text(text.replace(old, new, 1))


def test_every_resource_fits_its_type_whatever_the_switches() -> None:
    assert all_problems(AZURE) == set()


def test_every_type_is_either_known_or_named_as_parsed_only() -> None:
    assert used_types() - set(known()) == PARSED_ONLY


def test_nothing_is_declared_and_not_used() -> None:
    unused = [set(each.unused) for each in every_deployment()]
    assert set.intersection(*unused[:2]) == set()
    assert set.intersection(*unused[2:]) == set()


def test_every_file_belongs_to_a_deployment() -> None:
    files = {resource.file for each in every_deployment() for resource in each.resources}
    assert files | {"main.bicep"} == {path.name for path in AZURE.rglob("*.bicep")}


def test_the_example_gives_what_has_no_default() -> None:
    needed = {each.name for each in parameters(AZURE / "main.bicep") if not each.has_default}
    assert needed <= set(EXAMPLE)
    assert EXAMPLE["appTenantId"] != TENANT, "the example must not be anybody's tenant"


def test_the_page_for_operators_names_every_parameter() -> None:
    page = (AZURE.parents[1] / "docs" / "deploy.md").read_text()
    named = {name for row in re.findall(r"(?m)^\| (`.*?) \|", page) for name in row.split("`")}
    ours = {each.name for each in parameters(AZURE / "main.bicep")}
    assert ours - named == {"location", "maxThroughput"}, "those are told in passing"


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("modules/database.bicep", "disableLocalAuth:", "disableLocalAuht:", "no disableLocalAuht"),
        ("modules/vault.bicep", "defaultAction: 'Deny'", "defaultAction: 'Denied'", "'Denied'"),
        ("modules/database.bicep", "'Strong'", "'Stronger'", "'Stronger'"),
        ("modules/database.bicep", "type: 'Periodic'", "type: 'Hourly'", "'Hourly'"),
        ("modules/database.bicep", "backupIntervalInMinutes", "backupInterval", "backupInterval"),
        ("modules/database.bicep", "    databaseAccountOfferType: 'Standard'\n", "", "is missing"),
        ("modules/bot.bicep", "    endpoint: 'https://${host}/api/messages'\n", "", "is missing"),
        ("modules/app.bicep", "cronExpression: '*/10 * * * *'", "", "cronExpression is missing"),
        ("modules/app.bicep", "targetPort: port", "targetPort: string(port)", "no Integer"),
        ("modules/vault.bicep", "enableSoftDelete: true", "enableSoftDelete: 'true'", "no Boolean"),
        ("modules/vault.bicep", "  properties: {\n", "  properties: {\n    id: 'x'\n", "no id"),
        ("modules/app.bicep", "failureThreshold: 10", "failureThreshold: 11", "11 may not"),
        ("modules/vault.bicep", "RetentionInDays: 7", "RetentionInDays: 6", "6 may not stand"),
        ("modules/logs.bicep", "  location: location\n", "", "location is missing"),
        ("foundation.bicep", "identity\n  location", "identity\n  place", "no place"),
    ],
)  # fmt: skip
def test_what_does_not_fit_its_type_is_found(
    ours: Path, file: str, old: str, new: str, said: str
) -> None:
    change(ours, file, old, new)
    found = all_problems(ours)
    assert found
    assert any(said in each for each in found), found


@pytest.mark.parametrize("version", ["2025-10-16", "2024-01-01"])
def test_another_version_of_a_type_is_found(ours: Path, version: str) -> None:
    change(ours, "modules/database.bicep", "2025-10-15", version)
    with pytest.raises(KeyError, match=version):
        all_problems(ours)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("main.bicep", "days: logDays", "days: logDay", "nothing is called logDay"),
        ("main.bicep", "days: logDays", "", "days is not given"),
        ("main.bicep", "days: logDays", "days: logDays\n    month: 1", "no parameter month"),
        ("main.bicep", "days: logDays", "days: name", "is no int"),
        ("main.bicep", "logs.outputs.workspaceId", "logs.outputs.workspace", "no workspace"),
        ("main.bicep", "part: 'Sql'", "part: 'sql'", "may not be 'sql'"),
        ("modules/app.bicep", "setting.key", "setting.name", "there is no name"),
    ],
)
def test_what_the_compiler_would_refuse_is_found(
    ours: Path, file: str, old: str, new: str, said: str
) -> None:
    change(ours, file, old, new)
    with pytest.raises(Mistake, match=said):
        all_problems(ours)


def test_a_file_that_is_no_bicep_is_found(ours: Path) -> None:
    change(ours, "modules/logs.bicep", "sku: {", "sku: [")
    with pytest.raises(Exception, match="Unexpected token"):
        all_problems(ours)


@pytest.mark.parametrize(
    ("name", "value"),
    [("minReplicas", 0), ("tenants", []), ("facilitators", []), ("appId", "x"), ("name", "a" * 11)],
)
def test_parameters_that_would_make_a_bot_that_cannot_work_are_refused(
    name: str, value: Any
) -> None:
    with pytest.raises(Mistake, match=f"{name} may not be"):
        deploy(AZURE / "main.bicep", {**EXAMPLE, name: value})
