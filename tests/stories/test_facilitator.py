"""The facilitator's channel: progress, the close, and the summary that follows at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from random import Random

from bot.rehearsal.teams import Teams
from snapshot.closing import final_summary
from snapshot.envelope import Contact, State
from snapshot.ports import Kind
from snapshot.publication import Outbox
from snapshot.sealing import Person
from snapshot.survey import Survey
from tests.stories.conftest import RunningBot
from tests.stories.people import (
    AGENCIES,
    answers_all,
    begins,
    closes,
    respondents,
    seen,
    summary_in,
)

DOMAINS = (
    "CSA Awareness",
    "CSA Prevention",
    "CSA Protection: Initial response",
    "CSA Protection: Effective assessment",
    "CSA Recovery support",
)


async def is_noted_as_sent(bot: RunningBot) -> None:
    """Killed before it has noted that, a bot would post the summary once more."""
    service = bot.app.service
    (running,) = await service.directory.all()
    async with asyncio.timeout(60):
        while True:
            found = await final_summary(service.records, running.snapshot.id)
            if found and found[1].state == Outbox.SENT:
                return
            await asyncio.sleep(0.02)


async def test_status_shows_no_live_figure(teams: Teams) -> None:
    facilitator, channel = teams.person("Fay"), teams.channel()
    before = (await facilitator.posts("status", channel)).words
    for someone in respondents(teams, 2, AGENCIES, Random(1)):
        await someone.takes_part()
    assert (await facilitator.posts("status", channel)).words == before
    assert "is open" in before


async def test_close_asks_once_more(teams: Teams) -> None:
    facilitator, channel = teams.person("Fay"), teams.channel()
    shown = await facilitator.posts("close", channel)
    assert "Do you want to close the snapshot now?" in shown.words
    await facilitator.presses_in(channel, "Cancel")
    assert "is open" in seen(facilitator).words


async def test_the_close_posts_five_domains_with_words_beside_the_colours(teams: Teams) -> None:
    facilitator, channel = teams.person("Fay"), teams.channel()
    await facilitator.posts("status", channel)
    await asyncio.gather(*(p.takes_part() for p in respondents(teams, 50, AGENCIES, Random(1))))
    await closes(facilitator, channel)

    summary = await summary_in(teams, channel)

    words = summary.card.words
    assert [d for d in DOMAINS if d in words] == list(DOMAINS)
    assert "about 50 practitioners" in words
    assert words.count("weighted by headcount") >= 5
    assert words.count("unweighted") >= 5
    assert "How to read these figures" in words
    assert summary.activity["summary"] == "Safeguarding snapshot"
    status = await facilitator.posts("status", channel)
    assert "about 50 practitioners" in status.words


async def test_fewer_than_ten_publish_nothing_and_say_why(teams: Teams, bot: RunningBot) -> None:
    facilitator, channel = teams.person("Fay"), teams.channel()
    await facilitator.posts("status", channel)
    people = respondents(teams, 9, AGENCIES[:1], Random(1))
    for someone in people:
        await someone.takes_part()
    await closes(facilitator, channel)

    summary = await summary_in(teams, channel)

    assert "Fewer than 10 people answered; results are withheld" in summary.card.words
    assert not any(domain in summary.card.words for domain in DOMAINS)
    await bot.app.worker.do_due()
    shown = await people[0].person.opens_the_chat()
    assert "all answers have been deleted unread" in shown.words


async def test_after_the_close_each_is_told_what_became_of_their_part(teams: Teams) -> None:
    facilitator, channel = teams.person("Fay"), teams.channel()
    await facilitator.posts("status", channel)
    people = respondents(teams, 12, AGENCIES[:1], Random(1))
    await asyncio.gather(*(p.takes_part() for p in people))
    unfinished, stranger = teams.person("Una"), teams.person("Stan")
    await begins(unfinished)
    await closes(facilitator, channel)
    await summary_in(teams, channel)

    assert "have been mixed" in (await people[0].person.opens_the_chat()).words
    assert "deleted unread" in (await unfinished.presses("Mostly true")).words
    assert "The snapshot closed on" in (await stranger.opens_the_chat()).words


async def test_a_ballot_that_cannot_be_read_is_set_aside_emptied_and_said(
    teams: Teams, bot: RunningBot
) -> None:
    facilitator, channel = teams.person("Fay"), teams.channel()
    await facilitator.posts("status", channel)
    people = respondents(teams, 13, AGENCIES[:1], Random(1))
    for someone in people:
        await someone.takes_part()
    records, (running,) = bot.app.service.records, await bot.app.service.directory.all()
    unlucky = people[0].person
    tag = running.sealer.tag(Person(unlucky.tenant, unlucky.object_id))
    envelope = await records.read(running.snapshot.id, Kind.ENVELOPE, tag)
    broken = {**envelope.body, "ballot": "A" * len(envelope.body["ballot"])}
    await records.replace(replace(envelope, body=broken))

    await closes(facilitator, channel)

    assert "about 10 practitioners" in (await summary_in(teams, channel)).card.words
    assert "could not read your answers" in (await unlucky.opens_the_chat()).words
    kept = await records.read(running.snapshot.id, Kind.ENVELOPE, tag)
    assert not any(kept.body.values())


async def test_whoever_began_in_the_moment_of_the_close_leaves_nothing_sealed(
    teams: Teams, bot: RunningBot
) -> None:
    """Their turn had read that the snapshot is open, and wrote only after the close was done."""
    facilitator, channel = teams.person("Fay"), teams.channel()
    await closes(facilitator, channel)
    await summary_in(teams, channel)
    service, (running,) = bot.app.service, await bot.app.service.directory.all()
    late = Person("tenant-of-exampleshire", "late")
    survey = Survey(running, service.pack.instrument, service.records)
    await survey.begin(late, "police", Contact(late.tenant, late.object_id, {}, "en-GB"))

    await bot.app.worker.do_due()

    tag = running.sealer.tag(late)
    kept = await service.records.read(running.snapshot.id, Kind.ENVELOPE, tag)
    assert kept.state == State.EXPIRED
    assert not any(kept.body.values())


async def test_closing_twice_at_once_closes_once(teams: Teams) -> None:
    facilitator, channel = teams.person("Fay"), teams.channel()
    await asyncio.gather(*(p.takes_part() for p in respondents(teams, 12, AGENCIES, Random(1))))
    await facilitator.posts("close", channel)
    other = teams.person("Flo")
    await other.posts("close", channel)
    await asyncio.gather(
        facilitator.presses_in(channel, "Yes, close it now"),
        other.presses_in(channel, "Yes, close it now"),
    )
    await summary_in(teams, channel)
    await asyncio.sleep(0.3)
    assert len([s for s in teams.posts(channel) if ";" not in s.conversation]) == 1


async def test_a_close_that_was_interrupted_is_finished_at_the_next_start(
    teams: Teams, bot: RunningBot
) -> None:
    """The channel hears of it then, and only once."""
    facilitator, channel = teams.person("Fay"), teams.channel()
    await facilitator.posts("status", channel)
    await asyncio.gather(*(p.takes_part() for p in respondents(teams, 12, AGENCIES, Random(1))))
    await facilitator.posts("close", channel)
    await bot.stops_working()
    shown = await facilitator.presses_in(channel, "Yes, close it now")
    assert "The snapshot closed on" in shown.words

    await bot.restarts()

    await summary_in(teams, channel)
    await is_noted_as_sent(bot)
    await bot.restarts()
    await asyncio.sleep(0.3)
    assert len([s for s in teams.posts(channel) if ";" not in s.conversation]) == 1


async def test_at_the_deadline_it_closes_by_itself(teams: Teams, bot: RunningBot) -> None:
    facilitator, channel = teams.person("Fay"), teams.channel()
    await facilitator.posts("status", channel)
    await asyncio.gather(*(p.takes_part() for p in respondents(teams, 12, AGENCIES, Random(1))))
    bot.clock.moves(days=13)
    bot.app.service.wake()
    assert "about 10 practitioners" in (await summary_in(teams, channel)).card.words


async def test_another_channel_cannot_close_it(teams: Teams) -> None:
    facilitator, channel = teams.person("Fay"), teams.channel()
    await facilitator.posts("close", channel)
    elsewhere = teams.channel("elsewhere")
    stranger = teams.person("Stan")
    stranger.sees = facilitator.sees
    shown = await stranger.presses_in(elsewhere, "Yes, close it now")
    assert "No snapshot is open" in shown.words
    assert "is open" in (await facilitator.posts("status", channel)).words


async def test_the_survey_is_not_answered_where_others_can_see(teams: Teams) -> None:
    facilitator, channel = teams.person("Fay"), teams.channel()
    shown = await facilitator.posts("start", channel)
    assert "answer in a private chat" in shown.words


async def test_help_lists_only_what_works(teams: Teams) -> None:
    facilitator, channel = teams.person("Fay"), teams.channel()
    shown = await facilitator.posts("what can you do?", channel)
    for word in ("status", "session", "report", "plan", "close", "help", "leads"):
        assert f"**{word}**" in shown.words
    assert "**comments**" not in shown.words, "those are for moderators, in a channel of their own"


async def test_a_practitioner_cannot_close_from_a_private_chat(teams: Teams) -> None:
    facilitator, channel = teams.person("Fay"), teams.channel()
    await facilitator.posts("close", channel)
    ada = teams.person("Ada")
    await begins(ada)
    answer = await ada.acts(seen(facilitator).action("Yes, close it now"))
    assert "no longer on offer" in answer.card.words
    await answers_all(ada)
    assert "is open" in (await facilitator.posts("status", channel)).words
