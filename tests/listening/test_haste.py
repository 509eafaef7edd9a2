"""So many turns of one person in a process, and no more; nobody who taps is ever held up."""

from __future__ import annotations

import pytest

from bot import haste as hastes
from bot.haste import AT_ONCE, EACH_S, Haste
from bot.rehearsal.teams import Teams
from snapshot.sealing import Person
from tests.stories.conftest import RunningBot
from tests.stories.people import asks_about, begins, seen
from tests.stories.test_bad_input import envelopes

ADA, BEA = Person("tenant", "ada"), Person("tenant", "bea")
SAME_IDS_ELSEWHERE = Person("another-tenant", "ada")


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_whoever_taps_twice_every_200_ms_is_never_held_up() -> None:
    clock = Clock()
    haste = Haste(clock)
    for _ in range(10 * 60 * 5):
        assert haste.allows(ADA)
        assert haste.allows(ADA)
        clock.now += 0.2


def test_beyond_it_nobody_else_is_held_up_and_a_second_later_some_go_on() -> None:
    clock = Clock()
    haste = Haste(clock)
    taken = sum(haste.allows(ADA) for _ in range(2 * AT_ONCE))
    assert taken == pytest.approx(AT_ONCE, abs=1)
    assert haste.allows(BEA)
    assert haste.allows(SAME_IDS_ELSEWHERE)
    clock.now += 10 * EACH_S
    assert sum(haste.allows(ADA) for _ in range(AT_ONCE)) == pytest.approx(10, abs=1)


def test_who_is_away_for_longest_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hastes, "MOST_REMEMBERED", 100)
    haste = Haste(Clock())
    for number in range(AT_ONCE + 50):
        haste.allows(ADA)
        haste.allows(Person("tenant", f"{number}"))
    assert not haste.allows(ADA), "who is active is not pushed out by those who come and go"
    assert len(haste._used) == 100


async def test_who_hurries_too_much_is_asked_to_wait_and_loses_nothing(
    teams: Teams,
    bot: RunningBot,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ada, bea = teams.person("Ada", locale="cy-GB"), teams.person("Bea")
    await ada.types("start")
    for _ in range(2):  # on, and the first agency
        await ada.presses(seen(ada).buttons[0])
    monkeypatch.setattr(hastes, "AT_ONCE", 0)
    before = await envelopes(bot)
    shown = seen(ada)
    tap = shown.actions("survey.answer")[0]
    capsys.readouterr()
    for _ in range(20):
        answer = await ada.acts(tap)
        assert answer.status == 200
        assert "ormod ar unwaith" in answer.card.words
        assert answer.card.buttons, "there is a way on"
    assert await envelopes(bot) == before
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(hastes, "AT_ONCE", AT_ONCE)
    assert asks_about((await ada.acts(tap)).card) == "AW2"
    assert asks_about(await begins(bea)) == "AW1"


async def test_typed_words_beyond_it_are_answered_once_not_each(
    teams: Teams, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = teams.person("Ada")
    monkeypatch.setattr(hastes, "AT_ONCE", 0)
    for _ in range(20):
        assert (await teams.deliver(ada.activity("message", text="start"))).status == 200
        assert (await teams.deliver(ada.activity("installationUpdate", action="add"))).status == 200
    (told,) = teams.posts(ada.chat)
    assert "too much at once" in told.card.words
    monkeypatch.setattr(hastes, "AT_ONCE", AT_ONCE)
    assert "Continue" in (await ada.types("start")).buttons
