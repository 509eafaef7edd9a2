"""The snapshot that a report is set against: the last one of the area that published figures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from babel.dates import format_date

from bot.turns.visit import Service
from snapshot.advice import no_advice
from snapshot.closing import final_detail, final_summary
from snapshot.findings import find
from snapshot.instrument import StatementId
from snapshot.opening import Running
from snapshot.ports import Record
from snapshot.session import find as find_session
from snapshot.views import Earlier
from snapshot.wording import Pack


async def earlier_of(service: Service, running: Running, pack: Pack) -> Earlier | None:
    """Of what was published and agreed then, nothing is worked out anew but means of it."""
    records, instrument = service.records, pack.instrument
    for before in await _before(service, running):
        final = await final_summary(records, before.snapshot.id)
        if final is None or before.closed is None:
            continue
        summary, record = final
        detail = await final_detail(records, before.snapshot.id)
        session = await find_session(before, records)
        agreed = session.agreed if session else {}
        found = find(instrument, no_advice(instrument), summary, detail, agreed)
        views = (*found.domains, *found.statements)
        return Earlier(
            _month(before.closed, pack),
            _texts(service, before, record, pack),
            {v.about: v.strategic.score for v in views if v.strategic and v.strategic.score},
            {v.about: v.practice.score for v in views if v.practice and v.practice.score},
            max(summary.step, detail.step),
        )
    return None


async def _before(service: Service, running: Running) -> list[Running]:
    """The area's, the last one first. A sample is set against samples alone."""
    now = running.snapshot

    def is_before(other: Running) -> bool:
        then = other.snapshot
        return (
            (then.area, then.instrument, then.sample) == (now.area, now.instrument, now.sample)
            and bool(set(then.tenants) & set(now.tenants) or then.tenants == now.tenants)
            and then.id != now.id
            and (other.closed or "9999") < (running.closed or "")
        )

    found = [r for r in await service.directory.all() if is_before(r)]
    return sorted(found, key=lambda r: (r.closed or "", r.snapshot.id), reverse=True)


def _texts(
    service: Service, before: Running, record: Record, pack: Pack
) -> Mapping[StatementId, str]:
    """As they read then. What reads today as it did has today's words, in whatever language."""
    kept = record.body.get("texts", {})
    today = service.pack_for(before.snapshot.language).instrument
    same = {s.id for s in today.statements if kept.get(s.id) == s.text}
    return {
        s.id: s.text if s.id in same else kept[s.id]
        for s in pack.instrument.statements
        if s.id in kept
    }


def _month(closed: str, pack: Pack) -> str:
    locale = pack.wording.language.replace("-", "_")
    return format_date(date.fromisoformat(closed), "MMMM y", locale=locale)
