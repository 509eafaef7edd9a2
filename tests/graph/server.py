"""A stand-in for Microsoft Entra's token endpoint, for Graph and for Bot Framework's keys.

It speaks HTTPS on a loopback address.

What is imitated is what Microsoft documents of the few requests that are made: a tenant's OpenID
metadata, client credentials by secret or assertion, a machine's managed identity; users by name
and by filter, the catalogue of apps, installing for a person, their chat; the shapes of refusals.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import aiohttp
import jwt
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from bot.rehearsal.teams import GROUP
from bot.teams.tokens import GRAPH
from tests.cosmos.server import write_certificate
from tests.identity.signing import KEYS_PATH, METADATA_PATH, Signer

HOME = "11111111-1111-4111-8111-111111111111"
POLICE = "22222222-2222-4222-8222-222222222222"
APP = "33333333-3333-4333-8333-333333333333"
MANIFEST = "44444444-4444-4444-8444-444444444444"
IDENTITY = "55555555-5555-4555-8555-555555555555"
SECRET = "ZQXJ~secret+of/the=app"
IDENTITY_HEADER = "ZQXJ-identity-header"
DRIVE = "b!drive-of/the+team"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_FILTER = re.compile(r"mail eq '((?:[^']|'')*)' or proxyAddresses/any\(p:p eq '((?:[^']|'')*)'\)")


@dataclass(frozen=True, slots=True)
class Fault:
    """`status` 0: the connection is cut. `acts`: the server has done it before that.

    `in_pieces`: nothing is wrong, but that the answer does not come all at once. `until`: what is
    waited for before it comes.
    """

    status: int = 0
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    acts: bool = False
    raw: str = ""
    in_pieces: bool = False
    until: asyncio.Event | None = None


@dataclass
class Tenant:
    """`users` and `consents`: as Graph knows them. `installed`: ids of people who have the app.

    `files`: those of a channel, by drive, folder and name. `members`: those of the team.
    """

    users: list[dict[str, Any]] = field(default_factory=list)
    consents: set[str] = field(
        default_factory=lambda: {
            "User.Read.All",
            "AppCatalog.Read.All",
            "TeamsAppInstallation.ReadWriteSelfForUser.All",
            "File.Read.Group",
            "TeamMember.Read.Group",
            "Sites.Selected",
        }
    )
    catalogue: dict[str, str] = field(default_factory=lambda: {MANIFEST: "catalogue-id-1"})
    installed: set[str] = field(default_factory=set)
    knows_the_app: bool = True
    files: dict[str, bytes] = field(default_factory=dict)
    members: list[dict[str, Any]] = field(default_factory=list)


type Plan = Callable[[web.Request], Fault | None]


async def _nothing(_: str) -> None:
    pass


@dataclass
class Server:
    """`seen`: requests, such as `GET /v1.0/users`. `tokens`: those given, for tenant and scope.

    `at_once`: how many requests were being answered at the same time, at most. `installs`: what
    else happens, for whom, before an installation is answered. `certificate`: by which the app is
    known in place of the secret. `signer` signs as Bot Framework,
    whose keys are told here as well.
    """

    folder: Path
    tenants: dict[str, Tenant] = field(default_factory=lambda: {HOME: Tenant(), POLICE: Tenant()})
    secret: str = SECRET
    certificate: x509.Certificate | None = None
    life_s: int = 3_599
    plan: Plan = lambda _: None
    seen: list[str] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    port: int = 0
    busy: int = 0
    at_once: int = 0
    installs: Callable[[str], Awaitable[None]] = _nothing
    signer: Signer = field(default_factory=lambda: Signer(APP))
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def always(self, fault: Fault | None, path: str = "") -> None:
        """To each request whose path holds this."""
        self.plan = lambda request: fault if path in request.path else None

    def next(self, *faults: Fault | None) -> None:
        coming = list(faults)
        self.plan = lambda _: coming.pop(0) if coming else None

    def count(self, part: str) -> int:
        return sum(part in each for each in self.seen)

    async def has_seen(self, part: str, how_often: int = 1) -> None:
        """Wait until paths that hold this have been asked for so often."""
        while self.count(part) < how_often:
            self._came.clear()
            await self._came.wait()

    def person(self, id: str, mail: str, tenant: str = HOME, **more: Any) -> dict[str, Any]:
        user = {
            "id": id,
            "mail": mail,
            "userPrincipalName": mail,
            "accountEnabled": True,
            "userType": "Member",
            "proxyAddresses": [f"SMTP:{mail}"],
            **more,
        }
        self.tenants[tenant].users.append(user)
        return user

    def member(self, id: str, *roles: str, tenant: str = HOME, home: str = "") -> None:
        """Somebody in the team. `home`: where they are at home, if elsewhere."""
        member = {
            "@odata.type": "#microsoft.graph.aadUserConversationMember",
            "id": f"member {id}",
            "roles": list(roles),
            "displayName": "ZQXJ",
            "userId": id,
            "email": "ZQXJ@example.org",
            "tenantId": home or tenant,
        }
        self.tenants[tenant].members.append(member)

    # -- how requests come in ---------------------------------------------------------------

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.busy += 1
        self.at_once = max(self.at_once, self.busy)
        try:
            return await self._take(request)
        finally:
            self.busy -= 1

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(f"{request.method} {request.path}")
        self.queries.append(request.raw_path)
        self._came.set()
        fault = self.plan(request)
        if fault is None:
            return await self._answer(request)
        if fault.in_pieces:
            return await _in_pieces(request, await self._answer(request))
        if fault.acts:
            await self._answer(request)
        await asyncio.sleep(fault.delay_s)
        if fault.until is not None:
            await fault.until.wait()
        if fault.raw:
            return web.Response(text=fault.raw, content_type="application/json")
        if fault.status:
            return _refusal(fault.status, fault.code or "generalException", fault.headers)
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.path
        if path == "/msi/token":
            return self._identity_token(request)
        if path.startswith("/v1.0/"):
            return await self._graph(request)
        if path == METADATA_PATH:
            return web.json_response(self.signer.metadata(self.url))
        if path == KEYS_PATH:
            return web.json_response(self.signer.keys())
        tenant, _, rest = path.strip("/").partition("/")
        if rest == "v2.0/.well-known/openid-configuration":
            return self._metadata(tenant)
        if rest == "oauth2/v2.0/token" and request.method == "POST":
            return self._token(tenant, dict(await request.post()))
        return web.Response(status=404)

    # -- Entra ------------------------------------------------------------------------------

    def _metadata(self, tenant: str) -> web.Response:
        if tenant not in self.tenants:
            return _entra_refusal(400, "invalid_tenant", 90002)
        base = f"{self.url}/{tenant}"
        return web.json_response(
            {
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "tenant_region_scope": "EU",
                "cloud_instance_name": "microsoftonline.com",
            }
        )

    def _token(self, tenant: str, form: Mapping[str, Any]) -> web.Response:
        if form.get("grant_type") != "client_credentials":
            return _entra_refusal(400, "unsupported_grant_type", 70003)
        if not str(form.get("scope", "")).endswith("/.default"):
            return _entra_refusal(400, "invalid_scope", 1002012)
        if form.get("client_id") != APP or not self.tenants[tenant].knows_the_app:
            return _entra_refusal(400, "unauthorized_client", 700016)
        if not self._is_the_app(form):
            return _entra_refusal(401, "invalid_client", 7000215)
        return web.json_response(self._made(tenant, str(form["scope"])))

    def _is_the_app(self, form: Mapping[str, Any]) -> bool:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            return bool(form.get("client_secret") == self.secret)
        if self.certificate is not None:
            return self._is_signed(str(form.get("client_assertion")), self.certificate)
        meant = ("identity", "api://AzureADTokenExchange")
        return self.tokens.get(str(form.get("client_assertion"))) == meant

    def _is_signed(self, assertion: str, certificate: x509.Certificate) -> bool:
        """As Microsoft describes the assertion of an app that has a certificate."""
        mark = base64.urlsafe_b64encode(certificate.fingerprint(SHA256())).decode()
        try:
            known = jwt.get_unverified_header(assertion).get("x5t#S256") == mark
            key = certificate.public_key()
            assert isinstance(key, RSAPublicKey)
            said = jwt.decode(assertion, key, ["PS256"], options={"verify_aud": False})
        except jwt.PyJWTError:
            return False
        return known and said["iss"] == said["sub"] == APP and said["aud"].startswith(self.url)

    def _identity_token(self, request: web.Request) -> web.Response:
        """As App Service and Container Apps answer."""
        if request.headers.get("X-IDENTITY-HEADER") != IDENTITY_HEADER:
            return web.json_response({"statusCode": 401, "message": "ZQXJ"}, status=401)
        if request.query.get("client_id") not in (IDENTITY, APP):
            return web.json_response({"statusCode": 400, "message": "ZQXJ"}, status=400)
        made = self._made("identity", request.query["resource"])
        return web.json_response(
            {
                "access_token": made["access_token"],
                "expires_on": str(int(time.time()) + self.life_s),
                "resource": request.query["resource"],
                "token_type": "Bearer",
                "client_id": request.query["client_id"],
            }
        )

    def _made(self, tenant: str, scope: str) -> dict[str, Any]:
        head = base64.urlsafe_b64encode(b'{"typ":"JWT","alg":"RS256"}').decode().rstrip("=")
        token = f"{head}.ZQXJ{secrets.token_urlsafe(24)}.{secrets.token_urlsafe(24)}"
        self.tokens[token] = (tenant, scope)
        return {
            "token_type": "Bearer",
            "expires_in": self.life_s,
            "ext_expires_in": self.life_s,
            "access_token": token,
        }

    # -- Graph ------------------------------------------------------------------------------

    async def _graph(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        tenant, scope = self.tokens.get(token, ("", ""))
        if scope != GRAPH or tenant not in self.tenants:
            return _refusal(401, "InvalidAuthenticationToken")
        held = self.tenants[tenant]
        # Split before it is decoded, as Graph does.
        parts = request.raw_path.partition("?")[0].removeprefix("/v1.0/").split("/")
        match parts:
            case ["users"]:
                return self._users(held, request)
            case ["users", name]:
                return self._user(held, _decoded(name))
            case ["appCatalogs", "teamsApps"]:
                return self._apps(held, request)
            case ["users", id, "teamwork", "installedApps"]:
                return await self._installations(held, _decoded(id), request)
            case ["users", id, "teamwork", "installedApps", installation, "chat"]:
                return self._chat(held, _decoded(id), _decoded(installation))
        return await self._files(held, parts, request)

    async def _files(
        self, held: Tenant, parts: Sequence[str], request: web.Request
    ) -> web.Response:
        match parts:
            case ["teams", team, "channels", channel, "filesFolder"]:
                return self._folder(held, _decoded(team), _decoded(channel))
            case ["teams", team, "members"]:
                return self._members(held, _decoded(team), request)
            case ["drives", drive, "items", folder, name, "content"]:
                # Colons set the name apart from ids.
                place = "/".join(_decoded(part).removesuffix(":") for part in (drive, folder, name))
                return await self._kept(held, place, request)
        return _refusal(400, "BadRequest")

    def _members(self, tenant: Tenant, team: str, request: web.Request) -> web.Response:
        """In pages of two: `$top` is the most that may come, not the least."""
        if "TeamMember.Read.Group" not in tenant.consents:
            return _refusal(403, "Forbidden")
        if team != GROUP:
            return _refusal(404, "NotFound")
        start = int(request.query.get("$skiptoken", "0"))
        body: dict[str, Any] = {"value": tenant.members[start : start + 2]}
        if start + 2 < len(tenant.members):
            path = f"/v1.0/teams/{team}/members?$top=999&$skiptoken={start + 2}"
            body["@odata.nextLink"] = f"{self.url}{path}"
        return web.json_response(body)

    def _folder(self, tenant: Tenant, team: str, channel: str) -> web.Response:
        if "File.Read.Group" not in tenant.consents:
            return _refusal(403, "Forbidden")
        if team != GROUP:
            return _refusal(404, "NotFound")
        folder = {"id": f"folder of {channel}", "name": "General", "folder": {"childCount": 0}}
        return web.json_response({**folder, "parentReference": {"driveId": DRIVE}})

    async def _kept(self, tenant: Tenant, place: str, request: web.Request) -> web.Response:
        if "Sites.Selected" not in tenant.consents:
            return _refusal(403, "accessDenied")
        content = await request.read()
        if request.method != "PUT" or not place.startswith(f"{DRIVE}/") or not content:
            return _refusal(404, "itemNotFound")
        status = 200 if place in tenant.files else 201
        tenant.files[place] = content
        return web.json_response({"id": "file", "size": len(content)}, status=status)

    def _user(self, tenant: Tenant, name: str) -> web.Response:
        if "User.Read.All" not in tenant.consents:
            return _refusal(403, "Authorization_RequestDenied")
        if name.startswith("$"):
            return _refusal(400, "BadRequest")
        for user in tenant.users:
            if name.casefold() in (user["id"].casefold(), user["userPrincipalName"].casefold()):
                return web.json_response({"@odata.context": "...", **_selected(user)})
        return _refusal(404, "Request_ResourceNotFound")

    def _users(self, tenant: Tenant, request: web.Request) -> web.Response:
        if "User.Read.All" not in tenant.consents:
            return _refusal(403, "Authorization_RequestDenied")
        asked = _FILTER.fullmatch(request.query.get("$filter", ""))
        is_advanced = request.headers.get("ConsistencyLevel") == "eventual"
        if asked is None:
            return _refusal(400, "BadRequest")
        if not is_advanced or request.query.get("$count") != "true":
            return _refusal(400, "Request_UnsupportedQuery")
        mail, proxy = (part.replace("''", "'").casefold() for part in asked.groups())
        found = [
            _selected(user)
            for user in tenant.users
            if str(user["mail"]).casefold() == mail
            or proxy in (each.casefold() for each in user["proxyAddresses"])
        ]
        most = int(request.query.get("$top", "100"))
        return web.json_response({"@odata.count": len(found), "value": found[:most]})

    def _apps(self, tenant: Tenant, request: web.Request) -> web.Response:
        if "AppCatalog.Read.All" not in tenant.consents:
            return _refusal(403, "Forbidden")
        wanted = request.query["$filter"]
        found = [
            {"id": id, "externalId": manifest, "distributionMethod": "organization"}
            for manifest, id in tenant.catalogue.items()
            if wanted == f"externalId eq '{manifest}'"
        ]
        return web.json_response({"value": found})

    async def _installations(
        self, tenant: Tenant, person: str, request: web.Request
    ) -> web.Response:
        if "TeamsAppInstallation.ReadWriteSelfForUser.All" not in tenant.consents:
            return _refusal(403, "Forbidden")
        user = next((user for user in tenant.users if user["id"] == person), None)
        if user is None:
            return _refusal(404, "NotFound")
        if request.method == "GET":
            is_ours = request.query["$filter"] == f"teamsApp/externalId eq '{MANIFEST}'"
            there = is_ours and person in tenant.installed
            found = [{"id": f"{person}##app==", "teamsApp": {"externalId": MANIFEST}}]
            return web.json_response({"value": found if there else []})
        asked = json.loads(await request.read())["teamsApp@odata.bind"]
        if asked not in {
            f"{self.url}/v1.0/appCatalogs/teamsApps/{a}" for a in tenant.catalogue.values()
        }:
            return _refusal(404, "NotFound")
        if user.get("policy") == "blocked":
            return _refusal(403, "Forbidden")
        if person in tenant.installed:
            return _refusal(409, "Conflict")
        tenant.installed.add(person)
        await self.installs(person)
        return web.Response(status=201)

    def _chat(self, tenant: Tenant, person: str, installation: str) -> web.Response:
        if person not in tenant.installed or installation != f"{person}##app==":
            return _refusal(404, "NotFound")
        return web.json_response({"id": f"19:{person}_{APP}@unq.gbl.spaces"})


async def _in_pieces(request: web.Request, whole: web.Response) -> web.StreamResponse:
    sent = web.StreamResponse(status=whole.status, headers={"Content-Type": whole.content_type})
    await sent.prepare(request)
    assert isinstance(whole.body, bytes)
    for start in range(0, len(whole.body), 100):
        await sent.write(whole.body[start : start + 100])
        await asyncio.sleep(0.005)
    return sent


def _selected(user: Mapping[str, Any]) -> dict[str, Any]:
    names = ("id", "mail", "userPrincipalName", "accountEnabled", "userType")
    return {name: user[name] for name in names}


def _decoded(part: str) -> str:
    return unquote(part)


def _entra_refusal(status: int, error: str, code: int) -> web.Response:
    return web.json_response(
        {
            "error": error,
            "error_description": f"AADSTS{code}: ZQXJ told by Entra. Trace ID: 0 Timestamp: 0",
            "error_codes": [code],
            "timestamp": "2026-01-01 00:00:00Z",
            "trace_id": "00000000-0000-0000-0000-000000000000",
            "correlation_id": "00000000-0000-0000-0000-000000000000",
            "error_uri": f"https://login.microsoftonline.com/error?code={code}",
        },
        status=status,
    )


def _refusal(status: int, code: str, headers: Mapping[str, str] | None = None) -> web.Response:
    inner = {"date": "2026-01-01T00:00:00", "request-id": "0", "client-request-id": "0"}
    error = {"code": code, "message": "ZQXJ told by Graph", "innerError": inner}
    return web.json_response({"error": error}, status=status, headers=headers)


@asynccontextmanager
async def microsoft(folder: Path) -> AsyncIterator[Server]:
    """Two tenants, nobody in them, that have consented to everything."""
    write_certificate(folder)
    server = Server(folder)
    async with AsyncExitStack() as stack:
        shown = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        shown.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", server.take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=shown).start()
        server.port = int(runner.addresses[0][1])
        yield server


@asynccontextmanager
async def session_for(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    """One that trusts the stand-in, and nobody else."""
    trusted = ssl.create_default_context(cafile=server.folder / "cert.pem")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted)) as session:
        yield session
