"""Comments: sealed with the answers, loose after the mix, and read by moderators before others."""

from __future__ import annotations

import asyncio
import os
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from itertools import count, product
from operator import and_, or_
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from content.packs import load_packs
from snapshot.closing import begin_close, finish_close
from snapshot.comments import (
    Comment,
    CommentState,
    Decision,
    decide,
    fill_queue,
    fits,
    json_bytes,
    keep_theme,
    mixed,
    next_comment,
    opened,
    pass_on,
    printed,
    read_comment,
    undecided,
    wanting_a_theme,
)
from snapshot.envelope import Ballot, State
from snapshot.errors import Damaged, NotOffered, NotOpen
from snapshot.instrument import DomainId, Instrument
from snapshot.ports import Head, Kind, Record, SnapshotId
from snapshot.sealing import BALLOT_BYTES, Sealer
from snapshot.snapshot import CellId
from tests.core.exampleshire import (
    HELPING,
    INSTRUMENT,
    OPENED,
    SEEING,
    SOME_CHOICES,
    Area,
    K,
    a_ballot,
    contact,
    no_waiting,
    person,
)
from tests.core.mixed import a_small_area
from tests.core.watching import AtWrite, Watched

type Words = Mapping[DomainId, str]

CANARY = "ZQXJ-0041"  # with a hyphen, which base64 does not have
ID = "0" * 31
RULES = INSTRUMENT.comments
REAL = load_packs()["en-GB"].instrument
SERVICE = Sealer(os.urandom(32), "service")


def with_comments(comments: Words | None, cell: str = "police", *, sent: bool = True) -> Ballot:
    return replace(a_ballot(cell, SOME_CHOICES, sent=sent), comments=comments)


async def send(area: Area, *written: Words | None, cell: str = "police") -> None:
    """So many people have sent their answers with these comments, and a few have said nothing."""
    for number, comments in enumerate(written):
        await area.keeps(f"{cell}-writes-{number}", with_comments(comments, cell))
    await area.people_send({cell: max(0, K - len(written))})


async def in_the_store(area: Area) -> list[Record]:
    return await area.records.read_all(area.running.snapshot.id, Kind.COMMENT)


async def said(area: Area) -> Counter[tuple[str, str]]:
    found = [opened(area.running, record) for record in await in_the_store(area)]
    return Counter((comment.domain, comment.text) for comment in found)


def end_of(record: Record) -> bytes:
    """Of the sealed words as the file has them in one piece: the database cuts up long rows."""
    sealed: str = record.body["sealed"]
    return sealed[-200:].encode()


def everything_on_disk(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("snapshot.db*"))


# -- out of the mix ------------------------------------------------------------------------------


async def test_every_comment_leaves_the_mix_with_its_domain_and_its_words(area: Area) -> None:
    await send(area, {SEEING: "Time.", HELPING: "Staff."}, {SEEING: "Time."}, {HELPING: "Trust."})
    await area.mix().flush()
    assert await said(area) == {
        (SEEING, "Time."): 2,
        (HELPING, "Staff."): 1,
        (HELPING, "Trust."): 1,
    }


async def test_a_comment_says_domain_and_words_and_nothing_else(area: Area) -> None:
    await send(area, {SEEING: "Time."})
    await area.mix().flush()
    (record,) = await in_the_store(area)
    scope = ("comment", record.snapshot, record.id)
    assert list(record.body) == ["sealed"]
    inside = area.running.service.open(record.body["sealed"], *scope)
    assert inside == {"domain": SEEING, "text": "Time."}
    assert (record.state, record.group) == (CommentState.MIXED, "")


async def test_nobody_who_reads_the_database_reads_a_comment(area: Area, tmp_path: Path) -> None:
    """By its words and how long they are, one could tell whose it is: see the attacks."""
    await send(area, {SEEING: CANARY}, {HELPING: LARGEST})
    await area.mix().flush()
    kept = await in_the_store(area)
    assert end_of(kept[0]) in everything_on_disk(tmp_path)  # what is plain would be found
    assert CANARY.encode() not in everything_on_disk(tmp_path)
    assert len({len(record.body["sealed"]) for record in kept}) == 1


async def test_a_comment_opens_in_its_own_place_only(area: Area) -> None:
    await send(area, {SEEING: "Time."})
    await area.mix().flush()
    (record,) = await in_the_store(area)
    with pytest.raises(Damaged):
        opened(area.running, replace(record, id=f"{ID}1"))


@pytest.mark.parametrize("saved", [None, {}], ids=["card never seen", "card saved empty"])
async def test_whoever_wrote_nothing_leaves_no_comment(area: Area, saved: Words | None) -> None:
    await send(area, saved, {SEEING: "Time."})
    await area.mix().flush()
    assert await said(area) == {(SEEING, "Time."): 1}


async def test_the_ids_of_comments_are_thrown_with_the_dice_and_shared_with_no_slip(
    area: Area,
) -> None:
    await send(area, *[{SEEING: "Time.", HELPING: "Staff."}] * 30)
    await area.mix().flush()
    ids = [r.id for r in await in_the_store(area)]
    others = {s.id for s in await area.slips()} | {t.id for t in await area.tallies()}
    assert len(set(ids)) == 60
    assert not others & set(ids)
    assert all(re.fullmatch("[0-9a-f]{32}", id) for id in ids)
    numbers = [int(id, 16) for id in ids]
    assert reduce(or_, numbers) == 2**128 - 1
    assert reduce(and_, numbers) == 0


async def test_comments_are_written_in_the_order_of_their_ids(area: Area) -> None:
    """A database remembers the order of writing; that of the people would join two comments."""
    await send(area, *[{SEEING: "Time.", HELPING: "Staff."}] * K)
    written = []

    async def watch(record: Record) -> None:
        if record.kind is Kind.COMMENT:
            written.append(record.id)

    await area.mix(records=Watched(area.records, watch)).flush()
    assert len(written) == 2 * K
    assert written == sorted(written)


async def test_the_journal_shows_no_word_of_what_it_holds(area: Area) -> None:
    await send(area, {SEEING: CANARY})
    journals = []

    async def look(record: Record) -> None:
        if record.kind is Kind.JOURNAL:
            journals.append(str(record))

    await area.mix(records=Watched(area.records, look)).flush()
    assert any("commit" in journal for journal in journals)
    assert not any(CANARY in journal or SEEING in journal for journal in journals)


async def close(area: Area) -> None:
    closing = await begin_close(area.running, area.records, OPENED)
    await finish_close(closing, INSTRUMENT, area.records, dice=Random(1), wait=no_waiting)


async def test_below_k_no_comment_is_read_by_anybody(area: Area, tmp_path: Path) -> None:
    for number in range(K - 1):
        await area.keeps(f"{number}", with_comments({SEEING: CANARY}))
    await close(area)
    assert await area.states() == {State.WITHHELD: K - 1}
    assert await in_the_store(area) == []
    assert CANARY.encode() not in everything_on_disk(tmp_path)


async def test_whoever_leaves_takes_their_comments_along(area: Area) -> None:
    await send(area, {SEEING: CANARY}, {SEEING: "Time."})
    await area.survey.withdraw(person("police-writes-0"))
    await area.keeps("another", a_ballot("police", SOME_CHOICES))
    await close(area)
    assert await said(area) == {(SEEING, "Time."): 1}


async def test_comments_that_were_not_sent_are_deleted_unread(area: Area) -> None:
    await send(area)
    await area.keeps("Ada", with_comments({SEEING: CANARY}, sent=False), State.OPEN)
    await close(area)
    assert await area.states() == {State.RELEASED: K, State.EXPIRED: 1}
    assert await in_the_store(area) == []


async def test_who_stays_behind_keeps_their_comments_sealed(area: Area) -> None:
    await send(area, *[{SEEING: f"{CANARY} {n}."} for n in range(2 * K)])
    await area.mix().run()
    assert len(await in_the_store(area)) == K


async def test_a_comment_on_an_unknown_domain_makes_a_ballot_that_does_not_count(
    area: Area,
) -> None:
    await send(area)
    await area.keeps("odd", with_comments({DomainId("gossip"): CANARY}))
    await area.mix().flush()
    assert (await area.envelope("odd")).state == State.DAMAGED
    assert await in_the_store(area) == []


async def test_a_ballot_from_before_there_were_comments_is_mixed(area: Area) -> None:
    await area.people_send({"police": K - 1})
    record = await area.keeps("Ada", a_ballot("police", SOME_CHOICES))
    old = {n: v for n, v in a_ballot("police", SOME_CHOICES).as_json().items() if n != "comments"}
    sealed = area.running.sealer.seal(old, "ballot", area.tag("Ada"), size=BALLOT_BYTES)
    await area.rewrite("Ada", body={**record.body, "ballot": sealed})
    await area.mix().flush()
    assert await area.states() == {State.RELEASED: K}


WRITTEN = ({SEEING: "Time.", HELPING: "Staff."}, {SEEING: "Trust."})
ALL_THAT_WAS_WRITTEN = {(SEEING, "Time."): 1, (HELPING, "Staff."): 1, (SEEING, "Trust."): 1}


class Died(Exception):
    """The worker's process is gone."""


async def test_whatever_write_a_worker_dies_at_every_comment_leaves_once(tmp_path: Path) -> None:
    async def die() -> None:
        raise Died

    async with a_small_area(tmp_path, {"health": 3}, k=3) as small:
        for number in count():
            async with small.copy() as area:
                for name, comments in zip("AB", WRITTEN, strict=True):
                    await area.keeps(name, with_comments(comments, "health"))
                with suppress(Died):
                    await area.mix(records=Watched(area.records, AtWrite(number, die))).flush()
                    break
                await area.mix(seed=2).flush()
                assert await said(area) == ALL_THAT_WAS_WRITTEN, number
        assert number > 15


async def test_a_worker_that_was_slow_does_not_bring_back_what_moderators_hid(
    tmp_path: Path,
) -> None:
    async def another_one_finishes_and_all_is_hidden(area: Area) -> None:
        await area.mix(seed=2).flush()
        id = area.running.snapshot.id
        await fill_queue(area.records, id)
        for record in await in_the_store(area):
            await decide(area.running, area.records, record.id, Decision.HIDE)

    late = set()
    async with a_small_area(tmp_path, {"health": 3}, k=3) as small:
        for number in count():
            async with small.copy() as area:
                for name, comments in zip("AB", WRITTEN, strict=True):
                    await area.keeps(name, with_comments(comments, "health"))
                slow = AtWrite(number, partial(another_one_finishes_and_all_is_hidden, area))
                await area.mix(records=Watched(area.records, slow)).flush()
                if not slow.came_to_it:
                    break
                found = await in_the_store(area)
                late.add(len(found))
                assert not any(opened(area.running, r).text for r in found), number
    assert late == {3}


# -- in the survey -------------------------------------------------------------------------------


async def ada_begins(area: Area) -> None:
    await area.survey.begin(person("Ada"), "police", contact("Ada"))


async def comments_of_ada(area: Area) -> Words | None:
    envelope = await area.survey.envelope(person("Ada"))
    assert envelope is not None
    assert envelope.ballot is not None
    return envelope.ballot.comments


async def test_that_the_card_was_saved_is_known_even_if_it_was_empty(area: Area) -> None:
    await ada_begins(area)
    assert await comments_of_ada(area) is None
    await area.survey.comment(person("Ada"), {}, 0)
    assert await comments_of_ada(area) == {}


async def test_a_second_save_replaces_the_first(area: Area) -> None:
    await ada_begins(area)
    await area.survey.comment(person("Ada"), {SEEING: "Time.", HELPING: "Staff."}, 0)
    await area.survey.comment(person("Ada"), {HELPING: "Trust."}, 1)
    assert await comments_of_ada(area) == {HELPING: "Trust."}
    await area.survey.comment(person("Ada"), {}, 2)
    assert await comments_of_ada(area) == {}


async def test_comments_and_answers_leave_each_other_alone(area: Area) -> None:
    await ada_begins(area)
    await area.survey.answer(person("Ada"), "SE1", "fully", 0)
    await area.survey.comment(person("Ada"), {SEEING: "Time."}, 0)
    after = await area.survey.answer(person("Ada"), "SE1", "mostly", 2)
    assert after.ballot == Ballot(
        CellId("police"),
        {INSTRUMENT.statements[0].id: SOME_CHOICES[1]},
        False,
        3,
        {SEEING: "Time."},
    )


async def test_a_late_copy_of_an_earlier_save_brings_nothing_back(area: Area) -> None:
    await ada_begins(area)
    await area.survey.comment(person("Ada"), {SEEING: "Time."}, 0)
    await area.survey.comment(person("Ada"), {HELPING: "Trust."}, 1)
    with pytest.raises(NotOffered):
        await area.survey.comment(person("Ada"), {SEEING: "Time."}, 0)
    assert await comments_of_ada(area) == {HELPING: "Trust."}


async def test_the_same_save_twice_writes_once(area: Area) -> None:
    await ada_begins(area)
    await area.survey.comment(person("Ada"), {SEEING: "Time."}, 0)
    before = await area.envelope("Ada")
    await area.survey.comment(person("Ada"), {SEEING: "Time."}, 0)
    assert await area.envelope("Ada") == before


@pytest.mark.parametrize("nothing", ["", " ", "\n\t "])
async def test_a_box_without_words_is_no_comment(area: Area, nothing: str) -> None:
    await ada_begins(area)
    await area.survey.comment(person("Ada"), {SEEING: nothing, HELPING: "Staff."}, 0)
    assert await comments_of_ada(area) == {HELPING: "Staff."}


async def test_comments_on_an_unknown_domain_are_refused_and_none_is_kept(area: Area) -> None:
    await ada_begins(area)
    before = await area.envelope("Ada")
    with pytest.raises(NotOffered):
        await area.survey.comment(person("Ada"), {SEEING: "Time.", DomainId("gossip"): "No."}, 0)
    assert await area.envelope("Ada") == before


@pytest.mark.parametrize("state", [s for s in State if s is not State.OPEN])
async def test_no_comment_is_taken_after_sending_or_leaving(area: Area, state: State) -> None:
    await area.keeps("Ada", with_comments({SEEING: "Time."}), state)
    before = await area.envelope("Ada")
    with pytest.raises(NotOpen) as refused:
        await area.survey.comment(person("Ada"), {SEEING: "Trust."}, 0)
    assert refused.value.state == state
    assert await area.envelope("Ada") == before


async def test_no_comment_is_taken_from_whoever_has_not_begun(area: Area) -> None:
    with pytest.raises(NotOpen):
        await area.survey.comment(person("Ada"), {SEEING: "Time."}, 0)


async def test_an_envelope_is_as_long_with_comments_as_without(area: Area) -> None:
    lengths = set()
    await ada_begins(area)
    written: tuple[Words, ...] = (
        {},
        {SEEING: "T"},
        {SEEING: "Ü" * 500},
        {SEEING: "x" * 1000, HELPING: "y"},
    )
    for revision, comments in enumerate(written):
        await area.survey.comment(person("Ada"), comments, revision)
        body = (await area.envelope("Ada")).body
        lengths.add((len(body["ballot"]), len(body["contact"])))
    await area.survey.begin(person("Ben"), "police", contact("Ben"))
    body = (await area.envelope("Ben")).body
    assert lengths == {(len(body["ballot"]), len(body["contact"]))}


async def test_a_stored_envelope_shows_no_word_of_a_comment(area: Area, tmp_path: Path) -> None:
    await ada_begins(area)
    await area.survey.comment(person("Ada"), {SEEING: CANARY}, 0)
    kept = everything_on_disk(tmp_path)
    assert b"police" in kept  # what is plain would be found
    for word in (CANARY, SEEING):
        assert word.encode() not in kept


# -- what fits -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "does"),
    [
        ("", True),
        ("x" * 1000, True),
        ("x" * 1001, False),
        ("ü" * 599, True),  # 1,198 bytes and two quotation marks
        ("ü" * 600, False),
        ("😀" * 299, True),
        ("😀" * 300, False),
        ("😀" * 1000, False),
        ('"' * 599, True),
        ('"' * 600, False),
        ("\\" * 600, False),
        ("\n" * 600, False),
        ("\x00" * 199, True),  # JSON writes six characters for each
        ("\x00" * 200, False),
    ],
    ids=lambda value: f"{len(value)} of {value[:1]!r}" if isinstance(value, str) else str(value),
)
def test_a_comment_fits_by_characters_and_by_what_json_makes_of_it(text: str, does: bool) -> None:
    assert fits(text, RULES) is does


@pytest.mark.parametrize("half", ["\ud83d", "Time \ude00"])
def test_half_a_character_does_not_fit(half: str) -> None:
    """JSON can carry half of a surrogate pair; no store can."""
    assert not fits(half, RULES)


def largest_ballot(instrument: Instrument, text: str) -> Ballot:
    longest = max((o.id for o in instrument.practice.options), key=len)
    return Ballot(
        CellId(max((*(a.id for a in instrument.agencies), "other"), key=len)),
        {s.id: longest for s in instrument.statements},
        sent=False,  # longer than "true"
        revision=999_999_999,
        comments={d.id: text for d in instrument.domains},
    )


LARGEST = "€" * 399 + "x"  # 3 bytes each: 1,198, and two quotation marks


@pytest.mark.parametrize("language", ["en-GB", "cy-GB"])
def test_the_largest_ballot_of_the_real_pack_can_be_sealed(language: str) -> None:
    instrument = load_packs()[language].instrument
    assert json_bytes(LARGEST) == instrument.comments.max_bytes
    assert fits(LARGEST, instrument.comments)
    ballot = largest_ballot(instrument, LARGEST)
    assert len(ballot.answers) == 22
    assert len(ballot.comments or {}) == 5
    sealed = SERVICE.seal(ballot.as_json(), "ballot", size=BALLOT_BYTES)
    assert Ballot.from_json(SERVICE.open(sealed, "ballot")) == ballot


@given(st.text(st.characters(codec="utf-8"), max_size=1001))
@example("\x00" * 199)
@example('"' * 599)
def test_whatever_fits_can_be_sealed_in_every_box_and_comes_back(text: str) -> None:
    if fits(text, REAL.comments):
        ballot = largest_ballot(REAL, text)
        sealed = SERVICE.seal(ballot.as_json(), "ballot", size=BALLOT_BYTES)
        assert Ballot.from_json(SERVICE.open(sealed, "ballot")) == ballot


# -- the moderators' queue -----------------------------------------------------------------------


@dataclass
class Desk:
    """The moderators' comments of one area, each known by a digit."""

    area: Area

    @property
    def id(self) -> SnapshotId:
        return self.area.running.snapshot.id

    async def has(
        self,
        digit: int,
        state: CommentState = CommentState.WAITING,
        *,
        text: str = "Time.",
        domain: DomainId = SEEING,
    ) -> str:
        id = f"{ID}{digit:x}"
        record = mixed(self.area.running, id, domain, text)
        await self.area.records.create(replace(record, state=state))
        return id

    async def has_printed(self, number: int, domain: DomainId = SEEING) -> None:
        taken = len(await in_the_store(self.area))
        for digit in range(taken, taken + number):
            await self.has(digit, CommentState.APPROVED, domain=domain)

    async def decides(self, id: str, decision: Decision, words: str = "") -> None:
        await decide(self.area.running, self.area.records, id, decision, words)

    async def passes_on(self, id: str, to: str = "the front door") -> None:
        when = "2026-03-09 10:00"
        await pass_on(self.area.running, self.area.records, id, to=to, when=when)

    async def sees(self) -> str | None:
        comment = await next_comment(self.area.running, self.area.records)
        return comment.id if comment else None

    async def kept(self, id: str) -> Record:
        return await self.area.records.read(self.id, Kind.COMMENT, id)

    def meeting(self, act: Callable[[], Awaitable[object]]) -> Desk:
        """Of a moderator who is slower than `act`."""
        return Desk(replace(self.area, records=Watched(self.area.records, AtWrite(0, act))))


@pytest.fixture
def desk(area: Area) -> Desk:
    return Desk(area)


async def test_nobody_sees_a_comment_before_the_queue_is_filled(desk: Desk) -> None:
    id = await desk.has(1, CommentState.MIXED)
    assert await desk.sees() is None
    assert await undecided(desk.area.records, desk.id) == {"escalated": 0, "waiting": 0}
    with pytest.raises(NotOffered):
        await read_comment(desk.area.running, desk.area.records, id)
    assert await fill_queue(desk.area.records, desk.id) == 1
    assert await desk.sees() == id
    assert await undecided(desk.area.records, desk.id) == {"escalated": 0, "waiting": 1}


@pytest.mark.parametrize("id", ["", "Mrs Smith", f"{ID}0/", "A" * 32, f"{ID}00"])
async def test_what_is_no_id_does_not_get_as_far_as_the_store(desk: Desk, id: str) -> None:
    watched = Watched(desk.area.records)
    with pytest.raises(NotOffered):
        await read_comment(desk.area.running, watched, id)
    assert watched.verbs == []


async def test_what_is_in_the_queue_can_be_read(desk: Desk) -> None:
    id = await desk.has(1)
    comment = Comment(id, SEEING, "Time.", CommentState.WAITING)
    assert await read_comment(desk.area.running, desk.area.records, id) == comment
    assert await next_comment(desk.area.running, desk.area.records) == comment


async def test_filling_the_queue_again_changes_nothing(desk: Desk) -> None:
    await desk.has(1, CommentState.MIXED)
    await fill_queue(desk.area.records, desk.id)
    before = await in_the_store(desk.area)
    assert await fill_queue(desk.area.records, desk.id) == 0
    assert await in_the_store(desk.area) == before


async def test_filling_the_queue_leaves_alone_what_has_been_decided(desk: Desk) -> None:
    states = [s for s in CommentState if s is not CommentState.MIXED]
    for digit, state in enumerate(states):
        await desk.has(digit, state)
    await desk.has(15, CommentState.MIXED)
    await fill_queue(desk.area.records, desk.id)
    assert [r.state for r in await in_the_store(desk.area)] == [*states, CommentState.WAITING]


async def test_two_workers_who_fill_the_queue_at_once_fill_it_once(desk: Desk) -> None:
    await desk.has(1, CommentState.MIXED)
    slow = desk.meeting(partial(fill_queue, desk.area.records, desk.id))
    await fill_queue(slow.area.records, desk.id)
    assert await undecided(desk.area.records, desk.id) == {"escalated": 0, "waiting": 1}


@dataclass
class OldList(Watched):
    """Somebody acts once, right after the heads were listed."""

    act: Callable[[], Awaitable[object]] = field(kw_only=True)
    acted: bool = False

    async def heads(self, snapshot: SnapshotId, kind: Kind, state: str = "") -> list[Head]:
        found = await super().heads(snapshot, kind, state)
        if found and not self.acted:
            self.acted = True
            await self.act()
        return found


@pytest.mark.parametrize("decision", Decision)
async def test_a_worker_with_an_old_list_does_not_undo_a_decision(
    desk: Desk, decision: Decision
) -> None:
    id = await desk.has(1, CommentState.MIXED)

    async def others_are_quicker() -> None:
        await fill_queue(desk.area.records, desk.id)
        await desk.decides(id, decision, "In other words.")
        decided.append(await desk.kept(id))

    decided: list[Record] = []
    await fill_queue(OldList(desk.area.records, act=others_are_quicker), desk.id)
    assert decided == [await desk.kept(id)]


async def test_the_next_comment_is_never_one_that_has_just_been_decided(desk: Desk) -> None:
    first, second = await desk.has(1), await desk.has(2)
    old_list = OldList(desk.area.records, act=partial(desk.decides, first, Decision.HIDE))
    comment = await next_comment(desk.area.running, old_list)
    assert comment is not None
    assert comment.id == second


async def test_an_escalated_comment_comes_first_and_otherwise_the_ids_decide(desk: Desk) -> None:
    await desk.has(2)
    await desk.has(1)
    assert await desk.sees() == f"{ID}1"
    await desk.has(9, CommentState.ESCALATED)
    await desk.has(8, CommentState.ESCALATED)
    assert await desk.sees() == f"{ID}8"
    assert await undecided(desk.area.records, desk.id) == {"escalated": 2, "waiting": 2}


async def test_the_queue_is_empty_once_everything_is_decided_and_passed_on(desk: Desk) -> None:
    for digit, state in enumerate(CommentState):
        await desk.has(digit, state)
    for _ in range(2):
        id = await desk.sees()
        assert id is not None
        if (await desk.kept(id)).state == CommentState.ESCALATED:
            await desk.passes_on(id)
        else:
            await desk.decides(id, Decision.APPROVE)
    assert await desk.sees() is None


async def test_the_queue_of_one_area_is_not_that_of_another(desk: Desk) -> None:
    await desk.has(1)
    running = desk.area.running
    next_year = replace(running.snapshot, id=SnapshotId("exampleshire-2027"))
    other = replace(running, snapshot=next_year)
    assert await next_comment(other, desk.area.records) is None
    with pytest.raises(NotOffered):
        await decide(other, desk.area.records, f"{ID}1", Decision.HIDE)


# -- decisions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decision", "state", "text"),
    [
        (Decision.APPROVE, CommentState.APPROVED, "Time."),
        (Decision.PARAPHRASE, CommentState.PARAPHRASED, "Somebody asks for time."),
        (Decision.HIDE, CommentState.HIDDEN, ""),
        (Decision.ESCALATE, CommentState.ESCALATED, "Time."),
    ],
)
async def test_a_decision_stands_with_the_words_that_go_with_it(
    desk: Desk, decision: Decision, state: CommentState, text: str
) -> None:
    id = await desk.has(1)
    await desk.decides(id, decision, "Somebody asks for time.")
    comment = opened(desk.area.running, await desk.kept(id))
    assert comment == Comment(id, SEEING, text, state)


@pytest.mark.parametrize(("first", "second"), list(product(Decision, repeat=2)))
async def test_what_has_been_decided_is_not_decided_again(
    desk: Desk, first: Decision, second: Decision
) -> None:
    id = await desk.has(1)
    await desk.decides(id, first, "In other words.")
    before = await desk.kept(id)
    with pytest.raises(NotOffered):
        await desk.decides(id, second, "In yet other words.")
    assert await desk.kept(id) == before


@pytest.mark.parametrize(("quick", "slow"), list(product(Decision, repeat=2)))
async def test_of_two_moderators_at_once_the_quicker_one_decides(
    desk: Desk, quick: Decision, slow: Decision
) -> None:
    id = await desk.has(1)
    late = desk.meeting(partial(desk.decides, id, quick, "In other words."))
    with pytest.raises(NotOffered):
        await late.decides(id, slow, "In yet other words.")
    assert (await desk.kept(id)).state in {
        Decision.APPROVE: "approved",
        Decision.PARAPHRASE: "paraphrased",
        Decision.HIDE: "hidden",
        Decision.ESCALATE: "escalated",
    }[quick]


async def test_two_moderators_in_two_tasks_decide_once(desk: Desk) -> None:
    id = await desk.has(1)
    decisions = [desk.decides(id, d, "In other words.") for d in Decision]
    results = await asyncio.gather(*decisions, return_exceptions=True)
    assert Counter(type(r) for r in results) == {type(None): 1, NotOffered: 3}


@pytest.mark.parametrize("decision", Decision)
async def test_what_is_not_in_the_queue_cannot_be_decided(desk: Desk, decision: Decision) -> None:
    id = await desk.has(1, CommentState.MIXED)
    before = await desk.kept(id)
    for unknown in (id, f"{ID}2", ""):
        with pytest.raises(NotOffered):
            await desk.decides(unknown, decision, "In other words.")
    assert await desk.kept(id) == before


@pytest.mark.parametrize("state", [s for s in CommentState if s is not CommentState.ESCALATED])
async def test_only_what_was_escalated_is_passed_on(desk: Desk, state: CommentState) -> None:
    id = await desk.has(1, state)
    before = await desk.kept(id)
    for unknown in (id, f"{ID}2"):
        with pytest.raises(NotOffered):
            await desk.passes_on(unknown)
    assert await desk.kept(id) == before


async def test_a_concern_is_passed_on_once(desk: Desk) -> None:
    id = await desk.has(1, CommentState.ESCALATED)
    await desk.passes_on(id)
    before = await desk.kept(id)
    with pytest.raises(NotOffered):
        await desk.passes_on(id, "somebody else")
    assert await desk.kept(id) == before


async def test_of_two_who_pass_a_concern_on_at_once_the_quicker_one_stands(desk: Desk) -> None:
    id = await desk.has(1, CommentState.ESCALATED)
    late = desk.meeting(partial(desk.passes_on, id, "the front door"))
    with pytest.raises(NotOffered):
        await late.passes_on(id, "the police")
    assert told_in(desk, await desk.kept(id))["to"] == "the front door"


def told_in(desk: Desk, record: Record) -> Mapping[str, str]:
    inside: Mapping[str, str] = desk.area.running.service.open(
        record.body["passed_on"], "passed-on", record.snapshot, record.id
    )
    return inside


async def test_who_was_told_and_when_is_sealed_for_this_comment(desk: Desk) -> None:
    id = await desk.has(1, CommentState.ESCALATED)
    await desk.passes_on(id, CANARY)
    record = await desk.kept(id)
    assert record.state == CommentState.PASSED_ON
    assert opened(desk.area.running, record).text == ""
    assert told_in(desk, record) == {"to": CANARY, "when": "2026-03-09 10:00"}
    with pytest.raises(Damaged):
        told_in(desk, replace(record, id=f"{ID}2"))


async def test_who_was_told_stands_nowhere_in_plain_words(desk: Desk, tmp_path: Path) -> None:
    await desk.passes_on(await desk.has(1, CommentState.ESCALATED), CANARY)
    kept = everything_on_disk(tmp_path)
    assert b"passed_on" in kept  # what is plain would be found
    assert CANARY.encode() not in kept
    assert b"2026-03-09 10:00" not in kept


async def hidden(desk: Desk, id: str) -> None:
    await desk.decides(id, Decision.HIDE)


async def paraphrased(desk: Desk, id: str) -> None:
    await desk.decides(id, Decision.PARAPHRASE, "In other words.")


async def escalated_and_passed_on(desk: Desk, id: str) -> None:
    await desk.decides(id, Decision.ESCALATE)
    await desk.passes_on(id)


@pytest.mark.parametrize(
    "drop",
    [hidden, paraphrased, escalated_and_passed_on],
    ids=lambda f: f.__name__.replace("_", " "),
)
async def test_words_that_nobody_may_read_any_more_are_overwritten(
    desk: Desk, tmp_path: Path, drop: Callable[[Desk, str], Awaitable[None]]
) -> None:
    id = await desk.has(1, text=CANARY)
    words = end_of(await desk.kept(id))
    assert words in everything_on_disk(tmp_path)
    await drop(desk, id)
    assert CANARY not in opened(desk.area.running, await desk.kept(id)).text
    await desk.area.records.forget()
    assert words not in everything_on_disk(tmp_path)


async def test_only_what_moderators_let_through_is_printed(desk: Desk) -> None:
    for digit, state in enumerate(CommentState):
        await desk.has(digit, state, text=state)
    await desk.has(8, CommentState.APPROVED, text="help", domain=HELPING)
    found = await printed(desk.area.running, desk.area.records)
    assert {d: [c.text for c in comments] for d, comments in found.items()} == {
        SEEING: ["approved", "paraphrased"],
        HELPING: ["help"],
    }


async def test_what_is_printed_is_in_the_order_of_the_ids(desk: Desk) -> None:
    for digit in (3, 1, 2):
        await desk.has(digit, CommentState.APPROVED)
    found = await printed(desk.area.running, desk.area.records)
    assert [c.id for c in found[SEEING]] == [f"{ID}1", f"{ID}2", f"{ID}3"]


# -- the moderators' own words -------------------------------------------------------------------


async def wanted(desk: Desk) -> Sequence[DomainId]:
    return await wanting_a_theme(desk.area.running, desk.area.records, INSTRUMENT)


@pytest.mark.parametrize(("number", "is_wanted"), [(0, False), (1, True), (9, True), (10, False)])
async def test_one_to_nine_printed_comments_want_a_theme(
    desk: Desk, number: int, is_wanted: bool
) -> None:
    await desk.has_printed(number)
    assert await wanted(desk) == ([SEEING] if is_wanted else [])


async def test_only_printed_comments_count_towards_a_theme(desk: Desk) -> None:
    """Ten were written, but one was hidden: nine are too few to quote."""
    await desk.has_printed(9)
    await desk.has(10, CommentState.HIDDEN)
    assert await wanted(desk) == [SEEING]


async def test_comments_that_moderators_have_not_let_through_want_no_theme(desk: Desk) -> None:
    not_printed = set(CommentState) - {CommentState.APPROVED, CommentState.PARAPHRASED}
    for digit, state in enumerate(sorted(not_printed)):
        await desk.has(digit, state)
    assert await wanted(desk) == []


async def test_every_domain_wants_a_theme_of_its_own_in_the_order_of_the_survey(
    desk: Desk,
) -> None:
    await desk.has_printed(2, HELPING)
    await desk.has_printed(3, SEEING)
    assert await wanted(desk) == [SEEING, HELPING]
    await keep_theme(desk.area.records, desk.id, SEEING, "Some ask for time.")
    assert await wanted(desk) == [HELPING]


async def themes(desk: Desk) -> dict[str, object]:
    found = await desk.area.records.read_all(desk.id, Kind.THEME)
    return {r.id: r.body for r in found}


async def test_a_newer_theme_takes_the_place_of_the_older(desk: Desk) -> None:
    await desk.has_printed(2)
    for text in ("Some ask for time.", "Some ask for time and for staff."):
        await keep_theme(desk.area.records, desk.id, SEEING, text)
    assert await themes(desk) == {SEEING: {"text": "Some ask for time and for staff."}}
    assert await wanted(desk) == []


async def test_of_two_newer_themes_at_once_the_quicker_one_stands(desk: Desk) -> None:
    await keep_theme(desk.area.records, desk.id, SEEING, "The first.")
    quick = partial(keep_theme, desk.area.records, desk.id, SEEING, "The quick.")
    # Its first write finds that there is a theme already.
    slow = Watched(desk.area.records, AtWrite(1, quick))
    with pytest.raises(NotOffered):
        await keep_theme(slow, desk.id, SEEING, "The slow.")
    assert await themes(desk) == {SEEING: {"text": "The quick."}}
