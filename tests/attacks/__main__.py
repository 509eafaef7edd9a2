"""Carries out every attack and writes what came of it to docs/attacks.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
carry out the same attacks (with the first four campaigns), and fail where one succeeds.

Most attacks are on {len(SEEDS)} campaigns with known truth, none left out: each of some 125 made-up
people in seven agencies and five cells (two agencies of three people are combined with a third),
with answers that hang together by one factor, pauses of days, doubled taps, changes, withdrawals,
and comments of a few words to a hundred. Mixing is every third day for twelve days. The attacker
has what stands in the table, always knows everybody's tag and batch, and where times are named,
Teams' log of who tapped when.

A linker says which slip is whose. Its p is the share of {SHUFFLES} shuffles of the people within
each batch that do as well; those of all campaigns are put together as Fisher did. Where several
orders were tried, the row shows the linker that looks worst, so its p is low more often than that
of one alone. "Right" has coincidences in it: several people of a batch may say the same about a
domain.

A naive store is what one would build at first, on the same database. An attack that does not
succeed there proves nothing; of several orders, the row shows the one that succeeds least.

Cosmos DB stands here for a server in memory that speaks its protocol. To it we added a feed of all
versions and deletes, each item whole, and ETags and `_lsn` that count the writes; ETag and `_ts`
hold the second. What a real account keeps besides (its disks, its backups, its own logs) was not
looked at.
"""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """`tests`: those that show it, by file. `but`: what they do not show, or why there are none."""

    what: str
    tests: Mapping[str, Sequence[str]]
    but: str = ""

    def __str__(self) -> str:
        return "; ".join(filter(None, [", ".join(f"`{file}`" for file in self.tests), self.but]))


ELSEWHERE: Mapping[str, Elsewhere] = {
    "T10": Elsewhere(
        "a process that is killed; two workers; a clock that was put back",
        {
            "tests/crash/test_killed.py": [
                "test_killed_before_and_after_each_write_nothing_is_lost_or_doubled"
            ],
            "tests/core/test_mix_interrupted.py": [
                "test_whatever_write_a_second_worker_starts_at_nothing_is_lost_or_doubled",
                "test_between_two_workers_nobody_is_counted_twice",
                "test_between_two_workers_nobody_is_counted_who_has_left",
            ],
            "tests/core/test_interim.py": ["test_a_clock_that_was_put_back_mixes_nothing_again"],
        },
    ),
    "T12": Elsewhere(
        "any combination of figures of any history",
        {
            "tests/core/test_basis.py": [
                "test_no_combination_of_scores_is_about_fewer_than_k_scored_answers",
                "test_no_combination_of_shares_is_about_fewer_than_k_who_were_asked",
                "test_no_combination_of_means_is_about_fewer_than_k_scored_answers",
                "test_figures_of_all_that_there_is_at_two_times_would_be_found_out",
            ]
        },
    ),
    "T17": Elsewhere(
        "what Microsoft 365 keeps of cards",
        {},
        "not by tests: to be looked at in a tenant before anybody relies on it",
    ),
    "T23": Elsewhere(
        "files of reports: metadata, hidden sheets, data behind charts, alternative texts",
        {
            "tests/report/test_forms.py": [
                "test_no_file_says_who_made_it_or_when",
                "test_every_number_in_excel_is_one_that_was_published_or_agreed",
                "test_every_number_in_a_chart_is_one_that_was_published_or_agreed",
                "test_no_count_of_a_batch_is_in_any_file",
                "test_no_picture_in_word_carries_anything_beside_it",
                "test_excel_has_no_formula_link_chart_macro_or_cache",
            ]
        },
    ),
}

_CONCEDED = """\
Two rows hold by a bound that we set, not by chance alone. Who knows four answers of somebody finds
their other slips about twice as often as by drawing lots, since one mood goes through all that
somebody says; slips bound this and do not prevent it. And any mean tells a little of each person in
it: with 4,000 worlds in place of 1,000, the one scored answer among twelve police was guessed 52.7
times out of 100 (p = 0.0003 against a coin), one of ten such 54.5 times, which is the bound.

Who keeps the history of the database can guess who wrote at length, by the time on the card, but
reads no words there. Somebody who moderates comments as well could put the two together, batch by
batch: the figure for the naive store is theirs.

Not attacked, because conceded: k - 1 people of a batch who compare notes; whoever holds the key or
changes the code; how somebody writes; an older version of one's own envelope, put back.
"""


def page(results: Mapping[str, Mapping[str, Result]]) -> str:
    """The page for the results of each store."""
    ours = [part for store, found in results.items() for part in _of(store, found)]
    elsewhere = [f"| {number} | {found.what} | {found} |" for number, found in ELSEWHERE.items()]
    head = ["## Tested elsewhere, or not yet\n", "| | attack | where |", "|---|---|---|"]
    return "\n".join([_ABOUT, *ours, *head, *elsewhere, "", _CONCEDED])


def row_names(text: str, store: str) -> list[str]:
    """The names of the attacks in a store's table of a page."""
    table = text.partition(_title(store))[2].partition(_RULE)[2]
    lines = table.partition("\n\n")[0].splitlines()
    return [line.split(" | ")[1] for line in lines if line]


def _title(store: str) -> str:
    return f"## On {store}\n"


def _of(store: str, results: Mapping[str, Result]) -> Iterator[str]:
    yield f"{_title(store)}\n{_HEAD}\n{_RULE}"
    for attack in SUITE:
        yield _row(attack, results[attack.name])
    yield ""


def _row(attack: Attack, result: Result) -> str:
    tried = (attack.number, attack.name, attack.attacker_has, attack.passes)
    cells = (*tried, result.figure, result.control)
    return f"| {' | '.join(cells)} |"


def main() -> None:
    PAGE.write_text(page(carry_out(list(STORES))), encoding="utf-8")


if __name__ == "__main__":
    main()
