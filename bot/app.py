"""The one file that knows every part, and puts them together."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
    suppress,
)
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from importlib import import_module
from random import SystemRandom
from typing import TYPE_CHECKING

import aiohttp
import structlog
from aiohttp import web

from bot.afterwards import Afterwards
from bot.delivery import Delivery
from bot.directory import Directory
from bot.doctor import Found, examine
from bot.editing import Editing
from bot.finding import Finding
from bot.forgetting import Forgetting
from bot.haste import Haste, unhurried
from bot.listening import Listening
from bot.meeting import Meeting
from bot.owners import Owners, Team
from bot.pace import Pace
from bot.posting import Posting
from bot.readiness import Readiness
from bot.reminding import Reminding
from bot.roster import Roster
from bot.sample import open_sample
from bot.settings import BadSettings, Env, Settings
from bot.teams.connector import Connector, new_session
from bot.teams.files import Files
from bot.teams.groups import Groups
from bot.teams.identity import Callers
from bot.teams.members import asking, editing
from bot.teams.microsoft import microsoft
from bot.telemetry import exporting
from bot.turns.dispatch import act, apology, outsider, slow_down
from bot.turns.turn import Address, Reply
from bot.turns.visit import Keep, Rights, Service
from bot.web import Receive, make_web
from bot.worker import Deed, Worker
from bot.working_days import working_days
from cards.page import Setting
from content.packs import HERE, BrokenPack, load_packs
from content.recommending import load_libraries
from content.screening import load_screener
from snapshot.opening import SERVICE, begin_service
from snapshot.ports import (
    DIRECTORY,
    KeyMissing,
    Keys,
    KeysError,
    Kind,
    Missing,
    Records,
    RecordsError,
)
from snapshot.sealing import Person, Sealer
from snapshot.snapshot import Phase
from storage.errors import Unusable
from storage.keyfiles import KeyFiles
from storage.sqlite import SqliteRecords

if TYPE_CHECKING:
    from bot.teams.adapter import Adapter
    from bot.teams.graph import Graph

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class App:
    """`web` answers requests; `worker` has to be run beside it."""

    web: web.Application
    worker: Worker
    service: Service
    keys: Keys


@asynccontextmanager
async def make_app(
    settings: Settings, clock: Callable[[], datetime], *, hurry: float = 1.0
) -> AsyncIterator[App]:
    """Everything wired together, and put away again afterwards.

    `hurry`: so many times as fast as Teams allows, which only a rehearsal may want.
    """

    def seconds() -> float:
        return time.time() * hurry

    async def sleep(for_s: float) -> None:
        await asyncio.sleep(for_s / hurry)

    async with AsyncExitStack() as stack:
        keys = await stack.enter_async_context(_keys(settings))
        records = await stack.enter_async_context(_store(settings))
        session = await stack.enter_async_context(new_session())
        outside = await stack.enter_async_context(microsoft(settings))
        connector = Connector(session, access=outside.access)
        send = _sending(connector)
        afterwards = await stack.enter_async_context(Afterwards(send))
        due = asyncio.Event()
        files = _files(settings, session)
        pace = Pace(records, seconds, sleep)
        roster = Roster(asking(connector), time.monotonic)
        edits = Editing(editing(connector), pace.turn_to_edit, sleep)
        await stack.enter_async_context(edits)
        owners = await stack.enter_async_context(_owners(settings, outside.graph))
        rights = _rights(settings, owners)
        service = await _service(
            settings, records, keys, clock, due, files, afterwards, roster, edits, rights
        )
        if outside.graph is not None and settings.channel_files:
            service = replace(service, keep=_keep(connector, outside.graph))
        if settings.sample:
            await _sample_if_none_is_open(service, keys, settings.sample)
        meeting = Meeting(connector.member, pace.turn)
        haste = Haste(lambda: time.monotonic() * hurry)
        receive = _receiving(service, connector, meeting, outside.callers, haste)
        finding = _finding(settings, service, meeting, outside.graph)
        delivery = Delivery(records, send, pace, clock, SystemRandom())
        worker = Worker(
            service,
            Posting(service, delivery),
            Reminding(service, delivery),
            SystemRandom(),
            due,
            meeting,
            Forgetting(service, keys),
            finding,
        )
        checks = {"store": partial(_is_there, records), "keys": partial(_can_seal, keys)}
        ready = Readiness({**checks, **outside.checks})
        yield App(make_web(receive, ready.missing), worker, service, keys)


def _store(settings: Settings) -> AbstractAsyncContextManager[Records]:
    if settings.cosmos is None:
        return SqliteRecords(settings.database)
    # Its client is large, and a bot on SQLite does without.
    from storage.cosmos import CosmosRecords
    from storage.cosmos_opening import Account

    key = settings.cosmos_key.get_secret_value()
    return CosmosRecords(Account(*settings.cosmos, key, settings.cosmos_ca_file))


def _keys(settings: Settings) -> AbstractAsyncContextManager[Keys]:
    if settings.vault is None:
        return nullcontext(KeyFiles(settings.key_folder))
    # Late for the same reason.
    from storage.keyvault import KeyVault, Vault

    return KeyVault(Vault(settings.vault, settings.keys_ca_file, settings.vault_is_emulator))


class CannotStart(Exception):
    """Something outside the program is in the way; the message says what, and what to do."""


async def tick(settings: Settings, at: datetime | None = None) -> AsyncIterator[Deed]:
    """Do all that is due at a time (now, unless given), and end. Raises `CannotStart`."""
    async with without_serving(settings, lambda: at or _now()) as app:
        async for deed in app.worker.deeds():
            yield deed


@asynccontextmanager
async def without_serving(
    settings: Settings, clock: Callable[[], datetime] | None = None
) -> AsyncIterator[App]:
    """For a command that does one thing and ends. Raises `CannotStart`."""
    settings = settings.model_copy(update={"sample": 0})
    try:
        async with exporting(settings.telemetry), make_app(settings, clock or _now) as app:
            yield app
    except _IN_THE_WAY as error:
        raise CannotStart(_said(error)) from error


def examined(settings: Settings) -> AsyncIterator[Found]:
    """What is wrong with what the bot needs, part by part."""
    return examine(settings, _store, _keys)


async def serve(settings: Settings) -> None:
    """Until cancelled. If the worker fails, the server ends too, to be started again.

    Raises `CannotStart`.
    """
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(exporting(settings.telemetry))
        # Before the first request, which would wait for it, and beside whatever else starts.
        await asyncio.to_thread(import_module, "bot.teams.bot")
        try:
            app = await stack.enter_async_context(make_app(settings, _now))
            listening = Listening(app.web)
            await listening.starts(settings.host, settings.port)
        except _IN_THE_WAY as error:
            raise CannotStart(_said(error)) from error
        _log.info("listening", host=settings.host, port=settings.port)
        # Both end at once: who waits for an answer does not wait for a message that is being sent.
        async with asyncio.TaskGroup() as group:
            group.create_task(listening.until_cancelled(), name="http")
            group.create_task(app.worker.run(), name="worker")


_IN_THE_WAY = (BadSettings, BrokenPack, Unusable, KeysError, RecordsError, OSError)


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, BadSettings) else f"{type(error).__name__}: {error}"


def _now() -> datetime:
    return datetime.now(UTC)


async def _service(
    settings: Settings,
    records: Records,
    keys: Keys,
    clock: Callable[[], datetime],
    due: asyncio.Event,
    files: Files,
    afterwards: Afterwards,
    roster: Roster,
    edits: Editing,
    rights: Rights,
) -> Service:
    sealer = await _sealer(records, keys)
    content = settings.content or HERE
    packs = await asyncio.to_thread(load_packs, content)
    return Service(
        directory=Directory(records, keys, sealer, packs, time.monotonic),
        records=records,
        packs=packs,
        setting=Setting(
            settings.survey_link,
            settings.key_days,
            settings.backup_days,
            await keys.recoverable_days(SERVICE),
        ),
        rights=rights,
        screener=await asyncio.to_thread(load_screener, content),
        libraries=await asyncio.to_thread(
            load_libraries, content, [pack.instrument for pack in packs.values()]
        ),
        clock=clock,
        working_days=working_days,
        new_id=lambda: secrets.token_hex(10),
        wake=due.set,
        fetch=files.fetch,
        put=files.put,
        afterwards=afterwards,
        roster=roster,
        editing=edits,
        reports=settings.local_reports if settings.env is Env.LOCAL else None,
        keeping=settings.keeping,
    )


async def _sealer(records: Records, keys: Keys) -> Sealer:
    """Raises `BadSettings` where snapshots are there and the service's key is not."""
    try:
        return await begin_service(records, keys)
    except KeyMissing:
        raise BadSettings(
            f"SNAPSHOT_KEYS holds no key of the name {SERVICE!r}, but snapshots were opened with "
            "one. Look whether it is the right place, or bring the key back from your copy"
        ) from None


def _rights(settings: Settings, owners: Owners | None) -> Rights:
    listed = (each.split("/") for each in settings.facilitators)
    return Rights(
        tenants=settings.tenants,
        listed=frozenset(Person(tenant, object_id) for tenant, object_id in listed),
        owners=owners.now if owners else None,
    )


def _owners(settings: Settings, graph: Graph | None) -> AbstractAsyncContextManager[Owners | None]:
    """Where it goes by owners and Graph cannot be asked, nobody is one."""
    if not settings.facilitator_teams:
        return nullcontext()
    if graph is None:
        return Owners(_nobody, ())
    from bot.teams.owning import owning

    return Owners(owning(graph), [Team(*each.split("/")) for each in settings.facilitator_teams])


async def _nobody(_: Team) -> frozenset[Person]:
    return frozenset()


def _files(settings: Settings, session: aiohttp.ClientSession) -> Files:
    return Files(session, from_here=settings.env is Env.LOCAL)


def _sending(connector: Connector) -> Callable[[Address, Reply], Awaitable[None]]:
    """Bot Framework is large, and most commands send nothing."""

    async def send(address: Address, reply: Reply) -> None:
        from bot.teams.activity import activity_to
        from bot.teams.bot import encoded, message_with_file

        await connector.send_encoded(address.service_url, address.conversation, encoded(reply))
        for each in reply.files:
            file = activity_to(message_with_file(each, reply.toast))
            await connector.send(address.service_url, address.conversation, file)

    return send


def _receiving(
    service: Service, connector: Connector, meeting: Meeting, callers: Callers, haste: Haste
) -> Receive:
    """Put together for the first request: see `_sending`."""

    @cache
    def adapter() -> Adapter:
        from bot.teams.adapter import Adapter
        from bot.teams.bot import Bot

        bot = Bot(
            unhurried(
                lambda turn: act(turn, service), lambda turn: slow_down(turn, service), haste
            ),
            lambda turn: apology(turn, service),
            meeting.note,
            lambda locale: outsider(locale, service),
        )
        return Adapter(callers, connector, bot)

    async def receive(headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        return await adapter().receive(headers, body)

    return receive


def _finding(
    settings: Settings, service: Service, meeting: Meeting, graph: Graph | None
) -> Finding | None:
    if graph is None:
        return None
    from bot.teams.resolver import lookup_of

    lookup = lookup_of(settings, graph, service.clock)
    return Finding(service, lookup, meeting.service_url, SystemRandom())


def _keep(connector: Connector, graph: Graph) -> Keep:
    from bot.teams.channel_files import ChannelFiles

    return ChannelFiles(Groups(connector), graph).keep


async def _is_there(records: Records) -> bool:
    """Asked by a probe every few seconds, so it costs the store as little as can be."""
    with suppress(Missing):
        await records.read(DIRECTORY, Kind.SNAPSHOT, "is anybody there")
    return True


async def _can_seal(keys: Keys) -> bool:
    return bool(await keys.read(SERVICE))


async def _sample_if_none_is_open(service: Service, keys: Keys, people: int) -> None:
    known = await service.directory.all(fresh=True)
    now = service.clock()
    if any(r.phase is Phase.OPEN and now < r.snapshot.deadline for r in known):
        return
    running = await open_sample(
        service.records,
        keys,
        service.pack.instrument,
        people=people,
        now=now,
        dice=SystemRandom(),
    )
    service.directory.note(running)
    _log.info("sample snapshot opened", snapshot=running.snapshot.id)
