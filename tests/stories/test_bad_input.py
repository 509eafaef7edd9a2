"""Whatever arrives: a clear card or a 4xx, nothing changed, nothing in the log."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
import pytest

from bot.rehearsal.teams import PersonHere, Teams
from snapshot.ports import Kind, Record
from tests.stories.conftest import RunningBot
from tests.stories.people import asks_about, begins, seen

JSON = {"Content-Type": "application/json"}


async def envelopes(bot: RunningBot) -> list[Record]:
    service = bot.app.service
    (running,) = await service.directory.all()
    return await service.records.read_all(running.snapshot.id, Kind.ENVELOPE)


@pytest.mark.parametrize(
    "changed",
    [
        {"statement": "ZZ9"},
        {"statement": ["AW1"]},
        {"statement": ""},
        {"statement": "x" * 100_000},
        {"option": "splendid"},
        {"option": None},
        {"revision": "many"},
        {"revision": True},
        {"snapshot": "another-snapshot"},
        {"snapshot": {"id": 1}},
        {"snapshot": "../../service"},
    ],
)
async def test_what_no_card_offers_gets_a_clear_card_and_changes_nothing(
    teams: Teams, bot: RunningBot, changed: Mapping[str, Any]
) -> None:
    ada = teams.person("Ada")
    shown = await begins(ada)
    before = await envelopes(bot)
    answer = await ada.acts(shown.action("Mostly true"), **changed)
    assert answer.status == 200
    assert "That choice is no longer on offer" in answer.card.words
    assert asks_about(answer.card) == "AW1"
    assert await envelopes(bot) == before


@pytest.mark.parametrize(
    "verb", ["survey.steal", "", "snapshot.close", "survey.ANSWER", "x" * 5000]
)
async def test_an_unknown_verb_gets_a_clear_card(teams: Teams, bot: RunningBot, verb: str) -> None:
    ada = teams.person("Ada")
    shown = await begins(ada)
    before = await envelopes(bot)
    answer = await ada.acts({**shown.action("Mostly true"), "verb": verb})
    assert answer.status == 400 if len(verb) > 2048 else "no longer on offer" in answer.card.words
    assert await envelopes(bot) == before


async def test_an_agency_that_is_not_on_offer_makes_no_envelope(
    teams: Teams, bot: RunningBot
) -> None:
    ada = teams.person("Ada")
    await ada.types("start")
    shown = await ada.presses("Continue")
    answer = await ada.acts(shown.action("Police"), agency="housing_other")
    assert "no longer on offer" in answer.card.words
    assert "Police" in answer.card.buttons
    assert await envelopes(bot) == []


async def test_a_person_named_in_the_data_is_not_the_one_who_acts(
    teams: Teams, bot: RunningBot
) -> None:
    ada, mallory = teams.person("Ada"), teams.person("Mallory")
    shown = await begins(ada)
    before = await envelopes(bot)
    forged: dict[str, Any] = {"from": {"aadObjectId": ada.object_id}, "tag": before[0].id}
    answer = await mallory.acts(shown.action("Mostly true"), person=ada.object_id, **forged)
    assert "Police" in answer.card.buttons, "to Mallory it is a survey that has not begun"
    assert await envelopes(bot) == before


async def test_the_same_object_id_in_another_tenant_is_another_person(
    teams: Teams, bot: RunningBot
) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    double = PersonHere(teams, "Ada", "tenant-of-elsewhere", ada.object_id)
    assert "Police" in (await double.opens_the_chat()).buttons


async def test_an_id_in_other_letter_case_is_the_same_person(teams: Teams) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    shouted = PersonHere(teams, "Ada", ada.tenant.upper(), ada.object_id.upper())
    assert asks_about(await shouted.opens_the_chat()) == "AW1"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", JSON, 400),
        (b"", JSON, 400),
        (b"[]", JSON, 400),
        (b"null", JSON, 400),
        (b"\xff\xfe", JSON, 400),
        (b"{}", JSON, 401),
        (b"{}", {"Content-Type": "text/plain"}, 401),
        (b"{}", {"Content-Type": ""}, 401),
        (b" " * 1_048_576, JSON, 413),
        (b"not gzip", {**JSON, "Content-Encoding": "gzip"}, 415),
    ],
)
async def test_what_is_no_activity_is_refused(
    teams: Teams, body: bytes, headers: Mapping[str, str], status: int
) -> None:
    assert (await teams.request(body, headers)).status == status


@pytest.mark.parametrize(
    "broken",
    [
        {"conversation": None},
        {"conversation": {}},
        {"conversation": {"id": 7}},
        {"conversation": {"id": "x", "conversationType": "party"}},
        {"conversation": {"id": "x"}},
        {"from": None},
        {"from": {}},
        {"from": {"id": "x"}},
        {"from": {"id": "x", "aadObjectId": "a\x1fb"}},
        {"from": {"id": "x", "aadObjectId": "x" * 129}},
        {"recipient": "bot"},
        {"text": 7},
        {"channelData": "none"},
        {"channelData": {"tenant": []}, "conversation": {"id": "x"}},
        {"type": None},
        {"id": {"a": 1}},
    ],
)
async def test_an_activity_of_the_wrong_shape_is_refused(
    teams: Teams, broken: Mapping[str, Any]
) -> None:
    activity = {**teams.person("Ada").activity("message", text="start"), **broken}
    assert (await teams.deliver(activity)).status == 400
    assert teams.sent == []


@pytest.mark.parametrize(
    "foreign",
    [
        {"serviceUrl": "https://smba.trafficmanager.net/teams/"},
        {"serviceUrl": "http://169.254.169.254/"},
        {"serviceUrl": None},
        {"channelId": "directline"},
    ],
)
async def test_locally_nothing_from_outside_this_machine_is_believed(
    teams: Teams, foreign: Mapping[str, Any]
) -> None:
    activity = {**teams.person("Ada").activity("message", text="start"), **foreign}
    assert (await teams.deliver(activity)).status == 401
    page = {**JSON, "Host": "evil.example.com"}
    honest = teams.person("Ada").activity("message", text="start")
    assert (await teams.request(orjson.dumps(honest), page)).status == 401


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_locally_a_web_page_cannot_send_what_it_may_send_unasked(
    teams: Teams, kind: str
) -> None:
    honest = teams.person("Ada").activity("message", text="start")
    assert (await teams.request(orjson.dumps(honest), {"Content-Type": kind})).status == 401
    assert teams.sent == []


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "x",
        {},
        {"action": None},
        {"action": {"type": "Action.Http"}},
        {"action": {"type": "Action.Execute", "verb": "survey.show", "data": "x"}},
    ],
)
async def test_a_pressed_button_of_the_wrong_shape_is_refused(teams: Teams, value: Any) -> None:
    activity = teams.person("Ada").activity("invoke", name="adaptiveCard/action", value=value)
    assert (await teams.deliver(activity)).status == 400


@pytest.mark.parametrize(
    "kind",
    [
        "conversationUpdate",
        "messageReaction",
        "messageUpdate",
        "messageDelete",
        "typing",
        "event",
        "endOfConversation",
        "installationUpdate",
        "trace",
        "somethingNew",
    ],
)
async def test_other_types_of_activity_are_passed_over_in_silence(
    teams: Teams, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever Teams says with them, which is not looked at."""
    odd = {"team": 7, "channel": [1], "eventType": "channelCreated", "settings": "x"}
    ada = teams.person("Ada")
    activity = ada.activity(kind, membersAdded=[1], entities={"a": 1}, value="x", channelData=odd)
    assert (await teams.deliver(activity)).status == 200
    assert teams.sent == []
    assert '"level": "error"' not in capsys.readouterr().err


async def test_other_invokes_are_not_implemented(teams: Teams) -> None:
    activity = teams.person("Ada").activity("invoke", name="task/fetch", value={})
    assert (await teams.deliver(activity)).status == 501


async def test_an_old_client_that_submits_gets_the_continue_card(teams: Teams) -> None:
    """`Action.Submit` arrives as a message with a value and no text."""
    ada = teams.person("Ada")
    await teams.deliver(ada.activity("message", value={"verb": "survey.answer"}))
    shown = await ada.looks()
    assert shown
    assert "Continue" in shown.buttons


async def test_a_very_long_message_is_answered(teams: Teams) -> None:
    ada = teams.person("Ada")
    assert "Continue" in (await ada.types("start " * 20_000)).buttons


async def test_a_turn_that_fails_inside_says_that_nothing_is_lost(
    teams: Teams, bot: RunningBot, capsys: pytest.CaptureFixture[str]
) -> None:
    """The database file is in use by something else for longer than a turn can wait."""
    ada = teams.person("Canary-Name")
    await begins(ada)
    lock = sqlite3.connect(bot.folder / "snapshot.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        shown = await ada.presses("Mostly true")
    finally:
        lock.close()
    assert "Nothing is lost" in shown.words
    shown = await ada.opens_the_chat()
    assert asks_about(shown) == "AW1"
    log = capsys.readouterr().err
    assert "Unavailable" in log
    for secret in ("Canary-Name", ada.object_id, "mostly"):
        assert secret not in log


async def test_a_damaged_envelope_is_said_and_stops_nobody_else(
    teams: Teams, bot: RunningBot, capsys: pytest.CaptureFixture[str]
) -> None:
    ada, bea = teams.person("Ada"), teams.person("Bea")
    await begins(ada)
    (envelope,) = await envelopes(bot)
    body = {**envelope.body, "ballot": "A" * len(envelope.body["ballot"])}
    await bot.app.service.records.replace(replace(envelope, body=body))
    shown = await ada.presses("Mostly true")
    assert "Nothing is lost" in shown.words
    assert envelope.id not in capsys.readouterr().err
    assert asks_about(await begins(bea)) == "AW1"


async def test_a_snapshot_whose_key_is_gone_is_stopped_with_an_alarm(
    teams: Teams, bot: RunningBot, capsys: pytest.CaptureFixture[str]
) -> None:
    (running,) = await bot.app.service.directory.all()
    (bot.folder / "keys" / f"{running.snapshot.id}.key").unlink()
    await bot.restarts()
    ada = teams.person("Ada")
    assert "No snapshot is open for you" in (await ada.types("start")).words
    assert "snapshot stopped" in capsys.readouterr().err
    assert seen(ada).buttons == []


async def test_help_is_not_refused_on_a_card_of_a_snapshot_that_is_gone(teams: Teams) -> None:
    ada = teams.person("Ada")
    shown = await begins(ada)
    answer = await ada.acts(shown.action("Worried about a child?"), snapshot="long-gone")
    assert "Please act now" in answer.card.words


@pytest.mark.parametrize("broken", [{"state": "paused"}, {"channel": "AAAA"}])
async def test_a_broken_field_of_one_snapshot_stops_no_other(
    teams: Teams, bot: RunningBot, broken: Mapping[str, str]
) -> None:
    service = bot.app.service
    (running,) = await service.directory.all()
    record = running.record
    if "channel" in broken:
        record = replace(record, body={**record.body, **broken})
    else:
        record = replace(record, state="paused")
    await service.records.replace(record)
    await bot.restarts()
    await bot.opens_a_snapshot(seed=2)
    facilitator = teams.person("Fay")
    shown = await facilitator.posts("status", teams.channel())
    assert "is open" in shown.words
    ada = teams.person("Ada")
    shown = await ada.opens_the_chat()
    if "channel" in broken:  # both can be answered still
        shown = await ada.presses("Go to this snapshot")
    assert "Police" in shown.buttons


async def test_a_snapshot_of_another_version_of_the_instrument_is_stopped(
    teams: Teams, bot: RunningBot, capsys: pytest.CaptureFixture[str]
) -> None:
    """Answers to one version cannot be read as answers to another."""
    await bot.opens_a_snapshot(seed=2, version="0.9.0")
    await bot.restarts()
    assert len(await bot.app.service.directory.all()) == 1
    assert "OtherInstrument" in capsys.readouterr().err
