"""The command line: `python -m bot serve`, `tick`, `rehearse`, `doctor`, `keys`, `leads`, ..."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from dotenv import dotenv_values

from bot.logs import set_up, tell_of_faults
from bot.settings import BadSettings, Env, Settings

if TYPE_CHECKING:
    from bot.app import App
    from bot.turns.visit import Service

_REHEARSAL = Path("var/rehearsal")
_CANNOT = "The bot cannot start like this."

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="CSA Snapshot: a safeguarding snapshot in Microsoft Teams.",
)


keys = typer.Typer(no_args_is_help=True, help="The keys under which answers are sealed.")
cli.add_typer(keys, name="keys")

leads = typer.Typer(no_args_is_help=True, help="The safeguarding leads who are reminded.")
cli.add_typer(leads, name="leads")


@cli.callback()
def main() -> None:
    """Before each command: whatever it logs holds no answer and no name."""
    set_up()
    tell_of_faults()


@cli.command()
def serve() -> None:
    """Answer Teams, and do what is due."""
    settings = _settings()
    # Imported late, like all that is large: a wrong setting is told at once.
    from bot.app import CannotStart
    from bot.app import serve as run

    try:
        with suppress(KeyboardInterrupt, asyncio.CancelledError):
            asyncio.run(_until_terminated(run(settings)))
    except CannotStart as error:
        sys.exit(f"{_CANNOT}\n{error}")


@cli.command()
def tick(
    at: Annotated[
        str, typer.Option(help="As if it were this time, in ISO form; only in local use.")
    ] = "",
) -> None:
    """Do all that is due, print it as lines of JSON, and end: for a scheduled job."""
    settings = _settings()
    if at and settings.env is not Env.LOCAL:
        sys.exit(f"{_CANNOT}\n--at is only for SNAPSHOT_ENV=local.")
    moment = _moment(at) if at else None
    from bot.app import CannotStart
    from bot.app import tick as run

    async def print_deeds() -> None:
        async for deed in run(settings, moment):
            typer.echo(json.dumps(asdict(deed)))

    try:
        asyncio.run(print_deeds())
    except CannotStart as error:
        sys.exit(f"{_CANNOT}\n{error}")


@cli.command()
def rehearse(
    people: Annotated[int, typer.Option(min=10, max=5_000, help="How many practitioners.")] = 300,
    seed: Annotated[int, typer.Option(help="The same people and answers for the same one.")] = 1,
    out: Annotated[Path, typer.Option(help="A folder for pages and figures.")] = _REHEARSAL,
    language: Annotated[str, typer.Option(help="en-GB or cy-GB.")] = "en-GB",
) -> None:
    """Play a whole snapshot with made-up people, and check that nothing is lost or doubled.

    On a store of its own, which is gone afterwards: it knows nothing of any settings.
    """
    from rich.console import Console
    from rich.progress import Progress

    from bot.rehearsal.figures import table
    from bot.rehearsal.play import Failed, Wanted
    from bot.rehearsal.play import rehearse as run
    from content.packs import load_packs

    if language not in (packs := load_packs()):
        sys.exit(f"--language is one of {', '.join(packs)}.")
    try:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("Rehearsal", total=None)

            def show(done: int, of: int, act: str) -> None:
                progress.update(bar, completed=done, total=of, description=act)

            found = asyncio.run(run(Wanted(people, seed, out, language), show))
    except Failed as error:
        typer.secho("The rehearsal went wrong:", err=True, fg=typer.colors.RED)
        sys.exit(f"{error}\nWhat was seen until then: {out / 'index.html'}")
    Console().print(table(found))
    typer.echo(f"Nothing was lost or doubled. To look at: {out / 'index.html'}")


@cli.command()
def doctor() -> None:
    """Look at settings, content, store, keys and Microsoft; say what is wrong and what to do."""
    settings = _settings()
    from bot.app import examined

    async def print_all() -> bool:
        is_well = True
        async for found in examined(settings):
            said = found.problem or found.note
            typer.echo(
                f"{'WRONG' if found.problem else 'fine'}  {found.part}{': ' if said else ''}{said}"
            )
            is_well = is_well and not found.problem
        return is_well

    typer.echo("fine  settings")
    if not asyncio.run(print_all()):
        sys.exit(1)


@cli.command()
def purge(
    snapshot: str,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the id once more.")] = False,
    stopped: Annotated[
        bool, typer.Option("--stopped", help="Also one that never closed: its key is lost.")
    ] = False,
) -> None:
    """Delete everything of a closed snapshot for good, its key first; the area's plan stays."""
    from rich.console import Console
    from rich.progress import Progress

    from bot.purging import CannotPurge, purge_snapshot

    if not yes and typer.prompt(f"Type {snapshot} once more to delete all of it") != snapshot:
        sys.exit("Nothing was deleted.")
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("Purge", total=None)

        async def run(app: App) -> int:
            count = 0
            work = purge_snapshot(app.service, app.keys, snapshot, stopped=stopped)
            async for deleted in work:
                progress.update(bar, completed=deleted.done, total=deleted.of)
                count = deleted.done
            return count

        try:
            count = _with_app(run)
        except CannotPurge as error:
            sys.exit(str(error))
    typer.echo(f"{count} records of {snapshot} have been deleted, and its key. Nothing is left.")


@cli.command()
def retention() -> None:
    """Show for each snapshot until when each part of what is kept of it stays."""
    from bot.retention import say_kept

    for line in _in_app(say_kept):
        typer.echo(line)


@cli.command()
def acts(snapshot: str) -> None:
    """Show what facilitators, moderators and the operator have done in a snapshot, and when."""
    from bot.acts import NoActs, say_acts

    try:
        lines = _in_app(lambda service: say_acts(service, snapshot))
    except NoActs as error:
        sys.exit(str(error))
    for line in lines:
        typer.echo(line)


@keys.command("status")
def keys_status() -> None:
    """Show for each snapshot whether its key is in use, and when it is due to be destroyed."""
    from bot.keys import key_statuses

    for found in _in_app(key_statuses):
        due = f", due to be destroyed on {found.due}" if found.due else ""
        left = f", recoverable until {found.recoverable}" if found.recoverable else ""
        old = ", old copy: from before its last mixing" if found.is_old else ""
        typer.echo(f"{found.snapshot}: {found.phase}, key {found.key}{due}{left}{old}")


@keys.command("destroy")
def keys_destroy(
    snapshot: str,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask once more.")] = False,
) -> None:
    """Destroy a closed snapshot's key before its day: nobody can open sealed answers any more."""
    from bot.keys import CannotDestroy, destroy_key

    if not yes:
        typer.confirm(f"Destroy the key of {snapshot} for good?", abort=True)
    try:
        recoverable = _in_app(lambda service: destroy_key(service, snapshot))
    except CannotDestroy as error:
        sys.exit(str(error))
    typer.echo(f"The key of {snapshot} has been destroyed.")
    if recoverable:
        typer.echo(f"Who may recover secrets can bring it back until {recoverable}.")


@leads.command("import")
def leads_import(
    file: Path,
    snapshot: Annotated[str, typer.Option(help="Its id, where more than one is open.")] = "",
) -> None:
    """Add the safeguarding leads of a CSV file: email, name, organisation."""
    from rich.console import Console
    from rich.progress import Progress

    from bot.leads import CannotImport, import_leads

    try:
        # Beside what is printed, so that a list of those who were taken stays clean.
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("Leads", total=None)
            found = _in_app(
                lambda service: import_leads(
                    service,
                    file,
                    snapshot,
                    lambda more, of: progress.update(bar, advance=more, total=of),
                )
            )
    except CannotImport as error:
        sys.exit(str(error))
    # Only ever to whoever has the file at hand: no log holds a name.
    for line in found.taken:
        typer.echo(line)
    for line in found.refused:
        typer.secho(f"Not taken: {line}", fg=typer.colors.YELLOW)
    typer.echo(
        f"{found.new} added, {found.known} on the list already, {len(found.refused)} not taken."
    )
    if not found.taken:
        sys.exit(1)


_ADDRESS = Annotated[
    str, typer.Argument(help="Left out, it is asked for: shells keep what is typed.")
]


@leads.command("show")
def leads_show(address: _ADDRESS = "") -> None:
    """Show all that is kept of a lead, for whoever asks what is kept of them."""
    from bot.leads import held_of, show_all

    address = address or typer.prompt("E-mail address")

    async def show(service: Service) -> list[str]:
        return await show_all(service, await held_of(service, address))

    said = _in_app(show)
    for line in said:
        typer.echo(line)
    if not said:
        typer.echo("Nothing is kept under this address.")


@leads.command("erase")
def leads_erase(
    address: _ADDRESS = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask once more.")] = False,
) -> None:
    """Delete all that is kept of a lead, in every snapshot."""
    from bot.leads import erase_all, held_of, say_held

    address = address or typer.prompt("E-mail address")
    holding = _in_app(lambda service: held_of(service, address))
    for line in say_held(holding):
        typer.echo(line)
    if not holding.held:
        sys.exit("Nothing is kept under this address.")
    if not yes:
        typer.confirm("Delete all of this for good?", abort=True)
    _in_app(lambda service: erase_all(service, holding))
    typer.echo(
        "It has been deleted. Whoever has the list can add them again: tell the facilitators."
    )


@cli.command()
def report(
    snapshot: str,
    out: Annotated[Path, typer.Option(help="The folder to write into; it is made.")],
    language: Annotated[
        str, typer.Option(help="en-GB or cy-GB; that of the channel, unless given.")
    ] = "",
) -> None:
    """Write a closed snapshot's report: Word, PDF and Excel."""
    from bot.reporting import CannotReport, write_report

    try:
        written = _in_app(lambda service: write_report(service, snapshot, out, language))
    except CannotReport as error:
        sys.exit(str(error))
    for path in written:
        typer.echo(path)


def _in_app[T](work: Callable[[Service], Awaitable[T]]) -> T:
    return _with_app(lambda app: work(app.service))


def _with_app[T](work: Callable[[App], Awaitable[T]]) -> T:
    """Do one thing with everything wired together."""
    settings = _settings()
    from bot.app import CannotStart, without_serving

    async def run() -> T:
        async with without_serving(settings) as app:
            return await work(app)

    try:
        return asyncio.run(run())
    except CannotStart as error:
        sys.exit(f"{_CANNOT}\n{error}")


def _moment(at: str) -> datetime:
    """A time without a zone is one of the United Kingdom."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        sys.exit(
            f"{_CANNOT}\n--at must be a time such as 2026-03-05T02:00 or 2026-03-05T02:00+00:00."
        )
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo("Europe/London"))


def _settings() -> Settings:
    try:
        return Settings.from_env({**dotenv_values(".env"), **os.environ})
    except BadSettings as error:
        sys.exit(f"{_CANNOT}\n{error}")


async def _until_terminated(work: Coroutine[None, None, None]) -> None:
    """SIGTERM ends it as Ctrl+C does: turns in flight are finished first."""
    task = asyncio.current_task()
    if task:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await work


if __name__ == "__main__":
    cli()
