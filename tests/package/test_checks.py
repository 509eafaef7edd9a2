"""Each check, on a package that is whole but for the one thing that it looks for."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy

import pytest

from infra.teams_app import png
from infra.teams_app.checks import Files, faults, is_address, is_id, is_version
from tests.package.conftest import Json, as_json

type Break = Callable[[Json], object]

LISTS = "bots[0].commandLists"


def broken(files: Files, how: Break, name: str = "manifest.json") -> list[str]:
    value = deepcopy(as_json(files, name))
    how(value)
    return faults({**files, name: json.dumps(value).encode()})


def commands(manifest: Json, number: int = 0) -> list[Json]:
    found: list[Json] = manifest["bots"][0]["commandLists"][number]["commands"]
    return found


def test_what_is_packed_has_no_fault(files: Files) -> None:
    assert faults(files) == []


REFUSED: dict[str, tuple[str, Break]] = {
    "for teams, without a tier": (
        "supportsChannelFeatures",
        lambda m: m.pop("supportsChannelFeatures"),
    ),
    "for teams, with no tier": (
        "supportsChannelFeatures",
        lambda m: m.update(supportsChannelFeatures=None),
    ),
    "id: a word": ("id must be a GUID", lambda m: m.update(id="snapshot")),
    "id: nothing but noughts": (
        "id must be a GUID",
        lambda m: m.update(id="00000000-0000-0000-0000-000000000000"),
    ),
    "id: from an example": (
        "id must be a GUID",
        lambda m: m.update(id="11111111-1111-4111-8111-111111111111"),
    ),
    "bot: no id": ("botId must be a GUID", lambda m: m["bots"][0].update(botId="")),
    "no bot": ("botId must be a GUID", lambda m: m["bots"].clear()),
    "web application: another one": (
        "webApplicationInfo.id must be the bot's",
        lambda m: m["webApplicationInfo"].update(id=m["id"]),
    ),
    "web application: none": (
        "webApplicationInfo.id must be a GUID",
        lambda m: m.pop("webApplicationInfo"),
    ),
    "version: two numbers": ("version must be three numbers", lambda m: m.update(version="1.0")),
    "developer: long": ("developer.name", lambda m: m["developer"].update(name="x" * 33)),
    "website: not HTTPS": (
        "developer.websiteUrl",
        lambda m: m["developer"].update(websiteUrl="http://www.exampleshire.gov.uk"),
    ),
    "privacy: an example": (
        "developer.privacyUrl",
        lambda m: m["developer"].update(privacyUrl="https://example.org/privacy"),
    ),
    "terms: none": ("developer.termsOfUseUrl", lambda m: m["developer"].pop("termsOfUseUrl")),
    "installed first where there is no bot": (
        "defaultInstallScope",
        lambda m: m.update(defaultInstallScope="meetings"),
    ),
    "a scope without commands": (
        "one list of commands",
        lambda m: m["bots"][0]["commandLists"].pop(1),
    ),
    "name: long": ("name.short must have 1 to 30", lambda m: m["name"].update(short="x" * 31)),
    "name: a space": ("name.short must have 1 to 30", lambda m: m["name"].update(short=" ")),
    "full name: long": ("name.full must have 1 to 100", lambda m: m["name"].update(full="x" * 101)),
    "short description: long": (
        "description.short must have 1 to 80",
        lambda m: m["description"].update(short="x" * 81),
    ),
    "description: long": (
        "description.full must have 1 to 4000",
        lambda m: m["description"].update(full="x" * 4001),
    ),
    "description: none": (
        "description.full is missing",
        lambda m: m["description"].pop("full"),
    ),
    "a command: long": (
        f"{LISTS}[0].commands[0].title must have 1 to 32",
        lambda m: commands(m)[0].update(title="x" * 33),
    ),
    "what a command does: long": (
        f"{LISTS}[1].commands[2].description must have 1 to 128",
        lambda m: commands(m, 1)[2].update(description="x" * 129),
    ),
    "a command twice": (
        f"{LISTS}[0] has a command twice",
        lambda m: commands(m).append(commands(m)[0]),
    ),
    "thirteen commands": (
        f"{LISTS}[0] must have 1 to 12",
        lambda m: commands(m).extend({"title": title} for title in ("a", "b", "c")),
    ),
    "no commands": (f"{LISTS}[0] must have 1 to 12", lambda m: commands(m).clear()),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_manifest_that_teams_would_refuse(files: Files, case: str) -> None:
    told, how = REFUSED[case]
    assert [fault for fault in broken(files, how) if told in fault]


def test_an_older_manifest_knows_no_tiers(files: Files) -> None:
    def is_older(manifest: Json) -> None:
        manifest["manifestVersion"] = "1.24"
        del manifest["supportsChannelFeatures"]

    assert broken(files, is_older) == []


ILL_FITTING: dict[str, tuple[str, Break]] = {
    "a command left out": (
        "is not translated",
        lambda texts: texts.pop(f"{LISTS}[0].commands[3].title"),
    ),
    "a command that there is not": (
        "is nowhere in the manifest",
        lambda texts: texts.update({f"{LISTS}[0].commands[11].title": "mwy"}),
    ),
    "name: long": ("name.short must have", lambda texts: texts.update({"name.short": "x" * 31})),
    "one word for two commands": (
        "has a command twice",
        lambda texts: texts.update(
            {f"{LISTS}[0].commands[0].title": texts[f"{LISTS}[0].commands[1].title"]}
        ),
    ),
}


@pytest.mark.parametrize("case", ILL_FITTING)
def test_a_translation_that_does_not_fit(files: Files, case: str) -> None:
    told, how = ILL_FITTING[case]
    found = broken(files, how, "cy.json")
    assert [fault for fault in found if fault.startswith("cy.json: ") and told in fault]


@pytest.mark.parametrize("name", ["manifest.json", "cy.json", "color.png", "outline.png"])
def test_a_file_that_is_missing(files: Files, name: str) -> None:
    found = faults({each: content for each, content in files.items() if each != name})
    assert [fault for fault in found if name in fault]


def test_a_file_that_does_not_belong(files: Files) -> None:
    assert faults({**files, "en/more.json": b"{}"}) == [
        "en/more.json does not belong into a package"
    ]


def test_a_language_file_in_a_folder(files: Files) -> None:
    manifest = as_json(files)
    manifest["localizationInfo"]["additionalLanguages"][0]["file"] = "words/cy.json"
    moved = {name: content for name, content in files.items() if name != "cy.json"}
    moved |= {"words/cy.json": files["cy.json"], "manifest.json": json.dumps(manifest).encode()}
    assert faults(moved) == ["words/cy.json must stand at the root of the package"]


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'"manifest"'])
def test_a_manifest_that_is_none(files: Files, content: bytes) -> None:
    assert len(faults({**files, "manifest.json": content})) == 1


@pytest.mark.parametrize(
    ("told", "name", "picture"),
    ids=[
        "colour: small",
        "outline: small",
        "outline: nearly white",
        "outline: full",
        "outline: empty",
    ],
    argvalues=[
        ("192 x 192", "color.png", png.Picture(2, 2, b"\x1d\x4e\x5f\xff" * 4)),
        ("32 x 32", "outline.png", png.Picture(2, 2, b"\xff\xff\xff\0\xff\xff\xff\xff" * 2)),
        ("white", "outline.png", png.Picture(32, 32, b"\xfe\xff\xff\x80" + b"\0" * 4 * 1023)),
        ("white", "outline.png", png.Picture(32, 32, b"\xff\xff\xff\xff" * 1024)),
        ("white", "outline.png", png.Picture(32, 32, b"\xff\xff\xff\0" * 1024)),
    ],
)
def test_an_icon_of_another_kind(files: Files, told: str, name: str, picture: png.Picture) -> None:
    (found,) = faults({**files, name: png.write(picture)})
    assert name in found
    assert told in found


def test_an_icon_that_is_no_picture(files: Files) -> None:
    assert faults({**files, "color.png": b"GIF89a"}) == ["color.png is not a PNG file"]
    assert faults({**files, "color.png": files["color.png"][:500]}) == [
        "color.png is a damaged PNG file"
    ]


@pytest.mark.parametrize(
    "value",
    [
        "http://www.exampleshire.gov.uk",
        "https://localhost/privacy",
        "https://127.0.0.1/privacy",
        "https://intranet/privacy",
        "https://www.example.com/privacy",
        "https://bot.test/",
        "https://me:secret@www.exampleshire.gov.uk/",
        "https://www.exampleshire.gov.uk/a page",
        "https://www.exampleshire.gov.uk:99999/",
        "https://[",
        "https://www.exampleshire.gov.uk/" + "x" * 2048,
        "",
    ],
)
def test_an_address_that_nobody_could_open(value: str) -> None:
    assert not is_address(value)


def test_what_is_right_is_taken() -> None:
    assert is_address("https://www.exampleshire.gov.uk/privacy?lang=cy#notice")
    assert is_address("https://example-police.uk")
    assert is_id("0D9E8F7A-6B5C-4D3E-8F21-A1B2C3D4E5F6")
    assert is_version("10.0.3")


@pytest.mark.parametrize("value", ["1", "1.0", "1.0.0.0", "v1.0.0", "01.0.0", "1.0.0-beta", ""])
def test_what_is_no_version(value: str) -> None:
    assert not is_version(value)
