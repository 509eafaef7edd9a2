"""The same bot with its keys in a key vault, and what an operator is told of them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from bot.rehearsal.teams import Teams
from tests.keyvault.server import Fault, Server
from tests.ports import free_port
from tests.stories.conftest import RunningBot
from tests.stories.opening import goes_on, opens
from tests.stories.people import AGENCIES, closes, respondents, summary_in
from tests.stories.test_keys import KEY_DAYS, keys, the_snapshot, work_of_today

SAMPLE = 10


@pytest.fixture
async def bot(vault: Server, tmp_path: Path) -> AsyncIterator[RunningBot]:
    """With a sample snapshot. Its vault's clock is ours, as far as it waits for that."""
    vault.clock.pace = 1.0
    more = {
        "SNAPSHOT_KEYS": vault.vault.url,
        "SNAPSHOT_KEYS_CA_FILE": str(vault.vault.ca_file),
    }
    async with RunningBot(tmp_path, free_port(), sample=SAMPLE, more_settings=more) as running:
        yield running


async def the_story_up_to_the_close(bot: RunningBot, teams: Teams) -> str:
    facilitator, channel = teams.person("Fay"), teams.channel()
    await facilitator.posts("status", channel)
    for one in respondents(teams, 2, AGENCIES, Random(1)):
        await one.takes_part()
    await closes(facilitator, channel)
    await summary_in(teams, channel)
    await bot.stops_working()
    await bot.app.worker.do_due()
    return channel


async def test_a_key_in_a_vault_is_used_destroyed_and_gone_and_what_was_published_stays(
    bot: RunningBot, teams: Teams, vault: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    channel = await the_story_up_to_the_close(bot, teams)
    id = (await the_snapshot(bot)).snapshot.id
    assert set(vault.secrets) == {"key-service", f"key-{id}", f"pin-{id}"}
    assert not (bot.folder / "keys").exists()
    secret = vault.values()

    due = f"{id}: closed, key in use, due to be destroyed on 2026-03-09\n"
    assert await keys(bot, "status") == (0, due)
    bot.clock.moves(days=KEY_DAYS)
    assert await work_of_today(bot) == ["key-destroyed"]
    assert set(vault.secrets) == {"key-service"}
    assert await keys(bot, "status") == (0, f"{id}: closed, key destroyed\n")

    bot.sample = 0
    await bot.restarts()
    status = await teams.person("Fay").posts("status", channel)
    assert "about 10 practitioners" in status.words
    assert "The snapshot closed on" in (await teams.person("Ada").opens_the_chat()).words
    log = "".join(capfd.readouterr())
    assert '"level": "error"' not in log
    assert [value for value in secret if value in log] == []


async def test_a_vault_takes_longer_to_make_a_key_than_a_turn_has_and_it_is_opened_all_the_same(
    bot: RunningBot, teams: Teams
) -> None:
    """What was typed stays on the card; pressed once more, nothing is opened twice."""
    fay, channel = teams.person("Fay"), teams.channel("another")
    shown = await opens(fay, channel)
    assert "The snapshot is being opened" in shown.words
    again = await goes_on(fay, channel)
    assert "The snapshot is being opened" in again.words
    async with asyncio.timeout(60):
        while not [s for s in teams.posts(channel) if "is open." in s.card.words]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    found = await bot.app.service.directory.all(fresh=True)
    assert [r.snapshot.area for r in found if not r.snapshot.sample] == ["Otherwick"]


async def test_of_a_protected_vault_an_operator_and_the_notice_say_until_when(
    bot: RunningBot, teams: Teams, vault: Server
) -> None:
    """Nobody may purge it, so what is destroyed stays for the days of the vault."""
    vault.recovery_level, vault.days = "CustomizedRecoverable", 30
    for secret in vault.secrets.values():
        for version in secret.versions.values():
            version["attributes"].update(recoveryLevel=vault.recovery_level, recoverableDays=30)
    await bot.restarts()
    await the_story_up_to_the_close(bot, teams)
    notice = await teams.person("Ada").types("privacy")
    assert f"due to be destroyed {KEY_DAYS + 30} days after the close" in notice.words

    id = (await the_snapshot(bot)).snapshot.id
    code, said = await keys(bot, "destroy", id, "--yes")
    (deleted,) = (s.deleted for n, s in vault.secrets.items() if n == f"key-{id}")
    assert deleted is not None
    day = (datetime.fromtimestamp(deleted, UTC) + timedelta(days=30)).date()
    told = f"Who may recover secrets can bring it back until {day}."
    assert (code, said) == (0, f"The key of {id} has been destroyed.\n{told}\n")
    status = f"{id}: closed, key destroyed, recoverable until {day}\n"
    assert await keys(bot, "status") == (0, status)


async def test_a_survey_asks_nothing_of_the_vault_and_goes_on_while_it_is_away(
    bot: RunningBot, teams: Teams, vault: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    """Keys are read when a snapshot is taken up, or its record has changed."""
    await teams.person("Fay").posts("status", teams.channel())
    await bot.app.worker.do_due()
    vault.always(Fault(status=403, code="ForbiddenByFirewall"))
    vault.seen.clear()
    (one,) = respondents(teams, 1, AGENCIES, Random(1))
    await one.takes_part()
    await bot.app.service.directory.all(fresh=True)
    await bot.app.worker.do_due()
    assert vault.seen == []

    await bot.stops_working()
    running = await the_snapshot(bot)
    await bot.app.service.records.replace(running.record)
    assert await the_snapshot(bot) == running
    assert '"keys not reached"' in "".join(capfd.readouterr())

    vault.always(None)
    again = await the_snapshot(bot)
    assert again.record.etag != running.record.etag


def test_a_bot_with_key_files_does_not_load_the_client() -> None:
    asked = "import sys, bot.app, storage.keyfiles; sys.exit('azure' in sys.modules)"
    subprocess.run([sys.executable, "-c", asked], check=True)  # noqa: S603
