"""What is kept of a lead is shown and deleted on request: `python -m bot leads show`, `erase`."""

from __future__ import annotations

from snapshot.lead_lists import Row
from snapshot.leads import Lead, add, all_leads, by_address, note_install, note_person
from snapshot.ledger import id_of, note
from snapshot.opening import Running
from snapshot.ports import Kind
from snapshot.sealing import Person
from tests.stories.conftest import RunningBot
from tests.stories.processes import command

ANN, OTHER, BOB = "ann@hill.example", "office@hill.example", "bob@dale.example"
PERSON = Person("tenant-of-exampleshire", "ann-of-hill")


async def run(bot: RunningBot, *words: str, typed: str = "") -> tuple[int | None, str, str]:
    ended = await command(bot, "leads", *words, typed=typed)
    return ended.code, ended.out, ended.err


async def with_leads(bot: RunningBot) -> Running:
    """Ann stands on the list under two addresses, and has been reminded under one; and Bob."""
    (running,) = await bot.app.service.directory.all(fresh=True)
    records = bot.app.service.records
    rows = [Row(1, ANN, "Ann Smith", "Hill School"), Row(2, OTHER), Row(3, BOB)]
    await add(running, records, rows)
    for address in (ANN, OTHER):
        lead = await by_address(running, records, address)
        assert lead
        chat = {"conversation": "a:ann"} if address == ANN else None
        await note_person(running, records, lead.id, PERSON, chat)
        await note(records, running.snapshot.id, "leads-opening", lead.id, bot.clock())
    bob = await by_address(running, records, BOB)
    assert bob
    await note(records, running.snapshot.id, "leads-opening", bob.id, bot.clock())
    await note_install(running, records, PERSON, bot.clock())
    return running


async def test_all_that_is_kept_is_shown(bot: RunningBot) -> None:
    running = await with_leads(bot)
    code, out, err = await run(bot, "show", ANN.upper())
    assert code == 0
    for said in (
        f"{running.snapshot.id}, {running.snapshot.area}",
        "address: ann@hill.example",
        "name: Ann Smith",
        "organisation: Hill School",
        "reminders: wanted",
        "in Teams: tenant-of-exampleshire/ann-of-hill",
        "chat with the bot: known",
        "message leads-opening: due",
        "address: office@hill.example",
    ):
        assert said in out
    assert BOB not in out
    assert ANN not in err, "no log holds an address"


async def test_an_address_that_is_asked_for_stays_out_of_the_shells_history(
    bot: RunningBot,
) -> None:
    await with_leads(bot)
    code, out, _ = await run(bot, "show", typed=f"{BOB}\n")
    assert code == 0
    assert "address: bob@dale.example" in out
    assert "in Teams: not known" in out
    code, out, _ = await run(bot, "show", "nobody@example.org")
    assert code == 0
    assert "Nothing is kept under this address." in out


async def test_all_of_it_is_deleted_and_nothing_of_others(bot: RunningBot) -> None:
    """Also from the files of a store that a bot is working on."""
    running = await with_leads(bot)
    code, out, _ = await run(bot, "erase", ANN, typed="n\n")
    assert code == 1
    hers = [lead.id for lead in await leads_of(bot, running) if lead.address != BOB]
    assert len(hers) == 2
    code, out, _ = await run(bot, "erase", ANN, typed="y\n")
    assert code == 0
    assert "tell the facilitators" in out
    (left,) = await leads_of(bot, running)
    assert left.address == BOB
    records, id = bot.app.service.records, running.snapshot.id
    assert await records.heads(id, Kind.INSTALL) == []
    messages = await records.heads(id, Kind.MESSAGE)
    assert [head.id for head in messages] == [id_of("leads-opening", left.id)]
    files = [bot.folder / "snapshot.db", bot.folder / "snapshot.db-wal"]
    kept = b"".join(file.read_bytes() for file in files if file.exists())
    assert left.id.encode() in kept
    assert not any(id.encode() in kept for id in hers)
    code, _, err = await run(bot, "erase", ANN, "--yes")
    assert code == 1
    assert "Nothing is kept under this address." in err


async def leads_of(bot: RunningBot, running: Running) -> list[Lead]:
    return await all_leads(running, bot.app.service.records)


async def test_a_snapshot_that_cannot_be_looked_at_is_named(bot: RunningBot) -> None:
    running = await with_leads(bot)
    (bot.folder / "keys" / f"{running.snapshot.id}.key").unlink()
    code, out, _ = await run(bot, "show", ANN)
    assert code == 0
    assert f"{running.snapshot.id} is stopped and could not be looked at." in out
