"""Cards that say one thing: a message of the pack, a way on, and where to find help."""

from __future__ import annotations

from collections.abc import Sequence

from cards.page import Page
from cards.parts import Button, Card, buttons, card, help_rows, paragraphs, plain_card, press
from cards.verbs import Verb
from snapshot.wording import Wording


def notice_card(page: Page, *messages: str, actions: Sequence[Button] = (), **values: str) -> Card:
    """For a practitioner. Each action stands in a row of its own."""
    return card(
        page,
        [
            *(block for m in messages for block in paragraphs(page.text(m, **values))),
            *(buttons(action) for action in actions),
            *help_rows(page),
        ],
    )


def message_card(words: Wording, message: str, **values: str) -> Card:
    """Where there is no snapshot to speak of."""
    return plain_card(words, paragraphs(words.message(message, values)))


def sent_card(page: Page, message: str) -> Card:
    """The receipt, or later that it was sent: until the mix, one tap withdraws."""
    return notice_card(page, message, actions=[press(page, Verb.WITHDRAW)])


def withdraw_card(page: Page) -> Card:
    """Asks once more, since withdrawing deletes the answers for good."""
    return notice_card(
        page,
        "withdraw_confirm",
        actions=[
            press(page, Verb.SHOW, page.words.buttons["keep_answers"]),
            press(page, Verb.WITHDRAW, page.words.buttons["confirm_withdraw"], confirmed=True),
        ],
    )
