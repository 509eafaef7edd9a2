"""A facilitator opens a snapshot by its form: what is asked, what is fixed, what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.rehearsal.teams import PersonHere, Shown, Teams
from snapshot.envelope import State
from snapshot.instrument import AgencyId
from snapshot.opening import Running
from snapshot.ports import DIRECTORY, Kind
from snapshot.snapshot import OTHER, Cell, CellId, Contacts, Mixing, Snapshot
from storage.keyfiles import KeyFiles
from tests.ports import free_port
from tests.stories.opening import (
    CONTACTS,
    SNAPSHOT,
    BotOnDemand,
    Form,
    a_form,
    another_process,
    goes_on,
    looks_once_more,
    only_headcounts,
    onward,
    opens,
    own_threads,
)
from tests.stories.people import answers_all, asks_about, begins, closes, seen, sends

LONDON = ZoneInfo("Europe/London")
HOME = "tenant-of-exampleshire"
NEIGHBOUR = "tenant-of-otherwick"
PLEASE_LOOK = "Please look again at this field: "


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[BotOnDemand]:
    """Nothing is open yet."""
    async with BotOnDemand(tmp_path, free_port()) as running:
        yield running


@pytest.fixture
def fay(teams: Teams) -> PersonHere:
    return teams.person("Fay")


async def open_ones(bot: BotOnDemand) -> list[Running]:
    return await bot.app.service.directory.all(fresh=True)


async def the_one(bot: BotOnDemand) -> Running:
    (running,) = await open_ones(bot)
    return running


async def posted(teams: Teams, bot: BotOnDemand, channel: str) -> list[Shown]:
    """What stands in the channel as threads of their own, once nothing is left to be posted."""
    await bot.works()
    return [sent.card for sent in own_threads(teams, channel)]


# -- three cards ----------------------------------------------------------------------------------


async def test_three_cards_and_the_snapshot_is_open(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    assert "Open a snapshot" in (await fay.posts("new", channel)).words
    shown = await fay.presses_in(channel, "Next: contacts", SNAPSHOT)
    assert "Who can people turn to?" in shown.words
    shown = await fay.presses_in(channel, "Next: check everything", CONTACTS)
    assert "Please check everything once more: Otherwick" in shown.words
    assert await open_ones(bot) == []
    shown = await fay.presses_in(channel, "Open the snapshot")
    assert "The snapshot for Otherwick is open." in shown.words
    assert "It closes at 4.30pm on Saturday 14 March." in shown.words
    assert len(await open_ones(bot)) == 1


async def test_the_form_asks_for_each_thing_once(fay: PersonHere, channel: str) -> None:
    first = await fay.posts("new", channel)
    assert first.inputs.keys() == SNAPSHOT.keys()
    second = await goes_on(fay, channel)
    assert second.inputs.keys() == CONTACTS.keys()


async def test_the_last_look_shows_everything_that_was_typed(fay: PersonHere, channel: str) -> None:
    said = (await looks_once_more(fay, channel)).words
    for typed in (
        *("Otherwick", "Otherwick Safeguarding Children Partnership", "England", "English"),
        *("Quiet dates\n3 April 2026; 6 – 17 April 2026", "Report due in\nApril"),
        *("4.30pm on Saturday 14 March", "Smallest group: 10 people", "Every third day"),
        *CONTACTS.values(),
    ):
        assert typed in said
    for headcount in (
        *("Police: 90", "Children's social care: 70", "Health: 160"),
        *("Education or early years: 210", "Probation or youth justice: 12"),
        *("Voluntary or community sector: 18", "Housing or another service: 0"),
    ):
        assert headcount in said


async def test_the_last_look_shows_the_groups_that_will_be_fixed(
    fay: PersonHere, channel: str
) -> None:
    said = (await looks_once_more(fay, channel)).words
    groups = said.partition("Agency groups:")[2].partition("Only the deadline")[0]
    small = "Probation or youth justice: 12; Voluntary or community sector: 18"
    assert f"Other agencies: 30 ({small})" in groups
    for agency in ("Children's social care", "Education or early years", "Health", "Police"):
        assert f"- {agency}: " in groups


async def test_the_last_look_says_when_an_interim_summary_is_likely(
    fay: PersonHere, channel: str
) -> None:
    """Mixed on Sunday 8 March; posted on the next working day."""
    said = (await looks_once_more(fay, channel)).words
    assert "A first interim summary is likely around Monday 9 March." in said


@pytest.mark.parametrize(
    "form", [a_form(mixing="close"), only_headcounts(police="30"), a_form(deadline="2026-03-04")]
)
async def test_the_last_look_says_that_no_interim_summary_is_likely(
    fay: PersonHere, channel: str, form: Form
) -> None:
    said = (await looks_once_more(fay, channel, form)).words
    assert "Expect no interim summary before the close" in said


async def test_whoever_opened_it_can_have_the_moderators_code(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    shown = await opens(fay, channel)
    code = (await the_one(bot)).moderator_code
    assert code not in shown.words
    assert shown.buttons == ["Show the moderators' code", "Add safeguarding leads", "See progress"]
    shown = await fay.presses_in(channel, "Show the moderators' code")
    assert f"moderate {code}" in shown.words
    (shareable,) = await posted(teams, bot, channel)
    assert code not in shareable.words


async def test_the_card_to_pass_on_is_posted_once_as_a_thread_of_its_own(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await opens(fay, channel)
    (shareable,) = await posted(teams, bot, channel)
    await bot.restarts()
    assert await posted(teams, bot, channel) == [shareable]
    assert "The snapshot for Otherwick is open." in shareable.words
    link = bot.settings.survey_link
    assert f"Link to share: {link}" in shareable.words
    assert shareable.action("Open the private chat")["url"] == link
    (sent,) = own_threads(teams, channel)
    assert sent.activity["summary"] == "Safeguarding snapshot"


async def test_the_store_has_exactly_what_was_typed(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await opens(fay, channel)
    await bot.restarts()
    found = (await the_one(bot)).snapshot
    assert found == Snapshot(
        id=found.id,
        area="Otherwick",
        partnership_name="Otherwick Safeguarding Children Partnership",
        nation="England",
        language="en-GB",
        tenants=(HOME,),
        instrument=bot.app.service.pack.instrument.id,
        instrument_version=bot.app.service.pack.instrument.version,
        cells=(
            a_cell("childrens_social_care", 70),
            a_cell("education_early_years", 210),
            a_cell("health", 160),
            a_cell("police", 90),
            combined("probation_youth_justice", "voluntary_community", headcount=30),
        ),
        k=10,
        mixing=Mixing.EVERY_3_DAYS,
        opened=bot.clock.now,
        deadline=datetime(2026, 3, 14, 16, 30, tzinfo=LONDON),
        timezone="Europe/London",
        report_month="April",
        contacts=Contacts(**CONTACTS),
        quiet=(date(2026, 4, 3), *(date(2026, 4, 6) + timedelta(days=n) for n in range(12))),
    )


def a_cell(agency: str, headcount: int) -> Cell:
    return Cell(CellId(agency), (AgencyId(agency),), headcount)


def combined(*agencies: str, headcount: int, named: str | None = None) -> Cell:
    name = AgencyId(named) if named else None
    return Cell(OTHER, tuple(AgencyId(a) for a in agencies), headcount, name)


# -- agencies -------------------------------------------------------------------------------------


async def test_an_agency_without_people_is_not_offered(
    teams: Teams, fay: PersonHere, channel: str
) -> None:
    await opens(fay, channel)
    welcome = await teams.person("Ada").opens_the_chat()
    assert "Police" in welcome.buttons
    assert "Probation or youth justice" in welcome.buttons
    assert "Housing or another service" not in welcome.buttons


async def test_where_the_small_ones_are_too_few_the_smallest_large_one_joins_and_names_them(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    form = only_headcounts(police="90", health="40", housing_other="24")
    said = (await looks_once_more(fay, channel, form)).words
    small = "Health: 40; Housing or another service: 24"
    assert f"Health and other agencies: 64 ({small})" in said
    await goes_on(fay, channel)
    assert (await the_one(bot)).snapshot.cells == (
        a_cell("police", 90),
        combined("health", "housing_other", headcount=64, named="health"),
    )


async def test_in_wales_agencies_have_their_welsh_names(fay: PersonHere, channel: str) -> None:
    said = (await looks_once_more(fay, channel, a_form(nation="Wales"))).words
    assert "Third sector: 18" in said
    assert "Children's social services: 70" in said
    assert "Nation\nWales" in said


async def test_headcounts_below_the_smallest_group_are_refused_with_their_total(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await fay.posts("new", channel)
    form = only_headcounts(police="4", health="5")
    shown = await goes_on(fay, channel, form)
    assert "The headcounts come to 9. That is fewer than the smallest group, 10" in shown.words
    assert shown.inputs["headcount.health"] == "5"
    assert await open_ones(bot) == []
    assert "Who can people turn to?" in (await goes_on(fay, channel, SNAPSHOT)).words


@pytest.mark.parametrize(("threshold", "warned", "not_warned"), [("10", 24, 25), ("14", 34, 35)])
async def test_few_people_are_warned_and_may_still_open(
    bot: BotOnDemand, fay: PersonHere, channel: str, threshold: str, warned: int, not_warned: int
) -> None:
    enough = {**only_headcounts(police=str(not_warned)), "threshold": threshold}
    said = (await looks_once_more(fay, channel, enough)).words
    assert "will probably be withheld" not in said
    few = {**only_headcounts(police=str(warned)), "threshold": threshold}
    said = (await looks_once_more(fay, channel, few)).words
    assert f"The headcounts come to {warned}. We show results only" in said
    assert "is open." in (await goes_on(fay, channel)).words
    assert (await the_one(bot)).snapshot.headcounts == {OTHER: warned}


# -- going back, leaving out ----------------------------------------------------------------------


async def test_going_back_to_the_first_card_keeps_what_was_typed_on_both(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await looks_once_more(fay, channel)
    shown = await fay.presses_in(channel, "Change the snapshot")
    assert shown.inputs == dict(SNAPSHOT)
    shown = await fay.presses_in(channel, "Next: contacts", {"area": "Elsewhere"})
    assert shown.inputs == dict(CONTACTS)
    said = (await fay.presses_in(channel, "Next: check everything")).words
    assert "once more: Elsewhere" in said
    assert "once more: Otherwick" not in said


async def test_going_back_to_the_second_card_keeps_what_was_typed_on_both(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await looks_once_more(fay, channel)
    shown = await fay.presses_in(channel, "Change the contacts")
    assert shown.inputs == dict(CONTACTS)
    await fay.presses_in(channel, "Next: check everything", {"front_door_name": "New Door"})
    await fay.presses_in(channel, "Open the snapshot")
    opened = (await the_one(bot)).snapshot
    assert opened.contacts == Contacts(**{**CONTACTS, "front_door_name": "New Door"})
    assert opened.area == "Otherwick"


async def test_going_back_from_the_second_card_keeps_the_first(
    fay: PersonHere, channel: str
) -> None:
    await fay.posts("new", channel)
    await goes_on(fay, channel)
    shown = await fay.presses_in(channel, "Change the snapshot", CONTACTS)
    assert shown.inputs == dict(SNAPSHOT)
    shown = await fay.presses_in(channel, "Next: contacts")
    assert shown.inputs == dict(CONTACTS), "half-filled contacts are not thrown away"


async def test_a_field_that_was_emptied_is_asked_for_again(fay: PersonHere, channel: str) -> None:
    """Teams does not send an empty input at all: its old value must not stand in for it."""
    await looks_once_more(fay, channel)
    await fay.presses_in(channel, "Change the snapshot")
    shown = await fay.presses_in(channel, "Next: contacts", {"area": "", "headcount.police": ""})
    assert f"{PLEASE_LOOK}Area." in shown.words
    assert f"{PLEASE_LOOK}Headcount: Police." in shown.words
    assert (shown.inputs["area"], shown.inputs["headcount.police"]) == ("", "")
    await goes_on(fay, channel, a_form(area="Elsewhere"))
    shown = await fay.presses_in(channel, "Next: check everything", {"privacy_url": ""})
    assert f"{PLEASE_LOOK}Full privacy notice: link." in shown.words
    assert shown.inputs == {**CONTACTS, "privacy_url": ""}
    assert "once more: Elsewhere" in (await goes_on(fay, channel)).words


async def test_each_field_has_to_be_filled_in_but_for_the_mixing_and_quiet_dates(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    shown = await looks_once_more(fay, channel)
    whole = shown.action("Open the snapshot")
    for id in {*SNAPSHOT, *CONTACTS} - {"mixing", "quiet_dates"}:
        left_out = {key: value for key, value in whole["data"].items() if key != id}
        shown = (await fay.acts({**whole, "data": left_out}, chat=channel)).card
        assert shown.words.count(PLEASE_LOOK) == 1, id
        assert shown.inputs == {**(SNAPSHOT if id in SNAPSHOT else CONTACTS), id: ""}
    assert await open_ones(bot) == []


@pytest.mark.parametrize(
    ("deadline", "said", "kept"),
    [
        ("2026-03-14", "Every third day", Mixing.EVERY_3_DAYS),
        ("2026-04-01", "Once a week", Mixing.WEEKLY),
    ],
)
async def test_without_a_choice_the_window_decides_on_the_mixing(
    bot: BotOnDemand, fay: PersonHere, channel: str, deadline: str, said: str, kept: Mixing
) -> None:
    form = a_form(mixing="", deadline=deadline)
    assert f"Mixing: {said}" in (await looks_once_more(fay, channel, form)).words
    await goes_on(fay, channel)
    assert (await the_one(bot)).snapshot.mixing is kept


async def test_without_quiet_dates_none_are_shown_or_kept(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    said = (await looks_once_more(fay, channel, a_form(quiet_dates=""))).words
    assert "Quiet dates" not in said
    await goes_on(fay, channel)
    assert (await the_one(bot)).snapshot.quiet == ()


async def test_quiet_dates_that_were_emptied_are_gone(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await looks_once_more(fay, channel)
    await fay.presses_in(channel, "Change the snapshot")
    await fay.presses_in(channel, "Next: contacts", {"quiet_dates": ""})
    await goes_on(fay, channel)
    await goes_on(fay, channel)
    assert (await the_one(bot)).snapshot.quiet == ()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("3 April 2026; Easter", "We could not read this: Easter."),
        ("3 April 2025", "This is not within a year from today: 3 April 2025."),
        ("3 March - 1 July 2026", "These are 121 days. You can name at most 120."),
        ("[3 April 2026](https://evil.example)", "Give only days, months, years"),
    ],
)
async def test_what_is_wrong_with_quiet_dates_is_said(
    fay: PersonHere, channel: str, typed: str, said: str
) -> None:
    await fay.posts("new", channel)
    shown = await goes_on(fay, channel, a_form(quiet_dates=typed))
    assert f"{PLEASE_LOOK}Quiet dates." in shown.words
    assert said in shown.words
    assert "evil" not in shown.words
    assert shown.inputs["quiet_dates"] == typed


# -- in Welsh -------------------------------------------------------------------------------------


async def test_it_can_all_be_done_in_welsh(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    fay.locale = "cy-GB"
    shown = await fay.posts("newydd", channel)
    assert "Agor ciplun" in shown.words
    assert shown.inputs["language"] == "cy-GB", "what is asked in Welsh proposes Welsh"
    form = a_form(
        language="cy-GB", nation="Wales", area="Ynys Gynradd", quiet_dates="3 i 5 Ebrill 2026"
    )
    shown = await goes_on(fay, channel, {**form, "headcount.police": "-1"})
    assert "Edrychwch eto ar y blwch hwn, os gwelwch yn dda: Nifer y staff" in shown.words
    await goes_on(fay, channel, form)
    shown = await fay.presses_in(channel, "Nesaf: gwirio popeth", CONTACTS)
    assert "Gwiriwch bopeth unwaith eto, os gwelwch yn dda: Ynys Gynradd" in shown.words
    assert "Y trydydd sector: 18" in shown.words
    assert "Dyddiadau tawel\n3 – 5 Ebrill 2026" in shown.words
    shown = await fay.presses_in(channel, "Agor y ciplun")
    assert "Mae'r ciplun ar gyfer Ynys Gynradd ar agor." in shown.words
    (shareable,) = await posted(teams, bot, channel)
    assert "dydd Sadwrn 14 Mawrth" in shareable.words


async def test_the_channel_may_have_another_language_than_whoever_opens(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    shown = await looks_once_more(fay, channel, a_form(language="cy-GB"))
    assert "Please check everything once more" in shown.words
    assert "Language\nCymraeg" in shown.words
    shown = await fay.presses_in(channel, "Open the snapshot")
    assert "Mae'r ciplun ar gyfer Otherwick ar agor." in shown.words
    (shareable,) = await posted(teams, bot, channel)
    assert "Mae'r ciplun ar gyfer Otherwick ar agor." in shareable.words
    assert (await the_one(bot)).snapshot.language == "cy-GB"
    assert "Continue" in (await teams.person("Ada").types("start")).buttons


# -- who may answer -------------------------------------------------------------------------------


async def test_a_practitioner_of_the_tenant_can_answer_and_one_of_another_cannot(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await opens(fay, channel)
    ada, stan = teams.person("Ada"), teams.person("Stan", tenant=NEIGHBOUR)
    shown = await begins(ada)
    assert asks_about(shown) == "AW1"
    assert "No snapshot is open for you here" in (await stan.types("start")).words
    answer = await stan.acts(shown.action("Mostly true"))
    assert "No snapshot is open for you here" in answer.card.words
    await answers_all(ada)
    assert "sealed" in (await sends(ada)).words


async def test_where_two_tenants_are_set_people_of_both_can_answer(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    bot.more_settings = {"SNAPSHOT_TENANTS": f"{HOME}, {NEIGHBOUR.upper()}"}
    await bot.restarts()
    await opens(fay, channel)
    for tenant in (HOME, NEIGHBOUR):
        someone = teams.person("Ada", tenant=tenant)
        assert asks_about(await begins(someone)) == "AW1"
    stan = teams.person("Stan", tenant="tenant-of-elsewhere")
    assert "No snapshot is open for you here" in (await stan.types("start")).words


async def test_one_object_id_in_two_tenants_is_two_people_whose_answers_do_not_meet(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    bot.more_settings = {"SNAPSHOT_TENANTS": f"{HOME},{NEIGHBOUR}"}
    await bot.restarts()
    await opens(fay, channel)
    ada = teams.person("Ada")
    double = PersonHere(teams, "Ada", NEIGHBOUR, ada.object_id)
    await begins(ada, "Police")
    await answers_all(ada)
    await sends(ada)
    # Their chats share a name in this Teams, so each goes on with the card that they have.
    await begins(double, "Health")
    assert asks_about(seen(double)) == "AW1"
    snapshot = (await the_one(bot)).snapshot
    heads = await bot.app.service.records.heads(snapshot.id, Kind.ENVELOPE)
    assert sorted(head.state for head in heads) == [State.OPEN, State.SUBMITTED]


# -- one at a time --------------------------------------------------------------------------------


async def test_while_one_is_open_in_the_channel_no_other_is_begun(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    other = teams.person("Flo")
    await other.posts("new", channel)
    await opens(fay, channel)
    assert "already" in (await fay.posts("new", channel)).words
    assert "already" in (await goes_on(other, channel)).words
    assert len(await open_ones(bot)) == 1
    elsewhere = teams.channel("elsewhere")
    assert "is open." in (await opens(fay, elsewhere, a_form(area="Elsewhere"))).words


async def test_once_it_is_closed_another_can_be_opened(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await opens(fay, channel)
    await closes(fay, channel)
    await bot.works()
    assert "is open." in (await opens(fay, channel, a_form(area="Again"))).words
    assert "for Again is open" in (await fay.posts("status", channel)).words
    assert len(await open_ones(bot)) == 2


async def test_two_people_who_open_at_once_in_one_channel_open_one(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    """Each has filled in a form of their own."""
    flo = teams.person("Flo")
    await looks_once_more(fay, channel, a_form(area="Faywick"))
    await looks_once_more(flo, channel, a_form(area="Flowick"))
    shown = await asyncio.gather(goes_on(fay, channel), goes_on(flo, channel))
    assert sorted("is open." in card.words for card in shown) == [False, True]
    assert any("already" in card.words for card in shown)
    assert len(await open_ones(bot)) == 1


async def test_what_another_process_opened_in_the_channel_is_seen_at_once(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await looks_once_more(fay, channel)
    async with another_process(bot) as other, Teams(other.url) as there:
        await opens(there.person("Flo"), channel)
        assert "already" in (await goes_on(fay, channel)).words
    assert len(await open_ones(bot)) == 1


async def test_the_form_sent_twice_opens_one_snapshot_with_one_post(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    shown = await looks_once_more(fay, channel)
    action = shown.action("Open the snapshot")
    flo = teams.person("Flo")
    answers = [
        *await asyncio.gather(
            fay.acts(action, chat=channel),
            fay.acts(action, chat=channel),
            flo.acts(action, chat=channel),
        ),
        await fay.acts(action, chat=channel),
    ]
    assert all("The snapshot for Otherwick is open." in a.card.words for a in answers)
    assert len(await open_ones(bot)) == 1
    assert len(await posted(teams, bot, channel)) == 1


async def test_the_same_form_changed_after_it_was_opened_changes_nothing(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    shown = await looks_once_more(fay, channel)
    await goes_on(fay, channel)
    answer = await fay.acts(shown.action("Open the snapshot"), chat=channel, area="Elsewhere")
    assert "The snapshot for Otherwick is open." in answer.card.words
    assert (await the_one(bot)).snapshot.area == "Otherwick"


async def test_the_form_sent_again_after_the_close_says_that_it_is_closed(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    shown = await looks_once_more(fay, channel)
    await goes_on(fay, channel)
    await closes(fay, channel)
    answer = await fay.acts(shown.action("Open the snapshot"), chat=channel)
    assert "The snapshot closed on Monday 2 March" in answer.card.words
    await bot.works()
    answer = await fay.acts(shown.action("Open the snapshot"), chat=channel)
    assert "results are withheld" in answer.card.words
    assert len(await open_ones(bot)) == 1


async def test_cards_in_the_wrong_order_ask_for_what_is_missing(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    first = await fay.posts("new", channel)
    forged = {**onward(first), "verb": "snapshot.open"}
    answer = await fay.acts(forged, chat=channel)
    assert f"{PLEASE_LOOK}Area." in answer.card.words
    assert "Open a snapshot" in answer.card.words
    answer = await fay.acts(forged, dict(SNAPSHOT), chat=channel)
    assert "Who can people turn to?" in answer.card.words
    assert answer.card.words.count(PLEASE_LOOK) == len(CONTACTS)
    answer = await fay.acts({**forged, "verb": "snapshot.contacts"}, dict(CONTACTS), chat=channel)
    assert "Open a snapshot" in answer.card.words
    assert await open_ones(bot) == []


# -- what is forged -------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["snapshot.new", "snapshot.contacts", "snapshot.open"])
async def test_a_form_without_a_right_id_is_no_longer_on_offer(
    bot: BotOnDemand,
    fay: PersonHere,
    channel: str,
    verb: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = await fay.posts("new", channel)
    forged = {**onward(first), "verb": verb}
    for draft in ("", "../x", "0" * 19, "G" * 20, "0" * 21, 7, None, ["0" * 20]):
        answer = await fay.acts(forged, a_form(), chat=channel, draft=draft)
        assert "That choice is no longer on offer. Nothing has changed." in answer.card.words
    assert await open_ones(bot) == []
    assert "turn failed" not in capsys.readouterr().err


async def test_the_form_of_another_channel_neither_shows_nor_touches_its_snapshot(
    teams: Teams,
    bot: BotOnDemand,
    fay: PersonHere,
    channel: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = await looks_once_more(fay, channel)
    await goes_on(fay, channel)
    before = await the_one(bot)
    elsewhere, stan = teams.channel("elsewhere", tenant=NEIGHBOUR), teams.person("Stan")
    action = shown.action("Open the snapshot")
    answer = await stan.acts(action, chat=elsewhere, area="Stanwick")
    assert "no longer on offer" in answer.card.words
    assert "Otherwick" not in answer.card.words
    assert before.moderator_code not in answer.card.words
    assert await the_one(bot) == before
    assert await posted(teams, bot, elsewhere) == []
    assert "turn failed" not in capsys.readouterr().err


async def test_a_form_that_wandered_to_another_channel_before_it_was_opened_opens_there(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    """A card can be passed on; until it is opened it belongs to no channel."""
    shown = await looks_once_more(fay, channel)
    elsewhere = teams.channel("elsewhere")
    await fay.acts(shown.action("Open the snapshot"), chat=elsewhere)
    answer = await fay.acts(shown.action("Open the snapshot"), chat=channel)
    assert "no longer on offer" in answer.card.words
    assert len(await open_ones(bot)) == 1
    assert "is open." in (await fay.posts("status", elsewhere)).words


async def test_the_form_cannot_be_opened_from_a_private_chat(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    shown = await looks_once_more(fay, channel)
    await fay.acts(shown.action("Open the snapshot"))
    assert await open_ones(bot) == []


# -- a crash in between ---------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["the key alone", "the record deleted"])
async def test_an_opening_that_was_cut_short_is_finished_by_pressing_again(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str, first: str
) -> None:
    shown = await looks_once_more(fay, channel)
    action = shown.action("Open the snapshot")
    id = f"snapshot-{action['data']['draft']}"
    if first == "the key alone":
        await KeyFiles(bot.folder / "keys").create(id)
    else:
        await fay.acts(action, chat=channel)
        records = bot.app.service.records
        await records.delete(await records.read(DIRECTORY, Kind.SNAPSHOT, id))
    await bot.restarts()
    assert await open_ones(bot) == []
    assert "is open." in (await fay.presses_in(channel, "Open the snapshot")).words
    assert (await the_one(bot)).snapshot.id == id
    assert asks_about(await begins(teams.person("Ada"))) == "AW1"
    assert len(await posted(teams, bot, channel)) == 1


async def test_an_opening_is_posted_once_by_whoever_finds_that_it_was_not(
    teams: Teams, bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    """Killed right after the snapshot was kept, before anything else."""
    shown = await looks_once_more(fay, channel)
    await goes_on(fay, channel)
    assert (
        await bot.app.service.records.read_all((await the_one(bot)).snapshot.id, Kind.MESSAGE) == []
    )
    await bot.restarts()
    assert len(await posted(teams, bot, channel)) == 1
    await fay.acts(shown.action("Open the snapshot"), chat=channel)
    assert len(await posted(teams, bot, channel)) == 1


# -- what is mistyped -----------------------------------------------------------------------------

A_LOT = "9" * 30
type Bad = Mapping[str, Mapping[str, tuple[str, ...]]]

BAD_SNAPSHOTS: Bad = {
    "Closing date": {
        "deadline": ("2026-03-01", "2026-02-30", "soon", "14/03/2026", "2027-03-04", "9999-12-31"),
    },
    "Closing time": {"deadline_time": ("25:00", "24:01", "noon", "5", "16:30:15.5")},
    "Quiet dates": {
        "quiet_dates": (
            "soon",
            "1 March 2026",
            "3 March - 1 July 2026",
            "`3 April 2026`",
            "3 A" * 134,
        ),
    },
    "Smallest group": {"threshold": ("9", "21", "ten", "-10", "10.0", "1e1", A_LOT)},
    "Headcount: Police": {
        "headcount.police": ("-1", "abc", "1e9", "1000001", "12.5", "60.0", "½", "٣٠", A_LOT),
    },
    "Nation": {"nation": ("Scotland", "england", "England, Wales")},
    "Mixing": {"mixing": ("hourly", "Weekly", "*")},
    "Language": {"language": ("fr-FR", "en", "cy-gb", "../en-GB")},
    "Area": {
        "area": (
            "[Otherwick](https://evil.example)",
            "<b>Otherwick</b>",
            "<at>Everybody</at>",
            "**Otherwick**",
            "{survey_link}",
            "Other\0wick",
            "Other\x1bwick",
            "Other\N{RIGHT-TO-LEFT OVERRIDE}wick",
            "\N{ZERO WIDTH SPACE}",
            " \n ",
            "O" * 500,
        ),
    },
    "Partnership": {"partnership_name": ("`code`", "a|b", "P" * 121)},
    "Report due in": {"report_month": ("[May](x)", "M" * 41)},
}
BAD_CONTACTS: Bad = {
    "Front door": {"front_door_name": ("[MASH](https://evil.example)", "M" * 500)},
    "Front door: phone": {"front_door_phone": ("call us", "()()", "12", "01632 96O OO1")},
    "Out of hours: phone": {"out_of_hours_phone": ("none", "1" * 41, "01632 960 001; 2")},
    "Safeguarding contact: email": {
        "safeguarding_email": ("sam@otherwick", "sam", "@otherwick.example", "a b@c.example"),
    },
    "Questions about the snapshot: email": {
        "contact_email": (
            "x@y",
            "<x@y.example>",
            f"{'x' * 200}@y.example",
            "x@y.example,z@y.example",
        ),
    },
    "Full privacy notice: link": {
        "privacy_url": (
            "http://otherwick.example/privacy",
            "javascript:alert(1)",
            "otherwick.example/privacy",
            "https://",
            "https://localhost",
            "https://[::1",
            "https://otherwick.example/a b",
            f"https://otherwick.example/{'x' * 400}",
        ),
    },
}


def cases(bad: Bad) -> list[Any]:
    return [
        pytest.param(label, id, values, id=id)
        for label, fields in bad.items()
        for id, values in fields.items()
    ]


@pytest.mark.parametrize(("label", "id", "values"), cases(BAD_SNAPSHOTS))
async def test_on_the_first_card_what_is_mistyped_is_named_and_nothing_is_lost(
    bot: BotOnDemand, fay: PersonHere, channel: str, label: str, id: str, values: tuple[str, ...]
) -> None:
    await fay.posts("new", channel)
    for value in values:
        shown = await goes_on(fay, channel, {**SNAPSHOT, id: value})
        assert shown.words.count(PLEASE_LOOK) == 1, value
        assert f"{PLEASE_LOOK}{label}. Nothing has changed yet." in shown.words
        assert {**shown.inputs, id: ""} == {**SNAPSHOT, id: ""}
    assert await open_ones(bot) == []
    assert "Who can people turn to?" in (await goes_on(fay, channel)).words


@pytest.mark.parametrize(("label", "id", "values"), cases(BAD_CONTACTS))
async def test_on_the_second_card_what_is_mistyped_is_named_and_nothing_is_lost(
    bot: BotOnDemand, fay: PersonHere, channel: str, label: str, id: str, values: tuple[str, ...]
) -> None:
    await fay.posts("new", channel)
    await goes_on(fay, channel)
    for value in values:
        shown = await goes_on(fay, channel, {**CONTACTS, id: value})
        assert shown.words.count(PLEASE_LOOK) == 1, value
        assert f"{PLEASE_LOOK}{label}. Nothing has changed yet." in shown.words
        assert {**shown.inputs, id: ""} == {**CONTACTS, id: ""}
    assert await open_ones(bot) == []
    assert "check everything once more" in (await goes_on(fay, channel)).words


@pytest.mark.parametrize(
    "forged",
    [
        {"headcount.police": -1},
        {"headcount.police": 1e9},
        {"headcount.police": 12.5},
        {"headcount.police": True},
        {"headcount.police": ["90"]},
        {"quiet_dates": "every day"},
        {"threshold": 9},
        {"threshold": None},
        {"deadline": {"date": "2026-03-14"}},
        {"language": ["en-GB"]},
        {"contact_email": "a@b"},
        {"area": "\N{ZERO WIDTH SPACE}"},
    ],
)
async def test_what_was_changed_on_its_way_is_checked_once_more_at_the_end(
    bot: BotOnDemand, fay: PersonHere, channel: str, forged: dict[str, Any]
) -> None:
    shown = await looks_once_more(fay, channel)
    answer = await fay.acts(shown.action("Open the snapshot"), chat=channel, **forged)
    assert answer.card.words.count(PLEASE_LOOK) == 1
    assert await open_ones(bot) == []


async def test_numbers_may_come_as_numbers_and_names_on_several_lines(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    shown = await looks_once_more(fay, channel)
    sent = {"headcount.police": 91, "threshold": 12, "area": " Other\r\n  wick\N{NO-BREAK SPACE}"}
    await fay.acts(shown.action("Open the snapshot"), sent, chat=channel)
    snapshot = (await the_one(bot)).snapshot
    assert (snapshot.headcounts[CellId("police")], snapshot.k) == (91, 12)
    assert snapshot.area == "Other wick"


async def test_a_form_that_lay_until_its_deadline_had_passed_is_not_opened(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    await looks_once_more(fay, channel)
    bot.clock.moves(days=13)
    assert f"{PLEASE_LOOK}Closing date." in (await goes_on(fay, channel, {})).words
    assert await open_ones(bot) == []


async def test_the_longest_form_still_fits_on_a_card(
    bot: BotOnDemand, fay: PersonHere, channel: str
) -> None:
    """Teams takes cards of 28,000 bytes. These letters take two bytes each."""
    most_in = {
        **dict.fromkeys(("area", "partnership_name", "front_door_name", "front_door_hours"), 120),
        **dict.fromkeys(("safeguarding_name", "data_controller"), 120),
        **dict.fromkeys(("allegations_contact", "staff_support"), 200),
        "report_month": 40,
    }
    long = {id: "ŵ" * most for id, most in most_in.items()}
    # As many days as have room, each of which is said at more length than it was typed.
    months, days = ("sep", "nov", "dec"), range(5, 27, 2)
    long["quiet_dates"] = ";".join(f"{day} {month} 2026" for month in months for day in days)
    url = f"https://otherwick.example/{'x' * 370}"
    await fay.posts("new", channel)
    form = a_form(**long, privacy_url=url)
    await goes_on(fay, channel, form)
    shown = seen(fay)
    answer = await fay.acts(
        onward(shown), shown.filled({id: form[id] for id in CONTACTS}), chat=channel
    )
    assert "check everything once more" in answer.card.words
    assert len(answer.body) < 28_000
