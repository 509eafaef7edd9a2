"""The form that opens a snapshot: three cards, each carrying what was typed into those before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from adaptive_cards_python.adaptive_card.Action import Execute
from adaptive_cards_python.adaptive_card.Element import ElementType

from cards.contacts import CONTACTS, MOST_IN_A_LINE, contact_inputs
from cards.inputs import (
    Values,
    choice_input,
    date_input,
    label_of,
    number_input,
    text_input,
    time_input,
)
from cards.page import Page, say_days
from cards.parts import (
    Card,
    buttons,
    card,
    container,
    execute,
    link_of,
    paragraphs,
    plain_card,
    press,
    problem_box,
    text,
)
from cards.verbs import Verb
from snapshot.instrument import AgencyId
from snapshot.snapshot import OTHER, Cell
from snapshot.wording import Label, Pack, Wording, say_cell

MOST_PEOPLE = 1_000_000
MOST_IN_DATES = 400


@dataclass(frozen=True, slots=True)
class Draft:
    """What has been typed so far. `id` stays the same from card to card.

    `languages` are those that can be chosen, `first_day` is the earliest deadline, YYYY-MM-DD.
    """

    pack: Pack
    id: str
    typed: Values
    languages: Sequence[str]
    first_day: str

    @property
    def words(self) -> Wording:
        return self.pack.wording

    def without_contacts(self) -> Draft:
        """What the second card's buttons carry: its own inputs come by themselves.

        One that was emptied does not come at all, and what the button carried would stand for it.
        """
        return self._only(lambda id: id not in CONTACTS)

    def without_snapshot(self) -> Draft:
        """The same for the first card."""
        return self._only(lambda id: id in CONTACTS)

    def _only(self, is_carried: Callable[[str], bool]) -> Draft:
        carried = {id: value for id, value in self.typed.items() if is_carried(id)}
        return replace(self, typed=carried)


def headcount_id(agency: str) -> str:
    return f"headcount.{agency}"


def snapshot_form(draft: Draft, problems: Sequence[str] = ()) -> Card:
    """`problems`: what has to be mended first."""
    words, typed = draft.words, draft.typed
    limits = draft.pack.instrument.limits
    return plain_card(
        words,
        [
            *problem_box(problems),
            *paragraphs(words.messages["opening_intro"]),
            *text_input(words, "area", typed, most=MOST_IN_A_LINE),
            *text_input(words, "partnership_name", typed, most=MOST_IN_A_LINE),
            *choice_input(words, "nation", typed),
            *date_input(words, "deadline", typed, first=draft.first_day),
            *time_input(words, "deadline_time", typed),
            *text_input(words, "quiet_dates", typed, most=MOST_IN_DATES),
            *text_input(words, "report_month", typed, most=40),
            *number_input(
                words,
                "threshold",
                typed,
                least=limits.smallest_group,
                most=limits.largest_group,
            ),
            *choice_input(words, "mixing", typed),
            *_headcounts(draft),
            *choice_input(words, "language", typed, offered=draft.languages),
            buttons(_go_on(draft.without_snapshot(), Verb.NEW)),
        ],
    )


def contacts_form(draft: Draft, problems: Sequence[str] = ()) -> Card:
    words = draft.words
    return plain_card(
        words,
        [
            *problem_box(problems),
            *paragraphs(words.messages["contacts_intro"]),
            *contact_inputs(words, draft.typed),
            buttons(_go_on(draft.without_contacts(), Verb.CONTACTS)),
            buttons(_go_back(draft.without_contacts(), Verb.NEW)),
        ],
    )


def last_look_card(page: Page, draft: Draft, *, likely: str, warning: str) -> Card:
    """Everything once more. `likely`: when an interim summary may come; `warning` may be empty."""
    words = draft.words
    return card(
        page,
        [
            *([container(paragraphs(warning), style="warning")] if warning else []),
            *paragraphs(page.text("last_look", agency_groups=_counts(page, draft))),
            text(likely),
            *_facts(page, draft),
            buttons(_go_on(draft, Verb.OPEN)),
            buttons(_go_back(draft, Verb.NEW)),
            buttons(_go_back(draft, Verb.CONTACTS)),
        ],
        words=words,
    )


def opened_card(page: Page) -> Card:
    """For whoever opened it; where opening takes its time, all of the channel sees it."""
    return card(
        page,
        [
            *paragraphs(page.text("snapshot_opened")),
            *paragraphs(page.text("moderators_missing")),
            buttons(press(page, Verb.STATUS, page.words.buttons["see_code"], code=True)),
            buttons(press(page, Verb.ADD_LEADS)),
            buttons(press(page, Verb.STATUS)),
        ],
    )


def shareable_card(page: Page) -> Card:
    """Posted to the facilitators' channel, to be passed on from there."""
    return card(
        page,
        [*paragraphs(page.text("snapshot_opened")), buttons(link_of(page, "open_chat"))],
    )


def _headcounts(draft: Draft) -> list[ElementType]:
    """The hint stands once above them all, not under each."""
    words, nation = draft.words, draft.typed.get("nation", "")
    blocks: list[ElementType] = [
        text(words.inputs["headcount"].hint, separator=True, spacing="large")
    ]
    for agency in draft.pack.instrument.agencies:
        label = Label(label_of(words, "headcount", agency_name=agency.label_in(nation)).text)
        blocks += number_input(
            words, headcount_id(agency.id), draft.typed, label=label, least=0, most=MOST_PEOPLE
        )
    return blocks


def _facts(page: Page, draft: Draft) -> list[ElementType]:
    """What was typed and is not said above; dates as they were understood."""
    words, ids = draft.words, ["partnership_name", "nation", "report_month", "language", *CONTACTS]
    facts = {id: draft.typed[id] for id in ids}
    facts |= {id: words.choices[id][draft.typed[id]] for id in ("nation", "language")}
    if page.snapshot.quiet:
        facts = {"quiet_dates": say_days(page.snapshot.quiet, draft.pack), **facts}
    return [
        container(
            [text(label_of(words, id).text, weight="bolder"), text(said, spacing="none")],
            spacing="small",
        )
        for id, said in facts.items()
    ]


def _counts(page: Page, draft: Draft) -> str:
    """Each group, with what was typed for the agencies in it; last those that are not offered."""
    snapshot, agencies = page.snapshot, draft.pack.instrument.agencies
    typed = {
        a.id: f"{a.label_in(snapshot.nation)}: {draft.typed[headcount_id(a.id)]}" for a in agencies
    }
    nobody = [typed[a.id] for a in agencies if snapshot.cell_of(a.id) is None]
    groups = [_group(cell, typed, page, draft) for cell in snapshot.cells]
    return "\n".join(f"- {line}" for line in [*groups, *nobody])


def _group(cell: Cell, typed: Mapping[AgencyId, str], page: Page, draft: Draft) -> str:
    each = [typed[agency] for agency in cell.agencies]
    if cell.id != OTHER:
        return each[0]
    return (
        f"{say_cell(cell, page.snapshot.nation, draft.pack)}: {cell.headcount} ({'; '.join(each)})"
    )


def _go_on(draft: Draft, verb: Verb) -> Execute:
    return execute(draft.words.verbs[verb], verb, {**draft.typed, "draft": draft.id, "save": True})


def _go_back(draft: Draft, verb: Verb) -> Execute:
    """To an earlier card, with everything as it was typed."""
    title = draft.words.buttons[f"back_to_{verb.partition('.')[2]}"]
    return execute(title, verb, {**draft.typed, "draft": draft.id})
