"""How long what is kept stays after the close: each part goes on its day, and nothing sooner."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.rehearsal.teams import Teams
from bot.reporting import CannotReport, write_report
from snapshot import session
from snapshot.comments import CommentState, mixed
from snapshot.instrument import DomainId, OptionId
from snapshot.keeping import WARNED_DAYS, Keeping, Part, forget_words, kept_until
from snapshot.lead_lists import Row
from snapshot.leads import add, note_install
from snapshot.ledger import is_to_channel, note
from snapshot.opening import Running
from snapshot.plan import Action, save
from snapshot.ports import DIRECTORY, Kind, Unavailable
from snapshot.sealing import Person
from snapshot.session import Agreed, Ratings
from tests.cosmos.server import Server, settings_for
from tests.ports import free_port
from tests.stories.commenting import have_sent
from tests.stories.conftest import RunningBot
from tests.stories.people import closes, summary_in
from tests.stories.processes import command

KEEPING = Keeping()
LEAD = "zqxj.lead@exampleshire.example"
NOTE = "Zqxj said that the pathway is not known."
PARTNER = Person("tenant-of-exampleshire", "zqxj-partner")
RATINGS = Ratings(OptionId("fully"), OptionId("anecdotal"))
OF_PEOPLE = {Kind.ENVELOPE, Kind.ROLL, Kind.LEAD, Kind.INSTALL}
WORDS = {Kind.COMMENT, Kind.PARTNER}


async def the_snapshot(bot: RunningBot) -> Running:
    (running,) = await bot.app.service.directory.all(fresh=True)
    return running


async def work_of(bot: RunningBot, day: date) -> list[str]:
    """What is done in the middle of a day."""
    bot.clock.now = bot.clock.now.replace(
        year=day.year, month=day.month, day=day.day, hour=12, minute=0
    )
    return [deed.did for deed in await bot.app.worker.do_due()]


async def until(bot: RunningBot, part: Part) -> date:
    found = kept_until(await the_snapshot(bot), KEEPING, part)
    assert found is not None
    return found


async def kinds_left(bot: RunningBot, running: Running) -> set[Kind]:
    records = bot.app.service.records
    return {kind for kind in Kind if await records.heads(running.snapshot.id, kind)}


async def one_that_is_over(bot: RunningBot, teams: Teams) -> Running:
    """With something of everything that is kept; its key has been destroyed."""
    fay, channel = teams.person("Fay"), teams.channel()
    await fay.posts("status", channel)
    running, records = await the_snapshot(bot), bot.app.service.records
    id = running.snapshot.id
    await add(running, records, [Row(1, LEAD, "Zed", "School")])
    await note_install(running, records, PARTNER, bot.clock())
    await note(records, id, "leads-opening", "f" * 32, bot.clock())
    await holds_a_session(bot, running)
    await have_sent(bot, comments=[{}] * 12)
    await closes(fay, channel)
    await summary_in(teams, channel)
    await bot.stops_working()
    comment = mixed(running, "0" * 32, DomainId("awareness"), NOTE)
    await records.create(replace(comment, state=CommentState.APPROVED))
    action = Action("a" * 32, id, bot.clock().date(), title=NOTE)
    await save(running, records, bot.app.service.area(running), action)
    closed = (await the_snapshot(bot)).closed
    assert closed is not None
    assert "key-destroyed" in await work_of(bot, date.fromisoformat(closed) + timedelta(days=7))
    return await the_snapshot(bot)


async def holds_a_session(bot: RunningBot, running: Running) -> None:
    service, instrument = bot.app.service, bot.app.service.pack.instrument
    at = (running, service.records)
    seen = (await session.start(*at, instrument, "the channel")).moment
    await session.join(*at, instrument, PARTNER, "police", "Zqxj Partner")
    await session.rate(*at, instrument, PARTNER, seen, RATINGS)
    shown = (await session.reveal(*at, instrument, seen)).moment
    await session.agree(*at, instrument, shown, Agreed(RATINGS, note=NOTE, named=NOTE))


# -- each on its day ------------------------------------------------------------------------------


async def test_who_took_part_and_leads_go_first(teams: Teams, bot: RunningBot) -> None:
    running = await one_that_is_over(bot, teams)
    assert await kinds_left(bot, running) >= OF_PEOPLE
    day = await until(bot, Part.PEOPLE)
    assert await work_of(bot, day - timedelta(days=1)) == []
    assert await kinds_left(bot, running) >= OF_PEOPLE
    assert await work_of(bot, day) == ["people-deleted"]
    left = await kinds_left(bot, running)
    assert not left & OF_PEOPLE
    assert left >= {Kind.SLIP, Kind.TALLY, Kind.PUBLICATION, Kind.MESSAGE, *WORDS}
    messages = await bot.app.service.records.heads(running.snapshot.id, Kind.MESSAGE)
    assert all(is_to_channel(head.id) for head in messages)
    assert await work_of(bot, day + timedelta(days=1)) == []


async def test_nothing_is_posted_twice_once_the_ledger_of_people_is_gone(
    teams: Teams, bot: RunningBot
) -> None:
    await one_that_is_over(bot, teams)
    posted = len(teams.sent)
    await work_of(bot, await until(bot, Part.PEOPLE))
    await bot.restarts()
    await bot.stops_working()
    await bot.app.worker.do_due()
    assert len(teams.sent) == posted


async def test_facilitators_are_told_two_weeks_before_words_go(
    teams: Teams, bot: RunningBot, tmp_path: Path
) -> None:
    running = await one_that_is_over(bot, teams)
    day = await until(bot, Part.WORDS)
    warned = day - timedelta(days=WARNED_DAYS)
    assert "deletion-announced" not in await work_of(bot, warned - timedelta(days=1))
    assert await work_of(bot, warned) == ["deletion-announced", "posted-keeping"]
    assert "Comments and notes will be deleted on" in teams.now(teams.sent[-1]).words
    assert f"{day:%A} {day.day} {day:%B}" in teams.now(teams.sent[-1]).words
    await write_report(bot.app.service, running.snapshot.id, tmp_path / "out", "")

    assert await work_of(bot, day) == ["words-deleted"]
    assert not await kinds_left(bot, running) & WORDS
    kept = await session.find(running, bot.app.service.records)
    assert kept is not None
    assert [a.ratings for a in kept.agreed.values()] == [RATINGS]
    assert NOTE not in str(kept)
    with pytest.raises(CannotReport, match="have been deleted"):
        await write_report(bot.app.service, running.snapshot.id, tmp_path / "out", "")
    fay = teams.person("Fay")
    assert "can no longer be made" in (await fay.types("report")).words
    assert await work_of(bot, day + timedelta(days=1)) == []


async def test_no_words_go_unless_that_was_told(teams: Teams, bot: RunningBot) -> None:
    """The bot did not run for a while, and it is a Sunday now, on which nothing is posted."""
    running = await one_that_is_over(bot, teams)
    day = await until(bot, Part.WORDS)
    sunday = day + timedelta(days=6 - day.weekday())
    assert await work_of(bot, sunday) == ["people-deleted"]
    assert await kinds_left(bot, running) >= WORDS
    assert "deletion-announced" in await work_of(bot, sunday + timedelta(days=1))
    told = sunday + timedelta(days=1 + WARNED_DAYS)
    assert await work_of(bot, told) == ["words-deleted"]


async def test_words_stay_until_the_day_that_was_told_even_if_it_is_set_to_less(
    teams: Teams, bot: RunningBot
) -> None:
    running = await one_that_is_over(bot, teams)
    await bot.stops()
    bot.more_settings = {"SNAPSHOT_NOTE_DAYS": "14", "SNAPSHOT_LEAD_DAYS": "14"}
    await bot.starts()
    await bot.stops_working()
    closed = date.fromisoformat(running.closed or "")
    today = closed + timedelta(days=100)  # 10 June 2026, a Wednesday
    assert "deletion-announced" in await work_of(bot, today)
    assert await kinds_left(bot, running) >= WORDS
    told = today + timedelta(days=WARNED_DAYS)
    assert await work_of(bot, told - timedelta(days=1)) == []
    assert await work_of(bot, told) == ["words-deleted"]


async def test_an_interrupted_deletion_is_gone_on_with(
    teams: Teams, bot: RunningBot, tmp_path: Path
) -> None:
    """No report is made of what is left of the words."""
    running = await one_that_is_over(bot, teams)
    records, day = bot.app.service.records, await until(bot, Part.WORDS)
    await work_of(bot, day - timedelta(days=WARNED_DAYS))
    (comment,) = await records.read_all(running.snapshot.id, Kind.COMMENT)
    await forget_words(running, records)
    await records.create(replace(comment, etag=""))
    with pytest.raises(CannotReport, match="have been deleted"):
        await write_report(bot.app.service, running.snapshot.id, tmp_path / "out", "")
    assert await work_of(bot, day) == ["words-deleted"]
    assert not await kinds_left(bot, running) & WORDS


async def test_what_a_store_would_not_delete_is_deleted_in_the_next_round(
    teams: Teams, bot: RunningBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not on the next day."""
    running = await one_that_is_over(bot, teams)
    day = await until(bot, Part.PEOPLE)

    async def failing(self: object, record: object) -> None:
        raise Unavailable

    monkeypatch.setattr(type(bot.app.service.records), "delete", failing)
    assert await work_of(bot, day) == []
    monkeypatch.undo()
    assert await work_of(bot, day) == ["people-deleted"]
    assert not await kinds_left(bot, running) & OF_PEOPLE


async def test_in_the_end_nothing_is_left_of_it_nor_of_the_plan(
    teams: Teams, bot: RunningBot
) -> None:
    running = await one_that_is_over(bot, teams)
    service, area = bot.app.service, bot.app.service.area(running)
    day = await until(bot, Part.REST)
    await work_of(bot, day - timedelta(days=WARNED_DAYS))
    await work_of(bot, day - timedelta(days=1))
    assert await kinds_left(bot, running) >= {Kind.SLIP, Kind.PUBLICATION}
    assert await service.records.heads(area, Kind.ACTION)
    assert await work_of(bot, day) == ["words-deleted", "plan-deleted", "rest-deleted"]
    assert await kinds_left(bot, running) == set()
    assert await service.records.heads(area, Kind.ACTION) == []
    assert await service.directory.all() == []
    assert await service.records.heads(DIRECTORY, Kind.SNAPSHOT) == []
    assert "No snapshot" in (await teams.person("Fay").posts("status", teams.channel())).words


async def test_the_plan_stays_as_long_as_a_later_snapshot_of_the_area_needs_it(
    teams: Teams, bot: RunningBot
) -> None:
    running = await one_that_is_over(bot, teams)
    area = bot.app.service.area(running)
    day = await until(bot, Part.PLAN)
    bot.clock.now = bot.clock.now.replace(year=day.year, month=1, day=7)
    await bot.opens_a_snapshot(seed=2)
    await teams.person("Fay").posts("status", teams.channel())
    assert "plan-deleted" not in await work_of(bot, day)
    assert await bot.app.service.records.heads(area, Kind.ACTION)


async def test_nothing_goes_as_long_as_the_key_is_there(teams: Teams, bot: RunningBot) -> None:
    """Somebody's answers are still sealed, so people may still be needed."""
    fay, channel = teams.person("Fay"), teams.channel()
    await fay.posts("status", channel)
    await have_sent(bot, comments=[{}] * 12)
    await closes(fay, channel)
    await summary_in(teams, channel)
    await bot.stops_working()
    await bot.app.worker.do_due()  # what it was about to note of its post
    running, records = await the_snapshot(bot), bot.app.service.records
    envelope = (await records.heads(running.snapshot.id, Kind.ENVELOPE))[0]
    record = await records.read(running.snapshot.id, Kind.ENVELOPE, envelope.id)
    await records.replace(replace(record, state="submitted"))
    assert await work_of(bot, await until(bot, Part.REST)) == []
    assert Kind.ENVELOPE in await kinds_left(bot, running)


# -- what is said of it ---------------------------------------------------------------------------


async def test_the_operator_sees_until_when(teams: Teams, bot: RunningBot) -> None:
    running = await the_snapshot(bot)
    assert (
        await says(bot) == f"{running.snapshot.id}: has not closed, so nothing of it is deleted yet"
    )
    await one_that_is_over(bot, teams)
    days = {part: await until(bot, part) for part in Part}
    assert days[Part.PEOPLE] == date(2026, 4, 1)
    said = ", ".join(f"{part} until {day}" for part, day in days.items())
    assert await says(bot) == f"{running.snapshot.id}: {said}"
    (bot.folder / "keys" / "service.key").write_bytes(bytes(32))
    assert "stopped, so nothing of it is deleted by itself" in await says(bot)


async def says(bot: RunningBot) -> str:
    return (await command(bot, "retention")).out.strip()


async def test_on_cosmos_db_it_is_the_same(cosmos: Server, tmp_path: Path) -> None:
    more = settings_for(cosmos.new_database())
    bot = RunningBot(tmp_path, free_port(), more_settings=more)
    await bot.starts()
    await bot.opens_a_snapshot()
    async with Teams(bot.url) as teams:
        running = await one_that_is_over(bot, teams)
        assert await work_of(bot, await until(bot, Part.PEOPLE)) == ["people-deleted"]
        day = await until(bot, Part.REST)
        await work_of(bot, day - timedelta(days=WARNED_DAYS))
        assert "rest-deleted" in await work_of(bot, day)
        assert await kinds_left(bot, running) == set()
    await bot.stops()
