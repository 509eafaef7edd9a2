"""What our Bicep must never deploy, whatever the switches, and that breaking a rule is seen."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.settings import Env, Settings
from storage.cosmos_opening import CONTAINER, ENOUGH, INDEXING, PARTITION
from tests.infra.bicep import IDENTITY, Deployment, Resource, deploy, parameters
from tests.infra.test_bicep import AZURE, EXAMPLE, SWITCHES, change, ours, ways

__all__ = ["ours"]

COSMOS = "Microsoft.DocumentDB/databaseAccounts"
VAULT = "Microsoft.KeyVault/vaults"
APP = "Microsoft.App/containerApps"
JOB = "Microsoft.App/jobs"
ENDPOINT = "Microsoft.Network/privateEndpoints"
ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
BUILT_IN_ROLES = {"7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull"}

# None of them tells who touched which record, or what a query asked for.
LOGS = {"AuditEvent", "ContainerAppConsoleLogs", "ContainerAppSystemLogs", "ControlPlaneRequests"}

_DATA = f"{COSMOS}/sqlDatabases/containers"
_SECRETS = f"{VAULT}/secrets"

# What each call of Azure's clients needs. Those that only an emulator sees are left out.
DATABASE_CALLS: Mapping[str, set[str]] = {
    "GetDatabaseAccount": {f"{COSMOS}/readMetadata"},
    "read": {f"{COSMOS}/readMetadata"},
    "create_item": {f"{_DATA}/items/create"},
    "read_item": {f"{_DATA}/items/read"},
    "read_items": {f"{_DATA}/items/read"},
    "replace_item": {f"{_DATA}/items/replace"},
    "patch_item": {f"{_DATA}/items/replace"},
    "upsert_item": {f"{_DATA}/items/upsert"},
    "delete_item": {f"{_DATA}/items/delete"},
    "query_items": {f"{_DATA}/executeQuery", f"{_DATA}/readChangeFeed"},
    "query_items_change_feed": {f"{_DATA}/readChangeFeed"},
    "execute_item_batch": {f"{_DATA}/items/create", f"{_DATA}/items/upsert"},
}
VAULT_CALLS: Mapping[str, set[str]] = {
    "set_secret": {f"{_SECRETS}/setSecret/action"},
    "get_secret": {f"{_SECRETS}/getSecret/action"},
    "list_properties_of_secrets": {f"{_SECRETS}/readMetadata/action"},
    "list_properties_of_secret_versions": {f"{_SECRETS}/readMetadata/action"},
    "get_deleted_secret": {f"{_SECRETS}/readMetadata/action"},
    "list_deleted_secrets": {f"{_SECRETS}/readMetadata/action"},
    "update_secret_properties": {f"{_SECRETS}/update/action"},
    "delete_secret": {f"{_SECRETS}/delete"},
    "purge_deleted_secret": {f"{_SECRETS}/purge/action"},
    "recover_deleted_secret": {f"{_SECRETS}/recover/action"},
    "backup_secret": {f"{_SECRETS}/backup/action"},
    "restore_secret_backup": {f"{_SECRETS}/restore/action"},
}

ONE_AND_THE_OTHER = [{**EXAMPLE, **dict.fromkeys(SWITCHES, on)} for on in (False, True)]

type Rule = Callable[[Deployment, Mapping[str, Any]], Iterator[str]]
"""Says what breaks it, given what would be deployed and with which parameters."""


def entra_only(all: Deployment, way: Mapping[str, Any]) -> Iterator[str]:
    account = all.only(COSMOS).body["properties"]
    wanted = {
        "database": account["disableLocalAuth"] and account["disableKeyBasedMetadataWriteAccess"],
        "vault": all.only(VAULT).body["properties"]["enableRbacAuthorization"],
        "bot": _of(all, "Microsoft.BotService/botServices")["disableLocalAuth"],
        "log": _of(all, "Microsoft.OperationalInsights/workspaces")["features"]["disableLocalAuth"],
    }
    yield from (f"{name} takes keys" for name, is_off in wanted.items() if is_off is not True)


def no_secrets(all: Deployment, way: Mapping[str, Any]) -> Iterator[str]:
    for each in all.resources:
        if re.search(
            r"AccountKey=|SharedAccess|BEGIN |(?<!sha256:)\b(?=\w*\d)\w{40,}", _written(each)
        ):
            yield f"{each.symbol} holds what looks like a secret"
        if re.search(r'"(secrets|secretRef|passwordSecretRef|sharedKey)":', _written(each)):
            yield f"{each.symbol} hands on a secret"


def out_of_reach(all: Deployment, way: Mapping[str, Any]) -> Iterator[str]:
    """Without private endpoints, the bot's subnet is let in and nothing else."""
    account, vault = _of(all, COSMOS), _of(all, VAULT)
    acls = vault["networkAcls"]
    wanted = [] if way["privateEndpoints"] else [f"{_network(all).id}/subnets/bot"]
    if (acls["defaultAction"], acls["bypass"], acls["ipRules"]) != ("Deny", "None", []):
        yield "vault lets in more than the subnet"
    if not account["isVirtualNetworkFilterEnabled"] or account["ipRules"]:
        yield "database lets in more than the subnet"
    if account["networkAclBypass"] != "None":
        yield "database lets in other services"
    for rules in (account["virtualNetworkRules"], acls["virtualNetworkRules"]):
        if [each["id"] for each in rules] != wanted:
            yield "another subnet is let in"


def private(all: Deployment, way: Mapping[str, Any]) -> Iterator[str]:
    wanted = {all.only(COSMOS).id, all.only(VAULT).id} if way["privateEndpoints"] else set()
    if {_target(each) for each in all.of(ENDPOINT)} != wanted:
        yield "not both have a private endpoint, or neither"
    for type in (COSMOS, VAULT):
        if wanted and _of(all, type)["publicNetworkAccess"] != "Disabled":
            yield f"{all.only(type).symbol} has a public address"


def encrypted_on_the_way(all: Deployment, way: Mapping[str, Any]) -> Iterator[str]:
    if _of(all, COSMOS)["minimalTlsVersion"] != "Tls12":
        yield "database takes old TLS"
    if _of(all, APP)["configuration"]["ingress"]["allowInsecure"] is not False:
        yield "bot takes plain HTTP"
    if not _of(all, "Microsoft.BotService/botServices")["endpoint"].startswith("https://"):
        yield "Teams would call over plain HTTP"


def always_awake(all: Deployment, way: Mapping[str, Any]) -> Iterator[str]:
    if _of(all, APP)["template"]["scale"]["minReplicas"] < (2 if way["zoneRedundant"] else 1):
        yield "too few replicas"
    probes = {each["type"]: each["httpGet"]["path"] for each in _containers(all, APP)[0]["probes"]}
    if probes != {"Startup": "/healthz", "Liveness": "/healthz", "Readiness": "/readyz"}:
        yield "probes ask elsewhere"


def nothing_copied(all: Deployment, way: Mapping[str, Any]) -> Iterator[str]:
    account, records = _of(all, COSMOS), _of(all, f"{COSMOS}/sqlDatabases/containers")
    backup = account["backupPolicy"]
    times = backup.get("periodicModeProperties", {})
    if account["enableAnalyticalStorage"] or "analyticalStorageTtl" in records["resource"]:
        yield "items are copied to the analytical store"
    if backup["type"] != "Periodic":
        yield "every version is kept"
    if times.get("backupIntervalInMinutes") != 60 or times["backupRetentionIntervalInHours"] != 8:
        yield "backups are kept longer than they have to be"
    if times["backupStorageRedundancy"] == "Geo":
        yield "backups leave the region"


def keys_can_be_destroyed(all: Deployment, way: Mapping[str, Any]) -> Iterator[str]:
    vault = _of(all, VAULT)
    if "enablePurgeProtection" in vault or vault["softDeleteRetentionInDays"] != 7:
        yield "a destroyed key can be brought back"


def database_as_the_bot_wants_it(all: Deployment, way: Mapping[str, Any]) -> Iterator[str]:
    account, records = _of(all, COSMOS), _of(all, f"{COSMOS}/sqlDatabases/containers")["resource"]
    if account["consistencyPolicy"]["defaultConsistencyLevel"] not in ENOUGH:
        yield "reads may be old"
    if account["enableMultipleWriteLocations"] or len(account["locations"]) != 1:
        yield "several regions"
    if records["id"] != CONTAINER or records["partitionKey"]["paths"] != [PARTITION]:
        yield "another container"
    if records["indexingPolicy"] != INDEXING:
        yield "another index"


def narrow_roles(all: Deployment, way: Mapping[str, Any]) -> Iterator[str]:
    database = _of(all, f"{COSMOS}/sqlRoleDefinitions")["permissions"]
    vault = _of(all, "Microsoft.Authorization/roleDefinitions")["permissions"]
    if database != [{"dataActions": sorted(needed("cosmos*.py", DATABASE_CALLS))}]:
        yield "role for the database"
    nothing: list[str] = []
    actions = sorted(needed("keyvault*.py", VAULT_CALLS))
    rest = {"actions": nothing, "notActions": nothing, "notDataActions": nothing}
    if vault != [{"dataActions": actions, **rest}]:
        yield "role for the vault"
    grant = _of(all, f"{COSMOS}/sqlRoleAssignments")
    if grant["scope"] != f"{all.only(COSMOS).id}/dbs/snapshot/colls/records":
        yield "role for more than the container"
    if grant["principalId"] != IDENTITY:
        yield "role for somebody else"
    yield from _broad_assignments(all)


def quiet_logs(all: Deployment, way: Mapping[str, Any]) -> Iterator[str]:
    for each in all.of("Microsoft.Insights/diagnosticSettings"):
        settings = each.body["properties"]
        if {log.get("category") for log in settings["logs"]} - LOGS or "metrics" in settings:
            yield f"{each.file} logs more than it should"
        if set(settings) - {"workspaceId", "logs", "metrics"}:
            yield f"{each.file} sends logs elsewhere"
    if _of(all, "Microsoft.App/managedEnvironments")["appLogsConfiguration"] != {
        "destination": "azure-monitor"
    }:
        yield "the bot's log goes elsewhere"


def settings_of_the_bot(all: Deployment, way: Mapping[str, Any]) -> Iterator[str]:
    kinds = {each.alias: each.annotation for each in Settings.model_fields.values()}
    app, *others = [found for type in (APP, JOB) for found in _containers(all, type)]
    env = {each["name"]: each.get("value") for each in app["env"]}
    if strange := set(env) - set(kinds):
        yield f"the bot knows no {', '.join(sorted(strange))}"
    if any(kinds.get(name) is SecretStr for name in env):
        yield "a secret is in the open"
    if env["SNAPSHOT_ENV"] != "production":
        yield "not for production"
    ports = {each["httpGet"]["port"] for each in app["probes"]}
    ports.add(_of(all, APP)["configuration"]["ingress"]["targetPort"])
    if {str(port) for port in ports} != {env["PORT"]}:
        yield "ports differ"
    if any((each["image"], each["env"]) != (way["image"], app["env"]) for each in [app, *others]):
        yield "another image or other settings"


RULES: tuple[Rule, ...] = (
    entra_only, no_secrets, out_of_reach, private, encrypted_on_the_way, always_awake,
    nothing_copied, keys_can_be_destroyed, database_as_the_bot_wants_it, narrow_roles, quiet_logs,
    settings_of_the_bot,
)  # fmt: skip


def broken(folder: Path) -> set[str]:
    return {
        said
        for way in ONE_AND_THE_OTHER
        for all in [deploy(folder / "main.bicep", way)]
        for rule in RULES
        for said in rule(all, way)
    }


def needed(files: str, calls: Mapping[str, set[str]]) -> set[str]:
    """Which actions our code needs of Azure, by the calls of its clients that stand in it."""
    names = {
        node.attr
        for path in Path("storage").glob(files)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
    }
    return {action for name in names & set(calls) for action in calls[name]}


def _of(all: Deployment, type: str) -> dict[str, Any]:
    return dict(all.only(type).body["properties"])


def _containers(all: Deployment, type: str) -> list[dict[str, Any]]:
    return [
        one for each in all.of(type) for one in each.body["properties"]["template"]["containers"]
    ]


def _written(resource: Resource) -> str:
    """Without the resources that it names, and what only Azure knows."""
    return json.dumps(resource.body, default=lambda _: "")


def _network(all: Deployment) -> Resource:
    return all.only("Microsoft.Network/virtualNetworks")


def _target(endpoint: Resource) -> str:
    (connection,) = endpoint.body["properties"]["privateLinkServiceConnections"]
    return str(connection["properties"]["privateLinkServiceId"])


def _broad_assignments(all: Deployment) -> Iterator[str]:
    own = {each.body["name"] for each in all.of("Microsoft.Authorization/roleDefinitions")}
    for each in all.of(ASSIGNMENT):
        found = each.body["properties"]
        if found["roleDefinitionId"].rpartition("/")[2] not in own | set(BUILT_IN_ROLES):
            yield f"{each.file} gives a role that is not on the list"
        if not isinstance(each.body.get("scope"), Resource):
            yield f"{each.file} gives a role for the whole group"
        if found["principalId"] != IDENTITY:
            yield "role for somebody else"


# -- the tests --------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_rule_is_broken_whatever_the_switches(rule: Rule) -> None:
    for way in ways():
        assert list(rule(deploy(AZURE / "main.bicep", way), way)) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("database", "disableLocalAuth: true", "disableLocalAuth: false", "database takes keys"),
        ("database", "WriteAccess: true", "WriteAccess: false", "database takes keys"),
        ("vault", "RbacAuthorization: true", "RbacAuthorization: false", "vault takes keys"),
        ("bot", "disableLocalAuth: true", "disableLocalAuth: false", "bot takes keys"),
        ("logs", "disableLocalAuth: true", "disableLocalAuth: false", "log takes keys"),
        ("app", "registries: registries", "secrets: []", "app hands on a secret"),
        ("app", "value: setting.value", "secretRef: setting.value", "app hands on a secret"),
        ("bot", "'CSA Snapshot'", f"'{'x7' * 22}=='", "bot holds what looks like a secret"),
        ("database", "privateOnly ? 'Disabled' : ", "privateOnly ? 'Enabled' : ", "account has a"),
        ("vault", "privateOnly ? 'Disabled' : ", "privateOnly ? 'Enabled' : ", "vault has a"),
        ("vault", "'Deny'", "'Allow'", "vault lets in more"),
        ("vault", "bypass: 'None'", "bypass: 'AzureServices'", "vault lets in more"),
        ("database", "FilterEnabled: true", "FilterEnabled: false", "database lets in more"),
        ("database", "Bypass: 'None'", "Bypass: 'AzureServices'", "lets in other"),
        ("network", "subnets/bot", "subnets/endpoints", "another subnet is let in"),
        ("database", "'Tls12'", "'Tls'", "database takes old TLS"),
        ("app", "allowInsecure: false", "allowInsecure: true", "bot takes plain HTTP"),
        ("bot", "https://", "http://", "Teams would call over plain HTTP"),
        ("app", "minReplicas: minReplicas", "minReplicas: 0", "too few replicas"),
        ("app", "'/readyz'", "'/healthz'", "probes ask elsewhere"),
        ("database", "AnalyticalStorage: false", "AnalyticalStorage: true", "items are copied"),
        ("database", "RetentionIntervalInHours: 8", "RetentionIntervalInHours: 720", "kept longer"),
        ("database", "'Local'", "'Geo'", "backups leave the region"),
        ("vault", "enableSoftDelete: true", "enablePurgeProtection: true", "can be brought back"),
        ("vault", "RetentionInDays: 7", "RetentionInDays: 90", "can be brought back"),
        ("database", "'Strong'", "'Session'", "reads may be old"),
        ("database", "Locations: false", "Locations: true", "several regions"),
        ("database", "'/snapshot'", "'/id'", "another container"),
        ("database", "'/group/?'", "'/sealed/?'", "another index"),
        ("database", "containers/executeQuery'", "containers/*'", "role for the database"),
        ("database", "items/create'", "items/upsert'", "role for the database"),
        ("vault", "secrets/delete'", "secrets/*'", "role for the vault"),
        ("vault", "actions: []", "actions: ['*']", "role for the vault"),
        ("database", "/colls/records", "", "role for more than the container"),
        ("vault", "scope: vault\n  properties: {\n    pr", "properties: {\n    pr", "whole group"),
        ("vault", "role.name)", "'00482a5a-887f-4fb3-b363-3b7fe8e74483')", "not on the list"),
        ("database", "'ControlPlaneRequests'", "'DataPlaneRequests'", "logs more than it should"),
        ("vault", "category: 'AuditEvent'", "categoryGroup: 'allLogs'", "logs more than it should"),
        ("app", "'azure-monitor'", "'log-analytics'", "log goes elsewhere"),
        ("app", "{ PORT: ", "{ PORTS: string(port), PORT: ", "the bot knows no PORTS"),
        ("app", "{ PORT: ", "{ COSMOS_KEY: '', PORT: ", "a secret is in the open"),
        ("app", "targetPort: port", "targetPort: 80", "ports differ"),
        ("app", "image: image", "image: 'python:3'", "another image"),
    ],
)  # fmt: skip
def test_breaking_a_rule_is_seen(ours: Path, file: str, old: str, new: str, said: str) -> None:
    change(ours, f"modules/{file}.bicep", old, new)
    found = broken(ours)
    assert any(said in each for each in found), found


def test_a_continuous_backup_is_seen(ours: Path) -> None:
    change(ours, "modules/database.bicep", "type: 'Periodic'", "type: 'Continuous'")
    assert "every version is kept" in broken(ours)


def test_a_missing_private_endpoint_is_seen(ours: Path) -> None:
    change(ours, "main.bicep", "target: vault.outputs.vaultId", "target: logs.outputs.workspaceId")
    assert "not both have a private endpoint, or neither" in broken(ours)


def test_the_registry_lets_nobody_in_by_password_and_the_bot_may_only_pull() -> None:
    all = deploy(AZURE / "foundation.bicep", {"name": "area"})
    registry = _of(all, "Microsoft.ContainerRegistry/registries")
    assert (registry["adminUserEnabled"], registry["anonymousPullEnabled"]) == (False, False)
    (grant,) = all.of(ASSIGNMENT)
    assert grant.body["properties"]["roleDefinitionId"].endswith(next(iter(BUILT_IN_ROLES)))
    assert list(_broad_assignments(all)) == []


def test_no_template_asks_azure_for_a_key() -> None:
    for path in AZURE.rglob("*.bicep"):
        assert not re.search(r"\blist[A-Z]\w*\(|getSecret\(", path.read_text()), path.name


def test_a_parameter_that_sounds_like_a_secret_would_have_to_be_secure() -> None:
    for path in AZURE.rglob("*.bicep"):
        for each in parameters(path):
            sounds = re.search(r"(?i)password|secret|token|connection|apikey", each.name)
            assert not sounds or "secure" in each.rules, f"{path.name}: {each.name}"


def test_the_example_names_its_image_by_digest() -> None:
    assert re.fullmatch(r"[a-z0-9./-]+@sha256:[0-9a-f]{64}", EXAMPLE["image"])


def test_the_job_is_there_when_wanted_and_does_what_is_due() -> None:
    for way in ways():
        jobs = _containers(deploy(AZURE / "main.bicep", way), JOB)
        assert [each["args"] for each in jobs] == ([["tick"]] if way["tickJob"] else [])


def test_the_bot_takes_its_settings_as_they_are_deployed() -> None:
    """`HOST` is the image's."""
    all = deploy(AZURE / "main.bicep", EXAMPLE)
    env = {each["name"]: each["value"] for each in _containers(all, APP)[0]["env"]}
    settings = Settings.from_env({**env, "HOST": "0.0.0.0"})  # noqa: S104
    assert settings.env is Env.PRODUCTION
    assert settings.cosmos == ("https://example-abcdefghijklm.documents.azure.com/", "snapshot")
    assert settings.vault == "https://area-abcdefghijklm.vault.azure.net"
    assert (settings.tenants, settings.facilitators) == tuple(
        tuple(EXAMPLE[name]) for name in ("tenants", "facilitators")
    )
    assert (settings.app_id, settings.app_tenant) == (EXAMPLE["appId"], EXAMPLE["appTenantId"])
    assert (settings.identity, settings.teams_app_id) == (IDENTITY, EXAMPLE["teamsAppId"])
    assert (settings.key_days, settings.backup_days) == (7, 30)


def test_without_a_teams_app_the_setting_is_left_out() -> None:
    all = deploy(AZURE / "main.bicep", {**EXAMPLE, "teamsAppId": ""})
    assert "TEAMS_APP_ID" not in {each["name"] for each in _containers(all, APP)[0]["env"]}


def test_further_settings_reach_the_bot() -> None:
    more = {"SNAPSHOT_CHANNEL_FILES": "true", "SNAPSHOT_KEY_DAYS": "9"}
    all = deploy(AZURE / "main.bicep", {**EXAMPLE, "moreSettings": more})
    env = {each["name"]: each["value"] for each in _containers(all, APP)[0]["env"]}
    assert {name: env[name] for name in more} == more
