"""What somebody fills in during the session, without `refresh`: it would wipe half-typed words."""

from __future__ import annotations

from collections.abc import Sequence

from adaptive_cards_python.adaptive_card.Element import Choice, ChoiceSet, ElementType

from cards.inputs import Values, text_input
from cards.page import Page
from cards.parts import Button, Card, buttons, card, container, paragraphs, press, text, verbatim
from cards.scene import Scene
from cards.session import (
    agency_label,
    agreed_list,
    dissent_block,
    how,
    moves,
    page_position,
    spread_block,
    standing,
)
from cards.verbs import Verb
from snapshot.instrument import Option, Scale
from snapshot.session import MOST_NOTE, Partner, Stage


def join_card(page: Page) -> Card:
    """Whoever joins has read that it is not anonymous."""
    agencies = [
        buttons(press(page, Verb.JOIN, a.label_in(page.snapshot.nation), agency=a.id))
        for a in page.instrument.agencies
    ]
    return card(page, [*how(page), *paragraphs(page.text("session_join")), *agencies])


def own_card(scene: Scene, me: Partner, *, facilitates: bool) -> Card:
    """What one partner sees: their own ratings, as long as those may be changed."""
    page, agency = scene.page, agency_label(scene.page, me.agency)
    body = standing(scene)
    if scene.stage is Stage.RATING and not scene.session.paused:
        body += _rating_form(scene, me)
    body += moves(scene) if facilitates else []
    if not scene.session.paused:
        body.append(text(page.text("session_joined", agency_name=agency), separator=True))
        change = press(page, Verb.JOIN, page.words.buttons["change_agency"], change=True)
        body += [buttons(change), buttons(press(page, Verb.LEAVE))]
    return card(page, body)


def _rating_form(scene: Scene, me: Partner) -> list[ElementType]:
    """One tap for each scale, kept at once: an edit of the message draws this card anew."""
    page, strategic = scene.page, scene.strategic
    saved = me.rated(scene.session.moment)
    chosen = me.earlier(scene.statement.id)
    done: list[ElementType] = []
    if saved:
        done = [container([text(page.text("session_saved"))], style="good")]
    elif chosen and chosen.is_whole:
        done = [buttons(scene.press(Verb.RATE))]
    return [
        *done,
        *_one_tap(scene, "progress", strategic.progress, chosen.progress if chosen else ""),
        *_one_tap(scene, "evidence", strategic.evidence, chosen.evidence if chosen else ""),
        *_examples(scene),
    ]


def _one_tap(scene: Scene, id: str, scale: Scale, chosen: str) -> list[ElementType]:
    """`was`: what they see as chosen, so that a late copy of a tap brings nothing back."""
    page, option = scene.page, scale.option(chosen)
    label = page.words.word("scale", name=page.words.inputs[id].text, question=scale.question)
    blocks: list[ElementType] = [text(label, weight="bolder", spacing="large")]
    if option:
        blocks.append(text(page.words.word("your_rating", option=option.label), spacing="small"))
    for each in scale.options:
        title = f"✓ {each.label}" if each is option else each.label
        blocks.append(buttons(scene.press(Verb.RATE, title, **{id: each.id, "was": chosen})))
        if each.hint:
            blocks.append(text(each.hint, isSubtle=True, size="small", spacing="small"))
    return blocks


def _examples(scene: Scene) -> list[ElementType]:
    """What one could point to."""
    found = "; ".join(scene.statement.evidence)
    if not found:
        return []
    said = scene.page.words.word("examples", examples=found)
    return [text(said, isSubtle=True, size="small", spacing="small")]


def agree_form(scene: Scene, typed: Values, problem: str = "") -> Card:
    page, strategic = scene.page, scene.strategic
    spread = spread_block(scene) if scene.stage is Stage.REVEALED else []
    return card(
        page,
        [
            *_problem(problem),
            text(page_position(scene), isSubtle=True),
            text(scene.statement.strategic, weight="bolder", spacing="none"),
            *spread,
            *scale_input(page, "progress", strategic.progress, typed),
            *scale_input(page, "evidence", strategic.evidence, typed),
            *paragraphs(page.text("free_text_warning_session")),
            *text_input(page.words, "note", typed, most=MOST_NOTE, lines=True),
            *text_input(page.words, "evidence_named", typed, most=MOST_NOTE, lines=True),
            buttons(scene.press(Verb.AGREE, save=True)),
            buttons(_back(page)),
        ],
    )


def dissent_form(scene: Scene, typed: Values, problem: str = "") -> Card:
    page, noted = scene.page, scene.agreed
    label = page.words.inputs["dissent_agency"].text
    agencies = [
        Choice(title=a.label_in(page.snapshot.nation), value=a.id) for a in page.instrument.agencies
    ]
    who = _choose("dissent_agency", label, agencies, typed)
    save = scene.press(Verb.DISSENT, page.words.buttons["save_dissent"], save=True)
    return card(
        page,
        [
            *_problem(problem),
            text(page.text("session_dissent_how")),
            *(dissent_block(page, noted) if noted else []),
            who,
            *paragraphs(page.text("free_text_warning_session")),
            *text_input(page.words, "dissent", typed, most=MOST_NOTE, lines=True),
            buttons(save),
            buttons(_back(page)),
        ],
    )


def more_card(scene: Scene) -> Card:
    """Where else a facilitator may take the session."""
    page, statements = scene.page, scene.page.instrument.statements
    agreed = scene.session.agreed
    label = page.words.inputs["statement"].text
    choices = [
        Choice(title=f"{n}. {s.short}{' ✓' if s.id in agreed else ''}", value=s.id)
        for n, s in enumerate(statements, start=1)
    ]
    jump = _choose("to", label, choices, {"to": scene.statement.id})
    jump.style = "compact"
    ways: list[Button] = [
        *([scene.press(Verb.BEFORE)] if scene.before else []),
        *([scene.press(Verb.NEXT)] if scene.after else []),
        scene.press(Verb.AGREED),
        scene.press(Verb.PAUSE),
        _back(page),
    ]
    return card(
        page,
        [
            text(page.text("session_facilitator")),
            jump,
            buttons(scene.press(Verb.GO)),
            *(buttons(way) for way in ways),
        ],
    )


def agreed_card(scene: Scene) -> Card:
    said = scene.text("session_so_far", agreed_count=str(len(scene.session.agreed)))
    return card(scene.page, [text(said), *agreed_list(scene), buttons(_back(scene.page))])


def no_part_card(page: Page, message: str) -> Card:
    """Why somebody cannot take part, and the way back to what all see."""
    return card(page, [*paragraphs(page.text(message)), buttons(_back(page))])


def with_words(shown: Card, note: str, words: Sequence[str]) -> Card:
    """A card with a message above it, and under that what somebody had typed in vain."""
    kept = [container([verbatim(each)], style="emphasis") for each in words if each]
    above = container([*paragraphs(note), *kept], style="warning")
    return shown.model_copy(update={"body": [above, *(shown.body or [])]})


# -- pieces ---------------------------------------------------------------------------------------


def scale_input(page: Page, id: str, scale: Scale, chosen: Values) -> list[ElementType]:
    words = page.words
    label = words.word("scale", name=words.inputs[id].text, question=scale.question)
    choices = [Choice(title=_said(page, option), value=option.id) for option in scale.options]
    return [_choose(id, label, choices, chosen)]


def _choose(id: str, label: str, choices: Sequence[Choice], typed: Values) -> ChoiceSet:
    box = ChoiceSet(
        type="Input.ChoiceSet",
        id=id,
        label=label,
        style="expanded",
        wrap=True,
        choices=list(choices),
    )
    if typed.get(id) in {choice.value for choice in choices}:
        box.value = typed[id]
    return box


def _said(page: Page, option: Option) -> str:
    if not option.hint:
        return option.label
    return page.words.word("option", option=option.label, hint=option.hint)


def _problem(said: str) -> list[ElementType]:
    return [container(paragraphs(said), style="warning")] if said else []


def _back(page: Page) -> Button:
    return press(page, Verb.SESSION, page.words.buttons["back_to_session"])
