"""People who answer the statements at a server, and notice when they are answered wrongly.

They press what the bot's own cards offer. What that costs them is not counted: it is spent in
another process than the server's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from bot.rehearsal.teams import Answer, Json, PersonHere, Shown, Teams
from cards.verbs import Verb
from content.packs import load_packs

_PACK = load_packs()["en-GB"]
STATEMENTS = [s.id for s in _PACK.instrument.statements]
TURNS = 1 + len(STATEMENTS)
"""What one person takes: to begin, and to answer each statement."""

_REFUSED = _PACK.wording.messages["stale_choice"]

type Check = Callable[[Answer, int], Shown]
"""Takes an answer and how many statements the person has answered by now.

Returns the card that is now in front of them. Raises `Wrong`.
"""


class Wrong(Exception):
    """A turn was not answered as it should be; the message says how."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How the bot's survey opens: the button that begins, and its answer to the first tap."""

    begin: Json
    answer: Answer

    @property
    def card(self) -> bytes:
        return orjson.dumps(self.answer.card.card)


async def opening(url: str, by: Callable[[str], Teams] = Teams) -> Opening:
    """Walk to the first statement as people do, from the message that stays in the chat."""
    async with by(url) as teams:
        guide = teams.person("Guide")
        chat = await guide.types("start")
        welcome = (await guide.acts(chat.actions(Verb.SHOW)[0])).card
        begin = welcome.actions(Verb.BEGIN)[0]
        first = next_statement(await guide.acts(begin), 0)
        answer = await guide.acts(first.actions(Verb.ANSWER)[0])
        next_statement(answer, 1)
        return Opening(begin, answer)


@dataclass
class Answering:
    """Somebody on the way through the survey. `turns` have been answered as they should be."""

    person: PersonHere
    begin: Json
    check: Check
    turns: int = 0

    @property
    def is_done(self) -> bool:
        return self.turns == TURNS

    async def presses(self) -> None:
        """Begin, or answer the statement in front of them. Raises `Wrong`, and nothing moved."""
        answer = await self.person.acts(self._button())
        self.person.sees = self.check(answer, self.turns)
        self.turns += 1

    async def answers_all(self) -> None:
        """Raises `Wrong`."""
        while not self.is_done:
            await self.presses()

    def _button(self) -> Json:
        if self.person.sees is None:
            return self.begin
        options = self.person.sees.actions(Verb.ANSWER)
        return options[self.turns % len(options)]


def newcomer(teams: Teams, seen: Opening, check: Check) -> Answering:
    return Answering(teams.person("Ada"), seen.begin, check)


# -- what counts as answered --------------------------------------------------------------------


def next_statement(answer: Answer, answered: int) -> Shown:
    """The bot's check: the first statement without an answer, or once all have one, the end."""
    shown = _card(answer)
    offered = {a["data"]["statement"] for a in shown.actions(Verb.ANSWER)}
    if offered != set(STATEMENTS[answered : answered + 1]):
        raise Wrong(f"after {answered} answers it showed {offered or 'no statement'}")
    if not offered and not shown.actions(Verb.SUBMIT):
        raise Wrong("all is answered, and nothing offers to send it")
    if _REFUSED in shown.words:
        raise Wrong("it says that the choice is no longer on offer")
    return shown


def same_as(card: bytes) -> Check:
    """The check of a server that always answers with one card."""
    wanted = orjson.loads(card)

    def check(answer: Answer, _: int) -> Shown:
        shown = _card(answer)
        if shown.card != wanted:
            raise Wrong("it showed another card")
        return shown

    return check


def _card(answer: Answer) -> Shown:
    try:
        body = orjson.loads(answer.body)
        status, card = body["statusCode"], body["value"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        status, card = None, None
    if answer.status != 200 or status != 200 or not isinstance(card, dict):
        raise Wrong(f"it answered {answer.status}: {beginning(answer)}")
    return Shown(card)


def beginning(answer: Answer) -> str:
    """The first characters of a body, for people to look at."""
    return answer.body[:100].decode(errors="replace")
