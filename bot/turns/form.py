"""What is typed into the opening form, checked again each time that it comes back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bot.turns.quiet_days import NotQuietDays, quiet_days
from cards.contacts import CONTACTS, MOST_IN_A_LINE
from cards.inputs import Values
from cards.opening import MOST_IN_DATES, MOST_PEOPLE, headcount_id
from snapshot.errors import NotOffered
from snapshot.instrument import AgencyId, Instrument
from snapshot.ports import SnapshotId
from snapshot.snapshot import Contacts, Mixing, Snapshot, form_cells

TIMEZONE = "Europe/London"
LONGEST = timedelta(days=366)
"""From the day on which a deadline is set. Every mixing until then is gone through, often."""

_DRAFT = re.compile(r"[0-9a-f]{20}")
_MOST_IN_A_VALUE = 1_000

# Without what would be taken for a link, for bold print or for a placeholder when it is shown.
_PLAIN = re.compile(r"[^\[\]<>{}*`|\\\x00-\x1f\x7f]+")
_PHONE = re.compile(r"(?=(?:\D*\d){3})[0-9+() -]{3,40}")
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")

type Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a form is checked against. `tenants` are those that may take part."""

    instrument: Instrument
    languages: tuple[str, ...]
    now: datetime
    tenants: tuple[str, ...]

    @property
    def today(self) -> date:
        return self.now.astimezone(ZoneInfo(TIMEZONE)).date()


def first_day(now: datetime) -> str:
    """The earliest day for a deadline, YYYY-MM-DD."""
    return (now.astimezone(ZoneInfo(TIMEZONE)).date() + timedelta(days=1)).isoformat()


def draft_id(value: object) -> str:
    """The id that goes from card to card. Raises `NotOffered` for what no card of ours carries."""
    if not isinstance(value, str) or not _DRAFT.fullmatch(value):
        raise NotOffered
    return value


def snapshot_id(draft: str) -> SnapshotId:
    """Made from the draft's, so that a form that is sent twice opens one snapshot."""
    return SnapshotId(f"snapshot-{draft}")


def typed_in(data: Mapping[str, Any], instrument: Instrument) -> dict[str, str]:
    """The fields of the form among what a card sent, as text. What is empty is left out."""
    return _texts(data, [*_SNAPSHOT, *headcount_ids(instrument), *CONTACTS])


def contacts_in(data: Mapping[str, Any]) -> dict[str, str]:
    """The contacts alone, in the same way."""
    return _texts(data, CONTACTS)


def headcount_ids(instrument: Instrument) -> list[str]:
    return [headcount_id(a.id) for a in instrument.agencies]


def snapshot_problems(typed: Values, rules: Rules) -> list[str]:
    """The fields of the first card that have to be mended."""
    checks = {
        **_SNAPSHOT,
        "threshold": lambda v: _is_number(v, *_group_sizes(rules.instrument)),
        "language": lambda v: v in rules.languages,
        "quiet_dates": lambda v: quiet_problem(v, rules) is None,
        **dict.fromkeys(headcount_ids(rules.instrument), _is_headcount),
    }
    wrong = _wrong(typed, checks, optional={"mixing", "quiet_dates"})
    if not {"deadline", "deadline_time"} & set(wrong) and not _is_ahead(typed, rules.now):
        wrong.append("deadline")
    return wrong


def quiet_problem(value: str, rules: Rules) -> NotQuietDays | None:
    """What is wrong with the quiet dates, if anything."""
    if not is_line(value, MOST_IN_DATES):
        return NotQuietDays("quiet_dates_unreadable")
    try:
        quiet_days(value, rules.today)
    except NotQuietDays as problem:
        return problem
    return None


def contact_problems(typed: Values) -> list[str]:
    """The fields of the second card that have to be mended."""
    return _wrong(typed, _CONTACTS)


def headcount_total(typed: Values, instrument: Instrument) -> int:
    return sum(_headcounts(typed, instrument).values())


def snapshot_from(draft: str, typed: Values, rules: Rules) -> Snapshot:
    """What the form opens, once nothing in it has to be mended."""
    instrument, k = rules.instrument, int(typed["threshold"])
    deadline = _deadline(typed)
    opened = rules.now.astimezone(ZoneInfo(TIMEZONE)).replace(microsecond=0)
    return Snapshot(
        id=snapshot_id(draft),
        area=typed["area"],
        partnership_name=typed["partnership_name"],
        nation=typed["nation"],
        language=typed["language"],
        tenants=rules.tenants,
        instrument=instrument.id,
        instrument_version=instrument.version,
        cells=form_cells(
            _headcounts(typed, instrument),
            k=k,
            reply_share=instrument.limits.expected_reply_share,
        ),
        k=k,
        mixing=Mixing(typed.get("mixing") or instrument.usual_mixing(deadline - opened)),
        opened=opened,
        deadline=deadline,
        timezone=TIMEZONE,
        report_month=typed["report_month"],
        contacts=contacts_from(typed),
        quiet=quiet_days(typed.get("quiet_dates", ""), rules.today),
    )


def contacts_from(typed: Values) -> Contacts:
    """Once none of them has to be mended."""
    return Contacts(**{id: typed[id] for id in CONTACTS})


def deadline_after(snapshot: Snapshot, day: str, now: datetime) -> datetime | None:
    """The deadline moved to another day, at the same time of day.

    None: that is no day, or further ahead than a deadline may be.
    """
    if not _is_day(day):
        return None
    zone = ZoneInfo(snapshot.timezone)
    at = snapshot.deadline.astimezone(zone).time()
    moved = datetime.combine(date.fromisoformat(day), at, zone)
    return moved if moved <= now + LONGEST else None


def is_line(value: str, most: int = MOST_IN_A_LINE) -> bool:
    """Whether a text may stand on a card for everybody to read: nothing in it that nobody sees."""
    return len(value) <= most and bool(_PLAIN.fullmatch(value)) and value.isprintable()


# -- fields ---------------------------------------------------------------------------------------


def _texts(data: Mapping[str, Any], ids: Iterable[str]) -> dict[str, str]:
    return {id: text for id in ids if (text := _as_text(data.get(id)))}


def _as_text(value: object) -> str:
    """Inputs arrive as texts; some clients send numbers as such."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return " ".join(str(value).split())[:_MOST_IN_A_VALUE]


def _wrong(
    typed: Values, checks: Mapping[str, Check], optional: frozenset[str] | set[str] = frozenset()
) -> list[str]:
    return [
        id
        for id, is_right in checks.items()
        if (id in typed or id not in optional) and not is_right(typed.get(id, ""))
    ]


def _is_number(value: str, least: int, most: int) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 9 and least <= int(value) <= most


def _is_headcount(value: str) -> bool:
    return _is_number(value, 0, MOST_PEOPLE)


def _group_sizes(instrument: Instrument) -> tuple[int, int]:
    return instrument.limits.smallest_group, instrument.limits.largest_group


def _is_day(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return len(value) == len("YYYY-MM-DD")


def _is_time(value: str) -> bool:
    try:
        time.fromisoformat(value)
    except ValueError:
        return False
    return len(value) == len("HH:MM")


def _deadline(typed: Values) -> datetime:
    return datetime.combine(
        date.fromisoformat(typed["deadline"]),
        time.fromisoformat(typed["deadline_time"]),
        ZoneInfo(TIMEZONE),
    )


def _is_ahead(typed: Values, now: datetime) -> bool:
    return now < _deadline(typed) <= now + LONGEST


def _is_email(value: str, most: int) -> bool:
    return len(value) <= most and bool(_EMAIL.fullmatch(value))


def _is_link(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme == "https" and "." in (parts.hostname or "") and " " not in value


def _headcounts(typed: Values, instrument: Instrument) -> dict[AgencyId, int]:
    return {a.id: int(typed[headcount_id(a.id)]) for a in instrument.agencies}


_SNAPSHOT: Mapping[str, Check] = {
    "area": is_line,
    "partnership_name": is_line,
    "nation": lambda v: v in ("England", "Wales"),
    "deadline": _is_day,
    "deadline_time": _is_time,
    "quiet_dates": bool,
    "report_month": lambda v: is_line(v, 40),
    "threshold": str.isdigit,
    "mixing": lambda v: v in set(Mixing),
    "language": bool,
}

_CONTACTS: Mapping[str, Check] = {
    **{id: partial(is_line, most=most) for id, most in CONTACTS.items()},
    "front_door_phone": lambda v: bool(_PHONE.fullmatch(v)),
    "out_of_hours_phone": lambda v: bool(_PHONE.fullmatch(v)),
    "safeguarding_email": lambda v: _is_email(v, CONTACTS["safeguarding_email"]),
    "contact_email": lambda v: _is_email(v, CONTACTS["contact_email"]),
    "privacy_url": lambda v: _is_link(v) and is_line(v, CONTACTS["privacy_url"]),
}
