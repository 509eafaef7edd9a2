"""One card for comments after the statements, and what is said of words that cannot stay so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from adaptive_cards_python.adaptive_card.Action import Execute
from adaptive_cards_python.adaptive_card.Element import ElementType

from cards.help import signposting
from cards.inputs import label_of, text_input
from cards.page import Page
from cards.parts import Card, buttons, card, container, heading, help_rows, paragraphs, press, text
from cards.verbs import Verb
from snapshot.instrument import Domain, DomainId
from snapshot.screening import Finding, Identifier


@dataclass(frozen=True, slots=True)
class Checked:
    """What was typed into one box, and what is to be said about it."""

    words: str
    finding: Finding
    too_long: bool = False

    @property
    def is_refused(self) -> bool:
        return self.too_long or bool(self.finding.identifiers)

    @property
    def is_clean(self) -> bool:
        return not self.too_long and self.finding.clean


def box_id(domain: DomainId) -> str:
    return f"comment.{domain}"


def comments_card(page: Page, typed: Mapping[DomainId, str], *, revision: int) -> Card:
    """An empty box for each domain, or what was written before. Without `refresh`.

    `revision` is the ballot's: the button may overwrite comments only of that one.
    """
    return card(
        page,
        [
            *paragraphs(page.text("comments_intro")),
            container(paragraphs(page.text("free_text_warning")), style="warning"),
            *paragraphs(page.text("free_text_check")),
            *(
                block
                for domain in page.instrument.domains
                for block in _box(page, domain, typed.get(domain.id, ""))
            ),
            buttons(press(page, Verb.COMMENTS, save=True, revision=revision)),
            buttons(_back(page)),
            *help_rows(page, Verb.COMMENTS),
        ],
    )


def checked_card(
    page: Page, checked: Mapping[DomainId, Checked], *, revision: int, seen: str
) -> Card:
    """The same boxes with what is in the way above them; nothing has been saved yet.

    `seen` stands for the words as they are now: keeping them keeps these and no others.
    """
    at_risk = any(c.finding.risk for c in checked.values())
    refused = any(c.is_refused for c in checked.values())
    save = partial(press, page, Verb.COMMENTS, save=True, revision=revision)
    words = page.words.buttons
    return card(
        page,
        [
            *(_risk(page) if at_risk else []),
            *(
                block
                for domain in page.instrument.domains
                for block in _checked_box(page, domain, checked.get(domain.id))
            ),
            buttons(save()),
            *([] if refused else [buttons(save(words["keep_comment"], keep=seen))]),
            buttons(save(words["clear_comment"], clear=True)),
            *help_rows(page, Verb.COMMENTS),
        ],
    )


def _back(page: Page) -> Execute:
    last = page.instrument.statements[-1]
    return press(page, Verb.CHANGE, page.words.verbs[Verb.BACK], statement=last.id)


def _risk(page: Page) -> list[ElementType]:
    return [
        container(paragraphs(page.text("comment_risk")), style="attention"),
        *signposting(page),
    ]


def _checked_box(page: Page, domain: Domain, checked: Checked | None) -> list[ElementType]:
    if checked is None:
        return _box(page, domain, "")
    said = [container(paragraphs(s), style="warning") for s in _objections(page, checked)]
    return _box(page, domain, checked.words, said)


def _objections(page: Page, checked: Checked) -> list[str]:
    said = []
    if checked.too_long:
        most = str(page.instrument.comments.max_characters)
        said.append(page.text("comment_too_long", max_characters=most))
    if checked.finding.identifiers:
        kinds = [page.words.kinds[i] for i in Identifier if i in checked.finding.identifiers]
        said.append(page.text("comment_identifier", identifier_kinds=", ".join(kinds)))
    elif checked.finding.likely_name:
        said.append(page.text("comment_likely_name"))
    return said


def _box(
    page: Page, domain: Domain, typed: str, said: Sequence[ElementType] = ()
) -> list[ElementType]:
    """`said`: what stands right above the box."""
    id = box_id(domain.id)
    return [
        heading(domain.title, size="medium", separator=True, spacing="large"),
        *([text(domain.comment_prompt)] if domain.comment_prompt else []),
        *said,
        *text_input(
            page.words,
            id,
            {id: typed},
            label=label_of(page.words, "comment", domain_title=domain.title),
            most=page.instrument.comments.max_characters,
            lines=True,
        ),
    ]
