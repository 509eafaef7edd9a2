"""Settings as an organisation would have them, and what is packed from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from infra.teams_app.checks import Files
from infra.teams_app.package import make_files
from infra.teams_app.settings import AppSettings

ENVIRONMENT = {
    "MicrosoftAppId": "5F0C2A1E-8B7D-4E36-9A41-C2D3E4F5A6B7",
    "TEAMS_APP_ID": "0d9e8f7a-6b5c-4d3e-8f21-a1b2c3d4e5f6",
    "TEAMS_APP_DEVELOPER": "Exampleshire County Council",
    "TEAMS_APP_WEBSITE": "https://www.exampleshire.gov.uk/snapshot",
    "TEAMS_APP_PRIVACY": "https://www.exampleshire.gov.uk/snapshot/privacy",
    "TEAMS_APP_TERMS": "https://www.exampleshire.gov.uk/snapshot/terms",
}

type Json = dict[str, Any]


def settings(**more: str) -> AppSettings:
    return AppSettings.from_env(ENVIRONMENT | more)


def as_json(files: Mapping[str, bytes], name: str = "manifest.json") -> Json:
    found: Json = json.loads(files[name])
    return found


@pytest.fixture(scope="session")
def files() -> Files:
    return make_files(settings())


@pytest.fixture
def manifest(files: Files) -> Json:
    return as_json(files)
