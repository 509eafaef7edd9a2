"""Reads the packs once, checks them and hands out frozen values.

A programme may put its own instrument in place of ours without touching code, so whatever is
wrong with a pack is refused at start, with the file, the line, the place and the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from content.yaml_files import BrokenPack, Part, complaint, read
from snapshot import instrument as core
from snapshot.envelope import largest_ballot
from snapshot.errors import TooLong
from snapshot.sealing import BALLOT_BYTES, COMMENT_BYTES, KEY_BYTES, Sealer
from snapshot.wording import Command, Label, Link, Pack, Wording

__all__ = ["HERE", "BrokenPack", "load_packs"]

HERE = Path(__file__).parent

FIRST_LANGUAGE = "en-GB"
"""Every folder has it: for whoever has not chosen another, and for the others to agree with."""

_PRACTICE, _STRATEGIC = "practice", "strategic"
_EVIDENCE = "evidence"
_FAVOURABLE_ONLY = "domains_favourable"
_ALL_OPTIONS = "statements_all_options"


def load_packs(folder: Path = HERE) -> dict[str, Pack]:
    """All packs of a folder by language, which agree with each other. Raises `BrokenPack`."""
    packs = {}
    for path in sorted(folder.glob("instrument.*.yaml")):
        language = path.name.split(".")[1]
        instrument = _read_instrument(path, language)
        wording = _read_wording(folder, language)
        packs[language] = Pack(instrument, wording)
    if FIRST_LANGUAGE not in packs:
        raise BrokenPack(f"{folder} holds no instrument.{FIRST_LANGUAGE}.yaml")
    _agree(folder, packs)
    return packs


# -- the shape of the files: what is not named here is there for people, and is passed over -------


type _Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
type _Score = Annotated[float, Field(ge=0, le=100)]


class _Option(Part):
    value: _Text
    label: _Text
    hint: str = ""
    score: _Score | None


class _Scale(Part):
    id: _Text
    audiences: list[str]
    question: Mapping[str, _Text]
    options: Annotated[list[_Option], Field(min_length=2)]


class _Statement(Part):
    id: _Text
    domain: _Text
    short: _Text
    text: _Text
    practice_text: _Text | None = None
    help: _Text
    evidence: list[_Text] = Field(default_factory=list)


class _Domain(Part):
    id: _Text
    title: _Text
    purpose: _Text
    comment_prompt: str = ""


class _Band(Part):
    id: _Text
    name: _Text
    word: _Text
    symbol: _Text
    meaning: _Text
    start: _Score | None = Field(default=None, alias="from")
    below: _Score | None = None


class _Level(Part):
    word: _Text
    symbol: _Text
    start: _Score = Field(alias="from")


class _Rag(Part):
    bands: Annotated[list[_Band], Field(min_length=1)]
    no_rating: _Band
    evidence_levels: list[_Level] = Field(default_factory=list)


class _Agency(Part):
    id: _Text
    label: _Text
    label_wales: _Text | None = None


class _Detail(Part):
    start: int = Field(alias="from")
    show: _Text


class _Rounding(Part):
    steps: Annotated[list[int], Field(min_length=1)]
    people_to_nearest: Annotated[int, Field(ge=1)]
    end_below_50_people: _Score
    end_from_50_people: _Score
    favourable: list[str]
    detail: Annotated[list[_Detail], Field(min_length=1)]


class _Groups(Part):
    expected_reply_share: Annotated[float, Field(gt=0, le=1)]


class _Interim(Part):
    from_people: Annotated[int, Field(ge=20)]


class _Progress(Part):
    to_nearest_percent: Annotated[int, Field(ge=10)]
    from_headcount: Annotated[int, Field(ge=20)]


class _MixingDefault(Part):
    window_days_up_to: int | None
    choice: Literal["weekly", "every_3_days", "daily", "close"]


class _Mixing(Part):
    default: Annotated[list[_MixingDefault], Field(min_length=1)]


class _Anonymity(Part):
    # A lower floor than 10 would break the promise that the notice makes.
    min_group_floor: Annotated[int, Field(ge=10)]
    min_group_ceiling: int
    mixing: _Mixing
    agency_groups: _Groups
    interim: _Interim
    progress: _Progress
    rounding: _Rounding


class _Comments(Part):
    max_characters: Annotated[int, Field(ge=1)]
    max_json_bytes: Annotated[int, Field(ge=2)]
    quotes_from: Annotated[int, Field(ge=10)]
    nudge_after_days: Annotated[int, Field(ge=1)]


class _Near(Part):
    within_steps: Annotated[int, Field(ge=0)]
    dont_know_under: Annotated[str, Field(pattern=r"^[1-9]/[1-9]\d?$")]


class _Session(Part):
    near_agreement: _Near


class _Weighting(Part):
    trim_ratio: Annotated[float, Field(ge=1)]


class _Analysis(Part):
    anonymity: _Anonymity
    comments: _Comments
    session: _Session | None = None
    practice_weighting: _Weighting


class _File(Part):
    language: _Text


class _InstrumentFile(_File):
    id: _Text
    version: _Text
    title: _Text
    minutes_needed: Annotated[int, Field(ge=1)]
    domains: list[_Domain]
    statements: list[_Statement]
    scales: list[_Scale]
    rag: _Rag
    agencies: list[_Agency]
    analysis: _Analysis


class _Message(Part):
    text: _Text


class _Link(Part):
    label: _Text
    url: _Text


class _Input(Part):
    label: _Text
    hint: str = ""


class _Choice(Part):
    label: _Text


class _Command(Part):
    words: Annotated[list[_Text], Field(min_length=1)]
    does: _Text


class _Commands(Part):
    private_chat: Mapping[str, _Command]
    channel: Mapping[str, _Command]


class _WordingFile(_File):
    messages: Mapping[str, _Message]
    verbs: Mapping[str, _Text]
    buttons: Mapping[str, _Text]
    links: Mapping[str, _Link]
    words: Mapping[str, _Text]
    inputs: Mapping[str, _Input]
    identifier_kinds: Mapping[str, _Text]
    choices: Mapping[str, Mapping[str, _Choice]]
    commands: _Commands


class _ReportFile(_File):
    texts: Mapping[str, _Text]


# -- from the files to the values ----------------------------------------------------------------


def _read_instrument(path: Path, language: str) -> core.Instrument:
    file = _read(path, _InstrumentFile, language)
    try:
        return _sealable(_instrument(file))
    except core.BrokenInstrument as error:
        raise BrokenPack(complaint(path, error.place, error.rule)) from None


def _instrument(file: _InstrumentFile) -> core.Instrument:
    return core.Instrument(
        id=file.id,
        version=file.version,
        language=file.language,
        title=file.title,
        minutes_needed=file.minutes_needed,
        domains=tuple(
            core.Domain(core.DomainId(d.id), d.title, d.purpose, d.comment_prompt)
            for d in file.domains
        ),
        statements=tuple(_statement(s) for s in file.statements),
        practice=_scale(file.scales, _PRACTICE),
        strategic=_strategic(file),
        bands=tuple(_band(b) for b in file.rag.bands),
        not_rated=_band(file.rag.no_rating),
        agencies=tuple(
            core.Agency(core.AgencyId(a.id), a.label, a.label_wales or a.label)
            for a in file.agencies
        ),
        limits=_limits(file.analysis),
        comments=_comment_rules(file.analysis.comments),
        mixing_defaults=tuple(
            (row.window_days_up_to, row.choice) for row in file.analysis.anonymity.mixing.default
        ),
    )


def _sealable(instrument: core.Instrument) -> core.Instrument:
    """All ballots are sealed at one length, which has to hold the longest."""
    try:
        largest = largest_ballot(instrument)
        sealer = Sealer(bytes(KEY_BYTES), "")
        sealer.seal(largest.as_json(), size=BALLOT_BYTES)
        for domain, text in (largest.comments or {}).items():
            sealer.seal({"domain": domain, "text": text}, size=COMMENT_BYTES)
    except TooLong:
        rule = "with so many bytes for each comment, the longest answers do not fit into their seal"
        raise core.BrokenInstrument(rule, "analysis", "comments", "max_json_bytes") from None
    return instrument


def _statement(part: _Statement) -> core.Statement:
    return core.Statement(
        core.StatementId(part.id),
        core.DomainId(part.domain),
        part.short,
        part.practice_text or part.text,
        part.help.strip(),
        part.text,
        tuple(part.evidence),
    )


def _strategic(file: _InstrumentFile) -> core.Strategic | None:
    """None where no scale is for partners."""
    scales = [s for s in file.scales if _STRATEGIC in s.audiences]
    session = file.analysis.session
    if not scales:
        return None
    if session is None:
        raise core.BrokenInstrument(
            "is missing, though a scale is for partners", "analysis", "session"
        )
    near = session.near_agreement
    return core.Strategic(
        _scale([s for s in scales if s.id != _EVIDENCE], _STRATEGIC),
        _scale([s for s in scales if s.id == _EVIDENCE], _STRATEGIC),
        core.NearRule(near.within_steps, Fraction(near.dont_know_under)),
        tuple(core.Level(e.word, e.symbol, e.start) for e in file.rag.evidence_levels),
    )


def _scale(scales: list[_Scale], audience: str) -> core.Scale:
    found = [s for s in scales if audience in s.audiences]
    if len(found) != 1 or audience not in found[0].question:
        rule = f"exactly one scale is for the audience {audience}"
        if audience == _STRATEGIC:
            rule += f", and one more is called {_EVIDENCE}"
        raise core.BrokenInstrument(rule, "scales")
    options = tuple(
        core.Option(core.OptionId(o.value), o.label, o.hint, o.score) for o in found[0].options
    )
    return core.Scale(found[0].question[audience], options)


def _band(part: _Band) -> core.Band:
    return core.Band(
        core.BandId(part.id),
        part.name,
        part.word,
        part.symbol,
        part.meaning,
        part.start,
        part.below,
    )


def _limits(analysis: _Analysis) -> core.Limits:
    anonymity, rounding = analysis.anonymity, analysis.anonymity.rounding
    return core.Limits(
        smallest_group=anonymity.min_group_floor,
        largest_group=anonymity.min_group_ceiling,
        expected_reply_share=anonymity.agency_groups.expected_reply_share,
        steps=tuple(rounding.steps),
        people_to_nearest=rounding.people_to_nearest,
        end_below_50_people=int(rounding.end_below_50_people),
        end_from_50_people=int(rounding.end_from_50_people),
        favourable=frozenset(core.OptionId(o) for o in rounding.favourable),
        scores_from=_scores_from(rounding.detail),
        options_from=_options_from(rounding.detail),
        trim_ratio=Fraction(str(analysis.practice_weighting.trim_ratio)),
        interim_from=anonymity.interim.from_people,
        progress_to_nearest=anonymity.progress.to_nearest_percent,
        progress_from_headcount=anonymity.progress.from_headcount,
    )


def _comment_rules(part: _Comments) -> core.CommentRules:
    return core.CommentRules(
        part.max_characters, part.max_json_bytes, part.quotes_from, part.nudge_after_days
    )


def _scores_from(detail: list[_Detail]) -> int:
    """The number of people from which on more may be shown than a domain's favourable share."""
    found = [row.start for row in detail if row.show != _FAVOURABLE_ONLY]
    if not found:
        place = ("analysis", "anonymity", "rounding", "detail")
        raise core.BrokenInstrument(f"one row must show more than {_FAVOURABLE_ONLY}", *place)
    return min(found)


def _options_from(detail: list[_Detail]) -> int:
    """The number of people from which on each option of a statement may be shown."""
    found = [row.start for row in detail if row.show == _ALL_OPTIONS]
    if not found:
        place = ("analysis", "anonymity", "rounding", "detail")
        raise core.BrokenInstrument(f"one row must show {_ALL_OPTIONS}", *place)
    return min(found)


def _read_wording(folder: Path, language: str) -> Wording:
    file = _read(folder / f"messages.{language}.yaml", _WordingFile, language)
    report = _read(folder / f"report.{language}.yaml", _ReportFile, language)
    return Wording(
        language=file.language,
        messages={id: m.text.strip() for id, m in file.messages.items()},
        verbs=file.verbs,
        buttons=file.buttons,
        links={id: Link(link.label, link.url) for id, link in file.links.items()},
        words=file.words,
        inputs={id: Label(found.label, found.hint) for id, found in file.inputs.items()},
        kinds=file.identifier_kinds,
        choices={
            id: {value: choice.label for value, choice in choices.items()}
            for id, choices in file.choices.items()
        },
        private=_commands(file.commands.private_chat),
        channel=_commands(file.commands.channel),
        report={id: text.strip() for id, text in report.texts.items()},
    )


def _commands(parts: Mapping[str, _Command]) -> tuple[Command, ...]:
    return tuple(Command(id, tuple(c.words), c.does) for id, c in parts.items())


def _read[F: _File](path: Path, shape: type[F], language: str) -> F:
    file = read(path, shape)
    if file.language != language:
        rule = f"must be {language}, like in the file's name"
        raise BrokenPack(complaint(path, ("language",), rule))
    return file


# -- one snapshot, answered in several languages --------------------------------------------------

type _Shared = dict[tuple[str, ...], list[tuple[object, ...]]]


def _agree(folder: Path, packs: Mapping[str, Pack]) -> None:
    """Raises `BrokenPack` with all that differs from the first language.

    Each practitioner chooses their own, so one snapshot is answered and told in all of them.
    """
    first = _shared(packs[FIRST_LANGUAGE])
    complaints = [
        complaint(folder / f"{file}.{language}.yaml", tuple(place), _difference(found, wanted))
        for language, pack in packs.items()
        for (file, *place), found in _shared(pack).items()
        if found != (wanted := first[file, *place])
    ]
    if complaints:
        raise BrokenPack("\n".join(complaints))


def _shared(pack: Pack) -> _Shared:
    """What has to be the same in each language, by file and place; the wording has no order."""
    instrument, wording = pack.instrument, pack.wording
    partners = instrument.strategic
    return {
        ("instrument", "id"): [(instrument.id,)],
        ("instrument", "version"): [(instrument.version,)],
        ("instrument", "domains"): [(d.id,) for d in instrument.domains],
        ("instrument", "statements"): [(s.id, s.domain) for s in instrument.statements],
        ("instrument", "scales"): list(
            dict.fromkeys((o.id, o.score) for scale in instrument.scales for o in scale.options)
        ),
        ("instrument", "rag"): [
            (b.id, b.start, b.below) for b in (*instrument.bands, instrument.not_rated)
        ],
        ("instrument", "rag", "evidence_levels"): [
            (level.start,) for level in (partners.levels if partners else ())
        ],
        ("instrument", "agencies"): [(a.id,) for a in instrument.agencies],
        ("instrument", "analysis"): [
            *asdict(instrument.limits).items(),
            *asdict(instrument.comments).items(),
            *instrument.mixing_defaults,
        ],
        ("messages", "messages"): _ids(wording.messages),
        ("messages", "verbs"): _ids(wording.verbs),
        ("messages", "buttons"): _ids(wording.buttons),
        ("messages", "links"): _ids(wording.links),
        ("messages", "words"): _ids(wording.words),
        ("messages", "inputs"): _ids(wording.inputs),
        ("messages", "identifier_kinds"): _ids(wording.kinds),
        ("messages", "choices"): sorted(
            (field, value) for field, labels in wording.choices.items() for value in labels
        ),
        ("messages", "commands", "private_chat"): _ids(c.id for c in wording.private),
        ("messages", "commands", "channel"): _ids(c.id for c in wording.channel),
        ("report", "texts"): _ids(wording.report),
    }


def _ids(ids: Iterable[str]) -> list[tuple[object, ...]]:
    return [(id,) for id in sorted(ids)]


def _difference(found: list[tuple[object, ...]], wanted: list[tuple[object, ...]]) -> str:
    said = [
        f"{what} {', '.join(' '.join(map(str, part)) for part in parts)}"
        for what, parts in (
            ("lacks", [part for part in wanted if part not in found]),
            ("has besides", [part for part in found if part not in wanted]),
        )
        if parts
    ]
    return f"set beside {FIRST_LANGUAGE}, it {' and '.join(said or ['has another order'])}"
