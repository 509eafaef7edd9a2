"""What the manifest says, and from where it has that."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from bot.settings import Settings
from content.packs import HERE, load_packs
from infra.teams_app.checks import Files
from infra.teams_app.package import make_files
from snapshot.wording import Command
from tests.package.conftest import ENVIRONMENT, Json, as_json, settings
from tests.packs.programme import another_programme


def test_the_bot_is_given_the_same_ids(manifest: Json) -> None:
    """By the one Graph finds the app in a catalogue, by the other links open the chat."""
    names = ("MicrosoftAppId", "TEAMS_APP_ID")
    given = {name: ENVIRONMENT[name] for name in names}
    of_the_bot = Settings.from_env(
        {"SNAPSHOT_ENV": "local", "MicrosoftAppTenantId": ENVIRONMENT["MicrosoftAppId"], **given}
    )
    assert of_the_bot.teams_app_id == manifest["id"]
    assert of_the_bot.survey_link.endswith(f"users=28:{manifest['bots'][0]['botId']}")


def test_ids_and_addresses_are_those_of_the_settings(manifest: Json) -> None:
    bot = ENVIRONMENT["MicrosoftAppId"].lower()
    assert manifest["bots"][0]["botId"] == bot
    assert manifest["webApplicationInfo"] == {"id": bot, "resource": f"api://botid-{bot}"}
    assert list(manifest["developer"].values()) == [
        ENVIRONMENT[f"TEAMS_APP_{name}"] for name in ("DEVELOPER", "WEBSITE", "PRIVACY", "TERMS")
    ]


def test_it_is_for_people_for_teams_and_for_meetings(manifest: Json) -> None:
    (bot,) = manifest["bots"]
    assert bot["scopes"] == ["personal", "team", "groupChat"]
    assert bot["supportsFiles"], "Teams' file consent asks for it"
    assert manifest["defaultInstallScope"] == "personal"
    assert manifest["supportsChannelFeatures"] == "tier1"


def test_it_asks_a_team_for_no_more_than_its_members(manifest: Json) -> None:
    asked = manifest["authorization"]["permissions"]["resourceSpecific"]
    assert {each["name"] for each in asked} == {"TeamMember.Read.Group", "ChannelMember.Read.Group"}
    assert {each["type"] for each in asked} == {"Application"}


def test_it_opens_no_domain_inside_teams(manifest: Json) -> None:
    assert "validDomains" not in manifest


def test_a_locked_phone_shows_no_more_by_the_name_than_by_the_message(
    manifest: Json, files: Files
) -> None:
    assert manifest["name"]["short"] == "Safeguarding snapshot"
    assert as_json(files, "cy.json")["name.short"] == "Ciplun diogelu"


def test_another_name_is_the_same_in_each_language() -> None:
    named = make_files(settings(TEAMS_APP_NAME="Ask Exampleshire"))
    assert as_json(named)["name"]["short"] == "Ask Exampleshire"
    assert as_json(named, "cy.json")["name.short"] == "Ask Exampleshire"


@pytest.mark.parametrize(("scope", "place"), [(0, "private"), (1, "channel")])
def test_a_translated_command_is_the_same_command(
    upside_down: Path, scope: int, place: str
) -> None:
    """Places in a language file are numbers: another order there would mix them up."""
    packs = load_packs(upside_down)
    english: tuple[Command, ...] = getattr(packs["en-GB"].wording, place)
    welsh: tuple[Command, ...] = getattr(packs["cy-GB"].wording, place)
    assert [c.id for c in welsh] != [c.id for c in english]
    packed = make_files(settings(SNAPSHOT_CONTENT=str(upside_down)))
    offered = as_json(packed)["bots"][0]["commandLists"][scope]["commands"]
    assert [command["title"] for command in offered] == [c.words[0] for c in english]
    word = {command.id: command.words[0] for command in welsh}
    texts = as_json(packed, "cy.json")
    for number, command in enumerate(english):
        title = texts[f"bots[0].commandLists[{scope}].commands[{number}].title"]
        assert title == word[command.id]


@pytest.fixture
def upside_down(tmp_path: Path) -> Path:
    """Our content, with the Welsh commands the other way round."""
    folder = tmp_path / "content"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    words = folder / "messages.cy-GB.yaml"
    file = yaml.safe_load(words.read_text(encoding="utf-8"))
    file["commands"] = {
        place: dict(reversed(commands.items())) for place, commands in file["commands"].items()
    }
    words.write_text(yaml.safe_dump(file, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return folder


def test_another_programme_has_its_own_title_and_no_language_that_it_does_not_speak(
    tmp_path: Path,
) -> None:
    packed = make_files(settings(SNAPSHOT_CONTENT=str(another_programme(tmp_path / "coastal"))))
    manifest = as_json(packed)
    assert manifest["localizationInfo"] == {"defaultLanguageTag": "en", "additionalLanguages": []}
    assert load_packs()["en-GB"].instrument.title not in manifest["description"]["full"]
    assert "cy.json" not in packed
