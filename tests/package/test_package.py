"""The zip file, and the command that makes it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.settings import BadSettings
from infra.teams_app.checks import Files, faults
from infra.teams_app.package import BadPackage, make_package, zipped
from infra.teams_app.settings import AppSettings
from tests.package.conftest import ENVIRONMENT, settings

ROOT = Path(__file__).parents[2]
LONG_NAME = "x" * 101


def packs(
    folder: Path, environment: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """As `make package` does it, in a folder without a `.env`."""
    path = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    return subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", "infra.teams_app", *arguments],
        cwd=folder,
        env={**path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def contents(package: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(package)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


# -- the file -------------------------------------------------------------------------------------


def test_it_holds_the_manifest_its_languages_and_the_icons_and_nothing_else() -> None:
    found = contents(make_package(settings()))
    assert sorted(found) == ["color.png", "cy.json", "manifest.json", "outline.png"]
    assert faults(found) == []


def test_the_same_input_gives_the_same_bytes() -> None:
    assert make_package(settings()) == make_package(settings())
    assert make_package(settings()) != make_package(settings(TEAMS_APP_VERSION="1.0.1"))


def test_no_entry_tells_when_or_on_what_machine_it_was_made(files: Files) -> None:
    with zipfile.ZipFile(io.BytesIO(zipped(files))) as opened:
        told = {
            (e.date_time, e.create_system, e.external_attr, e.compress_type)
            for e in opened.infolist()
        }
    assert told == {((1980, 1, 1, 0, 0, 0), 3, 0o644 << 16, zipfile.ZIP_STORED)}


def test_what_teams_would_refuse_is_not_packed(tmp_path: Path) -> None:
    content = tmp_path / "content"
    content.mkdir()
    for path in (ROOT / "content").glob("*.en-GB.yaml"):
        text = path.read_text(encoding="utf-8")
        text = text.replace("System-wide child sexual abuse snapshot", LONG_NAME)
        (content / path.name).write_text(text, encoding="utf-8")
    with pytest.raises(BadPackage, match=r"name\.full must have 1 to 100"):
        make_package(settings(SNAPSHOT_CONTENT=str(content)))


# -- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "cure"),
    [
        ("MicrosoftAppId", "11111111-1111-4111-8111-111111111111", "as Entra shows it"),
        ("TEAMS_APP_ID", "canary", "print(uuid.uuid4())"),
        ("TEAMS_APP_VERSION", "canary", "such as 1.0.1"),
        ("TEAMS_APP_NAME", "canary" * 6, "at most 30 characters"),
        ("TEAMS_APP_DEVELOPER", "canary" * 6, "at most 32 characters"),
        ("TEAMS_APP_WEBSITE", "canary", "https://HOST/PAGE"),
        ("TEAMS_APP_PRIVACY", "http://canary.exampleshire.gov.uk", "https://HOST/PAGE"),
        ("TEAMS_APP_TERMS", "https://canary.example", "https://HOST/PAGE"),
        ("SNAPSHOT_CONTENT", "/canary", "leave it out for our own"),
    ],
)
def test_a_wrong_setting_is_named_with_what_mends_it_and_without_its_value(
    name: str, value: str, cure: str
) -> None:
    with pytest.raises(BadSettings) as told:
        settings(**{name: value})
    (line,) = str(told.value).splitlines()
    assert line.startswith(f"{name} is wrong: ")
    assert cure in line
    assert value not in line


def test_each_setting_stands_in_the_guide() -> None:
    guide = (ROOT / "docs/teams-app.md").read_text(encoding="utf-8")
    names = {field.alias for field in AppSettings.model_fields.values()}
    assert {name for name in names if f"`{name}`" not in guide} == set()


def test_ids_in_capitals_are_the_same_ids() -> None:
    assert settings().bot == ENVIRONMENT["MicrosoftAppId"].lower()


# -- the command ----------------------------------------------------------------------------------


def test_the_command_writes_the_package_where_git_does_not_look(tmp_path: Path) -> None:
    done = packs(tmp_path, ENVIRONMENT)
    assert (done.returncode, done.stderr) == (0, "")
    assert "var/package/teams-app.zip" in done.stdout
    assert (tmp_path / "var/package/teams-app.zip").read_bytes() == make_package(settings())
    assert "var/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_it_reads_what_the_bot_reads(tmp_path: Path) -> None:
    lines = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")
    done = packs(tmp_path, {"TEAMS_APP_NAME": "Ask Exampleshire"}, "--out", "app.zip")
    assert (done.returncode, done.stderr) == (0, "")
    named = make_package(settings(TEAMS_APP_NAME="Ask Exampleshire"))
    assert (tmp_path / "app.zip").read_bytes() == named


def test_all_that_is_missing_or_wrong_is_told_at_once(tmp_path: Path) -> None:
    done = packs(tmp_path, {"TEAMS_APP_ID": "canary", "TEAMS_APP_VERSION": "1"})
    assert done.returncode == 1
    told = [line.partition(":")[0] for line in done.stderr.splitlines()]
    assert told == [
        "The app package cannot be made like this.",
        "MicrosoftAppId is missing",
        "TEAMS_APP_ID is wrong",
        "TEAMS_APP_VERSION is wrong",
        "TEAMS_APP_DEVELOPER is missing",
        "TEAMS_APP_WEBSITE is missing",
        "TEAMS_APP_PRIVACY is missing",
        "TEAMS_APP_TERMS is missing",
        "docs/teams-app.md says more.",
    ]
    assert "canary" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("out", [".", "file/app.zip"])
def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, out: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    done = packs(tmp_path, ENVIRONMENT, "--out", out)
    assert done.returncode == 1
    assert f"{out} cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
