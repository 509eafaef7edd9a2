"""One snapshot in one language: what all of its cards share."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from functools import cache, partial
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_month_names

from snapshot.instrument import Agency, Instrument
from snapshot.snapshot import Contacts, Snapshot
from snapshot.wording import Pack, Wording, say_cell


@dataclass(frozen=True, slots=True)
class Setting:
    """What the service adds to the texts. All but the link are for the notice.

    `recoverable_days`: for so long a key that was destroyed could still be brought back.
    """

    survey_link: str
    key_days: int
    backup_days: int
    recoverable_days: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """`other` is the language that one can change to, or empty.

    `kept` are cards that are the same for everybody, so that each is made once.
    """

    snapshot: Snapshot
    pack: Pack
    facts: Mapping[str, str]
    other: str = ""
    kept: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def words(self) -> Wording:
        return self.pack.wording

    @property
    def instrument(self) -> Instrument:
        return self.pack.instrument

    def text(self, message: str, **more: str) -> str:
        """A message with its placeholders filled. Raises `EmptyPlaceholder`."""
        return self.words.message(message, {**self.facts, **more})

    def data(self, **more: Any) -> dict[str, Any]:
        """What every button carries, so that a card never acts on another snapshot.

        The language travels along for as long as there is no envelope to remember it.
        """
        return {"snapshot": self.snapshot.id, "language": self.words.language, **more}

    def agencies(self) -> list[Agency]:
        """Those on offer, in the instrument's order."""
        return [a for a in self.instrument.agencies if self.snapshot.cell_of(a.id)]


def page_of(
    snapshot: Snapshot,
    pack: Pack,
    setting: Setting,
    *,
    mixing: datetime | None = None,
    other: str = "",
) -> Page:
    """`mixing`: when sealed answers are mixed next, at the earliest; the deadline unless given."""
    closes = snapshot.deadline.astimezone(ZoneInfo(snapshot.timezone))
    day, time = say_day(closes, pack), say_time(closes)
    others = str(snapshot.k - 1)
    groups = [say_cell(cell, snapshot.nation, pack) for cell in snapshot.cells]
    facts = {
        "area_name": snapshot.area,
        "partnership_name": snapshot.partnership_name,
        "deadline_date": day,
        "deadline_time": time,
        "mixing_day": say_day_and_time(mixing or closes, pack),
        "mixing_choice": pack.wording.choices["mixing"][snapshot.mixing],
        "report_month": say_month(snapshot.report_month, pack),
        "min_group_size": str(snapshot.k),
        "min_group_size_less_one": others,
        "minutes_needed": str(pack.instrument.minutes_needed),
        "total": str(len(pack.instrument.statements)),
        "agency_groups": "\n".join(f"- {group}" for group in groups),
        "survey_link": setting.survey_link,
        "key_days": str(setting.key_days + setting.recoverable_days),
        "backup_days": str(setting.backup_days),
    }
    return Page(snapshot, pack, facts | say_contacts(snapshot.contacts), other)


def say_contacts(contacts: Contacts) -> dict[str, str]:
    """A phone number is never broken over two lines."""
    return {
        name: value.replace(" ", "\N{NO-BREAK SPACE}") if name.endswith("_phone") else value
        for name, value in asdict(contacts).items()
    }


def say_day(day: date, pack: Pack) -> str:
    """For example "Friday 11 April". It stands within sentences, where Welsh writes "dydd"."""
    said = format_date(day, "EEEE d MMMM", locale=_locale(pack))
    return said.replace("Dydd", "dydd", 1)


def say_days(days: Sequence[date], pack: Pack) -> str:
    """Days in order, those that follow each other as a range: "3 April 2026; 6 – 17 April 2026"."""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    return "; ".join(_say_run(run[0], run[-1], pack) for run in runs)


def _say_run(first: date, last: date, pack: Pack) -> str:
    said = partial(format_date, locale=_locale(pack))
    if first == last:
        return said(first, "d MMMM y")
    unlike_last = "d" if (first.year, first.month) == (last.year, last.month) else "d MMMM y"
    return f"{said(first, unlike_last)} – {said(last, 'd MMMM y')}"


def say_month(typed: str, pack: Pack) -> str:
    """A month that somebody typed in either language, in the reader's; anything else as it is."""
    month = next((n for names in _months() for n, name in names.items() if name == typed), 0)
    return get_month_names("wide", locale=_locale(pack))[month] if month else typed


@cache
def _months() -> list[Mapping[int, str]]:
    """The names of the months by their numbers, in English and in Welsh."""
    return [get_month_names("wide", locale=language) for language in ("en", "cy")]


def _locale(pack: Pack) -> str:
    return pack.wording.language.replace("-", "_")


def say_day_and_time(at: datetime, pack: Pack) -> str:
    """For example "Friday 11 April at 5pm"."""
    return pack.wording.word("day_at", day=say_day(at, pack), time=say_time(at))


def say_time(time: datetime) -> str:
    """For example "5pm" or "9.30am", which is how people write it in both languages here."""
    pattern = "h.mma" if time.minute else "ha"
    return format_time(time, pattern, tzinfo=time.tzinfo, locale="en_GB").lower()
