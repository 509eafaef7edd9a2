"""`python -m bot doctor` says what is wrong with each part, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.app import CannotStart, examined, without_serving
from bot.rehearsal.teams import GROUP
from bot.settings import Settings
from tests.cosmos.server import Server
from tests.graph.server import APP, HOME, POLICE, SECRET, Fault
from tests.identity.signing import METADATA_PATH
from tests.production.stage import Production, production
from tests.relay import Relay
from tests.stories.processes import start

OTHER = "77777777-7777-4777-8777-777777777777"


async def wrong(environment: Mapping[str, str]) -> dict[str, str]:
    """The parts in which something is wrong, and what is said of it."""
    settings = Settings.from_env(environment)
    return {found.part: found.problem async for found in examined(settings) if found.problem}


def teams(*groups: str) -> dict[str, str]:
    return {"SNAPSHOT_FACILITATOR_TEAMS": ",".join(f"{HOME}/{group}" for group in groups)}


async def test_where_all_is_well_it_says_so(cosmos: Server, tmp_path: Path) -> None:
    async with production(tmp_path, cosmos, bots=0) as stage:
        process = await start(stage.folder, {**stage.environment, **teams(GROUP)}, "doctor")
        said, _ = await process.communicate()
    lines = said.decode().splitlines()
    assert process.returncode == 0
    assert all(line.startswith("fine  ") for line in lines)
    for part in ("settings", "content", "store", "keys", "signing keys", "token for Teams", HOME):
        assert part in said.decode()
    assert SECRET not in said.decode()


async def test_through_a_proxy_too_and_its_password_stays_unsaid(
    cosmos: Server, tmp_path: Path
) -> None:
    """Store, vault, keys, tokens and Graph: all that a bot asks for over https."""
    async with Relay() as relay, production(tmp_path, cosmos, bots=0) as stage:
        place = f"127.0.0.1:{relay.port}"
        through = {"HTTPS_PROXY": f"http://ada:ZQXJ@{place}", "NO_PROXY": ""}
        environment = {**stage.environment, **teams(GROUP), **through}
        process = await start(stage.folder, environment, "doctor")
        said, _ = await process.communicate()
    assert process.returncode == 0
    assert f"https goes through {place}" in said.decode()
    assert "ZQXJ" not in said.decode()
    reached = {asked.split()[1] for asked in relay.asked}
    named = (environment[name] for name in ("SNAPSHOT_STORE", "SNAPSHOT_KEYS", "GRAPH_URL"))
    assert reached == {urlsplit(url).netloc for url in named}


async def test_each_part_that_is_wrong_is_told_with_what_to_do(
    cosmos: Server, tmp_path: Path
) -> None:
    async with production(tmp_path, cosmos, bots=0) as stage:
        await _each(stage)
        process = await start(stage.folder, {**stage.environment, **_BAD_SECRET}, "doctor")
        said, _ = await process.communicate()
    assert process.returncode == 1
    assert "WRONG  token for Teams: MicrosoftAppPassword is wrong" in said.decode()
    assert "ZQXJ" not in said.decode()


@pytest.mark.parametrize(
    ("part", "setting", "more"),
    [
        ("app", "GRAPH_CA_FILE", {"MicrosoftAppId": APP, "MicrosoftAppTenantId": HOME}),
        ("store", "COSMOS_CA_FILE", {"SNAPSHOT_STORE": "cosmos://127.0.0.1:9/a"}),
        ("keys", "SNAPSHOT_KEYS_CA_FILE", {"SNAPSHOT_KEYS": "https://127.0.0.1:9"}),
    ],
)
@pytest.mark.parametrize("content", [None, b"", b"ZQXJ"])
async def test_a_list_of_whom_to_trust_that_cannot_be_read_is_told_by_its_name(
    tmp_path: Path, part: str, setting: str, more: dict[str, str], content: bytes | None
) -> None:
    file = tmp_path / "trusted.pem"
    if content is not None:
        file.write_bytes(content)
    environment = {
        "SNAPSHOT_ENV": "local",
        "SNAPSHOT_STORE": f"sqlite:///{tmp_path}/snapshot.db",
        "SNAPSHOT_KEYS": f"file:{tmp_path}/keys",
        **more,
        setting: str(file),
    }
    told = await wrong(environment)
    assert told == {part: f"{setting} cannot be read as a certificate"}
    with pytest.raises(CannotStart, match=told[part]):
        async with without_serving(Settings.from_env(environment)):
            pass


_BAD_SECRET = {"MicrosoftAppPassword": "ZQXJ-another"}


async def _each(stage: Production) -> None:
    good, identity = stage.environment, stage.identity
    assert await wrong(good) == {}

    secret = await wrong({**good, **_BAD_SECRET})
    assert "MicrosoftAppPassword is wrong" in secret["token for Teams"]

    identity.tenants[POLICE].knows_the_app = False
    consent = await wrong(good)
    assert "its administrator has to consent" in consent[f"Graph in {POLICE}"]
    identity.tenants[POLICE].knows_the_app = True

    identity.always(Fault(503), METADATA_PATH)
    assert "login.botframework.com" in (await wrong(good))["signing keys"]
    identity.always(None)

    owners = await wrong({**good, **teams(GROUP, OTHER)})
    assert owners == {
        f"owners of {OTHER}": "there is no such team: look at SNAPSHOT_FACILITATOR_TEAMS"
    }
    identity.tenants[HOME].consents.discard("TeamMember.Read.Group")
    assert (
        "an owner has to put the app"
        in (await wrong({**good, **teams(GROUP)}))[f"owners of {GROUP}"]
    )

    for name, part in (("SNAPSHOT_STORE", "store"), ("SNAPSHOT_KEYS", "keys")):
        away = {**good, name: good[name].replace("127.0.0.1", "127.0.0.9")}
        found = await wrong(away)
        assert list(found) == [part], found
        assert len(found[part]) > 20
