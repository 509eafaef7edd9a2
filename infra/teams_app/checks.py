"""What Teams refuses or shows badly, and its own schema lets pass.

The tests hold a package to that schema too. These checks are made each time that one is packed,
where no schema is at hand, so they repeat its lengths.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from infra.teams_app import png

type Files = Mapping[str, bytes]
type Json = dict[str, Any]

COLOUR, OUTLINE = 192, 32
"""Pixels: the width and the height of the two icons."""

MOST_COMMANDS = 12
MOST_IN_A_TITLE = 32
MOST_IN_AN_EXPLANATION = 128
"""Teams shows no more of a command, though the schema has come to allow 128 and 4,000."""

MOST_IN_A_NAME = 30
MOST_IN_A_DEVELOPER = 32
MOST_IN_AN_ADDRESS = 2048
_LONGEST = {
    "name.short": MOST_IN_A_NAME,
    "name.full": 100,
    "description.short": 80,
    "description.full": 4000,
}
_ADDRESSES = ("websiteUrl", "privacyUrl", "termsOfUseUrl")
_TIERS_FROM = (1, 25)
_WHITE = (255, 255, 255)

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_VERSION = re.compile(r"(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){2}")
_HOST = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
_NOBODYS = re.compile(r"(.*\.)?(example(\.(com|net|org))?|test|invalid|local|localhost)")
"""Names that are set aside for examples and tests (RFC 2606 and 6761)."""


def is_id(value: str) -> bool:
    """A GUID that somebody was given: those in examples are made of one or two digits."""
    return bool(_GUID.fullmatch(value)) and len(set(value.lower())) > 5


def is_address(value: str) -> bool:
    """Over HTTPS, on a host that may be somebody's."""
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    is_web = parts.scheme == "https" and not parts.username and port in (None, 443)
    is_plain = len(value) <= MOST_IN_AN_ADDRESS and value.isprintable() and " " not in value
    return is_web and is_plain and bool(_HOST.fullmatch(host)) and not _NOBODYS.fullmatch(host)


def is_version(value: str) -> bool:
    return bool(_VERSION.fullmatch(value))


def is_text(value: str, most: int) -> bool:
    """Something to read, of so many characters."""
    return 0 < len(value) <= most and value == value.strip()


class _Unreadable(Exception):
    """The message is the fault."""


def faults(files: Files) -> list[str]:
    """What is wrong with the files of a package, by their names; empty where nothing is.

    The manifest's parts have the types that the schema gives them.
    """
    try:
        manifest = _parsed(files, "manifest.json")
        translations = {name: _parsed(files, name) for name in _named(manifest)}
    except _Unreadable as error:
        return [str(error)]
    return [
        *_in_files(files, translations),
        *_in_identity(manifest),
        *_in_places(manifest),
        *_in_words(manifest, translations),
        *_in_icons(files),
    ]


def _parsed(files: Files, name: str) -> Json:
    try:
        value = json.loads(files[name])
    except (KeyError, ValueError):
        value = None
    if not isinstance(value, dict):
        raise _Unreadable(f"{name} must be there, and be a JSON object")
    return value


def _named(manifest: Json) -> list[str]:
    info = manifest.get("localizationInfo", {})
    return [each["file"] for each in info.get("additionalLanguages", [])]


def _in_files(files: Files, translations: Mapping[str, Json]) -> Iterator[str]:
    wanted = {"manifest.json", "color.png", "outline.png", *translations}
    for name in sorted(wanted - files.keys()):
        yield f"{name} is missing"
    for name in sorted(files.keys() - wanted):
        yield f"{name} does not belong into a package"
    for name in sorted(files.keys() & wanted):
        if "/" in name:
            yield f"{name} must stand at the root of the package"


# -- who it is ------------------------------------------------------------------------------------


def _in_identity(manifest: Json) -> Iterator[str]:
    bots, web = manifest.get("bots", []), manifest.get("webApplicationInfo", {})
    ids = {
        "id": manifest.get("id", ""),
        "bots[0].botId": bots[0].get("botId", "") if bots else "",
        "webApplicationInfo.id": web.get("id", ""),
    }
    for place, value in ids.items():
        if not is_id(value):
            yield f"{place} must be a GUID that was given out, and not that of an example"
    if ids["bots[0].botId"] != ids["webApplicationInfo.id"]:
        yield "webApplicationInfo.id must be the bot's: permissions are given to it"
    if not is_version(manifest.get("version", "")):
        yield "version must be three numbers, such as 1.0.0"
    developer = manifest.get("developer", {})
    if not is_text(developer.get("name", ""), MOST_IN_A_DEVELOPER):
        yield f"developer.name must have 1 to {MOST_IN_A_DEVELOPER} characters"
    for place in _ADDRESSES:
        if not is_address(developer.get(place, "")):
            yield f"developer.{place} must be an address such as https://HOST/PAGE, and not made up"


# -- where it works -------------------------------------------------------------------------------


def _in_places(manifest: Json) -> Iterator[str]:
    scopes = [scope for bot in manifest.get("bots", []) for scope in bot.get("scopes", [])]
    asks_for_tiers = _numbers(manifest.get("manifestVersion", "")) >= _TIERS_FROM
    if "team" in scopes and asks_for_tiers and manifest.get("supportsChannelFeatures") != "tier1":
        yield 'supportsChannelFeatures must be "tier1": Teams takes no app for teams without it'
    if manifest.get("defaultInstallScope") not in scopes:
        yield "defaultInstallScope must be one of the bot's scopes"
    listed = [scope for found in _lists(manifest) for scope in found.get("scopes", [])]
    if sorted(listed) != sorted(scopes):
        yield "each of the bot's scopes must have one list of commands"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _lists(manifest: Json) -> list[Json]:
    return [found for bot in manifest.get("bots", []) for found in bot.get("commandLists", [])]


# -- what people read -----------------------------------------------------------------------------


def _in_words(manifest: Json, translations: Mapping[str, Json]) -> Iterator[str]:
    own = words_of(manifest)
    for name, words in {"manifest.json": own, **translations}.items():
        texts = {place: text for place, text in words.items() if not place.startswith("$")}
        yield from (f"{name}: {fault}" for fault in _in_texts(texts))
        for place in sorted(own.keys() - texts.keys()):
            yield f"{name}: {place} is not translated"
        for place in sorted(texts.keys() - own.keys()):
            yield f"{name}: {place} is nowhere in the manifest"
        for number, found in enumerate(_lists(manifest)):
            yield from (f"{name}: {fault}" for fault in _in_list(number, found, texts))


def words_of(manifest: Json) -> dict[str, str]:
    """Each text that people read, by the place that a language file gives it."""
    texts = {
        f"{part}.{key}": text
        for part in ("name", "description")
        for key, text in manifest.get(part, {}).items()
    }
    for number, found in enumerate(_lists(manifest)):
        for each, command in enumerate(found.get("commands", [])):
            place = f"bots[0].commandLists[{number}].commands[{each}]"
            texts |= {f"{place}.{key}": text for key, text in command.items()}
    return texts


def _in_texts(texts: Mapping[str, str]) -> Iterator[str]:
    for place in sorted(_LONGEST.keys() - texts.keys()):
        yield f"{place} is missing"
    for place, text in texts.items():
        most = _LONGEST.get(place) or (
            MOST_IN_A_TITLE if place.endswith(".title") else MOST_IN_AN_EXPLANATION
        )
        if not is_text(text, most):
            yield f"{place} must have 1 to {most} characters, and no space around them"


def _in_list(number: int, found: Json, texts: Mapping[str, str]) -> Iterator[str]:
    place = f"bots[0].commandLists[{number}]"
    commands: Sequence[Json] = found.get("commands", [])
    if not 0 < len(commands) <= MOST_COMMANDS:
        yield f"{place} must have 1 to {MOST_COMMANDS} commands"
    titles = [texts.get(f"{place}.commands[{each}].title") for each, _ in enumerate(commands)]
    if len(set(titles)) < len(titles):
        yield f"{place} has a command twice"


# -- pictures -------------------------------------------------------------------------------------


def _in_icons(files: Files) -> Iterator[str]:
    for name, size in (("color.png", COLOUR), ("outline.png", OUTLINE)):
        try:
            picture = png.read(files.get(name, b""))
        except png.NoPicture as error:
            yield f"{name} is {error}"
            continue
        if (picture.width, picture.height) != (size, size):
            yield f"{name} must have {size} x {size} pixels"
        if name == "outline.png" and not _is_outline(picture):
            yield f"{name} must be white on a transparent ground, and nothing else"


def _is_outline(picture: png.Picture) -> bool:
    return picture.colours == {_WHITE} and 0 in picture.opacities
