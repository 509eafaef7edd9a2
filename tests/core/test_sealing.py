"""What is sealed can be read by nobody without the key, and its length says nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from snapshot.errors import Damaged, TooLong
from snapshot.sealing import BALLOT_BYTES, CONTACT_BYTES, KEY_BYTES, Person, Sealer
from tests.core.exampleshire import INSTRUMENT, OPTIONS, a_ballot, contact

KEY = bytes(range(KEY_BYTES))
OTHER_KEY = bytes(reversed(KEY))
SEALER = Sealer(KEY, "exampleshire-2026")
CANARY = "ZQXJ-0041"
NONCE_BITS, LENGTH_BYTES, TEXT_BITS = 96, 4, 8 * BALLOT_BYTES

ADA = SEALER.tag(Person("tenant", "ada"))
BEN = SEALER.tag(Person("tenant", "ben"))

printable = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=128)
people = st.builds(Person, printable, printable)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)


def ballot_seal(value: object, tag: str = ADA) -> str:
    return SEALER.seal(value, "ballot", tag, size=BALLOT_BYTES)


def with_bit_flipped(sealed: str, position: int) -> str:
    raw = bytearray(base64.b64decode(sealed))
    raw[position // 8] ^= 1 << position % 8
    return base64.b64encode(raw).decode()


def all_that_an_error_holds(error: BaseException | None) -> str:
    """Its text and attributes, and those of every error that led to it."""
    held = ""
    while error is not None:
        held += f"{error!s} {error!r} {vars(error)} {getattr(error, '__notes__', '')}"
        held += f"{getattr(error, 'doc', '')} {getattr(error, 'object', '')}"
        error = error.__cause__ or error.__context__
    return held


# -- length -------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(OPTIONS), max_size=len(INSTRUMENT.statements)), st.booleans())
def test_all_ballots_have_one_length_whatever_is_in_them(choices: list[Any], sent: bool) -> None:
    empty = ballot_seal(a_ballot("police", []).as_json())
    assert len(ballot_seal(a_ballot("health", choices, sent=sent).as_json())) == len(empty)


@given(json_values)
def test_a_sealed_value_comes_back_as_it_was_and_has_the_one_length(value: object) -> None:
    assume(len(json.dumps(value, ensure_ascii=False).encode()) < BALLOT_BYTES)
    sealed = ballot_seal(value)
    assert SEALER.open(sealed, "ballot", ADA) == value
    assert len(sealed) == 10_960


def test_the_same_value_never_looks_the_same_twice() -> None:
    assert len({ballot_seal({"answers": {}}) for _ in range(50)}) == 50


def test_what_does_not_fit_is_refused_and_what_just_fits_is_not() -> None:
    overhead = len(json.dumps("")) + LENGTH_BYTES
    SEALER.seal("x" * (CONTACT_BYTES - overhead), "contact", ADA, size=CONTACT_BYTES)
    with pytest.raises(TooLong):
        SEALER.seal("x" * (CONTACT_BYTES - overhead + 1), "contact", ADA, size=CONTACT_BYTES)


def test_length_is_counted_in_bytes_so_that_welsh_letters_cannot_burst_the_seal() -> None:
    with pytest.raises(TooLong):
        SEALER.seal("ŵ" * (CONTACT_BYTES // 2), "contact", ADA, size=CONTACT_BYTES)


# -- whose, which, what for ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sealer", "context"),
    [
        pytest.param(SEALER, ("ballot", BEN), id="another person's envelope"),
        pytest.param(SEALER, ("contact", ADA), id="another purpose"),
        pytest.param(SEALER, ("ballot",), id="no person"),
        pytest.param(SEALER, (ADA, "ballot"), id="the same words the other way round"),
        pytest.param(SEALER, ("ballot", ADA, ""), id="one word more"),
        pytest.param(SEALER, (f"ballot|{ADA}",), id="the words run together"),
        pytest.param(Sealer(KEY, "exampleshire-2027"), ("ballot", ADA), id="another snapshot"),
        pytest.param(Sealer(OTHER_KEY, "exampleshire-2026"), ("ballot", ADA), id="another key"),
    ],
)
def test_a_seal_opens_only_where_it_belongs(sealer: Sealer, context: tuple[str, ...]) -> None:
    sealed = ballot_seal({"answers": {"SE1": "fully"}})
    assert SEALER.open(sealed, "ballot", ADA) == {"answers": {"SE1": "fully"}}
    with pytest.raises(Damaged):
        sealer.open(sealed, *context)


@given(st.integers(min_value=0))
def test_with_any_bit_flipped_a_seal_does_not_open(somewhere: int) -> None:
    sealed = ballot_seal({"answers": {"SE1": "fully"}})
    bits = 8 * len(base64.b64decode(sealed))
    with pytest.raises(Damaged):
        SEALER.open(with_bit_flipped(sealed, somewhere % bits), "ballot", ADA)


@pytest.mark.parametrize(
    "position",
    [
        pytest.param(0, id="first of the nonce"),
        pytest.param(NONCE_BITS - 1, id="last of the nonce"),
        pytest.param(NONCE_BITS, id="first of the length"),
        pytest.param(NONCE_BITS + 8 * LENGTH_BYTES, id="first of the value"),
        pytest.param(NONCE_BITS + TEXT_BITS - 1, id="last of the padding"),
        pytest.param(NONCE_BITS + TEXT_BITS, id="first of the tag"),
        pytest.param(NONCE_BITS + TEXT_BITS + 127, id="last of the tag"),
    ],
)
def test_nonce_length_value_padding_and_tag_are_all_protected(position: int) -> None:
    with pytest.raises(Damaged):
        SEALER.open(with_bit_flipped(ballot_seal({}), position), "ballot", ADA)


@pytest.mark.parametrize(
    "sealed",
    ["", "AAAA", "not base64 at all!", "ŵŵŵŵ", "A" * 10_960, None, 17, {"nonce": "AAAA"}],
    ids=repr,
)
def test_what_was_never_sealed_is_damaged(sealed: Any) -> None:
    with pytest.raises(Damaged):
        SEALER.open(sealed, "ballot", ADA)


@pytest.mark.parametrize("kept", [1, 11, 12, 27, 28, 100, 8219])
def test_a_seal_that_was_cut_short_is_damaged(kept: int) -> None:
    cut = base64.b64encode(base64.b64decode(ballot_seal({}))[:kept]).decode()
    with pytest.raises(Damaged):
        SEALER.open(cut, "ballot", ADA)


# -- errors say nothing -------------------------------------------------------------------------


def test_an_error_holds_nothing_of_what_was_sealed() -> None:
    sealed = ballot_seal({"note": CANARY})
    for broken, context in (
        (sealed, ("ballot", BEN)),
        (with_bit_flipped(sealed, 200), ("ballot", ADA)),
        (sealed[:-8], ("ballot", ADA)),
    ):
        with pytest.raises(Damaged) as damaged:
            SEALER.open(broken, *context)
        held = all_that_an_error_holds(damaged.value)
        assert CANARY not in held
        assert not any(part in held for part in (KEY.hex(), str(KEY), sealed[:40]))


def test_a_value_that_is_too_long_is_not_repeated_in_the_error() -> None:
    with pytest.raises(TooLong) as too_long:
        SEALER.seal({"note": CANARY * 200}, "contact", ADA, size=CONTACT_BYTES)
    assert CANARY not in all_that_an_error_holds(too_long.value)


def test_what_json_cannot_say_is_not_repeated_in_the_error() -> None:
    with pytest.raises(TypeError) as refused:
        SEALER.seal({"note": {CANARY}}, "contact", ADA)
    assert CANARY not in all_that_an_error_holds(refused.value)


def test_a_sealed_contact_shows_nothing_of_it() -> None:
    value = {"address": contact(CANARY).address, "object_id": CANARY}
    raw = base64.b64decode(SEALER.seal(value, "contact", ADA, size=CONTACT_BYTES))
    assert CANARY.encode() not in raw


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_the_wrong_length_is_refused_without_being_shown(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes") as refused:
        Sealer(KEY[:length] if length < 33 else KEY + b"!", "exampleshire-2026")
    assert repr(KEY[:8])[2:-1] not in all_that_an_error_holds(refused.value)


# -- tags ---------------------------------------------------------------------------------------


def test_a_tag_is_the_same_each_time_and_differs_with_key_and_snapshot() -> None:
    ada = Person("tenant", "ada")
    assert SEALER.tag(ada) == Sealer(KEY, "exampleshire-2026").tag(ada)
    assert SEALER.tag(ada) != Sealer(OTHER_KEY, "exampleshire-2026").tag(ada)
    assert SEALER.tag(ada) != Sealer(KEY, "exampleshire-2027").tag(ada)


def test_without_the_key_a_list_of_staff_matches_no_tag() -> None:
    ada = Person("tenant", "ada")
    known = ["", "csa1", "exampleshire-2026", "tenant"]
    texts = [between.join(("tenant", "ada")) for between in ("", "\x1f", "|", "/", ":")]
    texts += ["ada", *(f"{word}\x1f{text}" for word in known for text in texts)]
    guesses = {hashlib.sha256(text.encode()).hexdigest() for text in texts} | {
        hmac.new(word.encode(), text.encode(), hashlib.sha256).hexdigest()
        for word in known
        for text in texts
    }
    assert not any(SEALER.tag(ada) in guess for guess in guesses)


@given(people, people)
def test_two_people_never_share_a_tag(one: Person, other: Person) -> None:
    assert (SEALER.tag(one) == SEALER.tag(other)) == (one == other)


@given(printable)
def test_one_object_id_in_two_tenants_is_two_people(text: str) -> None:
    assume(len(text) >= 3)
    splits = [Person(text[:i], text[i:]) for i in range(1, len(text))]
    assert len({SEALER.tag(p) for p in splits}) == len(splits)
    assert all(SEALER.tag(a) != SEALER.tag(b) for a, b in pairwise(splits))


@pytest.mark.parametrize("character", ["\x1f", "\x00", "\n", "\x7f", "\x85", "\u2028", "\ud800"])
@pytest.mark.parametrize("place", ["tenant", "object id"])
def test_a_control_character_in_a_name_is_refused(character: str, place: str) -> None:
    parts = ("a" + character, "b") if place == "tenant" else ("a", "b" + character)
    with pytest.raises(ValueError, match="tenant and an object id"):
        Person(*parts)


@pytest.mark.parametrize("parts", [("", "ada"), ("tenant", ""), ("t" * 129, "a"), ("t", "a" * 129)])
def test_a_person_without_a_name_or_with_a_huge_one_is_refused(parts: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="1 to 128 characters"):
        Person(*parts)
