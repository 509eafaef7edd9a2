"""What Teams offers to type is understood: each command of the app's manifest, in each language."""

from __future__ import annotations

import json

from bot.rehearsal.teams import Teams
from infra.teams_app.checks import words_of
from infra.teams_app.package import make_files
from tests.package.conftest import settings
from tests.stories.conftest import RunningBot

GIBBERISH = "xyzzy"
ANSWERED_ANYWAY = {"start", "continue", "dechrau", "parhau"}
"""Whatever is not understood in a private chat is answered like these."""

HELP = {"help", "cymorth"}
"""The same in a channel."""

LOCALES = {"manifest.json": "en-GB", "cy.json": "cy-GB"}


def titles(scope: str) -> list[tuple[str, str]]:
    """The locale of somebody whose Teams shows a command, and the command."""
    files = make_files(settings())
    manifest = json.loads(files["manifest.json"])
    (number,) = (
        i for i, f in enumerate(manifest["bots"][0]["commandLists"]) if f["scopes"] == [scope]
    )
    place = f"bots[0].commandLists[{number}]."
    words = {"manifest.json": words_of(manifest), "cy.json": json.loads(files["cy.json"])}
    return [
        (LOCALES[name], text)
        for name, texts in words.items()
        for key, text in texts.items()
        if key.startswith(place) and key.endswith(".title")
    ]


async def test_in_a_private_chat(teams: Teams, bot: RunningBot) -> None:
    other = {
        locale: (await teams.person(f"Other {locale}", locale=locale).types(GIBBERISH)).words
        for locale in LOCALES.values()
    }
    offered = titles("personal")
    answered_like_other = {
        title
        for number, (locale, title) in enumerate(offered)
        if (await teams.person(f"Ada {number}", locale=locale).types(title)).words == other[locale]
    }
    assert len(offered) == 20
    assert answered_like_other == ANSWERED_ANYWAY


async def test_those_that_begin_are_known_where_they_do_not_belong(
    teams: Teams, bot: RunningBot
) -> None:
    fay, channel = teams.person("Fay"), teams.channel()
    await fay.posts("status", channel)
    for title in sorted(ANSWERED_ANYWAY & {title for _, title in titles("personal")}):
        assert "in a private chat with me" in (await fay.posts(title, channel)).words
    assert "in a private chat with me" not in (await fay.posts(GIBBERISH, channel)).words


async def test_in_a_channel(teams: Teams, bot: RunningBot) -> None:
    fay, channel = teams.person("Fay"), teams.channel()
    await fay.posts("status", channel)
    other = (await fay.posts(GIBBERISH, channel)).words
    offered = titles("team")
    answered_like_other = {
        title for _, title in offered if (await fay.posts(title, channel)).words == other
    }
    assert len(offered) == 22
    assert answered_like_other == HELP


async def test_in_the_chat_of_a_meeting(teams: Teams, bot: RunningBot) -> None:
    fay, meeting = teams.person("Fay"), teams.meeting()
    await fay.posts("status", teams.channel())
    assert "in a private chat with me" in (await fay.posts(GIBBERISH, meeting)).words
    for _, title in titles("groupChat"):
        assert "How this session works" in (await fay.posts(title, meeting)).words
