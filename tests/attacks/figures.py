"""T12, T14: somebody with a pencil, who keeps every summary and subtracts.

One practitioner of the police scored a statement, as one of few; the attacker wants to know whether
they chose the lowest option or the highest, and knows everything else about who answered what how
often, but not what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from pathlib import Path
from random import Random

from snapshot.detail import detail
from snapshot.disclosure import Summary, final_bases, interim_bases, printable, summarise
from snapshot.instrument import NOT_RELEVANT, OptionId
from snapshot.rating import Rating, rate_statement, scored_by_cell
from snapshot.snapshot import CellId
from snapshot.tally import Tally
from tests.attacks.attack import Result, Staged
from tests.attacks.linking import ALARM
from tests.attacks.order import said
from tests.attacks.stores import OpenStore
from tests.core.exampleshire import (
    FULLY,
    GIVE_HELP,
    HELPING,
    INSTRUMENT,
    MOSTLY,
    NOT_YET,
    PARTLY,
    a_snapshot,
)

WORLDS = 1000
SNAPSHOT = a_snapshot({"police": 90, "health": 120, "schools": 110})
SCORED = (NOT_YET, PARTLY, MOSTLY, FULLY)
POLICE = CellId("police")
CELLS = (POLICE, CellId("health"), CellId("schools"))


@dataclass(frozen=True, slots=True)
class World:
    """`before`: batches that were in an interim summary. `victim`: NOT_YET or FULLY."""

    before: tuple[Tally, ...]
    after: tuple[Tally, ...]
    victim: OptionId


def a_batch(id: str, cell: str, choices: Sequence[OptionId]) -> Tally:
    """People who all say the same to each statement: only one of them is looked at."""
    counts = dict(sorted(Counter(choices).items()))
    return Tally(id, CellId(cell), len(choices), {s.id: counts for s in INSTRUMENT.statements})


def some(people: int, dice: Random) -> list[OptionId]:
    return dice.choices(SCORED, weights=dice.choice([(3, 4, 2, 1), (1, 2, 4, 3)]), k=people)


def one_of_twelve(dice: Random) -> World:
    """All come out at the close; of twelve police, eleven find the statement not relevant."""
    victim = dice.choice([NOT_YET, FULLY])
    batches = (
        a_batch("a", "health", some(24, dice)),
        a_batch("b", "schools", some(22, dice)),
        a_batch("c", POLICE, [victim, *[NOT_RELEVANT] * 11]),
    )
    return World((), batches, victim)


def one_of_ten(dice: Random) -> World:
    """The same, but nine more police scored the statement: enough for a weight of their own."""
    victim = dice.choice([NOT_YET, FULLY])
    batches = (
        a_batch("a", "health", some(24, dice)),
        a_batch("b", "schools", some(22, dice)),
        a_batch("c", POLICE, [victim, *some(9, dice), *[NOT_RELEVANT] * 2]),
    )
    return World((), batches, victim)


def one_more(dice: Random) -> World:
    """After an interim summary ten more police come, of whom one scores the statement."""
    victim = dice.choice([NOT_YET, FULLY])
    before = (
        a_batch("a", "health", some(24, dice)),
        a_batch("b", "schools", some(22, dice)),
        a_batch("c", POLICE, some(12, dice)),
    )
    news = a_batch("d", POLICE, [victim, *[NOT_RELEVANT] * 9])
    return World(before, (*before, news), victim)


# -- what is published ----------------------------------------------------------------------------

type Pair = tuple[float, float]
"""Weighted and unweighted score."""


def ours(world: World) -> list[Pair]:
    bases = interim_bases(SNAPSHOT, INSTRUMENT, world.before, None) if world.before else None
    final = final_bases(SNAPSHOT, INSTRUMENT, world.after, bases)
    summaries = [summarise(SNAPSHOT, INSTRUMENT, world.after, final)]
    if bases:
        summaries.insert(0, summarise(SNAPSHOT, INSTRUMENT, world.before, bases))
    return [_printed(summary) for summary in summaries]


def _printed(summary: Summary) -> Pair:
    domain = next(d for d in summary.domains if d.domain == HELPING)
    assert domain.weighted is not None
    assert domain.unweighted is not None
    return domain.weighted.value, domain.unweighted.value


def weighed_whoever_scored(world: World) -> list[Pair]:
    """Each cell with a weight of its own, however few of it scored; rounded as ours."""
    rating = _rate(world.after)
    figures = [
        printable(v, rating.n, INSTRUMENT.limits) for v in (rating.weighted, rating.unweighted)
    ]
    return [(figures[0].value, figures[1].value)]


def all_there_is(world: World) -> list[Pair]:
    """At both dates whatever has come in, to one decimal place."""
    ratings = [_rate(tallies) for tallies in (world.before, world.after)]
    return [(round(float(r.weighted), 1), round(float(r.unweighted), 1)) for r in ratings]


def _rate(tallies: Sequence[Tally]) -> Rating:
    cells = scored_by_cell(INSTRUMENT, tallies, SNAPSHOT.headcounts, GIVE_HELP)
    rating = rate_statement([c for c in cells if c.n], trim=Fraction(3))
    assert rating is not None
    return rating


type Favourable = tuple[float, Mapping[CellId, float]]
"""Who finds the statement true, out of a hundred: of all, and of each agency group that is told."""


def reported(world: World) -> Favourable:
    """What the report says of one statement."""
    bases = final_bases(SNAPSHOT, INSTRUMENT, world.after)
    found = detail(SNAPSHOT, INSTRUMENT, world.after, bases)
    (of_all,) = [s.favourable for s in found.statements if s.statement == GIVE_HELP]
    assert of_all is not None
    groups = [a for a in found.agencies if a.statement == GIVE_HELP]
    assert groups, "a group that stands beside others"
    return of_all.value, {a.cell: a.favourable.value for a in groups}


def each_group(world: World) -> Favourable:
    """The same, but of all who scored and of each agency group, however few; rounded as ours."""
    n = sum(scored(world).values())
    groups = {cell: _favourable([t for t in world.after if t.cell == cell]) for cell in CELLS}
    rounded = {c: printable(v, n, INSTRUMENT.limits).value for c, v in groups.items()}
    return printable(_favourable(world.after), n, INSTRUMENT.limits).value, rounded


def _favourable(tallies: Sequence[Tally]) -> Fraction:
    chosen = Counter[OptionId]()
    for tally in tallies:
        chosen.update(tally.counts[GIVE_HELP])
    true = sum(chosen[option] for option in INSTRUMENT.limits.favourable)
    return Fraction(100 * true, sum(chosen[option] for option in SCORED))


def scored(world: World) -> dict[CellId, int]:
    """How many of each agency group scored the statement, which the attacker knows."""
    return {
        t.cell: sum(t.counts[GIVE_HELP].get(option, 0) for option in SCORED) for t in world.after
    }


# -- the pencil -----------------------------------------------------------------------------------


def by_weights(pairs: Sequence[Pair]) -> OptionId:
    """What is heavier in one of the two scores than in the other pulls them apart."""
    weighted, unweighted = pairs[-1]
    return FULLY if weighted > unweighted else NOT_YET


def by_subtracting(pairs: Sequence[Pair]) -> OptionId:
    """58 scored before and 59 after: what the 59th must have scored."""
    (_, before), (_, after) = pairs
    return FULLY if 59 * after - 58 * before > 50 else NOT_YET


def by_remainder(found: Favourable, known: Mapping[CellId, int]) -> OptionId:
    """All less the groups that are told; what is left is the victim's, and perhaps of others."""
    of_all, groups = found
    if POLICE in groups:
        return FULLY if groups[POLICE] > 50 else NOT_YET
    left = of_all * sum(known.values()) - sum(groups[cell] * known[cell] for cell in groups)
    people = sum(n for cell, n in known.items() if cell not in groups)
    return FULLY if left > 50 * people else NOT_YET


def p_of_guesses(right: int, share: float) -> float:
    """The chance of so many right, or more, where each is right with this chance."""
    return sum(
        comb(WORLDS, n) * share**n * (1 - share) ** (WORLDS - n) for n in range(right, WORLDS + 1)
    )


async def one_date(open_store: OpenStore, folder: Path) -> Result:
    """Any score tells a little of each person in it: of one of ten who scored, as it may."""
    worlds = [one_of_twelve(Random(seed)) for seed in range(WORLDS)]
    real = sum(by_weights(ours(w)) == w.victim for w in worlds)
    naive = sum(by_weights(weighed_whoever_scored(w)) == w.victim for w in worlds)
    among_ten = [one_of_ten(Random(seed)) for seed in range(WORLDS)]
    allowed = sum(by_weights(ours(w)) == w.victim for w in among_ten) / WORLDS
    return _judged(real, naive, max(allowed, 0.5), "a weight for one scored answer")


async def one_report(open_store: OpenStore, folder: Path) -> Result:
    """As much as with one of ten who scored is allowed here too."""
    worlds = [one_of_twelve(Random(seed)) for seed in range(WORLDS)]
    real = sum(by_remainder(reported(w), scored(w)) == w.victim for w in worlds)
    naive = sum(by_remainder(each_group(w), scored(w)) == w.victim for w in worlds)
    among_ten = [one_of_ten(Random(seed)) for seed in range(WORLDS)]
    allowed = sum(by_remainder(reported(w), scored(w)) == w.victim for w in among_ten) / WORLDS
    return _judged(real, naive, max(allowed, 0.5), "each agency group told")


async def two_dates(open_store: OpenStore, folder: Path) -> Result:
    worlds = [one_more(Random(seed)) for seed in range(WORLDS)]
    real = sum(by_subtracting(ours(w)) == w.victim for w in worlds)
    naive = sum(by_subtracting(all_there_is(w)) == w.victim for w in worlds)
    return _judged(real, naive, 0.5, "whatever there is at each date, to one decimal")


def _judged(real: int, naive: int, allowed: float, name: str) -> Result:
    p, control = p_of_guesses(real, allowed), p_of_guesses(naive, allowed)
    return Result(
        f"{100 * real / WORLDS:.0f} % of {WORLDS} guesses right, {100 * allowed:.0f} % allowed, "
        f"p {said(p)}",
        f"{name}: {100 * naive / WORLDS:.0f} % right, p {said(control)}",
        p > ALARM,
        control <= ALARM,
    )


SOLVING = Staged(
    "T14",
    "Weighted and unweighted solved for a cell",
    "the final summary, the headcounts, and how many of each cell scored a statement",
    f"one scored answer is guessed no oftener than one of ten such (p > {ALARM})",
    stage=one_date,
)
REPORTED = Staged(
    "T14",
    "All in the report less the agency groups in it",
    "the report's figures for a statement, and how many of each agency group scored it",
    f"one scored answer is guessed no oftener than one of ten such (p > {ALARM})",
    stage=one_report,
)
SUBTRACTING = Staged(
    "T12",
    "The final summary less the interim one",
    "both summaries, and how many scored a statement at each date",
    f"the one who was new is guessed no oftener than by a coin (p > {ALARM})",
    stage=two_dates,
)
