"""The environment, read once and checked. Errors name the setting, never its value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)

from snapshot.keeping import WARNED_DAYS, Keeping
from storage.proxy import NAMES, is_proxy

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

PLAYGROUND = "http://localhost:56150"
"""Where `make run` shows Microsoft's local Teams, unless it says another address."""

AUTHORITY = "https://login.microsoftonline.com"
GRAPH = "https://graph.microsoft.com"
TEAMS = "https://smba.trafficmanager.net/teams/"
OPENID = "https://login.botframework.com/v1/.well-known/openidconfiguration"


# No spaces: such an id would be nobody's, and the list would shut out whom it should let in.
_PERSON = re.compile(r"[^/;\s\x00-\x1f\x7f]{1,128}/[^/;\s\x00-\x1f\x7f]{1,128}")

_COSMOS = re.compile(r"cosmos://([A-Za-z0-9.-]+)(:[0-9]{1,5})?/([A-Za-z0-9_-]{1,255})")

_VAULT = re.compile(r"https://[A-Za-z][A-Za-z0-9-]{2,23}\.vault\.azure\.net/?")
_VAULT_HERE = re.compile(r"https://([a-z0-9.]+):[0-9]{1,5}/?")

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TEAMS = re.compile(r"https://smba\.trafficmanager\.net/[A-Za-z0-9/-]*")
_TEAMS_HERE = re.compile(r"http://([a-z0-9.]+):[0-9]{1,5}/?")
_SERVICE = re.compile(r"https://([A-Za-z0-9.-]+)(:[0-9]{1,5})?/?")
_COLLECTOR = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?[A-Za-z0-9./_-]*")
_METADATA = re.compile(r"https://([A-Za-z0-9.-]+)(:[0-9]{1,5})?/[A-Za-z0-9./_-]+")


_KEPT = Keeping()


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
    app_certificate: Path | None = Field(default=None, alias="MicrosoftAppCertificateFile")
    authority: str = Field(default=AUTHORITY, alias="TEAMS_AUTHORITY")
    openid: str = Field(default=OPENID, alias="TEAMS_OPENID_METADATA")
    graph_url: str = Field(default=GRAPH, alias="GRAPH_URL")
    graph_ca_file: Path | None = Field(default=None, alias="GRAPH_CA_FILE")
    service_url: str = Field(default=TEAMS, alias="TEAMS_SERVICE_URL")
    teams_app_id: str = Field(default="", alias="TEAMS_APP_ID")
    local_reports: Path = Field(default=Path("var/reports"), alias="SNAPSHOT_REPORTS")
    channel_files: bool = Field(default=False, alias="SNAPSHOT_CHANNEL_FILES")
    facilitator_teams: Listed = Field(default=(), alias="SNAPSHOT_FACILITATOR_TEAMS")
    stand_ins: bool = Field(default=False, alias="SNAPSHOT_STAND_INS")
    local_link: str = Field(default=PLAYGROUND, alias="SNAPSHOT_LINK")
    telemetry: str = Field(default="", alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    key_days: int = Field(default=7, alias="SNAPSHOT_KEY_DAYS", ge=0)
    backup_days: int = Field(default=30, alias="SNAPSHOT_BACKUP_DAYS", ge=0)
    lead_days: int = Field(default=_KEPT.people_days, alias="SNAPSHOT_LEAD_DAYS", ge=0)
    note_days: int = Field(default=_KEPT.words_days, alias="SNAPSHOT_NOTE_DAYS", ge=WARNED_DAYS)
    plan_days: int = Field(default=_KEPT.plan_days, alias="SNAPSHOT_PLAN_DAYS", ge=0)
    days: int = Field(default=_KEPT.rest_days, alias="SNAPSHOT_DAYS", ge=0)
    tenants: Listed = Field(default=(), alias="SNAPSHOT_TENANTS")
    facilitators: Listed = Field(default=(), alias="SNAPSHOT_FACILITATORS")

    @classmethod
    def from_env(cls, environ: Mapping[str, str | None]) -> Self:
        """Raises `BadSettings`, which names all that is wrong. Set to nothing means not set."""
        given = {name: value for name, value in environ.items() if value}
        said: list[str] = []
        try:
            settings = cls.model_validate(given)
        except ValidationError as error:
            said = [_say(found) for found in error.errors(include_url=False, include_input=False)]
            wrong = {str(step) for found in error.errors() for step in found["loc"]}
            # Without them, so that what else is wrong is told as well.
            settings = cls.model_validate({n: v for n, v in given.items() if n not in wrong})
            given = {**given, **dict.fromkeys(wrong, "")}
        said += contradictions(settings, given)
        if said:
            raise BadSettings("\n".join(said))
        return settings

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

    @field_validator("app_id", "app_tenant", "teams_app_id")
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

    @field_validator("openid")
    @classmethod
    def _metadata(cls, value: str) -> str:
        if not _METADATA.fullmatch(value):
            raise ValueError("must be https://HOST[:PORT]/PATH")
        return value

    @field_validator("telemetry")
    @classmethod
    def _collector(cls, value: str) -> str:
        if value and not _COLLECTOR.fullmatch(value):
            raise ValueError("must be http:// or https:// and HOST[:PORT][/PATH]")
        return value

    @field_validator("service_url")
    @classmethod
    def _of_teams(cls, value: str) -> str:
        if not _TEAMS.fullmatch(value) and not _is_stand_in(value):
            raise ValueError(f"must be Teams' own, such as {TEAMS}")
        return value

    @field_validator("facilitators", "facilitator_teams")
    @classmethod
    def _with_tenants(cls, value: tuple[str, ...]) -> tuple[str, ...]:
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
    def keeping(self) -> Keeping:
        """How long what is kept of a snapshot stays after its close."""
        return Keeping(self.lead_days, self.note_days, self.plan_days, self.days)

    @property
    def asks_graph(self) -> bool:
        """In local use nothing that is found may lead to Teams itself."""
        is_set_up = bool(self.app_id and self.teams_app_id and self.tenants)
        return is_set_up and (self.env is not Env.LOCAL or _is_stand_in(self.service_url))

    def is_teams(self, service_url: str) -> bool:
        """Whether that is where Teams may be answered, and our token be shown."""
        if _is_stand_in(self.service_url):
            return service_url.rstrip("/") == self.service_url.rstrip("/")
        return bool(_TEAMS.fullmatch(service_url))

    @property
    def survey_link(self) -> str:
        """Opens the private chat with the bot.

        By the bot's own id: an app's id differs from one organisation's catalogue to the next.
        """
        if self.app_id:
            return f"https://teams.microsoft.com/l/chat/0/0?users=28:{self.app_id}"
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


def _say(found: ErrorDetails) -> str:
    """One of pydantic's complaints, without the value that it is about."""
    name = ".".join(str(step) for step in found["loc"])
    if found["type"] == "value_error":
        return f"{name} {found['msg'].removeprefix('Value error, ')}"
    return f"{name}: {found['msg'][:1].lower()}{found['msg'][1:]}"


# -- what does not go together --------------------------------------------------------------------

type Given = Mapping[str, str | None]
"""What was set; empty where it was set to something that cannot be, and is told as that."""


def contradictions(settings: Settings, given: Given) -> Iterator[str]:
    """What is missing, and what does not go together, each with what to do."""
    yield from _of_identity(settings, given)
    yield from _of_graph(settings, given)
    yield from _of_stand_ins(settings)
    yield from _of_days(settings)
    if settings.env is Env.LOCAL:
        if not _is_loopback(settings.host):
            yield "HOST must be a loopback address such as 127.0.0.1 with SNAPSHOT_ENV=local"
    elif "SNAPSHOT_ENV" not in given or given["SNAPSHOT_ENV"]:
        yield from _of_production(settings, given)


def _of_identity(settings: Settings, given: Given) -> Iterator[str]:
    has_secret = bool(settings.app_password.get_secret_value())
    missing = [
        name
        for name, value in (
            ("MicrosoftAppId", settings.app_id),
            ("MicrosoftAppTenantId", settings.app_tenant),
        )
        if not value and name not in given
    ]
    if len(missing) == 1 or (missing and (has_secret or settings.app_certificate)):
        yield (
            f"{' and '.join(missing)} must be set too: MicrosoftAppId and MicrosoftAppTenantId "
            "belong together, with MicrosoftAppPassword, MicrosoftAppCertificateFile or a managed "
            "identity"
        )
    if has_secret and settings.app_certificate:
        yield (
            "MicrosoftAppPassword and MicrosoftAppCertificateFile cannot both be set: leave out "
            "the password"
        )
    if settings.app_type is AppType.MANAGED_IDENTITY and (has_secret or settings.app_certificate):
        yield (
            "MicrosoftAppPassword and MicrosoftAppCertificateFile are not for "
            "MicrosoftAppType=UserAssignedMSI: leave them out, or use SingleTenant"
        )


def _of_graph(settings: Settings, given: Given) -> Iterator[str]:
    wanted = {
        "SNAPSHOT_CHANNEL_FILES": settings.channel_files,
        "SNAPSHOT_FACILITATOR_TEAMS": bool(settings.facilitator_teams),
    }
    needed = ("MicrosoftAppId", "SNAPSHOT_TENANTS", "TEAMS_APP_ID")
    missing = [name for name in needed if name not in given]
    for name, is_set in wanted.items():
        if is_set and missing:
            yield f"{name} needs Microsoft Graph: set {', '.join(missing)} too, or leave it out"


def _of_stand_ins(settings: Settings) -> Iterator[str]:
    """Of services of Microsoft's, on this machine: for trying, and never beside real ones."""
    here = {
        "SNAPSHOT_STORE": _host_of(_COSMOS, settings.store),
        "SNAPSHOT_KEYS": _host_of(_VAULT_HERE, settings.keys) if settings.vault else "",
        "TEAMS_SERVICE_URL": _host_of(_TEAMS_HERE, settings.service_url),
        "TEAMS_OPENID_METADATA": _host_of(_METADATA, settings.openid),
        "TEAMS_AUTHORITY": _host_of(_SERVICE, settings.authority),
        "GRAPH_URL": _host_of(_SERVICE, settings.graph_url),
    }
    if settings.env is not Env.LOCAL and settings.stand_ins:
        for name, host in here.items():
            if host is None or (host and not _is_loopback(host)):
                yield f"{name} must be on a loopback address with SNAPSHOT_STAND_INS=true"
    elif settings.env is not Env.LOCAL:
        for name, host in here.items():
            if host and _is_loopback(host):
                yield (
                    f"{name} may be on a loopback address with SNAPSHOT_ENV=local or "
                    "SNAPSHOT_STAND_INS=true only"
                )
    account = _COSMOS.fullmatch(settings.store)
    if settings.cosmos_key.get_secret_value() and account and not _is_loopback(account[1]):
        yield (
            "COSMOS_KEY is for an emulator on a loopback address only: leave it out, and the "
            "account's own sign-in (Entra) is used"
        )


def _of_days(settings: Settings) -> Iterator[str]:
    """What is needed for longer cannot go first."""
    for name, days in (
        ("SNAPSHOT_LEAD_DAYS", settings.lead_days),
        ("SNAPSHOT_NOTE_DAYS", settings.note_days),
        ("SNAPSHOT_PLAN_DAYS", settings.plan_days),
    ):
        if days < settings.key_days:
            yield f"{name} must not be less than SNAPSHOT_KEY_DAYS: until then the key is in use"
        if days > settings.days:
            yield f"{name} must not be more than SNAPSHOT_DAYS, after which nothing is left"


def _host_of(pattern: re.Pattern[str], value: str) -> str | None:
    """None where it is not of that kind; empty where it is a file, which has no host."""
    found = pattern.fullmatch(value)
    if found:
        return found[1]
    return "" if value.startswith(("sqlite:", "file:")) else None


_NEEDED = {
    "MicrosoftAppId": "the bot's app registration",
    "MicrosoftAppTenantId": "the tenant that the app registration is in",
    "SNAPSHOT_TENANTS": "the tenants whose people may take part, with commas between",
    "SNAPSHOT_STORE": "cosmos://ACCOUNT-HOST/DATABASE, or sqlite:///PATH on a disk that stays",
    "SNAPSHOT_KEYS": "https://NAME.vault.azure.net, or file:FOLDER on another disk that stays",
}


def _of_production(settings: Settings, given: Given) -> Iterator[str]:
    for name, what in _NEEDED.items():
        if name not in given:
            yield f"{name} must be set in production: {what}"
    if not {"SNAPSHOT_FACILITATORS", "SNAPSHOT_FACILITATOR_TEAMS"} & given.keys():
        yield (
            "SNAPSHOT_FACILITATORS must be set in production: who may open and close a snapshot, "
            "as TENANT-ID/OBJECT-ID with commas between; or SNAPSHOT_FACILITATOR_TEAMS, as "
            "TENANT-ID/GROUP-ID, and the owners of those teams may"
        )
    if not all(map(_GUID.fullmatch, settings.tenants)):
        yield "SNAPSHOT_TENANTS must be ids such as 11111111-1111-4111-8111-111111111111"
    yield from _of_facilitators(settings)
    yield from _of_proxy(given)
    if settings.sample:
        yield "SNAPSHOT_SAMPLE is for SNAPSHOT_ENV=local only: leave it out"


def _of_proxy(given: Given) -> Iterator[str]:
    """Each call looks it up for itself, and would fail by one that cannot be."""
    for name in NAMES:
        if (value := given.get(name)) and not is_proxy(value):
            yield (
                f"{name} must be http://HOST:PORT or http://NAME:PASSWORD@HOST:PORT, with / ? # @ "
                "in the password as %2F %3F %23 %40"
            )


def _of_facilitators(settings: Settings) -> Iterator[str]:
    for name, listed in (
        ("SNAPSHOT_FACILITATORS", settings.facilitators),
        ("SNAPSHOT_FACILITATOR_TEAMS", settings.facilitator_teams),
    ):
        ids = [each.partition("/") for each in listed]
        if not all(_GUID.fullmatch(tenant) and _GUID.fullmatch(id) for tenant, _, id in ids):
            yield f"{name} must be ids on both sides of each /"
        if any(tenant not in settings.tenants for tenant, _, _ in ids):
            yield f"{name} must be of tenants that are in SNAPSHOT_TENANTS"
