"""How a session stands, for all cards that show a part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from adaptive_cards_python.adaptive_card.Action import Execute

from cards.page import Page
from cards.parts import press
from cards.verbs import Verb
from snapshot.instrument import Statement, Strategic
from snapshot.session import Agreed, Partner, Session, Stage, after, before, strategic_of


@dataclass(frozen=True)
class Scene:
    """How far a session is, and everybody who has joined."""

    page: Page
    session: Session
    partners: Sequence[Partner]

    @cached_property
    def statement(self) -> Statement:
        found = self.page.instrument.statement(self.session.moment.statement)
        if found is None:
            raise ValueError("a session stands at a statement of its instrument")
        return found

    @property
    def strategic(self) -> Strategic:
        return strategic_of(self.page.instrument)

    @property
    def stage(self) -> Stage:
        return self.session.moment.stage

    @property
    def agreed(self) -> Agreed | None:
        """What stands of the present statement."""
        return self.session.agreed.get(self.statement.id)

    @property
    def waiting(self) -> int:
        return sum(p.rated(self.session.moment) is None for p in self.partners)

    @property
    def is_done(self) -> bool:
        statements = self.page.instrument.statements
        return self.stage is Stage.AGREED and all(s.id in self.session.agreed for s in statements)

    @property
    def place(self) -> Mapping[str, str]:
        instrument = self.page.instrument
        position = instrument.position(self.statement.id)
        return {"position": str(position), "total": str(len(instrument.statements))}

    def text(self, message: str, **more: str) -> str:
        return self.page.text(
            message, statement_short=self.statement.short, **{**self.place, **more}
        )

    def press(self, verb: Verb, title: str = "", **data: Any) -> Execute:
        """A button that says what its reader was looking at, so that of two who press one acts."""
        moment = self.session.moment
        data |= {"statement": moment.statement, "round": moment.round, "stage": moment.stage.value}
        return press(self.page, verb, title, **data)

    @property
    def after(self) -> Statement | None:
        return after(self.page.instrument, self.session, self.statement.id)

    @property
    def before(self) -> Statement | None:
        return before(self.page.instrument, self.statement.id)
