"""The report from its first line to its last, in the order in which it is read."""

from __future__ import annotations

from collections.abc import Iterator

from report.blocks import Document, Section
from report.domains import domain_section
from report.following import following
from report.front import at_a_glance, in_short
from report.material import Material
from report.method import method, replies, statements
from report.saying import Saying


def tell(material: Material) -> Document:
    say, snapshot = Saying(material), material.snapshot
    return Document(
        language=material.pack.wording.language,
        title=say.instrument.title,
        subtitle=say.text("title", area=snapshot.area),
        lines=tuple(_lines(say)),
        contents=say.text("contents"),
        foot=say.text("title", area=snapshot.area),
        day=material.closed,
        sections=tuple(_sections(say)),
    )


def _lines(say: Saying) -> Iterator[str]:
    material, contacts = say.material, say.material.snapshot.contacts
    if material.snapshot.sample:
        yield material.pack.wording.messages["sample_banner"]
    partnership = material.snapshot.partnership_name
    yield say.text("prepared", partnership=partnership, closed=say.day(material.closed))
    yield say.text("questions", contact_email=contacts.contact_email)
    yield say.text(
        "not_a_concern",
        front_door_name=contacts.front_door_name,
        front_door_phone=contacts.front_door_phone,
    )


def _sections(say: Saying) -> Iterator[Section]:
    yield in_short(say)
    if say.is_rated:
        yield at_a_glance(say)
        for domain in say.instrument.domains:
            yield domain_section(say, domain)
    yield from following(say)
    found = replies(say)
    if found:
        yield found
    yield method(say)
    yield statements(say)
