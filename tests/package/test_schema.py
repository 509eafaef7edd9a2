"""The manifest and its language files, held to Microsoft's own schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from infra.teams_app.checks import Files
from infra.teams_app.manifest import VERSION
from tests.package.conftest import Json, as_json

SCHEMAS = Path("node_modules/@microsoft/app-manifest/build/json-schemas/teams") / f"v{VERSION}"


def schema(name: str) -> jsonschema.Draft6Validator:
    path = SCHEMAS / f"MicrosoftTeams.{name}schema.json"
    if not path.is_file():
        pytest.skip("Microsoft's schemas are not here: `make test` installs them, with Node.")
    # They call themselves draft 4, which knows no `const`, and use it.
    return jsonschema.Draft6Validator(json.loads(path.read_text(encoding="utf-8-sig")))


def complaints(validator: jsonschema.Draft6Validator, value: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def test_the_manifest_is_valid(manifest: Json) -> None:
    assert complaints(schema(""), manifest) == []


def test_each_language_file_is_valid(manifest: Json, files: Files) -> None:
    named = [each["file"] for each in manifest["localizationInfo"]["additionalLanguages"]]
    assert named == ["cy.json"]
    for name in named:
        assert complaints(schema("Localization."), as_json(files, name)) == []


def test_the_schema_is_of_the_version_that_the_manifest_names(manifest: Json) -> None:
    assert complaints(schema(""), manifest | {"manifestVersion": "1.24"})
    assert f"/v{VERSION}/" in manifest["$schema"]


def test_the_schema_tells_of_what_it_does_not_know(manifest: Json) -> None:
    assert complaints(schema(""), manifest | {"supportsChannelFeature": "tier1"})
    assert complaints(schema("Localization."), {"name.short": "x" * 31})
