"""The zip file that a Teams administrator uploads: the manifest, its languages and two icons."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

from content.packs import HERE as OUR_CONTENT
from content.packs import load_packs
from infra.teams_app.checks import Files, faults
from infra.teams_app.manifest import Json, make_manifest, make_translations
from infra.teams_app.settings import AppSettings

HERE = Path(__file__).parent

_ALWAYS = (1980, 1, 1, 0, 0, 0)
"""The oldest time that a zip file can hold: the same input gives the same bytes."""


class BadPackage(Exception):
    """Teams would refuse it; the message says why, a line for each reason."""


def make_package(settings: AppSettings) -> bytes:
    """Raises `BadPackage`, and `BrokenPack` where the content cannot be used."""
    files = make_files(settings)
    if found := faults(files):
        raise BadPackage("\n".join(found))
    return zipped(files)


def make_files(settings: AppSettings) -> Files:
    """By their names at the root of the package."""
    packs = load_packs(settings.content or OUR_CONTENT)
    texts = {"manifest.json": make_manifest(settings, packs), **make_translations(settings, packs)}
    icons = {name: (HERE / name).read_bytes() for name in ("color.png", "outline.png")}
    return {name: _as_json(text) for name, text in texts.items()} | icons


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Not compressed: what that comes to depends on the machine's zlib, and all is small."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as package:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _ALWAYS)
            entry.create_system = 3  # otherwise that of the machine
            entry.external_attr = 0o644 << 16
            package.writestr(entry, content)
    return made.getvalue()


def _as_json(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"
