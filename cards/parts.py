"""The pieces that cards are made of, and what every card has.

`adaptive_cards_python` reads its JSON schema and validates at each card, 0.4 s of it: `Card`
leaves that to the tests, and refuses unknown keywords at once. Each piece gives its `type`
explicitly, so that a card can be written out without the library's many defaults.
"""

from __future__ import annotations

import base64
import re
import struct
import zlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Self
from urllib.parse import quote

import orjson
from adaptive_cards_python import AdaptiveCard
from adaptive_cards_python.adaptive_card.Action import Execute, OpenUrl
from adaptive_cards_python.adaptive_card.AdaptiveCard import Refresh
from adaptive_cards_python.adaptive_card.Element import (
    ActionSet,
    Column,
    ColumnSet,
    Container,
    ElementType,
    Image,
    RichTextBlock,
    TextBlock,
    TextRun,
)
from pydantic import ConfigDict, PrivateAttr, model_validator

from cards.page import Page
from cards.verbs import Verb
from snapshot.instrument import Band, Instrument
from snapshot.wording import Wording, fill

type Button = Execute | OpenUrl

MOST_KEPT = 500
"""Cards of one page, about 4 KB each."""

_HEADING = re.compile(r"\*\*([^*]+)\*\*")
_MARKS = re.compile(r"(?<![^\W_])_|_(?![^\W_])|[\\`*\[\]<>~#|&{]|^[-+]|(?<=^\d)[.)]|(?<=^\d\d)[.)]")
"""What would be taken for a link, bold print, a list or a date. Not an underscore within a word."""
_BAR_SIZE = (440, 6)
_BAR_DONE = bytes((0x00, 0x5E, 0xB8))
_BAR_LEFT = bytes((0xC8, 0xC6, 0xC4))


class Card(AdaptiveCard):
    """An Adaptive Card 1.5 for Teams."""

    model_config = ConfigDict(extra="forbid")

    msteams: dict[str, Any] | None = None
    _encoded: bytes = PrivateAttr(default=b"")

    @model_validator(mode="after")
    def validate_using_json_schema(self) -> Self:
        return self

    def to_dict(self) -> dict[str, Any]:
        """Only what was set: the defaults would double a card's size."""
        return self.model_dump(exclude_unset=True)

    def to_bytes(self) -> bytes:
        """The card as JSON. From here on it must not be changed."""
        self._encoded = self._encoded or orjson.dumps(self.to_dict())
        return self._encoded


def card(
    page: Page,
    body: Sequence[ElementType],
    *,
    refresh: Refresh | None = None,
    words: Wording | None = None,
) -> Card:
    """A card with what all have: full width, a text for old clients, the mark of sample data.

    `words`: of the reader, where they differ from those of the page.
    """
    shown = plain_card(words or page.words, [*_sample_mark(page), *body])
    if refresh:
        shown.refresh = refresh
    return shown


def plain_card(words: Wording, body: Sequence[ElementType]) -> Card:
    """A card that belongs to no snapshot."""
    return Card(
        type="AdaptiveCard",
        version="1.5",
        lang=words.language[:2],
        fallbackText=words.messages["fallback"],
        msteams={"width": "Full"},
        body=list(body),
    )


def kept(page: Page, key: Hashable, make: Callable[[], Card]) -> Card:
    """A card that is the same for everybody who is shown it: made once, and never changed."""
    found: Card | None = page.kept.get(key)
    if found is None:
        if len(page.kept) >= MOST_KEPT:
            page.kept.clear()
        found = page.kept[key] = make()
    return found


def with_note(shown: Card, words: str) -> Card:
    """A card like this one with a message above it."""
    note = container(paragraphs(words), style="warning")
    copy = shown.model_copy(update={"body": [note, *(shown.body or [])]})
    copy._encoded = b""
    return copy


def problem_box(problems: Sequence[str]) -> list[ElementType]:
    """What has to be mended first, above everything else; nothing if there is nothing."""
    if not problems:
        return []
    return [container([block for said in problems for block in paragraphs(said)], style="warning")]


def _sample_mark(page: Page) -> list[ElementType]:
    if not page.snapshot.sample:
        return []
    return [container([text(page.text("sample_banner"), weight="bolder")], style="accent")]


# -- text ---------------------------------------------------------------------------------------


def text(words: str, **look: Any) -> TextBlock:
    return TextBlock(type="TextBlock", text=words, wrap=True, **look)


def heading(words: str, **look: Any) -> TextBlock:
    return text(words, **{"style": "heading", "weight": "bolder", "size": "large", **look})


def paragraphs(words: str) -> list[ElementType]:
    """A message of the pack: each paragraph a block, one that is all bold a heading."""
    blocks: list[ElementType] = []
    for paragraph in words.split("\n\n"):
        bold = _HEADING.fullmatch(paragraph.strip())
        blocks.append(heading(bold[1]) if bold else text(paragraph.strip()))
    return blocks


def as_it_is(line: str, **look: Any) -> TextBlock:
    """One line of somebody's own words, as plain text.

    For what may hold a long address: clients break it here, and not in a rich block.
    """
    return text(_MARKS.sub(r"\\\g<0>", line), **look)


def verbatim(words: str) -> RichTextBlock:
    """Somebody's own words: nothing in them is taken for a link or for bold print."""
    return RichTextBlock(type="RichTextBlock", inlines=[TextRun(type="TextRun", text=words)])


# -- boxes --------------------------------------------------------------------------------------


def container(items: Sequence[ElementType], **look: Any) -> Container:
    return Container(type="Container", items=list(items), **look)


def columns(*cells: Column) -> ColumnSet:
    return ColumnSet(type="ColumnSet", columns=list(cells))


def column(items: Sequence[ElementType], width: str, **look: Any) -> Column:
    return Column(type="Column", items=list(items), width=width, **look)


def band_style(band: Band, instrument: Instrument) -> str:
    """The container's colour for a band: the lowest, the highest, those between, or not rated."""
    if band.id == instrument.not_rated.id:
        return "emphasis"
    if band.id == instrument.bands[0].id:
        return "attention"
    return "good" if band.id == instrument.bands[-1].id else "warning"


# -- buttons ------------------------------------------------------------------------------------


def press(page: Page, verb: Verb, title: str = "", *, hint: str = "", **data: Any) -> Execute:
    """A button. Without a title it takes the verb's own; `hint` is read out with it."""
    button = execute(title or page.words.verbs[verb], verb, page.data(**data))
    if hint:
        button.tooltip = hint
    return button


def execute(title: str, verb: Verb, data: Mapping[str, Any]) -> Execute:
    """A button that belongs to no snapshot."""
    return Execute(type="Action.Execute", title=title, verb=verb, data=dict(data))


def link_of(page: Page, id: str) -> OpenUrl:
    """A link of the pack, with values made safe for a URL; a whole address is one already."""
    found = page.words.links[id]
    safe = {name: quote(value, safe="@") for name, value in page.facts.items()}
    whole = {name: page.facts[name] for name in ("privacy_url", "survey_link")}
    return OpenUrl(
        type="Action.OpenUrl",
        title=fill(id, found.label, page.facts),
        url=fill(id, found.url, safe | whole),
    )


def buttons(*row: Button) -> ActionSet:
    """A row of at most two buttons: more would be cut off on a phone."""
    if len(row) > 2:
        raise ValueError("at most two buttons stand in a row")
    return ActionSet(type="ActionSet", actions=list(row))


def refresh(page: Page) -> Refresh:
    """Teams asks for this by itself when the chat is opened again, also on another device.

    Without `userIds`, which is for channels: an empty list there would mean "only by hand".
    """
    return Refresh(type="Refresh", action=press(page, Verb.SHOW))


def help_rows(page: Page, again: str = Verb.SHOW, **data: Any) -> list[ElementType]:
    """On every practitioner's card: what must never be more than one tap away.

    `again`, a verb or a typed command, and `data` show the same card in the other language. What
    the card itself is has no button on it, which would change nothing.
    """
    helps = [verb for verb in (Verb.WORRIED, Verb.PRIVACY, Verb.WELLBEING) if verb != again]
    change = press(page, Verb.LANGUAGE, to=page.other, again=again, **data)
    return [
        container(
            [
                *(buttons(press(page, verb)) for verb in helps),
                *([buttons(change)] if page.other else []),
            ],
            separator=True,
            spacing="large",
        )
    ]


# -- the progress bar ---------------------------------------------------------------------------


def progress_bar(done: int, total: int, label: str) -> Image:
    """A flat picture: a coloured column of a few pixels' height is not drawn as one."""
    return Image(type="Image", url=_bar(done, total), altText=label, size="auto")


@lru_cache(maxsize=256)
def _bar(done: int, total: int) -> str:
    """A PNG as a data URI: one colour up to `done` of `total`, another after it."""
    width, height = _BAR_SIZE
    filled = width * done // total
    row = b"\0" + _BAR_DONE * filled + _BAR_LEFT * (width - filled)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"IDAT", zlib.compress(row * height, 9)),
        (b"IEND", b""),
    )
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return "data:image/png;base64," + base64.b64encode(png).decode()
