"""Figures, colours, places and days in the words of one language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date

from report.blocks import Cell, Look
from report.material import Material, Voice
from snapshot.disclosure import Figure
from snapshot.instrument import Band, BandId, DomainId, Instrument, StatementId
from snapshot.snapshot import CellId
from snapshot.views import About, Gap, Side, Travel, Value, View
from snapshot.wording import say_cell

MOST_PLACES = 5
"""In one sentence."""


@dataclass(frozen=True, slots=True)
class Saying:
    material: Material

    @property
    def instrument(self) -> Instrument:
        return self.material.pack.instrument

    def text(self, id: str, **values: object) -> str:
        return self.material.pack.wording.told(id, **values)

    def lines(self, id: str, **values: object) -> list[str]:
        return self.text(id, **values).splitlines()

    def day(self, day: date) -> str:
        """For example "11 April 2026"."""
        return format_date(day, "d MMMM y", locale=self.instrument.language.replace("-", "_"))

    @property
    def is_rated(self) -> bool:
        """Whether there is a view of anybody to show."""
        return any(v.strategic or v.practice for v in self.material.findings.domains)

    def voice(self, domain: DomainId) -> Voice:
        """Nothing where answers are withheld: comments came with them."""
        if self.material.summary.withheld:
            return Voice()
        return self.material.voices.get(domain, Voice())

    # -- places -----------------------------------------------------------------------------------

    def place(self, about: About) -> str:
        statement = self.instrument.statement(about)
        if statement is None:
            return next(d.title for d in self.instrument.domains if d.id == about)
        return self.statement(statement.id)

    def statement(self, id: StatementId) -> str:
        found = self.instrument.statement(id)
        return self.text("statement_name", number=id, short=found.short if found else id)

    def places(self, abouts: Iterable[About]) -> str:
        return self.listed([self.place(about) for about in abouts])

    def listed(self, said: list[str]) -> str:
        """With semicolons, since places have commas in them; a long list is cut."""
        shown = "; ".join(said[:MOST_PLACES])
        over = len(said) - MOST_PLACES
        return self.text("place_and_more", places=shown, count=over) if over > 0 else shown

    def cell(self, id: CellId) -> str:
        nation, cells = self.material.snapshot.nation, self.material.snapshot.cells
        found = next((c for c in cells if c.id == id), None)
        return say_cell(found, nation, self.material.pack) if found else id

    def agency(self, id: str) -> str:
        nation = self.material.snapshot.nation
        return next((a.label_in(nation) for a in self.instrument.agencies if a.id == id), id)

    # -- figures ----------------------------------------------------------------------------------

    def score(self, figure: Figure) -> str:
        words = self.material.pack.wording
        return words.word(f"score_{figure.end}", score=figure.value)

    def share(self, figure: Figure | None) -> str:
        if figure is None:
            return self.text("none_short")
        words = self.material.pack.wording
        return words.word(f"share_{figure.end}", share=figure.value)

    def gap(self, gap: Gap | None) -> str:
        """With its sign, and a mark where it is flagged."""
        if gap is None:
            return self.text("none_short")
        said = str(abs(gap.points))
        if gap.points:
            said = self.text("gap_higher" if gap.points > 0 else "gap_lower", gap=said)
        if gap.or_more:
            said = self.text("gap_or_more", gap=said)
        return self.text("gap_flagged", gap=said) if gap.is_flagged else said

    def gap_size(self, gap: Gap | None) -> str:
        if gap is None:
            return self.text("none_short")
        points = abs(gap.points)
        return self.text("gap_at_least", gap=points) if gap.or_more else str(points)

    def values(self, values: Mapping[str, Value], gap: Gap | None) -> dict[str, str]:
        """What fills the placeholders of a pattern."""
        said = {name: self._value(value) for name, value in values.items()}
        return {**said, "gap": self.gap_size(gap)} if gap else said

    def _value(self, value: Value) -> str:
        if isinstance(value, Figure):
            return self.score(value)
        return self.cell(CellId(value)) if isinstance(value, str) else str(value)

    def favourable(self) -> str:
        """The options that are, in quotation marks: "Mostly true" or "Fully true"."""
        word, wanted = self.material.pack.wording.word, self.instrument.limits.favourable
        options = [o for o in self.instrument.practice.options if o.id in wanted]
        said, *others = [word("quoted", option=o.label) for o in options]
        for other in others:
            said = word("either", one=said, other=other)
        return said

    # -- colours ----------------------------------------------------------------------------------

    def band_of(self, id: BandId | str) -> Band:
        bands = (*self.instrument.bands, self.instrument.not_rated)
        return next(b for b in bands if b.id == id)

    def look(self, id: BandId) -> Look:
        bands = self.instrument.bands
        if id == self.instrument.not_rated.id:
            return Look.NONE
        if id == bands[0].id:
            return Look.LOW
        return Look.HIGH if id == bands[-1].id else Look.MIDDLE

    def band(self, id: BandId | str) -> str:
        """For example "▼ Red (Priority)"."""
        found = self.band_of(id)
        return f"{found.symbol} {found.name} ({found.word})"

    def side(self, side: Side | None) -> str:
        """For example "▼ Red 35"."""
        if side is None:
            return self.text("none")
        band = self.band_of(side.band)
        score = f" {self.score(side.score)}" if side.score else ""
        return f"{band.symbol} {band.name}{score}"

    def side_cell(self, side: Side | None) -> Cell:
        if side is None:
            return Cell(self.text("none_short"))
        return Cell(self.side(side), self.look(side.band))

    def system_cell(self, view: View) -> Cell:
        band = self.band_of(view.system)
        return Cell(f"{band.symbol} {band.name}", self.look(view.system))

    def evidence(self, score: int | None) -> str:
        partners = self.instrument.strategic
        if score is None or partners is None:
            return self.text("none_short")
        level = partners.level(score)
        return f"{level.word} ({level.symbol})" if level else str(score)

    def travel(self, travel: Travel | None) -> str:
        if travel is None:
            return self.text("none_short")
        arrow = self.material.library.arrows[travel.direction]
        if not arrow.word:
            return self.text("none_short")
        if travel.change is None:
            return self.text("travel_row", symbol=arrow.symbol, word=arrow.word)
        return self.text(
            "travel_row_change", symbol=arrow.symbol, word=arrow.word, change=travel.change
        )
