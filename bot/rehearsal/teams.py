"""Teams as a bot meets it: a server that takes its messages, and people who talk to it.

It does what Microsoft's clients do with our cards, including what the Agents Playground leaves
out: `refresh` when a chat is opened, and another device that shows the message as it was sent.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import unquote

import aiohttp
import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

BOT_ID = "28:snapshot-bot"
BOT_NAME = "CSA Snapshot"
GREETED_WITHIN_S = 20.0
FILE = "application/vnd.microsoft.teams.file.download.info"
OFFER = "application/vnd.microsoft.teams.card.file.consent"
_CHANNEL = "@thread.tacv2"
TEAM, GROUP = f"19:team{_CHANNEL}", "99999999-9999-4999-8999-999999999999"
"""The team that all channels are in: what Teams calls it, and what the directory does."""
GIVEN = "application/vnd.microsoft.teams.card.file.info"

type Json = Mapping[str, Any]


class NotOnTheCard(Exception):
    """Somebody wanted to press what the card in front of them does not offer."""


class BotTrouble(Exception):
    """The bot did not answer as it should; the message says how."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A card as somebody sees it."""

    card: Json

    @property
    def words(self) -> str:
        """All that can be read on it, buttons aside."""
        return "\n".join(text for e in self._elements() for text in _texts(e))

    @property
    def buttons(self) -> list[str]:
        return [a["title"] for a in self._actions()]

    @property
    def refresh(self) -> Json | None:
        found: Json | None = self.card.get("refresh", {}).get("action")
        return found

    @property
    def inputs(self) -> dict[str, str]:
        """The values that stand in the inputs. An empty one has none."""
        inputs = (e for e in self._elements() if str(e.get("type")).startswith("Input."))
        return {e["id"]: str(e.get("value", "")) for e in inputs}

    def filled(self, typed: Mapping[str, str]) -> Json:
        """What Teams sends of the inputs, some of them typed into. Raises `NotOnTheCard`."""
        if unknown := set(typed) - set(self.inputs):
            raise NotOnTheCard(f"{sorted(unknown)} are not among {sorted(self.inputs)}")
        return {id: value for id, value in (self.inputs | dict(typed)).items() if value}

    def action(self, title: str) -> Json:
        """Raises `NotOnTheCard`."""
        for action in self._actions():
            if action["title"] == title:
                return action
        raise NotOnTheCard(f"{title!r} is not among {self.buttons}")

    def actions(self, verb: str) -> list[Json]:
        """Every button with this verb."""
        return [a for a in self._actions() if a.get("verb") == verb]

    def _actions(self) -> Iterator[Json]:
        for element in self._elements():
            yield from element.get("actions", ())

    def _elements(self) -> Iterator[Json]:
        waiting: list[Json] = list(self.card.get("body", ()))
        while waiting:
            element = waiting.pop(0)
            yield element
            waiting = [*element.get("items", ()), *element.get("columns", ()), *waiting]


def _texts(element: Json) -> list[str]:
    """What can be read of a text block, plain or rich."""
    runs = element.get("inlines", ())
    return [element["text"]] if element.get("type") == "TextBlock" else [r["text"] for r in runs]


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that the bot sent. `conversation` has `;messageid=` where it is in a thread."""

    conversation: str
    activity: Json
    id: str = ""

    @property
    def card(self) -> Shown:
        return Shown(self.attached["content"])

    @property
    def attached(self) -> Json:
        found: Json = self.activity["attachments"][0]
        return found

    @property
    def is_file(self) -> bool:
        """Offered or given: Teams shows a card of its own for it."""
        return self.attached["contentType"] in (OFFER, GIVEN)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What befalls a call of the bot's. `status` 0: the connection is cut instead of an answer.

    `taken`: the message arrived all the same. `hangs_s`: before anything is answered.
    `retry_after` is the header, `code` Teams' word for what is wrong.
    """

    status: int = 0
    retry_after: str = ""
    code: str = ""
    hangs_s: float = 0.0
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the bot's, `at` a time of `time.monotonic`; `answered` when that was over."""

    conversation: str
    at: float
    answered: float
    trouble: Trouble | None = None

    @property
    def is_taken(self) -> bool:
        return self.trouble is None or self.trouble.taken


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit of a message, `at` a time of `time.monotonic`; `message` as it is from then on."""

    message: Sent
    at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot answered a request with."""

    status: int
    body: bytes

    @property
    def card(self) -> Shown:
        """The card in an answer to a pressed button."""
        return Shown(orjson.loads(self.body)["value"])


@dataclass
class Teams:
    """One Teams with one bot in it, at `bot_url`. `sent` keeps all that the bot ever sent.

    `hears` is told of each message that has come, as it comes.

    `people` are known by what Teams calls them, `files` by the end of their address; `asked`: of
    whom the bot wanted to know more, and `asked_at` when, by `time.monotonic`.
    `calls` keeps every call, also those that `befalls` has something happen to: it says what, for
    each conversation that the bot sends to. `uploads` are files that the bot put into somebody's
    own, by the end of their address: once `may_upload` is set, and answered with `upload_answers`.
    `edits` are those of messages, in order; `away`: who is not in which conversation, though
    everybody else is in all; `busy`: Teams tells nothing of anybody. `admits`: whether a call of
    the bot's is let in; otherwise it is answered with 401. `port` is where it takes what the bot
    sends; 0 is any that is free.
    """

    bot_url: str
    sent: list[Sent] = field(default_factory=list)
    people: dict[str, PersonHere] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    upload_answers: int = 201
    may_upload: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)
    asked_at: list[float] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    befalls: Callable[[str], Trouble | None] = lambda _: None
    edits: list[Edit] = field(default_factory=list)
    away: set[tuple[str, str]] = field(default_factory=set)
    busy: bool = False
    hears: Callable[[Sent], None] = lambda _: None
    admits: Callable[[web.Request], bool] = lambda _: True
    port: int = 0
    _places: dict[str, list[Sent]] = field(default_factory=dict)
    _alike: dict[bytes, Json] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._at_the_door])
        app.router.add_post("/v3/conversations/{conversation}/activities", self._take)
        app.router.add_put("/v3/conversations/{conversation}/activities/{id}", self._edit)
        app.router.add_get("/v3/conversations/{conversation}/members/{id}", self._tell)
        app.router.add_get("/v3/teams/{team}", self._tell_of_team)
        app.router.add_get("/files/{file}", self._give)
        app.router.add_put("/uploads/{file}", self._keep)
        self.may_upload.set()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self._session = aiohttp.ClientSession()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        await self._runner.cleanup()

    def person(
        self,
        name: str,
        *,
        tenant: str = "tenant-of-exampleshire",
        object_id: str = "",
        locale: str = "en-GB",
    ) -> PersonHere:
        known = PersonHere(self, name, tenant, object_id or str(uuid.uuid4()), locale=locale)
        self.people[known.id] = known
        return known

    def members(self) -> list[PersonHere]:
        return list(self.people.values())

    def keeps(self, content: bytes) -> str:
        """The address at which a file can be fetched."""
        name = uuid.uuid4().hex
        self.files[name] = content
        return f"{self.url}/files/{name}"

    def channel(self, name: str = "facilitators", *, tenant: str = "tenant-of-exampleshire") -> str:
        """The id of a channel; people `post` there."""
        return f"19:{name}-{tenant}@thread.tacv2"

    def meeting(self, name: str = "partners") -> str:
        """The id of a meeting's chat, where people `post` as in a channel."""
        return f"19:meeting_{name}@thread.v2"

    def now(self, message: Sent) -> Shown:
        """A message as it is after all edits."""
        edits = [e.message for e in self.edits if e.message.id == message.id]
        return (edits or [message])[-1].card

    def posts(self, conversation: str) -> list[Sent]:
        """What the bot sent to a conversation, threads included."""
        return list(self._places.get(conversation, ()))

    async def deliver(self, activity: Json) -> Answer:
        """Send one activity to the bot, as Teams would."""
        return await self.request(orjson.dumps(activity), {"Content-Type": "application/json"})

    async def request(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send anything at all to the bot."""
        url = f"{self.bot_url}/api/messages"
        async with self._session.post(url, data=body, headers=headers) as answer:
            return Answer(answer.status, await answer.read())

    @web.middleware
    async def _at_the_door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        is_let_in = self.admits(request) or not request.path.startswith("/v3/")
        return await handler(request) if is_let_in else web.Response(status=401)

    async def _take(self, request: web.Request) -> web.Response:
        conversation = unquote(request.match_info["conversation"])
        id = uuid.uuid4().hex
        at, body = time.monotonic(), await request.read()
        trouble = self.befalls(conversation)
        if trouble is None or trouble.taken:
            self._note(conversation, body, id)
        if trouble:
            await asyncio.sleep(trouble.hangs_s)
        self.calls.append(Call(conversation, at, time.monotonic(), trouble))
        return _answer(request, trouble, id)

    async def _edit(self, request: web.Request) -> web.Response:
        """Only where it stands: in the thread that it was sent to, or by the channel's own id."""
        conversation, id = (unquote(request.match_info[key]) for key in ("conversation", "id"))
        at, activity = time.monotonic(), await request.json()
        known = [s for s in self.sent if s.id == id]
        if not known or known[0].conversation not in (conversation, conversation.partition(";")[0]):
            code = {"error": {"code": "ActivityNotFoundInConversation"}}
            return web.json_response(code, status=404)
        trouble = self.befalls(conversation)
        if trouble is None or trouble.taken:
            self.edits.append(Edit(replace(known[0], activity=activity), at))
        self.calls.append(Call(conversation, at, time.monotonic(), trouble))
        return _answer(request, trouble, id)

    def _note(self, conversation: str, body: bytes, id: str) -> None:
        """Thousands get the same message, which is kept once."""
        if body not in self._alike:
            self._alike[body] = orjson.loads(body)
        sent = Sent(conversation, self._alike[body], id)
        self.sent.append(sent)
        self._places.setdefault(conversation.partition(";")[0], []).append(sent)
        self.hears(sent)

    async def _tell(self, request: web.Request) -> web.Response:
        """The object id under the name that Teams uses for it here."""
        id = request.match_info["id"]
        self.asked.append(id)
        self.asked_at.append(time.monotonic())
        person = self.people.get(id)
        if self.busy:
            return web.json_response({"error": {"code": "Throttled"}}, status=429)
        conversation = unquote(request.match_info["conversation"])
        if person is None or (id, conversation) in self.away:
            return web.json_response({"error": {"code": "MemberNotFound"}}, status=404)
        known = {
            "id": id,
            "objectId": person.object_id,
            "name": person.name,
            "email": person.email,
            "userPrincipalName": person.email,
            "tenantId": person.home or person.tenant,
            "userRole": person.role,
        }
        return web.json_response(known)

    async def _tell_of_team(self, request: web.Request) -> web.Response:
        if request.match_info["team"] != TEAM:
            return web.json_response({"error": {"code": "ConversationNotFound"}}, status=404)
        return web.json_response({"id": TEAM, "name": "Partnership", "aadGroupId": GROUP})

    async def _give(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["file"]])

    async def _keep(self, request: web.Request) -> web.Response:
        """Each address takes one file, whole."""
        name, content = request.match_info["file"], await request.read()
        await self.may_upload.wait()
        if self.upload_answers != 201:
            return web.Response(status=self.upload_answers)
        if name in self.uploads:
            return web.Response(status=404)
        if request.headers.get("Content-Range") != f"bytes 0-{len(content) - 1}/{len(content)}":
            return web.Response(status=400)
        self.uploads[name] = content
        return web.Response(status=201)


def chat_of(object_id: str) -> str:
    return f"a:private-chat-of-{object_id}"


def _answer(request: web.Request, trouble: Trouble | None, id: str) -> web.Response:
    if trouble is None:
        return web.json_response({"id": id}, status=201)
    if not trouble.status:
        if request.transport:
            request.transport.abort()
        return web.Response()
    headers = {"Retry-After": trouble.retry_after} if trouble.retry_after else {}
    body = {"error": {"code": trouble.code, "message": f"about {request.path}"}}
    return web.json_response(body, status=trouble.status, headers=headers)


@dataclass
class PersonHere:
    """Somebody with Teams on one device. `sees` is the card in front of them.

    `tenant` is the one in which they are signed in, `home` their own where that is another; `role`
    is Teams' word for what they are in a conversation.
    """

    teams: Teams
    name: str
    tenant: str
    object_id: str
    sees: Shown | None = None
    locale: str = "en-GB"
    home: str = ""
    role: str = "user"

    @property
    def id(self) -> str:
        """What Teams calls them."""
        return f"29:{self.object_id}"

    @property
    def email(self) -> str:
        return f"{self.name.replace(' ', '.')}@exampleshire.example"

    @property
    def chat(self) -> str:
        return chat_of(self.object_id)

    def on_another_device(self) -> PersonHere:
        """The same person, who sees nothing yet of what was done here."""
        return replace(self, sees=None)

    # -- in the private chat ----------------------------------------------------------------

    async def installs(self) -> None:
        """They are greeted when it is their turn."""
        await self.teams.deliver(self.activity("installationUpdate", action="add"))
        await self.teams.deliver(self.activity("conversationUpdate", membersAdded=[{"id": BOT_ID}]))

    async def is_greeted(self) -> Shown:
        async with asyncio.timeout(GREETED_WITHIN_S):
            while True:
                if shown := await self.looks():
                    return shown
                await asyncio.sleep(0.02)

    async def types(self, words: str) -> Shown:
        """Say something in the private chat, and look at what comes back."""
        await self.teams.deliver(self.activity("message", text=words))
        shown = await self.looks()
        if shown is None:
            raise BotTrouble("it said nothing")
        return shown

    async def attaches(self, content: bytes, *, url: str = "") -> Shown:
        """Send a file in the private chat; `url` is where it lies, if not with Teams."""
        link = {"downloadUrl": url or self.teams.keeps(content), "fileType": "csv"}
        file = {"contentType": FILE, "name": "leads.csv", "content": link}
        words = {"contentType": "text/html", "content": "<p></p>"}
        await self.teams.deliver(self.activity("message", text="", attachments=[words, file]))
        shown = await self.looks()
        if shown is None:
            raise BotTrouble("it said nothing")
        return shown

    def files(self) -> list[Json]:
        """What was offered and given to them in the chat, the newest last."""
        return [sent.attached for sent in self.teams.posts(self.chat) if sent.is_file]

    async def chooses(
        self,
        action: str,
        *,
        upload: str = "",
        chat: str | None = None,
        ending: str = "",
        **context: Any,
    ) -> Answer:
        """Answer the newest offer: `accept` or `decline`; `upload` is the end of an address.

        `ending`: of the file's name, where several are offered at once.
        """
        offers = [file for file in self.files() if file["contentType"] == OFFER]
        offer = [file for file in offers if file["name"].endswith(ending)][-1]
        name = upload or uuid.uuid4().hex
        value = {
            "type": "fileUpload",
            "action": action,
            "context": {**offer["content"][f"{action}Context"], **context},
        }
        if action == "accept":
            value["uploadInfo"] = {
                "contentUrl": f"{self.teams.url}/own/{offer['name']}",
                "name": offer["name"],
                "uploadUrl": f"{self.teams.url}/uploads/{name}",
                "uniqueId": name,
                "fileType": offer["name"].rpartition(".")[2],
            }
        return await self.teams.deliver(
            self.activity("invoke", chat=chat, name="fileConsent/invoke", value=value)
        )

    async def looks(self) -> Shown | None:
        """The newest card of the chat, as it was sent."""
        messages = [sent for sent in self.teams.posts(self.chat) if not sent.is_file]
        self.sees = messages[-1].card if messages else None
        return self.sees

    async def opens_the_chat(self) -> Shown:
        """Teams then runs the `refresh` of the message that is there."""
        shown = await self.looks()
        if shown is None:
            shown = await self.types("start")
        if shown.refresh:
            return self._now_sees(await self.acts(shown.refresh, trigger="automatic"))
        return shown

    async def presses(self, title: str, typed: Mapping[str, str] | None = None) -> Shown:
        """Press a button of the card in front of them, with what was typed into its inputs.

        Raises `NotOnTheCard`.
        """
        return self._now_sees(await self.acts(*self._pressed(title, typed)))

    async def acts(
        self,
        action: Json,
        filled: Json | None = None,
        *,
        trigger: str = "manual",
        chat: str | None = None,
        **changed: Any,
    ) -> Answer:
        """Send a button's action, or a forged one: `changed` replaces parts of its data."""
        data = {**action.get("data", {}), **(filled or {}), **changed}
        value = {"action": {**action, "data": data}, "trigger": trigger}
        return await self.teams.deliver(
            self.activity("invoke", chat=chat, name="adaptiveCard/action", value=value)
        )

    def _pressed(self, title: str, typed: Mapping[str, str] | None) -> tuple[Json, Json]:
        if self.sees is None:
            raise NotOnTheCard("there is no card")
        return self.sees.action(title), self.sees.filled(typed or {})

    # -- in a channel -----------------------------------------------------------------------

    async def posts(self, words: str, channel: str) -> Shown:
        """Mention the bot in a new thread of a channel, or a meeting's chat; look at its reply."""
        is_channel = channel.endswith(_CHANNEL)
        thread = f"{channel};messageid={uuid.uuid4().int % 10**12}" if is_channel else channel
        before = len(self.teams.sent)
        await self.teams.deliver(
            self.activity(
                "message",
                chat=thread,
                text=f"<at>{BOT_NAME}</at> {words}\n",
                entities=[{"type": "mention", "mentioned": {"id": BOT_ID, "name": BOT_NAME}}],
            )
        )
        replies = [s for s in self.teams.sent[before:] if s.conversation == thread]
        if not replies:
            raise BotTrouble("it said nothing")
        self.sees = replies[-1].card
        return self.sees

    async def presses_in(
        self, channel: str, title: str, typed: Mapping[str, str] | None = None
    ) -> Shown:
        """Press a button of the card in front of them, in a channel."""
        return self._now_sees(await self.acts(*self._pressed(title, typed), chat=channel))

    async def looks_at(self, message: Sent) -> Shown:
        """A message of a channel, in place of which Teams gets a card of their own for some."""
        self.sees = self.teams.now(message)
        refresh = self.sees.card.get("refresh", {})
        if self.id not in refresh.get("userIds", ()):
            return self.sees
        chat = message.conversation
        return self._now_sees(await self.acts(refresh["action"], trigger="automatic", chat=chat))

    # -- what goes over the wire ------------------------------------------------------------

    def activity(self, kind: str, *, chat: str | None = None, **more: Any) -> dict[str, Any]:
        """An activity of this person's, as Teams fills it in."""
        where = chat or self.chat
        is_channel = where.partition(";")[0].endswith(_CHANNEL)
        is_group = where.startswith("19:")
        kind_of_place = "channel" if is_channel else "groupChat" if is_group else "personal"
        return {
            "type": kind,
            "id": uuid.uuid4().hex,
            "channelId": "msteams",
            "serviceUrl": f"{self.teams.url}/",
            "from": {
                "id": self.id,
                "name": self.name,
                "aadObjectId": self.object_id,
            },
            "recipient": {"id": BOT_ID, "name": BOT_NAME},
            "conversation": {
                "id": where,
                "conversationType": kind_of_place,
                "isGroup": is_group,
                "tenantId": self.tenant,
            },
            "channelData": {
                "tenant": {"id": self.tenant},
                **({"team": {"id": TEAM}} if is_channel else {}),
            },
            "locale": self.locale,
            **more,
        }

    def _now_sees(self, answer: Answer) -> Shown:
        if answer.status != 200:
            raise BotTrouble(f"it answered {answer.status}")
        self.sees = answer.card
        return self.sees
