"""The page for information governance says the days that the bot keeps to."""

from __future__ import annotations

import re
from pathlib import Path

from bot.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "dpia.md").read_text(encoding="utf-8")
SAID = re.findall(r"`(SNAPSHOT_(?:[A-Z]+_)?DAYS)` \((\d+)", PAGE)


def test_each_number_of_days_is_what_it_is_unless_set() -> None:
    settings = Settings.from_env({"SNAPSHOT_ENV": "local"})
    days = {
        "SNAPSHOT_KEY_DAYS": settings.key_days,
        "SNAPSHOT_BACKUP_DAYS": settings.backup_days,
        "SNAPSHOT_LEAD_DAYS": settings.lead_days,
        "SNAPSHOT_NOTE_DAYS": settings.note_days,
        "SNAPSHOT_PLAN_DAYS": settings.plan_days,
        "SNAPSHOT_DAYS": settings.days,
    }
    assert {name for name, _ in SAID} == set(days), "each is printed"
    for name, number in SAID:
        assert int(number) == days[name], name
