"""The facilitator's channel: how it stands, and the close."""

from __future__ import annotations

from collections.abc import Mapping

from bot.turns.visit import Handler, Visit, closed_date
from cards.help import facilitator_help_card, worried_in_channel_card
from cards.parts import Card
from cards.progress import close_card, closed_card, progress_card
from cards.summary import summary_card
from cards.verbs import Verb
from snapshot.closing import begin_close, final_summary
from snapshot.snapshot import Phase


async def status(visit: Visit) -> Card:
    """Never a live figure: a band that is frozen on certain days, and after the close the end."""
    if visit.running.phase is Phase.OPEN:
        return progress_card(visit.page)
    found = await final_summary(visit.service.records, visit.running.snapshot.id)
    if found is None:
        return closed_card(visit.page, closed_date(visit.running, visit.page))
    return summary_card(visit.page, found[0], closed_date=closed_date(visit.running, visit.page))


async def close(visit: Visit) -> Card:
    """Asks once more, then stops the answers at once; the worker mixes and posts the summary."""
    if visit.running.phase is not Phase.OPEN:
        return await status(visit)
    if not visit.turn.is_set("confirmed"):
        return close_card(visit.page)
    service = visit.service
    closing = await begin_close(visit.running, service.records, service.clock())
    service.directory.note(closing)
    service.wake()
    return closed_card(visit.page, closed_date(closing, visit.page))


async def help(visit: Visit) -> Card:
    return facilitator_help_card(visit.page, [c for c in visit.page.words.channel if c.id in WORDS])


async def worried(visit: Visit) -> Card:
    return worried_in_channel_card(visit.page)


VERBS: Mapping[str, Handler] = {
    Verb.STATUS: status,
    Verb.CLOSE: close,
    Verb.WORRIED: worried,
}
WORDS: Mapping[str, Handler] = {
    "status": status,
    "close": close,
    "help": help,
}

DECIDING = frozenset({close})
"""Steps that read the snapshot again, so that what others did is not missed."""
