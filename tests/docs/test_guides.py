"""The guides name what people find: labels of cards, words to type, commands, files."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.__main__ import cli
from bot.settings import Settings
from bot.teams.files import MOST_BYTES
from bot.turns import facilitator, leads, moderator, opening, plan, practitioner, reports, session
from bot.turns.dispatch import fold
from bot.turns.turn import Place
from content.packs import load_packs
from snapshot.calendar import MIXED_AT, POSTED_AT
from snapshot.leads import MOST_LEADS
from snapshot.reminding import WRITTEN_UNTIL
from snapshot.wording import Command, Wording
from tests.cards.gallery import EXHIBITS, page

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "guides"
PACKS = load_packs()

PRIVATE, CHANNEL = "private", "channel"
OF_PRACTITIONERS = {PRIVATE: {*practitioner.WORDS}}
OF_FACILITATORS = {
    PRIVATE: {*leads.WORDS, *reports.WORDS},
    CHANNEL: {*facilitator.WORDS, *plan.WORDS, *opening.WORDS, *session.WORDS, *moderator.WORDS},
}
OF_MODERATORS = {CHANNEL: {*moderator.WORDS, "moderate", "help"}}

MOST_WORDS = 540
"""So many of the Welsh guide fill a page of A4; the English one is shorter."""

_CODE = re.compile(r"`([^`]+)`")
_ITALIC = re.compile(r"(?<!\*)\*([^*]+)\*(?!\*)")
_LINK = re.compile(r"\[[^\]]+\]\(([^)]*)\)")
_ROW = re.compile(r"^\| (.+) \|$", re.MULTILINE)
_GAP = re.compile(r"\{\w+\}")
_PLACEHOLDERS = ("CODE", "ADDRESS", "SNAPSHOT")
_BOT = "python -m bot "


@dataclass(frozen=True, slots=True)
class Guide:
    """`words`: what its readers may type, by place. `languages`: the first is that of its cards."""

    name: str
    words: Mapping[str, set[str]]
    languages: tuple[str, ...] = ("en-GB",)
    places: frozenset[Place] = frozenset(Place)

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.md"

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def code(self) -> list[str]:
        return _CODE.findall(_on_one_line(self.text))

    @property
    def labels(self) -> list[str]:
        return _ITALIC.findall(_on_one_line(_CODE.sub("", self.text)))

    @property
    def links(self) -> list[str]:
        return _LINK.findall(_on_one_line(self.text))

    @property
    def wording(self) -> Wording:
        return PACKS[self.languages[0]].wording


IN_PRIVATE = frozenset({Place.PRIVATE})
GUIDES = (
    Guide("practitioner.en-GB", OF_PRACTITIONERS, places=IN_PRIVATE),
    Guide("practitioner.cy-GB", OF_PRACTITIONERS, ("cy-GB",), IN_PRIVATE),
    Guide("lead", OF_PRACTITIONERS, places=IN_PRIVATE),
    Guide("facilitator", OF_FACILITATORS, ("en-GB", "cy-GB")),
    Guide("moderator", OF_MODERATORS),
)
FOR_PRACTITIONERS = GUIDES[:2]
LEADS, FACILITATORS, MODERATORS = GUIDES[2:]


def _name(guide: Guide) -> str:
    return guide.name


each = pytest.mark.parametrize("guide", GUIDES, ids=_name)
each_of_practitioners = pytest.mark.parametrize("guide", FOR_PRACTITIONERS, ids=_name)


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


# -- labels ---------------------------------------------------------------------------------------


@each
def test_what_stands_in_italics_is_a_label_of_a_card(guide: Guide) -> None:
    known = _labels(guide.languages[0], guide.places)
    assert guide.labels
    assert [label for label in guide.labels if not any(k.fullmatch(label) for k in known)] == []


@each
def test_nothing_is_stressed_otherwise(guide: Guide) -> None:
    assert "**" not in guide.text
    assert not re.search(r"(?<!\w)_[^_]+_(?!\w)", _CODE.sub("", guide.text))


@cache
def _labels(language: str, places: frozenset[Place]) -> list[re.Pattern[str]]:
    """What somebody can read on a button or at a box; a name or a question may be left open."""
    shown = {
        label
        for nation in ("England", "Wales")
        for exhibit in EXHIBITS
        if exhibit.place in places
        for label in _labels_of(exhibit.make(page(language, nation)).to_dict())
    }
    before_a_question = {label.partition(": ")[0] for label in shown if label.endswith("?")}
    exact = [re.compile(re.escape(label)) for label in shown | before_a_question]
    with_a_name = [_pattern(label) for label in _labels_in(PACKS[language].wording)]
    return exact + [p for p in with_a_name if any(p.fullmatch(label) for label in shown)]


def _labels_of(part: Any) -> Iterator[str]:
    """Titles of buttons and choices, labels of inputs, wherever they stand in a card."""
    if isinstance(part, Mapping):
        yield from (part[key] for key in ("title", "label") if isinstance(part.get(key), str))
        part = part.values()
    elif not isinstance(part, list):
        return
    for each in part:
        yield from _labels_of(each)


def _labels_in(words: Wording) -> Iterator[str]:
    """Those of the pack that have a name to fill in."""
    labels = [label.text for label in words.inputs.values()]
    labels += [link.label for link in words.links.values()]
    yield from (label for label in labels if _GAP.search(label))


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".+".join(re.escape(part) for part in _GAP.split(text)), re.IGNORECASE)


# -- words to type, commands, settings ------------------------------------------------------------


@each
def test_what_stands_as_code_can_be_typed_or_is_there(guide: Guide) -> None:
    typed = {word for place in guide.words for word in _typed(guide, place)}
    others = [span for span in guide.code if _bare(span) not in typed]
    assert [span for span in others if not _is_there(span)] == []


@each
def test_each_word_that_its_readers_may_type_is_named(guide: Guide) -> None:
    named = {_bare(span) for span in guide.code}
    for place, ids in guide.words.items():
        for command in _commands(guide.wording, place):
            if command.id in ids:
                assert named & {fold(word) for word in command.words}, (place, command.id)


def test_no_word_is_left_out_of_all_guides() -> None:
    for place in (PRIVATE, CHANNEL):
        told = {id for guide in GUIDES for id in guide.words.get(place, ())}
        assert told == {c.id for c in _commands(PACKS["en-GB"].wording, place)}


def test_the_list_of_all_words_sets_each_beside_its_own_in_welsh() -> None:
    rows = [cells for cells in _rows(FACILITATORS, "All the words") if len(cells) == 4]
    place, pairs = PRIVATE, []
    for where, english, welsh, _ in rows:
        place = PRIVATE if "private" in where else CHANNEL if where else place
        pairs.append((_meant("en-GB", place, english), _meant("cy-GB", place, welsh)))
    assert len(pairs) >= 12
    assert [pair for pair in pairs if pair[0] != pair[1]] == []


def _meant(language: str, place: str, cell: str) -> str:
    (span,) = _CODE.findall(cell)
    words = PACKS[language].wording
    (id,) = (c.id for c in _commands(words, place) if _bare(span) in map(fold, c.words))
    return id


def _typed(guide: Guide, place: str) -> set[str]:
    return {
        fold(word)
        for language in guide.languages
        for command in _commands(PACKS[language].wording, place)
        if command.id in guide.words[place]
        for word in command.words
    }


def _commands(words: Wording, place: str) -> tuple[Command, ...]:
    return words.private if place == PRIVATE else words.channel


def _bare(span: str) -> str:
    """Without what people put in place of CODE, and as the bot compares it."""
    return fold(span.removesuffix(" CODE"))


def _is_there(span: str) -> bool:
    if span.startswith(_BOT):
        return _is_command(span.removeprefix(_BOT).split())
    settings = {field.alias for field in Settings.model_fields.values()}
    return span in settings or (ROOT / span).exists()


def _is_command(words: list[str]) -> bool:
    told = tuple(word for word in words if word not in _PLACEHOLDERS)
    return CliRunner().invoke(cli, [*told, "--help"]).exit_code == 0


# -- what the bot says, and what it promises ------------------------------------------------------


def test_what_goes_wrong_is_quoted_as_the_bot_says_it() -> None:
    said = _plain(FACILITATORS.wording.messages.values())
    rows = _rows(FACILITATORS, "When something goes wrong")
    quoted = [words for cells in rows for words in re.findall(r'"([^"]+)"', cells[0])]
    assert len(quoted) > 20
    assert [words for words in quoted if words not in said] == []


@each_of_practitioners
def test_what_is_promised_stands_in_the_privacy_notice(guide: Guide) -> None:
    messages = guide.wording.messages
    notice = _plain(messages[id] for id in ("privacy_short", "privacy_notice"))
    # One that begins with an address or a name would be any sentence.
    promised = [_pattern(said) for said in _sentences(notice) if not _GAP.match(said)]
    bullets = re.findall(r"^- (.+(?:\n  .+)*)", guide.text, re.MULTILINE)
    found = [sentence for bullet in bullets for sentence in _sentences(_on_one_line(bullet))]
    assert len(found) > 10
    assert [s for s in found if not any(p.fullmatch(s) for p in promised)] == []


@each_of_practitioners
def test_numbers_are_those_of_the_survey(guide: Guide) -> None:
    instrument = PACKS[guide.languages[0]].instrument
    smallest = instrument.limits.smallest_group
    numbers = {len(instrument.statements), instrument.minutes_needed, smallest, smallest - 1}
    said = {int(number) for number in re.findall(r"\b\d{1,3}\b", guide.text)}
    assert said == numbers | {999}


def _clock(at: time) -> str:
    return f"{at:%I.%M%p}".lstrip("0").replace(".00", "").lower()


INSTRUMENT = PACKS["en-GB"].instrument
LIMITS, COMMENTS = INSTRUMENT.limits, INSTRUMENT.comments
ENOUGH = math.ceil(LIMITS.smallest_group / LIMITS.expected_reply_share)
IN_WORDS = {2: "two", 7: "seven"}
NUMBERS = (
    (FACILITATORS, f"about {10 * LIMITS.expected_reply_share:g} in 10 are expected to answer"),
    (FACILITATORS, f"a smallest group of {LIMITS.smallest_group} an agency needs {ENOUGH} people"),
    (FACILITATORS, f"mixed at {_clock(MIXED_AT)} on mixing days"),
    (FACILITATORS, f"a CSV file of at most {MOST_BYTES // 2**20} MB"),
    (FACILITATORS, f"takes {MOST_LEADS:,} leads"),
    (FACILITATORS, f"the nearest {LIMITS.progress_to_nearest}% of the headcount"),
    (FACILITATORS, f"a headcount under {LIMITS.progress_from_headcount}"),
    (FACILITATORS, f"the answers of {LIMITS.interim_from} people"),
    (FACILITATORS, f"the same {len(INSTRUMENT.statements)} statements"),
    (FACILITATORS, f"{IN_WORDS[Settings.model_fields['key_days'].default]} days after the close"),
    (LEADS, f"between {_clock(POSTED_AT)} and {_clock(WRITTEN_UNTIL)}"),
    (MODERATORS, f"a card at {_clock(POSTED_AT)}"),
    (MODERATORS, f"waited for {IN_WORDS[COMMENTS.nudge_after_days]} days"),
    (MODERATORS, f"fewer than {COMMENTS.quotes_from} comments"),
)


@pytest.mark.parametrize(("guide", "said"), NUMBERS, ids=[said for _, said in NUMBERS])
def test_other_numbers_are_those_that_the_bot_goes_by(guide: Guide, said: str) -> None:
    assert said in _on_one_line(guide.text)


@each
def test_numbers_to_ring_are_those_on_the_cards(guide: Guide) -> None:
    said = _plain(guide.wording.messages.values())
    numbers = re.findall(r"\b(?:999|101|0\d{3} [\d ]+\d)\b", guide.text)
    assert [number for number in numbers if number not in said] == []


@each_of_practitioners
def test_practitioners_have_one_page(guide: Guide) -> None:
    assert len(re.findall(r"[\w'’-]+", _LINK.sub("", guide.text))) <= MOST_WORDS


def test_the_welsh_guide_says_nothing_that_has_no_model_on_the_cards() -> None:
    """Nobody here can judge new Welsh. Its foot says, in both languages, that it is a draft."""
    guide = GUIDES[1]
    text, _, foot = _LINK.sub("", guide.text).partition("Drafft yw'r testun Cymraeg hwn.")
    assert "by a Welsh-speaking safeguarding lead" in foot
    assert _words(text) - _words(" ".join(_all_said(guide.wording))) == set()


def _all_said(words: Wording) -> Iterator[str]:
    yield from words.messages.values()
    yield from words.verbs.values()
    yield from words.buttons.values()
    yield from (label.text for label in words.inputs.values())
    for command in words.private:
        yield from (*command.words, command.does)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", text.casefold()))


def _plain(messages: Iterable[str]) -> str:
    return _on_one_line(" ".join(messages).replace("**", "").replace("\n- ", " "))


def _sentences(text: str) -> list[str]:
    """What follows a colon is one, too: "Before mixing: we keep"."""
    return re.split(r"(?<=[.:?])\s+", text)


def _rows(guide: Guide, heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    table = guide.text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [[cell.strip() for cell in row.split("|")] for row in _ROW.findall(table)[1:]]


# -- where they lead ------------------------------------------------------------------------------


@each
def test_links_lead_to_files_and_headings(guide: Guide) -> None:
    for link in guide.links:
        name, _, anchor = link.partition("#")
        target = guide.path.parent / name if name else guide.path
        assert target.is_file(), link
        assert not anchor or anchor in _anchors(target.read_text(encoding="utf-8")), link


def test_the_readme_leads_to_each_guide() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    names = {path.stem for path in FOLDER.glob("*.md")}
    assert names >= {guide.name for guide in GUIDES}
    assert [name for name in names if f"(docs/guides/{name}.md)" not in readme] == []


def _anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", title).strip().lower().replace(" ", "-") for title in titles}
