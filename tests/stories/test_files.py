"""Files that the bot gives: a facilitator asks in their private chat, agrees, and has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.teams import GIVEN, OFFER, PersonHere, Teams
from bot.teams.files import is_own
from snapshot.lead_lists import Row, parse_csv, to_csv
from snapshot.leads import add, by_address, note_person
from snapshot.opening import Running
from snapshot.sealing import Person
from tests.ports import free_port
from tests.stories.conftest import RunningBot
from tests.stories.opening import BotOnDemand, opens_in
from tests.stories.people import closes, seen

ROWS = (
    Row(1, "ann@hill.example", "Siân Ŵyn", "Ysgol y Bryn"),
    Row(2, "bob@dale.example", "Bob, Jr", "Dale"),
)


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    async with BotOnDemand(tmp_path, free_port()) as running:
        await running.opens_a_snapshot()
        yield running


async def the_snapshot(bot: RunningBot) -> Running:
    (running,) = await bot.app.service.directory.all()
    return running


async def has_leads(bot: RunningBot, *rows: Row) -> None:
    await add(await the_snapshot(bot), bot.app.service.records, rows or ROWS)


async def asks(teams: Teams, name: str = "Fay") -> PersonHere:
    facilitator = teams.person(name)
    await facilitator.types("leads")
    return facilitator


async def says(person: PersonHere) -> str:
    shown = await person.looks()
    assert shown
    return shown.words


async def comes_to_have(person: PersonHere) -> None:
    async with asyncio.timeout(60):
        while True:
            if kinds(person)[-1] == GIVEN:
                return
            await asyncio.sleep(0.05)


def kinds(person: PersonHere) -> list[str]:
    return [file["contentType"] for file in person.files()]


async def test_a_facilitator_gets_the_leads_to_email_as_a_file(
    teams: Teams, bot: BotOnDemand
) -> None:
    await has_leads(bot)
    fay = await asks(teams)
    assert "Leads to email, as a file" in seen(fay).words
    assert "please answer by" in seen(fay).words, "the words to send"
    (offer,) = fay.files()
    assert offer["contentType"] == OFFER
    assert offer["name"] == "leads-to-email.csv"
    assert teams.uploads == {}
    assert (await fay.chooses("accept", upload="u1")).status == 200
    content = teams.uploads["u1"]
    assert offer["content"]["sizeInBytes"] == len(content)
    assert content.decode("utf-8-sig").splitlines() == [
        "Email,Name,Organisation",
        "ann@hill.example,Siân Ŵyn,Ysgol y Bryn",
        'bob@dale.example,"Bob, Jr",Dale',
    ]
    assert content.startswith(b"\xef\xbb\xbf")
    assert "in your OneDrive" in await says(fay)
    given = fay.files()[-1]
    assert given["contentType"] == GIVEN
    assert given["contentUrl"].endswith("/own/leads-to-email.csv")
    assert given["content"] == {"uniqueId": "u1", "fileType": "csv"}
    said = repr([sent.activity for sent in teams.sent])
    assert not any(secret in said for secret in ("hill.example", "Siân", "Bryn", "Bob"))


async def test_the_file_is_made_when_it_is_wanted(teams: Teams, bot: BotOnDemand) -> None:
    await has_leads(bot)
    fay = await asks(teams)
    running, records = await the_snapshot(bot), bot.app.service.records
    reached = await by_address(running, records, "bob@dale.example")
    assert reached
    await note_person(running, records, reached.id, Person("t", "o"), {"a": "chat"})
    await bot.restarts()
    await fay.chooses("accept", upload="u1")
    assert b"ann@" in teams.uploads["u1"]
    assert b"bob@" not in teams.uploads["u1"]


async def test_with_nobody_to_email_there_is_no_file(teams: Teams, bot: BotOnDemand) -> None:
    fay = await asks(teams)
    assert "There is nobody to email" in seen(fay).words
    assert fay.files() == []


async def test_who_declines_is_told_that_there_is_none(teams: Teams, bot: BotOnDemand) -> None:
    await has_leads(bot)
    fay = await asks(teams)
    await fay.chooses("decline")
    assert "I made no file" in await says(fay)
    assert teams.uploads == {}


async def test_an_answer_that_is_delivered_twice_gives_one_file(
    teams: Teams, bot: BotOnDemand
) -> None:
    await has_leads(bot)
    fay = await asks(teams)
    teams.may_upload.clear()
    first = asyncio.create_task(fay.chooses("accept", upload="u1"))
    await asyncio.sleep(0.1)
    second = await fay.chooses("accept", upload="u1")
    teams.may_upload.set()
    answers = [await first, second, await fay.chooses("accept", upload="u1")]
    assert [answer.status for answer in answers] == [200] * 3
    assert kinds(fay) == [OFFER, GIVEN]
    assert "in your OneDrive" in await says(fay)


@pytest.mark.parametrize(
    ("status", "said"), [(404, "has run out"), (410, "has run out"), (500, "in a few minutes")]
)
async def test_a_file_that_cannot_be_put_is_told_of_and_may_be_tried_again(
    teams: Teams, bot: BotOnDemand, status: int, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    await has_leads(bot)
    fay = await asks(teams)
    teams.upload_answers = status
    await fay.chooses("accept", upload="u1")
    assert said in await says(fay)
    assert kinds(fay) == [OFFER]
    teams.upload_answers = 201
    await fay.chooses("accept", upload="u1")
    assert kinds(fay) == [OFFER, GIVEN]
    logged = "".join(capfd.readouterr())
    assert "uploads" not in logged
    assert "hill.example" not in logged


async def test_a_slow_upload_is_told_of_later(teams: Teams, bot: BotOnDemand) -> None:
    await has_leads(bot, *(Row(n, f"dsl{n}@hill.example", f"Name {n}") for n in range(3_000)))
    fay = await asks(teams)
    teams.may_upload.clear()
    assert (await fay.chooses("accept", upload="u1")).status == 200
    assert kinds(fay) == [OFFER]
    teams.may_upload.set()
    await comes_to_have(fay)
    assert "in your OneDrive" in await says(fay)
    assert teams.uploads["u1"].count(b"@hill.example") == 3_000


# -- who may have it ------------------------------------------------------------------------------


async def test_only_facilitators_are_offered_one_or_given_one(
    teams: Teams, bot: BotOnDemand
) -> None:
    await has_leads(bot)
    fay = await asks(teams)
    bot.more_settings = {"SNAPSHOT_FACILITATORS": "somebody/else"}
    await bot.restarts()
    stan = await asks(teams, "Stan")
    assert "as a file" not in seen(stan).words
    assert stan.files() == []
    await fay.chooses("accept")
    assert "no longer on offer" in await says(fay)
    await fay.chooses("decline")
    assert "no longer on offer" in await says(fay)
    assert teams.uploads == {}


@pytest.mark.parametrize(
    "forged",
    [{"snapshot": "nowhere"}, {"snapshot": 1}, {"what": "answers"}, {"what": ["leads"]}],
)
async def test_what_an_offer_brings_back_is_not_trusted(
    teams: Teams, bot: BotOnDemand, forged: dict[str, Any]
) -> None:
    await has_leads(bot)
    fay = await asks(teams)
    await fay.chooses("accept", **forged)
    assert "no longer on offer" in await says(fay)
    assert teams.uploads == {}


async def test_nobody_of_another_tenant_is_given_it(teams: Teams, bot: BotOnDemand) -> None:
    await has_leads(bot)
    fay = await asks(teams)
    other = await opens_in(teams, bot, "otherwick")
    await add(other, bot.app.service.records, ROWS)
    fay.tenant = "tenant-of-elsewhere"
    await fay.chooses("accept", snapshot=other.snapshot.id)
    assert "no longer on offer" in await says(fay)
    assert teams.uploads == {}


async def test_no_file_is_given_in_a_channel_or_after_the_close(
    teams: Teams, bot: BotOnDemand
) -> None:
    await has_leads(bot)
    fay, channel = await asks(teams), teams.channel()
    await fay.chooses("accept", chat=channel)
    await closes(teams.person("Flo"), channel)
    await fay.chooses("accept")
    assert "no longer on offer" in await says(fay)
    assert teams.uploads == {}


async def test_with_two_snapshots_open_one_is_chosen(teams: Teams, bot: BotOnDemand) -> None:
    await has_leads(bot)
    running = await the_snapshot(bot)
    await opens_in(teams, bot, "otherwick")
    fay = await asks(teams)
    (action,) = [
        a
        for a in seen(fay).actions("snapshot.choose")
        if a["data"]["snapshot"] == running.snapshot.id
    ]
    assert fay.files() == []
    answer = await fay.acts(action)
    assert "Leads to email, as a file" in answer.card.words
    await fay.chooses("accept", upload="u1")
    assert b"ann@" in teams.uploads["u1"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"action": "accept"},
        {"action": "maybe", "context": {}},
        {"action": "accept", "context": {}, "uploadInfo": {"uploadUrl": 1}},
        {"action": "accept", "context": [1], "uploadInfo": {}},
    ],
)
async def test_an_odd_answer_is_refused(teams: Teams, bot: BotOnDemand, value: object) -> None:
    activity = teams.person("Fay").activity("invoke", name="fileConsent/invoke", value=value)
    assert (await teams.deliver(activity)).status == 400


# -- where it goes, and what is in it -------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://exampleshire-my.sharepoint.com/personal/x/uploadSession?guid=1", True),
        ("http://exampleshire-my.sharepoint.com/x", False),
        ("https://smba.trafficmanager.net/x", False),
        ("https://sharepoint.com.example.org/x", False),
        ("https://u:p@exampleshire.sharepoint.com/x", False),
        ("https://exampleshire.sharepoint.com:8443/x", False),
        ("https://[", False),
    ],
)
def test_files_are_put_into_somebodys_own_and_nowhere_else(url: str, own: bool) -> None:
    assert is_own(url, from_here=False) is own
    assert not is_own("http://127.0.0.1:9/x", from_here=False)
    assert is_own("http://127.0.0.1:9/x", from_here=True)


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", " =", "\N{FULLWIDTH EQUALS SIGN}"]
)
def test_no_cell_of_a_list_is_worked_out_by_a_spreadsheet(start: str) -> None:
    lines = to_csv(["Email"], [["a@b.example", f"{start}1+1", "x=1"]]).decode("utf-8-sig")
    assert f"'{start}1+1" in lines
    assert ",x=1" in lines


def test_a_list_that_was_given_can_be_read_again() -> None:
    for columns in (("Email", "Name", "Organisation"), ("E-bost", "Enw", "Sefydliad")):
        raw = to_csv(columns, [(row.address, row.name, row.organisation) for row in ROWS])
        again = [(r.address, r.name, r.organisation) for r in parse_csv(raw).rows]
        assert again == [(r.address, r.name, r.organisation) for r in ROWS]
