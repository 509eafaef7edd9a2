"""English and Welsh: one tap changes the card in front of somebody, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest

from bot.rehearsal.teams import PersonHere, Shown, Teams
from snapshot.ports import Missing
from snapshot.wording import Pack
from tests.stories.commenting import (
    AWARENESS,
    Channels,
    ballot_of,
    code_on_the_status_card,
    contact_of,
    envelope_of,
    gets_to_the_end,
    have_sent,
    moderators_register,
)
from tests.stories.conftest import RunningBot
from tests.stories.people import answers, asks_about, begins, closes, seen, sends, summary_in

ENGLISH, WELSH = "en-GB", "cy-GB"
SHORTEST = 20
"""Characters: shorter pieces of text may be the same in both languages."""


@pytest.fixture
async def channels(bot: RunningBot, teams: Teams) -> Channels:
    return await moderators_register(teams)


# -- the same card in the other language ----------------------------------------------------------

type Walk = Callable[[PersonHere, RunningBot], Awaitable[object]]


async def to_the_welcome(ada: PersonHere, bot: RunningBot) -> None:
    await ada.types("start")
    await ada.presses("Continue")


async def back_to_the_agencies(ada: PersonHere, bot: RunningBot) -> None:
    await begins(ada)
    await ada.presses("Back")


async def to_statement_7(ada: PersonHere, bot: RunningBot) -> None:
    await begins(ada)
    await answers(ada, ["Partly true"] * 6)
    assert "7 of 22" in seen(ada).words


async def to_a_statement_again(ada: PersonHere, bot: RunningBot) -> None:
    await begins(ada)
    await answers(ada, ["Partly true"] * 3)
    await ada.presses("Back")
    assert "Your answer: Partly true" in seen(ada).words


async def to_the_comments(ada: PersonHere, bot: RunningBot) -> None:
    await gets_to_the_end(ada, bot)


async def to_all_answered(ada: PersonHere, bot: RunningBot) -> None:
    await gets_to_the_end(ada, bot)
    await ada.presses("Next", {AWARENESS: "Words."})


async def to_the_review(ada: PersonHere, bot: RunningBot) -> None:
    await to_all_answered(ada, bot)
    await ada.presses("See my answers")
    assert "Words." in seen(ada).words


async def to_the_receipt(ada: PersonHere, bot: RunningBot) -> None:
    await to_all_answered(ada, bot)
    await sends(ada)
    assert "sent and sealed" in seen(ada).words


async def to_already_sent(ada: PersonHere, bot: RunningBot) -> None:
    await to_the_receipt(ada, bot)
    await ada.opens_the_chat()
    assert "already sent" in seen(ada).words


async def to_withdrawing(ada: PersonHere, bot: RunningBot) -> None:
    await begins(ada)
    await ada.types("withdraw")


async def to_withdrawing_what_was_sent(ada: PersonHere, bot: RunningBot) -> None:
    await to_the_receipt(ada, bot)
    await ada.presses("Withdraw my answers")


async def to_withdrawn(ada: PersonHere, bot: RunningBot) -> None:
    await to_withdrawing(ada, bot)
    await ada.presses("Yes, delete my answers")


async def to_no_more_reminders(ada: PersonHere, bot: RunningBot) -> None:
    await to_withdrawing(ada, bot)
    await ada.presses("No more reminders")


def typing(words: str) -> Walk:
    async def walk(ada: PersonHere, bot: RunningBot) -> None:
        await begins(ada)
        await ada.types(words)

    return walk


def pressing(title: str) -> Walk:
    async def walk(ada: PersonHere, bot: RunningBot) -> None:
        await to_statement_7(ada, bot)
        await ada.presses(title)

    return walk


WALKS: Mapping[str, Walk] = {
    "welcome": to_the_welcome,
    "agencies": back_to_the_agencies,
    "statement": to_statement_7,
    "statement again": to_a_statement_again,
    "comments": to_the_comments,
    "all answered": to_all_answered,
    "review": to_the_review,
    "receipt": to_the_receipt,
    "already sent": to_already_sent,
    "withdraw": to_withdrawing,
    "withdraw what was sent": to_withdrawing_what_was_sent,
    "withdrawn": to_withdrawn,
    "no more reminders": to_no_more_reminders,
    "status": typing("status"),
    "help": typing("help"),
    "typed privacy": typing("privacy"),
    "worried": pressing("Worried about a child?"),
    "privacy": pressing("Privacy notice"),
    "wellbeing": pressing("Support for me"),
}


@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS.keys())
async def test_the_button_shows_the_same_card_in_the_other_language_and_back(
    teams: Teams, bot: RunningBot, channels: Channels, walk: Walk
) -> None:
    """It neither loses an answer nor sends one."""
    ada = teams.person("Ada")
    await walk(ada, bot)
    english, kept = seen(ada), await what_is_kept(ada, bot)
    assert english_on(english, bot)
    welsh = await ada.presses("Cymraeg")
    assert welsh.card["lang"] == "cy"
    assert offers(welsh) == offers(english)
    assert len(welsh.words.splitlines()) == len(english.words.splitlines())
    assert english_on(welsh, bot) == []
    assert await what_is_kept(ada, bot) == kept
    again = await ada.presses("English")
    assert again.card == english.card
    assert await what_is_kept(ada, bot) == kept


async def test_from_the_message_in_the_chat_it_leads_to_what_comes_next(
    teams: Teams, bot: RunningBot
) -> None:
    """Teams shows that message for a moment only: it asks for what comes next by itself."""
    ada = teams.person("Ada")
    await ada.types("start")
    shown = await ada.presses("Cymraeg")
    assert "Yr heddlu" in shown.buttons
    await ada.presses("Yr heddlu")
    await ada.types("start")
    assert asks_about(await ada.presses("English")) == "AW1"


async def test_a_changed_answer_can_be_given_in_the_other_language(
    teams: Teams, bot: RunningBot
) -> None:
    ada = teams.person("Ada")
    await to_a_statement_again(ada, bot)
    await ada.presses("Cymraeg")
    assert "Eich ateb: Yn rhannol wir" in seen(ada).words
    await ada.presses("Yn gwbl wir")
    assert list((await ballot_of(ada, bot)).answers.values()) == ["partly", "partly", "fully"]


# -- where the language is kept -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("cy-GB", "cy"),
        ("cy", "cy"),
        ("CY-gb", "cy"),
        ("en-US", "en"),
        ("fr-FR", "en"),
        ("", "en"),
        ("c", "en"),
    ],
)
async def test_it_starts_from_the_language_of_their_teams(
    teams: Teams, locale: str, language: str
) -> None:
    ada = teams.person("Ada")
    ada.locale = locale
    shown = await ada.types("start")
    assert shown.card["lang"] == language
    assert (await ada.opens_the_chat()).card["lang"] == language


async def test_for_a_reader_of_welsh_no_page_in_english_is_made(
    teams: Teams, bot: RunningBot
) -> None:
    ada = teams.person("Ada")
    ada.locale = WELSH
    await ada.types("start")
    await ada.presses("Parhau")
    await ada.presses("Iechyd")
    assert {language for _, language in bot.app.service.pages} == {WELSH}


async def test_before_there_is_an_envelope_it_travels_on_the_cards(
    teams: Teams, bot: RunningBot
) -> None:
    ada = teams.person("Ada")
    await ada.types("cymraeg")
    await ada.presses("Parhau")
    await ada.presses("Poeni am blentyn?")
    await ada.presses("Yn ôl i'r arolwg")
    shown = await ada.presses("Iechyd")
    assert "1 o 22" in shown.words
    assert (await contact_of(ada, bot)).language == WELSH


async def test_afterwards_it_lives_in_the_envelope(teams: Teams, bot: RunningBot) -> None:
    ada = teams.person("Ada")
    old = await begins(ada)
    await ada.presses("Cymraeg")
    assert (await contact_of(ada, bot)).language == WELSH
    elsewhere = ada.on_another_device()
    elsewhere.sees = old
    shown = await elsewhere.presses("Mostly true")
    assert shown.card["lang"] == "cy"
    assert asks_about(shown) == "AW2"
    await bot.restarts()
    assert "2 o 22" in (await elsewhere.opens_the_chat()).words


async def test_the_sealed_contact_keeps_its_length(teams: Teams, bot: RunningBot) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    before = await envelope_of(ada, bot)
    await ada.presses("Cymraeg")
    after = await envelope_of(ada, bot)
    assert len(after.body["contact"]) == len(before.body["contact"])
    assert after.body["ballot"] is not None


async def test_after_the_mix_the_card_or_their_teams_says_the_language(
    teams: Teams, bot: RunningBot
) -> None:
    """Nothing that tells how to reach somebody is kept then, and their language neither."""
    fay, facilitators = teams.person("Fay"), teams.channel()
    await fay.posts("status", facilitators)
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    await ada.presses("Cymraeg")
    welsh = await ada.presses("Anfon fy atebion")
    await have_sent(bot, comments=[{}] * 10)
    await closes(fay, facilitators)
    await summary_in(teams, facilitators)
    answer = await ada.acts(welsh.action("Tynnu fy atebion yn ôl"))
    assert "Mae eich atebion wedi'u cymysgu" in answer.card.words
    assert "have been mixed" in (await ada.types("status")).words
    ada.locale = WELSH
    assert "Mae eich atebion wedi'u cymysgu" in (await ada.types("status")).words
    await ada.presses("English")
    assert "have been mixed" in seen(ada).words


# -- typed words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "language"),
    [("cymraeg", "cy"), ("Welsh", "cy"), ("CYMRAEG", "cy"), ("english", "en"), ("Saesneg", "en")],
)
@pytest.mark.parametrize("before", ["cymraeg", "english"])
@pytest.mark.parametrize("begun", [False, True])
async def test_the_language_can_be_typed_in_either_language(
    teams: Teams, bot: RunningBot, words: str, language: str, before: str, begun: bool
) -> None:
    ada = teams.person("Ada")
    if begun:
        await begins(ada)
    await ada.types(before)
    shown = await ada.types(words)
    assert shown.card["lang"] == language
    told = bot.app.service.pack_for(language).wording.messages["language_switched"]
    assert told in shown.words
    assert (await ada.opens_the_chat()).card["lang"] == language


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("dechrau", "continue_card"),
        ("parhau", "continue_card"),
        ("statws", "status_in_progress"),
        ("preifatrwydd", "privacy_notice"),
        ("tynnu'n ôl", "withdraw_confirm"),
        ("Tynnu\N{RIGHT SINGLE QUOTATION MARK}n ol", "withdraw_confirm"),
        ("tynnu", "withdraw_confirm"),
        ("cymorth", "help_practitioner"),
        ("start", "continue_card"),
        ("status", "status_in_progress"),
        ("privacy", "privacy_notice"),
        ("withdraw", "withdraw_confirm"),
        ("help", "help_practitioner"),
    ],
)
@pytest.mark.parametrize("language", [ENGLISH, WELSH])
async def test_words_of_both_languages_work_and_are_answered_in_that_of_the_reader(
    teams: Teams, bot: RunningBot, words: str, message: str, language: str
) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    if language == WELSH:
        await ada.presses("Cymraeg")
    shown = await ada.types(words)
    assert shown.card["lang"] == language[:2]
    text = bot.app.service.pack_for(language).wording.messages[message]
    assert all(piece in shown.words for piece in pieces(text))


async def test_welsh_words_work_in_the_channels_too(teams: Teams, bot: RunningBot) -> None:
    fay, facilitators = teams.person("Fay"), teams.channel()
    code = await code_on_the_status_card(fay, facilitators)
    mo, moderators = teams.person("Mo"), teams.channel("moderators")
    shown = await mo.posts(f"Cymedroli {code}", moderators)
    assert "now moderates the comments" in shown.words
    assert "no comments to read" in (await mo.posts("sylwadau", moderators)).words
    assert "is open" in (await fay.posts("statws", facilitators)).words
    assert "**close**" in (await fay.posts("cymorth", facilitators)).words
    assert "Do you want to close" in (await fay.posts("cau", facilitators)).words


async def test_typed_help_does_not_wait_for_an_envelope_that_can_be_read(
    teams: Teams, bot: RunningBot
) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    record = await envelope_of(ada, bot)
    broken = replace(record, body={"ballot": "AAAA", "contact": "AAAA"})
    await bot.app.service.records.replace(broken)
    assert "Before mixing" in (await ada.types("privacy")).words


# -- all of it in Welsh ---------------------------------------------------------------------------


async def test_along_the_whole_survey_no_english_stands_on_a_welsh_card(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    ada.locale = WELSH
    cards = [await ada.types("dechrau"), await ada.presses("Parhau")]
    assert "14 Mawrth" in seen(ada).words
    assert "5 Mawrth am 2am" in seen(ada).words
    assert "March" not in seen(ada).words
    cards.append(await ada.presses("Yr heddlu"))
    cards += [await ada.presses("Ddim yn gwybod") for _ in range(22)]
    for words in ("mae hi mewn perygl nawr, she is not safe", "Gofynnais i Jayden", "x" * 1001):
        cards.append(await ada.presses("Nesaf", {AWARENESS: words}))
    cards.append(await ada.presses("Nesaf", {AWARENESS: "SW1A 1AA"}))
    cards.append(await ada.presses("Clirio a mynd ymlaen"))
    cards.append(await ada.presses("Gweld fy atebion"))
    for title in ("Poeni am blentyn?", "Hysbysiad preifatrwydd", "Cefnogaeth i mi"):
        cards += [await ada.presses(title), await ada.presses("Yn ôl i'r arolwg")]
    cards.append(await ada.types("tynnu"))
    cards.append(await ada.presses("Dim mwy o atgoffa"))
    cards += [await ada.presses("Parhau"), await ada.presses("Anfon fy atebion")]
    cards += [await ada.types("statws"), await ada.types("cymorth")]
    cards += [await ada.types("tynnu"), await ada.presses("Ie, dileu fy atebion")]
    for shown in cards:
        assert shown.card["lang"] == "cy"
        assert english_on(shown, bot) == []
        assert "English" in shown.buttons


async def test_what_goes_wrong_is_said_in_welsh(teams: Teams, bot: RunningBot) -> None:
    ada = teams.person("Ada")
    ada.locale = WELSH
    await ada.types("dechrau")
    await ada.presses("Parhau")
    shown = await ada.presses("Yr heddlu")
    stale = (await ada.acts(shown.action("Yn gwbl wir"), option="splendid")).card
    early = (await ada.acts({**shown.action("Yn gwbl wir"), "verb": "survey.submit"})).card
    bot.clock.moves(days=13)
    closed = await ada.presses("Yn gwbl wir")
    for card in (stale, early, closed):
        assert card.card["lang"] == "cy"
        assert english_on(card, bot) == []


# -- what no card offers --------------------------------------------------------------------------


@pytest.mark.parametrize("to", [None, "", "fr-FR", "cy", 7, ["cy-GB"], {"a": 1}, "x" * 3000])
async def test_a_language_that_there_is_not_changes_nothing(
    teams: Teams, bot: RunningBot, to: Any
) -> None:
    ada = teams.person("Ada")
    shown = await begins(ada)
    before = await envelope_of(ada, bot)
    answer = await ada.acts(shown.action("Cymraeg"), to=to)
    assert "no longer on offer" in answer.card.words
    assert await envelope_of(ada, bot) == before


@pytest.mark.parametrize(
    "again", ["survey.submit", "survey.answer", "survey.withdraw", "survey.quiet", "english", 7, []]
)
async def test_a_change_of_language_does_nothing_else(
    teams: Teams, bot: RunningBot, again: Any
) -> None:
    ada = teams.person("Ada")
    shown = await gets_to_the_end(ada, bot)
    kept, contact = await what_is_kept(ada, bot), await contact_of(ada, bot)
    forged: dict[str, Any] = {
        "confirmed": True,
        "save": True,
        "statement": "AW1",
        "option": "fully",
        "revision": 22,
    }
    answer = await ada.acts(shown.action("Cymraeg"), again=again, **forged)
    assert answer.card.card["lang"] == "cy"
    assert await what_is_kept(ada, bot) == kept
    assert (await contact_of(ada, bot)).quiet == contact.quiet


# -- what the stories look at ---------------------------------------------------------------------


def offers(shown: Shown) -> list[object]:
    """What can be done on a card, the words and the language aside."""
    found = []
    for action in all_of(shown.card, "Action.Execute"):
        aside = ("language", "to")
        data = {key: value for key, value in action["data"].items() if key not in aside}
        found.append((action["verb"], data))
    return [*found, len(all_of(shown.card, "Action.OpenUrl")), list(shown.inputs)]


def all_of(element: Any, kind: str) -> list[Any]:
    """Every part of a card that has this type, in order."""
    if isinstance(element, list):
        return [found for each in element for found in all_of(each, kind)]
    if not isinstance(element, dict):
        return []
    here = [element] if element.get("type") == kind else []
    return here + [found for each in element.values() for found in all_of(each, kind)]


def english_on(shown: Shown, bot: RunningBot) -> list[str]:
    """Which texts of the English pack stand on a card."""
    text = orjson.dumps(shown.card).decode()
    return [piece for piece in english_texts(bot) if piece in text]


def english_texts(bot: RunningBot) -> list[str]:
    pack = bot.app.service.packs[ENGLISH]
    return sorted({piece for text in texts(pack) for piece in pieces(text)})


def texts(pack: Pack) -> Iterator[str]:
    """Everything in a pack that a practitioner may read."""
    words, instrument = pack.wording, pack.instrument
    yield from words.messages.values()
    yield from words.verbs.values()
    yield from words.buttons.values()
    yield from words.words.values()
    yield from words.kinds.values()
    yield from (link.label for link in words.links.values())
    yield from (command.does for command in words.private)
    for label in words.inputs.values():
        yield from (label.text, label.hint)
    for domain in instrument.domains:
        yield from (domain.title, domain.comment_prompt or "")
    for statement in instrument.statements:
        yield from (statement.text, statement.short, statement.help)
    for option in instrument.practice.options:
        yield from (option.label, option.hint or "")


def pieces(text: str) -> list[str]:
    """The parts of a text that stand on a card as they are: between placeholders and line ends."""
    found = re.split(r"\{\w+\}|\n|\*\*|\"", text)
    return [piece.strip() for piece in found if len(piece.strip()) >= SHORTEST]


async def what_is_kept(ada: PersonHere, bot: RunningBot) -> object:
    """The state and the answers, if somebody has begun."""
    try:
        record = await envelope_of(ada, bot)
    except Missing:
        return None
    return record.state, record.body["ballot"] and await ballot_of(ada, bot)
