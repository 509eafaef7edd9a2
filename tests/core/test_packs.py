"""The content that people read: ours loads in both languages, and a broken one says why not."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from content.packs import HERE, BrokenPack, load_packs
from snapshot.envelope import Ballot, next_statement
from snapshot.errors import EmptyPlaceholder
from snapshot.instrument import Instrument
from snapshot.snapshot import CellId
from snapshot.tally import count, cut
from snapshot.wording import Pack, fill
from tests.packs.programme import another_programme

PACKS = load_packs()
ENGLISH, WELSH = PACKS["en-GB"], PACKS["cy-GB"]
INSTRUMENT_FILE, MESSAGES_FILE = "instrument.en-GB.yaml", "messages.en-GB.yaml"

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))


@cache
def raw(name: str) -> dict[str, Any]:
    """A file of ours, as it is written."""
    text = (HERE / name).read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return loaded


# -- our own packs -------------------------------------------------------------------------------


def test_there_is_one_pack_for_english_and_one_for_welsh() -> None:
    assert set(PACKS) == {"en-GB", "cy-GB"}
    for language, pack in PACKS.items():
        assert pack.instrument.language == language
        assert pack.wording.language == language


def test_there_are_22_statements_in_five_domains() -> None:
    by_domain = [len(ENGLISH.instrument.of_domain(d.id)) for d in ENGLISH.instrument.domains]
    assert by_domain == [4, 4, 5, 5, 4]
    assert len(ENGLISH.instrument.statements) == 22


def test_links_lead_to_the_same_places_in_both_languages() -> None:
    english, welsh = (
        {id: link.url for id, link in pack.wording.links.items()} for pack in (ENGLISH, WELSH)
    )
    assert english == welsh


@pytest.mark.parametrize("section", ["inputs", "identifier_kinds", "placeholders", "contacts"])
def test_both_languages_have_the_same_ids_in_the_rest_of_the_messages(section: str) -> None:
    assert set(raw("messages.cy-GB.yaml")[section]) == set(raw(MESSAGES_FILE)[section])


def texts_of(pack: Pack) -> dict[str, str]:
    wording = pack.wording
    return {
        **{f"message {id}": text for id, text in wording.messages.items()},
        **{f"verb {id}": text for id, text in wording.verbs.items()},
        **{f"button {id}": text for id, text in wording.buttons.items()},
        **{f"word {id}": text for id, text in wording.words.items()},
        **{f"link {id}": f"{link.label} {link.url}" for id, link in wording.links.items()},
    }


def test_each_text_uses_the_same_placeholders_in_both_languages() -> None:
    english, welsh = texts_of(ENGLISH), texts_of(WELSH)
    differing = {
        id: (placeholders(text), placeholders(welsh[id]))
        for id, text in english.items()
        if placeholders(text) != placeholders(welsh[id])
    }
    assert differing == {}


@pytest.mark.parametrize("pack", [ENGLISH, WELSH], ids=["English", "Welsh"])
def test_every_placeholder_of_a_message_or_link_says_where_its_value_comes_from(
    pack: Pack,
) -> None:
    declared = set(raw(f"messages.{pack.wording.language}.yaml")["placeholders"])
    texts = [*pack.wording.messages.values()]
    texts += [f"{link.label} {link.url}" for link in pack.wording.links.values()]
    assert {p for text in texts for p in placeholders(text)} - declared == set()


@pytest.mark.parametrize("pack", [ENGLISH, WELSH], ids=["English", "Welsh"])
def test_no_text_has_a_brace_that_is_not_a_placeholder(pack: Pack) -> None:
    for id, text in texts_of(pack).items():
        assert "{" not in _PLACEHOLDER.sub("", text), id
        assert "}" not in _PLACEHOLDER.sub("", text), id
        assert text.strip() == text, id


def test_no_typed_word_means_two_things_in_one_place() -> None:
    """The words of both languages are understood, whatever language the reader has."""
    for commands in (
        [*ENGLISH.wording.private, *WELSH.wording.private],
        [*ENGLISH.wording.channel, *WELSH.wording.channel],
    ):
        meanings: dict[str, set[str]] = {}
        for command in commands:
            for word in command.words:
                meanings.setdefault(word, set()).add(command.id)
        assert {word: ids for word, ids in meanings.items() if len(ids) > 1} == {}


def test_the_toast_says_no_more_than_the_design_allows() -> None:
    assert ENGLISH.wording.messages["toast"] == "Safeguarding snapshot"


@pytest.mark.parametrize("pack", [ENGLISH, WELSH], ids=["English", "Welsh"])
def test_no_option_is_worth_exactly_the_edge_of_a_band(pack: Pack) -> None:
    """So a group that agrees is never on a boundary."""
    edges = {band.start for band in pack.instrument.bands} - {0.0}
    assert not edges & set(pack.instrument.scores.values())


def test_a_text_with_an_empty_placeholder_is_never_shown() -> None:
    assert fill("greeting", "Hello {name}", {"name": "Ada"}) == "Hello Ada"
    for values in ({}, {"name": ""}, {"name": "  "}):
        with pytest.raises(EmptyPlaceholder) as empty:
            fill("greeting", "Hello {name}", values)
        assert (empty.value.text, empty.value.placeholder) == ("greeting", "name")


def test_what_is_filled_in_is_not_read_as_a_placeholder_itself() -> None:
    filled = fill("greeting", "Hello {name} of {area}", {"name": "{area}", "area": "Norfolk"})
    assert filled == "Hello {area} of Norfolk"


# -- somebody else's instrument ------------------------------------------------------------------


@pytest.fixture
def another(tmp_path: Path) -> Instrument:
    """Three domains, eleven statements, and a scale with other labels and other scores."""
    return load_packs(another_programme(tmp_path / "another"))["en-GB"].instrument


def test_another_instrument_takes_the_place_of_ours_without_touching_code(
    another: Instrument,
) -> None:
    assert [len(another.of_domain(d.id)) for d in another.domains] == [5, 4, 2]
    assert [o.label for o in another.practice.options] == [
        "Hardly ever",
        "Now and then",
        "Half of the time",
        "Most times",
        "Every time",
        "Cannot say",
        "Not my patch",
    ]
    assert [another.scores[o.id] for o in another.practice.options[:5]] == [0, 25, 50, 75, 100]
    assert another.agencies[3].label_in("Wales") == "Clubs and chapels"


def test_another_instrument_is_answered_cut_and_counted_like_ours(another: Instrument) -> None:
    ballot, asked = Ballot(CellId("clubs")), []
    while statement := next_statement(another, ballot):
        asked.append(statement.id)
        answers = {**ballot.answers, statement.id: another.practice.options[len(asked) % 3].id}
        ballot = Ballot(ballot.cell, answers)
    assert len(asked) == 11
    assert ballot.fits(another)
    ids = iter(range(100))
    slips = cut(ballot, ballot.cell, another, lambda: f"{next(ids)}")
    assert [len(slip.choices) for slip in slips] == [5, 4, 2]
    assert count(slips, another) == {s: {o: 1} for s, o in ballot.answers.items()}


# -- broken packs --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Broken:
    """What is changed in our pack, and what must be said of it."""

    what: str
    find: str
    put: str
    place: str = ""
    rule: str = ""
    file: str = INSTRUMENT_FILE
    has_line: bool = True


BREAKAGES = [
    Broken("missing key", "minutes_needed: 10", "#", "minutes_needed", "Field required"),
    Broken(
        "wrong type", "minutes_needed: 10", 'minutes_needed: "ten"', "minutes_needed", "integer"
    ),
    Broken("number for a text", "language: en-GB", "language: 7", "language", "valid string"),
    Broken("score 120", "score: 100}", "score: 120}", "scales.0.options.3.score", "equal to 100"),
    Broken("score below 0", "score: 0}", "score: -1}", "scales.0.options.0.score", "equal to 0"),
    Broken("not a number", "score: 0}", "score: .nan}", "scales.0.options.0.score", "equal to"),
    Broken(
        "empty text",
        'text: "Leaders in every agency treat child sexual abuse as a priority."',
        'text: ""',
        "statements.0.text",
        "at least 1 character",
    ),
    Broken(
        "statements that are no list",
        "\nstatements:\n",
        "\nstatements: none\nx:\n",
        "statements",
        "list",
    ),
    Broken(
        "smallest group of 5",
        "min_group_floor: 10",
        "min_group_floor: 5",
        "analysis.anonymity.min_group_floor",
        "greater than or equal to 10",
    ),
    Broken(
        "trimming to less than the median",
        "trim_ratio: 3",
        "trim_ratio: 0.5",
        "analysis.practice_weighting.trim_ratio",
        "greater than or equal to 1",
    ),
    Broken("not YAML", 'title: "System', 'title: ["System', "not YAML", "while parsing"),
    Broken(
        "empty message",
        'text: "Safeguarding snapshot"',
        'text: ""',
        "messages.toast.text",
        "at least 1 character",
        file=MESSAGES_FILE,
    ),
    Broken(
        "command that nobody can type",
        "start: {words: [start]",
        "start: {words: []",
        "commands.private_chat.start.words",
        "at least 1 item",
        file=MESSAGES_FILE,
    ),
    Broken("no verbs", "\nverbs:", "\nverben:", "verbs", "Field required", file=MESSAGES_FILE),
    Broken(
        "statement in no domain",
        "domain: awareness",
        "domain: kindness",
        "AW1",
        "in no domain",
        has_line=False,
    ),
    Broken("doubled statement", "- id: AW2", "- id: AW1", "AW1", "stand twice", has_line=False),
    Broken("doubled agency", "- id: health\n", "- id: police\n", "police", "twice", has_line=False),
    Broken(
        "doubled domain",
        "- id: awareness",
        "- id: prevention",
        "prevention",
        "twice",
        has_line=False,
    ),
    Broken(
        "doubled option",
        "value: partly",
        "value: not_yet",
        "not_yet",
        "stand twice",
        has_line=False,
    ),
    Broken(
        "domain without statements",
        "domains:\n",
        "domains:\n  - {id: kindness, title: K, purpose: K}\n",
        "kindness",
        "has no statement",
        has_line=False,
    ),
    Broken("gap between bands", "from: 40\n", "from: 45\n", "amber", "start at 40", has_line=False),
    Broken("first band not from 0", "from: 0\n", "from: 1\n", "red", "start at 0", has_line=False),
    Broken(
        "nothing above the last band",
        "below: null\n",
        "below: 90\n",
        "band",
        "no upper end",
        has_line=False,
    ),
    Broken(
        "two practice scales",
        "audiences: [strategic]",
        "audiences: [practice]",
        "scale",
        "exactly one",
        has_line=False,
    ),
    Broken(
        "no practice scale",
        "audiences: [strategic, practice]",
        "audiences: [strategic]",
        "practice",
        "exactly one",
        has_line=False,
    ),
    Broken(
        "favourable option that is not on the scale",
        "favourable: [mostly, fully]",
        "favourable: [mostly, splendid]",
        "splendid",
        "favourable",
        has_line=False,
    ),
]


def break_pack(folder: Path, broken: Broken) -> int:
    """Put our pack with one change into a folder; returns the line that was changed."""
    for name in (INSTRUMENT_FILE, MESSAGES_FILE):
        shutil.copy(HERE / name, folder)
    path = folder / broken.file
    text = path.read_text(encoding="utf-8")
    before, found, after = text.partition(broken.find)
    assert found, f"{broken.find!r} is no longer in {broken.file}"
    path.write_text(before + broken.put + after, encoding="utf-8")
    return before.count("\n") + 1 + (len(broken.find) - len(broken.find.lstrip("\n")))


def refusal(folder: Path, broken: Broken) -> tuple[int, str]:
    """The line that was changed, and what was said."""
    line = break_pack(folder, broken)
    with pytest.raises(BrokenPack) as refused:
        load_packs(folder)
    return line, str(refused.value)


@pytest.mark.parametrize("broken", BREAKAGES, ids=lambda b: b.what)
def test_a_broken_pack_is_refused_with_file_place_and_rule(tmp_path: Path, broken: Broken) -> None:
    _, said = refusal(tmp_path, broken)
    assert broken.file in said
    assert broken.place in said
    assert broken.rule in said


@pytest.mark.parametrize(
    "broken",
    [b for b in BREAKAGES if b.has_line and b.rule != "Field required"],
    ids=lambda b: b.what,
)
def test_the_refusal_names_the_line(tmp_path: Path, broken: Broken) -> None:
    line, said = refusal(tmp_path, broken)
    assert re.search(rf"line {line}\b", said), said


def test_every_refusal_names_a_line(tmp_path: Path) -> None:
    said = {b.what: refusal(tmp_path, b)[1] for b in BREAKAGES}
    assert {what: text for what, text in said.items() if "line" not in text} == {}


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    break_pack(tmp_path, BREAKAGES[0])
    path = tmp_path / INSTRUMENT_FILE
    path.write_text(path.read_text().replace("score: 100}", "score: 120}"))
    with pytest.raises(BrokenPack) as refused:
        load_packs(tmp_path)
    assert len(str(refused.value).splitlines()) >= 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BrokenPack, match=r"holds no instrument\.en-GB\.yaml"):
        load_packs(tmp_path)
    shutil.copy(HERE / INSTRUMENT_FILE, tmp_path)
    with pytest.raises(BrokenPack, match=r"messages\.en-GB\.yaml is missing"):
        load_packs(tmp_path)


def test_a_folder_needs_the_language_of_whoever_has_not_chosen_one(tmp_path: Path) -> None:
    for name in ("instrument.cy-GB.yaml", "messages.cy-GB.yaml", "report.cy-GB.yaml"):
        shutil.copy(HERE / name, tmp_path)
    with pytest.raises(BrokenPack, match=r"holds no instrument\.en-GB\.yaml"):
        load_packs(tmp_path)


def test_one_language_is_enough(tmp_path: Path) -> None:
    assert set(load_packs(another_programme(tmp_path / "another"))) == {"en-GB"}


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / INSTRUMENT_FILE).write_bytes("title: Ciplun â".encode("latin-1"))
    with pytest.raises(BrokenPack, match=r"instrument\.en-GB\.yaml: not UTF-8"):
        load_packs(tmp_path)


@pytest.mark.parametrize("text", ["", "- a\n- list\n", "just words", "null"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / INSTRUMENT_FILE).write_text(text)
    with pytest.raises(BrokenPack, match=r"instrument\.en-GB\.yaml, line 1"):
        load_packs(tmp_path)


# -- languages that do not agree -----------------------------------------------------------------

WELSH_INSTRUMENT, WELSH_MESSAGES = "instrument.cy-GB.yaml", "messages.cy-GB.yaml"


@dataclass(frozen=True)
class Disagreement:
    """What is put in place of `find` throughout a Welsh file, and what that then lacks, where."""

    find: str
    put: str
    place: str
    lacks: str
    file: str = WELSH_INSTRUMENT


DISAGREEMENTS = [
    Disagreement("id: csa-system", "id: my-system", "id", "csa-system-snapshot"),
    Disagreement('version: "1.0.0"', 'version: "1.0.1"', "version", "1.0.0"),
    Disagreement(" prevention\n", " atal\n", "domains", "prevention"),
    Disagreement("- id: AW2", "- id: AW9", "statements", "AW2 awareness"),
    Disagreement("score: 66.67", "score: 75", "scales", "mostly 66.67, some 66.67"),
    Disagreement(": 40\n", ": 41\n", "rag", "red 0.0 40.0, amber 40.0 70.0"),
    Disagreement("id: grey", "id: llwyd", "rag", "grey None None"),
    Disagreement("- id: health\n", "- id: iechyd\n", "agencies", "health"),
    Disagreement("trim_ratio: 3", "trim_ratio: 4", "analysis", "trim_ratio 3"),
    Disagreement("  toast:\n", "  tost:\n", "messages", "toast", WELSH_MESSAGES),
    Disagreement("  help.privacy:", "  help.x:", "verbs", "help.privacy", WELSH_MESSAGES),
    Disagreement("  cancel:", "  canslo:", "buttons", "cancel", WELSH_MESSAGES),
    Disagreement("  chat_with:", "  sgwrs:", "links", "chat_with", WELSH_MESSAGES),
    Disagreement("  position:", "  safle:", "words", "position", WELSH_MESSAGES),
    Disagreement("    Wales:", "    Cymru:", "choices", "nation Wales", WELSH_MESSAGES),
    Disagreement(
        "    withdraw:", "    tynnu:", "commands.private_chat", "withdraw", WELSH_MESSAGES
    ),
    Disagreement("  area: {label", "  ardal: {label", "inputs", "area", WELSH_MESSAGES),
    Disagreement("  postcode:", "  cod:", "identifier_kinds", "postcode", WELSH_MESSAGES),
    Disagreement("max_characters: 1000", "max_characters: 900", "analysis", "max_characters 1000"),
    Disagreement("    extend:", "    estyn:", "commands.channel", "extend", WELSH_MESSAGES),
]


def both_languages(folder: Path, file: str, change: Callable[[str], str]) -> None:
    """Put our packs into a folder, with a change in one file."""
    for path in HERE.glob("*.yaml"):
        shutil.copy(path, folder)
    before = (folder / file).read_text(encoding="utf-8")
    after = change(before)
    assert after != before
    (folder / file).write_text(after, encoding="utf-8")


@pytest.mark.parametrize("found", DISAGREEMENTS, ids=lambda found: found.lacks)
def test_what_one_language_lacks_is_said_with_file_and_place(
    tmp_path: Path, found: Disagreement
) -> None:
    both_languages(tmp_path, found.file, lambda text: text.replace(found.find, found.put))
    with pytest.raises(BrokenPack) as refused:
        load_packs(tmp_path)
    lacks = rf"set beside en-GB, it lacks {re.escape(found.lacks)}( and has besides .+)?"
    said = rf"{re.escape(found.file)}, line \d+: {re.escape(found.place)}: {lacks}"
    assert any(re.fullmatch(said, line) for line in str(refused.value).splitlines())


def test_the_same_statements_in_another_order_are_refused(tmp_path: Path) -> None:
    """Otherwise two people of one snapshot would be asked different things at one place."""

    def swap(text: str) -> str:
        text = text.replace("- id: AW1\n", "- id: AW0\n").replace("- id: AW2\n", "- id: AW1\n")
        return text.replace("- id: AW0\n", "- id: AW2\n")

    both_languages(tmp_path, WELSH_INSTRUMENT, swap)
    with pytest.raises(BrokenPack, match="statements: set beside en-GB, it has another order"):
        load_packs(tmp_path)


def test_a_pack_in_another_language_than_its_name_says_is_refused(tmp_path: Path) -> None:
    """It would take the place of the right one."""
    both_languages(tmp_path, WELSH_INSTRUMENT, lambda text: text.replace(": cy-GB", ": en-GB"))
    with pytest.raises(BrokenPack, match=r"language: must be cy-GB, like in the file's name"):
        load_packs(tmp_path)


# -- packs that would break a promise ------------------------------------------------------------

PROMISES = [
    Broken("rounding to one person", "steps: [1, 2, 5, 10, 20]", "steps: [1]"),
    Broken("printing nobody as 0", "end_below_50_people: 10", "end_below_50_people: 0"),
    Broken("ceiling below the floor", "min_group_ceiling: 20", "min_group_ceiling: 9"),
    Broken("don't know as favourable", "[mostly, fully]", "[mostly, dont_know]"),
    Broken("agency called other", "- id: health\n", "- id: other\n"),
    Broken("text of spaces", 'text: "Safeguarding snapshot"', 'text: "   "', file=MESSAGES_FILE),
    Broken(
        "comments that do not fit into the seal",
        "max_json_bytes: 1200",
        "max_json_bytes: 1700",
        place="analysis.comments.max_json_bytes",
        rule="do not fit into their seal",
    ),
    Broken(
        "a window without a mixing",
        "{window_days_up_to: null, choice: weekly}",
        "{window_days_up_to: 90, choice: weekly}",
        place="analysis.anonymity.mixing.default",
        rule="no upper end",
    ),
    Broken("message said twice", "  fallback:\n", "  toast:\n", file=MESSAGES_FILE),
    Broken(
        "messages in another language", "language: en-GB", "language: cy-GB", file=MESSAGES_FILE
    ),
]


@pytest.mark.parametrize("broken", PROMISES, ids=lambda b: b.what)
def test_a_pack_that_would_break_a_promise_is_refused(tmp_path: Path, broken: Broken) -> None:
    break_pack(tmp_path, broken)
    with pytest.raises(BrokenPack):
        load_packs(tmp_path)
