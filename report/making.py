"""Each form of the report, made from the same material."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

from report.material import Material

_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


class Form(StrEnum):
    """By the end of the file's name."""

    WORD = "docx"
    PDF = "pdf"
    EXCEL = "xlsx"


def make(material: Material, form: Form) -> bytes:
    """Some seconds of work on a busy machine, so nothing for an event loop: see `bot.printing`."""
    # Late, since what prints them is large and most of what the bot does needs none of it.
    if form is Form.EXCEL:
        from report.excel import excel

        return excel(material)
    from report.telling import tell

    if form is Form.PDF:
        from report.typesetting import pdf

        return pdf(tell(material))
    from report.word import word

    return word(tell(material))


def name_of(material: Material, form: Form) -> str:
    """For example "snapshot-exampleshire-2026-04-11-en.pdf"."""
    folded = unicodedata.normalize("NFKD", material.snapshot.area).casefold()
    area = _NOT_IN_A_NAME.sub("-", folded.encode("ascii", "ignore").decode()).strip("-")
    language = material.pack.wording.language.partition("-")[0]
    parts = ["snapshot", area[:60], material.closed.isoformat(), language]
    return "-".join(filter(None, parts)) + f".{form}"
