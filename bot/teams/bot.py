"""From an activity to a turn, and from a reply to what Teams understands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import orjson
import structlog
from botbuilder.core import ActivityHandler, InvokeResponse, TurnContext
from botbuilder.schema import Activity, ActivityTypes, Attachment

from bot.logs import where
from bot.meeting import Met
from bot.teams.activity import ADAPTIVE_CARD, Nobody, consented, pressed, turn_from, with_file
from bot.teams.adapter import answer_invoke
from bot.teams.connector import DeliveryError
from bot.turns.turn import Given, Offer, Place, Posted, Reply, Turn

_log = structlog.get_logger()

TURN_S = 2.7
"""How long a turn may take in all, whatever it asks of the store. Teams waits for 3 s.

A write that is under way then may still arrive. Every step may be repeated, so that to be told
"please try again" is right either way.
"""

_BEFORE_CARD = b'{"type":"message","summary":%b,"attachments":[{"contentType":"%b","content":'
_SILENCE = b'{"statusCode":200,"type":"application/vnd.microsoft.activity.message","value":""}'


class Bot(ActivityHandler):
    """The stock handler for Teams reads what we do not want, and fails where it is odd.

    `act` answers a turn; `apology` is for one that failed.

    `met` hears, once they have their answer, who talked to the bot in a private chat. `outsider`
    says in a language what whoever has no account is told.
    """

    def __init__(
        self,
        act: Callable[[Turn], Awaitable[Reply | None]],
        apology: Callable[[Turn], Reply],
        met: Callable[[Met], None],
        outsider: Callable[[str], Reply],
    ) -> None:
        super().__init__()
        self._act = act
        self._apology = apology
        self._met = met
        self._outsider = outsider

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        if turn_context.activity.name == "fileConsent/invoke":
            return await self._on_consent(turn_context)
        if turn_context.activity.name != "adaptiveCard/action":
            return InvokeResponse(status=501)
        verb, data = pressed(turn_context.activity.value)
        try:
            turn = replace(turn_from(turn_context.activity), words="", verb=verb, data=data)
        except Nobody:
            told = self._outsider(turn_context.activity.locale)
            return answer_invoke(turn_context, _invoke_answer(told))
        reply = await self._reply(turn)
        self._meet(turn, turn_context)
        if reply:
            await self._send_all(turn_context, *_files(reply))
        return answer_invoke(turn_context, _invoke_answer(reply) if reply else _SILENCE)

    async def _on_consent(self, turn_context: TurnContext) -> InvokeResponse:
        """Its answer shows nothing, so what came of it is a message."""
        activity = turn_context.activity
        turn = replace(turn_from(activity), words="", consent=consented(activity.value))
        await self._send(turn_context, await self._reply(turn))
        return answer_invoke(turn_context, b"")

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        turn = turn_from(turn_context.activity)
        await self._send(turn_context, await self._reply(turn))
        self._meet(turn, turn_context)

    async def on_installation_update_add(self, turn_context: TurnContext) -> None:
        """Who is to be greeted is when it is their turn. A new version of the app greets nobody."""
        turn = turn_from(turn_context.activity)
        if turn.place is Place.PRIVATE and turn_context.activity.action == "add":
            await self._reply(replace(turn, installed=True))
            self._meet(turn, turn_context)

    def _meet(self, turn: Turn, context: TurnContext) -> None:
        if turn.place is Place.PRIVATE:
            self._met(Met(turn.person, turn.address, context.activity.from_property.id))

    async def _send(self, context: TurnContext, reply: Reply | None) -> None:
        if reply is not None:
            ids = await self._send_all(context, message_with(reply), *_files(reply))
            if reply.sent and ids:
                await self._tell(reply.sent, _posted(context, ids[0]))

    async def _send_all(self, context: TurnContext, *messages: Activity) -> list[str]:
        """The ids of those that Teams has taken."""
        ids: list[str] = []
        try:
            for message in messages:
                sent = await context.send_activity(message)
                ids += [sent.id] if sent and sent.id else []
        except DeliveryError as error:
            _log.warning("reply not delivered", status=error.status)
        return ids

    async def _tell(self, sent: Callable[[Posted], Awaitable[None]], posted: Posted) -> None:
        try:
            await sent(posted)
        except Exception as error:  # noqa: BLE001 - the message is there, and the person has it
            _log.error("message not noted", **where(error))

    async def _reply(self, turn: Turn) -> Reply | None:
        try:
            async with asyncio.timeout(TURN_S):
                return await self._act(turn)
        except Exception as error:  # noqa: BLE001 - whatever failed, the person is told that nothing is lost
            _log.error("turn failed", **where(error))
            return None if turn.installed else self._apology(turn)


def _posted(context: TurnContext, id: str) -> Posted:
    activity = context.activity
    return Posted(activity.service_url, activity.conversation.id, id)


def message_with(reply: Reply) -> Activity:
    """A card-only message: text beside a card would make it two messages without an id."""
    content: dict[str, Any] = reply.card.to_dict()
    card = Attachment(content_type=ADAPTIVE_CARD, content=content)
    return Activity(type=ActivityTypes.message, summary=reply.toast, attachments=[card])


def message_with_file(file: Offer | Given, toast: str) -> Activity:
    return Activity(type=ActivityTypes.message, summary=toast, attachments=[with_file(file)])


def _files(reply: Reply) -> list[Activity]:
    return [message_with_file(file, reply.toast) for file in reply.files]


def encoded(reply: Reply) -> bytes:
    """The same message as JSON. Nothing in it differs from one recipient to the next."""
    card = reply.card.to_bytes()
    return _BEFORE_CARD % (orjson.dumps(reply.toast), ADAPTIVE_CARD.encode()) + card + b"}]}"


def _invoke_answer(reply: Reply) -> bytes:
    head = orjson.dumps({"statusCode": 200, "type": ADAPTIVE_CARD})
    return head[:-1] + b',"value":' + reply.card.to_bytes() + b"}"
