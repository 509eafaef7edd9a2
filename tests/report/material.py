"""A report of Exampleshire, from our own packs: made-up people, partners and comments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from random import Random

from content.packs import HERE, load_packs
from content.recommending import load_library
from report.material import Material, Voice
from snapshot.detail import detail
from snapshot.disclosure import Figure, final_bases, summarise
from snapshot.findings import find
from snapshot.instrument import NOT_RELEVANT, AgencyId, DomainId, Instrument, StatementId
from snapshot.plan import Action, Plan, Status
from snapshot.ports import SnapshotId
from snapshot.session import Agreed, Dissent, Ratings
from snapshot.snapshot import OTHER, Cell, CellId
from snapshot.tally import Tally
from snapshot.views import About, Earlier
from tests.core.exampleshire import a_snapshot

PACKS = load_packs()
LIBRARIES = {name: load_library(HERE, pack.instrument) for name, pack in PACKS.items()}
CLOSED = date(2026, 3, 14)

PEOPLE = {"police": 66, "health": 110, "education_early_years": 130, "other": 31}
NOBODY = {"police": 4}
FEW = {"police": 12, "health": 15}
SOME = {"police": 20, "health": 15}
HEADCOUNTS = {"police": 150, "health": 400, "education_early_years": 500, "other": 60}
SMALL = tuple(AgencyId(a) for a in ("housing_other", "voluntary_community"))

AWARENESS, PREVENTION, RESPONSE = (
    DomainId(d) for d in ("awareness", "prevention", "initial-response")
)
NOTE = "We talked about <b>the front door</b> and *what changed* since $x^2$ #panic() = last year."
LONG = ("Thresholds differ from team to team, and nobody explains why. " * 40)[:2_000]
HEBREW = "שלום, אנחנו צריכים יותר הדרכה"
COMMENTS = (
    "The training last year was good.",
    '= #eval("1+1") <script>alert(1)</script> **not bold** [link](https://x.example)',
    "@SUM(1;1)",
    HEBREW,
    "Great work \N{THUMBS UP SIGN} by the team \N{GRINNING FACE}, 中文",
    "One line\nand another\x0b",
    LONG,
    "More feedback, please.",
    "Short.",
    "The same form, three times.",
)

STRANGE = "=1+1 **bold** [x](http://x) <b>html</b> #panic() {area_name} @here"
LETTERS = "x" * 120
PLAN = Plan(
    here=(
        Action(
            "1",
            SnapshotId("2026"),
            CLOSED,
            title=STRANGE,
            owner="Si\xe2n O'Neill-\u0174yn",
            agency="police",
            due=date(2026, 6, 30),
            check="An audit\nthat we repeat",
            status=Status.UNDER_WAY,
            note=LONG,
            about="AW2",
        ),
        Action("2", SnapshotId("2026"), CLOSED, HEBREW, owner=LETTERS, note=HEBREW),
    ),
    earlier=(
        Action("3", SnapshotId("2025"), date(2025, 3, 1), "Train all new staff", about="gone"),
        Action(
            "4",
            SnapshotId("2025"),
            date(2025, 3, 1),
            "Write one pathway \N{THUMBS UP SIGN}",
            status=Status.DONE,
            agency="gone",
        ),
    ),
)

EMPTY = Plan()


def material(
    language: str = "en-GB",
    *,
    people: Mapping[str, int] | None = None,
    session: bool = True,
    earlier: bool = False,
    area: str = "Exampleshire",
    plan: Plan = EMPTY,
) -> Material:
    """`people`: how many of each agency group answered."""
    pack, library = PACKS[language], LIBRARIES[language]
    assert library
    instrument = pack.instrument
    cells = [
        Cell(CellId(c), SMALL if c == OTHER else (AgencyId(c),), n) for c, n in HEADCOUNTS.items()
    ]
    snapshot = replace(a_snapshot(), language=language, cells=tuple(cells), area=area)
    tallies = _tallies(instrument, tuple((PEOPLE if people is None else people).items()))
    bases = final_bases(snapshot, instrument, tallies)
    summary = summarise(snapshot, instrument, tallies, bases)
    figures = detail(snapshot, instrument, tallies, bases)
    agreed = _agreed(instrument) if session else {}
    before = _earlier(instrument) if earlier else None
    return Material(
        snapshot,
        CLOSED,
        pack,
        library,
        summary,
        figures,
        find(instrument, library, summary, figures, agreed, before),
        {
            AWARENESS: Voice(COMMENTS, is_heard=True),
            PREVENTION: Voice(theme="Feedback is rare.", is_heard=True),
            RESPONSE: Voice(is_heard=True),
        },
        offered_comments=True,
        earlier="May 2025" if earlier else "",
        plan=plan,
    )


@cache
def _tallies(instrument: Instrument, people: tuple[tuple[str, int], ...]) -> tuple[Tally, ...]:
    """The statements differ in how content people are, and agency groups in every fifth."""
    dice, found = Random(7), []
    leans = ([8, 5, 2, 1], [4, 5, 4, 1], [2, 4, 5, 3], [1, 2, 5, 6])
    for number, (cell, count) in enumerate(people):
        counts = {}
        for position, statement in enumerate(instrument.statements):
            lean = leans[(position * 7 + (number if position % 5 == 0 else 0)) % 4]
            unsure = 6 if position % 6 == 0 else 1
            options = [o.id for o in instrument.practice.options]
            weights = [
                1 if o == NOT_RELEVANT else w
                for o, w in zip(options, [*lean, unsure, 1], strict=True)
            ]
            chosen = dice.choices(options, weights, k=count)
            counts[statement.id] = {o: chosen.count(o) for o in options if o in chosen}
        found.append(Tally(f"t{number}", CellId(cell), count, counts))
    return tuple(found)


def _agreed(instrument: Instrument) -> dict[StatementId, Agreed]:
    """All but one statement."""
    partners = instrument.strategic
    assert partners
    found = {}
    for position, statement in enumerate(instrument.statements):
        if position == 9:
            continue
        ratings = Ratings(
            partners.progress.options[(position * 3 + 1) % 4].id,
            partners.evidence.options[(position * 5 + 2) % 4].id,
        )
        dissent = (Dissent(AgencyId("police"), "We see fewer."),) if position % 6 == 0 else ()
        note = NOTE if position % 3 == 1 else ""
        found[statement.id] = Agreed(ratings, note, "", dissent, near=position % 2 == 0)
    return found


def _earlier(instrument: Instrument) -> Earlier:
    """All was at 50 then, and one statement was worded otherwise."""
    abouts: list[About] = [
        *(s.id for s in instrument.statements),
        *(d.id for d in instrument.domains),
    ]
    texts = {s.id: s.text for s in instrument.statements}
    texts[instrument.statements[5].id] = "Something else."
    figures = dict.fromkeys(abouts, Figure(50))
    return Earlier("May 2025", texts, figures, figures, 2)
