"""The deadline is moved: later only, with a reason that everybody is told, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from bot.rehearsal.teams import PersonHere, Shown, Teams
from snapshot.envelope import State
from snapshot.opening import Running
from snapshot.ports import Kind, Record, SnapshotId
from snapshot.snapshot import Extension, Phase
from tests.ports import free_port
from tests.stories.opening import BotOnDemand, another_process, own_threads
from tests.stories.people import (
    AGENCIES,
    Respondent,
    answers_all,
    begins,
    closes,
    respondents,
    sends,
)

LONDON = ZoneInfo("Europe/London")
OLD = datetime(2026, 3, 14, 17, tzinfo=LONDON)
REASON = "Half-term was in the way."
MOVED = "The snapshot now closes at 5pm on Saturday 21 March, not Saturday 14 March."


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    """One snapshot is open, until Saturday 14 March at 5pm."""
    async with BotOnDemand(tmp_path, free_port()) as running:
        await running.opens_a_snapshot()
        yield running


async def extends(
    fay: PersonHere, channel: str, deadline: str = "2026-03-21", reason: str = REASON
) -> Shown:
    """From the card that asks for it."""
    typed = {"deadline": deadline, "reason": reason}
    return await fay.presses_in(channel, "Move the deadline", typed)


async def the_one(bot: BotOnDemand) -> Running:
    (running,) = await bot.app.service.directory.all(fresh=True)
    return running


async def posted(teams: Teams, bot: BotOnDemand, channel: str) -> list[Shown]:
    await bot.works()
    return [sent.card for sent in own_threads(teams, channel)]


async def take_part(people: list[Respondent]) -> None:
    await asyncio.gather(*(someone.takes_part() for someone in people))


# -- later ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["word", "button"])
async def test_a_later_deadline_and_its_reason_are_posted_for_everybody(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str, by: str
) -> None:
    if by == "word":
        shown = await fay.posts("extend", channel)
    else:
        shown = await fay.presses_in(channel, "Move the deadline")
    assert "Everyone who hears about the new deadline will see the reason" in shown.words
    assert shown.inputs == {"deadline": "", "reason": ""}

    shown = await extends(fay, channel)

    assert f"{MOVED} {REASON}" in shown.words
    (post,) = await posted(teams, bot, channel)
    assert f"{MOVED} {REASON}" in post.words
    assert post.buttons == ["Open the private chat"]
    assert "5pm on Saturday 21 March" in (await fay.posts("status", channel)).words


async def test_what_everybody_hears_stands_in_the_channel_and_nobody_is_written_to(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    """Neither who has begun nor who has sent: whoever got a message would be one or the other."""
    begun, sent = teams.person("Ada"), teams.person("Ben")
    for person in (begun, sent):
        await begins(person)
    await answers_all(sent)
    await sends(sent)
    had = {person.chat: len(teams.posts(person.chat)) for person in (begun, sent)}
    await fay.posts("extend", channel)
    await extends(fay, channel)
    await bot.works()
    await closes(fay, channel)
    await bot.works()
    moved, closed = (post.card.words for post in own_threads(teams, channel))
    assert MOVED in moved
    assert "results are withheld" in closed
    assert {chat: len(teams.posts(chat)) for chat in had} == had


async def test_a_move_is_not_forgotten_when_the_list_was_being_read_meanwhile(
    teams: Teams,
    bot: BotOnDemand,
    fay: PersonHere,
    channel: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise practitioners would hear for half a minute that it has closed."""
    records = bot.app.service.records
    read_all = records.read_all
    await fay.posts("extend", channel)

    async def slow(snapshot: SnapshotId, kind: Kind) -> list[Record]:
        found = await read_all(snapshot, kind)
        monkeypatch.setattr(records, "read_all", read_all)
        await extends(fay, channel)
        return found

    monkeypatch.setattr(records, "read_all", slow)
    running = await the_one(bot)
    assert running.snapshot.deadline == OLD + timedelta(days=7)


async def test_it_stays_moved_and_sealed_over_a_restart(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await fay.posts("extend", channel)
    await extends(fay, channel)
    await bot.restarts()
    snapshot = (await the_one(bot)).snapshot
    assert snapshot.deadline == OLD + timedelta(days=7)
    assert snapshot.extensions == (Extension(OLD, REASON),)


async def test_the_time_of_day_stays_when_the_clocks_change(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    """Summer time begins on 29 March."""
    await fay.posts("extend", channel)
    shown = await extends(fay, channel, "2026-03-30")
    assert "closes at 5pm on Monday 30 March" in shown.words
    assert (await the_one(bot)).snapshot.deadline == datetime(2026, 3, 30, 17, tzinfo=LONDON)


async def test_practitioners_see_the_new_deadline(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    ada, bea = teams.person("Ada"), teams.person("Bea")
    await begins(ada)
    assert "by Saturday 14 March" in (await bea.opens_the_chat()).words
    await fay.posts("extend", channel)
    await extends(fay, channel)
    assert "by Saturday 21 March" in (await bea.opens_the_chat()).words
    assert "5pm on Saturday 21 March" in (await ada.types("status")).words


async def test_answers_given_after_the_old_deadline_count(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    people = respondents(teams, 15, AGENCIES[:1], Random(1))
    await take_part(people[:5])
    late = teams.person("Ada")
    card_from_before = await begins(late)
    await fay.posts("extend", channel)
    await extends(fay, channel)

    bot.clock.moves(days=13)

    await bot.works()
    await take_part(people[5:])
    late.sees = card_from_before
    await answers_all(late)
    await sends(late)
    bot.clock.moves(days=7)
    *_, summary = await posted(teams, bot, channel)
    assert "about 15 practitioners" in summary.words
    assert "closed on Saturday 21 March" in summary.words


# -- not later ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deadline", "reason", "says"),
    [
        ("2026-03-14", REASON, "must be later than 5pm on Saturday 14 March"),
        ("2026-03-13", REASON, "must be later than 5pm on Saturday 14 March"),
        ("2025-03-21", REASON, "must be later than 5pm on Saturday 14 March"),
        ("", REASON, "look again at this field: Closing date"),
        ("2026-02-30", REASON, "look again at this field: Closing date"),
        ("next week", REASON, "look again at this field: Closing date"),
        ("2027-03-04", REASON, "look again at this field: Closing date"),
        ("9999-12-31", REASON, "look again at this field: Closing date"),
        ("2026-03-21", "", "look again at this field: Reason"),
        ("2026-03-21", " \n ", "look again at this field: Reason"),
        ("2026-03-21", "[Read this](https://evil.example)", "look again at this field: Reason"),
        ("2026-03-21", "**Now**", "look again at this field: Reason"),
        ("2026-03-21", "<at>Everybody</at>", "look again at this field: Reason"),
        ("2026-03-21", "{survey_link}", "look again at this field: Reason"),
        ("2026-03-21", "\N{ZERO WIDTH SPACE}", "look again at this field: Reason"),
        ("2026-03-21", "r" * 201, "look again at this field: Reason"),
    ],
)
async def test_what_is_no_later_day_with_a_plain_reason_is_refused(
    teams: Teams,
    bot: BotOnDemand,
    fay: PersonHere,
    channel: str,
    deadline: str,
    reason: str,
    says: str,
) -> None:
    before = await the_one(bot)
    await fay.posts("extend", channel)
    shown = await extends(fay, channel, deadline, reason)
    assert says in shown.words
    assert shown.inputs == {"deadline": deadline, "reason": " ".join(reason.split())}
    assert await the_one(bot) == before
    assert await posted(teams, bot, channel) == []
    assert MOVED in (await extends(fay, channel)).words


async def test_both_fields_are_named_when_both_are_empty(fay: PersonHere, channel: str) -> None:
    await fay.posts("extend", channel)
    shown = await extends(fay, channel, "", "")
    assert "this field: Closing date." in shown.words
    assert "this field: Reason." in shown.words


async def test_a_reason_over_several_lines_becomes_one(fay: PersonHere, channel: str) -> None:
    await fay.posts("extend", channel)
    shown = await extends(fay, channel, reason="Half-term\r\n\r\nwas in the   way. ")
    assert f"{MOVED} Half-term was in the way." in shown.words


@pytest.mark.parametrize("forged", [{"deadline": 7}, {"reason": ["x"]}, {"snapshot": "another"}])
async def test_what_no_input_holds_changes_nothing(
    bot: BotOnDemand, fay: PersonHere, channel: str, forged: dict[str, object]
) -> None:
    shown = await fay.posts("extend", channel)
    typed = {"deadline": "2026-03-21", "reason": REASON, **forged}
    answer = await fay.acts(shown.action("Move the deadline"), typed, chat=channel)
    assert "no longer on offer" in answer.card.words
    assert (await the_one(bot)).snapshot.deadline == OLD


# -- twice ----------------------------------------------------------------------------------------


async def test_the_same_press_twice_is_one_extension_and_one_post(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    shown = await fay.posts("extend", channel)
    press = shown.action("Move the deadline")
    typed = {"deadline": "2026-03-21", "reason": REASON}
    answers = await asyncio.gather(*(fay.acts(press, typed, chat=channel) for _ in range(3)))
    await bot.works()
    answers.append(await fay.acts(press, typed, chat=channel))
    assert all(MOVED in answer.card.words for answer in answers)
    assert (await the_one(bot)).snapshot.extensions == (Extension(OLD, REASON),)
    assert len(await posted(teams, bot, channel)) == 1


async def test_two_extensions_are_both_kept_and_both_posted(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    first = await fay.posts("extend", channel)
    await extends(fay, channel)
    await bot.works()
    await fay.posts("extend", channel)
    await extends(fay, channel, "2026-03-28", "Snow.")
    assert (await the_one(bot)).snapshot.extensions == (
        Extension(OLD, REASON),
        Extension(OLD + timedelta(days=7), "Snow."),
    )
    first_post, second_post = await posted(teams, bot, channel)
    assert f"{MOVED} {REASON}" in first_post.words
    assert "Saturday 28 March, not Saturday 21 March. Snow." in second_post.words

    fay.sees = first
    shown = await extends(fay, channel)

    assert "must be later than 5pm on Saturday 28 March" in shown.words
    assert len(await posted(teams, bot, channel)) == 2


async def test_of_two_extensions_at_once_the_later_day_stands(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    flo = teams.person("Flo")
    await fay.posts("extend", channel)
    await flo.posts("extend", channel)
    sooner, later = await asyncio.gather(
        extends(fay, channel, "2026-03-21"), extends(flo, channel, "2026-03-28", "Snow.")
    )
    snapshot = (await the_one(bot)).snapshot
    assert snapshot.deadline == OLD + timedelta(days=14)
    assert snapshot.extensions[-1].reason == "Snow."
    assert "There is more time." in later.words
    was_kept = "There is more time." in sooner.words
    assert was_kept or "must be later than" in sooner.words
    assert len(snapshot.extensions) == 1 + was_kept
    assert len(await posted(teams, bot, channel)) == 1 + was_kept


async def test_an_extension_is_posted_once_by_whoever_finds_that_it_was_not(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    """Killed right after the settings were kept, before anything else."""
    shown = await fay.posts("extend", channel)
    await extends(fay, channel)
    records, id = bot.app.service.records, (await the_one(bot)).snapshot.id
    assert await records.read_all(id, Kind.PUBLICATION) == []
    await bot.restarts()
    assert len(await posted(teams, bot, channel)) == 1
    fay.sees = shown
    await extends(fay, channel)
    assert len(await posted(teams, bot, channel)) == 1


# -- too late -------------------------------------------------------------------------------------


async def test_after_the_deadline_it_is_closed_even_before_anybody_has_noticed(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    shown = await fay.posts("extend", channel)
    bot.clock.moves(days=13)
    for answer in (
        await extends(fay, channel),
        await fay.posts("extend", channel),
        await fay.posts("status", channel),
    ):
        assert "The snapshot closed on Saturday 14 March" in answer.words
    await bot.works()
    fay.sees = shown
    assert "There is more time." not in (await extends(fay, channel)).words
    assert (await the_one(bot)).snapshot.extensions == ()


async def test_after_the_close_it_is_closed(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    shown = await fay.posts("extend", channel)
    await closes(fay, channel)
    fay.sees = shown
    assert "The snapshot closed on Monday 2 March" in (await extends(fay, channel)).words
    await bot.works()
    assert "results are withheld" in (await fay.posts("extend", channel)).words
    assert (await the_one(bot)).snapshot.deadline == OLD


async def test_a_clock_that_is_put_back_opens_nothing_again(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    ada = teams.person("Ada")
    shown = await begins(ada)
    bot.clock.now = OLD + timedelta(minutes=5)
    await bot.works()
    bot.clock.moves(hours=-1)
    await bot.works()
    assert "results are withheld" in (await fay.posts("extend", channel)).words
    ada.sees = shown
    assert "The snapshot has closed" in (await ada.presses("Mostly true")).words
    assert (await the_one(bot)).phase is Phase.CLOSED


# -- at the same time -----------------------------------------------------------------------------


async def test_an_extension_during_a_mixing_loses_nothing(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    people = respondents(teams, 30, AGENCIES[:1], Random(1))
    await take_part(people[:25])
    await fay.posts("extend", channel)
    bot.clock.moves(days=3)

    did, shown, *_ = await asyncio.gather(
        bot.works(), extends(fay, channel), take_part(people[25:])
    )

    running = await the_one(bot)
    assert "mixed" in [deed.did for deed in did]
    assert MOVED in shown.words
    assert running.snapshot.extensions == (Extension(OLD, REASON),)
    heads = await bot.app.service.records.heads(running.snapshot.id, Kind.ENVELOPE)
    assert {h.state for h in heads} == {State.RELEASED, State.SUBMITTED}
    assert len(heads) == 30
    bot.clock.moves(days=17)
    assert any("about 30 practitioners" in post.words for post in await posted(teams, bot, channel))


async def test_an_extension_at_the_very_deadline_or_the_close_one_of_the_two(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    """Whichever is first, the other is told; it is never open and closed at once."""
    await fay.posts("extend", channel)
    flo = teams.person("Flo")
    await flo.posts("close", channel)
    shown, _ = await asyncio.gather(
        extends(fay, channel), flo.presses_in(channel, "Yes, close it now")
    )
    running = await the_one(bot)
    assert running.phase is Phase.CLOSING
    assert ("There is more time." in shown.words) == (len(running.snapshot.extensions) == 1)
    await bot.works()
    assert "results are withheld" in (await flo.posts("status", channel)).words


async def test_an_extension_while_the_worker_is_busy_with_another_snapshot_is_not_forgotten(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    """The worker had read this one when it began, and comes to it only afterwards."""
    mine = await the_one(bot)
    bot.clock.moves(minutes=1)
    await bot.opens_a_snapshot(seed=2)
    await fay.posts("extend", channel)
    bot.clock.moves(days=3)
    deeds = bot.app.worker.deeds()
    assert (await anext(deeds)).snapshot != mine.snapshot.id
    await extends(fay, channel)
    did = []
    async for deed in deeds:
        known = bot.app.service.directory.known(mine.snapshot.id)
        assert known
        assert known.snapshot.deadline == OLD + timedelta(days=7)
        did += [deed.did] if deed.snapshot == mine.snapshot.id else []
    assert did == ["mixed", "posted-extension"]


async def test_what_another_process_extended_is_seen_at_once(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await fay.posts("extend", channel)
    async with another_process(bot) as other, Teams(other.url) as there:
        flo = there.person("Flo")
        await flo.posts("extend", channel)
        await extends(flo, channel)
        shown = await extends(fay, channel, "2026-03-18")
    assert "must be later than 5pm on Saturday 21 March" in shown.words
