"""No more reminders, and withdrawing for as long as that is possible."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime

from bot.rehearsal.teams import Teams
from snapshot.sealing import CONTACT_BYTES
from tests.stories.commenting import (
    ballot_of,
    contact_of,
    envelope_of,
    gets_to_the_end,
    have_sent,
)
from tests.stories.conftest import RunningBot
from tests.stories.people import (
    STATEMENTS,
    answers,
    asks_about,
    begins,
    closes,
    seen,
    sends,
    summary_in,
)

K = 10
BEFORE_THE_MIXING = datetime(2026, 3, 5, 1, 59, tzinfo=UTC)
AT_THE_MIXING = datetime(2026, 3, 5, 2, 0, tzinfo=UTC)


# -- no more reminders ----------------------------------------------------------------------------


async def test_until_it_is_sent_withdrawing_offers_to_end_the_reminders_instead(
    teams: Teams, bot: RunningBot
) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    shown = await ada.types("withdraw")
    assert shown.buttons[:3] == [
        "No, keep my answers",
        "No more reminders",
        "Yes, delete my answers",
    ]
    assert 'choose "No more reminders". That keeps your answers.' in shown.words


async def test_once_sent_there_is_nothing_to_remind_of(teams: Teams, bot: RunningBot) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    await sends(ada)
    shown = await ada.presses("Withdraw my answers")
    assert "Do you want to withdraw?" in shown.words
    assert "No more reminders" not in shown.buttons
    assert "No more reminders" not in shown.words


async def test_whoever_wants_no_reminders_keeps_the_answers_and_can_go_on(
    teams: Teams, bot: RunningBot
) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    await answers(ada, ["Partly true"] * 6)
    before = await ballot_of(ada, bot)
    await ada.types("withdraw")
    shown = await ada.presses("No more reminders")
    assert "We will not remind you again" in shown.words
    assert "5pm on Saturday 14 March" in shown.words
    assert await ballot_of(ada, bot) == before
    assert asks_about(await ada.presses("Continue")) == "PV3"
    await answers(ada, ["Mostly true"] * (STATEMENTS - 6))
    assert "sent and sealed" in (await sends(ada)).words


async def test_the_wish_is_sealed_and_does_not_show_in_the_length(
    teams: Teams, bot: RunningBot
) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    before, contact = await envelope_of(ada, bot), await contact_of(ada, bot)
    await ada.types("withdraw")
    await ada.presses("No more reminders")
    after, wish = await envelope_of(ada, bot), await contact_of(ada, bot)
    assert (contact.quiet, wish.quiet) == (False, True)
    assert (wish.object_id, wish.address) == (contact.object_id, contact.address)
    assert [len(sealed) for sealed in after.body.values()] == [
        len(sealed) for sealed in before.body.values()
    ]
    assert len(b64decode(after.body["contact"])) > CONTACT_BYTES, "whatever stands in it"
    assert (after.state, after.group) == (before.state, before.group)


async def test_the_same_tap_again_changes_nothing(teams: Teams, bot: RunningBot) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    shown = await ada.types("withdraw")
    quiet = shown.action("No more reminders")
    first = await ada.acts(quiet)
    before = await envelope_of(ada, bot)
    assert (await ada.acts(quiet)).body == first.body
    assert await envelope_of(ada, bot) == before


async def test_an_answer_and_a_change_of_language_keep_the_wish(
    teams: Teams, bot: RunningBot
) -> None:
    ada = teams.person("Ada")
    await begins(ada)
    await ada.types("withdraw")
    await ada.presses("No more reminders")
    await ada.presses("Cymraeg")
    await ada.presses("Parhau")
    await ada.presses("Yn gwbl wir")
    contact = await contact_of(ada, bot)
    assert (contact.quiet, contact.language) == (True, "cy-GB")


async def test_a_late_tap_after_sending_says_where_one_is(teams: Teams, bot: RunningBot) -> None:
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    quiet = (await ada.types("withdraw")).action("No more reminders")
    await ada.presses("No, keep my answers")
    await sends(ada)
    before = await envelope_of(ada, bot)
    assert "You have already sent your answers" in (await ada.acts(quiet)).card.words
    assert await envelope_of(ada, bot) == before


async def test_without_an_envelope_there_is_nobody_to_remind(teams: Teams, bot: RunningBot) -> None:
    ada, bea = teams.person("Ada"), teams.person("Bea")
    await begins(ada)
    quiet = (await ada.types("withdraw")).action("No more reminders")
    assert "Police" in (await bea.acts(quiet)).card.buttons
    assert not (await contact_of(ada, bot)).quiet


# -- where one is ---------------------------------------------------------------------------------


async def test_status_says_where_one_is_and_shows_no_answer(teams: Teams, bot: RunningBot) -> None:
    ada = teams.person("Ada")
    assert "You have not started yet" in (await ada.types("status")).words
    await gets_to_the_end(ada, bot)
    shown = await ada.types("status")
    assert "you have not sent your answers yet" in shown.words
    assert "Mostly true" not in shown.words
    assert "Send my answers" in (await ada.presses("Continue")).buttons
    await sends(ada)
    assert "You have already sent your answers" in (await ada.types("status")).words
    await ada.types("withdraw")
    await ada.presses("Yes, delete my answers")
    assert "You have withdrawn" in (await ada.types("status")).words


# -- withdrawing ----------------------------------------------------------------------------------


async def test_until_the_mixing_what_was_sent_can_be_withdrawn(
    teams: Teams, bot: RunningBot
) -> None:
    """And it is in no mixing afterwards."""
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    receipt = await sends(ada)
    assert "On Thursday 5 March at 2am at the earliest" in receipt.words
    await have_sent(bot, comments=[{}] * 25)
    bot.clock.now = BEFORE_THE_MIXING
    assert await bot.app.worker.do_due() == []
    await ada.presses("Withdraw my answers")
    shown = await ada.presses("Yes, delete my answers")
    assert "You have withdrawn. Your answers are deleted." in shown.words
    assert not any((await envelope_of(ada, bot)).body.values())
    bot.clock.now = AT_THE_MIXING
    assert [deed.did for deed in await bot.app.worker.do_due()] == ["mixed"]
    assert (await envelope_of(ada, bot)).state == "withdrawn"
    assert "You have withdrawn" in (await ada.opens_the_chat()).words


async def test_whoever_was_not_mixed_on_the_day_can_still_withdraw(
    teams: Teams, bot: RunningBot
) -> None:
    """Too few others had answered: the card says "and for longer if they are not mixed"."""
    ada = teams.person("Ada")
    await gets_to_the_end(ada, bot)
    await sends(ada)
    await have_sent(bot, comments=[{}] * 5)
    bot.clock.now = AT_THE_MIXING
    await bot.app.worker.do_due()
    await ada.types("withdraw")
    assert "You have withdrawn" in (await ada.presses("Yes, delete my answers")).words


async def test_of_twenty_who_hesitate_the_ten_that_were_mixed_are_too_late(
    teams: Teams, bot: RunningBot
) -> None:
    """All have the question in front of them from before; which ten are mixed is drawn by lot."""
    people = [teams.person(f"Person {number}") for number in range(2 * K)]
    await have_sent(bot, comments=[{}] * len(people), people=people)
    for person in people:
        assert "Do you want to withdraw?" in (await person.types("withdraw")).words
    bot.clock.now = AT_THE_MIXING
    await bot.app.worker.do_due()
    mixed = [p for p in people if (await envelope_of(p, bot)).state == "released"]
    assert len(mixed) == K
    for person in people:
        shown = await person.presses("Yes, delete my answers")
        says = "It is too late to withdraw." if person in mixed else "You have withdrawn."
        assert says in shown.words
    for person in mixed:
        assert "have been mixed" in (await person.types("withdraw")).words
        assert "Yes, delete my answers" not in seen(person).buttons
        assert (await envelope_of(person, bot)).state == "released"


async def test_after_the_close_nobody_can_withdraw(teams: Teams, bot: RunningBot) -> None:
    fay, facilitators = teams.person("Fay"), teams.channel()
    await fay.posts("status", facilitators)
    ada = teams.person("Ada")
    await have_sent(bot, comments=[{}] * K, people=[ada])
    await ada.types("withdraw")
    await closes(fay, facilitators)
    await summary_in(teams, facilitators)
    assert "have been mixed" in (await ada.presses("Yes, delete my answers")).words
    assert (await envelope_of(ada, bot)).state == "released"
