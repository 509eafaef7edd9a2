"""Settings that cannot be are told with their names and the cure, all of them at once."""

from __future__ import annotations

import pytest

from bot.settings import BadSettings, Env, Settings
from tests.graph.server import APP, HOME, MANIFEST, POLICE, SECRET

ELSEWHERE = "66666666-6666-4666-8666-666666666666"
WHOLE = {
    "SNAPSHOT_ENV": "production",
    "MicrosoftAppId": APP,
    "MicrosoftAppTenantId": HOME,
    "MicrosoftAppPassword": SECRET,
    "SNAPSHOT_TENANTS": f"{HOME},{POLICE}",
    "SNAPSHOT_FACILITATORS": f"{HOME}/{APP}",
    "SNAPSHOT_STORE": "cosmos://area.documents.azure.com/snapshot",
    "SNAPSHOT_KEYS": "https://area.vault.azure.net",
    "TEAMS_APP_ID": MANIFEST,
    "HOST": "0.0.0.0",  # noqa: S104 - in a container
}
LOCAL = {"SNAPSHOT_ENV": "local"}
HERE = {
    "SNAPSHOT_STAND_INS": "true",
    "SNAPSHOT_STORE": "cosmos://127.0.0.1:8081/snapshot",
    "COSMOS_KEY": SECRET,
    "SNAPSHOT_KEYS": "https://127.0.0.1:8443",
    "TEAMS_SERVICE_URL": "http://127.0.0.1:3979/",
    "TEAMS_OPENID_METADATA": "https://127.0.0.1:3980/v1/keys",
    "TEAMS_AUTHORITY": "https://127.0.0.1:3980",
    "GRAPH_URL": "https://127.0.0.1:3980",
}


def said(environment: dict[str, str]) -> list[str]:
    with pytest.raises(BadSettings) as refused:
        Settings.from_env(environment)
    return str(refused.value).splitlines()


def test_production_starts_with_what_it_needs() -> None:
    settings = Settings.from_env(WHOLE)
    assert settings.env is Env.PRODUCTION
    assert settings.is_teams("https://smba.trafficmanager.net/uk/")
    for place in (
        "http://smba.trafficmanager.net/uk/",
        "https://smba.trafficmanager.net.example.org/",
        "https://smba.trafficmanager.net@example.org/",
        "https://example.org/smba.trafficmanager.net/",
        "https://127.0.0.1:3979/",
        "",
    ):
        assert not settings.is_teams(place), place


def test_all_that_is_missing_is_told_at_once() -> None:
    told = said({"SNAPSHOT_ENV": "production"})
    assert [line.partition(" ")[0] for line in told] == [
        "MicrosoftAppId",
        "MicrosoftAppTenantId",
        "SNAPSHOT_TENANTS",
        "SNAPSHOT_STORE",
        "SNAPSHOT_KEYS",
        "SNAPSHOT_FACILITATORS",
    ]
    assert said({}) == told, "without a word it is production"


def test_what_is_wrong_and_what_is_missing_and_what_does_not_go_together_come_at_once() -> None:
    wrong = {
        **WHOLE,
        "MicrosoftAppId": "ZQXJ",
        "PORT": "http",
        "SNAPSHOT_TENANTS": "",
        "SNAPSHOT_KEYS": "https://127.0.0.1:1",
        "COSMOS_KEY": "ZQXJ",
    }
    told = said(wrong)
    assert [line.replace(":", " ").partition(" ")[0] for line in told] == [
        "PORT",
        "MicrosoftAppId",
        "SNAPSHOT_KEYS",
        "COSMOS_KEY",
        "SNAPSHOT_TENANTS",
        "SNAPSHOT_FACILITATORS",
    ]
    assert "ZQXJ" not in " ".join(told)
    assert len(set(told)) == len(told)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"SNAPSHOT_TENANTS": f"{HOME},example.org"}, "SNAPSHOT_TENANTS must be ids such as"),
        ({"SNAPSHOT_FACILITATORS": f"{HOME}/ada"}, "SNAPSHOT_FACILITATORS must be ids on both"),
        (
            {"SNAPSHOT_FACILITATORS": f"{ELSEWHERE}/{APP}"},
            "SNAPSHOT_FACILITATORS must be of tenants that are in SNAPSHOT_TENANTS",
        ),
        (
            {"SNAPSHOT_FACILITATOR_TEAMS": f"{ELSEWHERE}/{APP}"},
            "SNAPSHOT_FACILITATOR_TEAMS must be of tenants that are in SNAPSHOT_TENANTS",
        ),
        (
            {"SNAPSHOT_FACILITATOR_TEAMS": f"{HOME}/{APP}", "TEAMS_APP_ID": ""},
            "SNAPSHOT_FACILITATOR_TEAMS needs Microsoft Graph: set TEAMS_APP_ID too",
        ),
        (
            {"SNAPSHOT_CHANNEL_FILES": "true", "TEAMS_APP_ID": ""},
            "SNAPSHOT_CHANNEL_FILES needs Microsoft Graph: set TEAMS_APP_ID too",
        ),
        ({"TEAMS_APP_ID": "csa-snapshot"}, "TEAMS_APP_ID must be an id such as"),
        ({"SNAPSHOT_SAMPLE": "10"}, "SNAPSHOT_SAMPLE is for SNAPSHOT_ENV=local only"),
        (
            {"MicrosoftAppCertificateFile": "cert.pem"},
            "MicrosoftAppPassword and MicrosoftAppCertificateFile cannot both be set",
        ),
        ({"MicrosoftAppType": "UserAssignedMSI"}, "are not for MicrosoftAppType=UserAssignedMSI"),
        ({"TEAMS_SERVICE_URL": "http://127.0.0.1:9/"}, "TEAMS_SERVICE_URL may be on a loopback"),
        ({"TEAMS_AUTHORITY": "https://127.0.0.1"}, "TEAMS_AUTHORITY may be on a loopback"),
        ({"GRAPH_URL": "https://localhost"}, "GRAPH_URL may be on a loopback"),
        (
            {"TEAMS_OPENID_METADATA": "https://127.0.0.1/keys"},
            "TEAMS_OPENID_METADATA may be on a loopback",
        ),
        ({"TEAMS_OPENID_METADATA": "http://login.example/keys"}, "must be https://HOST"),
        ({"HTTPS_PROXY": "socks5://proxy.example:1080"}, "HTTPS_PROXY must be http://HOST:PORT"),
        ({"https_proxy": "http://proxy.example:port"}, "https_proxy must be http://HOST:PORT"),
        ({"HTTPS_PROXY": f"http://ada:a/{SECRET}@proxy.example:1"}, "with / ? # @"),
    ],
)
def test_each_is_told_with_its_cure(change: dict[str, str], says: str) -> None:
    (told,) = said({**WHOLE, **change})
    assert says in told
    assert SECRET not in told


@pytest.mark.parametrize(
    "named", ["proxy.example", "http://ada:%2F@10.0.0.1:3128/", "http://[::1]:1"]
)
def test_a_proxy_is_taken_as_it_is_usually_written(named: str) -> None:
    Settings.from_env({**WHOLE, "HTTPS_PROXY": named})


def test_all_stand_ins_are_on_this_machine_or_none() -> None:
    """So that nobody tries things with a real vault, or runs for real on a stand-in."""
    assert Settings.from_env({**WHOLE, **HERE}).is_teams("http://127.0.0.1:3979/")
    assert not Settings.from_env({**WHOLE, **HERE}).is_teams("https://smba.trafficmanager.net/uk/")
    for name in HERE.keys() - {"SNAPSHOT_STAND_INS", "COSMOS_KEY"}:
        real = WHOLE.get(name, "")
        told = said({**WHOLE, **HERE, name: real})
        assert f"{name} must be on a loopback address with SNAPSHOT_STAND_INS=true" in told
    assert len(said({**WHOLE, "SNAPSHOT_STAND_INS": "true"})) == 6


def test_nothing_of_a_secret_shows() -> None:
    settings = Settings.from_env({**WHOLE, **HERE})
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()}"
