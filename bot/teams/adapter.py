"""Bot Framework over aiohttp: our own small adapter in place of the stock one.

Why: docs/decisions/0001-own-adapter.md. In: headers and bytes; out: a status and bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson
import structlog
from botbuilder.core import ActivityHandler, BotAdapter, InvokeResponse, TurnContext
from botbuilder.schema import Activity, ActivityTypes, ConversationReference, ResourceResponse

from bot.logs import where
from bot.teams.activity import activity_from, activity_to
from bot.teams.body import BadActivity, read_body
from bot.teams.connector import Connector
from bot.teams.identity import Callers, NotAllowed, Stranger

_log = structlog.get_logger()

_OUR_AFFAIR = (ActivityTypes.invoke_response, ActivityTypes.trace)
"""Never sent to Teams: the answer to an invoke, and what is for developers."""

_FAILED = orjson.dumps(
    {
        "statusCode": 500,
        "type": "application/vnd.microsoft.error",
        "value": {"code": "500", "message": "Nothing is lost. Please try again in a minute."},
    }
)


class Adapter(BotAdapter):
    def __init__(self, callers: Callers, connector: Connector, bot: ActivityHandler) -> None:
        super().__init__()
        self._callers = callers
        self._connector = connector
        self._bot = bot

    async def receive(self, headers: Mapping[str, str], raw: bytes) -> tuple[int, bytes]:
        """One request to /api/messages: HTTP status and body.

        400 for what is no activity, 401 for who may not call, 403 for tenants that may not take
        part, and never 500: a turn that fails
        says in the chat that nothing is lost.
        """
        try:
            body = read_body(raw)
            await self._callers.verify(headers, body)
            context = TurnContext(self, activity_from(body))
        except BadActivity:
            return 400, b""
        except NotAllowed:
            return 401, b""
        except Stranger:
            return 403, b""
        return await self._run(context)

    async def _run(self, context: TurnContext) -> tuple[int, bytes]:
        is_invoke = context.activity.type == ActivityTypes.invoke
        try:
            await self.run_pipeline(context, self._bot.on_turn)
        except BadActivity:
            return 400, b""
        except Exception as error:  # noqa: BLE001 - the last resort, so that nothing is ever a 500
            _log.error("turn failed", **where(error))
            return 200, _FAILED if is_invoke else b""
        if not is_invoke:
            return 200, b""
        answer = context.turn_state.get(self._INVOKE_RESPONSE_KEY)
        if not isinstance(answer, Activity):
            return 501, b""
        return answer.value.status, answer.value.body or b""

    async def send_activities(
        self, context: TurnContext, activities: Sequence[Activity]
    ) -> list[ResourceResponse]:
        return [await self._send(context, activity) for activity in activities]

    async def update_activity(self, context: TurnContext, activity: Activity) -> ResourceResponse:
        raise NotImplementedError("what is updated is so beside the turn, at its own pace")

    async def delete_activity(self, context: TurnContext, reference: ConversationReference) -> None:
        raise NotImplementedError("nothing that we send is ever deleted")

    async def _send(self, context: TurnContext, activity: Activity) -> ResourceResponse:
        if activity.type == ActivityTypes.invoke_response:
            context.turn_state[self._INVOKE_RESPONSE_KEY] = activity
        if activity.type in _OUR_AFFAIR:
            return ResourceResponse()
        id = await self._connector.send(
            context.activity.service_url, context.activity.conversation.id, activity_to(activity)
        )
        return ResourceResponse(id=id)


def answer_invoke(context: TurnContext, body: bytes) -> InvokeResponse:
    """Set the answer to an invoke directly: sending it would copy the whole card first."""
    response = InvokeResponse(status=200, body=body)
    context.turn_state[BotAdapter._INVOKE_RESPONSE_KEY] = Activity(
        type=ActivityTypes.invoke_response, value=response
    )
    return response
