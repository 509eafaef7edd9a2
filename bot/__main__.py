"""The command line: `python -m bot serve`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress

import typer
from dotenv import dotenv_values

from bot.logs import set_up
from bot.settings import BadSettings, Settings

_CANNOT = "The bot cannot start like this."

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="CSA Snapshot: a safeguarding snapshot in Microsoft Teams.",
)


@cli.callback()
def main() -> None:
    """Keeps `serve` a command of its own, since others will stand beside it."""
    set_up()


@cli.command()
def serve() -> None:
    """Answer Teams, and do what is due."""
    try:
        settings = Settings.from_env({**dotenv_values(".env"), **os.environ})
    except BadSettings as error:
        sys.exit(f"{_CANNOT}\n{error}")
    # Imported late, like all that is large: a wrong setting is told at once.
    from bot.app import CannotStart
    from bot.app import serve as run

    try:
        with suppress(KeyboardInterrupt, asyncio.CancelledError):
            asyncio.run(_until_terminated(run(settings)))
    except CannotStart as error:
        sys.exit(f"{_CANNOT}\n{error}")


async def _until_terminated(work: Coroutine[None, None, None]) -> None:
    """SIGTERM ends it as Ctrl+C does: turns in flight are finished first."""
    task = asyncio.current_task()
    if task:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await work


if __name__ == "__main__":
    cli()
