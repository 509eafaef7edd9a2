"""The script that makes the app in Entra, against a stand-in for Azure's command line."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "infra" / "azure" / "entra.sh"

IDENTITY = "22222222-2222-4222-8222-222222222222"
APP = "33333333-3333-4333-8333-333333333333"
TENANT = "44444444-4444-4444-8444-444444444444"

# Notes what it is asked, and answers by the first line of `answers` whose beginning fits.
AZ = """#!/bin/sh
for each in "$@"; do printf '%s\\0' "$each"; done >> "$AZ_FOLDER/asked"
printf '\\n' >> "$AZ_FOLDER/asked"
while IFS='|' read -r begins answer; do
  case "$*" in "$begins"*) printf '%s' "$answer"; exit ;; esac
done < "$AZ_FOLDER/answers"
"""


@dataclass(frozen=True)
class Entra:
    """`az` in `folder` stands before the real one, if there is any."""

    folder: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.folder}:{os.environ['PATH']}"
        return subprocess.run(  # noqa: S603 - our own script
            [SCRIPT, *arguments],
            env={"PATH": path, "AZ_FOLDER": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )

    def answers(self, *lines: str) -> None:
        (self.folder / "answers").write_text("".join(f"{line}\n" for line in lines))

    @property
    def asked(self) -> list[list[str]]:
        """Each call's arguments, without how the answer is to be written."""
        path = self.folder / "asked"
        lines = path.read_text().split("\0\n")[:-1] if path.exists() else []
        return [_bare(line.split("\0")) for line in lines]


def _bare(call: list[str]) -> list[str]:
    return call[: call.index("--output")] if "--output" in call else call


@pytest.fixture
def entra(tmp_path: Path) -> Entra:
    az = tmp_path / "az"
    az.write_text(AZ)
    az.chmod(0o755)
    found = Entra(tmp_path)
    found.answers(
        f"account show|{TENANT}", f"ad app create|{APP}", "ad sp show|88888888-role"
    )  # fmt: skip
    return found


def verbs(calls: list[list[str]]) -> list[str]:
    return [" ".join(call[: next(i for i, a in enumerate(call) if a[0] == "-")]) for call in calls]


def printed(run: subprocess.CompletedProcess[str]) -> list[list[str]]:
    """The commands that a run shows, as `az` would get them."""
    lines = [line for line in run.stderr.splitlines() if line.startswith("+ az ")]
    return [_decoded(line.removeprefix("+ az ")) for line in lines]


def _decoded(line: str) -> list[str]:
    """As a shell reads it: `%q` writes some words in a way that only a shell knows."""
    made = subprocess.run(  # noqa: S603 - what our own script wrote
        ["bash", "-c", f"printf '%s\\0' {line}"],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.split("\0")[:-1]


def test_its_syntax_is_right() -> None:
    subprocess.run(["bash", "-n", SCRIPT], check=True)  # noqa: S603, S607


def test_a_dry_run_asks_nothing_and_shows_what_a_real_one_does(entra: Entra) -> None:
    dry = entra.run("--identity", IDENTITY, "--graph", "--dry-run")
    assert (dry.returncode, entra.asked) == (0, [])
    shown = json.dumps(printed(dry)).replace("TENANT-ID", TENANT).replace("APP-ID", APP)
    for permission in ("User.Read", "AppCatalog.Read", "TeamsAppInstallation.ReadWriteSelfForUser"):
        shown = shown.replace(f"ID-OF-{permission}.All", "88888888-role")

    real = entra.run("--identity", IDENTITY, "--graph")
    assert real.returncode == 0, real.stderr
    assert entra.asked == json.loads(shown)
    assert printed(real) == entra.asked


def test_the_app_trusts_the_identity_and_has_no_secret(entra: Entra) -> None:
    done = entra.run("--identity", IDENTITY)
    assert verbs(entra.asked) == [
        "account show", "ad app list", "ad app create", "ad app federated-credential list",
        "ad app federated-credential create", "ad sp list", "ad sp create",
    ]  # fmt: skip
    create, trust = entra.asked[2], entra.asked[4]
    assert create[create.index("--sign-in-audience") + 1] == "AzureADMultipleOrgs"
    assert json.loads(trust[trust.index("--parameters") + 1]) == {
        "name": "csa-snapshot",
        "issuer": f"https://login.microsoftonline.com/{TENANT}/v2.0",
        "subject": IDENTITY,
        "audiences": ["api://AzureADTokenExchange"],
    }
    assert APP in done.stdout
    assert TENANT in done.stdout


def test_graph_is_asked_for_only_if_wanted_and_nobody_agrees_for_an_administrator(
    entra: Entra,
) -> None:
    entra.run("--identity", IDENTITY, "--graph")
    asked = [call for call in entra.asked if "permission" in call]
    assert len(asked) == 3
    assert all(call[-1] == "88888888-role=Role" for call in asked)
    assert not any("consent" in word for call in entra.asked for word in call)


def test_an_app_of_that_name_is_not_taken(entra: Entra) -> None:
    entra.answers(f"account show|{TENANT}", f"ad app list|{APP}")
    done = entra.run("--identity", IDENTITY, "--name", "O'Brien")
    assert done.returncode == 1
    assert f"--app {APP}" in done.stderr
    assert verbs(entra.asked) == ["account show", "ad app list"]
    assert "displayName eq 'O''Brien'" in entra.asked[1]


def test_an_app_that_lacks_nothing_is_only_told_who_may_sign_in(entra: Entra) -> None:
    entra.answers(
        f"account show|{TENANT}", "ad app federated-credential list|csa-snapshot", "ad sp list|id"
    )
    done = entra.run("--identity", IDENTITY, "--app", APP, "--audience", "AzureADMyOrg")
    assert done.returncode == 0
    changes = [call for call in verbs(entra.asked) if call.endswith(("create", "update", "add"))]
    assert changes == ["ad app update"]


def test_who_may_sign_in_to_an_app_that_is_there_stays_as_it_is_unless_that_is_said(
    entra: Entra,
) -> None:
    """Whoever comes back for Graph opens an app of one tenant to no other."""
    assert entra.run("--identity", IDENTITY, "--app", APP, "--graph").returncode == 0
    assert not any("--sign-in-audience" in call for call in entra.asked)


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "--identity nobody",
        f"--identity {IDENTITY} --audience Everybody",
        f"--identity {IDENTITY} --app mine",
        f"--identity {IDENTITY} --secret",
        "--identity",
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    entra: Entra, arguments: str
) -> None:
    done = entra.run(*shlex.split(arguments))
    assert done.returncode == 1
    assert "entra.sh:" in done.stderr
    assert entra.asked == []


def test_it_ends_where_azure_refuses(entra: Entra) -> None:
    (entra.folder / "az").write_text("#!/bin/sh\nexit 3\n")
    assert entra.run("--identity", IDENTITY).returncode == 3
