"""A stock bot: Microsoft's CloudAdapter as its samples set it up, and one card for everything."""

from __future__ import annotations

import os
from typing import Any

from aiohttp import web
from botbuilder.core import ActivityHandler, InvokeResponse, TurnContext
from botbuilder.integration.aiohttp import (
    CloudAdapter,
    ConfigurationBotFrameworkAuthentication,
    aiohttp_error_middleware,
)
from botbuilder.schema import (
    Activity,
    AdaptiveCardInvokeResponse,
    ChannelAccount,
    ConversationAccount,
    ConversationReference,
)
from botframework.connector.auth import ChannelValidation

from bot.teams.activity import ADAPTIVE_CARD
from tests.graph.server import APP, HOME, SECRET


class Config:
    """Without an app id nobody's token is checked, as ours checks none locally."""

    APP_ID = ""
    APP_PASSWORD = ""
    APP_TYPE = "MultiTenant"
    APP_TENANTID = ""


class Registered(Config):
    """With one, each request's token is checked."""

    APP_ID = APP
    APP_PASSWORD = SECRET
    APP_TYPE = "SingleTenant"
    APP_TENANTID = HOME


def checks_tokens(metadata: str, ca_file: str) -> None:
    """Goes to this address for the keys, not to Microsoft's; nothing else of it is changed.

    Both ways are its own: a setting of the class that fetches them with `requests`, and the
    variable by which `requests` is told whom to trust.
    """
    ChannelValidation.open_id_metadata_endpoint = metadata
    os.environ["REQUESTS_CA_BUNDLE"] = ca_file


class Echo(ActivityHandler):
    def __init__(self, card: dict[str, Any]) -> None:
        super().__init__()
        self._card = card

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        """Not `on_adaptive_card_invoke`, which is meant for this but answers 500 in 4.17.1.

        There the handler makes a dict of the answer, and CloudAdapter then serialises the dict
        as if it were still a model. A model that is returned from here is serialised once.
        """
        if turn_context.activity.name != "adaptiveCard/action":
            return InvokeResponse(status=501)
        body = AdaptiveCardInvokeResponse(status_code=200, type=ADAPTIVE_CARD, value=self._card)
        return InvokeResponse(status=200, body=body)


def make_stock(card: dict[str, Any], config: Config) -> web.Application:
    adapter = CloudAdapter(ConfigurationBotFrameworkAuthentication(config))
    bot = Echo(card)

    async def messages(request: web.Request) -> web.StreamResponse:
        return await adapter.process(request, bot) or web.Response(status=500)

    app = web.Application(middlewares=[aiohttp_error_middleware])
    app.router.add_post("/api/messages", messages)
    return app


async def send_unasked(message: Activity, url: str, how_many: int) -> None:
    """As Microsoft's samples do it: one adapter, and `continue_conversation` for each person."""
    adapter = CloudAdapter(ConfigurationBotFrameworkAuthentication(Config()))

    async def callback(context: TurnContext) -> None:
        await context.send_activity(message)

    for number in range(how_many):
        reference = ConversationReference(
            channel_id="msteams",
            service_url=url,
            bot=ChannelAccount(id="28:bot"),
            user=ChannelAccount(id="29:person"),
            conversation=ConversationAccount(id=f"a:chat-{number}", tenant_id="tenant"),
        )
        await adapter.continue_conversation(reference, callback, Config.APP_ID)
