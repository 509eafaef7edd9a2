"""Who belongs to a conversation, as Teams says: asked again after some minutes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.roster import KNOWN_AT_MOST_S, KNOWN_S, NotThere, NotTold, Roster, Standing
from bot.turns.turn import Address
from snapshot.sealing import Person

HOME = "tenant-of-exampleshire"
ADA = Person(HOME, "ada")
HERE = Address("http://127.0.0.1:1/", "19:here@thread.tacv2", "28:bot", HOME)
THERE = Address("http://127.0.0.1:1/", "19:there@thread.tacv2", "28:bot", HOME)
MEMBER = {"objectId": "ADA", "tenantId": HOME, "userRole": "user", "userPrincipalName": "ada@x"}


@dataclass
class TeamsSays:
    """What Teams knows of everybody; an error is raised."""

    answer: dict[str, Any] | Exception
    now: float = 0.0
    asked: list[str] = field(default_factory=list)

    async def ask(self, address: Address, id: str) -> dict[str, Any]:
        self.asked.append(address.conversation)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def says() -> TeamsSays:
    return TeamsSays(MEMBER)


@pytest.fixture
def roster(says: TeamsSays) -> Roster:
    return Roster(says.ask, lambda: says.now)


async def standing(roster: Roster, where: Address = HERE, *allowed: str) -> Standing:
    return await roster.standing(
        where, "29:ada", ADA, lambda tenant: tenant in (allowed or (HOME,))
    )


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, Standing.MEMBER),
        ({"objectId": "", "aadObjectId": "Ada"}, Standing.MEMBER),
        ({"tenantId": HOME.upper()}, Standing.MEMBER),
        ({"userRole": "owner"}, Standing.MEMBER),
        ({"tenantId": None}, Standing.MEMBER),
        ({"tenantId": "elsewhere"}, Standing.GUEST),
        ({"userRole": "Guest"}, Standing.GUEST),
        ({"userRole": "anonymous"}, Standing.GUEST),
        ({"userPrincipalName": "ada_police.example#EXT#@exampleshire.example"}, Standing.GUEST),
        ({"objectId": "somebody else"}, Standing.ABSENT),
        ({"objectId": 7}, Standing.ABSENT),
    ],
)
async def test_who_is_who(
    roster: Roster, says: TeamsSays, changed: dict[str, Any], found: Standing
) -> None:
    says.answer = MEMBER | changed
    assert await standing(roster) is found


async def test_a_partner_organisation_in_a_shared_channel_belongs(
    roster: Roster, says: TeamsSays
) -> None:
    says.answer = MEMBER | {"tenantId": "police"}
    assert await standing(roster, HERE, HOME, "police") is Standing.MEMBER


async def test_it_is_asked_once_in_some_minutes_for_each_place(
    roster: Roster, says: TeamsSays
) -> None:
    for _ in range(3):
        await standing(roster)
    await standing(roster, THERE)
    assert says.asked == [HERE.conversation, THERE.conversation]
    says.now, says.answer = KNOWN_S, NotThere()
    assert await standing(roster) is Standing.ABSENT


async def test_whoever_was_not_there_is_asked_for_again_at_once(
    roster: Roster, says: TeamsSays
) -> None:
    says.answer = NotThere()
    assert await standing(roster) is Standing.ABSENT
    says.answer = MEMBER
    assert await standing(roster) is Standing.MEMBER


async def test_if_teams_cannot_tell_whoever_belonged_does_for_an_hour(
    roster: Roster, says: TeamsSays
) -> None:
    says.answer = NotTold()
    assert await standing(roster) is Standing.UNKNOWN
    says.answer = MEMBER
    await standing(roster)
    says.now, says.answer = KNOWN_AT_MOST_S - 1, NotTold()
    assert await standing(roster) is Standing.MEMBER
    says.now = KNOWN_AT_MOST_S
    assert await standing(roster) is Standing.UNKNOWN
