"""The environment, read once and checked. Errors name the setting, never its value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

PLAYGROUND = "http://localhost:56150"
"""Where `make run` shows Microsoft's local Teams, unless it says another address."""

AUTHORITY = "https://login.microsoftonline.com"
GRAPH = "https://graph.microsoft.com"
TEAMS = "https://smba.trafficmanager.net/teams/"


# No spaces: such an id would be nobody's, and the list would shut out whom it should let in.
_PERSON = re.compile(r"[^/;\s\x00-\x1f\x7f]{1,128}/[^/;\s\x00-\x1f\x7f]{1,128}")

_COSMOS = re.compile(r"cosmos://([A-Za-z0-9.-]+)(:[0-9]{1,5})?/([A-Za-z0-9_-]{1,255})")

_VAULT = re.compile(r"https://[A-Za-z][A-Za-z0-9-]{2,23}\.vault\.azure\.net/?")
_VAULT_HERE = re.compile(r"https://([a-z0-9.]+):[0-9]{1,5}/?")

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TEAMS = re.compile(r"https://smba\.trafficmanager\.net/[A-Za-z0-9/-]*")
_TEAMS_HERE = re.compile(r"http://([a-z0-9.]+):[0-9]{1,5}/?")
_SERVICE = re.compile(r"https://([A-Za-z0-9.-]+)(:[0-9]{1,5})?/?")


class Env(StrEnum):
    LOCAL = "local"
    PRODUCTION = "production"


class AppType(StrEnum):
    """How Azure names the two kinds of bot identity."""

    SINGLE_TENANT = "SingleTenant"
    MANAGED_IDENTITY = "UserAssignedMSI"


class BadSettings(Exception):
    """The bot cannot start like this; the message says which settings to mend, and how."""


def _split(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """Ids are GUIDs, so capitals mean nothing."""
    found = value.split(",") if isinstance(value, str) else value
    return tuple(each.strip().lower() for each in found if each.strip())


type Listed = Annotated[tuple[str, ...], BeforeValidator(_split)]
"""Values with commas between them."""


class Settings(BaseModel):
    """Each field is read from the variable in its alias."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    env: Env = Field(default=Env.PRODUCTION, alias="SNAPSHOT_ENV")
    host: str = Field(default="127.0.0.1", alias="HOST")
    port: int = Field(default=3978, alias="PORT", ge=0, le=65535)
    store: str = Field(default="sqlite:///var/snapshot.db", alias="SNAPSHOT_STORE")
    cosmos_key: SecretStr = Field(default=SecretStr(""), alias="COSMOS_KEY")
    cosmos_ca_file: Path | None = Field(default=None, alias="COSMOS_CA_FILE")
    keys: str = Field(default="file:var/keys", alias="SNAPSHOT_KEYS")
    keys_ca_file: Path | None = Field(default=None, alias="SNAPSHOT_KEYS_CA_FILE")
    content: Path | None = Field(default=None, alias="SNAPSHOT_CONTENT")
    sample: int = Field(default=0, alias="SNAPSHOT_SAMPLE", ge=0, le=5_000)
    app_id: str = Field(default="", alias="MicrosoftAppId")
    app_type: AppType = Field(default=AppType.SINGLE_TENANT, alias="MicrosoftAppType")
    app_tenant: str = Field(default="", alias="MicrosoftAppTenantId")
    app_password: SecretStr = Field(default=SecretStr(""), alias="MicrosoftAppPassword")
    identity: str = Field(default="", alias="AZURE_CLIENT_ID")
    authority: str = Field(default=AUTHORITY, alias="TEAMS_AUTHORITY")
    graph_url: str = Field(default=GRAPH, alias="GRAPH_URL")
    graph_ca_file: Path | None = Field(default=None, alias="GRAPH_CA_FILE")
    service_url: str = Field(default=TEAMS, alias="TEAMS_SERVICE_URL")
    teams_app_id: str = Field(default="", alias="TEAMS_APP_ID")
    local_reports: Path = Field(default=Path("var/reports"), alias="SNAPSHOT_REPORTS")
    channel_files: bool = Field(default=False, alias="SNAPSHOT_CHANNEL_FILES")
    local_link: str = Field(default=PLAYGROUND, alias="SNAPSHOT_LINK")
    key_days: int = Field(default=7, alias="SNAPSHOT_KEY_DAYS", ge=0)
    backup_days: int = Field(default=30, alias="SNAPSHOT_BACKUP_DAYS", ge=0)
    tenants: Listed = Field(default=(), alias="SNAPSHOT_TENANTS")
    facilitators: Listed = Field(default=(), alias="SNAPSHOT_FACILITATORS")

    @classmethod
    def from_env(cls, environ: Mapping[str, str | None]) -> Self:
        """Raises `BadSettings`. A variable that is set to nothing counts as not set."""
        try:
            return cls.model_validate({name: value for name, value in environ.items() if value})
        except ValidationError as error:
            raise BadSettings(_say(error)) from None

    @field_validator("store")
    @classmethod
    def _known_store(cls, value: str) -> str:
        is_file = value.startswith("sqlite:///") and value.removeprefix("sqlite:///")
        if not is_file and not _COSMOS.fullmatch(value):
            raise ValueError("must be sqlite:///PATH or cosmos://ACCOUNT-HOST[:PORT]/DATABASE")
        return value

    @field_validator("keys")
    @classmethod
    def _known_keys(cls, value: str) -> str:
        is_folder = value.startswith("file:") and value.removeprefix("file:")
        if not is_folder and not _VAULT.fullmatch(value) and not _is_emulator(value):
            raise ValueError(
                "must be file:FOLDER, or a key vault's address: https://NAME.vault.azure.net"
            )
        return value

    @field_validator("app_id", "app_tenant")
    @classmethod
    def _guid(cls, value: str) -> str:
        if not _GUID.fullmatch(value.lower()):
            raise ValueError("must be an id such as 11111111-1111-4111-8111-111111111111")
        return value.lower()

    @field_validator("authority", "graph_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if not _SERVICE.fullmatch(value):
            raise ValueError("must be https://HOST[:PORT]")
        return value.rstrip("/")

    @field_validator("service_url")
    @classmethod
    def _of_teams(cls, value: str) -> str:
        if not _TEAMS.fullmatch(value) and not _is_stand_in(value):
            raise ValueError(f"must be Teams' own, such as {TEAMS}")
        return value

    @field_validator("facilitators")
    @classmethod
    def _people(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_PERSON.fullmatch(each) for each in value):
            raise ValueError("must be TENANT-ID/OBJECT-ID, with commas between them")
        return value

    @field_validator("content")
    @classmethod
    def _is_a_folder(cls, value: Path | None) -> Path | None:
        if value and not value.is_dir():
            raise ValueError(
                "must be a folder with instrument.en-GB.yaml and messages.en-GB.yaml in it; "
                "leave it out for our own content"
            )
        return value

    @model_validator(mode="after")
    def _emulator_in_local_use_only(self) -> Self:
        if self.env is not Env.LOCAL and _is_emulator(self.keys):
            raise ValueError(
                "SNAPSHOT_KEYS may be on a loopback address with SNAPSHOT_ENV=local only"
            )
        return self

    @model_validator(mode="after")
    def _stand_in_in_local_use_only(self) -> Self:
        if self.env is not Env.LOCAL and _is_stand_in(self.service_url):
            raise ValueError(
                "TEAMS_SERVICE_URL may be on a loopback address with SNAPSHOT_ENV=local only"
            )
        return self

    @model_validator(mode="after")
    def _whole_identity(self) -> Self:
        named = {
            "MicrosoftAppId": bool(self.app_id),
            "MicrosoftAppTenantId": bool(self.app_tenant),
        }
        missing = [name for name, is_set in named.items() if not is_set]
        has_secret = bool(self.app_password.get_secret_value())
        if missing and (has_secret or len(missing) < len(named)):
            raise ValueError(
                f"{' and '.join(missing)} must be set too: MicrosoftAppId and MicrosoftAppTenantId "
                "belong together, with MicrosoftAppPassword or a managed identity"
            )
        return self

    @model_validator(mode="after")
    def _local_only(self) -> Self:
        if self.env is Env.PRODUCTION:
            raise ValueError(
                "SNAPSHOT_ENV=production is not built yet: this version cannot tell who calls "
                "it. Set SNAPSHOT_ENV=local to try the bot on this machine."
            )
        if not _is_loopback(self.host):
            raise ValueError("HOST must be a loopback address such as 127.0.0.1 in local use")
        return self

    @model_validator(mode="after")
    def _key_for_emulators_only(self) -> Self:
        account = _COSMOS.fullmatch(self.store)
        if self.cosmos_key.get_secret_value() and account and not _is_loopback(account[1]):
            raise ValueError(
                "COSMOS_KEY is for an emulator on a loopback address only: leave it out, and the "
                "account's own sign-in (Entra) is used"
            )
        return self

    @property
    def database(self) -> Path:
        """The file, where the store is SQLite."""
        return Path(self.store.removeprefix("sqlite:///"))

    @property
    def cosmos(self) -> tuple[str, str] | None:
        """The account's address and the database's name, where the store is Cosmos DB."""
        found = _COSMOS.fullmatch(self.store)
        return (f"https://{found[1]}{found[2] or ''}/", found[3]) if found else None

    @property
    def vault(self) -> str | None:
        """The key vault's address, where the keys are in one."""
        return self.keys.removesuffix("/") if self.keys.startswith("https:") else None

    @property
    def vault_is_emulator(self) -> bool:
        return _is_emulator(self.keys)

    @property
    def key_folder(self) -> Path:
        return Path(self.keys.removeprefix("file:"))

    @property
    def asks_graph(self) -> bool:
        """In local use nothing that is found may lead to Teams itself."""
        is_set_up = bool(self.app_id and self.teams_app_id and self.tenants)
        return is_set_up and (self.env is not Env.LOCAL or _is_stand_in(self.service_url))

    @property
    def survey_link(self) -> str:
        """Opens the private chat with the bot."""
        if self.teams_app_id:
            return f"https://teams.microsoft.com/l/app/{self.teams_app_id}"
        return self.local_link


def _is_emulator(keys: str) -> bool:
    """A server on this machine that speaks like a key vault; it asks nobody who they are."""
    found = _VAULT_HERE.fullmatch(keys)
    return found is not None and _is_loopback(found[1])


def _is_stand_in(service_url: str) -> bool:
    """A server on this machine that takes messages as Teams does."""
    found = _TEAMS_HERE.fullmatch(service_url)
    return found is not None and _is_loopback(found[1])


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _say(error: ValidationError) -> str:
    return "\n".join(
        f"{'.'.join(str(step) for step in found['loc']) or 'Settings'}: {found['msg']}"
        for found in error.errors(include_url=False, include_input=False, include_context=False)
    )
