"""Another programme's content, as it would stand in a folder of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

from content.packs import HERE

COASTAL = Path(__file__).with_name("coastal")


def another_programme(folder: Path) -> Path:
    """Its instrument, in English alone, with our messages, which name nothing of ours by id."""
    shutil.copytree(COASTAL, folder)
    for words in ("messages", "report"):
        shutil.copy(HERE / f"{words}.en-GB.yaml", folder)
    return folder
