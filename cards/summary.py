"""The domain summary: five domains with a word and a symbol beside the colour."""

from __future__ import annotations

from adaptive_cards_python.adaptive_card.Element import ElementType

from cards.page import Page
from cards.parts import Card, band_style, card, container, heading, paragraphs, text
from snapshot.disclosure import DomainFigures, Figure, Summary
from snapshot.instrument import DONT_KNOW, Band


def summary_card(page: Page, summary: Summary, *, closed_date: str) -> Card:
    """What came of it, at the close."""
    if summary.withheld:
        return card(page, [heading(page.snapshot.area), text(page.text("withheld"))])
    intro = page.text("summary_intro", closed_date=closed_date, rounded_count=str(summary.people))
    return _summary_card(page, summary, intro, "report_caveats")


def interim_card(page: Page, summary: Summary) -> Card:
    """What has been mixed so far, while more may come."""
    intro = page.text("interim_intro", rounded_count=str(summary.people))
    return _summary_card(page, summary, intro, "interim_caveats")


def _summary_card(page: Page, summary: Summary, intro: str, caveats: str) -> Card:
    return card(
        page,
        [
            *paragraphs(intro),
            *(_domain(page, figures) for figures in summary.domains),
            *paragraphs(page.text(caveats, rounding_step=str(summary.step))),
            rule(page),
        ],
    )


def rule(page: Page) -> ElementType:
    """How a score becomes a colour, since every publication prints its rule."""
    bands = ", ".join(
        page.words.word("band_from", band=band.name, score=f"{band.start or 0:g}")
        for band in page.instrument.bands
    )
    return text(page.text("summary_rule", bands=bands))


def _domain(page: Page, figures: DomainFigures) -> ElementType:
    bands = [*page.instrument.bands, page.instrument.not_rated]
    band = next(b for b in bands if b.id == figures.band)
    return container(
        [
            heading(page.instrument.domain(figures.domain).title, size="medium"),
            text(_say_band(band), weight="bolder", spacing="none"),
            *(text(line, spacing="small") for line in _lines(page, figures)),
        ],
        style=band_style(band, page.instrument),
        spacing="medium",
    )


def _say_band(band: Band) -> str:
    return f"{band.symbol} {band.name}: {band.word}"


def _lines(page: Page, figures: DomainFigures) -> list[str]:
    lines = []
    if figures.weighted and figures.unweighted:
        scores = page.words.word(
            "scores",
            weighted=_say("score", page, figures.weighted),
            unweighted=_say("score", page, figures.unweighted),
        )
        few = f" ({page.words.word('few_answers')})" if figures.few else ""
        lines.append(scores + few)
    if figures.favourable:
        share = _say("share", page, figures.favourable)
        options = _favourable_options(page)
        lines.append(page.words.word("scored", share=share, options=options))
    unsure = page.instrument.option(DONT_KNOW)
    if figures.dont_know and unsure:
        share = _say("share", page, figures.dont_know)
        option = page.words.word("quoted", option=unsure.label)
        lines.append(_capital(page.words.word("chose", share=share, options=option)))
    return lines


def _favourable_options(page: Page) -> str:
    favourable = page.instrument.limits.favourable
    said, *others = [
        page.words.word("quoted", option=option.label)
        for option in page.instrument.practice.options
        if option.id in favourable
    ]
    for other in others:
        said = page.words.word("either", one=said, other=other)
    return said


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _say(kind: str, page: Page, figure: Figure) -> str:
    """`kind` is "share" or "score": the pack has words for each, at, under and over."""
    return page.words.word(f"{kind}_{figure.end}", **{kind: figure.value})
