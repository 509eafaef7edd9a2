"""What goes wrong on the way to Cosmos DB loses nothing, doubles nothing and ends in time."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest

from snapshot.ports import Changed, Exists, Head, Kind, Missing, Record, RecordsError, Unavailable
from storage.cosmos import CosmosRecords
from storage.cosmos_calls import ATTEMPTS, VERB_S, Patience
from storage.errors import Refused
from tests.contract.records_contract import HERE, an_envelope
from tests.cosmos.proxy import Fault, Proxy, Seen
from tests.cosmos.server import Server

type Verb = Callable[[], Awaitable[object]]

A_TURN_S = 3.0
HANGS_S = 60.0
SOON = {"x-ms-retry-after-ms": "30"}
PASSING = {
    "429, wait a little": Fault(status=429, headers=SOON),
    "429, no word of how long": Fault(status=429),
    "408": Fault(status=408),
    "408, though it was done": Fault(status=408, acts=True),
    "410": Fault(status=410),
    "449": Fault(status=449),
    "500": Fault(status=500),
    "503": Fault(status=503, headers={"Retry-After": "0"}),
    "503, though it was done": Fault(status=503, acts=True),
    "404, the replica lags behind": Fault(status=404, headers={"x-ms-substatus": "1002"}),
    "403, failing over": Fault(status=403, headers={"x-ms-substatus": "3"}),
    "cut before": Fault(),
    "cut after": Fault(acts=True),
    "too slow, and not done": Fault(delay_s=0.8),
    "too slow, though it was done": Fault(delay_s=0.8, acts=True),
}
LASTING = {
    **{name: fault for name, fault in PASSING.items() if not (fault.acts or fault.delay_s)},
    "429, wait for a minute": Fault(status=429, headers={"x-ms-retry-after-ms": "60000"}),
    "too slow": Fault(delay_s=1.2, status=503),
    "hangs": Fault(delay_s=HANGS_S, status=503),
}
passing = pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
lasting = pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING.keys())


@pytest.fixture(autouse=True)
def unhurried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """More time than usual, so that a busy machine does not decide.

    Less for one request where that is what it is about: who is held up then has more of them.
    """
    fault = getattr(request.node, "callspec", None) and request.node.callspec.params.get("fault")
    attempt_s = 0.6 if isinstance(fault, Fault) and fault.delay_s else HANGS_S / 2
    monkeypatch.setattr("storage.cosmos.Patience", partial(Patience, HANGS_S / 2, attempt_s))


@contextmanager
def as_usual() -> Iterator[None]:
    """With the limits that hold outside the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("storage.cosmos.Patience", Patience)
        yield


@pytest.fixture
async def proxy(cosmos: Server) -> AsyncIterator[Proxy]:
    async with Proxy(cosmos) as between:
        yield between


@pytest.fixture
async def stores(proxy: Proxy, cosmos: Server) -> AsyncIterator[tuple[CosmosRecords, ...]]:
    """One that meets the faults, and another process's on the same database, which does not."""
    account = cosmos.new_database()
    async with CosmosRecords(proxy.reach(account)) as records, CosmosRecords(account) as other:
        yield records, other


@pytest.fixture
def records(stores: tuple[CosmosRecords, CosmosRecords]) -> CosmosRecords:
    return stores[0]


@pytest.fixture
def other(stores: tuple[CosmosRecords, CosmosRecords]) -> CosmosRecords:
    return stores[1]


# -- one fault, and all is well -------------------------------------------------------------------


@passing
async def test_a_create_is_done_once(
    fault: Fault, records: CosmosRecords, other: CosmosRecords, proxy: Proxy
) -> None:
    proxy.next(fault)
    kept = await records.create(an_envelope())
    assert await other.read(HERE, Kind.ENVELOPE, "ada") == kept
    with pytest.raises(Exists):
        await records.create(an_envelope())
    await records.replace(replace(kept, state="submitted"))


@passing
async def test_a_replace_is_done_once(
    fault: Fault, records: CosmosRecords, other: CosmosRecords, proxy: Proxy
) -> None:
    first = await records.create(an_envelope())
    proxy.next(fault)
    second = await records.replace(replace(first, state="submitted"))
    assert await other.read(HERE, Kind.ENVELOPE, "ada") == second
    with pytest.raises(Changed):
        await records.replace(replace(first, state="withdrawn"))


@passing
async def test_after_a_delete_the_record_is_gone(
    fault: Fault, records: CosmosRecords, other: CosmosRecords, proxy: Proxy
) -> None:
    kept = await records.create(an_envelope())
    proxy.next(fault)
    if fault.acts:
        with pytest.raises(Changed):
            await records.delete(kept)
    else:
        await records.delete(kept)
    with pytest.raises(Missing):
        await other.read(HERE, Kind.ENVELOPE, "ada")


@passing
async def test_reading_and_listing_go_on(
    fault: Fault, records: CosmosRecords, proxy: Proxy
) -> None:
    kept = await records.create(an_envelope())
    verbs: tuple[tuple[Verb, object], ...] = (
        (lambda: records.read(HERE, Kind.ENVELOPE, "ada"), kept),
        (
            lambda: records.heads(HERE, Kind.ENVELOPE, "open"),
            [Head("ada", "open", "police")],
        ),
        (lambda: records.read_all(HERE, Kind.ENVELOPE), [kept]),
    )
    for read, found in verbs:
        proxy.next(fault)
        assert await read() == found
        assert len(proxy.seen) > 1


@passing
async def test_a_long_list_is_whole_when_a_later_page_fails(
    fault: Fault, records: CosmosRecords, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.cosmos.HEADS_A_PAGE", 3)
    ids = [f"{n:02}" for n in range(10)]
    for id in ids:
        await records.create(an_envelope(id))
    proxy.next(*[None, fault] * 4)
    assert [h.id for h in await records.heads(HERE, Kind.ENVELOPE)] == ids


async def test_lists_do_not_mix_up_their_pages_with_other_calls(
    records: CosmosRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client keeps the last answer's headers in one place for all calls."""
    monkeypatch.setattr("storage.cosmos.RECORDS_A_PAGE", 2)
    for kind in (Kind.SLIP, Kind.TALLY, Kind.COMMENT):
        for n in range(9):
            await records.create(Record(HERE, kind, f"{n}", {"kind": kind}))

    async def reads(kind: Kind) -> None:
        found = await records.read_all(HERE, kind)
        assert [(r.id, r.body["kind"]) for r in found] == [(f"{n}", kind) for n in range(9)]

    kinds = (Kind.SLIP, Kind.TALLY, Kind.COMMENT) * 8
    await asyncio.gather(*(reads(kind) for kind in kinds))


# -- whose version stands there? ------------------------------------------------------------------


async def test_who_claims_in_the_same_words_is_not_taken_for_ourselves(
    records: CosmosRecords, other: CosmosRecords, proxy: Proxy
) -> None:
    """Our request was lost, and before it is sent again another worker has taken the lock."""
    journal = Record(HERE, Kind.JOURNAL, "journal", {}, state="claim")
    is_taken = asyncio.Event()
    proxy.next(Fault(status=429, headers=SOON), Fault(until=is_taken))
    ours = asyncio.create_task(records.create(journal))
    await are_seen(proxy, 2)
    theirs = await other.create(journal)
    is_taken.set()
    with pytest.raises(Exists):
        await ours
    assert await records.read(HERE, Kind.JOURNAL, "journal") == theirs


async def test_who_replaces_with_the_same_words_is_not_taken_for_ourselves(
    records: CosmosRecords, other: CosmosRecords, proxy: Proxy
) -> None:
    first = await records.create(an_envelope())
    is_taken = asyncio.Event()
    proxy.next(Fault(status=429, headers=SOON), Fault(until=is_taken))
    ours = asyncio.create_task(records.replace(replace(first, state="mixing")))
    await are_seen(proxy, 2)
    theirs = await other.replace(replace(first, state="mixing"))
    is_taken.set()
    with pytest.raises(Changed):
        await ours
    assert await records.read(HERE, Kind.ENVELOPE, "ada") == theirs


async def test_what_somebody_changed_after_our_lost_answer_stands(
    records: CosmosRecords, other: CosmosRecords, proxy: Proxy
) -> None:
    first = await records.create(an_envelope())
    is_changed = asyncio.Event()
    proxy.next(Fault(status=503, acts=True, headers=SOON), Fault(until=is_changed))
    ours = asyncio.create_task(records.replace(replace(first, state="submitted")))
    await are_seen(proxy, 2)
    read = await other.read(HERE, Kind.ENVELOPE, "ada")
    theirs = await other.replace(replace(read, state="withdrawn"))
    is_changed.set()
    with pytest.raises(Changed):
        await ours
    assert await records.read(HERE, Kind.ENVELOPE, "ada") == theirs


@pytest.mark.parametrize("fault", [Fault(), Fault(acts=True), Fault(status=449)], ids=str)
async def test_when_the_first_attempt_of_every_write_fails_no_change_is_lost(
    fault: Fault, records: CosmosRecords, proxy: Proxy
) -> None:
    """All write to one record, each their own part of it, as two devices of one person do."""
    met: set[str] = set()

    def first_attempt(seen: Seen) -> Fault | None:
        if not seen.write or seen.write in met:
            return None
        met.add(seen.write)
        return fault

    proxy.plan = first_attempt
    await records.create(an_envelope(body={}))

    async def writes(name: str) -> None:
        while True:
            read = await records.read(HERE, Kind.ENVELOPE, "ada")
            try:
                await records.replace(replace(read, body={**read.body, name: "here"}))
            except Changed:
                continue
            return

    names = [f"{n}" for n in range(8)]
    await asyncio.gather(*(writes(name) for name in names))
    assert len(met) > len(names)
    assert set((await records.read(HERE, Kind.ENVELOPE, "ada")).body) == set(names)


# -- no end of faults -----------------------------------------------------------------------------


def test_a_turn_has_time_for_two_verbs_that_give_up() -> None:
    assert 2 * VERB_S < A_TURN_S


@lasting
async def test_every_verb_gives_up_in_time_and_recovers_without_help(
    fault: Fault, records: CosmosRecords, proxy: Proxy
) -> None:
    kept = await records.create(an_envelope())
    verbs: tuple[Verb, ...] = (
        lambda: records.create(an_envelope("ben")),
        lambda: records.read(HERE, Kind.ENVELOPE, "ada"),
        lambda: records.replace(replace(kept, state="submitted")),
        lambda: records.delete(kept),
        lambda: records.heads(HERE, Kind.ENVELOPE),
        lambda: records.read_all(HERE, Kind.ENVELOPE),
    )
    proxy.always(fault)
    with as_usual():
        async with asyncio.timeout(HANGS_S / 2):
            outcomes = await asyncio.gather(*(verb() for verb in verbs), return_exceptions=True)
    assert [type(o) for o in outcomes] == [Unavailable] * len(verbs)
    proxy.next()
    assert [h.id for h in await records.heads(HERE, Kind.ENVELOPE)] == ["ada"]
    await records.replace(replace(kept, state="submitted"))


@pytest.mark.parametrize(
    ("fault", "most"),
    [
        (Fault(status=503), ATTEMPTS),
        (Fault(status=429), ATTEMPTS),
        # aiohttp sends what may be repeated (not a create) once more when a kept connection breaks.
        (Fault(), 2 * ATTEMPTS),
    ],
    ids=str,
)
async def test_few_attempts_are_made_and_the_client_adds_none(
    fault: Fault, most: int, records: CosmosRecords, proxy: Proxy
) -> None:
    kept = await records.create(an_envelope())
    proxy.always(fault)
    never_by_aiohttp: tuple[Verb, ...] = (
        lambda: records.create(an_envelope("ben")),
        lambda: records.heads(HERE, Kind.ENVELOPE),
    )
    for verb in never_by_aiohttp:
        proxy.seen.clear()
        with pytest.raises(Unavailable):
            await verb()
        assert 1 < len(proxy.seen) <= ATTEMPTS
    perhaps: tuple[Verb, ...] = (
        lambda: records.read(HERE, Kind.ENVELOPE, "ada"),
        lambda: records.replace(kept),
        lambda: records.delete(kept),
    )
    for verb in perhaps:
        proxy.seen.clear()
        with pytest.raises(Unavailable):
            await verb()
        assert 1 < len(proxy.seen) <= most


async def test_a_wait_longer_than_we_have_is_not_begun(
    records: CosmosRecords, proxy: Proxy
) -> None:
    proxy.always(LASTING["429, wait for a minute"])
    async with asyncio.timeout(HANGS_S / 4):
        with pytest.raises(Unavailable):
            await records.read(HERE, Kind.ENVELOPE, "ada")
    assert len(proxy.seen) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 413])
async def test_what_would_be_refused_again_is_not_tried_again_and_says_no_values(
    status: int, records: CosmosRecords, proxy: Proxy
) -> None:
    proxy.always(Fault(status=status))
    with pytest.raises(Refused) as refused:
        await records.create(an_envelope(body={"note": "ZQXJ-0041"}))
    assert isinstance(refused.value, RecordsError)
    assert str(refused.value) == f"Cosmos DB answered {status}/0"
    assert refused.value.__context__ is None
    assert len(proxy.seen) == 1


async def test_a_container_that_is_gone_is_not_a_record_that_is_missing(
    records: CosmosRecords, proxy: Proxy
) -> None:
    proxy.always(Fault(status=404, headers={"x-ms-substatus": "1003"}))
    with pytest.raises(RecordsError) as refused:
        await records.read(HERE, Kind.ENVELOPE, "ada")
    assert not isinstance(refused.value, Missing)


# -- the end --------------------------------------------------------------------------------------


async def test_a_store_that_is_closed_leaves_no_connection_of_a_call_that_was_given_up(
    proxy: Proxy, cosmos: Server
) -> None:
    async with CosmosRecords(proxy.reach(cosmos.new_database())) as records:
        await records.create(an_envelope())
        proxy.always(Fault(delay_s=10.0, deaf=True))
        reading = asyncio.create_task(records.read(HERE, Kind.ENVELOPE, "ada"))
        await are_seen(proxy, 1)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert connections_to(proxy.port), "it is still saying goodbye"
    assert not connections_to(proxy.port)


async def are_seen(proxy: Proxy, how_many: int) -> None:
    async with asyncio.timeout(HANGS_S):
        while len(proxy.seen) < how_many:  # noqa: ASYNC110 - a plan is told before it has been seen
            await asyncio.sleep(0.005)


def connections_to(port: int) -> list[int]:
    """The sockets in this process that have not been closed and whose other end is that port."""
    return [
        each.fileno()
        for each in gc.get_objects()
        if type(each) is socket.socket and each.fileno() != -1 and _port_of_the_other(each) == port
    ]


def _port_of_the_other(each: socket.socket) -> int:
    try:
        return int(each.getpeername()[1])
    except (OSError, IndexError):
        return 0
