"""Carries out every attack and writes what came of it to docs/attacks.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.attacks.attack import Attack, Result
from tests.attacks.linking import SHUFFLES
from tests.attacks.stores import STORES
from tests.attacks.suite import SEEDS, SUITE, carry_out

PAGE = Path(__file__).parents[2] / "docs" / "attacks.md"

_HEAD = (
    "| | attack | the attacker has | it fails if | what came of it | the same on a naive store |"
)
_RULE = "|---|---|---|---|---|---|"

_ABOUT = f"""\
# Attacks

We attack our own store and write down what comes of it. `make attacks` wrote this page; the tests
carry out the same attacks, and fail where one succeeds that is not marked **leaks** here, and where
one so marked no longer does.

Most attacks are on {len(SEEDS)} campaigns with known truth, none left out: each of some 158 made-up
people in seven agencies and five cells (two agencies of three people are combined with a third),
with answers that hang together by one factor, pauses of days, doubled taps, changes, withdrawals,
and comments of a few words to a hundred. Mixing is every third day for twelve days. The attacker
has what stands in the table, always knows everybody's tag and batch, and where times are named,
Teams' log of who tapped when.

A linker says which slip is whose. Its p is the share of {SHUFFLES} shuffles of the people within
each batch that do as well; those of all campaigns are put together as Fisher did. Where several
orders were tried, the row shows the one that looks worst. "Right" has coincidences in it: several
people of a batch may say the same about a domain.

A naive store is what one would build at first. An attack that does not succeed there proves
nothing.
"""

_ELSEWHERE: Mapping[str, tuple[str, str]] = {
    "T10": (
        "the process dies at any write; two workers",
        "`tests/crash/`, `tests/core/test_mix_interrupted.py`",
    ),
    "T11": (
        "withdrawing while a mix runs, at every write",
        "`tests/core/test_mix_interrupted.py`",
    ),
    "T12": ("any combination of figures of any history", "`tests/core/test_basis.py`"),
    "T16": (
        "answers or names in logs",
        "`tests/stories/test_sixty.py`, `test_bad_input.py`, `test_alarms.py`",
    ),
    "T17": (
        "what Microsoft 365 keeps of cards",
        "not by tests: to be looked at in a tenant before anybody relies on it",
    ),
    "T18": ("somebody else's card, forged or forwarded", "`tests/stories/test_bad_input.py`"),
    "T19": (
        "names and numbers in comments",
        "`tests/core/test_screening.py`, `tests/stories/test_comments.py`",
    ),
    "T21": ("everything, after the key was destroyed", "not yet: the key is not destroyed yet"),
    "T23": ("files of reports", "not yet: there are none"),
}

_CONCEDED = """\
Two rows hold by a bound that we set, not by chance alone. Who knows four answers of somebody finds
their other slips about twice as often as by drawing lots, since one mood goes through all that
somebody says; slips bound this and do not prevent it. And any mean tells a little of each person in
it: with 4,000 worlds in place of 1,000, the one scored answer among twelve police was guessed 52.7
times out of 100 (p = 0.0003 against a coin), one of ten such 54.5 times, which is the bound.

Not attacked, because conceded: k - 1 people of a batch who compare notes; whoever holds the key or
changes the code; how somebody writes; an older version of one's own envelope, put back; a whole
close that is run twice from older sealed rows.
"""


def page(results: Mapping[str, Mapping[str, Result]]) -> str:
    """The page for the results of each store."""
    ours = [part for store, found in results.items() for part in _of(store, found)]
    elsewhere = [f"| {n} | {what} | {where} |" for n, (what, where) in _ELSEWHERE.items()]
    head = ["## Tested elsewhere, or not yet\n", "| | attack | where |", "|---|---|---|"]
    return "\n".join([_ABOUT, *ours, *head, *elsewhere, "", _CONCEDED])


def row_names(text: str) -> list[str]:
    """The names of the attacks in the first table of a page."""
    lines = text.partition(_RULE)[2].partition("\n\n")[0].splitlines()
    return [line.split(" | ")[1].replace("**leaks:** ", "") for line in lines if line]


def _of(store: str, results: Mapping[str, Result]) -> Iterator[str]:
    yield f"## On {store}\n\n{_HEAD}\n{_RULE}"
    for attack in SUITE:
        yield _row(attack, results[attack.name])
    yield "\nWhat leaks:\n"
    for attack in SUITE:
        if attack.leaks:
            yield f"- **{attack.name}.** {attack.leaks}"
    yield ""


def _row(attack: Attack, result: Result) -> str:
    name = f"{'**leaks:** ' * bool(attack.leaks)}{attack.name}"
    cells = (attack.number, name, attack.attacker_has, attack.passes, result.figure, result.control)
    return f"| {' | '.join(cells)} |"


def main() -> None:
    PAGE.write_text(page({store: carry_out(store) for store in STORES}), encoding="utf-8")


if __name__ == "__main__":
    main()
