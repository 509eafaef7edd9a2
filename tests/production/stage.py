"""Production mode on one machine: stand-ins for all that Microsoft runs, and two bots.

Nothing of the bot is left out or replaced: requests are signed and checked, tokens are asked for,
records lie on a server that speaks Cosmos DB's protocol, and keys in a vault.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from bot.rehearsal.teams import Answer, PersonHere
from bot.teams.tokens import CONNECTOR
from tests.cosmos.server import Server as Cosmos
from tests.cosmos.server import settings_for
from tests.graph.server import APP, HOME, MANIFEST, POLICE, SECRET, microsoft
from tests.graph.server import Server as Identity
from tests.identity.signing import METADATA_PATH
from tests.keyvault.server import key_vault
from tests.ports import free_port
from tests.stories.processes import Serving, Spread

FACILITATOR = "fafafafa-fafa-4afa-8afa-fafafafafafa"


class Signed(PersonHere):
    """What Teams calls somebody, and their chat, differ from tenant to tenant."""

    @property
    def id(self) -> str:
        return f"29:{self.tenant}:{self.object_id}"

    @property
    def chat(self) -> str:
        return f"a:private-chat-of-{self.tenant}-{self.object_id}"


@dataclass
class SignedTeams(Spread):
    """Signs what it sends, and lets in whoever shows a token for the connector.

    `took_s`: for each request the seconds until it was answered.
    """

    identity: Identity | None = None
    turned_away: int = 0
    took_s: list[float] = field(default_factory=list)
    _token: str = field(default="", repr=False)

    async def request(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        assert self.identity
        self._token = self._token or self.identity.signer.token(f"{self.url}/")
        began = time.perf_counter()
        try:
            return await super().request(
                body, {"Authorization": f"Bearer {self._token}", **headers}
            )
        finally:
            self.took_s.append(time.perf_counter() - began)

    def signed_person(self, name: str, tenant: str, object_id: str) -> PersonHere:
        known = Signed(self, name, tenant, object_id)
        self.people[known.id] = known
        return known

    def lets_in(self, request: web.Request) -> bool:
        assert self.identity
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        is_ours = self.identity.tokens.get(token) == (HOME, CONNECTOR)
        self.turned_away += not is_ours
        return is_ours


@dataclass
class Production:
    """`environment`: the settings of each bot, but for its port."""

    folder: Path
    environment: Mapping[str, str]
    identity: Identity
    teams: SignedTeams
    bots: list[Serving]


@asynccontextmanager
async def production(
    folder: Path,
    cosmos: Cosmos,
    bots: int = 2,
    more: Mapping[str, str] | None = None,
    kind: type[SignedTeams] = SignedTeams,
) -> AsyncIterator[Production]:
    places = {name: folder / name for name in ("identity", "vault", "bots")}
    for place in places.values():
        place.mkdir()
    async with AsyncExitStack() as stack:
        identity = await stack.enter_async_context(microsoft(places["identity"]))
        vault = await stack.enter_async_context(key_vault(places["vault"], pace=1.0))
        teams = kind("", identity=identity)
        teams.admits = teams.lets_in
        await stack.enter_async_context(teams)
        environment = {
            "SNAPSHOT_ENV": "production",
            "SNAPSHOT_STAND_INS": "true",
            "MicrosoftAppId": APP,
            "MicrosoftAppTenantId": HOME,
            "MicrosoftAppPassword": SECRET,
            "SNAPSHOT_TENANTS": f"{HOME},{POLICE}",
            "SNAPSHOT_FACILITATORS": f"{HOME}/{FACILITATOR}",
            "TEAMS_APP_ID": MANIFEST,
            "TEAMS_OPENID_METADATA": f"{identity.url}{METADATA_PATH}",
            "TEAMS_AUTHORITY": identity.url,
            "GRAPH_URL": identity.url,
            "GRAPH_CA_FILE": str(identity.folder / "cert.pem"),
            "TEAMS_SERVICE_URL": f"{teams.url}/",
            "SNAPSHOT_KEYS": vault.vault.url,
            "SNAPSHOT_KEYS_CA_FILE": str(vault.vault.ca_file),
            **settings_for(cosmos.new_database()),
            **(more or {}),
        }
        serving = [
            Serving(places["bots"], {**environment, "PORT": str(free_port())}) for _ in range(bots)
        ]
        await asyncio.gather(*(stack.enter_async_context(bot) for bot in serving))
        teams.bots = serving
        yield Production(places["bots"], environment, identity, teams, serving)
