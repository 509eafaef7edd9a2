"""What every store of records promises; each store's test module only supplies `records`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from snapshot.ports import (
    Changed,
    Exists,
    Head,
    Kind,
    Missing,
    Record,
    Records,
    RecordsError,
    SnapshotId,
)

HERE, ELSEWHERE = SnapshotId("here-2026"), SnapshotId("elsewhere-2026")
SEALED: Mapping[str, Any] = {"ballot": "c2VhbGVk", "contact": None}


def an_envelope(
    id: str = "ada", *, state: str = "open", body: Mapping[str, Any] = SEALED
) -> Record:
    return Record(HERE, Kind.ENVELOPE, id, body, state=state, group="police")


class RecordsContract:
    """Inherit from it and supply the fixture `records`: an empty store."""

    # -- keeping and reading --------------------------------------------------------------------

    async def test_what_was_kept_is_read_as_it_was(self, records: Records) -> None:
        kept = await records.create(an_envelope())
        assert kept.etag
        assert replace(kept, etag="") == an_envelope()
        assert await records.read(HERE, Kind.ENVELOPE, "ada") == kept

    async def test_what_is_not_there_is_missing(self, records: Records) -> None:
        await records.create(an_envelope("ada"))
        for snapshot, kind, id in (
            (HERE, Kind.ENVELOPE, "ben"),
            (HERE, Kind.SLIP, "ada"),
            (ELSEWHERE, Kind.ENVELOPE, "ada"),
        ):
            with pytest.raises(Missing):
                await records.read(snapshot, kind, id)

    async def test_one_id_is_created_once_and_the_first_stands(self, records: Records) -> None:
        first = await records.create(an_envelope())
        with pytest.raises(Exists):
            await records.create(an_envelope(state="submitted"))
        assert await records.read(HERE, Kind.ENVELOPE, "ada") == first

    async def test_one_id_may_be_used_for_each_kind_and_in_each_snapshot(
        self, records: Records
    ) -> None:
        everywhere = [
            replace(an_envelope(), snapshot=snapshot, kind=kind)
            for snapshot in (HERE, ELSEWHERE)
            for kind in Kind
        ]
        kept = [await records.create(record) for record in everywhere]
        assert [await records.read(k.snapshot, k.kind, k.id) for k in kept] == kept

    # -- changing what was read -----------------------------------------------------------------

    async def test_a_replaced_record_is_read_with_everything_new(self, records: Records) -> None:
        first = await records.create(an_envelope())
        second = await records.replace(
            replace(first, state="withdrawn", group="", body={"ballot": None, "contact": None})
        )
        assert await records.read(HERE, Kind.ENVELOPE, "ada") == second
        assert (second.state, second.group) == ("withdrawn", "")
        assert second.etag != first.etag

    async def test_of_two_writers_who_read_the_same_version_one_is_told_that_it_changed(
        self, records: Records
    ) -> None:
        first = second = await records.create(an_envelope())
        winner = await records.replace(replace(first, state="submitted"))
        with pytest.raises(Changed):
            await records.replace(replace(second, state="withdrawn"))
        assert await records.read(HERE, Kind.ENVELOPE, "ada") == winner

    async def test_writing_the_same_again_makes_a_new_version_all_the_same(
        self, records: Records
    ) -> None:
        first = await records.create(an_envelope())
        await records.replace(first)
        with pytest.raises(Changed):
            await records.replace(first)

    async def test_what_was_never_read_cannot_be_replaced_or_deleted(
        self, records: Records
    ) -> None:
        await records.create(an_envelope("ada"))
        for unread in (an_envelope("ada"), an_envelope("nobody")):
            with pytest.raises(Changed):
                await records.replace(unread)
            with pytest.raises(Changed):
                await records.delete(unread)

    async def test_a_deleted_record_is_gone(self, records: Records) -> None:
        kept = await records.create(an_envelope())
        await records.delete(kept)
        with pytest.raises(Missing):
            await records.read(HERE, Kind.ENVELOPE, "ada")
        for again in (records.delete(kept), records.replace(kept)):
            with pytest.raises(Changed):
                await again

    async def test_nobody_deletes_a_version_that_they_have_not_read(self, records: Records) -> None:
        first = await records.create(an_envelope())
        second = await records.replace(replace(first, state="submitted"))
        with pytest.raises(Changed):
            await records.delete(first)
        assert await records.read(HERE, Kind.ENVELOPE, "ada") == second

    async def test_a_record_made_anew_is_not_the_one_that_was_deleted(
        self, records: Records
    ) -> None:
        """A slow worker must not delete the next batch's journal, which looks just like its own."""
        journal = Record(HERE, Kind.JOURNAL, "journal", {}, state="claim")
        mine = await records.create(journal)
        await records.delete(mine)
        theirs = await records.create(journal)
        for late in (records.delete(mine), records.replace(replace(mine, state="commit"))):
            with pytest.raises(Changed):
                await late
        assert await records.read(HERE, Kind.JOURNAL, "journal") == theirs

    # -- many at once ---------------------------------------------------------------------------

    async def test_of_many_who_create_one_id_at_once_one_does(self, records: Records) -> None:
        outcomes = await asyncio.gather(
            *(records.create(an_envelope(state=f"{n}")) for n in range(20)), return_exceptions=True
        )
        (winner,) = (o for o in outcomes if isinstance(o, Record))
        assert [o for o in outcomes if not isinstance(o, Record | Exists)] == []
        assert await records.read(HERE, Kind.ENVELOPE, "ada") == winner

    async def test_of_many_who_replace_one_version_at_once_one_does(self, records: Records) -> None:
        kept = await records.create(an_envelope())
        outcomes = await asyncio.gather(
            *(records.replace(replace(kept, state=f"{n}")) for n in range(20)),
            return_exceptions=True,
        )
        (winner,) = (o for o in outcomes if isinstance(o, Record))
        assert [o for o in outcomes if not isinstance(o, Record | Changed)] == []
        assert await records.read(HERE, Kind.ENVELOPE, "ada") == winner

    async def test_who_tries_again_after_a_change_loses_nothing(self, records: Records) -> None:
        await records.create(an_envelope(body={"count": 0}))

        async def add_one() -> None:
            while True:
                read = await records.read(HERE, Kind.ENVELOPE, "ada")
                try:
                    await records.replace(replace(read, body={"count": read.body["count"] + 1}))
                except Changed:
                    continue
                return

        await asyncio.gather(*(add_one() for _ in range(12)))
        assert (await records.read(HERE, Kind.ENVELOPE, "ada")).body == {"count": 12}

    # -- lists ----------------------------------------------------------------------------------

    async def test_heads_are_listed_by_id_without_bodies(self, records: Records) -> None:
        for id, state in (("cat", "open"), ("ada", "submitted"), ("ben", "open")):
            await records.create(an_envelope(id, state=state))
        assert await records.heads(HERE, Kind.ENVELOPE) == [
            Head("ada", "submitted", "police"),
            Head("ben", "open", "police"),
            Head("cat", "open", "police"),
        ]

    async def test_heads_of_one_state_only(self, records: Records) -> None:
        for id, state in (("cat", "open"), ("ada", "submitted"), ("ben", "open")):
            await records.create(an_envelope(id, state=state))
        assert [h.id for h in await records.heads(HERE, Kind.ENVELOPE, "open")] == ["ben", "cat"]
        assert await records.heads(HERE, Kind.ENVELOPE, "released") == []

    async def test_the_first_of_a_state_come_by_group_and_no_more_than_asked_for(
        self, records: Records
    ) -> None:
        for number, (id, state) in enumerate(
            [("dan", "due"), ("ada", "due"), ("eve", "sent"), ("cat", "due"), ("ben", "due")]
        ):
            at = f"2026-03-{9 - number:02}T09:30:00Z"
            await records.create(replace(an_envelope(id, state=state), group=at))
        abe = await records.create(
            replace(an_envelope("abe", state="due"), group="2026-03-05T09:30:00Z")
        )
        await records.create(replace(an_envelope("zoe", state="due"), snapshot=ELSEWHERE, group=""))
        await records.create(replace(an_envelope("zoe", state="due"), kind=Kind.SLIP, group=""))
        found = await records.first(HERE, Kind.ENVELOPE, "due", 4)
        assert [r.id for r in found] == ["abe", "ben", "cat", "ada"]
        assert found[0] == abe
        assert len(await records.first(HERE, Kind.ENVELOPE, "due", 400)) == 5
        assert await records.first(HERE, Kind.ENVELOPE, "open", 4) == []

    async def test_lists_hold_one_kind_of_one_snapshot(self, records: Records) -> None:
        kept = await records.create(an_envelope())
        await records.create(replace(an_envelope("ben"), kind=Kind.SLIP))
        await records.create(replace(an_envelope("cat"), snapshot=ELSEWHERE))
        assert [h.id for h in await records.heads(HERE, Kind.ENVELOPE)] == ["ada"]
        assert await records.read_all(HERE, Kind.ENVELOPE) == [kept]
        assert await records.read_all(HERE, Kind.TALLY) == []

    async def test_lists_follow_changes(self, records: Records) -> None:
        ada, ben = [await records.create(an_envelope(id)) for id in ("ada", "ben")]
        ada = await records.replace(replace(ada, state="submitted", group="health"))
        await records.delete(ben)
        assert await records.heads(HERE, Kind.ENVELOPE) == [Head("ada", "submitted", "health")]
        assert await records.read_all(HERE, Kind.ENVELOPE) == [ada]

    async def test_a_long_list_is_complete(self, records: Records) -> None:
        ids = [f"{n:04}" for n in range(300)]
        for id in reversed(ids):
            await records.create(an_envelope(id))
        assert [h.id for h in await records.heads(HERE, Kind.ENVELOPE)] == ids
        assert [r.id for r in await records.read_all(HERE, Kind.ENVELOPE)] == ids

    # -- odd values -----------------------------------------------------------------------------

    @pytest.mark.parametrize(
        "id",
        [
            "it's",
            'say "no"',
            "100%",
            "a_b",
            "semi;colon--",
            "a b",
            "Ysgrifennŵyd",
            "家",
            "\N{FAMILY}",
            "null",
            "0",
            "x" * 200,
        ],
    )
    async def test_odd_ids_are_kept_as_they_are(self, records: Records, id: str) -> None:
        kept = await records.create(an_envelope(id))
        assert await records.read(HERE, Kind.ENVELOPE, id) == kept
        changed = await records.replace(replace(kept, state="submitted"))
        assert await records.heads(HERE, Kind.ENVELOPE) == [Head(id, "submitted", "police")]
        await records.delete(changed)
        assert await records.heads(HERE, Kind.ENVELOPE) == []

    @pytest.mark.parametrize(
        ("one", "other"), [("ada", "Ada"), ("ada", "ada "), ("1", "01"), ("é", "e\u0301")]
    )
    async def test_ids_that_look_alike_are_two(
        self, records: Records, one: str, other: str
    ) -> None:
        await records.create(an_envelope(one))
        await records.create(an_envelope(other))
        assert {h.id for h in await records.heads(HERE, Kind.ENVELOPE)} == {one, other}

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"nothing": None, "yes": True, "no": False},
            {"whole": 2**53, "part": 0.1, "below": -1},
            {"nested": {"list": [1, [2, [3]], {"deep": []}], "empty": {}}},
            {"unicode": "Cymraeg: ŵ ŷ â · 家 · \N{FAMILY} · ’–×"},
            {"control": "\u0000 \t \r\n \x1f \x7f \u2028"},
            {"quotes": "'; DROP TABLE records; --", 'a "key"': "\\"},
            {"sealed": "A" * 10_960},
            {"large": "ŵ" * 100_000},
        ],
        ids=lambda body: next(iter(body), "empty"),
    )
    async def test_bodies_come_back_as_they_were(
        self, records: Records, body: Mapping[str, Any]
    ) -> None:
        kept = await records.create(an_envelope(body=body))
        read = await records.read(HERE, Kind.ENVELOPE, "ada")
        assert (read, read.body) == (kept, body)
        (listed,) = await records.read_all(HERE, Kind.ENVELOPE)
        assert listed.body == body

    # -- forgetting and errors ------------------------------------------------------------------

    async def test_forgetting_keeps_what_is_current(self, records: Records) -> None:
        kept = await records.create(an_envelope())
        kept = await records.replace(replace(kept, state="submitted"))
        await records.forget()
        await records.forget()
        assert await records.read(HERE, Kind.ENVELOPE, "ada") == kept
        await records.replace(replace(kept, state="withdrawn"))

    async def test_an_error_of_the_store_holds_nothing_of_the_record(
        self, records: Records
    ) -> None:
        secret = an_envelope(body={"note": "ZQXJ-0041"})
        await records.create(secret)
        for verb in (records.create, records.replace, records.delete):
            with pytest.raises(RecordsError) as refused:
                await verb(secret)
            assert "ZQXJ" not in f"{refused.value!r} {vars(refused.value)}"
            assert "ZQXJ" not in f"{refused.value.__cause__!r} {refused.value.__context__!r}"
