"""What becomes of a message when Teams takes it, refuses it, puts it off or says nothing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from random import Random

import pytest

from bot.delivery import CLAIM_S, CLOCKS_DIFFER_S, Delivery, Letter, Not
from bot.logs import set_up
from bot.pace import REFUSALS, Pace
from bot.rehearsal.teams import Teams, Trouble, chat_of
from bot.teams.bot import encoded
from bot.teams.connector import Connector, DeliveryError, new_session
from bot.turns.turn import Address, Reply
from snapshot.ledger import Entry, MessageState, find, id_of, note, revive
from snapshot.ports import DIRECTORY, Kind, Record, Records, SnapshotId, Unavailable
from storage.sqlite import SqliteRecords
from tests.core.watching import AtWrite, Watched
from tests.ledger.sender import HERE, TENANT, TOAST, a_reply

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
WHAT = "leads-opening"
TAKES_S = 0.15


@dataclass
class Desk:
    """A delivery on a real store in front of a stand-in for Teams; its clock stands still.

    `write` says what goes out to somebody: by default the same card to everybody. `connector` has
    the patience for a busy machine, `hasty` has not.
    """

    teams: Teams
    records: Records
    connector: Connector
    hasty: Connector
    now: datetime = NOW
    reply: Reply = field(default_factory=a_reply)
    write: Callable[[Entry], Letter | Not] | None = None

    def delivery(self) -> Delivery:
        pace, dice = Pace(self.records), Random(1)
        return Delivery(self.records, self.send, pace, lambda: self.now, dice, give_up_s=1.0)

    async def send(self, address: Address, reply: Reply) -> None:
        await self.connector.send_encoded(address.service_url, address.conversation, encoded(reply))

    async def notes(self, *recipients: str) -> None:
        for recipient in recipients:
            await note(self.records, HERE, WHAT, recipient, NOW)

    async def delivers(self) -> datetime | None:
        return await self.delivery().deliver(HERE, self.letter)

    async def letter(self, entry: Entry) -> Letter | Not:
        return self.write(entry) if self.write else self.letter_to(entry.recipient)

    def letter_to(self, recipient: str, until: datetime | None = None) -> Letter:
        return Letter(self.address(chat_of(recipient)), self.reply, until)

    def address(self, conversation: str) -> Address:
        return Address(self.teams.url, conversation, "28:bot", TENANT)

    async def found(self, recipient: str) -> Entry:
        entry = await find(self.records, HERE, id_of(WHAT, recipient))
        assert entry
        return entry

    async def state(self, recipient: str) -> str:
        return (await self.found(recipient)).state

    def got(self) -> list[str]:
        return [sent.conversation for sent in self.teams.sent]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    set_up()
    async with (
        Teams("") as teams,
        SqliteRecords(tmp_path / "snapshot.db") as records,
        new_session() as session,
    ):
        yield Desk(teams, records, Connector(session, 60.0), Connector(session, 2 * TAKES_S))


def befalls_once(*troubles: Trouble) -> Callable[[str], Trouble | None]:
    coming = list(troubles)
    return lambda _: coming.pop(0) if coming else None


# -- taken ----------------------------------------------------------------------------------------


async def test_each_gets_the_card_once_with_a_summary_that_tells_nothing(desk: Desk) -> None:
    await desk.notes("ada", "ben")
    assert await desk.delivers() is None
    assert await desk.delivers() is None
    assert sorted(desk.got()) == [chat_of("ada"), chat_of("ben")]
    assert await desk.state("ada") == MessageState.SENT
    sent = desk.teams.sent[0].activity
    assert (sent["type"], sent["summary"]) == ("message", TOAST)
    assert "closes on Friday" in desk.teams.sent[0].card.words


async def test_what_is_no_longer_needed_when_its_turn_comes_is_dropped(desk: Desk) -> None:
    await desk.notes("ada", "ben")
    desk.write = lambda entry: Not() if entry.recipient == "ada" else desk.letter_to("ben")
    await desk.delivers()
    assert desk.got() == [chat_of("ben")]
    assert await desk.state("ada") == MessageState.DROPPED


async def test_whom_there_is_no_way_to_is_noted_with_the_reason(desk: Desk) -> None:
    await desk.notes("ada")
    desk.write = lambda _: Not("by e-mail")
    await desk.delivers()
    entry = await desk.found("ada")
    assert (entry.state, entry.why) == (MessageState.UNREACHABLE, "by e-mail")


# -- put off --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [
        *(Trouble(status) for status in (401, 412, 429, 502, 503, 504)),
        Trouble(),
        Trouble(201, hangs_s=30.0),
    ],
    ids=["401", "412", "429", "502", "503", "504", "cut", "hangs"],
)
async def test_what_passes_is_tried_again_later(desk: Desk, trouble: Trouble) -> None:
    await desk.notes("ada")
    desk.teams.befalls = befalls_once(trouble)
    patient = desk.connector
    desk.connector = desk.hasty if trouble.hangs_s else patient
    again = await desk.delivers()
    desk.connector = patient
    assert again
    assert NOW + timedelta(seconds=1) <= again <= NOW + timedelta(seconds=3)
    assert (desk.got(), await desk.state("ada")) == ([], MessageState.DEFERRED)
    desk.now = again
    assert await desk.delivers() is None
    assert desk.got() == [chat_of("ada")]


async def test_each_wait_is_about_twice_the_last_up_to_ten_minutes(desk: Desk) -> None:
    await desk.notes("ada")
    desk.teams.befalls = lambda _: Trouble(503)
    waits = []
    for _ in range(12):
        again = await desk.delivers()
        assert again
        waits.append((again - desk.now).total_seconds())
        desk.now = again
    longest = [min(2 * 2**n, 600) for n in range(12)]
    assert all(most / 2 <= wait <= most + 1 for wait, most in zip(waits, longest, strict=True))
    assert len({wait / most for wait, most in zip(waits, longest, strict=True)}) > 3, "jitter"


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_nothing_is_tried_before_the_time_that_teams_asks_for(desk: Desk, form: str) -> None:
    def asks(_: str) -> Trouble:
        in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
        return Trouble(429, retry_after="59.5" if form == "seconds" else in_a_minute)

    await desk.notes("ada")
    desk.teams.befalls = asks
    again = await desk.delivers()
    assert again
    wait_s = (again - NOW).total_seconds()
    assert 59 + CLOCKS_DIFFER_S <= wait_s <= 61 + CLOCKS_DIFFER_S
    desk.teams.befalls = befalls_once()
    desk.now = again - timedelta(seconds=1)
    await desk.delivers()
    assert desk.got() == []


@pytest.mark.parametrize("asked", ["soon", "-5", "nan", "inf", "Wed, 99 Foo 2026", "1e999"])
async def test_an_odd_time_to_wait_is_none(desk: Desk, asked: str) -> None:
    await desk.notes("ada")
    desk.teams.befalls = befalls_once(Trouble(429, retry_after=asked))
    again = await desk.delivers()
    assert again
    assert again <= NOW + timedelta(seconds=3 + CLOCKS_DIFFER_S)


async def test_what_would_come_too_late_is_dropped_and_not_put_off(desk: Desk) -> None:
    await desk.notes("ada")
    desk.teams.befalls = lambda _: Trouble(429, retry_after="3600")
    desk.write = lambda _: desk.letter_to("ada", until=NOW + timedelta(hours=1))
    assert await desk.delivers() is None
    assert await desk.state("ada") == MessageState.DROPPED


async def test_a_letter_that_cannot_be_written_is_put_off_and_holds_up_no_other(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    await desk.notes("canary-1", "canary-2", "ben")

    def write(entry: Entry) -> Letter | Not:
        if entry.recipient == "ben":
            return desk.letter_to("ben")
        raise KeyError(entry.recipient)

    desk.write = write
    await desk.delivers()
    assert desk.got() == [chat_of("ben")]
    assert await desk.state("canary-1") == MessageState.DEFERRED
    (line,) = alarms(capsys)
    assert (line["event"], line["error"]) == ("letter failed", "KeyError")
    assert "canary" not in json.dumps(line)


async def test_letters_that_fail_for_different_reasons_are_told_of_each(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    await desk.notes("ada", "ben")

    def write(entry: Entry) -> Letter | Not:
        raise KeyError if entry.recipient == "ada" else ValueError

    desk.write = write
    await desk.delivers()
    assert {line["error"] for line in alarms(capsys)} == {"KeyError", "ValueError"}


async def test_a_letter_that_has_waited_for_its_turn_is_asked_for_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be no longer wanted when its turn comes at last."""
    await desk.notes("ada")
    pace = Pace(desk.records)
    coming: list[Letter | Not] = [Not(), desk.letter_to("ada")]
    monkeypatch.setattr("bot.delivery.FRESH_S", 0.2)
    for _ in range(REFUSALS):
        await pace.heard(TENANT, refused_for_s=3.0)
    desk.write = lambda _: coming.pop()
    await desk.delivers()
    assert (desk.got(), await desk.state("ada")) == ([], MessageState.DROPPED)


async def test_where_every_turn_comes_late_letters_go_out_all_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many wait in all processes that none is fresh when its turn has come."""
    monkeypatch.setattr("bot.delivery.FRESH_S", 0.0)
    written: list[str] = []

    def write(entry: Entry) -> Letter:
        written.append(entry.recipient)
        return desk.letter_to(entry.recipient)

    desk.write = write
    await desk.notes("ada")
    async with asyncio.timeout(60):
        await desk.delivers()
    assert desk.got() == [chat_of("ada")]
    assert written == ["ada", "ada"]


# -- refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (Trouble(403, code="ConversationBlockedByUser"), "403 ConversationBlockedByUser"),
        (Trouble(403, code="Canary"), "403"),
        (Trouble(404, code="ConversationNotFound"), "404 ConversationNotFound"),
        (Trouble(400, code="BadArgument"), "400 BadArgument"),
        (Trouble(413), "413"),
        (Trouble(500, code="ServiceError"), "500 ServiceError"),
        (Trouble(302), "302"),
    ],
)
async def test_everything_else_is_tried_once_and_told_of_once(
    desk: Desk, trouble: Trouble, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await desk.notes("canary-1", "canary-2", "canary-3")
    desk.teams.befalls = lambda _: trouble
    assert await desk.delivers() is None
    entry = await desk.found("canary-1")
    assert (entry.state, entry.why) == (MessageState.UNREACHABLE, why)
    assert len(desk.teams.calls) == 3
    (line,) = alarms(capsys)
    assert (line["event"], line["why"]) == ("message refused", why)
    assert line["level"] == "warning", "somebody may have removed the app"
    assert "canary" not in json.dumps(line)


async def test_of_a_practitioner_the_log_does_not_say_that_teams_refused(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    await note(desk.records, HERE, "unfinished-midway", "ada", NOW)
    desk.teams.befalls = lambda _: Trouble(403)
    await desk.delivers()
    assert len(desk.teams.calls) == 1
    assert alarms(capsys) == []


async def test_who_is_not_written_to_takes_a_turn_all_the_same_where_that_is_wanted(
    desk: Desk,
) -> None:
    await desk.notes("ada")
    desk.write = lambda _: Not(tenant=TENANT)
    await desk.delivers()
    assert desk.got() == []
    assert len(await desk.records.heads(DIRECTORY, Kind.PACE)) == 1


async def test_who_cannot_be_reached_is_written_to_again_once_they_talk_to_the_bot(
    desk: Desk,
) -> None:
    await desk.notes("ada")
    desk.teams.befalls = befalls_once(Trouble(403))
    await desk.delivers()
    await desk.delivers()
    assert len(desk.teams.calls) == 1
    await revive(desk.records, HERE, "ada", desk.now)
    await desk.delivers()
    assert desk.got() == [chat_of("ada")]


@pytest.mark.parametrize(
    "trouble",
    [Trouble(403, code="ForbiddenOperationException"), Trouble(404, code="ConversationNotFound")],
)
async def test_who_has_no_chat_with_the_bot_is_unreachable_and_it_is_noted_why(
    desk: Desk, trouble: Trouble
) -> None:
    await desk.notes("ada")
    desk.teams.befalls = lambda _: trouble
    await desk.delivers()
    await desk.delivers()
    entry = await desk.found("ada")
    why = f"{trouble.status} {trouble.code}"
    assert (entry.state, entry.why) == (MessageState.UNREACHABLE, why)
    assert len(desk.teams.calls) == 1


# -- no message lost, none doubled ----------------------------------------------------------------


async def test_asked_to_stop_it_ends_what_is_being_sent_and_gives_back_the_rest(
    desk: Desk,
) -> None:
    people = [f"{n:02}" for n in range(40)]
    await desk.notes(*people)
    desk.teams.befalls = lambda _: Trouble(201, hangs_s=TAKES_S, taken=True)
    delivering = asyncio.create_task(desk.delivers())
    await until_sent(desk, 3)
    delivering.cancel()
    with suppress(asyncio.CancelledError):
        await delivering
    states = [await desk.state(p) for p in people]
    assert set(states) == {MessageState.SENT, MessageState.DUE}
    assert states.count(MessageState.SENT) == len(desk.teams.sent)
    desk.teams.befalls = befalls_once()
    await desk.delivers()
    assert sorted(desk.got()) == sorted(chat_of(p) for p in people)


async def until_sent(desk: Desk, how_many: int) -> None:
    while True:
        if len(desk.teams.sent) >= how_many:
            return
        await asyncio.sleep(0.01)


async def test_a_claim_is_kept_while_a_message_is_sent_and_taken_over_when_it_runs_out(
    desk: Desk,
) -> None:
    await desk.notes("ada")
    desk.teams.befalls = befalls_once(Trouble(201, hangs_s=TAKES_S, taken=True))
    await asyncio.gather(desk.delivers(), desk.delivers(), desk.delivers())
    assert desk.got() == [chat_of("ada")]


async def test_what_was_sent_is_noted_though_the_store_is_away_for_a_moment(desk: Desk) -> None:
    await desk.notes("ada")
    real, faults = desk.records, [Unavailable("away"), Unavailable("away")]

    async def fails_after_the_send(_: Record) -> None:
        if desk.teams.sent and faults:
            raise faults.pop()

    desk.records = Watched(real, fails_after_the_send)
    await desk.delivers()
    assert (faults, await desk.state("ada")) == ([], MessageState.SENT)


async def test_without_the_store_it_ends_and_loses_nothing(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    await desk.notes("ada", "ben")
    real = desk.records

    async def away(_: Record) -> None:
        raise Unavailable("away")

    desk.records = Watched(real, away)
    async with asyncio.timeout(60):
        await desk.delivers()
    assert desk.got() == []
    assert {line["event"] for line in alarms(capsys)} == {"store not reached"}
    desk.records = real
    await desk.delivers()
    assert sorted(desk.got()) == [chat_of("ada"), chat_of("ben")]


class Absent(Watched):
    """A store that does not answer `verb`, "first" or "replace", at certain times (from 0)."""

    def __init__(self, inner: Records, verb: str, times: Callable[[int], bool]) -> None:
        super().__init__(inner, lambda _: self._asked("replace"))
        self.verb, self.times, self.asked = verb, times, 0

    async def first(self, snapshot: SnapshotId, kind: Kind, state: str, most: int) -> list[Record]:
        await self._asked("first")
        return await super().first(snapshot, kind, state, most)

    async def _asked(self, verb: str) -> None:
        if verb == self.verb:
            self.asked += 1
            if self.times(self.asked - 1):
                raise Unavailable("away")


@pytest.mark.parametrize("verb", ["first", "replace"])
async def test_a_call_that_the_store_does_not_answer_stops_no_other(desk: Desk, verb: str) -> None:
    everybody = [f"p{number}" for number in range(60)]
    await desk.notes(*everybody)
    desk.records = Absent(desk.records, verb, lambda number: number == 1)
    assert await desk.delivers() is None
    assert sorted(desk.got()) == sorted(map(chat_of, everybody))


async def test_where_nobody_knows_what_waits_it_is_looked_for_again_at_once(desk: Desk) -> None:
    listings_of_a_page = 3
    desk.records = Absent(desk.records, "first", lambda number: number >= listings_of_a_page)
    assert await desk.delivers() == desk.now


async def test_whoever_loses_the_race_for_a_claim_sends_nothing(desk: Desk) -> None:
    await desk.notes("ada")
    rival = desk.delivery()
    act = AtWrite(0, lambda: rival.deliver(HERE, desk.letter))
    desk.records = Watched(desk.records, act)
    await desk.delivers()
    assert act.came_to_it
    assert desk.got() == [chat_of("ada")]


async def test_a_date_to_wait_for_is_counted_from_that_of_the_answer(desk: Desk) -> None:
    """Our own clock may differ from theirs."""
    async with await asyncio.start_server(puts_off, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        with pytest.raises(DeliveryError) as put_off:
            await desk.connector.send(f"http://{host}:{port}", "a:chat", {"type": "message"})
    assert put_off.value.retry_after_s == 90


async def puts_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(
        b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n"
        b"Date: Mon, 02 Mar 2026 09:30:00 GMT\r\nRetry-After: Mon, 02 Mar 2026 09:31:30 GMT\r\n\r\n"
    )
    await writer.drain()
    writer.close()


async def test_an_answer_that_breaks_off_after_it_was_taken_counts(desk: Desk) -> None:
    """A second attempt would be a second message."""
    cut_short = asyncio.start_server(answers_half, "127.0.0.1", 0)
    async with await cut_short as server:
        host, port = server.sockets[0].getsockname()
        url = f"http://{host}:{port}"
        assert await desk.connector.send(url, "a:chat", {"type": "message"}) == ""
        with pytest.raises(DeliveryError):
            await desk.connector.member(url, "a:chat", "ada")


async def answers_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 40\r\n\r\n" + b'{"id": ')
    await writer.drain()
    writer.close()


# -- clocks ---------------------------------------------------------------------------------------


async def another_is_ahead(desk: Desk, by_s: float) -> None:
    """A process whose clock is ahead has sent something."""
    await Pace(desk.records, lambda: time.time() + by_s).turn(TENANT)


async def test_a_message_is_due_also_once_the_clock_has_jumped_back(desk: Desk) -> None:
    await desk.notes("ada")
    desk.now = NOW - timedelta(hours=1)
    assert await desk.delivers() is None
    assert desk.got() == [chat_of("ada")]


async def test_who_is_behind_makes_no_claims_that_have_run_out_for_others(desk: Desk) -> None:
    ten_minutes = timedelta(minutes=10)
    await another_is_ahead(desk, ten_minutes.total_seconds())
    await desk.notes("ada")
    behind, ahead = desk.delivery(), replace(desk, now=NOW + ten_minutes).delivery()
    await behind.deliver(HERE, desk.letter)
    await desk.notes("ben")
    desk.teams.befalls = lambda _: Trouble(201, hangs_s=TAKES_S, taken=True)
    sending = asyncio.create_task(behind.deliver(HERE, desk.letter))
    await until_sent(desk, 2)
    await ahead.deliver(HERE, desk.letter)
    await sending
    assert desk.got() == [chat_of("ada"), chat_of("ben")]


async def test_who_is_behind_waits_by_their_own_clock(desk: Desk) -> None:
    await another_is_ahead(desk, 600.0)
    await desk.notes("ada")
    desk.teams.befalls = befalls_once(Trouble(429, retry_after="60"))
    delivery = desk.delivery()
    desk.write = lambda _: desk.letter_to("ada", until=NOW + timedelta(seconds=90))
    again = await delivery.deliver(HERE, desk.letter)
    assert again
    assert 60 <= (again - NOW).total_seconds() <= 60 + CLOCKS_DIFFER_S + 1
    desk.now = again - timedelta(seconds=2)
    assert await delivery.deliver(HERE, desk.letter)
    assert desk.got() == []
    desk.now = again
    assert await delivery.deliver(HERE, desk.letter) is None
    assert desk.got() == [chat_of("ada")]


async def test_a_time_that_somebody_has_broken_stops_nothing(desk: Desk) -> None:
    await another_is_ahead(desk, 1e15)
    await desk.notes("ada")
    desk.teams.befalls = befalls_once(Trouble(503))
    delivery = desk.delivery()
    again = await delivery.deliver(HERE, desk.letter)
    assert again
    desk.now = again
    await delivery.deliver(HERE, desk.letter)
    assert desk.got() == [chat_of("ada")]


def test_a_claim_lives_far_longer_than_a_call() -> None:
    assert CLAIM_S > 5 * 10


def alarms(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]
