"""Where facilitators are listed, nobody else opens, extends or closes, and they never moderate."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rehearsal.teams import PersonHere, Teams
from bot.settings import BadSettings, Settings
from snapshot.opening import Running
from snapshot.snapshot import Phase
from tests.ports import free_port
from tests.stories.opening import (
    BotOnDemand,
    a_form,
    goes_on,
    onward,
    opens,
    own_threads,
)
from tests.stories.people import closes, seen
from tests.stories.test_start import start

HOME = "tenant-of-exampleshire"
FAY = str(uuid.UUID(int=0xFA1))
FLO = str(uuid.UUID(int=0xF10))
ONLY = "Only a facilitator of this snapshot can do that. Nothing has changed."


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    """Fay and Flo are listed: Flo as somebody typed her who likes capitals and spaces."""
    listed = f"{HOME}/{FAY}, {HOME.upper()}/{FLO.upper()} ,"
    async with BotOnDemand(
        tmp_path, free_port(), more_settings={"SNAPSHOT_FACILITATORS": listed}
    ) as running:
        yield running


@pytest.fixture
def fay(teams: Teams) -> PersonHere:
    return PersonHere(teams, "Fay", HOME, FAY)


@pytest.fixture
def stan(teams: Teams) -> PersonHere:
    """In the same team, and not listed."""
    return teams.person("Stan")


async def the_one(bot: BotOnDemand) -> Running:
    (running,) = await bot.app.service.directory.all(fresh=True)
    return running


async def code_for_moderators(bot: BotOnDemand) -> str:
    return (await the_one(bot)).moderator_code


# -- what the others may not ----------------------------------------------------------------------


async def test_nobody_else_can_open_one(
    bot: BotOnDemand, fay: PersonHere, stan: PersonHere, channel: str
) -> None:
    assert ONLY in (await stan.posts("new", channel)).words
    await fay.posts("new", channel)
    for _ in ("the first card", "the second", "the last look"):
        answer = await stan.acts(onward(seen(fay)), a_form(), chat=channel)
        assert ONLY in answer.card.words
        await goes_on(fay, channel)
        if "is open." in seen(fay).words:
            break
        assert await bot.app.service.directory.all(fresh=True) == []
    assert "is open." in seen(fay).words


@pytest.mark.parametrize(
    "word", ["new", "contacts", "extend", "close", "newydd", "cysylltiadau", "estyn", "cau"]
)
async def test_nobody_else_can_type_what_decides(
    bot: BotOnDemand, fay: PersonHere, stan: PersonHere, channel: str, word: str
) -> None:
    await opens(fay, channel)
    before = await the_one(bot)
    assert ONLY in (await stan.posts(word, channel)).words
    assert await the_one(bot) == before


@pytest.mark.parametrize(
    ("word", "title", "typed"),
    [
        ("contacts", "Correct the contacts", {"front_door_phone": "01632 960 002"}),
        ("extend", "Move the deadline", {"deadline": "2026-03-21", "reason": "Snow."}),
        ("close", "Yes, close it now", {}),
    ],
)
async def test_nobody_else_can_press_what_a_facilitator_has_on_screen(
    teams: Teams,
    bot: BotOnDemand,
    fay: PersonHere,
    stan: PersonHere,
    channel: str,
    word: str,
    title: str,
    typed: dict[str, str],
) -> None:
    await opens(fay, channel)
    await bot.works()
    before = await the_one(bot)
    stan.sees = await fay.posts(word, channel)
    assert ONLY in (await stan.presses_in(channel, title, typed)).words
    await bot.works()
    assert await the_one(bot) == before
    assert len(own_threads(teams, channel)) == 1, "only what was posted at the opening"


@pytest.mark.parametrize(
    "title", ["Correct the contacts", "Move the deadline", "Close the snapshot"]
)
async def test_nobody_else_gets_further_than_the_status(
    bot: BotOnDemand, fay: PersonHere, stan: PersonHere, channel: str, title: str
) -> None:
    await opens(fay, channel)
    assert "The snapshot for Otherwick is open." in (await stan.posts("status", channel)).words
    assert ONLY in (await stan.presses_in(channel, title)).words
    shown = await stan.presses_in(channel, "See progress")
    assert "The snapshot for Otherwick is open." in shown.words


@pytest.mark.parametrize(
    ("tenant", "object_id"),
    [("tenant-of-elsewhere", FAY), (HOME, f"{FAY} "), (HOME, FAY[:-1]), (FAY, HOME)],
)
async def test_somebody_who_only_resembles_a_facilitator_is_none(
    teams: Teams, channel: str, tenant: str, object_id: str
) -> None:
    resembling = PersonHere(teams, "Fay", tenant, object_id)
    assert ONLY in (await resembling.posts("new", channel)).words


# -- what the listed may --------------------------------------------------------------------------


async def test_a_listed_facilitator_opens_extends_and_closes(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await opens(fay, channel)
    await fay.posts("extend", channel)
    typed = {"deadline": "2026-03-21", "reason": "Snow."}
    assert (
        "There is more time." in (await fay.presses_in(channel, "Move the deadline", typed)).words
    )
    await closes(fay, channel)
    assert (await the_one(bot)).phase is Phase.CLOSING


async def test_ids_in_other_letter_case_are_the_same_facilitator_in_the_same_channel(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await opens(fay, channel)
    for tenant, object_id in [(HOME, FLO), (HOME, FLO.upper()), (HOME.upper(), FLO)]:
        flo = PersonHere(teams, "Flo", tenant, object_id)
        shown = await flo.posts("extend", channel)
        assert "Choose a later deadline" in shown.words


async def test_without_a_list_whoever_is_there_may_open(
    bot: BotOnDemand, stan: PersonHere, channel: str
) -> None:
    bot.more_settings = {}
    await bot.restarts()
    assert "is open." in (await opens(stan, channel)).words


async def test_a_list_that_changes_counts_from_the_next_start(
    bot: BotOnDemand, fay: PersonHere, stan: PersonHere, channel: str
) -> None:
    await opens(fay, channel)
    bot.more_settings = {"SNAPSHOT_FACILITATORS": f"{HOME}/{stan.object_id}"}
    await bot.restarts()
    assert ONLY in (await fay.posts("close", channel)).words
    await closes(stan, channel)
    assert (await the_one(bot)).phase is Phase.CLOSING


# -- facilitators do not moderate -----------------------------------------------------------------


async def test_only_a_facilitator_sees_the_moderators_code_and_only_by_a_tap(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, stan: PersonHere, channel: str
) -> None:
    """With it, anybody could read comments in a channel of their own."""
    await opens(fay, channel)
    code = await code_for_moderators(bot)
    for person in (fay, stan):
        for word in ("status", "help"):
            assert code not in (await person.posts(word, channel)).words
    await stan.posts("status", channel)
    refused = await stan.presses_in(channel, "Show the moderators' code")
    assert "Only a facilitator" in refused.words
    assert code not in refused.words
    await fay.posts("status", channel)
    shown = await fay.presses_in(channel, "Show the moderators' code")
    assert f"moderate {code}" in shown.words
    assert code not in str([sent.activity for sent in teams.sent])


async def test_a_listed_facilitator_can_neither_register_nor_read_as_a_moderator(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, stan: PersonHere, channel: str
) -> None:
    await opens(fay, channel)
    code, moderators = await code_for_moderators(bot), teams.channel("moderators")

    refused = await fay.posts(f"moderate {code}", moderators)

    assert "Only the moderators of this snapshot can do that" in refused.words
    assert (await the_one(bot)).moderators is None
    assert "now moderates the comments" in (await stan.posts(f"moderate {code}", moderators)).words
    for word in ("comments", f"moderate {code}", "help"):
        shown = await fay.posts(word, moderators)
        assert "Only the moderators of this snapshot can do that" in shown.words
    fay.sees = await stan.posts("comments", moderators)
    for verb in ("comments.review", "comments.decide", "comments.theme"):
        for action in seen(fay).actions(verb) or [forged(verb, await the_one(bot))]:
            answer = await fay.acts(action, chat=moderators)
            assert "Only the moderators of this snapshot" in answer.card.words


def forged(verb: str, running: Running) -> dict[str, object]:
    return {"type": "Action.Execute", "verb": verb, "data": {"snapshot": running.snapshot.id}}


async def test_the_facilitators_channel_cannot_become_the_moderators(
    bot: BotOnDemand, fay: PersonHere, stan: PersonHere, channel: str
) -> None:
    await opens(fay, channel)
    shown = await stan.posts(f"moderate {await code_for_moderators(bot)}", channel)
    assert "Moderators need a channel of their own" in shown.words
    assert (await the_one(bot)).moderators is None


# -- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "listed",
    [
        "canary",
        "canary/",
        "/canary",
        "canary/canary/canary",
        "tenant/object,canary",
        "tenant/object;tenant/canary",
        "tenant/object tenant/canary",
        "canary tenant/object",
        "tenant / canary",
        f"tenant/{'canary' * 30}",
        "tenant/can\x1fary",
    ],
)
def test_a_list_that_cannot_be_read_is_refused_and_not_repeated(listed: str) -> None:
    with pytest.raises(BadSettings) as refused:
        Settings.from_env({"SNAPSHOT_ENV": "local", "SNAPSHOT_FACILITATORS": listed})
    said = str(refused.value)
    assert said.startswith("SNAPSHOT_FACILITATORS must be ")
    assert "must be TENANT-ID/OBJECT-ID, with commas between them" in said
    assert "canary" not in said


def test_with_such_a_list_the_bot_does_not_start(tmp_path: Path) -> None:
    ended = start(tmp_path, {"SNAPSHOT_FACILITATORS": "canary"})
    assert ended.returncode == 1
    assert "SNAPSHOT_FACILITATORS must be " in ended.stderr
    assert "canary" not in ended.stderr + ended.stdout
    assert "ended by a fault" not in ended.stderr


@pytest.mark.parametrize("nothing", ["", " ", ",", " , "])
def test_an_empty_list_is_none(nothing: str) -> None:
    read = Settings.from_env({"SNAPSHOT_ENV": "local", "SNAPSHOT_FACILITATORS": nothing})
    assert read.facilitators == ()
