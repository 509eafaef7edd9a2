"""The report: the facilitator's own card once it is made, and the one for the whole channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adaptive_cards_python.adaptive_card.Element import ElementType

from cards.notice import notice_card
from cards.page import Page
from cards.parts import Card, band_style, card, container, heading, paragraphs, press, text
from cards.summary import rule
from cards.verbs import Verb
from snapshot.instrument import BandId


@dataclass(frozen=True, slots=True)
class Told:
    """One domain: its colour, and in `lines` what each side and both together say of it."""

    title: str
    band: BandId
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Brief:
    """A report in a few words. `points` and `caveats` are sentences, `points` by what leads.

    `step`: to how many points its figures are rounded; 0: it has none of practitioners.
    """

    opening: Sequence[str]
    key_points: str
    points: Sequence[tuple[str, str]]
    domains: Sequence[Told]
    before_reading: str
    caveats: Sequence[str]
    step: int


def ready_card(page: Page, folder: str, *, with_files: bool) -> Card:
    """In the private chat, above the files. `folder`: where they were written as well."""
    kept = ("report_kept",) if folder else ()
    share = "report_to_share_with_files" if with_files else "report_to_share"
    actions = [press(page, Verb.SHARE_REPORT)]
    messages = ("report_ready", *kept, share)
    return notice_card(page, *messages, actions=actions, report_folder=folder)


def report_card(page: Page, brief: Brief, *, with_files: bool) -> Card:
    """In the channel."""
    where = "report_is_in_files" if with_files else "report_is_with_facilitator"
    return card(
        page,
        [
            *paragraphs(page.text("report_in_channel")),
            *(text(each) for each in brief.opening),
            *([heading(brief.key_points, size="medium")] if brief.points else []),
            *(text(f"**{lead}** {said}") for lead, said in brief.points),
            *(
                container(
                    [
                        heading(told.title, size="medium"),
                        *(text(line, spacing="small") for line in told.lines),
                    ],
                    style=_style(page, told.band),
                    spacing="medium",
                )
                for told in brief.domains
            ),
            *([heading(brief.before_reading, size="medium")] if brief.caveats else []),
            *(text(each) for each in brief.caveats),
            *(_rules(page, brief.step) if brief.step else []),
            *paragraphs(page.text(where)),
        ],
    )


def _rules(page: Page, step: int) -> list[ElementType]:
    return [*paragraphs(page.text("report_caveats", rounding_step=str(step))), rule(page)]


def _style(page: Page, id: BandId) -> str:
    bands = (*page.instrument.bands, page.instrument.not_rated)
    return band_style(next(b for b in bands if b.id == id), page.instrument)
