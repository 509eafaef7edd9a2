"""Who was first, in a vault that refuses nobody: keys and pins by their versions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from snapshot.ports import KeyExists, KeyMissing, PinChanged
from storage.keyvault import BrokenKey, KeyVault
from tests.keyvault.server import Fault, Gate, Server

NAME = "exampleshire-2026"
EARLY, LATE = "0" * 32, "f" * 32
"""Ids of versions, in the order of equals."""

type Two = tuple[KeyVault, KeyVault]


@pytest.fixture
async def two(vault: Server) -> AsyncIterator[Two]:
    """Two processes, as far as the vault can tell."""
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(KeyVault(vault.vault, wait=vault.clock.wait))
            for _ in range(2)
        ]
        yield first, second


@pytest.fixture
def keys(two: Two) -> KeyVault:
    return two[0]


async def in_one_second(
    vault: Server, secret: str, works: list[Callable[[], Awaitable[Any]]]
) -> list[Any]:
    """All have looked before one writes; each writes after the one before has looked again.

    The vault's clock stands still meanwhile, so that all versions have one date.
    """
    vault.gate, before = Gate(), len(vault.seen)
    vault.clock.hold()
    running = []
    for work in works:
        running.append(asyncio.ensure_future(work()))
        await vault.gate.somebody_waits()
    looked = vault.seen.count(f"GET /secrets/{secret}/versions")
    for number in range(len(works)):
        vault.gate.opens()
        await vault.has_listed(secret, looked + number + 1)
    vault.clock.go_on()
    outcomes = await asyncio.gather(*running, return_exceptions=True)
    vault.gate = None
    assert len(vault.seen) > before
    return list(outcomes)


@pytest.mark.parametrize("ids", [(EARLY, LATE), (LATE, EARLY)], ids=["in order", "against it"])
async def test_of_two_keys_of_one_second_one_counts_and_both_know_which(
    vault: Server, two: Two, ids: tuple[str, str]
) -> None:
    """The second writes after the first has looked, and may yet stand before it."""
    vault.ids = iter(ids)
    outcomes = await in_one_second(
        vault, f"key-{NAME}", [lambda: two[0].create(NAME), lambda: two[1].create(NAME)]
    )
    (made,) = (o for o in outcomes if isinstance(o, bytes))
    assert [type(o) for o in outcomes if not isinstance(o, bytes)] == [KeyExists]
    assert isinstance(outcomes[ids.index(EARLY)], bytes)
    assert await two[0].read(NAME) == await two[1].read(NAME) == made


@pytest.mark.parametrize("ids", [(EARLY, LATE), (LATE, EARLY)], ids=["in order", "against it"])
@pytest.mark.parametrize("was", [None, "before"])
async def test_of_two_pins_of_one_second_one_counts_and_both_know_which(
    vault: Server, two: Two, was: str | None, ids: tuple[str, str]
) -> None:
    if was:
        await two[0].pin(NAME, was, was=None)
        assert await two[1].pinned(NAME) == was
    vault.ids = iter(ids)
    outcomes = await in_one_second(
        vault,
        f"pin-{NAME}",
        [
            lambda: two[0].pin(NAME, "first", was=was),
            lambda: two[1].pin(NAME, "second", was=was),
        ],
    )
    first_wins = ids == (EARLY, LATE)
    won, lost = outcomes if first_wins else reversed(outcomes)
    assert won is None
    assert type(lost) is PinChanged
    expected = "first" if first_wins else "second"
    assert [await each.pinned(NAME) for each in two] == [expected, expected]
    await two[1].pin(NAME, "third", was=expected)
    assert await two[0].pinned(NAME) == "third"


async def test_whoever_reads_in_the_second_of_a_pin_waits_for_another_that_may_come(
    vault: Server, two: Two
) -> None:
    """What a reader took for the pin would otherwise never have been it."""
    vault.ids = iter((LATE, EARLY))
    vault.gate = Gate()
    vault.clock.hold()
    pins = [asyncio.ensure_future(each.pin(NAME, f"{n}", was=None)) for n, each in enumerate(two)]
    await vault.gate.somebody_waits()
    await vault.gate.somebody_waits()
    vault.gate.opens()
    await vault.has_listed(f"pin-{NAME}", 3)
    reader = asyncio.ensure_future(two[0].pinned(NAME))
    await vault.has_listed(f"pin-{NAME}", 4)
    vault.gate.opens()
    await vault.has_listed(f"pin-{NAME}", 5)
    vault.clock.go_on()
    outcomes = await asyncio.gather(*pins, return_exceptions=True)
    assert await reader == f"{outcomes.index(None)}"


async def test_a_pin_that_comes_late_takes_the_place_of_none(vault: Server, two: Two) -> None:
    """Whoever was held up writes after the next has been pinned."""
    await two[0].pin(NAME, "first", was=None)
    vault.gate = Gate()
    slow = asyncio.ensure_future(two[0].pin(NAME, "slow", was="first"))
    await vault.gate.somebody_waits()
    gate, vault.gate = vault.gate, None
    await two[1].pin(NAME, "second", was="first")
    gate.opens()
    with pytest.raises(PinChanged):
        await slow
    assert await two[0].pinned(NAME) == "second"
    await two[1].pin(NAME, "third", was="second")
    assert await two[0].pinned(NAME) == "third"


async def test_a_pin_on_which_somebody_built_meanwhile_has_counted(vault: Server, two: Two) -> None:
    async def waits(seconds: float) -> None:
        await vault.clock.wait(seconds)
        if vault.secrets[f"pin-{NAME}"].versions.keys() == {EARLY}:
            await two[1].pin(NAME, "second", was="first")

    vault.ids = iter((EARLY,))
    async with KeyVault(vault.vault, wait=waits) as first:
        await first.pin(NAME, "first", was=None)
    assert await two[0].pinned(NAME) == "second"


async def test_pins_go_on_over_many_pages(keys: KeyVault, vault: Server) -> None:
    vault.clock.pace = 1_000.0
    was = None
    for number in range(60):
        await keys.pin(NAME, f"pin {number}", was=was)
        was = f"pin {number}"
    assert await keys.pinned(NAME) == "pin 59"
    assert len(vault.secrets[f"pin-{NAME}"].versions) == 60


async def test_a_version_that_somebody_adds_by_hand_changes_neither_key_nor_pin(
    keys: KeyVault, vault: Server
) -> None:
    made = await keys.create(NAME)
    await keys.pin(NAME, "first", was=None)
    for secret in (f"key-{NAME}", f"pin-{NAME}"):
        await keys._client.set_secret(secret, "by hand")
    assert await keys.read(NAME) == made
    assert await keys.pinned(NAME) == "first"


@pytest.mark.parametrize("value", ["", "AAAA", "ZQXJ!", "A" * 64])
async def test_half_of_a_key_is_never_taken_for_one(keys: KeyVault, value: str) -> None:
    await keys._client.set_secret(f"key-{NAME}", value)
    with pytest.raises(BrokenKey, match=f"key-{NAME} is not 32 bytes in base 64"):
        await keys.read(NAME)


async def test_a_key_outlives_the_process(keys: KeyVault, vault: Server) -> None:
    made = await keys.create(NAME)
    async with KeyVault(vault.vault, wait=vault.clock.wait) as later:
        assert await later.read(NAME) == made


# -- answers that are lost ------------------------------------------------------------------------


async def test_a_key_whose_answer_was_lost_is_one_key(keys: KeyVault, vault: Server) -> None:
    vault.next(None, Fault(acts=True))
    made = await keys.create(NAME)
    assert len(vault.secrets[f"key-{NAME}"].versions) == 2, "it was sent again"
    assert await keys.read(NAME) == made


async def test_a_pin_whose_answer_was_lost_is_one_pin(keys: KeyVault, vault: Server) -> None:
    vault.next(None, Fault(acts=True))
    await keys.pin(NAME, "first", was=None)
    assert len(vault.secrets[f"pin-{NAME}"].versions) == 2, "it was sent again"
    await keys.pin(NAME, "second", was="first")
    assert await keys.pinned(NAME) == "second"


async def test_a_version_that_is_listed_late_is_waited_for(keys: KeyVault, vault: Server) -> None:
    vault.listing_takes_s = 2.0
    made = await keys.create(NAME)
    assert await keys.read(NAME) == made
    await keys.pin(NAME, "first", was=None)
    assert await keys.pinned(NAME) == "first"


async def test_what_was_destroyed_by_another_is_missing(vault: Server, two: Two) -> None:
    await two[0].create(NAME)
    await two[1].destroy(NAME)
    with pytest.raises(KeyMissing):
        await two[0].read(NAME)
