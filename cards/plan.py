"""The action plan. Its words stand only in what answers a facilitator's own tap.

Whatever somebody wrote is shown as text. What is in a box stays there until it is saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

import orjson
from adaptive_cards_python.adaptive_card.Element import Container, ElementType

from cards.inputs import Values, choice_input, date_input, list_input, text_input
from cards.page import Page, say_days
from cards.parts import (
    Button,
    Card,
    as_it_is,
    band_style,
    buttons,
    card,
    container,
    heading,
    paragraphs,
    press,
    text,
)
from cards.verbs import Verb
from snapshot.advice import Library
from snapshot.findings import Recommended
from snapshot.plan import MOST, Action, Plan

NO_AGENCY = "none"
"""The choice of whoever does not know yet."""

BOXES = {
    "recommendation": "title",
    "owner_name": "owner",
    "owner_agency": "agency",
    "due_date": "due",
    "check": "check",
    "status": "status",
    "note": "note",
}
"""The inputs of the form, and what of an action stands in each."""

_MOST_ON_A_CARD = 10
_MOST_BYTES = 17_000
"""Of the actions on one card, or of the recommendations."""

_MOST_OF_A_NOTE = 200
"""Characters, on a card that shows more than the one action."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the cards of a plan share. `library`: None where the programme has none."""

    page: Page
    library: Library | None
    today: date

    @property
    def agencies(self) -> dict[str, str]:
        """Who may own an action: the library's bodies, or else the instrument's agencies."""
        nation = self.page.snapshot.nation
        if self.library:
            return {id: body.label_in(nation) for id, body in self.library.leads.items()}
        return {a.id: a.label_in(nation) for a in self.page.instrument.agencies}


# -- the plan -------------------------------------------------------------------------------------


def plan_notice(page: Page) -> Card:
    """What everybody in the channel can read: where the plan is."""
    return card(page, [*paragraphs(page.text("plan_where")), buttons(press(page, Verb.PLAN))])


def plan_card(
    desk: Desk, plan: Plan, start: int = 0, *, left: int | None = None, notes: Sequence[str] = ()
) -> Card:
    """The plan from the action of this number on.

    `left`: how many recommendations are not on it; None: nothing can be added yet.
    """
    page = desk.page
    shown = _fitting(_action(desk, plan, a, start) for a in plan.actions[start:])
    end = start + len(shown)
    body: list[ElementType] = []
    for number, one in enumerate(shown, start):
        if number in (start, len(plan.here)):
            word = "plan_here" if number < len(plan.here) else "plan_earlier"
            body.append(heading(page.words.word(word), size="medium", separator=number > start))
        body.append(one)
    more = press(page, Verb.PLAN, page.words.buttons["more_actions"], start=end)
    return card(
        page,
        [
            *(container(paragraphs(note), style="accent") for note in notes),
            *paragraphs(page.text("plan_title")),
            *paragraphs(page.text("plan_intro" if plan.actions else "plan_empty")),
            *body,
            *([buttons(more)] if end < len(plan.actions) else []),
            *_adding(page, left),
            buttons(press(page, Verb.STATUS)),
        ],
    )


def _adding(page: Page, left: int | None) -> list[ElementType]:
    if left is None:
        return paragraphs(page.text("plan_not_yet"))
    own = press(page, Verb.EDIT_ACTION, page.words.buttons["own_action"], own=True)
    return [
        *([buttons(press(page, Verb.ADVICE))] if left else []),
        buttons(own),
    ]


def _action(desk: Desk, plan: Plan, action: Action, start: int) -> Container:
    page = desk.page
    change = press(
        page,
        Verb.EDIT_ACTION,
        page.words.buttons["edit_action"],
        hint=action.title,
        action=action.id,
        start=start,
    )
    lines = _lines(desk, action)
    if action not in plan.here:
        since = _day(page, action.since)
        lines.append(text(page.words.word("plan_since", day=since), spacing="small"))
    style = "warning" if action.is_overdue(desk.today) else "emphasis"
    return container([*lines, buttons(change)], style=style, spacing="medium")


def _lines(desk: Desk, action: Action) -> list[ElementType]:
    """An action as it stands, its note in short."""
    words = desk.page.words
    label = {id: words.inputs[id].text for id in BOXES}
    agency = desk.agencies.get(action.agency, "")
    owner = ", ".join(filter(None, (action.owner, agency)))
    said = {
        "owner_name": owner or words.word("plan_nobody"),
        "due_date": _due(desk, action),
        "status": words.choices["status"][action.status],
        "check": action.check,
        "note": _in_short(action.note),
    }
    told = (words.word("plan_said", label=label[id], said=s) for id, s in said.items() if s)
    return [as_it_is(action.title, weight="bolder"), *(line for t in told for line in _told(t))]


def _told(words: str) -> list[ElementType]:
    """What somebody wrote, each line as one."""
    first, *others = filter(None, (line.strip() for line in words.splitlines()))
    return [as_it_is(first, spacing="small"), *(as_it_is(o, spacing="none") for o in others)]


def _due(desk: Desk, action: Action) -> str:
    words = desk.page.words
    if action.due is None:
        return words.word("plan_no_day")
    day = _day(desk.page, action.due)
    return words.word("plan_overdue", day=day) if action.is_overdue(desk.today) else day


def _day(page: Page, day: date) -> str:
    return say_days([day], page.pack)


def _in_short(note: str) -> str:
    if len(note) <= _MOST_OF_A_NOTE:
        return note
    return f"{note[: _MOST_OF_A_NOTE - 1]}…"


# -- what is recommended --------------------------------------------------------------------------


def advice_card(desk: Desk, left: Sequence[Recommended], start: int = 0) -> Card:
    """What is recommended and not on the plan yet, from the one of this number on."""
    page = desk.page
    shown = _fitting(_recommended(desk, r) for r in left[start:])
    end = start + len(shown)
    more = press(page, Verb.ADVICE, page.words.buttons["more_actions"], start=end)
    return card(
        page,
        [
            *paragraphs(page.text("plan_advice" if left else "plan_advice_none")),
            *shown,
            *([buttons(more)] if end < len(left) else []),
            buttons(press(page, Verb.PLAN)),
        ],
    )


def _recommended(desk: Desk, recommended: Recommended) -> Container:
    page, advice, library = desk.page, recommended.recommendation, desk.library
    about, because = recommended.about, recommended.because
    when = [library.timescales[advice.timescale].label] if library else []
    lead = page.words.word("plan_lead", lead=desk.agencies[advice.lead])
    add = press(
        page,
        Verb.EDIT_ACTION,
        page.words.buttons["add_action"],
        hint=advice.text,
        about=about,
        because=because,
    )
    band = next((b for b in page.instrument.bands if b.id == because), None)
    style = band_style(band, page.instrument) if band else "emphasis"
    return container(
        [
            text(say_reason(desk, about, because), weight="bolder"),
            text(advice.text, spacing="small"),
            *(text(line, spacing="small") for line in (lead, *_with(desk, recommended), *when)),
            buttons(add),
        ],
        style=style,
        spacing="medium",
    )


def _with(desk: Desk, recommended: Recommended) -> list[str]:
    said = say_needed(desk, recommended)
    return [said] if said else []


def say_needed(desk: Desk, recommended: Recommended) -> str:
    """Who is needed besides whoever leads; empty: nobody."""
    needed = ", ".join(desk.agencies[id] for id in recommended.recommendation.needed)
    return desk.page.words.word("plan_with", agencies=needed) if needed else ""


def say_reason(desk: Desk, about: str, because: str) -> str:
    """What led to a recommendation: "Signs: ▼ Red". Empty where it is not known any more."""
    page = desk.page
    names: dict[str, str] = {d.id: d.title for d in page.instrument.domains}
    names |= {s.id: s.short for s in page.instrument.statements}
    reasons: dict[str, str] = {b.id: f"{b.symbol} {b.name}" for b in page.instrument.bands}
    reasons |= {p.id: p.title for p in desk.library.patterns} if desk.library else {}
    if about not in names or because not in reasons:
        return ""
    return page.words.word("plan_said", label=names[about], said=reasons[because])


# -- one action -----------------------------------------------------------------------------------


def action_form(
    desk: Desk,
    action: Action,
    typed: Values,
    *,
    start: int = 0,
    problems: Sequence[str] = (),
    now: Action | None = None,
) -> Card:
    """`typed` stands in the boxes, and `action` is what it would change.

    `now`: what somebody else has made of the action meanwhile.
    """
    page = desk.page
    words = page.words
    reason = say_reason(desk, action.about, action.because)
    return card(
        page,
        [
            *([container(_paragraphs(problems), style="warning")] if problems else []),
            *([container(_lines(desk, now), style="emphasis")] if now else []),
            *paragraphs(page.text("plan_title")),
            *([text(reason, weight="bolder")] if reason else []),
            *text_input(words, "recommendation", typed, most=MOST["title"], lines=True),
            *text_input(words, "owner_name", typed, most=MOST["owner"]),
            *list_input(words, "owner_agency", typed, _agencies(desk)),
            *date_input(words, "due_date", typed),
            *text_input(words, "check", typed, most=MOST["check"], lines=True),
            *choice_input(words, "status", typed),
            *text_input(words, "note", typed, most=MOST["note"], lines=True),
            buttons(press(page, Verb.EDIT_ACTION, save=True, **_which(action, start))),
            *_other_ways(page, action, start),
        ],
    )


def _paragraphs(said: Sequence[str]) -> list[ElementType]:
    return [block for each in said for block in paragraphs(each)]


def _agencies(desk: Desk) -> dict[str, str]:
    return {NO_AGENCY: desk.page.words.word("plan_no_agency"), **desk.agencies}


def _which(action: Action, start: int) -> dict[str, Any]:
    """What the buttons carry: which action, as it was seen, and what it will be made from."""
    found = {"action": action.id, "revision": action.revision, "start": start}
    is_new = action.revision == 0 and action.about
    return found | ({"about": action.about, "because": action.because} if is_new else {})


def _other_ways(page: Page, action: Action, start: int) -> list[ElementType]:
    ways: list[Button] = [press(page, Verb.PLAN, page.words.buttons["cancel"], start=start)]
    if action.title and action.revision:
        ways.append(press(page, Verb.TAKE_OFF, **_which(action, start)))
    return [buttons(way) for way in ways]


def values_of(action: Action) -> dict[str, str]:
    """What stands in the boxes before anybody types."""
    found = {id: getattr(action, name) for id, name in BOXES.items()}
    due = action.due.isoformat() if action.due else ""
    return {**found, "due_date": due, "owner_agency": action.agency or NO_AGENCY}


def take_off_card(desk: Desk, action: Action, start: int = 0) -> Card:
    page = desk.page
    yes = page.words.buttons["confirm_take_off"]
    return card(
        page,
        [
            *paragraphs(page.text("plan_take_off")),
            container(_lines(desk, action), style="emphasis"),
            buttons(press(page, Verb.PLAN, page.words.buttons["cancel"], start=start)),
            buttons(press(page, Verb.TAKE_OFF, yes, confirmed=True, **_which(action, start))),
        ],
    )


# -- how much fits --------------------------------------------------------------------------------


def _fitting(parts: Iterable[Container]) -> list[Container]:
    """Those for which a card has room, one at least."""
    left, fitting = _MOST_BYTES, list[Container]()
    for part in islice(parts, _MOST_ON_A_CARD):
        left -= len(orjson.dumps(part.model_dump(exclude_unset=True)))
        if left < 0 and fitting:
            break
        fitting.append(part)
    return fitting


def cut_to_fit(typed: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """What of too long words goes back into the boxes, and in which only a beginning does."""
    if sum(len(orjson.dumps(words)) for words in typed.values()) <= _MOST_BYTES:
        return dict(typed), []
    most = {id: MOST.get(name, 0) for id, name in BOXES.items()}
    cut = [id for id, words in typed.items() if len(words) > most[id] > 0]
    return {id: words[: most[id]] if id in cut else words for id, words in typed.items()}, cut
