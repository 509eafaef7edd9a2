"""What every key store promises; each store's test module only supplies `keys`."""

from __future__ import annotations

import asyncio

import pytest

from snapshot.ports import KeyExists, KeyMissing, Keys, KeysError, PinChanged


class KeysContract:
    """Inherit from it and supply the fixture `keys`: an empty key store."""

    async def test_a_key_is_32_bytes_and_the_same_each_time(self, keys: Keys) -> None:
        made = await keys.create("exampleshire-2026")
        assert len(made) == 32
        assert await keys.read("exampleshire-2026") == made
        assert await keys.read("exampleshire-2026") == made

    async def test_every_key_is_another(self, keys: Keys) -> None:
        made = [await keys.create(f"snapshot-{n}") for n in range(20)]
        assert len(set(made)) == 20
        assert [await keys.read(f"snapshot-{n}") for n in range(20)] == made

    async def test_a_key_that_was_never_made_is_missing(self, keys: Keys) -> None:
        await keys.create("exampleshire-2026")
        with pytest.raises(KeyMissing):
            await keys.read("exampleshire-2027")

    async def test_a_key_is_never_overwritten(self, keys: Keys) -> None:
        made = await keys.create("exampleshire-2026")
        with pytest.raises(KeyExists):
            await keys.create("exampleshire-2026")
        assert await keys.read("exampleshire-2026") == made

    async def test_of_many_who_make_one_key_at_once_one_does(self, keys: Keys) -> None:
        outcomes = await asyncio.gather(
            *(keys.create("service") for _ in range(20)), return_exceptions=True
        )
        (made,) = (o for o in outcomes if isinstance(o, bytes))
        assert [o for o in outcomes if not isinstance(o, bytes | KeyExists)] == []
        assert await keys.read("service") == made

    @pytest.mark.parametrize("name", ["a", "0", "sample-0123456789", "a-b-c", "x" * 63])
    async def test_the_names_of_snapshots_will_do(self, keys: Keys, name: str) -> None:
        made = await keys.create(name)
        assert await keys.read(name) == made

    @pytest.mark.parametrize(
        "name",
        [
            "",
            ".",
            "..",
            "../service",
            "a/b",
            "a\\b",
            "/etc/passwd",
            "a.key",
            "-a",
            "A",
            "a b",
            "a\n",
            "a\x00",
            "ŵ",
            "a*",
            "x" * 64,
        ],
        ids=repr,
    )
    async def test_a_name_that_could_mean_another_place_is_refused(
        self, keys: Keys, name: str
    ) -> None:
        with pytest.raises(KeysError):
            await keys.create(name)
        with pytest.raises(KeysError):
            await keys.read(name)

    async def test_an_error_of_the_store_holds_no_key(self, keys: Keys) -> None:
        made = await keys.create("service")
        with pytest.raises(KeyExists) as refused:
            await keys.create("service")
        held = f"{refused.value!r} {vars(refused.value)} {refused.value.__context__!r}"
        assert made.hex() not in held
        assert repr(made) not in held

    async def test_there_is_no_pin_until_one_is_put_there(self, keys: Keys) -> None:
        await keys.create("exampleshire-2026")
        assert await keys.pinned("exampleshire-2026") is None
        await keys.pin("exampleshire-2026", "first", was=None)
        assert await keys.pinned("exampleshire-2026") == "first"
        assert await keys.pinned("exampleshire-2027") is None

    async def test_a_pin_takes_the_place_of_the_one_that_is_known(self, keys: Keys) -> None:
        await keys.pin("exampleshire-2026", "first", was=None)
        await keys.pin("exampleshire-2026", "second" * 150, was="first")
        assert await keys.pinned("exampleshire-2026") == "second" * 150
        for outdated in (None, "first", "third"):
            with pytest.raises(PinChanged):
                await keys.pin("exampleshire-2026", "other", was=outdated)
        assert await keys.pinned("exampleshire-2026") == "second" * 150

    async def test_of_many_who_pin_at_once_one_does(self, keys: Keys) -> None:
        outcomes = await asyncio.gather(
            *(keys.pin("exampleshire-2026", f"pin-{n}", was=None) for n in range(20)),
            return_exceptions=True,
        )
        assert [type(o) for o in outcomes if o is not None] == [PinChanged] * 19
        assert await keys.pinned("exampleshire-2026") == f"pin-{outcomes.index(None)}"

    async def test_a_pin_leaves_the_key_as_it_was(self, keys: Keys) -> None:
        made = await keys.create("exampleshire-2026")
        await keys.pin("exampleshire-2026", "first", was=None)
        assert await keys.read("exampleshire-2026") == made

    async def test_a_key_that_is_destroyed_is_gone_and_so_is_its_pin(self, keys: Keys) -> None:
        await keys.create("exampleshire-2026")
        kept = await keys.create("service")
        await keys.pin("exampleshire-2026", "first", was=None)
        await keys.destroy("exampleshire-2026")
        with pytest.raises(KeyMissing):
            await keys.read("exampleshire-2026")
        assert await keys.pinned("exampleshire-2026") is None
        assert await keys.read("service") == kept
        await keys.destroy("exampleshire-2026")
