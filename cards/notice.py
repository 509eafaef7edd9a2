"""Cards that say one thing: a message of the pack, a way on, and where to find help."""

from __future__ import annotations

from collections.abc import Sequence

from cards.page import Page
from cards.parts import (
    Button,
    Card,
    buttons,
    card,
    container,
    heading,
    help_rows,
    paragraphs,
    plain_card,
    press,
    text,
)
from cards.verbs import Verb
from snapshot.wording import Wording


def notice_card(
    page: Page,
    *messages: str,
    actions: Sequence[Button] = (),
    again: str = Verb.SHOW,
    **values: str,
) -> Card:
    """For a practitioner. Each action stands in a row of its own."""
    return card(
        page,
        [
            *(block for m in messages for block in paragraphs(page.text(m, **values))),
            *(buttons(action) for action in actions),
            *help_rows(page, again),
        ],
    )


def message_card(words: Wording, message: str, **values: str) -> Card:
    """Where there is no snapshot to speak of."""
    return plain_card(words, paragraphs(words.message(message, values)))


def sent_card(page: Page, message: str, again: str = Verb.SHOW) -> Card:
    """The receipt, or later that it was sent: until the mix, one tap withdraws."""
    return notice_card(page, message, actions=[press(page, Verb.WITHDRAW)], again=again)


def withdraw_card(page: Page, *, sent: bool) -> Card:
    """Asks once more, since withdrawing deletes the answers for good.

    Until they are sent, it offers to end the reminders instead.
    """
    keep = press(page, Verb.SHOW, page.words.buttons["keep_answers"])
    delete = press(page, Verb.WITHDRAW, page.words.buttons["confirm_withdraw"], confirmed=True)
    if sent:
        return notice_card(page, "withdraw_confirm", actions=[keep, delete], again=Verb.WITHDRAW)
    return notice_card(
        page,
        "withdraw_confirm",
        "withdraw_or_quiet",
        actions=[keep, press(page, Verb.QUIET), delete],
        again=Verb.WITHDRAW,
    )


def choose_card(words: Wording, pages: Sequence[Page], command: str, **data: str) -> Card:
    """More than one snapshot is open to this person, who wanted to do `command` with `data`."""
    return plain_card(
        words,
        [
            *paragraphs(words.messages["choose_snapshot"]),
            *(
                container(
                    [
                        heading(page.snapshot.area, size="medium"),
                        text(page.snapshot.partnership_name),
                        buttons(press(page, Verb.CHOOSE, command=command, **data)),
                        buttons(press(page, Verb.WORRIED)),
                    ],
                    separator=True,
                    spacing="large",
                )
                for page in pages
            ),
        ],
    )
