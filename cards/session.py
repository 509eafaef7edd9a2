"""The strategic session: the card that everybody sees, and what one partner sees in its place.

No card holds anybody's rating but one that answers their own tap. What is shown of ratings is how
often each option was chosen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from adaptive_cards_python.adaptive_card.AdaptiveCard import Refresh
from adaptive_cards_python.adaptive_card.Element import ElementType

from cards.page import Page
from cards.parts import (
    Card,
    buttons,
    card,
    container,
    heading,
    paragraphs,
    press,
    progress_bar,
    text,
    verbatim,
)
from cards.scene import Scene
from cards.verbs import Verb
from snapshot.instrument import Agency, OptionId, Scale
from snapshot.session import (
    MOST_PARTNERS,
    Agreed,
    Stage,
    strategic_of,
)

_STEP = re.compile(r"\n+(\d+)\. ")

MOST_SHOWN = 400
"""Characters of a note on a card. The report has all of it."""


def shared_card(scene: Scene, said: str = "") -> Card:
    """The one message of the session. Partners who have joined see their own card in its place.

    `said`: what comes first, once.
    """
    join = press(scene.page, Verb.JOIN, scene.page.words.verbs[Verb.SESSION])
    take_part = [] if scene.session.paused else [buttons(join)]
    body = [*(paragraphs(said) if said else []), *present(scene), *take_part, *moves(scene)]
    return card(scene.page, body, refresh=_refresh(scene))


def newer_card(page: Page) -> Card:
    """In place of a message that is no longer the one that everybody looks at."""
    return card(page, paragraphs(page.text("session_newer")))


def present(scene: Scene) -> list[ElementType]:
    """How it stands, for everybody."""
    is_first = scene.stage is Stage.RATING and not scene.session.paused and _is_new(scene)
    return [*(how(scene.page) if is_first else []), *standing(scene)]


def standing(scene: Scene) -> list[ElementType]:
    """The same for whoever has read how it works when they joined."""
    if scene.session.paused:
        return paragraphs(scene.text("session_paused"))
    match scene.stage:
        case Stage.RATING:
            return [*statement_block(scene), *_rating(scene)]
        case Stage.REVEALED:
            return [*statement_block(scene), *spread_block(scene)]
        case Stage.AGREED:
            return _agreed(scene)


def moves(scene: Scene) -> list[ElementType]:
    """What only facilitators may do, which is looked at when it is pressed."""
    words, more = scene.page.words.buttons, scene.press(Verb.MORE)
    if scene.session.paused:
        rows = [buttons(scene.press(Verb.START, words["resume_session"]))]
    elif scene.stage is Stage.RATING:
        rows = [buttons(scene.press(Verb.REVEAL)), buttons(more)]
    elif scene.stage is Stage.REVEALED:
        rows = [buttons(scene.press(Verb.AGREE)), buttons(scene.press(Verb.AGAIN)), buttons(more)]
    else:
        onward = [] if scene.is_done else [buttons(scene.press(Verb.NEXT))]
        mend = scene.press(Verb.AGREE, words["change_agreed"])
        rows = [*onward, buttons(scene.press(Verb.DISSENT)), buttons(mend), buttons(more)]
    return [container(rows, separator=True, spacing="large")]


# -- the stages -----------------------------------------------------------------------------------


def statement_block(scene: Scene) -> list[ElementType]:
    page, position = scene.page, page_position(scene)
    return [
        text(page.instrument.domain(scene.statement.domain).title, weight="bolder"),
        text(position, isSubtle=True, spacing="none"),
        progress_bar(int(scene.place["position"]), int(scene.place["total"]), position),
        heading(scene.statement.strategic),
        text(scene.statement.help, isSubtle=True),
    ]


def page_position(scene: Scene) -> str:
    return scene.page.words.word("position", **scene.place)


def how(page: Page) -> list[ElementType]:
    """How it works, that it is not anonymous, and the rule that is fixed before the start."""
    said = "\n\n".join((page.text("session_how"), page.text("session_near_rule")))
    # Each step by itself: not every client makes a list of lines that begin with a number. The
    # backslash, since those that do would begin each of these lists with 1 again.
    return [container(paragraphs(_STEP.sub(r"\n\n\1\\. ", said)), style="emphasis")]


def _is_new(scene: Scene) -> bool:
    """Until something has been done at the first statement."""
    return sum(scene.session.rounds.values()) == 1 and not scene.session.agreed


def _rating(scene: Scene) -> list[ElementType]:
    said = []
    if scene.agreed:
        said = [scene.text("session_back"), _pair(scene.page, scene.agreed)]
    elif scene.session.moment.round > 1:
        said = [scene.text("session_again")]
    return [*(text(each) for each in said), text(_who_is_waited_for(scene), weight="bolder")]


def _who_is_waited_for(scene: Scene) -> str:
    """By number alone."""
    if not scene.partners:
        return scene.text("session_nobody")
    if scene.waiting:
        return scene.text("session_hidden", waiting_count=str(scene.waiting))
    return scene.text("session_all_rated")


def spread_block(scene: Scene) -> list[ElementType]:
    spread, strategic = scene.session.spread, scene.strategic
    if spread is None:  # whoever shows it counts first
        return [text(scene.text("session_reveal"))]
    message, style = ("session_near", "good") if spread.near else ("session_apart", "warning")
    return [
        text(scene.text("session_reveal")),
        *_chosen(scene.page, "progress", strategic.progress, spread.progress),
        *_chosen(scene.page, "evidence", strategic.evidence, spread.evidence),
        container([text(scene.text(message))], style=style, spacing="medium"),
    ]


def _chosen(page: Page, id: str, scale: Scale, chosen: Mapping[OptionId, int]) -> list[ElementType]:
    total = sum(chosen.values())
    blocks: list[ElementType] = [
        text(page.words.inputs[id].text, weight="bolder", spacing="medium"),
    ]
    for option in scale.options:
        count = chosen.get(option.id, 0)
        said = page.words.word("chosen", option=option.label, count=count)
        blocks.append(text(said, spacing="small", isSubtle=not count))
        if count:
            bar = progress_bar(count, total, said)
            bar.spacing = "none"
            blocks.append(bar)
    return blocks


def _agreed(scene: Scene) -> list[ElementType]:
    """Once all are agreed, the summary, which has no room for what was written about the last."""
    page, agreed = scene.page, scene.agreed
    if agreed is None:
        return statement_block(scene)
    said = text(scene.text("session_agreed", **pair_labels(page, agreed)))
    if scene.is_done:
        return [said, *paragraphs(scene.text("session_finished")), *agreed_list(scene)]
    return [
        *statement_block(scene),
        said,
        *_own_words(page, "note", agreed.note),
        *_own_words(page, "evidence_named", agreed.named),
        *dissent_block(page, agreed),
    ]


def _own_words(page: Page, id: str, words: str) -> list[ElementType]:
    if not words:
        return []
    label = text(page.words.inputs[id].text, weight="bolder")
    return [label, container([verbatim(_shortened(words))], style="emphasis", spacing="small")]


def dissent_block(page: Page, agreed: Agreed) -> list[ElementType]:
    blocks: list[ElementType] = []
    for dissent in agreed.dissent:
        agency = agency_label(page, dissent.agency)
        blocks.append(text(page.text("session_dissent", agency_name=agency)))
        words = [verbatim(_shortened(dissent.note))]
        blocks.append(container(words, style="emphasis", spacing="small"))
    return blocks


def agreed_list(scene: Scene) -> list[ElementType]:
    """What was agreed, by domain."""
    page, agreed = scene.page, scene.session.agreed
    blocks: list[ElementType] = []
    for domain in page.instrument.domains:
        blocks.append(heading(domain.title, size="medium", separator=True))
        for statement in page.instrument.of_domain(domain.id):
            found = agreed.get(statement.id)
            said = _pair(page, found) if found else page.words.word("not_agreed")
            blocks.append(text(statement.short, weight="bolder", spacing="small"))
            blocks.append(text(said, spacing="none", isSubtle=not found))
            if found and found.dissent:
                blocks.append(text(_who_differs(page, found), spacing="none"))
    return blocks


def _who_differs(page: Page, agreed: Agreed) -> str:
    labels = "; ".join(agency_label(page, d.agency) for d in agreed.dissent)
    return page.words.word("not_of_one_mind", agencies=labels)


# -- in words -------------------------------------------------------------------------------------


def pair_labels(page: Page, agreed: Agreed) -> Mapping[str, str]:
    strategic = strategic_of(page.instrument)
    return {
        "progress_label": _label(strategic.progress, agreed.ratings.progress),
        "evidence_label": _label(strategic.evidence, agreed.ratings.evidence),
    }


def agency_label(page: Page, id: str) -> str:
    return _agency(page, id).label_in(page.snapshot.nation)


def _pair(page: Page, agreed: Agreed) -> str:
    labels = pair_labels(page, agreed)
    return page.words.word(
        "agreed_pair", progress=labels["progress_label"], evidence=labels["evidence_label"]
    )


def _label(scale: Scale, id: OptionId) -> str:
    found = scale.option(id)
    return found.label if found else id


def _agency(page: Page, id: str) -> Agency:
    return next(a for a in page.instrument.agencies if a.id == id)


def _shortened(words: str) -> str:
    return words if len(words) <= MOST_SHOWN else f"{words[:MOST_SHOWN].rstrip()}…"


def _refresh(scene: Scene) -> Refresh | None:
    """For those who have joined: without a list, Teams would ask for everybody in a small team."""
    called = [p.called for p in scene.partners if p.called][:MOST_PARTNERS]
    if not called or scene.session.paused:
        return None
    return Refresh(type="Refresh", action=press(scene.page, Verb.SESSION), userIds=called)
