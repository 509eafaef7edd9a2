"""Safeguarding leads: a facilitator puts them on the list, and each may take themselves off it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.rehearsal.teams import PersonHere, Sent, Shown, Teams
from bot.teams.files import is_allowed
from bot.turns.leads import reminder
from bot.turns.turn import Address
from cards.leads import MOST_PASTED, leads_to_email_card
from snapshot.lead_lists import Row
from snapshot.leads import Lead, add, all_leads, by_address, mark_unreachable, note_person
from snapshot.opening import Running
from snapshot.ports import Kind
from snapshot.sealing import Person
from storage.sqlite import LOCK_WAIT_MS
from tests.ports import free_port
from tests.stories.conftest import RunningBot
from tests.stories.opening import BotOnDemand, opens_in
from tests.stories.people import begins, closes, seen

ROOT = Path(__file__).parents[2]
LIST = "email;enw;ysgol\r\nann@hill.example;Siân Ŵyn;Ysgol y Bryn\r\nnobody;Bob;Dale\r\n"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    async with BotOnDemand(tmp_path, free_port()) as running:
        await running.opens_a_snapshot()
        yield running


async def the_snapshot(bot: RunningBot) -> Running:
    (running,) = await bot.app.service.directory.all()
    return running


async def leads_of(bot: RunningBot, running: Running | None = None) -> dict[str, Lead]:
    found = await all_leads(running or await the_snapshot(bot), bot.app.service.records)
    return {lead.address: lead for lead in found}


async def pastes(teams: Teams, channel: str, words: str) -> PersonHere:
    facilitator = teams.person("Fay")
    await facilitator.posts("status", channel)
    await facilitator.presses_in(channel, "Add safeguarding leads")
    await facilitator.presses_in(channel, "Add these leads", {"leads": words})
    return facilitator


async def is_lead(bot: RunningBot, person: PersonHere, name: str = "") -> Lead:
    """Somebody on the list, whom the bot has resolved."""
    running, records = await the_snapshot(bot), bot.app.service.records
    await add(running, records, [Row(1, person.email, name)])
    lead = await by_address(running, records, person.email)
    assert lead
    await note_person(running, records, lead.id, Person(person.tenant, person.object_id), None)
    return (await leads_of(bot, running))[person.email.lower()]


async def is_reminded(bot: RunningBot, person: PersonHere, lead: Lead) -> Shown:
    """As the bot does once it is due."""
    service = bot.app.service
    sent = reminder(service, await the_snapshot(bot), lead, "opening")
    assert sent.toast == "Safeguarding snapshot"
    person.sees = Shown(sent.card.to_dict())
    return seen(person)


# -- pasted in the channel ------------------------------------------------------------------------


async def test_pasted_leads_are_added_and_the_others_are_named_with_a_reason(
    teams: Teams, bot: RunningBot
) -> None:
    words = (
        "ann@hill.example, Ann Smith, Hill School\nbob@dale, Bob\n\n"
        "Cy Jones <cy@dale.example>\n=cmd|'/c calc'!A0\nANN@hill.example\n"
    )
    shown = seen(await pastes(teams, teams.channel(), words)).words
    assert "Leads added: 2." in shown
    assert "Line 1: ann@hill.example, Ann Smith, Hill School" in shown
    assert "Line 4: cy@dale.example, Cy Jones" in shown
    assert "- Line 2: this is not an email address" in shown
    assert "- Line 5: it starts like a formula" in shown
    assert "- Line 6: the email address is further up already" in shown
    assert set(await leads_of(bot)) == {"ann@hill.example", "cy@dale.example"}


async def test_the_same_list_twice_adds_nobody_twice(teams: Teams, bot: RunningBot) -> None:
    await pastes(teams, teams.channel(), "ann@hill.example")
    shown = seen(await pastes(teams, teams.channel(), "ann@hill.example, Ann")).words
    assert "Leads added: 0." in shown
    assert "On the list already: 1." in shown
    assert (await leads_of(bot))["ann@hill.example"].name == "Ann"


async def test_an_empty_box_is_shown_again(teams: Teams, bot: RunningBot) -> None:
    facilitator = await pastes(teams, teams.channel(), " \n ")
    assert "leads" in seen(facilitator).inputs
    assert await leads_of(bot) == {}


async def test_too_much_is_refused_whole_and_not_cut_off(teams: Teams, bot: RunningBot) -> None:
    line = "ann@hill.example, Ann Smith, Hill School\n"
    facilitator = await pastes(teams, teams.channel(), line * (MOST_PASTED // len(line) + 1))
    assert "too much to paste at once" in seen(facilitator).words
    assert await leads_of(bot) == {}


async def test_no_address_is_ever_sent_or_posted(teams: Teams, bot: RunningBot) -> None:
    await pastes(teams, teams.channel(), "ann@hill.example, Ann Canary\n<oops@dale, Bob Canary>")
    await teams.person("Fay").attaches(LIST.encode())
    said = repr([sent.activity for sent in teams.sent])
    for secret in ("hill.example", "Canary", "dale", "Siân", "Bryn"):
        assert secret not in said


async def test_after_the_close_nobody_is_added(teams: Teams, bot: BotOnDemand) -> None:
    channel = teams.channel()
    facilitator = await pastes(teams, channel, "ann@hill.example")
    form = await facilitator.presses_in(channel, "Add safeguarding leads")
    await closes(teams.person("Flo"), channel)
    late = await facilitator.acts(
        form.action("Add these leads"), {"leads": "late@hill.example"}, chat=channel
    )
    assert "closed on" in late.card.words
    assert set(await leads_of(bot)) == {"ann@hill.example"}


async def test_only_facilitators_add_leads_or_see_whom_to_email(
    teams: Teams, bot: BotOnDemand
) -> None:
    channel = teams.channel()
    facilitator = await pastes(teams, channel, "ann@hill.example")
    action = (await facilitator.presses_in(channel, "Add safeguarding leads")).action(
        "Add these leads"
    )
    to_email = {**action, "verb": "leads.email"}
    bot.more_settings = {"SNAPSHOT_FACILITATORS": f"{facilitator.tenant}/{facilitator.object_id}"}
    await bot.restarts()
    stranger = teams.person("Stan")
    for forged in (action, to_email):
        answer = await stranger.acts(
            forged, {"leads": "eve@hill.example"}, chat=channel, by="2026-03-09"
        )
        assert "Only facilitators" in answer.card.words or "facilitator" in answer.card.words
        assert "ann@hill.example" not in answer.card.words
    assert set(await leads_of(bot)) == {"ann@hill.example"}
    stranger.sees = None
    await stranger.attaches(LIST.encode())
    assert set(await leads_of(bot)) == {"ann@hill.example"}


# -- a file in the private chat -------------------------------------------------------------------


async def test_a_file_is_read_and_its_refused_lines_are_numbered(
    teams: Teams, bot: RunningBot
) -> None:
    shown = await teams.person("Fay").attaches(LIST.encode("utf-16"))
    assert "Leads added: 1." in shown.words
    assert "Line 3: this is not an email address" in shown.words
    assert (await leads_of(bot))["ann@hill.example"].organisation == "Ysgol y Bryn"


async def test_a_file_of_ten_thousand_rows_is_taken_and_the_rest_refused_by_line(
    teams: Teams, bot: RunningBot
) -> None:
    rows = "".join(f'dsl{n}@hill{n % 99}.example,"Name, {n}"\r\n' for n in range(1, 20_001))
    fay = teams.person("Fay")
    await fay.attaches(b"\xef\xbb\xbf" + rows.encode())
    shown = await comes_to_see(fay, "Leads added")
    assert "Leads added: 10000." in shown.words
    assert "Line 10001: there is no room for more leads" in shown.words
    assert "Line 10000:" not in shown.words
    assert len(await leads_of(bot)) == 10_000


async def test_with_two_snapshots_open_one_is_chosen(teams: Teams, bot: BotOnDemand) -> None:
    other = await opens_in(teams, bot, "otherwick")
    facilitator = teams.person("Fay")
    shown = await facilitator.attaches(LIST.encode())
    assert "Exampleshire" in shown.words
    (action,) = [
        a for a in shown.actions("snapshot.choose") if a["data"]["snapshot"] == other.snapshot.id
    ]
    answer = await facilitator.acts(action)
    assert "Leads added: 1." in answer.card.words
    assert set(await leads_of(bot, other)) == {"ann@hill.example"}


async def test_a_forged_choice_of_a_file_is_no_longer_on_offer_to_anybody_else(
    teams: Teams, bot: BotOnDemand
) -> None:
    running = await the_snapshot(bot)
    bot.more_settings = {"SNAPSHOT_FACILITATORS": "somebody/else"}
    await bot.restarts()
    stranger = teams.person("Stan")
    forged = {"verb": "snapshot.choose", "type": "Action.Execute"}
    answer = await stranger.acts(
        forged, snapshot=running.snapshot.id, file=teams.keeps(LIST.encode())
    )
    assert "no longer on offer" in answer.card.words
    assert await leads_of(bot) == {}


FILES: dict[str, Callable[[web.Request], web.StreamResponse]] = {
    "gone": lambda _: web.Response(status=404),
    "elsewhere": lambda _: web.Response(status=302, headers={"Location": "/good"}),
    "large": lambda _: web.Response(body=b"a@b.example\n" * 200_000),
    "packed": lambda _: web.Response(body=b"x", headers={"Content-Encoding": "gzip"}),
}


@dataclass
class Elsewhere:
    """A server that gives files as they should not be; those called slow when it goes on."""

    url: str = ""
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def gives(self, request: web.Request) -> web.StreamResponse:
        name = request.path.strip("/")
        if name.startswith("slow"):
            await self.goes_on.wait()
        make = FILES.get(name.removeprefix("slow-"))
        return make(request) if make else web.Response(body=LIST.encode())


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    there = Elsewhere()
    app = web.Application()
    app.router.add_get("/{file}", there.gives)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    there.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield there
    await runner.cleanup()


@pytest.mark.parametrize("file", [*FILES])
async def test_a_file_that_cannot_be_had_adds_nobody_and_says_so(
    teams: Teams, bot: RunningBot, elsewhere: Elsewhere, file: str
) -> None:
    shown = await teams.person("Fay").attaches(b"", url=f"{elsewhere.url}/{file}")
    assert "I could not read this file" in shown.words
    assert await leads_of(bot) == {}
    good = await teams.person("Fay").attaches(b"", url=f"{elsewhere.url}/good")
    assert "Leads added: 1." in good.words


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://exampleshire-my.sharepoint.com/_layouts/15/download.aspx?tempauth=x", True),
        ("https://smba.trafficmanager.net/uk/v3/attachments/1", True),
        ("http://exampleshire.sharepoint.com/x", False),
        ("https://sharepoint.com.example.org/x", False),
        ("https://evilsharepoint.com/x", False),
        ("https://evil.trafficmanager.net/x", False),
        ("https://exampleshire.sharepoint.com:8443/x", False),
        ("https://exampleshire.sharepoint.com@example.org/x", False),
        ("https://u:p@exampleshire.sharepoint.com/x", False),
        ("http://127.0.0.1:9/x", False),
        ("https://169.254.169.254/metadata", False),
        ("file:///etc/passwd", False),
        ("https://[", False),
    ],
)
def test_files_come_from_teams_and_nowhere_else(url: str, allowed: bool) -> None:
    assert is_allowed(url, from_here=False) is allowed
    assert is_allowed(url, from_here=True) is (allowed or url.startswith("http://127."))


async def test_a_workbook_is_refused(teams: Teams, bot: RunningBot) -> None:
    shown = await teams.person("Fay").attaches(b"PK\x03\x04 a workbook")
    assert "Line 1: this is not a CSV file" in shown.words
    assert await leads_of(bot) == {}


@pytest.mark.parametrize(
    "attachments", ["a text", [1], [{"contentType": 1}], [{"contentType": "x", "content": 1}]]
)
async def test_odd_attachments_do_no_harm(teams: Teams, attachments: object) -> None:
    activity = teams.person("Fay").activity("message", text="start", attachments=attachments)
    assert (await teams.deliver(activity)).status in (200, 400)


# -- lists that take longer than a turn may -------------------------------------------------------


async def test_a_file_that_comes_slowly_is_answered_at_once_and_its_outcome_later(
    teams: Teams, bot: RunningBot, elsewhere: Elsewhere
) -> None:
    fay = teams.person("Fay")
    shown = await fay.attaches(b"", url=f"{elsewhere.url}/slow")
    assert "I am reading your list" in shown.words
    assert "nobody is added twice" in shown.words
    elsewhere.goes_on.set()
    outcome = await comes_to_see(fay, "Leads added: 1.")
    assert "Line 3: this is not an email address" in outcome.words
    assert set(await leads_of(bot)) == {"ann@hill.example"}


async def test_a_slow_file_that_cannot_be_had_is_told_of_too(
    teams: Teams, bot: RunningBot, elsewhere: Elsewhere
) -> None:
    fay = teams.person("Fay")
    assert "I am reading" in (await fay.attaches(b"", url=f"{elsewhere.url}/slow-gone")).words
    elsewhere.goes_on.set()
    await comes_to_see(fay, "I could not read this file")


async def test_a_list_that_a_process_did_not_end_is_sent_again_and_adds_nobody_twice(
    teams: Teams, bot: RunningBot, elsewhere: Elsewhere
) -> None:
    fay = teams.person("Fay")
    assert "I am reading" in (await fay.attaches(b"", url=f"{elsewhere.url}/slow")).words
    await bot.restarts()
    assert await leads_of(bot) == {}
    for _ in range(2):
        await fay.attaches(LIST.encode())
    assert set(await leads_of(bot)) == {"ann@hill.example"}


async def test_leads_wait_for_a_store_that_is_held_up(teams: Teams, bot: RunningBot) -> None:
    """For longer than a statement waits by itself; what came of it names nobody."""
    channel, words = teams.channel(), "ann@hill.example, Ann Canary\nnobody, Bob Canary"
    facilitator = teams.person("Fay")
    await facilitator.posts("status", channel)
    await facilitator.presses_in(channel, "Add safeguarding leads")
    with held_up(bot.folder / "snapshot.db"):
        shown = await facilitator.presses_in(channel, "Add these leads", {"leads": words})
        assert "I am reading your list" in shown.words
        await asyncio.sleep(LOCK_WAIT_MS / 1000)
    outcome = await arrives(teams, channel, "Leads added: 1.")
    assert "Line 2: this is not an email address" in outcome.card.words
    assert "Canary" not in repr(outcome.activity)
    assert set(await leads_of(bot)) == {"ann@hill.example"}


@contextmanager
def held_up(database: Path) -> Iterator[None]:
    """Another process writes meanwhile."""
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield


async def comes_to_see(person: PersonHere, words: str) -> Shown:
    return (await arrives(person.teams, person.chat, words)).card


async def arrives(teams: Teams, conversation: str, words: str) -> Sent:
    """A message with these words, sooner or later."""
    async with asyncio.timeout(60):
        while True:
            for sent in teams.posts(conversation):
                if words in sent.card.words:
                    return sent
            await asyncio.sleep(0.05)


# -- stopping -------------------------------------------------------------------------------------


async def test_a_lead_stops_their_own_reminders(teams: Teams, bot: RunningBot) -> None:
    ann = teams.person("Ann")
    lead = await is_lead(bot, ann, "Ann Smith")
    shown = await is_reminded(bot, ann, lead)
    assert "Hello Ann," in shown.words
    stopped = await ann.presses("Stop these reminders")
    assert "You will get no more reminders" in stopped.words
    assert (await leads_of(bot))[lead.address].stopped
    await pastes(teams, teams.channel(), f"{lead.address}, Ann Smith, Hill School")
    assert (await leads_of(bot))[lead.address].stopped


async def test_nobody_stops_the_reminders_of_somebody_else(teams: Teams, bot: RunningBot) -> None:
    ann, eve, bob = teams.person("Ann"), teams.person("Eve"), teams.person("Bob")
    lead = await is_lead(bot, ann)
    other = await is_lead(bot, bob)
    eve.sees = await is_reminded(bot, ann, lead)
    assert "no longer on offer" in (await eve.presses("Stop these reminders")).words
    bob.sees = ann.sees
    await bob.presses("Stop these reminders")
    kept = await leads_of(bot)
    assert not kept[lead.address].stopped
    assert kept[other.address].stopped


async def test_a_lead_whose_own_answers_cannot_be_read_can_still_stop(
    teams: Teams, bot: RunningBot
) -> None:
    ann = teams.person("Ann")
    lead = await is_lead(bot, ann)
    await begins(ann)
    running, records = await the_snapshot(bot), bot.app.service.records
    tag = running.sealer.tag(Person(ann.tenant, ann.object_id))
    record = await records.read(running.snapshot.id, Kind.ENVELOPE, tag)
    await records.replace(replace(record, body={**record.body, "contact": "A" * 40}))
    await is_reminded(bot, ann, lead)
    assert "You will get no more" in (await ann.presses("Stop these reminders")).words


async def test_a_reminder_to_somebody_without_a_name_greets_without_one(
    teams: Teams, bot: RunningBot
) -> None:
    ann = teams.person("Ann")
    shown = await is_reminded(bot, ann, await is_lead(bot, ann))
    assert shown.words.splitlines()[1] == "Hello,"
    assert "Continue" in shown.buttons
    await ann.presses("Continue")
    assert "Police" in seen(ann).buttons


# -- whom to e-mail -------------------------------------------------------------------------------


async def test_whom_to_email_is_told_to_whoever_asks_and_page_by_page(
    teams: Teams, bot: RunningBot
) -> None:
    channel, service = teams.channel(), bot.app.service
    names = "\n".join(f"dsl{n:03}@hill.example, Name {n:03}, School {n:03}" for n in range(120))
    facilitator = await pastes(teams, channel, names)
    running = await the_snapshot(bot)
    reached = await by_address(running, service.records, "dsl000@hill.example")
    stopped = teams.person("Stella")
    await is_lead(bot, stopped)
    assert reached
    await note_person(running, service.records, reached.id, Person("t", "o"), {"a": "chat"})
    posted = leads_to_email_card(service.page(running), date(2026, 3, 9))
    assert "Monday 9 March" in Shown(posted.to_dict()).words
    assert "hill.example" not in posted.to_bytes().decode()

    facilitator.sees = Shown(posted.to_dict())
    first = await facilitator.presses_in(channel, "Show the leads to email")
    second = await facilitator.presses_in(channel, "Show the next ones")

    told = [line for line in f"{first.words}\n{second.words}".splitlines() if "hill.ex" in line]
    assert told == [f"Name {n:03}, School {n:03}, dsl{n:03}@hill.example" for n in range(1, 120)]
    assert "Show the next ones" not in second.buttons
    assert "Put the addresses in the Bcc box" in first.words
    assert "please answer by" in second.words
    assert stopped.email.lower() not in f"{first.words}{second.words}"

    await mark_unreachable(running, service.records, reached.id, "blocked")
    again = await facilitator.acts(posted.to_dict()["body"][-1]["actions"][0], chat=channel)
    assert "dsl000@hill.example" in again.card.words


@pytest.mark.parametrize(
    "odd", [{"by": "soon"}, {"by": 1}, {"start": -1}, {"start": 99}, {"start": "1"}]
)
async def test_an_odd_page_is_no_longer_on_offer(
    teams: Teams, bot: RunningBot, odd: dict[str, Any]
) -> None:
    channel = teams.channel()
    facilitator = await pastes(teams, channel, "ann@hill.example")
    page = bot.app.service.page(await the_snapshot(bot))
    action = leads_to_email_card(page, date(2026, 3, 9)).to_dict()["body"][-1]["actions"][0]
    answer = await facilitator.acts(action, chat=channel, trigger="manual", **odd)
    assert "no longer on offer" in answer.card.words


# -- who they are ---------------------------------------------------------------------------------


async def test_a_lead_is_known_once_they_talk_to_the_bot(teams: Teams, bot: BotOnDemand) -> None:
    ann, eve = teams.person("Ann"), teams.person("Eve")
    await pastes(teams, teams.channel(), f"{ann.email.upper()}, Ann\nbob@hill.example")
    await ann.types("start")
    await eve.types("start")
    assert teams.asked == [], "nobody waits for that"
    await bot.works()
    kept = await leads_of(bot)
    assert kept[ann.email.lower()].person == Person(ann.tenant, ann.object_id)
    chat = kept[ann.email.lower()].chat
    assert chat
    assert Address.from_json(chat).conversation == ann.chat
    assert kept["bob@hill.example"].person is None
    assert sorted(teams.asked) == sorted([ann.id, eve.id])


async def test_nobody_becomes_a_lead_by_what_teams_calls_somebody_else(
    teams: Teams, bot: BotOnDemand
) -> None:
    """A practitioner whose activity names a lead's id, and their own object id."""
    ann, eve = teams.person("Ann"), teams.person("Eve")
    await pastes(teams, teams.channel(), ann.email)
    said = eve.activity("message", text="start")
    await teams.deliver({**said, "from": {**said["from"], "id": ann.id}})
    await bot.works()
    assert teams.asked == [ann.id]
    assert (await leads_of(bot))[ann.email.lower()].person is None


async def test_nobody_is_asked_about_where_there_are_no_leads_left_to_find(
    teams: Teams, bot: BotOnDemand
) -> None:
    eve = teams.person("Eve")
    await eve.types("start")
    await bot.works()
    await is_lead(bot, teams.person("Ann"))
    await eve.types("start")
    await bot.works()
    assert teams.asked == []


async def test_somebody_is_asked_about_once_however_often_they_talk(
    teams: Teams, bot: BotOnDemand
) -> None:
    eve = teams.person("Eve")
    await pastes(teams, teams.channel(), "ann@hill.example")
    for _ in range(3):
        await eve.types("start")
        await bot.works()
    assert teams.asked == [eve.id]
    await pastes(teams, teams.channel(), eve.email)
    await eve.types("start")
    await bot.works()
    assert (await leads_of(bot))[eve.email.lower()].chat, "the list came later"
    assert teams.asked == [eve.id]


async def test_a_lead_who_had_left_is_reached_again_in_the_chat_they_have_now(
    teams: Teams, bot: BotOnDemand
) -> None:
    ann = teams.person("Ann")
    lead = await is_lead(bot, ann)
    running, records = await the_snapshot(bot), bot.app.service.records
    await mark_unreachable(running, records, lead.id, "blocked")
    await ann.installs()
    await bot.works()
    kept = (await leads_of(bot))[lead.address]
    assert kept.why == ""
    assert kept.chat
    assert kept.chat["conversation"] == ann.chat


async def test_what_teams_does_not_say_stops_nothing(
    teams: Teams, bot: BotOnDemand, capfd: pytest.CaptureFixture[str]
) -> None:
    """One whom Teams does not know here, and one who is a lead."""
    ann = teams.person("Ann")
    ghost = PersonHere(teams, "Ghost", ann.tenant, object_id="0-ghost")
    await pastes(teams, teams.channel(), ann.email)
    await ghost.types("start")
    await ann.types("start")
    await bot.works()
    assert (await leads_of(bot))[ann.email.lower()].person
    logged = "".join(capfd.readouterr())
    assert "lead not matched" in logged
    assert "ghost" not in logged
    assert "exampleshire.example" not in logged


# -- the command line -----------------------------------------------------------------------------


async def imports(bot: RunningBot, file: Path, *more: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "leads", "import", str(file), *more),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **bot.environment},
        cwd=bot.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
async def bot_of_today(bot: BotOnDemand) -> BotOnDemand:
    """A process of its own goes by the real clock."""
    bot.clock.now = datetime.now(UTC)
    await bot.opens_a_snapshot(seed=2)
    return bot


async def today(bot: RunningBot) -> Running:
    return (await bot.app.service.directory.all())[0]


async def test_a_file_is_imported_by_a_command(bot_of_today: RunningBot, tmp_path: Path) -> None:
    bot = bot_of_today
    file = tmp_path / "leads.csv"
    file.write_bytes(LIST.encode("cp1252", "replace"))
    code, out, err = await imports(bot, file)
    assert code == 0
    assert "line 2: ann@hill.example" in out.lower()
    assert "line 3: this is not an email address" in out.lower()
    assert "1 added" in out
    assert "hill.example" not in err
    assert set(await leads_of(bot, await today(bot))) == {"ann@hill.example"}
    code, out, _ = await imports(bot, file, "--snapshot", (await today(bot)).snapshot.id)
    assert code == 0
    assert "0 added, 1 on the list already" in out


async def test_an_import_that_takes_nothing_fails(bot_of_today: RunningBot, tmp_path: Path) -> None:
    bot = bot_of_today
    file = tmp_path / "leads.csv"
    file.write_bytes(b"name,school\nAnn,Hill\n")
    code, out, _ = await imports(bot, file)
    assert code != 0
    assert "line 1: there is no column with email addresses" in out.lower()
    code, _, err = await imports(bot, tmp_path / "missing.csv")
    assert code != 0
    assert "missing.csv" in err
    assert "ended by a fault" not in err
    file.write_bytes(b"a" * (2 * 1024 * 1024 + 1))
    code, _, err = await imports(bot, file)
    assert code != 0
    assert "2 MB" in err


async def test_with_several_snapshots_open_an_import_wants_to_know_which(
    bot_of_today: RunningBot, tmp_path: Path
) -> None:
    bot = bot_of_today
    other = await bot.opens_a_snapshot(seed=3)
    file = tmp_path / "leads.csv"
    file.write_bytes(LIST.encode())
    code, _, err = await imports(bot, file)
    assert code != 0
    assert other.snapshot.id in err
    code, _, err = await imports(bot, file, "--snapshot", "nowhere")
    assert code != 0
    assert "nowhere" in err
    code, _, _ = await imports(bot, file, "--snapshot", other.snapshot.id)
    assert code == 0
    assert set(await leads_of(bot, other)) == {"ann@hill.example"}
