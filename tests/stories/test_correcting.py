"""Contacts are put right while it runs: whoever is worried about a child needs the right ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

import pytest

from bot.rehearsal.teams import PersonHere, Shown, Teams
from snapshot.acts import Did, read_log
from snapshot.opening import Running
from snapshot.ports import Kind, Record, SnapshotId
from snapshot.snapshot import Contacts
from tests.ports import free_port
from tests.stories.opening import BotOnDemand, another_process, own_threads
from tests.stories.people import begins, closes

PHONE = "01632 960 002"
SAVE = "Correct the contacts"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    async with BotOnDemand(tmp_path, free_port()) as running:
        await running.opens_a_snapshot()
        yield running


async def the_one(bot: BotOnDemand) -> Running:
    (running,) = await bot.app.service.directory.all(fresh=True)
    return running


async def contacts_of(bot: BotOnDemand) -> Contacts:
    return (await the_one(bot)).snapshot.contacts


async def opens_the_form(person: PersonHere, channel: str) -> Shown:
    return await person.posts("contacts", channel)


async def saves(person: PersonHere, channel: str, **typed: str) -> Shown:
    return await person.presses_in(channel, SAVE, typed)


# -- put right ------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["word", "Welsh word", "button"])
async def test_the_form_has_what_stands_there_now(
    bot: BotOnDemand, fay: PersonHere, channel: str, by: str
) -> None:
    if by == "button":
        shown = await fay.presses_in(channel, SAVE)
    else:
        shown = await fay.posts("contacts" if by == "word" else "cysylltiadau", channel)
    assert shown.inputs == asdict(await contacts_of(bot))
    assert shown.buttons == [SAVE, "Cancel"]


async def test_the_channel_is_told_what_has_changed_and_nobody_is_written_to(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    had = len(teams.posts(ada.chat))
    before = await contacts_of(bot)
    await opens_the_form(fay, channel)
    shown = await saves(fay, channel, front_door_phone=PHONE, safeguarding_name="Gwen")

    for said in (
        f"Front door: phone: {PHONE} (until now: {before.front_door_phone})",
        f"Safeguarding contact: name: Gwen (until now: {before.safeguarding_name})",
    ):
        assert said in plain(shown.words)
    assert before.front_door_hours not in shown.words
    await bot.works()
    await bot.works()
    (post,) = own_threads(teams, channel)
    assert post.card.words == shown.words
    assert len(teams.posts(ada.chat)) == had


async def test_whoever_is_worried_about_a_child_sees_the_right_number_at_once(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    wrong = (await contacts_of(bot)).front_door_phone
    assert wrong in plain((await ada.presses("Worried about a child?")).words)
    await opens_the_form(fay, channel)
    gwen = {"safeguarding_name": "Gwen", "safeguarding_email": "gwen@exampleshire.example"}
    await saves(fay, channel, front_door_phone=PHONE, **gwen)

    await ada.presses("Support for me")
    shown = await ada.presses("Worried about a child?")

    assert PHONE in plain(shown.words)
    assert wrong not in plain(shown.words)
    assert shown.action("Chat with Gwen")["url"].endswith("users=gwen@exampleshire.example")
    await bot.restarts()
    await ada.presses("Support for me")
    assert PHONE in plain((await ada.presses("Worried about a child?")).words)


def plain(words: str) -> str:
    """A phone number is never broken over two lines."""
    return words.replace("\N{NO-BREAK SPACE}", " ")


async def test_the_same_press_twice_is_one_correction(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    shown = await opens_the_form(fay, channel)
    typed = {**shown.inputs, "front_door_phone": PHONE}
    press = shown.action(SAVE)
    answers = await asyncio.gather(*(fay.acts(press, typed, chat=channel) for _ in range(3)))
    await bot.works()
    answers.append(await fay.acts(press, typed, chat=channel))
    assert all(PHONE in plain(answer.card.words) for answer in answers)
    running = await the_one(bot)
    assert len(running.snapshot.corrections) == 1
    assert len(own_threads(teams, channel)) == 1
    lines = await read_log(running, bot.app.service.records)
    assert [(line.act.did, line.act.about) for line in lines if line.act] == [(Did.CORRECTED, "1")]


async def test_nothing_corrected_is_nothing_told(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await opens_the_form(fay, channel)
    shown = await saves(fay, channel)
    assert "is open." in shown.words
    await bot.works()
    assert own_threads(teams, channel) == []
    assert (await the_one(bot)).snapshot.corrections == ()


async def test_two_corrections_are_told_in_turn(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    for phone in (PHONE, "01632 960 003"):
        await opens_the_form(fay, channel)
        await saves(fay, channel, front_door_phone=phone)
    await bot.works()
    first, second = (plain(post.card.words) for post in own_threads(teams, channel))
    assert f"Front door: phone: {PHONE} (until now" in first
    assert f"Front door: phone: 01632 960 003 (until now: {PHONE})" in second


# -- refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id", "words", "label"),
    [
        ("front_door_phone", "ring us", "Front door: phone"),
        ("front_door_name", "", "Front door"),
        ("out_of_hours_phone", "", "Out of hours: phone"),
        ("safeguarding_email", "gwen", "Safeguarding contact: email"),
        ("privacy_url", "http://exampleshire.example", "Full privacy notice: link"),
        ("staff_support", "[Read this](https://evil.example)", "Support for staff"),
        ("data_controller", "{survey_link}", "In charge of the data"),
        ("front_door_hours", "h" * 121, "Front door: hours"),
    ],
)
async def test_what_nobody_could_turn_to_is_refused_and_loses_nothing(
    bot: BotOnDemand, fay: PersonHere, channel: str, id: str, words: str, label: str
) -> None:
    before = await the_one(bot)
    await opens_the_form(fay, channel)
    shown = await saves(fay, channel, **{"contact_email": "new@exampleshire.example", id: words})
    assert f"look again at this field: {label}." in shown.words
    assert shown.inputs["contact_email"] == "new@exampleshire.example"
    assert shown.inputs[id] == words
    assert await the_one(bot) == before


@pytest.mark.parametrize("forged", [{"seen": "1"}, {"seen": 7}, {"seen": None}, {"seen": -1}])
async def test_what_no_card_of_ours_carries_changes_nothing(
    bot: BotOnDemand, fay: PersonHere, channel: str, forged: dict[str, object]
) -> None:
    shown = await opens_the_form(fay, channel)
    typed = {**shown.inputs, "front_door_phone": PHONE, **forged}
    answer = await fay.acts(shown.action(SAVE), typed, chat=channel)
    assert "no longer on offer" in answer.card.words
    assert (await the_one(bot)).snapshot.corrections == ()


async def test_whoever_was_slower_sees_what_the_other_changed_before_saving(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    flo = teams.person("Flo")
    await opens_the_form(fay, channel)
    await opens_the_form(flo, channel)
    await saves(flo, channel, front_door_phone=PHONE)

    shown = await saves(fay, channel, safeguarding_name="Gwen")

    assert "Somebody else has corrected the contacts" in shown.words
    assert f"Front door: phone: {PHONE}" in plain(shown.words)
    assert shown.inputs["safeguarding_name"] == "Gwen"
    assert (await contacts_of(bot)).front_door_phone == PHONE
    await saves(fay, channel, front_door_phone=PHONE)
    assert (await contacts_of(bot)).front_door_phone == PHONE
    assert (await contacts_of(bot)).safeguarding_name == "Gwen"


async def test_also_when_the_other_saved_while_this_was_being_saved(
    bot: BotOnDemand,
    fay: PersonHere,
    channel: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    records = bot.app.service.records
    read, reads = records.read, 0
    await opens_the_form(fay, channel)

    async with another_process(bot) as other, Teams(other.url) as there:
        flo = there.person("Flo")
        await opens_the_form(flo, channel)

        async def slow(snapshot: SnapshotId, kind: Kind, id: str) -> Record:
            """The first one finds out who may do what; the second comes with the change."""
            nonlocal reads
            reads += kind is Kind.SNAPSHOT
            if reads == 2:
                monkeypatch.setattr(records, "read", read)
                await saves(flo, channel, front_door_phone=PHONE)
            return await read(snapshot, kind, id)

        monkeypatch.setattr(records, "read", slow)
        shown = await saves(fay, channel, safeguarding_name="Gwen")

    assert f"Front door: phone: {PHONE}" in plain(shown.words)
    assert shown.inputs["safeguarding_name"] == "Gwen"


async def test_what_another_process_corrected_is_seen_at_once(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await opens_the_form(fay, channel)
    async with another_process(bot) as other, Teams(other.url) as there:
        flo = there.person("Flo")
        await opens_the_form(flo, channel)
        await saves(flo, channel, front_door_phone=PHONE)
        shown = await saves(fay, channel, safeguarding_name="Gwen")
    assert f"Front door: phone: {PHONE}" in plain(shown.words)


async def test_once_it_is_closed_the_contacts_stay(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    form = await opens_the_form(fay, channel)
    await closes(fay, channel)
    before = await contacts_of(bot)
    fay.sees = form
    for shown in (
        await saves(fay, channel, front_door_phone=PHONE),
        await fay.posts("contacts", channel),
    ):
        assert "The snapshot closed on" in shown.words
    assert await contacts_of(bot) == before
