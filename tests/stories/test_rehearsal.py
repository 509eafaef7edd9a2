"""A rehearsal finds nothing wrong with the bot as it is, and whatever is lost or doubled."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ENDS_WITHIN_S = 300

LOSES = """
import bot.turns.plan
import snapshot.mix
import snapshot.session
from bot.teams.connector import Connector
from snapshot.ports import Kind

made, send = snapshot.mix.Mix._made, Connector.send_encoded
lost = []

def without_the_last_slip(self, contents):
    records = list(made(self, contents))
    slips = [r for r in records if r.kind is Kind.SLIP]
    return iter([r for r in records if r is not slips[-1]])

async def without_the_first_reminder(self, url, conversation, activity):
    if b"leads.stop" in activity and not lost:
        return lost.append(conversation)
    return await send(self, url, conversation, activity)

save, spread_of = bot.turns.plan.save, snapshot.session.spread_of

async def without_what_has_a_day(running, records, area, action):
    return action if action.note else await save(running, records, area, action)

def without_the_last_rating(given, strategic):
    return spread_of(given[:-1], strategic)

bot.turns.plan.save = without_what_has_a_day
snapshot.session.spread_of = without_the_last_rating
snapshot.mix.Mix._made = without_the_last_slip
Connector.send_encoded = without_the_first_reminder
"""
DOUBLES = """
import secrets
from dataclasses import replace

import bot.turns.plan
import snapshot.mix
import snapshot.session
from bot.teams.connector import Connector
from snapshot.ports import Kind

made, send = snapshot.mix.Mix._made, Connector.send_encoded

def with_a_slip_too_many(self, contents):
    for record in made(self, contents):
        yield record
        if record.kind is Kind.SLIP and "more" not in contents:
            contents["more"] = replace(record, id=secrets.token_hex(16))
            yield contents["more"]

async def with_each_final_summary_twice(self, url, conversation, activity):
    if b"The snapshot closed on" in activity and ";" not in conversation:
        await send(self, url, conversation, activity)
    return await send(self, url, conversation, activity)

save, spread_of = bot.turns.plan.save, snapshot.session.spread_of

async def as_two_actions(running, records, area, action):
    await save(running, records, area, replace(action, id=secrets.token_hex(16)))
    return await save(running, records, area, action)

def with_a_rating_twice(given, strategic):
    return spread_of([*given, given[0]], strategic)

bot.turns.plan.save = as_two_actions
snapshot.session.spread_of = with_a_rating_twice
snapshot.mix.Mix._made = with_a_slip_too_many
Connector.send_encoded = with_each_final_summary_twice
"""
"""What Python runs at its start in the bot's own process: a bot that is broken on purpose."""


_ONCE_EACH = {"opening": 1, "extension": 1, "final": 1, "report": 1}


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How `python -m bot rehearse` ended: its exit code, what it said, and the folder it filled."""

    code: int
    said: str
    out: Path

    @property
    def figures(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads((self.out / "figures.json").read_text())
        return found

    @property
    def pages(self) -> list[str]:
        return [p.read_text(encoding="utf-8") for p in sorted(self.out.glob("pages/*.html"))]


WANTED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "english": ("", ("--seed", "3")),
    "welsh": ("", ("--seed", "3", "--language", "cy-GB")),
    "loses": (LOSES, ()),
    "doubles": (DOUBLES, ()),
}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Rehearsal]]:
    """All of them at the same time, since they mostly wait for the pace that Teams allows."""
    folders = {name: tmp_path_factory.mktemp(name) for name in WANTED}
    running = {name: starts(folders[name], *wanted) for name, wanted in WANTED.items()}
    try:
        yield {name: ends(folders[name], process) for name, process in running.items()}
    finally:
        for process in running.values():
            process.kill()


def starts(folder: Path, broken: str, words: tuple[str, ...]) -> subprocess.Popen[str]:
    (folder / "sitecustomize.py").write_text(broken)
    return subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", "bot", "rehearse", "--people", "25", "--out", "seen", *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{folder}:{ROOT}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ends(folder: Path, process: subprocess.Popen[str]) -> Rehearsal:
    said, _ = process.communicate(timeout=ENDS_WITHIN_S)
    return Rehearsal(process.returncode, said, folder / "seen")


@pytest.mark.parametrize("name", ["english", "welsh"])
def test_as_it_is_nothing_is_lost_or_doubled(played: Mapping[str, Rehearsal], name: str) -> None:
    rehearsal = played[name]
    assert rehearsal.code == 0, rehearsal.said
    assert "Nothing was lost or doubled" in rehearsal.said
    figures = rehearsal.figures
    assert figures["wrong"] == []
    assert figures["played"]["people"] == 25
    assert figures["turns"] > 25 * 20
    assert figures["played"]["statements_agreed"] == 22
    assert figures["played"]["dissent"] == 6
    assert figures["played"]["actions"] == 4
    assert figures["posts"] | _ONCE_EACH == figures["posts"]
    assert all(figures["played"]["messages"].values()), "there are some of each kind"


def test_the_same_seed_gives_the_same_people_who_do_the_same_in_either_language(
    played: Mapping[str, Rehearsal],
) -> None:
    first, second = played["english"].figures, played["welsh"].figures
    assert first["played"] == second["played"]
    late = [figures["turns_asked_to_try_again"] for figures in (first, second)]
    assert first["turns"] - late[0] == second["turns"] - late[1]
    assert first["played"]["answers"] != played["loses"].figures["played"]["answers"]


def test_what_is_lost_is_told(played: Mapping[str, Rehearsal]) -> None:
    rehearsal = played["loses"]
    assert rehearsal.code == 1
    assert re.search(r"\d+ of \d+ sets of answers to a domain were lost", rehearsal.said)
    assert re.search(r"1 of \d+ messages of the kind reminder to a lead did not", rehearsal.said)
    assert "ratings of AW1 were lost or doubled" in rehearsal.said
    assert "an action stands on the plan 0 times" in rehearsal.said
    assert "an action is not in the report" in rehearsal.said
    assert "doubled" not in rehearsal.said.replace("lost or doubled", "")
    assert rehearsal.figures["wrong"]


def test_what_is_doubled_is_told(played: Mapping[str, Rehearsal]) -> None:
    rehearsal = played["doubles"]
    assert rehearsal.code == 1
    assert re.search(r"\d+ sets of answers to a domain were doubled", rehearsal.said)
    assert re.search(r"\d+ posts were to come to the channels, and \d+ came", rehearsal.said)
    assert "ratings of AW1 were lost or doubled" in rehearsal.said
    assert "an action stands on the plan 2 times" in rehearsal.said
    assert "lost" not in rehearsal.said.replace("lost or doubled", "")


# -- the pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["english", "welsh", "loses"])
def test_every_card_is_kept_as_a_page_that_the_index_lists(
    played: Mapping[str, Rehearsal], name: str
) -> None:
    out = played[name].out
    index = (out / "index.html").read_text(encoding="utf-8")
    listed = re.findall(r'href="(pages/\d+\.html)"', index)
    assert listed == sorted(str(p.relative_to(out)) for p in out.glob("pages/*.html"))
    for statement in range(1, 23):
        place = f"{statement} o 22" if name == "welsh" else f"{statement} of 22"
        assert place in index
    files = re.findall(r'href="(report/[^"]+)"', index)
    assert [file.rpartition(".")[2] for file in files] == ["docx", "pdf", "xlsx"]
    assert all((out / file).stat().st_size > 5_000 for file in files)


def test_pages_reach_for_nothing_outside_their_folder(played: Mapping[str, Rehearsal]) -> None:
    for page in played["english"].pages:
        reached = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert not [link for link in reached if ":" in link or link.startswith("/")]


def test_a_card_is_data_on_its_page_whatever_stands_in_it(
    played: Mapping[str, Rehearsal],
) -> None:
    for page in played["english"].pages:
        (data,) = re.findall(r'type="application/json">(.*)</script>', page)
        assert json.loads(data)["type"] == "AdaptiveCard"
        assert "<" not in data


def test_in_either_language_the_channel_hears_it_in_its_own(
    played: Mapping[str, Rehearsal],
) -> None:
    index = (played["welsh"].out / "index.html").read_text(encoding="utf-8")
    assert "Summary for Exampleshire" not in index
    assert "Crynodeb ar gyfer Exampleshire" in index
