"""The moderators' channel. Words of a comment stand only in what answers a moderator's own tap."""

from __future__ import annotations

from collections.abc import Sequence

from adaptive_cards_python.adaptive_card.Element import ElementType

from cards.inputs import Values, choice_input, label_of, text_input
from cards.page import Page
from cards.parts import Card, buttons, card, container, heading, paragraphs, press, verbatim
from cards.verbs import Verb
from snapshot.comments import Comment
from snapshot.instrument import Domain

MOST_IN_A_NOTE = 200


def moderation_notice(page: Page, message: str, **values: str) -> Card:
    """What is posted, without any words of a comment, and the way to them."""
    return card(
        page,
        [
            *paragraphs(page.text(message, **values)),
            buttons(press(page, Verb.READ_COMMENTS)),
        ],
    )


def moderation_done(page: Page, message: str) -> Card:
    return card(page, paragraphs(page.text(message)))


def comment_card(page: Page, comment: Comment, typed: Values, note: str = "") -> Card:
    """One comment and what may be done with it. `note` says what is missing."""
    return card(
        page,
        [
            *([container(paragraphs(note), style="warning")] if note else []),
            *paragraphs(page.text("comments_queue")),
            *_words(page, comment),
            *choice_input(page.words, "decision", typed),
            *text_input(
                page.words,
                "paraphrase",
                typed,
                most=page.instrument.comments.max_characters,
                lines=True,
            ),
            buttons(press(page, Verb.DECIDE, comment=comment.id)),
            *_support(page),
        ],
    )


def escalated_card(page: Page, comment: Comment, typed: Values, note: str = "") -> Card:
    """Whom to tell, and who was told: only that closes it. `note` says what is missing."""
    return card(
        page,
        [
            *([container(paragraphs(note), style="warning")] if note else []),
            *paragraphs(page.text("comments_escalate")),
            *_words(page, comment),
            *text_input(page.words, "passed_to", typed, most=MOST_IN_A_NOTE),
            *text_input(page.words, "passed_when", typed, most=MOST_IN_A_NOTE),
            buttons(
                press(
                    page,
                    Verb.DECIDE,
                    page.words.buttons["passed_on"],
                    comment=comment.id,
                    told=True,
                )
            ),
            *_support(page),
        ],
    )


def theme_card(page: Page, domain: Domain, comments: Sequence[Comment], typed: Values) -> Card:
    """Too few comments to quote: moderators sum them up in their own words."""
    return card(
        page,
        [
            *paragraphs(
                page.text(
                    "comments_themes",
                    domain_title=domain.title,
                    quotes_from=str(page.instrument.comments.quotes_from),
                )
            ),
            *(container([verbatim(c.text)], style="emphasis") for c in comments),
            *text_input(
                page.words,
                "theme",
                typed,
                label=label_of(page.words, "theme", domain_title=domain.title),
                most=page.instrument.comments.max_characters,
                lines=True,
            ),
            buttons(press(page, Verb.THEME, domain=domain.id)),
            *_support(page),
        ],
    )


def _words(page: Page, comment: Comment) -> list[ElementType]:
    return [
        heading(page.instrument.domain(comment.domain).title, size="medium"),
        container([verbatim(comment.text)], style="emphasis"),
    ]


def _support(page: Page) -> list[ElementType]:
    """Words, not a button: what is half typed on the card would be lost by pressing it."""
    return [container(paragraphs(page.text("comments_support")), separator=True, spacing="large")]
