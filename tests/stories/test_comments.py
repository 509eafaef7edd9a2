"""Comments: offered only once somebody moderates them, checked before anything is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from bot.rehearsal.teams import Answer, PersonHere, Shown, Teams
from snapshot.ports import DIRECTORY, Kind, Record
from tests.stories.commenting import (
    AWARENESS,
    BOXES,
    PREVENTION,
    Channels,
    ballot_of,
    bytes_of,
    code_on_the_status_card,
    comments_in,
    comments_of,
    envelope_of,
    gets_to_the_end,
    have_sent,
    moderators_register,
    rich_text,
    the_snapshot,
    words_in,
)
from tests.stories.conftest import RunningBot
from tests.stories.people import answers_all, begins, closes, seen, sends, summary_in

POSTCODE = "It was near SW1A 1AA, I think."
LIKELY_NAME = "I spoke to Jayden about it."
AT_RISK = "A child told me that she is not safe at home."
CLEAN = "Training helps, and we need more of it."
LARGEST_CARD = 28_000


@pytest.fixture
async def channels(bot: RunningBot, teams: Teams) -> Channels:
    return await moderators_register(teams)


def is_comments_card(shown: Shown) -> bool:
    return list(shown.inputs) == list(BOXES)


# -- who is offered a box -------------------------------------------------------------------------


async def test_without_moderators_nobody_is_offered_a_box(teams: Teams, bot: RunningBot) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    shown = await answers_all(ada)
    assert "answered all 22 statements" in shown.words
    assert shown.inputs == {}
    shown = await ada.presses("See my answers")
    assert shown.actions("survey.comments") == []
    assert "Your comments" not in shown.words


async def test_without_moderators_a_forged_comment_is_not_kept(
    teams: Teams, bot: RunningBot
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    before = await envelope_of(ada, bot)
    answer = await saves_by_hand(ada, {AWARENESS: CLEAN})
    assert "answered all 22 statements" in answer.card.words
    assert await envelope_of(ada, bot) == before


async def test_with_the_code_another_channel_becomes_the_moderators(
    teams: Teams, bot: RunningBot
) -> None:
    fay, mo = teams.person("Fay"), teams.person("Mo")
    code = await code_on_the_status_card(fay, teams.channel())
    shown = await mo.posts(f"Moderate {code.lower()}", teams.channel("moderators"))
    assert "This channel now moderates the comments for Exampleshire" in shown.words
    status = await fay.posts("status", teams.channel())
    assert "Moderators have registered" in status.words
    assert code not in status.words


@pytest.mark.parametrize("typed", ["moderate", "moderate ABCDEFGH", "moderate " + "x" * 3000])
async def test_a_wrong_code_changes_nothing(teams: Teams, bot: RunningBot, typed: str) -> None:
    mo = teams.person("Mo")
    await code_on_the_status_card(teams.person("Fay"), teams.channel())
    shown = await mo.posts(typed, teams.channel("moderators"))
    assert "That code does not fit an open snapshot" in shown.words
    assert (await the_snapshot(bot)).moderators is None


async def test_the_code_of_a_closed_snapshot_is_refused(teams: Teams, bot: RunningBot) -> None:
    fay, facilitators = teams.person("Fay"), teams.channel()
    code = await code_on_the_status_card(fay, facilitators)
    await closes(fay, facilitators)
    shown = await teams.person("Mo").posts(f"moderate {code}", teams.channel("moderators"))
    assert "That code does not fit an open snapshot" in shown.words
    assert (await the_snapshot(bot)).moderators is None


async def test_from_the_deadline_on_the_code_is_refused(teams: Teams, bot: RunningBot) -> None:
    code = await code_on_the_status_card(teams.person("Fay"), teams.channel())
    bot.clock.moves(days=13)
    shown = await teams.person("Mo").posts(f"moderate {code}", teams.channel("moderators"))
    assert "That code does not fit an open snapshot" in shown.words


async def test_the_facilitators_cannot_moderate_in_their_own_channel(
    teams: Teams, bot: RunningBot
) -> None:
    fay, facilitators = teams.person("Fay"), teams.channel()
    code = await code_on_the_status_card(fay, facilitators)
    shown = await fay.posts(f"moderate {code}", facilitators)
    assert "must not see comments before they are moderated" in shown.words
    assert (await the_snapshot(bot)).moderators is None


async def test_a_listed_facilitator_cannot_register_moderators(
    teams: Teams, bot: RunningBot
) -> None:
    fay, facilitators = teams.person("Fay"), teams.channel()
    code = await code_on_the_status_card(fay, facilitators)
    bot.more_settings = {"SNAPSHOT_FACILITATORS": f"{fay.tenant}/{fay.object_id}"}
    await bot.restarts()
    shown = await fay.posts(f"moderate {code}", teams.channel("moderators"))
    assert "Only the moderators of this snapshot" in shown.words
    assert (await the_snapshot(bot)).moderators is None


async def test_registering_twice_changes_nothing(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    before = await the_snapshot(bot)
    shown = await channels.mo.posts(f"moderate {channels.code}", channels.moderators)
    assert "now moderates the comments" in shown.words
    assert (await the_snapshot(bot)).record == before.record


async def test_another_channel_with_the_code_takes_over(teams: Teams, channels: Channels) -> None:
    elsewhere, mia = teams.channel("elsewhere"), teams.person("Mia")
    shown = await mia.posts(f"moderate {channels.code}", elsewhere)
    assert "now moderates the comments" in shown.words
    assert "There are no comments to read" in (await mia.posts("comments", elsewhere)).words
    shown = await channels.mo.posts("comments", channels.moderators)
    assert "Only the moderators of this snapshot" in shown.words


# -- writing --------------------------------------------------------------------------------------


async def test_after_the_statements_comes_one_card_with_a_box_for_each_domain(
    teams: Teams, channels: Channels
) -> None:
    """It has no `refresh`, which would wipe what is half typed, and shows no answer."""
    ada = teams.person("Ada")
    await begins(ada)
    shown = await answers_all(ada)
    assert is_comments_card(shown)
    assert shown.refresh is None
    assert "Mostly true" not in orjson.dumps(shown.card).decode()
    assert "Do not report a concern here" in shown.words
    shown = await ada.presses("Next")
    assert "answered all 22 statements" in shown.words
    assert "sent and sealed" in (await sends(ada)).words


@pytest.mark.parametrize("typed", [{}, {AWARENESS: CLEAN}, dict.fromkeys(BOXES, CLEAN)])
async def test_next_is_one_write_whether_or_not_anything_was_written(
    teams: Teams,
    bot: RunningBot,
    channels: Channels,
    typed: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    before, written = await envelope_of(ada, bot), writes(bot, monkeypatch)
    shown = await ada.presses("Next", typed)
    assert "answered all 22 statements" in shown.words
    assert [record.id for record in written] == [before.id]
    after = await envelope_of(ada, bot)
    assert after.etag != before.etag
    assert len(after.body["ballot"]) == len(before.body["ballot"])


async def test_comments_are_kept_shown_on_request_and_replaced(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    await ada.presses("Next", {AWARENESS: CLEAN, PREVENTION: "Second thoughts."})
    shown = await ada.presses("See my answers")
    assert CLEAN in shown.words
    shown = await changes_comments(ada)
    assert shown.inputs[AWARENESS] == CLEAN
    assert "answered all 22" in (await ada.presses("Next", {AWARENESS: "", BOXES[4]: "New."})).words
    assert await comments_of(ada, bot) == {
        "prevention": "Second thoughts.",
        "recovery-support": "New.",
    }
    shown = await ada.presses("See my answers")
    assert CLEAN not in shown.words
    assert "New." in shown.words


async def test_whoever_wrote_nothing_sees_that_and_can_still_write(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    await ada.presses("Next")
    assert "No comment" in (await ada.presses("See my answers")).words
    assert is_comments_card(await changes_comments(ada))
    await ada.presses("Next", {AWARENESS: CLEAN})
    assert await comments_of(ada, bot) == {"awareness": CLEAN}


async def test_opening_the_chat_on_another_device_never_shows_a_comment(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    await ada.presses("Next", {AWARENESS: CLEAN})
    for words in ("start", "status", "help", "withdraw"):
        await ada.types(words)
        shown = await ada.on_another_device().opens_the_chat()
        assert CLEAN not in orjson.dumps(shown.card).decode()


async def test_half_typed_words_survive_a_change_of_language(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    shown = await ada.presses("Cymraeg", {AWARENESS: LIKELY_NAME, PREVENTION: CLEAN})
    assert "Hoffech chi ychwanegu unrhyw beth?" in shown.words
    assert shown.inputs[AWARENESS] == LIKELY_NAME
    shown = await ada.presses("English", {PREVENTION: "Other words."})
    assert shown.inputs[AWARENESS] == LIKELY_NAME
    assert shown.inputs[PREVENTION] == "Other words."
    assert await comments_of(ada, bot) is None


@pytest.mark.parametrize("help", ["Worried about a child?", "Privacy notice", "Support for me"])
async def test_half_typed_words_survive_a_look_at_the_help(
    teams: Teams, bot: RunningBot, channels: Channels, help: str
) -> None:
    """The warnings themselves say where to go when somebody is worried."""
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    await ada.presses(help, {PREVENTION: "We need more"})
    shown = await ada.presses("Back to the survey")
    assert is_comments_card(shown)
    assert shown.inputs[PREVENTION] == "We need more"
    assert await comments_of(ada, bot) is None


async def test_words_that_are_being_changed_survive_a_look_at_the_help_too(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    await ada.presses("Next", {AWARENESS: CLEAN})
    await ada.presses("See my answers")
    await changes_comments(ada)
    await ada.presses("Worried about a child?", {PREVENTION: "We need more"})
    shown = await ada.presses("Back to the survey")
    assert is_comments_card(shown)
    assert shown.inputs[AWARENESS] == CLEAN
    assert shown.inputs[PREVENTION] == "We need more"
    assert await comments_of(ada, bot) == {"awareness": CLEAN}


async def test_a_box_that_was_emptied_stays_empty_in_the_other_language(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    await ada.presses("Next", {AWARENESS: CLEAN})
    await ada.presses("See my answers")
    await changes_comments(ada)
    shown = await ada.presses("Cymraeg", {AWARENESS: ""})
    assert not any(shown.inputs.values())


async def test_from_the_review_the_boxes_can_be_seen_in_the_other_language(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    await ada.presses("Next", {AWARENESS: CLEAN})
    await ada.presses("See my answers")
    await changes_comments(ada)
    assert (await ada.presses("Cymraeg")).inputs[AWARENESS] == CLEAN


async def test_back_leads_to_the_last_statement(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    shown = await ada.presses("Back")
    assert "22 of 22" in shown.words
    assert is_comments_card(await ada.presses("Fully true"))


async def test_once_sent_an_old_comments_card_keeps_nothing(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    old = await gets_to_the_end(ada, bot)
    await ada.presses("Next")
    await sends(ada)
    before = await envelope_of(ada, bot)
    ada.sees = old
    shown = await ada.presses("Next", {AWARENESS: CLEAN})
    assert "You have already sent your answers" in shown.words
    assert await envelope_of(ada, bot) == before


# -- what is checked ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (POSTCODE, "a postcode"),
        ("Ring me on 07700 900123.", "a phone number"),
        ("Mrs Smith, s.smith@example.org", "an email address, a name with a title"),
    ],
)
async def test_an_identifier_has_to_be_taken_out(
    teams: Teams, bot: RunningBot, channels: Channels, words: str, kinds: str
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    before = await envelope_of(ada, bot)
    shown = await ada.presses("Next", {AWARENESS: words, PREVENTION: CLEAN})
    assert f"Please take this out: {kinds}." in shown.words
    assert shown.inputs[AWARENESS] == words
    assert shown.inputs[PREVENTION] == CLEAN
    assert "Keep and go on" not in shown.buttons
    assert await envelope_of(ada, bot) == before
    await ada.presses("Next")
    assert await envelope_of(ada, bot) == before
    await ada.presses("Next", {AWARENESS: "Nothing of that."})
    assert await comments_of(ada, bot) == {"awareness": "Nothing of that.", "prevention": CLEAN}


async def test_clear_and_go_on_keeps_only_the_clean_boxes(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    boxes = dict(zip(BOXES, (POSTCODE, CLEAN, LIKELY_NAME, AT_RISK, "x" * 1001), strict=True))
    await ada.presses("Next", boxes)
    shown = await ada.presses("Clear and go on")
    assert "answered all 22 statements" in shown.words
    assert await comments_of(ada, bot) == {"prevention": CLEAN}


async def test_a_likely_name_is_asked_about_and_may_stay(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    shown = await ada.presses("Next", {AWARENESS: LIKELY_NAME})
    assert "Is this about a real person?" in shown.words
    assert await comments_of(ada, bot) is None
    assert "Is this about a real person?" in (await ada.presses("Next")).words
    shown = await ada.presses("Keep and go on")
    assert "answered all 22 statements" in shown.words
    assert await comments_of(ada, bot) == {"awareness": LIKELY_NAME}


@pytest.mark.parametrize("changed", [{AWARENESS: "I met Kayleigh too."}, {PREVENTION: CLEAN}])
async def test_keeping_keeps_the_words_that_were_asked_about_and_no_others(
    teams: Teams, bot: RunningBot, channels: Channels, changed: Mapping[str, str]
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    await ada.presses("Next", {AWARENESS: LIKELY_NAME})
    shown = await ada.presses("Keep and go on", changed)
    assert "Is this about a real person?" in shown.words
    assert await comments_of(ada, bot) is None
    await ada.presses("Keep and go on")
    assert await comments_of(ada, bot) == {
        "awareness": LIKELY_NAME,
        **{box.removeprefix("comment."): words for box, words in changed.items()},
    }


@pytest.mark.parametrize("keep", [True, "", "0" * 32, ["x"], None])
async def test_a_forged_wish_to_keep_is_asked_about_again(
    teams: Teams, bot: RunningBot, channels: Channels, keep: Any
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    answer = await saves_by_hand(ada, {AWARENESS: LIKELY_NAME}, keep=keep)
    assert "Is this about a real person?" in answer.card.words
    assert await comments_of(ada, bot) is None


async def test_an_identifier_is_not_kept_by_a_wish_that_was_made_for_it(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    """The mark on the button could be worked out: it is no secret."""
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    shown = await ada.presses("Next", {AWARENESS: LIKELY_NAME})
    keep = shown.action("Keep and go on")
    answer = await ada.acts(keep, {AWARENESS: POSTCODE})
    assert "Please take this out" in answer.card.words
    assert await comments_of(ada, bot) is None


async def test_words_of_risk_show_whom_to_call(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    shown = await ada.presses("Next", {AWARENESS: AT_RISK})
    assert "can mean that someone is at risk now" in shown.words
    assert "call **999**" in shown.words
    assert "01632\N{NO-BREAK SPACE}960\N{NO-BREAK SPACE}001" in shown.words
    assert shown.action("Chat with Sam Sample")["type"] == "Action.OpenUrl"
    assert "Worried about a child?" in shown.buttons
    assert "Support for me" in shown.buttons
    assert await comments_of(ada, bot) is None
    await ada.presses("Keep and go on")
    assert await comments_of(ada, bot) == {"awareness": AT_RISK}


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("x" * 1000, "x" * 1000),
        ("<b>bold</b> <script>alert(1)</script>", "<b>bold</b> <script>alert(1)</script>"),
        ("**bold** [a link](https://example.org)", "**bold** [a link](https://example.org)"),
        ("{area_name} {nobody}", "{area_name} {nobody}"),
        ("שלום, נחוץ עוד אימון", "שלום, נחוץ עוד אימון"),
        ("we \u202ereverse\u202c this", "we reverse this"),
        ("we \0need\x07 more", "we need more"),
        ("we\r\nneed\u2028more", "we\nneed\nmore"),
        ("we\n\n\n\n\n\nneed more", "we\n\n\nneed more"),
        ("cafe\u0301", "caf\u00e9"),
        (" \u200b\n ", None),
    ],
)
async def test_whatever_is_typed_is_kept_as_text(
    teams: Teams, bot: RunningBot, channels: Channels, words: str, kept: str | None
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    await ada.presses("Next", {AWARENESS: words})
    assert await comments_of(ada, bot) == ({} if kept is None else {"awareness": kept})
    shown = await ada.presses("See my answers")
    assert rich_text(shown) == ([] if kept is None else [kept])


@pytest.mark.parametrize(
    "words",
    ["x" * 1001, "\N{GRINNING FACE}" * 1000, "\u00e9" * 700, '"' * 700, "\n\U0001f600" * 999],
)
async def test_what_is_too_long_is_said_and_nothing_is_lost(
    teams: Teams, bot: RunningBot, channels: Channels, words: str
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    before = await envelope_of(ada, bot)
    answer = await saves_by_hand(ada, {AWARENESS: words, PREVENTION: CLEAN})
    assert "This comment is too long to save" in answer.card.words
    assert "Your answers are safe" in answer.card.words
    assert "Keep and go on" not in answer.card.buttons
    assert answer.card.inputs[AWARENESS] == words.strip()
    assert answer.card.inputs[PREVENTION] == CLEAN
    assert len(orjson.dumps(answer.card.card)) < LARGEST_CARD
    assert await envelope_of(ada, bot) == before


async def test_five_of_the_longest_comments_fit(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    words = "\N{GRINNING FACE}" * 299
    await ada.presses("Next", dict.fromkeys(BOXES, words))
    assert len(await comments_of(ada, bot) or {}) == len(BOXES)
    assert "sent and sealed" in (await sends(ada)).words


async def test_more_than_a_card_could_hold_is_refused_or_said(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    before = await envelope_of(ada, bot)
    assert (await saves_by_hand(ada, {AWARENESS: "x" * 300_000})).status == 413
    answer = await saves_by_hand(ada, dict.fromkeys(BOXES, "x " * 25_000))
    assert "too long to save" in answer.card.words
    assert await envelope_of(ada, bot) == before


@pytest.mark.parametrize("words", [7, 7.5, True, ["a"], {"a": 1}, None])
async def test_what_no_box_holds_gets_a_clear_card(
    teams: Teams, bot: RunningBot, channels: Channels, words: Any
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    before = await envelope_of(ada, bot)
    answer = await saves_by_hand(ada, {AWARENESS: words})
    assert answer.status == 200
    assert "That choice is no longer on offer" in answer.card.words
    assert is_comments_card(answer.card)
    assert await envelope_of(ada, bot) == before


async def test_a_box_of_no_domain_is_passed_over(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    await saves_by_hand(ada, {"comment.gossip": CLEAN, AWARENESS: CLEAN})
    assert await comments_of(ada, bot) == {"awareness": CLEAN}


async def test_the_same_save_sent_twice_is_kept_once(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    first = await saves_by_hand(ada, {AWARENESS: CLEAN})
    before = await envelope_of(ada, bot)
    second = await saves_by_hand(ada, {AWARENESS: CLEAN})
    assert first.body == second.body
    assert await envelope_of(ada, bot) == before
    assert (await ballot_of(ada, bot)).comments == {"awareness": CLEAN}


async def test_a_late_copy_of_an_earlier_save_brings_nothing_back(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    await saves_by_hand(ada, {AWARENESS: CLEAN})
    await ada.opens_the_chat()
    await ada.presses("See my answers")
    await changes_comments(ada)
    await ada.presses("Next", {AWARENESS: "", PREVENTION: "Second thoughts."})
    await saves_by_hand(ada, {AWARENESS: CLEAN})
    assert await comments_of(ada, bot) == {"prevention": "Second thoughts."}


async def test_an_empty_card_on_another_device_wipes_nothing_out(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    elsewhere = ada.on_another_device()
    await elsewhere.opens_the_chat()
    await ada.presses("Next", {AWARENESS: CLEAN})
    shown = await elsewhere.presses("Next", {PREVENTION: "From the train."})
    assert "Nothing has changed" in shown.words
    assert await comments_of(ada, bot) == {"awareness": CLEAN}
    both = {box: words for box, words in shown.inputs.items() if words}
    assert both == {AWARENESS: CLEAN, PREVENTION: "From the train."}
    await elsewhere.presses("Next", both)
    assert await comments_of(ada, bot) == {"awareness": CLEAN, "prevention": "From the train."}


# -- where the words are --------------------------------------------------------------------------


async def test_while_it_runs_the_words_stand_only_under_seal_and_in_what_was_asked_for(
    teams: Teams, bot: RunningBot, channels: Channels, capfd: pytest.CaptureFixture[str]
) -> None:
    canaries = ["Canary training helps.", "Canary: ring 07700 900123.", "Ask Jayden of canary."]
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    for words in canaries[1:]:
        await ada.presses("Next", {AWARENESS: words})
    await ada.presses("Cymraeg")
    await ada.presses("English")
    await ada.presses("Next", {AWARENESS: canaries[0]})
    await ada.presses("See my answers")
    await changes_comments(ada)
    await ada.types("status")
    await channels.mo.posts("comments", channels.moderators)
    await channels.fay.posts("status", channels.facilitators)
    await bot.app.worker.do_due()
    assert is_nowhere("anary", bot.folder, teams, "".join(capfd.readouterr()))


async def test_after_the_mix_the_words_stand_in_comments_alone_and_with_nothing_beside_them(
    teams: Teams, bot: RunningBot, channels: Channels, capfd: pytest.CaptureFixture[str]
) -> None:
    ada, canary = teams.person("Ada"), "Canary training helps."
    await gets_to_the_end(ada, bot)
    await ada.presses("Next", {AWARENESS: canary})
    await sends(ada)
    await have_sent(bot, comments=[{}] * 10)
    await closes(channels.fay, channels.facilitators)
    await summary_in(teams, channels.facilitators)
    (comment,) = await comments_in(bot)
    assert await words_in(bot) == [("awareness", canary)]
    assert comment.group == ""
    assert comment.state == "mixed"
    assert len(comment.id) == 32
    assert await kinds_with("anary", bot) == set()
    assert not any("anary" in json.dumps(sent.activity) for sent in teams.sent)
    assert "anary" not in "".join(capfd.readouterr())


# -- what the tests do ----------------------------------------------------------------------------


async def saves_by_hand(ada: PersonHere, typed: Mapping[str, Any], **data: Any) -> Answer:
    """Send what the comments card would, whatever the person sees."""
    running = {"snapshot": seen(ada).actions("help.worried")[0]["data"]["snapshot"]}
    action = {"type": "Action.Execute", "verb": "survey.comments", "data": running}
    return await ada.acts(action, typed, **{"save": True, "revision": 22, **data})


async def changes_comments(ada: PersonHere) -> Shown:
    (change,) = seen(ada).actions("survey.comments")
    ada.sees = (await ada.acts(change)).card
    return ada.sees


def writes(bot: RunningBot, monkeypatch: pytest.MonkeyPatch) -> list[Record]:
    """What is replaced in the store from now on."""
    records, written = bot.app.service.records, list[Record]()
    replace = records.replace

    async def noting(record: Record) -> Record:
        written.append(record)
        return await replace(record)

    monkeypatch.setattr(records, "replace", noting)
    return written


def is_nowhere(words: str, folder: Path, teams: Teams, log: str) -> bool:
    sent = json.dumps([s.activity for s in teams.sent])
    return words.encode() not in bytes_of(folder) and words not in sent and words not in log


async def kinds_with(words: str, bot: RunningBot) -> set[Kind]:
    running = await the_snapshot(bot)
    return {
        kind
        for partition in (DIRECTORY, running.snapshot.id)
        for kind in Kind
        for record in await bot.app.service.records.read_all(partition, kind)
        if words in json.dumps([dict(record.body), record.id, record.group, record.state])
    }
