"""Starting: `python -m bot serve`, as a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.packs.programme import another_programme

ROOT = Path(__file__).parents[2]
KEYS = "SNAPSHOT_KEYS must be file:FOLDER, or a key vault's address"


def start(
    folder: Path, settings: Mapping[str, str] | None = None, *, root: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Start a bot that is not supposed to come up."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(root),
        "SNAPSHOT_ENV": "local",
        "SNAPSHOT_STORE": f"sqlite:///{folder / 'snapshot.db'}",
        "SNAPSHOT_KEYS": f"file:{folder / 'keys'}",
        **(settings or {}),
    }
    return subprocess.run(
        [sys.executable, "-m", "bot", "serve"],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"SNAPSHOT_ENV": "production"}, "MicrosoftAppId must be set in production"),
        ({"SNAPSHOT_ENV": ""}, "SNAPSHOT_TENANTS must be set in production"),
        ({"SNAPSHOT_ENV": "staging"}, "SNAPSHOT_ENV"),
        ({"SNAPSHOT_NOTE_DAYS": "13"}, "SNAPSHOT_NOTE_DAYS"),
        ({"SNAPSHOT_LEAD_DAYS": "6"}, "SNAPSHOT_LEAD_DAYS must not be less than SNAPSHOT_KEY_DAYS"),
        ({"SNAPSHOT_DAYS": "30"}, "SNAPSHOT_PLAN_DAYS must not be more than SNAPSHOT_DAYS"),
        ({"HOST": "192.0.2.1"}, "HOST must be a loopback address"),
        ({"PORT": "http"}, "PORT"),
        ({"SNAPSHOT_STORE": "mongodb://account/db"}, "SNAPSHOT_STORE"),
        ({"SNAPSHOT_STORE": "cosmos://account.example"}, "SNAPSHOT_STORE"),
        ({"SNAPSHOT_STORE": "cosmos://account.example/a/b"}, "SNAPSHOT_STORE"),
        (
            {"SNAPSHOT_STORE": "cosmos://account.example/db", "COSMOS_KEY": "ZQXJ"},
            "COSMOS_KEY is for an emulator on a loopback address only",
        ),
        (
            {"SNAPSHOT_STORE": "cosmos://127.0.0.1:1/db", "COSMOS_CA_FILE": "not/there"},
            "COSMOS_CA_FILE cannot be read as a certificate",
        ),
        (
            {"SNAPSHOT_STORE": "cosmos://127.0.0.1:1/db", "COSMOS_KEY": "ZQXJ!"},
            "COSMOS_KEY is not a key",
        ),
        (
            {"SNAPSHOT_STORE": "cosmos://127.0.0.1:1/db", "COSMOS_KEY": "ZQXJ"},
            "Cosmos DB did not answer",
        ),
        ({"SNAPSHOT_KEYS": "https://vault.example.org"}, KEYS),
        ({"SNAPSHOT_KEYS": "https://a.b.vault.azure.net"}, KEYS),
        ({"SNAPSHOT_KEYS": "https://areas.vault.azure.net/key"}, KEYS),
        ({"SNAPSHOT_KEYS": "https://areas.vault.azure.net.example.org"}, KEYS),
        ({"SNAPSHOT_KEYS": "http://areas.vault.azure.net"}, KEYS),
        ({"SNAPSHOT_KEYS": "https://10.0.0.1:8443"}, KEYS),
        (
            {"SNAPSHOT_KEYS": "https://127.0.0.1:1", "SNAPSHOT_ENV": "production"},
            "SNAPSHOT_KEYS may be on a loopback address with SNAPSHOT_ENV=local or",
        ),
        (
            {"SNAPSHOT_KEYS": "https://127.0.0.1:1", "SNAPSHOT_KEYS_CA_FILE": "not/there"},
            "SNAPSHOT_KEYS_CA_FILE cannot be read as a certificate",
        ),
        ({"SNAPSHOT_SAMPLE": "-1"}, "SNAPSHOT_SAMPLE"),
        ({"SNAPSHOT_CONTENT": "not/there"}, "must be a folder with instrument.en-GB.yaml"),
    ],
)
def test_settings_that_cannot_be_are_named(
    tmp_path: Path, settings: dict[str, str], says: str
) -> None:
    ended = start(tmp_path, settings)
    assert ended.returncode == 1
    assert "The bot cannot start like this." in ended.stderr
    assert says in ended.stderr
    assert "ZQXJ" not in ended.stderr, "keys are named, never shown"
    assert "ended by a fault" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_key_vault_that_does_not_answer_is_told(tmp_path: Path) -> None:
    ended = start(tmp_path, {"SNAPSHOT_KEYS": "https://127.0.0.1:1"})
    assert ended.returncode == 1
    says = "KeysUnavailable: the key vault did not answer in time: look at the network"
    assert says in ended.stderr
    assert "ended by a fault" not in ended.stderr


def test_a_broken_pack_is_refused_with_file_line_place_and_rule(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    for room in ("bot", "cards", "content", "report", "snapshot", "storage"):
        shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("__pycache__"))
    pack = root / "content" / "instrument.en-GB.yaml"
    pack.write_text(pack.read_text().replace("score: 33.33", "score: 133", 1))
    line = 1 + pack.read_text()[: pack.read_text().index("score: 133")].count("\n")
    ended = start(tmp_path, root=root)
    assert ended.returncode == 1
    assert f"instrument.en-GB.yaml, line {line}: scales.0.options.1.score" in ended.stderr
    assert "less than or equal to 100" in ended.stderr
    assert "ended by a fault" not in ended.stderr


def test_another_programmes_folder_is_held_to_the_same(tmp_path: Path) -> None:
    content = another_programme(tmp_path / "another")
    (content / "messages.en-GB.yaml").unlink()
    ended = start(tmp_path, {"SNAPSHOT_CONTENT": str(content)})
    assert ended.returncode == 1
    assert "messages.en-GB.yaml is missing" in ended.stderr
    assert "ended by a fault" not in ended.stderr


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = start(tmp_path, {"PORT": port})
    assert ended.returncode == 1
    assert port in ended.stderr
    assert "ended by a fault" not in ended.stderr


def test_a_key_that_others_may_read_is_refused_with_advice(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "service.key").write_bytes(bytes(32))
    (keys / "service.key").chmod(0o644)
    ended = start(tmp_path)
    assert ended.returncode == 1
    assert f"chmod 600 {keys / 'service.key'}" in ended.stderr


def test_a_command_that_sends_nothing_does_without_bot_framework(tmp_path: Path) -> None:
    """It is large, and an operator waits for it."""
    asked = (
        "import runpy, sys\n"
        "sys.argv = ['bot', 'keys', 'status']\n"
        "try:\n"
        "    runpy.run_module('bot', run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "assert 'bot.app' in sys.modules\n"
        "sys.exit('botbuilder.core' in sys.modules)\n"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "SNAPSHOT_ENV": "local",
        "SNAPSHOT_STORE": f"sqlite:///{tmp_path / 'snapshot.db'}",
        "SNAPSHOT_KEYS": f"file:{tmp_path / 'keys'}",
    }
    found = subprocess.run(  # noqa: S603  # our own words
        [sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (0, "")


FAULTS = {
    "alone": "raise ValueError('ZQXJ')",
    "in a group of tasks": "raise ExceptionGroup('ZQXJ', [KeyError('ZQXJ'), ValueError('ZQXJ')])",
    "in a thread": "t = Thread(target=lambda: int('ZQXJ')); t.start(); t.join(); raise ValueError",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_nobody_expected_ends_it_with_lines_of_code_and_never_a_message(fault: str) -> None:
    """Python would print what an error says, and that may quote a record or a request."""
    code = f"from threading import Thread; from bot.__main__ import main; main(); {FAULTS[fault]}"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 1
    assert {each["event"] for each in told} == {"ended by a fault"}
    assert "ValueError" in [each["error"] for each in told]
    assert "ZQXJ" not in done.stderr
