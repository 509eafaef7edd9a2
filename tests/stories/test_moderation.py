"""Moderators read what was written, after the mix, and nobody else does before them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.rehearsal.teams import Answer, PersonHere, Shown, Teams
from snapshot.comments import printed
from snapshot.ports import Kind
from tests.ports import free_port
from tests.stories.commenting import (
    AWARENESS,
    Channels,
    bytes_of,
    comments_in,
    have_sent,
    moderators_register,
    rich_text,
    the_snapshot,
    unasked,
    words_in,
)
from tests.stories.conftest import Clock, RunningBot
from tests.stories.people import (
    Respondent,
    answers,
    begins,
    closes,
    respondents,
    seen,
    sends,
    summary_in,
)

K = 10
THURSDAY, FRIDAY, SATURDAY, SUNDAY = (f"2026-03-{day:02}" for day in (5, 6, 7, 8))
MONDAY, TUESDAY, WEDNESDAY, NEXT_THURSDAY = (f"2026-03-{day:02}" for day in (9, 10, 11, 12))
FIRST_TUESDAY = "2026-03-03"
"""The snapshot opens on the Monday before it."""

CANARY = "Canary: **more** <b>training</b> [please](https://example.org)"


@pytest.fixture
async def channels(bot: RunningBot, teams: Teams) -> Channels:
    return await moderators_register(teams)


# -- when they hear of it -------------------------------------------------------------------------


async def test_comments_come_on_the_working_day_after_a_mixing(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    """With 2k people in a cell, k of them are mixed; the notice has none of their words."""
    people = respondents(teams, 2 * K, ["Police"], Random(1))
    await asyncio.gather(*(takes_part_with_words(p, CANARY) for p in people))
    assert await due(bot, THURSDAY, "01:59") == []
    assert await due(bot, THURSDAY, "02:00") == ["mixed"]
    assert len(await comments_in(bot)) == K
    assert channels.heard(teams) == []
    assert "no comments to read" in (await reads(channels)).words

    assert await due(bot, FRIDAY, "09:29") == []
    done = ["comments-queued", "unfinished-reminded", "posted-comments"]
    assert await due(bot, FRIDAY, "09:30") == done

    (notice,) = channels.heard(teams)
    assert "Comments to read: Exampleshire" in notice.card.words
    assert notice.card.buttons == ["Read the comments"]
    assert notice.activity["summary"] == "Safeguarding snapshot"
    assert await due(bot, FRIDAY, "12:00") == []
    assert "anary" not in json.dumps([sent.activity for sent in teams.sent])
    assert unasked(teams, channels.facilitators) == []


async def test_what_is_mixed_on_a_sunday_comes_on_monday(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await due(bot, FRIDAY, "09:30")
    await have_sent(bot, comments=[{"awareness": "Sunday."}] * 2 * K)
    assert await due(bot, SUNDAY, "02:00") == ["mixed"]
    assert await due(bot, SUNDAY, "12:00") == []
    assert "comments-queued" in await due(bot, MONDAY, "09:30")


async def test_a_bot_that_was_off_on_the_day_does_not_disturb_a_weekend(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await have_sent(bot, comments=[{"awareness": "Late."}] * 2 * K)
    await due(bot, THURSDAY, "02:00")
    assert await due(bot, SATURDAY, "11:00") == []
    assert await due(bot, MONDAY, "09:00") == []
    assert "comments-queued" in await due(bot, MONDAY, "09:30")


async def test_a_bank_holiday_is_no_working_day(teams: Teams, easter: RunningBot) -> None:
    """Mixed on Maundy Thursday, read on the Tuesday after Easter, and reminded of no sooner."""
    async with Teams(easter.url) as at_easter:
        channels = await moderators_register(at_easter)
        await have_sent(easter, comments=[{"awareness": "Spring."}] * 2 * K)
        assert "mixed" in await due(easter, "2026-04-02", "02:00")
        for day in ("03", "04", "05", "06"):
            assert set(await due(easter, f"2026-04-{day}", "10:00")) <= {"mixed"}
        assert channels.heard(at_easter) == []
        assert "comments-queued" in await due(easter, "2026-04-07", "09:30")


@pytest.fixture
async def easter(tmp_path: Path) -> AsyncIterator[RunningBot]:
    """Opened on the Monday of Holy Week."""
    opened = datetime(2026, 3, 30, 9, 0, tzinfo=UTC)
    async with RunningBot(tmp_path / "easter", free_port(), Clock(opened)) as running:
        await running.opens_a_snapshot()
        yield running


async def test_where_nobody_wrote_anything_moderators_hear_nothing(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await have_sent(bot, comments=[{}] * 2 * K)
    for day in (THURSDAY, FRIDAY, SUNDAY, MONDAY, TUESDAY, WEDNESDAY):
        await due(bot, day, "10:00")
    assert channels.heard(teams) == []


async def test_the_notice_goes_to_the_channel_that_took_over(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    elsewhere = teams.channel("elsewhere")
    await teams.person("Mia").posts(f"moderate {channels.code}", elsewhere)
    await have_sent(bot, comments=[{"awareness": "Words."}] * 2 * K)
    await due(bot, THURSDAY, "02:00")
    await due(bot, FRIDAY, "09:30")
    assert channels.heard(teams) == []
    assert len(unasked(teams, elsewhere)) == 1


# -- reading --------------------------------------------------------------------------------------


async def test_the_typed_word_is_answered_without_words_and_the_button_with_one_comment(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"awareness": CANARY}])
    asked = await channels.mo.posts("comments", channels.moderators)
    assert "Comments to read: Exampleshire" in asked.words
    assert "anary" not in json.dumps(asked.card)
    assert "anary" not in json.dumps([sent.activity for sent in teams.sent])
    shown = await channels.mo.presses_in(channels.moderators, "Read the comments")
    assert rich_text(shown) == [CANARY]
    assert "CSA Awareness" in shown.words
    assert "Police" not in json.dumps(shown.card)
    assert "police" not in json.dumps(shown.card)
    assert shown.refresh is None


async def test_only_one_comment_is_shown_at_a_time(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    words = {f"Words {number}." for number in range(3)}
    await are_read_after_the_close(bot, teams, channels, [{"awareness": w} for w in words])
    read = set()
    shown = await reads(channels)
    for _ in words:
        (one,) = rich_text(shown)
        read.add(one)
        shown = await decides(channels, "approve")
    assert read == words


async def test_help_in_the_moderators_channel_lists_what_works_there(
    teams: Teams, channels: Channels
) -> None:
    shown = await channels.mo.posts("help", channels.moderators)
    assert "**comments**" in shown.words
    assert "**close**" not in shown.words
    assert "Read the comments" in shown.buttons


@pytest.mark.parametrize("decision", ["approve", "hide", "escalate"])
async def test_of_two_moderators_at_once_one_decides(
    teams: Teams, bot: RunningBot, channels: Channels, decision: str
) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"awareness": CANARY}])
    shown = await reads(channels)
    mia = teams.person("Mia")
    both = await asyncio.gather(
        saves(channels, channels.mo, shown, decision=decision),
        saves(channels, mia, shown, decision=decision),
    )
    stale = ["no longer on offer" in answer.card.words for answer in both]
    assert sorted(stale) == [False, True]


async def test_a_decision_that_is_sent_twice_is_carried_out_once(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"awareness": CANARY}])
    shown = await reads(channels)
    await saves(channels, channels.mo, shown, decision="paraphrase", paraphrase="More training.")
    before = await comments_in(bot)
    again = await saves(channels, channels.mo, shown, decision="approve")
    assert "no longer on offer" in again.card.words
    assert await comments_in(bot) == before


# -- deciding -------------------------------------------------------------------------------------


async def test_what_is_approved_is_printed_as_it_stands(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await are_read_while_open(bot, channels, CANARY)
    shown = await reads(channels)
    for _ in range(K):
        shown = await decides(channels, "approve")
    assert "You have read every comment" in shown.words
    assert await printed_words(bot) == [CANARY] * K


async def test_words_of_ones_own_are_not_lost_by_approving_theirs(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    """What is approved is printed, and cannot be taken back."""
    await are_read_after_the_close(bot, teams, channels, [{"awareness": CANARY}])
    await reads(channels)
    shown = await decides(channels, "approve", paraphrase="More training is needed.")
    assert "Nothing is decided yet." in shown.words
    assert shown.inputs == {"decision": "approve", "paraphrase": "More training is needed."}
    assert rich_text(shown) == [CANARY]
    shown = await decides(channels, "approve", paraphrase="")
    assert "there are fewer than 10 comments" in shown.words, "it is approved, and comes next"


async def test_without_a_decision_the_card_says_so_and_keeps_what_was_typed(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"awareness": CANARY}])
    await reads(channels)
    shown = await decides(channels, "", paraphrase="More training is needed.")
    assert "look again at this field: Your decision" in shown.words
    assert shown.inputs["paraphrase"] == "More training is needed."
    assert rich_text(shown) == [CANARY]


async def test_wherever_words_are_read_stands_who_helps_the_reader(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    said = [{"awareness": CANARY}, {"awareness": CANARY}]
    await are_read_after_the_close(bot, teams, channels, said)
    comment = await reads(channels)
    escalated = await decides(channels, "escalate")
    await has_passed_on(channels, {"passed_to": "The front door", "passed_when": "Today"})
    await reads(channels)
    theme = await decides(channels, "approve")
    for shown in (comment, escalated, theme):
        assert rich_text(shown) == [CANARY]
        assert "Support Line" in shown.words


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "in your own words"),
        (" \u200b ", "in your own words"),
        ("x" * 1001, "too long to save"),
        ("Ring 07700 900123", "Leave out anything that could show"),
    ],
)
async def test_a_paraphrase_is_held_to_the_same_rules(
    teams: Teams, bot: RunningBot, channels: Channels, words: str, says: str
) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"awareness": CANARY}])
    await reads(channels)
    before = await comments_in(bot)
    shown = await decides(channels, "paraphrase", paraphrase=words)
    assert says in shown.words
    assert rich_text(shown) == [CANARY]
    assert shown.inputs["decision"] == "paraphrase"
    assert await comments_in(bot) == before


async def test_more_than_a_card_could_hold_is_cut_before_it_is_shown_again(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"awareness": CANARY}])
    await reads(channels)
    shown = await decides(channels, "paraphrase", paraphrase="x" * 200_000)
    assert "too long to save" in shown.words
    assert len(json.dumps(shown.card)) < 28_000


async def test_a_paraphrase_stands_in_place_of_the_words(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"awareness": CANARY}])
    await reads(channels)
    await decides(channels, "paraphrase", paraphrase="More training is needed.")
    assert await printed_words(bot) == ["More training is needed."]
    assert await words_in(bot) == [("awareness", "More training is needed.")]


async def test_what_is_hidden_is_gone(teams: Teams, bot: RunningBot, channels: Channels) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"awareness": CANARY}])
    await reads(channels)
    shown = await decides(channels, "hide")
    assert "You have read every comment" in shown.words
    assert "no comments to read" in (await reads(channels)).words
    assert await printed_words(bot) == []
    assert await words_in(bot) == [("awareness", "")]


@pytest.mark.parametrize("decision", ["hide", "paraphrase"])
async def test_of_what_nobody_may_read_any_more_the_files_keep_nothing(
    teams: Teams, bot: RunningBot, channels: Channels, decision: str
) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"awareness": CANARY}])
    await reads(channels)
    (comment,) = await comments_in(bot)
    words = comment.body["sealed"][-200:].encode()  # the database cuts up long rows
    assert words in bytes_of(bot.folder)
    await decides(channels, decision, paraphrase="More training is needed.")
    assert words not in bytes_of(bot.folder)


async def test_escalating_says_whom_to_tell_and_is_closed_only_by_who_and_when(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"awareness": CANARY}])
    await reads(channels)
    shown = await decides(channels, "escalate")
    assert "Please pass these words on now" in shown.words
    assert "01632\N{NO-BREAK SPACE}960\N{NO-BREAK SPACE}001" in shown.words
    assert "Sam Sample too: safeguarding@example.org" in shown.words
    assert rich_text(shown) == [CANARY]
    for half in ({}, {"passed_to": "The front door"}, {"passed_when": "Monday, 10am"}):
        shown = await has_passed_on(channels, half)
        assert "Please pass these words on now" in shown.words
        assert rich_text(shown) == [CANARY]
    both = {"passed_to": "The front door", "passed_when": "Monday, 10am"}
    shown = await has_passed_on(channels, both)
    assert "Noted. Passed on to The front door, Monday, 10am." in shown.words
    assert "no comments to read" in (await reads(channels)).words
    assert await printed_words(bot) == []
    (comment,) = await comments_in(bot)
    assert await words_in(bot) == [("awareness", "")]
    assert "front door" not in json.dumps(dict(comment.body))
    note = (await the_snapshot(bot)).service.open(
        comment.body["passed_on"], "passed-on", comment.snapshot, comment.id
    )
    assert note == {"to": "The front door", "when": "Monday, 10am"}


async def test_what_is_escalated_comes_before_anything_else(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    words = [{"awareness": f"Words {number}."} for number in range(3)]
    await are_read_after_the_close(bot, teams, channels, words)
    urgent = rich_text(await reads(channels))
    await decides(channels, "escalate")
    for _ in range(2):
        shown = await reads(channels)
        assert rich_text(shown) == urgent
        assert "Please pass these words on now" in shown.words


async def test_only_what_is_escalated_can_be_passed_on(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"awareness": CANARY}])
    shown = await reads(channels)
    before = await comments_in(bot)
    both = {"passed_to": "The front door", "passed_when": "Monday, 10am"}
    answer = await saves(channels, channels.mo, shown, told=True, **both)
    assert "no longer on offer" in answer.card.words
    assert await comments_in(bot) == before


async def test_passing_on_without_a_note_does_not_bring_back_what_was_decided(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    """A card of the other moderator's, from before the decision."""
    await are_read_after_the_close(bot, teams, channels, [{"awareness": CANARY}])
    shown = await reads(channels)
    await decides(channels, "approve")
    for old in ({"told": True}, {}):
        answer = await saves(channels, channels.mo, shown, **old)
        assert "no longer on offer" in answer.card.words


# -- who may not ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"comment": "0" * 32},
        {"comment": ""},
        {"comment": ["x"]},
        {"comment": "../x"},
        {"decision": "publish"},
        {"decision": ["approve"]},
        {"paraphrase": 7},
        {"told": True, "passed_to": ["x"], "passed_when": "now"},
    ],
)
async def test_what_no_card_offers_gets_a_clear_card(
    teams: Teams, bot: RunningBot, channels: Channels, changed: Mapping[str, Any]
) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"awareness": CANARY}])
    shown = await reads(channels)
    before = await comments_in(bot)
    forged = {"decision": "paraphrase", "paraphrase": "Words.", **changed}
    answer = await saves(channels, channels.mo, shown, **forged)
    assert "no longer on offer" in answer.card.words
    assert await comments_in(bot) == before


async def test_a_comment_that_is_not_in_the_queue_yet_is_not_shown(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await have_sent(bot, comments=[{"awareness": CANARY}] * 2 * K)
    await due(bot, THURSDAY, "02:00")
    comment = (await comments_in(bot))[0]
    shown = await channels.mo.posts("comments", channels.moderators)
    action = {**shown.action("Read the comments"), "verb": "comments.decide"}
    answer = await channels.mo.acts(
        action, chat=channels.moderators, comment=comment.id, decision=""
    )
    assert "no longer on offer" in answer.card.words
    assert "anary" not in answer.body.decode()


async def test_a_comment_of_another_snapshot_is_not_shown(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"awareness": CANARY}])
    (comment,) = await comments_in(bot)
    other = await bot.opens_a_snapshot(seed=2)
    elsewhere, mia = teams.channel("elsewhere"), teams.person("Mia")
    await mia.posts(f"moderate {other.moderator_code}", elsewhere)
    shown = await mia.posts("comments", elsewhere)
    assert "no comments to read" in shown.words
    action = {"type": "Action.Execute", "verb": "comments.decide"}
    for snapshot in (other.snapshot.id, comment.snapshot, "nowhere", 7):
        answer = await mia.acts(
            action, chat=elsewhere, comment=comment.id, decision="approve", snapshot=snapshot
        )
        assert answer.status == 200
        assert "anary" not in answer.body.decode()
    assert (await bot.app.service.records.read_all(comment.snapshot, Kind.COMMENT)) == [comment]


@pytest.mark.parametrize("verb", ["comments.review", "comments.decide", "comments.theme"])
async def test_from_anywhere_else_no_words_are_shown(
    teams: Teams, bot: RunningBot, channels: Channels, verb: str
) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"awareness": CANARY}])
    shown = await reads(channels)
    decide = {**shown.action("Save and go on"), "verb": verb}
    before = await comments_in(bot)
    for chat in (channels.facilitators, teams.channel("elsewhere"), channels.fay.chat):
        answer = await channels.fay.acts(
            decide, chat=chat, decision="approve", domain="awareness", theme="A theme."
        )
        assert answer.status == 200
        assert "anary" not in answer.body.decode()
        if chat != channels.fay.chat:
            assert "Only the moderators of this snapshot can do that" in answer.card.words
    assert await comments_in(bot) == before
    asked = await channels.fay.posts("comments", channels.facilitators)
    assert "Only the moderators of this snapshot can do that" in asked.words


async def test_a_listed_facilitator_sees_no_words_in_the_moderators_channel(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"awareness": CANARY}])
    shown = await reads(channels)
    fay = channels.fay
    bot.more_settings = {"SNAPSHOT_FACILITATORS": f"{fay.tenant}/{fay.object_id}"}
    await bot.restarts()
    for decision in ("", "approve"):
        answer = await saves(channels, fay, shown, decision=decision)
        assert "Only the moderators of this snapshot can do that" in answer.card.words
        assert "anary" not in answer.body.decode()
    asked = await fay.posts("comments", channels.moderators)
    assert "Only the moderators of this snapshot can do that" in asked.words
    assert rich_text(await reads(channels)) == [CANARY], "the moderators still do"


# -- reminders ------------------------------------------------------------------------------------


async def test_after_two_days_unread_they_are_reminded(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    """The notice of Friday is followed by that of Monday, after the mixing of Sunday."""
    await are_read_while_open(bot, channels, CANARY)
    for day in (SATURDAY, SUNDAY):
        assert "moderators-nudged" not in await due(bot, day, "10:00")
    await due(bot, MONDAY, "09:30")
    assert len(channels.heard(teams)) == 2
    assert await due(bot, TUESDAY, "10:00") == []
    assert await due(bot, WEDNESDAY, "02:00") == ["mixed"]
    assert await due(bot, WEDNESDAY, "09:29") == []
    assert await due(bot, WEDNESDAY, "09:30") == ["moderators-nudged", "posted-nudge"]
    assert await due(bot, WEDNESDAY, "15:00") == []
    nudge = channels.heard(teams)[-1]
    assert "have been waiting for two days" in nudge.card.words
    assert nudge.card.buttons == ["Read the comments"]
    assert "anary" not in json.dumps(nudge.activity)


async def test_whoever_has_read_all_is_not_reminded(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await are_read_while_open(bot, channels, CANARY)
    await reads(channels)
    for _ in range(K):
        await decides(channels, "hide")
    for day in (SUNDAY, MONDAY, TUESDAY, WEDNESDAY, NEXT_THURSDAY):
        await due(bot, day, "10:00")
    assert len(channels.heard(teams)) == 1


async def test_a_concern_that_is_not_passed_on_is_reminded_of_each_working_day(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await are_read_while_open(bot, channels, CANARY)
    await reads(channels)
    for _ in range(K - 1):
        await decides(channels, "hide")
    await decides(channels, "escalate")
    for day in (FRIDAY, SATURDAY, SUNDAY):
        await due(bot, day, "12:00")
    assert len(channels.heard(teams)) == 1
    for day in (MONDAY, TUESDAY, WEDNESDAY, NEXT_THURSDAY):
        assert "moderators-nudged" in await due(bot, day, "09:30"), day
        assert "has not been passed on yet" in channels.heard(teams)[-1].card.words
        assert "moderators-nudged" not in await due(bot, day, "16:00")
    await reads(channels)
    await has_passed_on(channels, {"passed_to": "The front door", "passed_when": "Today"})
    assert await due(bot, "2026-03-13", "09:30") == []


async def test_a_bank_holiday_has_no_reminder(easter: RunningBot) -> None:
    async with Teams(easter.url) as teams:
        channels = await moderators_register(teams)
        await are_read_after_the_close(
            easter, teams, channels, [{"awareness": CANARY}], day="2026-03-31"
        )
        await reads(channels)
        await decides(channels, "escalate")
        nudged = [
            day
            for day in ("01", "02", "03", "04", "05", "06", "07")
            if "moderators-nudged" in await due(easter, f"2026-04-{day}", "10:00")
        ]
        assert nudged == ["01", "02", "07"]


# -- the close ------------------------------------------------------------------------------------


async def test_after_the_close_the_last_comments_come_on_the_next_working_day(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    """The deadline is on Saturday the 14th."""
    await have_sent(bot, comments=[{"awareness": "Words."}] * K)
    assert "closed" in await due(bot, "2026-03-14", "17:00")
    for day, time in (("14", "18:00"), ("15", "10:00"), ("16", "09:29")):
        assert await due(bot, f"2026-03-{day}", time) == []
    assert "comments-queued" in await due(bot, "2026-03-16", "09:30")
    assert len(channels.heard(teams)) == 1
    assert await due(bot, "2026-03-17", "09:30") == []
    assert "moderators-nudged" in await due(bot, "2026-03-18", "09:30")


async def test_domains_with_few_comments_want_a_theme_after_the_close(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    """Ten comments on one domain, three on another, one that is hidden on a third."""
    said: list[Mapping[str, str]] = [{"awareness": "Enough."}] * K
    said = [*said, *[{"prevention": "Few."}] * 3, {"recovery-support": "To hide."}]
    await are_read_after_the_close(bot, teams, channels, said)
    shown = await reads(channels)
    while shown.actions("comments.decide"):
        is_hidden = rich_text(shown) == ["To hide."]
        shown = await decides(channels, "hide" if is_hidden else "approve")
    assert "**CSA Prevention:** there are fewer than 10 comments" in shown.words
    assert rich_text(shown) == ["Few."] * 3
    typed = await channels.mo.posts("comments", channels.moderators)
    assert "the report needs a summary of yours" in typed.words
    shown = await channels.mo.presses_in(channels.moderators, "Read the comments")
    shown = await sums_up(channels, "They want more time.")
    assert "You have read every comment" in shown.words
    assert await themes(bot) == {"prevention": "They want more time."}
    assert "no comments to read" in (await reads(channels)).words


async def test_a_theme_can_be_replaced_from_its_card(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"prevention": "Few."}])
    await reads(channels)
    old = await decides(channels, "approve")
    await sums_up(channels, "First.")
    channels.mo.sees = old
    await sums_up(channels, "Second.")
    assert await themes(bot) == {"prevention": "Second."}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "in your own words"),
        ("x" * 1001, "too long to save"),
        ("Mrs Smith said so", "Leave out anything that could show"),
    ],
)
async def test_a_theme_is_held_to_the_same_rules_and_says_what_is_wrong(
    teams: Teams, bot: RunningBot, channels: Channels, words: str, says: str
) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"prevention": "Few."}])
    await reads(channels)
    await decides(channels, "approve")
    shown = await sums_up(channels, words)
    assert says in shown.words
    assert shown.inputs["theme"] == words
    assert await themes(bot) == {}


@pytest.mark.parametrize("domain", ["gossip", "", 7, None])
async def test_a_theme_of_no_domain_is_refused(
    teams: Teams, bot: RunningBot, channels: Channels, domain: Any
) -> None:
    await are_read_after_the_close(bot, teams, channels, [{"prevention": "Few."}])
    await reads(channels)
    shown = await decides(channels, "approve")
    answer = await channels.mo.acts(
        shown.action("Save my summary"),
        {"theme": "A theme."},
        chat=channels.moderators,
        domain=domain,
    )
    assert "no longer on offer" in answer.card.words
    assert await themes(bot) == {}


async def test_while_it_is_open_no_theme_is_asked_for(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    """More comments may come."""
    await are_read_while_open(bot, channels, CANARY)
    await reads(channels)
    shown = await decides(channels, "approve")
    for _ in range(K - 1):
        shown = await decides(channels, "hide")
    assert "You have read every comment" in shown.words
    assert shown.inputs == {}


async def test_of_fewer_than_ten_people_no_comment_is_ever_read(
    teams: Teams, bot: RunningBot, channels: Channels
) -> None:
    await have_sent(bot, comments=[{"awareness": CANARY}] * (K - 1))
    await closes(channels.fay, channels.facilitators)
    assert "results are withheld" in (await summary_in(teams, channels.facilitators)).card.words
    for day in (FIRST_TUESDAY, THURSDAY, FRIDAY):
        await due(bot, day, "10:00")
    assert await comments_in(bot) == []
    assert channels.heard(teams) == []
    assert "no comments to read" in (await reads(channels)).words
    running = await the_snapshot(bot)
    for envelope in await bot.app.service.records.read_all(running.snapshot.id, Kind.ENVELOPE):
        assert not any(envelope.body.values())


# -- what the stories do --------------------------------------------------------------------------


async def due(bot: RunningBot, day: str, time: str) -> list[str]:
    """What is done when it is this time, there."""
    local = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZoneInfo("Europe/London"))
    bot.clock.now = local.astimezone(UTC)
    return [deed.did for deed in await bot.app.worker.do_due()]


async def takes_part_with_words(one: Respondent, words: str) -> None:
    await begins(one.person, one.agency)
    await answers(one.person, one.options)
    await one.person.presses("Next", {AWARENESS: words})
    await sends(one.person)


async def are_read_while_open(bot: RunningBot, channels: Channels, words: str) -> None:
    """Ten comments with these words are in the queue on Friday."""
    await have_sent(bot, comments=[{"awareness": words}] * 2 * K)
    await due(bot, THURSDAY, "02:00")
    await due(bot, FRIDAY, "09:30")


async def are_read_after_the_close(
    bot: RunningBot,
    teams: Teams,
    channels: Channels,
    comments: Sequence[Mapping[str, str]],
    day: str = FIRST_TUESDAY,
) -> None:
    """These comments, among enough people without any, are in the queue the day after."""
    await have_sent(bot, comments=[*comments, *[{}] * K])
    await closes(channels.fay, channels.facilitators)
    await summary_in(teams, channels.facilitators)
    await due(bot, day, "09:30")


async def reads(channels: Channels) -> Shown:
    await channels.mo.posts("comments", channels.moderators)
    if "Read the comments" not in seen(channels.mo).buttons:
        return seen(channels.mo)
    return await channels.mo.presses_in(channels.moderators, "Read the comments")


async def decides(channels: Channels, decision: str, paraphrase: str = "") -> Shown:
    typed = {"decision": decision, "paraphrase": paraphrase}
    return await channels.mo.presses_in(channels.moderators, "Save and go on", typed)


async def has_passed_on(channels: Channels, typed: Mapping[str, str]) -> Shown:
    channel, empty = channels.moderators, {"passed_to": "", "passed_when": ""}
    return await channels.mo.presses_in(channel, "It has been passed on", {**empty, **typed})


async def sums_up(channels: Channels, words: str) -> Shown:
    channel = channels.moderators
    return await channels.mo.presses_in(channel, "Save my summary", {"theme": words})


async def saves(channels: Channels, person: PersonHere, shown: Shown, **data: Any) -> Answer:
    """Press the button of a card, whoever has it in front of them by now."""
    return await person.acts(shown.action("Save and go on"), chat=channels.moderators, **data)


async def printed_words(bot: RunningBot) -> list[str]:
    running = await the_snapshot(bot)
    found = await printed(running, bot.app.service.records)
    return [comment.text for comments in found.values() for comment in comments]


async def themes(bot: RunningBot) -> dict[str, str]:
    running = await the_snapshot(bot)
    found = await bot.app.service.records.read_all(running.snapshot.id, Kind.THEME)
    return {record.id: record.body["text"] for record in found}
