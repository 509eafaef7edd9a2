"""Requests that show a token, as those of Teams do, and the service that tells of the keys.

The service is that of the tests. It runs in a process of its own, so that what signing costs is
counted nowhere.
"""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from bot.rehearsal.teams import Answer, PersonHere, Teams
from tests.bench.servers import Served, started
from tests.graph.server import APP, HOME, SECRET, microsoft
from tests.identity.signing import METADATA_PATH
from tests.ports import free_port

_FACILITATOR = "fafafafa-fafa-4afa-8afa-fafafafafafa"


@dataclass(frozen=True, slots=True)
class Identity:
    """`folder` holds the service's certificate, `port` is where Teams takes the bot's messages."""

    served: Served
    folder: Path
    port: int

    @property
    def metadata(self) -> str:
        return f"{self.served.url}{METADATA_PATH}"

    @property
    def ca_file(self) -> Path:
        return self.folder / "cert.pem"

    @property
    def settings(self) -> Mapping[str, str]:
        """Those of a bot in production, as far as they say who may call and whom it calls."""
        return {
            "SNAPSHOT_ENV": "production",
            "SNAPSHOT_STAND_INS": "true",
            "MicrosoftAppId": APP,
            "MicrosoftAppTenantId": HOME,
            "MicrosoftAppPassword": SECRET,
            "SNAPSHOT_TENANTS": HOME,
            "SNAPSHOT_FACILITATORS": f"{HOME}/{_FACILITATOR}",
            "TEAMS_OPENID_METADATA": self.metadata,
            "TEAMS_AUTHORITY": self.served.url,
            "GRAPH_URL": self.served.url,
            "GRAPH_CA_FILE": str(self.ca_file),
            "TEAMS_SERVICE_URL": f"http://127.0.0.1:{self.port}/",
        }

    def token(self, service_url: str, by: str) -> str:
        """Another one each time. Signed `by` another's key, it claims to be by the one we tell."""
        self.served.pipe.send((service_url, by))
        made: str = self.served.pipe.recv()
        return made


@contextmanager
def identity() -> Iterator[Identity]:
    with (
        tempfile.TemporaryDirectory() as folder,
        started("identity", serve_identity, folder) as served,
    ):
        yield Identity(served, Path(folder), free_port())


def serve_identity(_: Path, pipe: Connection, folder: str) -> None:
    asyncio.run(_serve_identity(pipe, Path(folder)))


async def _serve_identity(pipe: Connection, folder: Path) -> None:
    async with microsoft(folder) as server:
        pipe.send(server.url)
        while asked := await asyncio.to_thread(pipe.recv):
            service_url, by = asked
            one = uuid.uuid4().hex
            pipe.send(server.signer.token(service_url, by=by, head={"kid": "first"}, jti=one))


@dataclass
class SignedTeams(Teams):
    """Everybody is of the tenant that is on the list.

    `one_each`: each request has a token of its own; otherwise one serves all. `by`: who signs.
    """

    identity: Identity | None = None
    one_each: bool = False
    by: str = "first"
    _token: str = field(default="", repr=False)

    def person(
        self, name: str, *, tenant: str = HOME, object_id: str = "", locale: str = "en-GB"
    ) -> PersonHere:
        return super().person(name, tenant=tenant, object_id=object_id, locale=locale)

    async def request(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        assert self.identity
        if self.one_each or not self._token:
            self._token = self.identity.token(f"{self.url}/", self.by)
        return await super().request(body, {"Authorization": f"Bearer {self._token}", **headers})
