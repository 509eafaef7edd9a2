"""A message is taken by one, given back or ended by them, and never lost; on both stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from snapshot.ledger import (
    OPEN,
    PAGE,
    Entry,
    MessageState,
    claim,
    defer,
    find,
    id_of,
    next_at,
    note,
    release,
    revive,
    settle,
    takeable,
)
from snapshot.ports import Kind, Records, SnapshotId
from storage.cosmos import CosmosRecords
from storage.sqlite import SqliteRecords
from tests.cosmos.server import Server

HERE = SnapshotId("here-2026")
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
WHAT = "leads-opening"
CLAIM_S = 60.0


def later(**by: float) -> datetime:
    return NOW + timedelta(**by)


@pytest.fixture(params=["sqlite", "cosmos"])
async def records(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Records]:
    async with AsyncExitStack() as stack:
        if request.param == "sqlite":
            yield await stack.enter_async_context(SqliteRecords(tmp_path / "snapshot.db"))
        else:
            server: Server = request.getfixturevalue("cosmos")
            yield await stack.enter_async_context(CosmosRecords(server.new_database()))


async def noted(records: Records, *recipients: str, at: datetime = NOW) -> None:
    for recipient in recipients:
        assert await note(records, HERE, WHAT, recipient, at)


async def claimed(records: Records, recipient: str, now: datetime = NOW) -> Entry:
    entry = await claim(records, await found(records, recipient), now, CLAIM_S)
    assert entry
    return entry


async def waiting(records: Records, now: datetime = NOW) -> list[str]:
    return [entry.recipient for entry in await takeable(records, HERE, now)]


async def found(records: Records, recipient: str) -> Entry:
    entry = await find(records, HERE, id_of(WHAT, recipient))
    assert entry
    return entry


# -- due ------------------------------------------------------------------------------------------


async def test_what_is_due_is_due_also_for_a_clock_that_is_behind(records: Records) -> None:
    await noted(records, "ada", at=later(hours=1, microseconds=999_999))
    assert await next_at(records, HERE) == later(hours=1)
    assert await waiting(records) == ["ada"]
    await claimed(records, "ada")


async def test_the_time_of_any_zone_is_meant(records: Records) -> None:
    summer = datetime(2026, 7, 1, 9, 30, tzinfo=ZoneInfo("Europe/London"))
    await noted(records, "ada", at=summer)
    assert await next_at(records, HERE) == summer
    await defer(records, await claimed(records, "ada", summer), summer + timedelta(hours=1), 1)
    utc = (summer + timedelta(hours=1)).astimezone(UTC)
    assert await waiting(records, utc - timedelta(seconds=1)) == []
    assert await waiting(records, utc) == ["ada"]


async def test_noted_again_the_first_stands_whatever_has_become_of_it(records: Records) -> None:
    await noted(records, "ada")
    await settle(records, await claimed(records, "ada"), MessageState.SENT)
    assert not await note(records, HERE, WHAT, "ada", NOW)
    assert await waiting(records) == []
    assert await note(records, HERE, "leads-last-2026-03-20", "ada", NOW)
    assert await waiting(records) == ["ada"]


@pytest.mark.parametrize("recipient", ["", "ada.example", "."])
def test_a_recipient_is_one_word(recipient: str) -> None:
    with pytest.raises(ValueError, match="a word without a dot"):
        id_of(WHAT, recipient)


async def test_what_and_to_whom_are_read_off_the_id_and_nothing_else_is_kept(
    records: Records,
) -> None:
    await note(records, HERE, "unfinished-last-2026-03-20", "0a1b", NOW)
    entry = await find(records, HERE, "unfinished-last-2026-03-20.0a1b")
    assert entry
    assert (entry.what, entry.recipient) == ("unfinished-last-2026-03-20", "0a1b")
    assert entry.record.body == {"tries": 0, "why": ""}
    assert entry.record.group == "2026-03-02T09:30:00Z"


async def test_those_that_have_waited_longest_come_first_a_page_at_a_time(
    records: Records,
) -> None:
    await noted(records, *(f"{n:03}" for n in range(PAGE)))
    await noted(records, "early", at=later(minutes=-1))
    page = await waiting(records)
    assert (len(page), page[0]) == (PAGE, "early")


async def test_posts_to_channels_are_left_to_whoever_knows_their_order(records: Records) -> None:
    await noted(records, "channel", "moderators")
    assert await waiting(records) == []
    assert await next_at(records, HERE) == NOW
    assert (await claimed(records, "channel")).recipient == "channel"


# -- claimed --------------------------------------------------------------------------------------


async def test_of_many_who_claim_one_message_at_once_one_has_it(records: Records) -> None:
    await noted(records, "ada")
    entry = await found(records, "ada")
    claims = [claim(records, entry, NOW, CLAIM_S) for _ in range(10)]
    assert len([c for c in await asyncio.gather(*claims) if c]) == 1
    assert await waiting(records) == []


async def test_a_claim_runs_out_and_whoever_had_it_changes_nothing_any_more(
    records: Records,
) -> None:
    await noted(records, "ada")
    dead = await claimed(records, "ada")
    assert await waiting(records, later(seconds=CLAIM_S - 1)) == []
    assert await next_at(records, HERE) == later(seconds=CLAIM_S)
    assert await waiting(records, later(seconds=CLAIM_S)) == ["ada"]
    await claimed(records, "ada", later(seconds=CLAIM_S))
    before = await found(records, "ada")
    assert not await settle(records, dead, MessageState.SENT)
    assert not await defer(records, dead, NOW, 1)
    assert not await release(records, dead, NOW)
    assert await found(records, "ada") == before


async def test_what_is_released_is_due_as_if_nobody_had_taken_it(records: Records) -> None:
    await noted(records, "ada")
    assert await release(records, await claimed(records, "ada"), NOW)
    assert await waiting(records) == ["ada"]
    assert (await found(records, "ada")).tries == 0


@pytest.mark.parametrize("gone", ["sent", "put off"])
async def test_nobody_claims_what_is_put_off_or_over(records: Records, gone: str) -> None:
    await noted(records, "sent", "put off")
    await settle(records, await claimed(records, "sent"), MessageState.SENT)
    await defer(records, await claimed(records, "put off"), later(seconds=1), 1)
    assert await claim(records, await found(records, gone), NOW, CLAIM_S) is None


# -- what comes of it -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "outcome", [MessageState.SENT, MessageState.UNREACHABLE, MessageState.DROPPED]
)
async def test_a_message_that_has_ended_is_never_taken_again(
    records: Records, outcome: MessageState
) -> None:
    await noted(records, "ada")
    assert await settle(records, await claimed(records, "ada"), outcome, "403 Why")
    assert await waiting(records, later(days=365)) == []
    assert await next_at(records, HERE) is None
    entry = await found(records, "ada")
    assert (entry.state, entry.why) == (outcome, "403 Why")


@pytest.mark.parametrize(
    "outcome", [MessageState.SENT, MessageState.UNREACHABLE, MessageState.DROPPED]
)
async def test_nobody_reads_what_came_of_a_message_to_a_practitioner(
    records: Records, outcome: MessageState
) -> None:
    await note(records, HERE, "unfinished-midway", "0a1b", NOW)
    (entry,) = await takeable(records, HERE, NOW)
    taken = await claim(records, entry, NOW, CLAIM_S)
    assert taken
    assert await settle(records, taken, outcome, "403 Why")
    ended = await find(records, HERE, "unfinished-midway.0a1b")
    assert ended
    assert (ended.state, ended.record.body) == (MessageState.DONE, {"tries": 0, "why": ""})
    assert await takeable(records, HERE, later(days=365)) == []


@pytest.mark.parametrize("state", OPEN)
async def test_no_message_ends_in_a_state_in_which_it_would_be_taken(
    records: Records, state: MessageState
) -> None:
    await noted(records, "ada")
    with pytest.raises(ValueError, match="not how a message ends"):
        await settle(records, await claimed(records, "ada"), state)


async def test_what_is_deferred_is_taken_when_its_time_has_come_and_not_before(
    records: Records,
) -> None:
    await noted(records, "ada")
    entry = await claimed(records, "ada")
    assert await defer(records, entry, later(minutes=5, microseconds=1), entry.tries + 1, "429")
    assert await waiting(records, later(minutes=5)) == []
    assert await waiting(records, later(minutes=5, seconds=1)) == ["ada"]
    again = await claimed(records, "ada", later(minutes=6))
    assert (again.tries, again.why) == (1, "429")


async def test_the_next_is_the_earliest_of_all_that_are_open(records: Records) -> None:
    assert await next_at(records, HERE) is None
    await noted(records, "due", at=later(hours=3))
    await noted(records, "deferred", "claimed")
    await defer(records, await claimed(records, "deferred"), later(hours=2), 1)
    assert await next_at(records, HERE) == NOW
    entry = await claimed(records, "claimed")
    assert await next_at(records, HERE) == later(seconds=CLAIM_S)
    await settle(records, entry, MessageState.DROPPED)
    assert await next_at(records, HERE) == later(hours=2)


async def test_who_talks_to_the_bot_again_is_written_to_again(records: Records) -> None:
    await noted(records, "ada", "ben")
    for recipient in ("ada", "ben"):
        entry = await claimed(records, recipient)
        await settle(records, entry, MessageState.UNREACHABLE, "403 ConversationBlockedByUser")
    assert await revive(records, HERE, "ada", NOW) == 1
    assert await revive(records, HERE, "ada", NOW) == 0
    assert await waiting(records) == ["ada"]


@pytest.mark.parametrize(
    "broken", [{"group": "soon"}, {"group": ""}, {"group": "2026-03-02"}, {"state": "odd"}]
)
async def test_what_somebody_has_broken_in_the_store_stops_no_other(
    records: Records, broken: dict[str, str]
) -> None:
    await noted(records, "ada", "ben")
    record = (await found(records, "ada")).record
    await records.replace(replace(record, **broken))  # type: ignore[arg-type]  # fields of Record by name
    assert await waiting(records) == ["ben"]
    assert await next_at(records, HERE) == NOW
    assert await claim(records, Entry(record), NOW, CLAIM_S) is None
    assert await claim(records, await found(records, "ada"), NOW, CLAIM_S) is None
    assert (await records.read(HERE, Kind.MESSAGE, record.id)).etag
