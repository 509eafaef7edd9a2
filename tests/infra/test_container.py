"""The image: what is in it, and that the bot works from it with nothing to write to."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from bot.settings import Settings
from tests.infra.container import CONTAINERFILE, ROOT, NoRegistry, Stage, build, sent, steps
from tests.ports import free_port

FOLDERS = ("bot", "cards", "content", "report", "snapshot", "storage")
STEPS = steps(CONTAINERFILE.read_text())
IGNORE = (ROOT / ".dockerignore").read_text()
STARTS_WITHIN_S = 30.0


@dataclass(frozen=True)
class Image:
    """`data` is the one place that the bot may write to. `powerless`: words before a command."""

    stage: Stage
    data: Path
    powerless: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return self.stage.path(".")

    @property
    def python(self) -> str:
        return self.stage.here("/opt/venv/bin/python")

    def environment(self, port: int = 0) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            **self.stage.environment,
            "HOME": str(self.data),
            "HOST": "127.0.0.1",
            "PORT": str(port),
            # As organisations set it for all: what is on this machine is not behind it.
            "HTTP_PROXY": "http://127.0.0.1:9",
            "SNAPSHOT_ENV": "local",
            "SNAPSHOT_STORE": f"sqlite:///{self.data}/snapshot.db",
            "SNAPSHOT_KEYS": f"file:{self.data}/keys",
        }

    def run(self, *words: str, port: int = 0) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - the image's own words
            [*self.powerless, *words],
            cwd=self.folder,
            env=self.environment(port),
            capture_output=True,
            text=True,
            check=False,
        )

    @contextmanager
    def serving(self) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
        port = free_port()
        words = map(self.stage.here, [*self.stage.entrypoint, *self.stage.command])
        with (
            (self.data / "log").open("wb") as log,
            subprocess.Popen(  # noqa: S603
                [*self.powerless, *words],
                cwd=self.folder,
                env=self.environment(port),
                stdout=log,
                stderr=log,
            ) as process,
        ):
            try:
                _wait_for(f"http://127.0.0.1:{port}/healthz", process)
                yield port, process
            finally:
                process.terminate()


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """Outside pytest's own folders, which other users cannot enter."""
    folder = Path(tempfile.mkdtemp(prefix="image-"))
    try:
        context, data = folder / "context", folder / "data"
        for each in sent(ROOT, IGNORE):
            (context / each).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / each, context / each)
        stage = build(context, folder, CONTAINERFILE.read_text())
        data.mkdir()
        folder.chmod(0o755)
        data.chmod(0o777)
        _set_writable(stage.root, is_writable=False)
        yield Image(stage, data, _powerless(stage))
    except NoRegistry:
        pytest.skip("pip cannot reach its package index, from which the image is made.")
    finally:
        _set_writable(folder, is_writable=True)
        shutil.rmtree(folder)


def _powerless(stage: Stage) -> tuple[str, ...]:
    """Root could write everywhere, so it gives that up.

    It also becomes the image's user where that one may run this machine's Python, which does not
    hold if it lies in root's own folder.
    """
    if os.geteuid() != 0:
        return ()
    user, _, group = stage.user.partition(":")
    given_up = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
    other = (*given_up, f"--reuid={user}", f"--regid={group}", "--clear-groups")
    can = subprocess.run(  # noqa: S603
        [*other, stage.here("/opt/venv/bin/python"), "-c", ""], check=False, capture_output=True
    )
    return given_up if can.returncode else other


def _set_writable(folder: Path, *, is_writable: bool) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o200 if is_writable else mode & ~0o222)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(url, timeout=2):  # noqa: S310 - our own
                return
        except (URLError, OSError):
            time.sleep(0.05)
    pytest.fail("the bot did not start from the image")


def _files(folder: Path) -> set[tuple[str, int]]:
    return {(str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*")}


def test_the_bot_answers_from_the_image_and_writes_nothing_into_it(image: Image) -> None:
    before = _files(image.stage.root)
    health = [image.stage.here(word) for word in image.stage.health]
    with image.serving() as (port, process):
        assert image.run(*health, port=port).returncode == 0
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as ready:
            assert ready.status == 200
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert image.run(*health, port=port).returncode != 0
    assert _files(image.stage.root) == before


def test_the_bot_could_not_write_into_the_image_if_it_tried(image: Image) -> None:
    for name in ("here", "../venv/here", "bot/settings.py"):
        tried = image.run(image.python, "-c", f"open({name!r}, 'a')")
        assert "PermissionError" in tried.stderr
    assert image.run(image.python, "-c", f"open('{image.data}/there', 'a')").returncode == 0


def test_the_job_does_what_is_due_from_the_image(image: Image) -> None:
    entry = [image.stage.here(word) for word in image.stage.entrypoint]
    done = image.run(*entry, "tick")
    assert done.returncode == 0, done.stderr


def test_what_a_real_deployment_asks_for_can_be_imported(image: Image) -> None:
    wanted = "storage.cosmos, storage.keyvault, azure.identity.aio, bot.teams.tokens, typst, docx"
    done = image.run(image.python, "-c", f"import {wanted}")
    assert done.returncode == 0, done.stderr


def test_the_image_holds_the_bot_and_what_it_needs_and_nothing_else(image: Image) -> None:
    assert {each.name for each in image.folder.iterdir()} == {
        "LICENSE", "requirements.txt", *FOLDERS,
    }  # fmt: skip
    ours = {
        path.relative_to(ROOT)
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    there = {p.relative_to(image.folder) for p in image.folder.rglob("*") if p.is_file()}
    compiled = {path for path in there if path.suffix == ".pyc"}
    assert there - compiled == ours | {Path("LICENSE"), Path("requirements.txt")}
    assert len(compiled) == len([path for path in ours if path.suffix == ".py"])


def test_the_packages_are_those_of_the_lock(image: Image) -> None:
    asked = "from importlib.metadata import distributions as d\nfor e in d(): print(e.name)"
    installed = image.run(image.python, "-c", asked).stdout.split()
    lock = (ROOT / "requirements.txt").read_text()
    names = re.findall(r"(?m)^([a-z0-9._-]+)==[^;\n]*?(?:;(.*?))?\s*\\$", lock)
    # Those for another system or Python alone are in the lock all the same.
    everywhere = {_plain(name) for name, only in names if not only}
    assert everywhere <= {_plain(name) for name in installed}
    assert {_plain(name) for name in installed} <= {_plain(name) for name, _ in names}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_lock_is_taken_by_hash_and_without_building_anything() -> None:
    (pip,) = [step.words for step in STEPS if "pip --python" in step.words]
    for option in ("--require-hashes", "--no-deps", "--only-binary :all:", "-r requirements.txt"):
        assert option in pip


def test_the_image_runs_as_a_number_that_is_not_root() -> None:
    last = [step.verb for step in STEPS].index("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", STEPS[last].words)
    assert not {step.verb for step in STEPS[last:]} & {"RUN", "COPY", "ADD"}


def test_nobody_builds_on_a_base_that_they_did_not_name() -> None:
    assert [step.words for step in STEPS if step.verb == "ARG"] == ["BASE"]
    bases = [step.words.split()[0] for step in STEPS if step.verb == "FROM"]
    assert set(bases) == {"${BASE}"}


def test_the_image_sets_only_what_is_no_secret_and_listens_where_it_is_called() -> None:
    env = dict(
        each.split("=", 1) for step in STEPS if step.verb == "ENV" for each in step.words.split()
    )
    assert set(env) == {"HOME", "HOST", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
    assert env["HOST"] == "0.0.0.0"  # noqa: S104
    assert [s.words for s in STEPS if s.verb == "EXPOSE"] == [
        str(Settings.model_fields["port"].default)
    ]


@pytest.mark.parametrize(
    ("path", "is_sent"),
    [
        ("bot/app.py", True),
        ("content/instrument.en-GB.yaml", True),
        ("LICENSE", True),
        ("requirements.txt", True),
        (".env", False),
        ("bot/.env", False),
        ("bot/__pycache__/app.cpython-313.pyc", False),
        ("bot/rehearsal/old.pyc", False),
        ("var/snapshot.db", False),
        ("var/keys/service.key", False),
        ("tests/conftest.py", False),
        ("docs/dpia.md", False),
        ("infra/azure/main.bicep", False),
        (".git/config", False),
        ("requirements-dev.txt", False),
    ],
)
def test_only_what_the_image_is_made_of_is_sent_to_an_engine(
    tmp_path: Path, path: str, is_sent: bool
) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    found: Sequence[Path] = list(sent(tmp_path, IGNORE))
    assert found == ([Path(path)] if is_sent else [])
