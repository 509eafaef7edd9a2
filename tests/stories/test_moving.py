"""Teams moves a chat or a channel to another address: who talks from there is written to there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.rehearsal.teams import PersonHere, Teams, Trouble
from bot.turns.turn import Address
from snapshot.envelope import Contact, State
from snapshot.leads import all_leads
from snapshot.survey import from_record
from tests.ports import free_port
from tests.stories.commenting import (
    envelope_of,
    moderators_register,
    the_snapshot,
    unasked,
)
from tests.stories.opening import BotOnDemand
from tests.stories.people import answers, answers_all, begins, closes, sends
from tests.stories.test_reminding import LAST, MIDWAY, OPENING, a_channel_with_leads, works_at


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    async with BotOnDemand(tmp_path, free_port()) as running:
        await running.opens_a_snapshot()
        yield running


@pytest.fixture
async def region(bot: BotOnDemand) -> AsyncIterator[Teams]:
    """Where Teams is from now on: the same people and chats, at another address."""
    async with Teams(bot.url) as elsewhere:
        yield elsewhere


def moved(person: PersonHere, region: Teams) -> PersonHere:
    region.people[person.id] = person
    return replace(person, teams=region)


async def contact_of(person: PersonHere, bot: BotOnDemand) -> Contact:
    running, record = await the_snapshot(bot), await envelope_of(person, bot)
    envelope = from_record(record, running.sealer)
    assert envelope.contact
    return Contact(**running.sealer.open(envelope.contact, "contact", envelope.tag))


async def url_of(person: PersonHere, bot: BotOnDemand) -> str:
    return Address.from_json((await contact_of(person, bot)).address).service_url


# -- practitioners ---------------------------------------------------------------------------------


async def test_a_reminder_goes_to_where_somebody_answered_last(
    teams: Teams, region: Teams, bot: BotOnDemand
) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    there = moved(ada, region)
    await answers(there, ["Mostly true"])
    before, had = len(region.posts(ada.chat)), len(teams.posts(ada.chat))
    await works_at(bot, MIDWAY)
    assert "you have not finished yet" in region.posts(ada.chat)[before].card.words
    assert len(teams.posts(ada.chat)) == had


async def test_whoever_only_looks_is_found_too_and_that_is_written_once(
    teams: Teams, region: Teams, bot: BotOnDemand
) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    begun = await envelope_of(ada, bot)
    for words in ("start", "status", "help"):
        await ada.types(words)
    assert await envelope_of(ada, bot) == begun, "nothing has changed"
    there = moved(ada, region)
    await there.types("start")
    once = await envelope_of(ada, bot)
    assert once.etag != begun.etag
    assert await url_of(ada, bot) == f"{region.url}/"
    for words in ("start", "status", "help"):
        await there.types(words)
    assert await envelope_of(ada, bot) == once


async def test_who_comes_back_after_sending_leaves_no_trace_of_it(
    teams: Teams, region: Teams, bot: BotOnDemand
) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    await answers_all(ada)
    await sends(ada)
    sent = await envelope_of(ada, bot)
    assert sent.state == State.SUBMITTED
    there = moved(ada, region)
    for words in ("start", "status"):
        await there.types(words)
    assert await envelope_of(ada, bot) == sent


async def test_every_write_looks_as_if_everything_in_the_envelope_had_changed(
    teams: Teams, region: Teams, bot: BotOnDemand
) -> None:
    """An answer, a move, another language and an end to reminders: one as good as the other."""
    ada = teams.person("Ada")
    await begins(ada)
    seen = [await envelope_of(ada, bot)]
    await answers(ada, ["Mostly true"])
    seen.append(await envelope_of(ada, bot))
    there = moved(ada, region)
    await there.types("start")
    seen.append(await envelope_of(ada, bot))
    await there.types("cymraeg")
    seen.append(await envelope_of(ada, bot))
    for part in ("ballot", "contact"):
        assert len({record.body[part] for record in seen}) == len(seen)
        assert len({len(record.body[part]) for record in seen}) == 1
    assert (await contact_of(ada, bot)).language == "cy-GB"


async def test_one_whom_teams_refused_is_written_to_again_once_they_have_talked(
    teams: Teams, bot: BotOnDemand
) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    had = len(teams.posts(ada.chat))
    teams.befalls = lambda _: Trouble(403)
    await works_at(bot, MIDWAY)
    assert len(teams.posts(ada.chat)) == had
    teams.befalls = lambda _: None
    await ada.types("start")
    had = len(teams.posts(ada.chat))
    await works_at(bot, LAST)
    assert "closes at 5pm on Saturday 14 March" in teams.posts(ada.chat)[had].card.words


# -- leads and channels ----------------------------------------------------------------------------


async def test_a_lead_is_reminded_where_they_talked_last(
    teams: Teams, region: Teams, bot: BotOnDemand
) -> None:
    ann = teams.person("Ann")
    await a_channel_with_leads(teams, ann.email)
    await ann.types("start")
    await works_at(bot, OPENING)
    await moved(ann, region).types("start")
    had = len(region.posts(ann.chat))
    await works_at(bot, MIDWAY)
    assert len(region.posts(ann.chat)) == had + 1
    (lead,) = await all_leads(await the_snapshot(bot), bot.app.service.records)
    assert lead.chat
    assert lead.chat["service_url"] == f"{region.url}/"


async def test_both_channels_are_posted_to_where_somebody_talked_last(
    teams: Teams, region: Teams, bot: BotOnDemand
) -> None:
    channels = await moderators_register(teams)
    known = (await the_snapshot(bot)).record
    await channels.fay.posts("status", channels.facilitators)
    assert (await the_snapshot(bot)).record == known, "nothing has changed"
    await moved(channels.fay, region).posts("status", channels.facilitators)
    await moved(channels.mo, region).posts("comments", channels.moderators)
    once = (await the_snapshot(bot)).record
    await moved(channels.mo, region).posts("comments", channels.moderators)
    assert (await the_snapshot(bot)).record == once
    await bot.restarts()
    directory, running = bot.app.service.directory, await the_snapshot(bot)
    for place in (directory.address(running), directory.moderators(running)):
        assert place
        assert place.service_url == f"{region.url}/"
    had = len(unasked(teams, channels.facilitators))
    fay = moved(channels.fay, region)
    await fay.posts("extend", channels.facilitators)
    later = {"deadline": "2026-03-20", "reason": "Snow."}
    await fay.presses_in(channels.facilitators, "Move the deadline", later)
    await works_at(bot, OPENING)
    assert any("Snow." in s.card.words for s in unasked(region, channels.facilitators))
    assert len(unasked(teams, channels.facilitators)) == had


async def test_a_channel_that_moves_after_the_key_is_gone_is_still_served(
    teams: Teams, region: Teams, bot: BotOnDemand
) -> None:
    """Months later: what was published is shown, and the plan kept up."""
    fay, channel = teams.person("Fay"), teams.channel()
    await closes(fay, channel)
    await bot.works()
    bot.clock.moves(days=8)
    assert "key-destroyed" in [deed.did for deed in await bot.works()]
    there = moved(fay, region)
    for _ in range(2):
        assert "results are withheld" in (await there.posts("status", channel)).words
    place = bot.app.service.directory.address(await the_snapshot(bot))
    assert place
    assert place.service_url == f"{region.url}/"
