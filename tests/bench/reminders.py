"""Reminds thousands, kills processes and moves clocks meanwhile, and writes docs/messages.md.

`python -m tests.bench.reminders`, with the numbers of scenes to play only those and write nothing.
Fails where anything that was promised does not hold.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from rich.progress import Progress, TaskID

from bot.delivery import AT_ONCE
from bot.rehearsal.teams import Trouble
from bot.teams.connector import SEND_TIMEOUT_S
from tests.bench.turn import say
from tests.cosmos.server import cosmos_server, settings_for, why_not
from tests.ledger.area import some
from tests.ledger.checking import CUT, MOST_A_SECOND, Weather
from tests.ledger.judging import LATE_S, TEAMS_TAKES, Figure
from tests.ledger.running import Play, Stage, Tell, reminded

PAGE = Path(__file__).parents[2] / "docs" / "messages.md"

WEATHER = {
    **{Trouble(429, retry_after=str(s)): 0.025 for s in (1, 2, 3, 5)},
    Trouble(502): 0.05,
    Trouble(): 0.005,
    Trouble(201, hangs_s=SEND_TIMEOUT_S + 2.0): 0.0025,
    CUT: 0.005,
    Trouble(201, hangs_s=SEND_TIMEOUT_S + 2.0, taken=True): 0.0025,
}

KILLS = 20
ALIVE_S = (0.0, 4.0)
"""How long each of those works that are killed in a row."""

JUMPS_AFTER_S = 8.0
AN_HOUR_S, TEN_MINUTES_S = 3600.0, 600.0


@dataclass(frozen=True, slots=True)
class Scene:
    """`leads` on the list, `unfinished` envelopes, and what is done to the processes."""

    name: str
    leads: int
    unfinished: int
    play: Play
    on_cosmos: bool = False


# -- what is done ---------------------------------------------------------------------------------


async def one_of_two_is_killed(stage: Stage) -> None:
    stage.starts()
    other = stage.starts()
    await stage.until_got(stage.most // 2)
    stage.kills(other)


async def killed_in_a_row(stage: Stage) -> None:
    dice = Random()
    for _ in range(KILLS):
        process = stage.starts()
        await stage.until_it_works(process)
        await stage.for_some_time(dice.uniform(*ALIVE_S))
        stage.kills(process)
    stage.starts()


async def one_is_ahead(stage: Stage) -> None:
    """It joins later, when the other has messages in hand."""
    stage.starts()
    await stage.until_got(stage.most // 5)
    stage.starts(ahead_s=TEN_MINUTES_S)


async def one_is_behind(stage: Stage) -> None:
    stage.starts()
    await stage.until_got(stage.most // 5)
    stage.starts(ahead_s=-TEN_MINUTES_S)


async def one_jumps_forward(stage: Stage) -> None:
    stage.starts()
    stage.starts(jump_s=AN_HOUR_S, after_s=JUMPS_AFTER_S)


async def one_jumps_back(stage: Stage) -> None:
    stage.starts()
    stage.starts(jump_s=-AN_HOUR_S, after_s=JUMPS_AFTER_S)


async def the_only_one_jumps_back(stage: Stage) -> None:
    stage.starts(jump_s=-AN_HOUR_S, after_s=JUMPS_AFTER_S)


SCENES = (
    Scene("Two processes on SQLite, one is killed half-way", 3_000, 1_000, one_of_two_is_killed),
    Scene(
        "Two processes on Cosmos DB, one is killed half-way",
        3_000,
        1_000,
        one_of_two_is_killed,
        on_cosmos=True,
    ),
    Scene(f"One process, killed and started again {KILLS} times", 750, 250, killed_in_a_row),
    Scene("A second process joins whose clock is ten minutes ahead", 450, 150, one_is_ahead),
    Scene("A second process joins whose clock is ten minutes behind", 450, 150, one_is_behind),
    Scene("The clock of one of two jumps an hour forward", 450, 150, one_jumps_forward),
    Scene("The clock of one of two jumps an hour back", 450, 150, one_jumps_back),
    Scene("The clock of the only process jumps an hour back", 450, 150, the_only_one_jumps_back),
)

_ABOUT = f"""\
# Messages that nobody asked for

We remind thousands at once in front of a Teams that fails, kill processes and move their clocks
meanwhile, and write down what came of it. `make reminders` wrote this page, and fails where a
promise is not kept; the tests do the same with fewer people.

A snapshot has leads on its list and practitioners in sealed envelopes, and it is the morning of the
mid-way reminder. The bot's own worker runs in processes that know of each other only by the store.
A stand-in for Teams takes their calls over HTTP on one machine. It answers 10% with 429 and a
Retry-After of 1 to 5 seconds and 5% with 502; 0.5% it cuts, 0.25% it lets hang; another 0.5% and
0.25% it cuts or lets hang *after* it has taken the message: their acknowledgements are lost.

Some leads are known by an address alone, some have blocked the bot, some want no reminders. Beside
the practitioners who have begun there are others who have sent, left, or want no reminders. When
two fifths of all have got theirs, some leads stop them and some practitioners send: from
{LATE_S:g} seconds later on they must get nothing.

*Sent again otherwise*: twice, and no lost acknowledgement accounts for it. A process has at most
{AT_ONCE} messages in hand; so many may be sent again for each kill, and for each clock that jumps
or differs. *Kept of practitioners*: messages by which one could tell later who had not finished.
*Names and tags in the logs* are those of all people, in all that the processes logged.

Calls in a second are at most {MOST_A_SECOND}; where a clock is wrong at most {TEAMS_TAKES}, which
is what Teams takes. There, what had been put off may be tried before its time, once, so no promise
is made of that.
"""


def main() -> None:
    chosen = [SCENES[int(number) - 1] for number in sys.argv[1:]]
    played: list[tuple[Scene, Sequence[Figure]]] = []
    is_good = True
    with _cosmos() as cosmos:
        for scene in chosen or SCENES:
            if scene.on_cosmos and cosmos is None:
                say(f"{scene.name}: not tried: {why_not()}")
                continue
            figures = _played(scene, cosmos if scene.on_cosmos else None)
            say(scene.name, *map(_line, figures))
            is_good &= all(figure.is_kept for figure in figures)
            played.append((scene, figures))
    if len(played) == len(SCENES):
        PAGE.write_text("\n".join([_ABOUT, *(_section(*each) for each in played)]), "utf-8")
    sys.exit(not is_good)


@contextmanager
def _cosmos() -> Iterator[Mapping[str, str] | None]:
    """The settings of a database on a server; None where there can be no server."""
    if why_not():
        yield None
        return
    with tempfile.TemporaryDirectory() as folder, cosmos_server(Path(folder)) as server:
        yield settings_for(server.new_database())


def _played(scene: Scene, store: Mapping[str, str] | None) -> Sequence[Figure]:
    counts, weather = some(scene.leads, scene.unfinished), Weather(Random(5), WEATHER)
    with tempfile.TemporaryDirectory() as folder, Progress() as progress:
        run = reminded(Path(folder), counts, weather, scene.play, store=store, tell=_bars(progress))
        return asyncio.run(run).figures()


def _bars(progress: Progress) -> Tell:
    bars: dict[str, TaskID] = {}

    def tell(what: str, done: int, total: int) -> None:
        if what not in bars:
            bars[what] = progress.add_task(what, total=total)
        progress.update(bars[what], completed=done)

    return tell


# -- how it is shown ------------------------------------------------------------------------------


def _line(figure: Figure) -> str:
    promised = f" ({figure.promised})" if figure.promised else ""
    return f"  {figure.name:36} {'' if figure.is_kept else 'MISSED: '}{figure.found}{promised}"


def _section(scene: Scene, figures: Sequence[Figure]) -> str:
    rows = [
        f"| {f.name} | {f.promised} | {f.found if f.is_kept else f'**missed:** {f.found}'} |"
        for f in figures
    ]
    return "\n".join([f"## {scene.name}", "", "| | promised | found |", "|---|---|---|", *rows, ""])


if __name__ == "__main__":
    main()
