"""What `make package` runs: `python -m infra.teams_app [--out FILE]`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from dotenv import dotenv_values

from bot.settings import BadSettings
from content.yaml_files import BrokenPack
from infra.teams_app.package import BadPackage, make_package
from infra.teams_app.settings import AppSettings

_OUT = Path("var/package/teams-app.zip")
_CANNOT = "The app package cannot be made like this."


def main(
    out: Annotated[Path, typer.Option(help="The file to write; its folder is made.")] = _OUT,
) -> None:
    """Pack the Teams app, for a Teams administrator to upload."""
    try:
        settings = AppSettings.from_env({**dotenv_values(".env"), **os.environ})
        made = make_package(settings)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(made)
    except (BadSettings, BadPackage, BrokenPack) as error:
        sys.exit(f"{_CANNOT}\n{error}\ndocs/teams-app.md says more.")
    except OSError as error:
        sys.exit(f"{_CANNOT}\n{out} cannot be written: {error.strerror}")
    typer.echo(f"{out}\nA Teams administrator uploads it: docs/teams-app.md says how.")


if __name__ == "__main__":
    typer.run(main)
