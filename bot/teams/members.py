"""What the strategic session needs of Teams: who is where, and a message in another's place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from bot.editing import NotEdited
from bot.roster import Ask, NotThere, NotTold
from bot.teams.connector import FORBIDDEN, NOT_FOUND, Connector, DeliveryError
from bot.turns.turn import Address, Posted, Reply


def asking(connector: Connector) -> Ask:
    async def ask(address: Address, id: str) -> dict[str, Any]:
        try:
            return await connector.member(address.service_url, address.conversation, id)
        except DeliveryError as error:
            is_answer = error.status in (FORBIDDEN, NOT_FOUND)
            raise (NotThere if is_answer else NotTold) from error

    return ask


def editing(connector: Connector) -> Callable[[Posted, Reply], Awaitable[None]]:
    async def edit(posted: Posted, reply: Reply) -> None:
        from bot.teams.bot import encoded  # late, as in `bot.app`

        try:
            await connector.update_encoded(
                posted.service_url, posted.conversation, posted.id, encoded(reply)
            )
        except DeliveryError as error:
            raise NotEdited(passes=error.passes, after_s=error.retry_after_s) from error

    return edit
