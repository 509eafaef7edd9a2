"""Who may call us and whom we may call: on one machine, or as an app that Microsoft knows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot.readiness import Check
from bot.settings import AppType, BadSettings, Env, Settings
from bot.teams.access import Access, LocalAccess
from bot.teams.connector import new_session
from bot.teams.identity import Callers, LocalCallers, TeamsCallers
from bot.teams.signing_keys import SigningKeys

if TYPE_CHECKING:
    from bot.teams.graph import Graph
    from bot.teams.tokens import App


@dataclass(frozen=True, slots=True)
class Microsoft:
    """`checks`: by name, whether what is needed of Microsoft answers."""

    callers: Callers
    access: Access
    graph: Graph | None
    checks: dict[str, Check]


@asynccontextmanager
async def microsoft(settings: Settings) -> AsyncIterator[Microsoft]:
    """Without an app id, which only local use allows, nothing is asked of Microsoft."""
    if not settings.app_id:
        yield Microsoft(LocalCallers(), LocalAccess(), None, {})
        return
    # msal is large, and most who try the bot do without.
    from bot.teams.resolver import graph_of
    from bot.teams.teams_access import TeamsAccess
    from bot.teams.tokens import Tokens

    # A session of its own: a slow Graph must not use up the connections to Teams.
    async with new_session(settings.graph_ca_file) as session:
        tokens = Tokens(app_of(settings), session)
        graph = graph_of(settings, tokens, session) if settings.asks_graph else None
        if settings.env is Env.LOCAL:
            yield Microsoft(LocalCallers(), LocalAccess(), graph, {})
            return
        keys = SigningKeys(settings.openid, session)
        access = TeamsAccess(tokens, settings.app_tenant, settings.is_teams)
        yield Microsoft(
            TeamsCallers(settings.app_id, settings.tenants, keys, settings.is_teams),
            access,
            graph,
            {"signing keys": keys.reach, "token": access.reach},
        )


def app_of(settings: Settings) -> App:
    """Raises `BadSettings` where the certificate cannot be read."""
    from bot.teams.tokens import App

    return App(
        id=settings.app_id,
        tenant=settings.app_tenant,
        authority=settings.authority,
        password=settings.app_password,
        is_identity=settings.app_type is AppType.MANAGED_IDENTITY,
        identity=settings.identity,
        certificate=_certificate(settings),
    )


def _certificate(settings: Settings) -> SecretStr:
    if settings.app_certificate is None:
        return SecretStr("")
    try:
        pem = settings.app_certificate.read_text(encoding="ascii")
    except (OSError, ValueError):
        pem = ""
    if "PRIVATE KEY-----" not in pem or "-----BEGIN CERTIFICATE-----" not in pem:
        raise BadSettings(
            "MicrosoftAppCertificateFile must be a file that can be read, with the certificate and "
            "its private key as PEM"
        )
    return SecretStr(pem)
