"""The report: a facilitator asks in their private chat, or an operator on the command line."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest
from pypdf import PdfReader

from bot.rehearsal.teams import GIVEN, OFFER, Json, PersonHere, Teams
from bot.reporting import gather
from snapshot.advice import Direction
from snapshot.comments import Decision, decide
from snapshot.opening import Running
from snapshot.ports import Kind
from snapshot.views import Travel
from tests.ports import free_port
from tests.stories.commenting import Channels, have_sent, moderators_register, the_snapshot
from tests.stories.opening import BotOnDemand, opens_in
from tests.stories.people import closes, seen

ROOT = Path(__file__).parents[2]
WORDS = "Canary words of a practitioner"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    async with BotOnDemand(tmp_path, free_port()) as running:
        await running.opens_a_snapshot()
        yield running


@pytest.fixture
async def channels(bot: BotOnDemand, teams: Teams) -> Channels:
    return await moderators_register(teams)


async def comes_to_an_end(bot: BotOnDemand, channels: Channels, comments: int = 10) -> None:
    """Sixty have answered, so many of them with a comment, and the snapshot has closed."""
    written = [{"awareness": f"{WORDS} {n}."} if n < comments else {} for n in range(60)]
    await have_sent(bot, comments=written)
    await closes(channels.fay, channels.facilitators)
    await bot.works()


async def moderators_read_all(bot: BotOnDemand) -> None:
    running, records = await the_snapshot(bot), bot.app.service.records
    bot.clock.moves(days=1, hours=1)
    await bot.works()
    for record in await records.read_all(running.snapshot.id, Kind.COMMENT):
        await decide(running, records, record.id, Decision.APPROVE)


async def has_answer(person: PersonHere) -> str:
    """What the last card says, once the report is made or refused."""
    async with asyncio.timeout(60):
        while True:
            words = seen(person).words
            if "is being made" not in words:
                return words
            await asyncio.sleep(0.05)
            person.sees = await person.looks()


async def asks(person: PersonHere, words: str = "report") -> str:
    await person.types(words)
    return await has_answer(person)


async def is_offered(person: PersonHere) -> list[str]:
    return [offer["name"] for offer in await has(person, OFFER, 3)]


async def has(person: PersonHere, kind: str, count: int) -> list[Json]:
    """So many files that were offered or given, once they are there."""
    async with asyncio.timeout(60):
        while True:
            found = [f for f in person.files() if f["contentType"] == kind]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.05)


async def test_a_facilitator_gets_each_form_as_a_file(
    teams: Teams, bot: BotOnDemand, channels: Channels
) -> None:
    await comes_to_an_end(bot, channels)
    await moderators_read_all(bot)
    fay = channels.fay
    said = await asks(fay)
    assert "The report for Exampleshire is ready" in said
    kept = bot.folder / "reports" / (await the_snapshot(bot)).snapshot.id
    assert str(kept) in said
    names = await is_offered(fay)
    assert [name.rpartition(".")[2] for name in names] == ["docx", "pdf", "xlsx"]
    assert teams.uploads == {}
    for number, ending in enumerate(("docx", "pdf", "xlsx"), start=1):
        await fay.chooses("accept", upload=ending, ending=ending)
        await has(fay, GIVEN, number)
    sizes = {
        f["name"]: f["content"]["sizeInBytes"] for f in fay.files() if "sizeInBytes" in f["content"]
    }
    assert sizes == {name: len(teams.uploads[name.rpartition(".")[2]]) for name in names}
    assert {path.name: path.stat().st_size for path in kept.iterdir()} == sizes
    text = " ".join(p.extract_text() for p in PdfReader(io.BytesIO(teams.uploads["pdf"])).pages)
    assert f"{WORDS} 7." in text
    assert "There was no strategic session" in text
    with ZipFile(io.BytesIO(teams.uploads["docx"])) as word:
        assert f"{WORDS} 7." in word.read("word/document.xml").decode()
    with ZipFile(io.BytesIO(teams.uploads["xlsx"])) as excel:
        assert WORDS not in excel.read("xl/sharedStrings.xml").decode()
    assert WORDS not in repr([sent.activity for sent in teams.sent])


async def test_there_is_none_before_the_close(
    teams: Teams, bot: BotOnDemand, channels: Channels
) -> None:
    assert "There is no report yet" in await asks(channels.fay)
    await have_sent(bot, comments=[{}] * 60)
    await closes(channels.fay, channels.facilitators)
    assert "There is no report yet" in await asks(channels.fay), "nothing has been mixed"
    assert channels.fay.files() == []


async def test_there_is_none_as_long_as_a_comment_is_unread(
    teams: Teams, bot: BotOnDemand, channels: Channels
) -> None:
    """Not while comments wait to be put before moderators, nor while one waits for them."""
    await comes_to_an_end(bot, channels)
    unread = "A comment has not been read"
    assert unread in await asks(channels.fay)
    bot.clock.moves(days=1, hours=1)
    await bot.works()
    assert unread in await asks(channels.fay)
    await moderators_read_all(bot)
    assert "is ready" in await asks(channels.fay)
    await is_offered(channels.fay)


async def test_nor_while_a_concern_has_not_been_passed_on(
    teams: Teams, bot: BotOnDemand, channels: Channels
) -> None:
    await comes_to_an_end(bot, channels, comments=1)
    running, records = await the_snapshot(bot), bot.app.service.records
    bot.clock.moves(days=1, hours=1)
    await bot.works()
    (record,) = await records.read_all(running.snapshot.id, Kind.COMMENT)
    await decide(running, records, record.id, Decision.ESCALATE)
    assert "a concern has not been passed on" in await asks(channels.fay)


async def test_what_was_offered_is_not_given_once_a_right_is_gone(
    teams: Teams, bot: BotOnDemand, channels: Channels
) -> None:
    await comes_to_an_end(bot, channels, comments=0)
    await asks(channels.fay)
    await is_offered(channels.fay)
    bot.more_settings = {"SNAPSHOT_FACILITATORS": "somebody/else"}
    await bot.restarts()
    await channels.fay.chooses("accept", ending="pdf")
    shown = await channels.fay.looks()
    assert shown
    assert "no longer on offer" in shown.words
    stan = teams.person("Stan")
    await stan.types("report")
    assert stan.files() == []
    assert teams.uploads == {}


async def test_who_declines_has_no_file(teams: Teams, bot: BotOnDemand, channels: Channels) -> None:
    await comes_to_an_end(bot, channels, comments=0)
    await asks(channels.fay)
    await is_offered(channels.fay)
    await channels.fay.chooses("decline", ending="docx")
    shown = await channels.fay.looks()
    assert shown
    assert "I made no file" in shown.words
    assert teams.uploads == {}


async def test_where_it_cannot_be_printed_they_are_told_so_and_can_try_again(
    teams: Teams,
    bot: BotOnDemand,
    channels: Channels,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Not that their OneDrive had not taken it. Whoever runs the bot finds it in the log."""
    await comes_to_an_end(bot, channels, comments=0)
    fay = channels.fay
    await asks(fay)
    await is_offered(fay)
    await bot.restarts()  # what has been printed is remembered until then
    with monkeypatch.context() as broken:
        broken.setattr("bot.printing.sys.executable", "/not/there")
        assert "I could not make the file" in await asks(fay)
        assert '"event": "report not printed"' in capfd.readouterr().err
        await fay.chooses("accept", upload="pdf", ending="pdf")
        shown = await fay.looks()
        assert shown
        assert "I could not make the file" in shown.words
        assert teams.uploads == {}
    await fay.chooses("accept", upload="pdf", ending="pdf")
    await has(fay, GIVEN, 1)
    assert teams.uploads["pdf"].startswith(b"%PDF")


async def test_of_several_that_have_closed_one_is_chosen(
    teams: Teams, bot: BotOnDemand, channels: Channels
) -> None:
    await comes_to_an_end(bot, channels, comments=0)
    running = await the_snapshot(bot)
    other = await opens_in(teams, bot, "otherwick")
    bot.clock.now = other.snapshot.deadline
    await bot.works()
    fay = channels.fay
    await fay.types("report")
    (action,) = [
        a
        for a in seen(fay).actions("snapshot.choose")
        if a["data"]["snapshot"] == running.snapshot.id
    ]
    assert fay.files() == []
    await fay.acts(action)
    assert all("exampleshire" in name for name in await is_offered(fay))


async def test_the_channel_says_where_it_is_and_the_help_names_it(
    teams: Teams, bot: BotOnDemand, channels: Channels
) -> None:
    shown = await channels.fay.posts("report", channels.facilitators)
    assert "in their private chat with me" in shown.words
    shown = await channels.fay.posts("help", channels.facilitators)
    said = shown.words.replace("**", "")
    assert "report: See where to get the report" in said
    assert "report: Get the report as files" in said
    assert "report: Get the report as files" in (await channels.fay.types("help")).words.replace(
        "**", ""
    )


# -- an earlier snapshot of the area ------------------------------------------------------------


async def closes_again(bot: BotOnDemand, before: Running, option: str) -> Running:
    """A year later: a second snapshot, and how it looks once it has closed."""
    bot.clock.moves(days=365)
    later = await bot.opens_a_snapshot(seed=2)
    await have_sent(bot, comments=[{}] * 60, running=later, option=option)
    bot.clock.now = later.snapshot.deadline
    await bot.works()
    found = await bot.app.service.directory.find(later.snapshot.id, fresh=True)
    assert found
    assert found.snapshot.id != before.snapshot.id
    return found


async def test_a_year_later_an_arrow_says_what_has_changed(
    teams: Teams, bot: BotOnDemand, channels: Channels
) -> None:
    await comes_to_an_end(bot, channels, comments=0)
    first = await the_snapshot(bot)
    later = await closes_again(bot, first, "partly")
    found = await gather(bot.app.service, later)
    assert found.earlier == "March 2026"
    assert {v.practice_travel for v in found.findings.statements} == {Travel(Direction.WORSE, 30)}
    assert found.findings.reworded == ()
    welsh = await gather(bot.app.service, later, "cy-GB")
    assert welsh.earlier == "Mawrth 2026"
    assert welsh.findings.reworded == (), "the same statements in another language"
    assert (await gather(bot.app.service, await fresh(bot, first))).earlier == ""


async def test_what_read_otherwise_then_is_not_compared(
    teams: Teams, bot: BotOnDemand, channels: Channels
) -> None:
    await comes_to_an_end(bot, channels, comments=0)
    first, records = await the_snapshot(bot), bot.app.service.records
    final = await records.read(first.snapshot.id, Kind.PUBLICATION, "final")
    texts = {**final.body["texts"], "AW1": "It read otherwise."}
    await records.replace(replace(final, body={**final.body, "texts": texts}))
    found = await gather(bot.app.service, await closes_again(bot, first, "partly"))
    assert found.findings.reworded == ("AW1",)


async def fresh(bot: BotOnDemand, running: Running) -> Running:
    found = await bot.app.service.directory.find(running.snapshot.id, fresh=True)
    assert found
    return found


# -- the command line -----------------------------------------------------------------------------


async def runs(bot: BotOnDemand, *words: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "report", *words),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **bot.environment},
        cwd=bot.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_an_operator_has_the_files_in_a_folder(
    teams: Teams, bot: BotOnDemand, channels: Channels
) -> None:
    id = (await the_snapshot(bot)).snapshot.id
    code, _, said = await runs(bot, id, "--out", "out")
    assert code == 1
    assert "has not closed yet" in said
    await comes_to_an_end(bot, channels)
    code, _, said = await runs(bot, id, "--out", "out")
    assert code == 1
    assert "A comment has not been read" in said
    await moderators_read_all(bot)
    code, out, _ = await runs(bot, id, "--out", "out/here", "--language", "cy-GB")
    assert code == 0
    files = [bot.folder / line for line in out.split()]
    assert [f.suffix for f in files] == [".docx", ".pdf", ".xlsx"]
    assert all(f.parent == bot.folder / "out/here" and f.stat().st_size > 5_000 for f in files)
    assert "Yn gryno" in PdfReader(files[1]).pages[1].extract_text()


async def test_an_operator_is_told_what_is_wrong(bot: BotOnDemand) -> None:
    id = (await the_snapshot(bot)).snapshot.id
    for words, said in (
        (("nowhere", "--out", "out"), "There is no snapshot nowhere"),
        (
            (id, "--out", "out", "--language", "fr"),
            "There is no language fr. There are cy-GB, en-GB",
        ),
    ):
        code, _, told = await runs(bot, *words)
        assert code == 1
        assert said in told
