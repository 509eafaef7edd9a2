"""Settings and packs in, the manifest and its language files out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from content.packs import FIRST_LANGUAGE
from content.yaml_files import BrokenPack, Part, complaint, read
from infra.teams_app.checks import words_of
from infra.teams_app.settings import AppSettings
from snapshot.wording import Command, Pack, fill

HERE = Path(__file__).parent

VERSION = "1.29"
_SCHEMAS = f"https://developer.microsoft.com/en-us/json-schemas/teams/v{VERSION}"

ACCENT = "#1d4e5f"
"""The ground of the colour icon."""

PERMISSIONS = ("TeamMember.Read.Group", "ChannelMember.Read.Group")
"""Given by a team's owner for that team alone, to tell who belongs to it and who owns it.

Of shared and private channels, whose members are not the team's, the second tells.
"""

_IN_A_MEETING = "session"
"""The only command in the chat of a meeting; for all else it sends people to their private chat."""

type Json = dict[str, Any]


class _Words(Part):
    language: str
    short: str
    full: str


def make_manifest(settings: AppSettings, packs: Mapping[str, Pack]) -> Json:
    """In English, as Teams shows it to whoever has it in a language that we do not speak.

    People see the commands in the language of their Teams: the first word of each, as the other
    language's file translates it. Both languages in one list would be twenty, and Teams takes
    twelve. The bot understands every word in any Teams, and `cymraeg` is on the English list.

    No `validDomains`: those are for tabs and for signing in. What cards link to opens in a browser.
    """
    pack = packs[FIRST_LANGUAGE]
    return {
        "$schema": f"{_SCHEMAS}/MicrosoftTeams.schema.json",
        "manifestVersion": VERSION,
        "version": settings.version,
        "id": settings.app,
        "localizationInfo": _languages(packs),
        "developer": {
            "name": settings.developer,
            "websiteUrl": settings.website,
            "privacyUrl": settings.privacy,
            "termsOfUseUrl": settings.terms,
        },
        **_texts(settings, pack),
        "icons": {"color": "color.png", "outline": "outline.png"},
        "accentColor": ACCENT,
        # Teams takes no app for teams without it. It means shared and private channels too.
        "supportsChannelFeatures": "tier1",
        "defaultInstallScope": "personal",
        "bots": [_bot(settings, pack, pack)],
        "permissions": ["identity", "messageTeamMembers"],
        "webApplicationInfo": {"id": settings.bot, "resource": f"api://botid-{settings.bot}"},
        "authorization": {
            "permissions": {
                "resourceSpecific": [{"name": name, "type": "Application"} for name in PERMISSIONS]
            }
        },
    }


def make_translations(settings: AppSettings, packs: Mapping[str, Pack]) -> dict[str, Json]:
    """By the name of the file: each text of the manifest in another language."""
    first = packs[FIRST_LANGUAGE]
    return {
        _file(language): {"$schema": f"{_SCHEMAS}/MicrosoftTeams.Localization.schema.json"}
        | words_of({**_texts(settings, pack), "bots": [_bot(settings, pack, first)]})
        for language, pack in _others(packs).items()
    }


def _others(packs: Mapping[str, Pack]) -> dict[str, Pack]:
    return {language: packs[language] for language in sorted(packs.keys() - {FIRST_LANGUAGE})}


def _languages(packs: Mapping[str, Pack]) -> Json:
    others = [{"languageTag": _tag(each), "file": _file(each)} for each in _others(packs)]
    return {"defaultLanguageTag": _tag(FIRST_LANGUAGE), "additionalLanguages": others}


def _tag(language: str) -> str:
    """Without the country, so that it is also for whoever has Teams in that of another one."""
    return language.partition("-")[0]


def _file(language: str) -> str:
    return f"{_tag(language)}.json"


# -- what people read -----------------------------------------------------------------------------


def _texts(settings: AppSettings, pack: Pack) -> Json:
    """The name is the neutral one of our messages: a locked phone shows both, side by side."""
    words, instrument = _words(pack.wording.language), pack.instrument
    values = {
        "title": instrument.title,
        "statements": str(len(instrument.statements)),
        "minutes": str(instrument.minutes_needed),
        "group": str(instrument.limits.smallest_group),
    }
    return {
        "name": {
            "short": settings.name or pack.wording.messages["toast"],
            "full": instrument.title,
        },
        "description": {
            "short": words.short,
            "full": fill("full", words.full.strip(), values),
        },
    }


def _words(language: str) -> _Words:
    """Raises `BrokenPack` where the app has no words in a language that the bot speaks."""
    path = HERE / f"words.{language}.yaml"
    words = read(path, _Words)
    if words.language != language:
        rule = f"must be {language}, like in the file's name"
        raise BrokenPack(complaint(path, ("language",), rule))
    return words


# -- the bot --------------------------------------------------------------------------------------


def _bot(settings: AppSettings, pack: Pack, first: Pack) -> Json:
    """Its commands stand in the order of the first language, since places are numbers."""
    private = _in_order(pack.wording.private, first.wording.private)
    channel = _in_order(pack.wording.channel, first.wording.channel)
    places = {
        "personal": private,
        "team": channel,
        # The strategic session may be held in the chat of a meeting.
        "groupChat": [c for c in channel if c.id == _IN_A_MEETING],
    }
    return {
        "botId": settings.bot,
        "scopes": list(places),
        # The report and the list of leads are put into people's OneDrive.
        "supportsFiles": True,
        "isNotificationOnly": False,
        "commandLists": [
            {
                "scopes": [scope],
                "commands": [{"title": c.words[0], "description": c.does} for c in commands],
            }
            for scope, commands in places.items()
        ],
    }


def _in_order(commands: Iterable[Command], first: Iterable[Command]) -> list[Command]:
    known = {command.id: command for command in commands}
    return [known[command.id] for command in first]
