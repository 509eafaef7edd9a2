"""What goes out before the deadline, and that it tells nobody anything of anybody."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.rehearsal.teams import PersonHere, Sent, Teams
from snapshot.leads import all_leads
from snapshot.ports import Head, Kind, SnapshotId, Unavailable
from tests.ports import free_port
from tests.stories.commenting import the_snapshot
from tests.stories.opening import BotOnDemand
from tests.stories.people import answers_all, begins, sends

OPENING = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
"""Opened on Monday at nine, until Saturday the 14th; the middle is a Sunday."""
MIDWAY = datetime(2026, 3, 6, 9, 30, tzinfo=UTC)
LIST_FOR_MIDWAY = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
LAST = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)
TOAST = "Safeguarding snapshot"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    async with BotOnDemand(tmp_path, free_port()) as running:
        await running.opens_a_snapshot()
        yield running


async def works_at(bot: BotOnDemand, at: datetime) -> list[str]:
    bot.clock.now = at
    return [deed.did for deed in await bot.app.worker.do_due()]


def messages(teams: Teams, person: PersonHere) -> list[Sent]:
    return [s for s in teams.sent if s.conversation == person.chat and "type" in s.activity]


async def reminders(teams: Teams, person: PersonHere, before: int) -> list[str]:
    return [s.card.words for s in messages(teams, person)[before:]]


async def has_sent(person: PersonHere) -> PersonHere:
    await begins(person)
    await answers_all(person)
    await sends(person)
    return person


async def test_nobody_is_written_to_before_the_posts_have_been_looked_after(
    teams: Teams, bot: BotOnDemand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A post that came after the sending would tell by its time how many there were."""
    ada = teams.person("Ada")
    await begins(ada)
    had, heads = len(messages(teams, ada)), bot.app.service.records.heads
    noted: list[str] = []

    async def fails_once_it_is_noted(
        snapshot: SnapshotId, kind: Kind, state: str = ""
    ) -> list[Head]:
        found = await heads(snapshot, kind, state)
        if kind is Kind.PUBLICATION and any("unfinished" in head.id for head in found):
            noted.append("now")
            raise Unavailable
        return found

    with monkeypatch.context() as patch:
        patch.setattr(bot.app.service.records, "heads", fails_once_it_is_noted)
        await works_at(bot, MIDWAY)
    assert noted, "the reminder had been noted by then"
    assert await reminders(teams, ada, had) == []
    await works_at(bot, MIDWAY + timedelta(minutes=1))
    assert len(await reminders(teams, ada, had)) == 1


# -- practitioners ---------------------------------------------------------------------------------


async def test_only_who_has_begun_and_not_finished_is_reminded_and_only_once(
    teams: Teams, bot: BotOnDemand
) -> None:
    ada, ben = teams.person("Ada"), await has_sent(teams.person("Ben"))
    quiet, gone, late = teams.person("Quin"), teams.person("Gus"), teams.person("Lou")
    for person in (ada, quiet, gone):
        await begins(person)
    await quiet.types("withdraw")
    await quiet.presses("No more reminders")
    await gone.types("withdraw")
    await gone.presses("Yes, delete my answers")
    had = {p.name: len(messages(teams, p)) for p in (ada, ben, quiet, gone)}

    assert "unfinished-reminded" in await works_at(bot, MIDWAY)
    await begins(late)
    late_had = len(messages(teams, late))
    assert "unfinished-reminded" not in await works_at(bot, MIDWAY.replace(hour=10))

    (said,) = await reminders(teams, ada, had["Ada"])
    assert "you have not finished yet" in said
    assert messages(teams, ada)[-1].activity["summary"] == TOAST
    for person in (ben, quiet, gone):
        assert await reminders(teams, person, had[person.name]) == []
    assert await reminders(teams, late, late_had) == []
    await works_at(bot, LAST)
    assert len(await reminders(teams, ada, had["Ada"])) == 2
    assert len(await reminders(teams, late, late_had)) == 1


async def test_from_a_reminder_somebody_goes_on_or_ends_them(
    teams: Teams, bot: BotOnDemand
) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    await works_at(bot, MIDWAY)
    reminder = messages(teams, ada)[-1].card
    ada.sees = reminder
    assert "1 of 22" in (await ada.presses("Continue")).words
    ada.sees = reminder
    assert "We will not remind you again" in (await ada.presses("No more reminders")).words
    before = len(messages(teams, ada))
    await works_at(bot, LAST)
    assert len(messages(teams, ada)) == before


async def test_a_post_does_not_wait_for_reminders_which_would_tell_how_many_there_are(
    teams: Teams, bot: BotOnDemand
) -> None:
    fay, channel = teams.person("Fay"), teams.channel()
    await fay.posts("status", channel)
    await begins(teams.person("Ada"))
    before = len(teams.sent)
    done = await works_at(bot, LAST)
    assert {"facilitators-nudged", "unfinished-reminded"} <= set(done)
    first, *others = [sent.conversation for sent in teams.sent[before:]]
    assert (first, len(others)) == (channel, 1)


async def test_nothing_is_left_of_who_was_reminded(
    teams: Teams, bot: BotOnDemand, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nor does what the bot tells of its work differ, whether anybody had to be reminded."""
    await has_sent(teams.person("Ben"))
    nobody = await works_at(bot, MIDWAY)
    for name in ("Ada", "Cat"):
        await begins(teams.person(name))
    some = await works_at(bot, LAST)
    assert [d for d in nobody if "unfinished" in d] == [d for d in some if "unfinished" in d]
    running, records = await the_snapshot(bot), bot.app.service.records
    assert [h.id for h in await records.heads(running.snapshot.id, Kind.MESSAGE)] == [
        h.id
        for h in await records.heads(running.snapshot.id, Kind.MESSAGE)
        if not h.id.startswith("unfinished")
    ]
    assert "remind" not in "".join(capfd.readouterr())


# -- leads -----------------------------------------------------------------------------------------


async def a_channel_with_leads(teams: Teams, *addresses: str) -> str:
    facilitator, channel = teams.person("Fay"), teams.channel()
    await facilitator.posts("status", channel)
    await facilitator.presses_in(channel, "Add safeguarding leads")
    await facilitator.presses_in(channel, "Add these leads", {"leads": "\n".join(addresses)})
    return channel


async def test_a_lead_whom_the_bot_knows_gets_three_reminders_and_can_stop_them(
    teams: Teams, bot: BotOnDemand
) -> None:
    ann, bea = teams.person("Ann"), teams.person("Bea")
    await a_channel_with_leads(teams, f"{ann.email}, Ann Smith", bea.email)
    for lead in (ann, bea):
        await lead.types("start")
    had = {p.name: len(messages(teams, p)) for p in (ann, bea)}
    assert "leads-reminded" in await works_at(bot, OPENING)
    first = messages(teams, ann)[-1]
    assert "Hello Ann," in first.card.words
    assert first.activity["summary"] == TOAST
    bea.sees = messages(teams, bea)[-1].card
    await bea.presses("Stop these reminders")
    await works_at(bot, MIDWAY)
    await works_at(bot, LAST)
    assert len(await reminders(teams, ann, had["Ann"])) == 3
    assert len(await reminders(teams, bea, had["Bea"])) == 1


async def test_whom_only_an_email_reaches_is_handed_over_two_working_days_before(
    teams: Teams, bot: BotOnDemand
) -> None:
    channel = await a_channel_with_leads(teams, "cy@dale.example, Cy")
    assert "leads-to-email" in await works_at(bot, LIST_FOR_MIDWAY)
    posted = [s for s in teams.posts(channel) if ";" not in s.conversation][-1]
    assert "Friday 6 March" in posted.card.words
    assert "dale" not in json.dumps(posted.activity)
    assert "leads-to-email" not in await works_at(bot, LIST_FOR_MIDWAY.replace(hour=11))


async def test_a_lead_who_begins_to_talk_gets_the_reminder_that_they_had_missed(
    teams: Teams, bot: BotOnDemand
) -> None:
    ann = teams.person("Ann")
    await a_channel_with_leads(teams, ann.email)
    await works_at(bot, OPENING)
    assert messages(teams, ann) == []
    await ann.types("start")
    had = len(messages(teams, ann))
    await works_at(bot, OPENING.replace(hour=11))
    assert len(await reminders(teams, ann, had)) == 1
    (lead,) = await all_leads(await the_snapshot(bot), bot.app.service.records)
    assert not lead.is_out_of_reach


# -- what facilitators see of it -------------------------------------------------------------------


async def test_facilitators_see_what_comes_next_in_its_words_and_how_many_leads_it_reached(
    teams: Teams, bot: BotOnDemand
) -> None:
    ann = teams.person("Ann")
    channel = await a_channel_with_leads(teams, ann.email, "cy@dale.example")
    await ann.types("start")
    fay = teams.person("Fay")
    await fay.posts("status", channel)
    shown = (await fay.presses_in(channel, "See the reminders")).words
    assert "Monday 2 March at 9.30am: to the safeguarding leads" in shown
    assert "Friday 6 March at 9.30am: to practitioners who have begun" in shown
    assert "a note on progress, in this channel" in shown
    assert "A few minutes in a staff meeting can be enough." in shown
    assert "Last reminder to leads" not in shown

    await begins(teams.person("Ada"))
    await works_at(bot, MIDWAY)
    await fay.posts("status", channel)
    shown = (await fay.presses_in(channel, "See the reminders")).words
    assert "Last reminder to leads: 1 sent in Teams, 0 still waiting, 1 left for you" in shown
    assert "Friday 6 March" not in shown
    assert "Thursday 12 March at 9.30am: to the safeguarding leads" in shown


async def test_an_extension_changes_what_comes_at_once(teams: Teams, bot: BotOnDemand) -> None:
    fay, channel = teams.person("Fay"), teams.channel()
    await fay.posts("status", channel)
    await fay.posts("extend", channel)
    later = {"deadline": "2026-03-20", "reason": "Snow."}
    await fay.presses_in(channel, "Move the deadline", later)
    await fay.posts("status", channel)
    shown = (await fay.presses_in(channel, "See the reminders")).words
    assert "Thursday 12 March" not in shown
    assert "Wednesday 18 March at 9.30am: to the safeguarding leads" in shown


# -- when the worker looks again -------------------------------------------------------------------


async def test_the_worker_rests_until_the_next_thing_is_due_and_ten_minutes_at_most(
    teams: Teams, bot: BotOnDemand
) -> None:
    await works_at(bot, MIDWAY - timedelta(seconds=90))
    assert bot.app.worker.rest_s() == 91
    await works_at(bot, MIDWAY)
    assert bot.app.worker.rest_s() == 600


async def test_the_worker_looks_again_soon_where_something_has_failed(
    teams: Teams, bot: BotOnDemand, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise Unavailable

    monkeypatch.setattr(bot.app.service.records, "heads", fails)
    await works_at(bot, MIDWAY)
    assert bot.app.worker.rest_s() == 60
