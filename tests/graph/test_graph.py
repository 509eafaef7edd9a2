"""From an address to a person with the app, over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.rehearsal.teams import GROUP
from bot.teams.graph import (
    MOST_BYTES,
    AskLater,
    CannotInstall,
    CannotKeep,
    Down,
    Folder,
    Graph,
    GraphError,
    NoConsent,
    NoTeam,
    Throttled,
)
from bot.teams.tokens import Tokens
from snapshot.sealing import Person
from tests.graph.conftest import Clock
from tests.graph.server import DRIVE, HOME, MANIFEST, POLICE, Fault, Server
from tests.graph.test_tokens import everything_of

ADA = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
BEN = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
ADDRESS = "ZQXJ.lovelace@school.example"
HANG_S = 60.0
VERBS: dict[str, Callable[[Graph], Coroutine[Any, Any, Any]]] = {
    "find_person": lambda graph: graph.find_person(ADDRESS, HOME),
    "installation": lambda graph: graph.installation(Person(HOME, ADA)),
    "install": lambda graph: graph.install(Person(HOME, ADA)),
    "chat_with": lambda graph: graph.chat_with(Person(HOME, ADA), f"{ADA}##app=="),
    "owners_of": lambda graph: graph.owners_of(HOME, GROUP),
    "files_of": lambda graph: graph.files_of(HOME, GROUP, "19:a"),
    "keep": lambda graph: graph.keep(HOME, Folder(DRIVE, "a folder"), "a.pdf", b"x"),
}


@pytest.fixture
def graph(server: Server, tokens: Tokens, session: aiohttp.ClientSession, clock: Clock) -> Graph:
    return Graph(server.url, MANIFEST, (HOME, POLICE), tokens, session, clock)


# -- who has an address ---------------------------------------------------------------------------


async def test_somebody_is_found_by_the_name_they_sign_in_by(server: Server, graph: Graph) -> None:
    server.person(ADA, ADDRESS)
    assert await graph.find_person(ADDRESS.upper(), HOME) == Person(HOME, ADA)
    assert server.count("/v1.0/users") == 1


@pytest.mark.parametrize(
    "more",
    [
        {"userPrincipalName": "al@school.example"},
        {
            "userPrincipalName": "al@school.example",
            "mail": "ada.king@school.example",
            "proxyAddresses": ["SMTP:ada.king@school.example", f"smtp:{ADDRESS}"],
        },
        {"mail": None, "proxyAddresses": []},
        {"id": ADA.upper()},
    ],
    ids=["mail", "an older address", "only a name", "capitals"],
)
async def test_somebody_is_found_however_they_have_the_address(
    server: Server, graph: Graph, more: dict[str, Any]
) -> None:
    server.person(**{"id": ADA, "mail": ADDRESS, **more})
    if server.tenants[HOME].users[0]["mail"] is None:
        server.tenants[HOME].users[0]["userPrincipalName"] = ADDRESS
    assert await graph.find_person(ADDRESS, HOME) == Person(HOME, ADA)


ODD = (
    "o'brien@school.example",
    "x' or mail eq 'ben@school.example",
    "ada+reports@school.example",
    "ada&$filter=a@school.example",
    "ada#1?a=b@school.example",
    "a/../b@school.example",
    "../users/b@school.example",
    "100%25@school.example",
    "ádá@ysgol.example",
)


@pytest.mark.parametrize("address", [*ODD, "$ada@school.example"])
async def test_an_odd_address_is_read_as_it_is(server: Server, graph: Graph, address: str) -> None:
    server.person(BEN, "ben@school.example")
    assert await graph.find_person(address, HOME) is None
    server.person(ADA, address, userPrincipalName="ada@school.example")
    assert await graph.find_person(address, HOME) == Person(HOME, ADA)


@pytest.mark.parametrize("name", ODD)
async def test_an_odd_name_is_read_as_it_is(server: Server, graph: Graph, name: str) -> None:
    server.person(ADA, "", userPrincipalName=name, proxyAddresses=[])
    assert await graph.find_person(name, HOME) == Person(HOME, ADA)
    assert server.queries[-2].count("/") == 3, "it is one part of the path"


@pytest.mark.parametrize("address", ["", "ada", ADA, "a@b\r\nX: 1", "a" * 400 + "@b.example"])
async def test_what_is_no_address_is_not_asked_for(
    server: Server, graph: Graph, address: str
) -> None:
    server.person(ADA, ADDRESS)
    assert await graph.find_person(address, HOME) is None
    assert server.seen == []


@pytest.mark.parametrize(
    "more",
    [
        {"accountEnabled": False},
        {"userType": "Guest"},
        {"userPrincipalName": "ada_school.example#EXT#@home.example"},
    ],
    ids=["disabled", "guest", "from elsewhere"],
)
async def test_who_cannot_be_written_to_is_nobody(
    server: Server, graph: Graph, more: dict[str, Any]
) -> None:
    server.person(ADA, ADDRESS, **more)
    assert await graph.find_person(ADDRESS, HOME) is None


async def test_of_two_with_one_address_nobody_is_taken(server: Server, graph: Graph) -> None:
    server.person(ADA, ADDRESS, userPrincipalName="a@school.example")
    server.person(BEN, ADDRESS, userPrincipalName="b@school.example")
    assert await graph.find_person(ADDRESS, HOME) is None


async def test_somebody_elses_name_is_not_taken_for_an_address(
    server: Server, graph: Graph
) -> None:
    """Ben signs in by what was Ada's name and still is her address."""
    server.person(BEN, "ben@school.example", userPrincipalName=ADDRESS)
    server.person(ADA, ADDRESS, userPrincipalName="ada@school.example")
    assert await graph.find_person(ADDRESS, HOME) is None


async def test_each_tenant_is_asked_with_its_own_token(server: Server, graph: Graph) -> None:
    server.person(ADA, ADDRESS, tenant=POLICE)
    assert await graph.find_person(ADDRESS, HOME) is None
    assert await graph.find_person(ADDRESS, POLICE) == Person(POLICE, ADA)


async def test_a_tenant_that_is_not_on_the_list_is_not_asked(server: Server, graph: Graph) -> None:
    elsewhere = "99999999-9999-4999-8999-999999999999"
    with pytest.raises(NoConsent):
        await graph.find_person(ADDRESS, elsewhere)
    with pytest.raises(NoConsent):
        await graph.install(Person(elsewhere, ADA))
    assert server.seen == []


# -- the app for them -----------------------------------------------------------------------------


async def test_the_app_is_installed_and_the_chat_found(server: Server, graph: Graph) -> None:
    server.person(ADA, ADDRESS)
    ada = Person(HOME, ADA)
    assert await graph.installation(ada) is None
    await graph.install(ada)
    installation = await graph.installation(ada)
    assert installation is not None
    assert (await graph.chat_with(ada, installation) or "").startswith(f"19:{ADA}_")


async def test_installing_twice_does_no_harm_and_asks_the_catalogue_once(
    server: Server, graph: Graph
) -> None:
    for id in (ADA, BEN):
        server.person(id, f"{id}@school.example")
        await graph.install(Person(HOME, id))
        await graph.install(Person(HOME, id))
    assert server.tenants[HOME].installed == {ADA, BEN}
    assert server.count("/appCatalogs/") == 1


async def test_an_app_that_is_not_in_the_catalogue_cannot_be_installed(
    server: Server, graph: Graph
) -> None:
    server.person(ADA, ADDRESS)
    server.tenants[HOME].catalogue.clear()
    for _ in range(3):
        with pytest.raises(CannotInstall):
            await graph.install(Person(HOME, ADA))
    assert server.count("/appCatalogs/") == 1
    assert server.count("POST /v1.0/") == 0


async def test_an_app_that_was_put_back_into_the_catalogue_is_found_again(
    server: Server, graph: Graph
) -> None:
    server.person(ADA, ADDRESS)
    server.person(BEN, "ben@school.example")
    await graph.install(Person(HOME, ADA))
    server.tenants[HOME].catalogue[MANIFEST] = "catalogue-id-2"
    with pytest.raises(CannotInstall):
        await graph.install(Person(HOME, BEN))
    await graph.install(Person(HOME, BEN))
    assert server.tenants[HOME].installed == {ADA, BEN}


async def test_an_installation_whose_answer_was_lost_is_found(server: Server, graph: Graph) -> None:
    server.person(ADA, ADDRESS)
    ada = Person(HOME, ADA)

    def loses(request: Any) -> Fault | None:
        return Fault(acts=True) if request.method == "POST" and "teamwork" in request.path else None

    server.plan = loses
    with pytest.raises(Down):
        await graph.install(ada)
    assert server.count("POST /v1.0/") == 1, "it is not sent a second time"


async def test_a_policy_that_forbids_the_app_to_one_stops_nobody_else(
    server: Server, graph: Graph
) -> None:
    server.person(ADA, ADDRESS, policy="blocked")
    server.person(BEN, "ben@school.example")
    with pytest.raises(NoConsent):
        await graph.install(Person(HOME, ADA))
    await graph.install(Person(HOME, BEN))
    assert server.tenants[HOME].installed == {BEN}


async def test_a_chat_that_is_not_there_yet_is_none(server: Server, graph: Graph) -> None:
    server.person(ADA, ADDRESS)
    assert await graph.chat_with(Person(HOME, ADA), f"{ADA}##app==") is None


# -- faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(429, "TooManyRequests", {"Retry-After": "9"}), Throttled),
        (Fault(429, "TooManyRequests"), Throttled),
        (Fault(403, "Authorization_RequestDenied"), NoConsent),
        (Fault(401, "InvalidAuthenticationToken"), Down),
        (Fault(500), Down),
        (Fault(503, headers={"Retry-After": "9"}), Down),
        (Fault(), Down),
        (Fault(delay_s=HANG_S), Down),
    ],
    ids=["429", "429 without a time", "403", "401", "500", "503", "cut", "hangs"],
)
@pytest.mark.parametrize("verb", VERBS)
async def test_every_verb_says_what_happened_in_time_and_quotes_nothing(
    server: Server,
    graph: Graph,
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
    fault: Fault,
    error: type[GraphError],
) -> None:
    # What is answered is heard also on a busy machine.
    within_s = 0.5 if fault.delay_s else HANG_S
    monkeypatch.setattr("bot.teams.graph.CALL_S", within_s)
    monkeypatch.setattr("bot.teams.graph.UPLOAD_S", within_s)
    server.person(ADA, ADDRESS)
    server.always(fault, path="/v1.0/")
    async with asyncio.timeout(HANG_S / 2):
        with capture_logs() as events, pytest.raises(error) as raised:
            await VERBS[verb](graph)
    if isinstance(raised.value, AskLater):
        assert raised.value.wait_s == (9.0 if fault.headers else 10.0)
    shown = everything_of(raised.value) + str(events)
    assert [part for part in ("ZQXJ", ADA, *server.tokens) if part in shown] == []
    assert [event["event"] for event in events] == ["graph refused"]


@pytest.mark.parametrize(("status", "pause_s"), [(429, 9.0), (503, 10.0), (403, 300.0)])
async def test_a_tenant_that_does_not_answer_is_left_alone_for_a_while(
    server: Server, graph: Graph, clock: Clock, status: int, pause_s: float
) -> None:
    headers = {"Retry-After": "9"} if status == 429 else {}
    server.person(ADA, ADDRESS)
    server.person(ADA, ADDRESS, tenant=POLICE)
    server.next(None, None, Fault(status, headers=headers))
    with pytest.raises(GraphError) as first:
        await graph.find_person(ADDRESS, HOME)
    asked = len(server.seen)
    clock.now += pause_s - 1
    with pytest.raises(type(first.value)) as second:
        await graph.find_person(ADDRESS, HOME)
    assert getattr(second.value, "wait_s", 1.0) == 1.0
    assert len(server.seen) == asked, "not one request more"

    assert await graph.find_person(ADDRESS, POLICE), "another tenant is another matter"
    assert await graph.installation(Person(HOME, ADA)) is None, "so are installations"
    clock.now += 1
    assert await graph.find_person(ADDRESS, HOME)


@pytest.mark.parametrize(
    ("consent", "verb"),
    [
        ("User.Read.All", "find_person"),
        ("TeamsAppInstallation.ReadWriteSelfForUser.All", "installation"),
        ("AppCatalog.Read.All", "install"),
    ],
)
async def test_each_missing_consent_is_told(
    server: Server, graph: Graph, consent: str, verb: str
) -> None:
    server.tenants[HOME].consents.remove(consent)
    with pytest.raises(NoConsent):
        await VERBS[verb](graph)


async def test_a_tenant_that_does_not_know_the_app_has_not_consented(
    server: Server, graph: Graph
) -> None:
    server.tenants[HOME].knows_the_app = False
    with pytest.raises(NoConsent):
        await graph.find_person(ADDRESS, HOME)


async def test_without_entra_graph_is_down(server: Server, graph: Graph) -> None:
    server.always(Fault(503, headers={"Retry-After": "7"}), path="/oauth2/")
    with pytest.raises(Down) as down:
        await graph.find_person(ADDRESS, HOME)
    assert down.value.wait_s == 7.0
    assert server.count("/v1.0/") == 0


async def test_a_token_that_graph_no_longer_takes_is_fetched_anew(
    server: Server, graph: Graph, clock: Clock
) -> None:
    server.person(ADA, ADDRESS)
    assert await graph.find_person(ADDRESS, HOME)
    server.tokens.clear()
    with pytest.raises(Down):
        await graph.find_person(ADDRESS, HOME)
    clock.now += 10
    assert await graph.find_person(ADDRESS, HOME)
    assert server.count("/oauth2/") == 2


@pytest.mark.parametrize(
    "raw",
    ["<html>", "[]", "null", '{"value": 7}', '{"value": [7, {"id": 7}, {"id": ""}]}', '{"id": 7}'],
)
@pytest.mark.parametrize("verb", ["find_person", "installation", "chat_with"])
async def test_an_answer_of_another_shape_finds_nothing(
    server: Server, graph: Graph, verb: str, raw: str
) -> None:
    server.always(Fault(raw=raw), path="/v1.0/")
    assert await VERBS[verb](graph) is None


# -- files of a channel ---------------------------------------------------------------------------


async def test_a_file_goes_into_the_folder_of_its_channel(graph: Graph, server: Server) -> None:
    folder = await graph.files_of(HOME, GROUP, "19:a channel@thread.tacv2")
    name = "Adroddiad: Ŵyn & Co. 100%.pdf"
    for content in (b"first", b"second"):
        await graph.keep(HOME, folder, name, content)
    kept = server.tenants[HOME].files
    assert kept == {f"{DRIVE}/folder of 19:a channel@thread.tacv2/{name}": b"second"}


async def test_a_channel_without_a_folder_and_a_file_too_large_are_told(
    graph: Graph, server: Server
) -> None:
    with pytest.raises(CannotKeep):
        await graph.files_of(HOME, "another team", "19:a")
    folder = await graph.files_of(HOME, GROUP, "19:a")
    for content in (b"", b"x" * (MOST_BYTES + 1)):
        with pytest.raises(CannotKeep):
            await graph.keep(HOME, folder, "a.pdf", content)
    for raw in ('{"id": "x"}', '{"id": "x", "parentReference": []}', "[]", "{", '{"id": 1}'):
        server.always(Fault(raw=raw))
        with pytest.raises(CannotKeep):
            await graph.files_of(HOME, GROUP, "19:a")


@pytest.mark.parametrize("consent", ["File.Read.Group", "Sites.Selected"])
async def test_files_need_consent_of_their_own(graph: Graph, server: Server, consent: str) -> None:
    server.tenants[HOME].consents.discard(consent)
    server.person("someone", "a@example.org")

    async def keeps() -> None:
        folder = await graph.files_of(HOME, GROUP, "19:a")
        await graph.keep(HOME, folder, "a.pdf", b"x")

    with pytest.raises(NoConsent):
        await keeps()
    assert await graph.find_person("a@example.org", HOME), "people are another part"


@pytest.mark.parametrize(
    "verb",
    [
        lambda graph, team: graph.owners_of(HOME, team),
        lambda graph, team: graph.files_of(HOME, team, "19:a"),
    ],
    ids=["owners", "files"],
)
async def test_a_team_whose_owner_has_not_agreed_closes_no_other(
    graph: Graph, server: Server, verb: Callable[[Graph, str], Coroutine[Any, Any, object]]
) -> None:
    """Each owner agrees for the one team, when the app is put into it."""
    server.always(Fault(403), "/teams/closed/")
    for _ in range(2):
        with pytest.raises(NoConsent):
            await verb(graph, "closed")
        await verb(graph, GROUP)


# -- who owns a team ------------------------------------------------------------------------------


async def test_owners_of_a_team_are_told_from_members_and_guests_page_by_page(
    graph: Graph, server: Server
) -> None:
    for number in range(5):
        server.member(f"member-{number}")
    server.member(ADA.upper(), "owner")
    server.member(BEN, "guest")
    server.member(BEN, "owner", "guest", home=POLICE)
    assert await graph.owners_of(HOME, GROUP) == {Person(HOME, ADA)}
    assert server.count("/members") == 4


@pytest.mark.parametrize(
    "raw",
    [
        "[]",
        '{"value": [{"id": "x", "roles": "owner", "userId": "y", "tenantId": "z"}]}',
        '{"value": [7, {"id": "x"}]}',
        '{"value": [{"id": "x", "roles": ["owner"], "userId": 7, "tenantId": "z"}]}',
        '{"value": [{"id": "x", "roles": ["owner"], "userId": "", "tenantId": "z"}]}',
    ],
)
async def test_of_an_odd_answer_nobody_is_an_owner(graph: Graph, server: Server, raw: str) -> None:
    server.always(Fault(raw=raw), "/members")
    try:
        assert await graph.owners_of(HOME, GROUP) == set()
    except NoTeam:
        assert raw == "[]"


async def test_a_list_of_members_that_leads_elsewhere_or_never_ends_is_left(
    graph: Graph, server: Server
) -> None:
    """Our token goes to Graph, wherever a link leads."""
    link = f"https://elsewhere.example:{server.port}/v1.0/teams/{GROUP}/members?$skiptoken=0"
    server.always(Fault(raw=json.dumps({"value": [], "@odata.nextLink": link})), "/members")
    with pytest.raises(NoTeam):
        await graph.owners_of(HOME, GROUP)
    assert server.count("/members") == 20
    with pytest.raises(NoTeam):
        await graph.owners_of(HOME, "another team")
