"""Identifiers that are known by their shape: numbers, addresses and dates.

What is searched is a plain copy of a comment (`screening`): no accents, nothing hidden, one kind of
digit, dash and space. No pattern repeats without bound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum


class Identifier(StrEnum):
    """What must be taken out. The message packs have words for each."""

    NHS_NUMBER = "nhs_number"
    NI_NUMBER = "ni_number"
    PHONE = "phone"
    EMAIL = "email"
    POSTCODE = "postcode"
    DATE_OF_BIRTH = "date_of_birth"
    TITLED_NAME = "titled_name"


_APART = r"[\s./_-]{0,4}"  # what people put between digits
_SPLIT = r"[\s()./-]{0,4}"  # the same in a phone number

# Windows may overlap: a number may stand right after another one. None begins with 5 or 8.
_TEN_DIGITS = re.compile(rf"(?<!\d)(?=([0-4679](?:{_APART}\d){{9}})(?!\d))")
# The first letters are those that are given out, and QQ, which official examples have. "By 250000
# a year" is no number of anybody.
_NI_NUMBER = re.compile(
    rf"(?<![^\W_])(?!bg|gb|kn|nk|nt|tn|zz)(?:qq|[a-ceghj-prstw-z]{_APART}[a-ceghj-nprstw-z])"
    rf"(?!\s?\d{{6}}\s(?-i:a)\s){_APART}\d(?:{_APART}\d){{5}}{_APART}[a-d](?![^\W_])",
    re.IGNORECASE,
)
# 0800 and 0808 are helplines, which people may name.
_PHONE = re.compile(
    rf"(?<!\d)(?=(?:(?:\+|00)?{_SPLIT}44(?:{_SPLIT}0)?|0)(?!{_SPLIT}8{_SPLIT}0{_SPLIT}[08])"
    rf"{_SPLIT}[1-35789](?:{_SPLIT}\d){{8,9}}(?!\d)"
    rf"|\+(?!{_SPLIT}44)(?:{_SPLIT}\d){{9,14}}(?!\d))"
)
_AT = r"\s{0,2}(?:@|[\[({<]\s{0,2}at\s{0,2}[\])}>])\s{0,2}"
_DOT = r"\s{0,2}(?:\bdot\b|[\[({<]\s{0,2}dot\s{0,2}[\])}>])\s{0,2}"
_PLACE = r"[\w-]{1,63}"
# "Look at nspcc.org.uk" and "we meet at school. They" are no addresses.
_EMAIL = re.compile(
    rf"\w@[^\W\d_]"
    rf"|\w{_AT}{_PLACE}(?:{_DOT}|\s?\.\s?(?=(?:uk|com|org|net|co|gov|ac|nhs|sch)\b)|\.)\w"
    rf"|\w\s{{1,3}}at\s{{1,3}}{_PLACE}{_DOT}\w"
    rf"|(?<![\w.])\w{{1,40}}[._]\w{{1,40}}\s{{1,3}}at\s{{1,3}}{_PLACE}\.\w",
    re.IGNORECASE,
)
_AREAS = (
    "AB|AL|B|BA|BB|BD|BH|BL|BN|BR|BS|BT|CA|CB|CF|CH|CM|CO|CR|CT|CV|CW|DA|DD|DE|DG|DH|DL|"
    "DN|DT|DY|E|EC|EH|EN|EX|FK|FY|G|GL|GU|GY|HA|HD|HG|HP|HR|HS|HU|HX|IG|IM|IP|IV|JE|KA|"
    "KT|KW|KY|L|LA|LD|LE|LL|LN|LS|LU|M|ME|MK|ML|N|NE|NG|NN|NP|NR|NW|OL|OX|PA|PE|PH|PL|PO|"
    "PR|RG|RH|RM|S|SA|SE|SG|SK|SL|SM|SN|SO|SP|SR|SS|ST|SW|SY|TA|TD|TF|TN|TQ|TR|TS|TW|UB|"
    "W|WA|WC|WD|WF|WN|WR|WS|WV|YO|ZE"
)
# "S17 1st meeting" is section 17, not Sheffield; "so 10 2yr olds" is not Southampton.
_POSTCODE = re.compile(
    rf"(?<![^\W_])(?:{_AREAS}|(?-i:{_AREAS}) )\d[a-z\d]?[\s-]{{0,3}}"
    r"(?!(?-i:1st|2nd|3rd|\dth)\b)\d[abd-hjlnp-uw-z]{2}(?![^\W_])",
    re.IGNORECASE,
)
_DAY, _MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_YEAR = r"(?:19|20)\d\d"
_DATE = re.compile(
    rf"(?<![\d.])(?:"
    rf"(?:{_DAY}\s{{0,2}}([/.-])\s{{0,2}}{_MONTH}|{_MONTH}([/.-]){_DAY})\s{{0,2}}(?:\1|\2)"
    rf"\s{{0,2}}(?:{_YEAR}|\d\d)"
    rf"|{_DAY}\s{{1,3}}{_MONTH}\s{{1,3}}{_YEAR}|\d\d(?<=[0-3]\d)\s{{1,3}}[01]\d\s{{1,3}}\d\d"
    rf"|{_YEAR}\s{{0,2}}([/.-])\s{{0,2}}{_MONTH}\s{{0,2}}\3\s{{0,2}}{_DAY}"
    rf"|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2]){_YEAR}"
    rf")(?!\d|\.\d)"
)


def _is_nhs_number(text: str) -> bool:
    """Whether the last of ten digits is the check digit of the nine before it."""
    digits = [int(c) for c in text if c.isdecimal()]
    check = -sum(weight * digit for weight, digit in zip(range(10, 1, -1), digits, strict=False))
    return check % 11 == digits[9] and any(digits)


def shaped(text: str) -> Iterator[Identifier]:
    """What a plain copy of a comment holds, each kind once."""
    if any(_is_nhs_number(match[1]) for match in _TEN_DIGITS.finditer(text)):
        yield Identifier.NHS_NUMBER
    if _NI_NUMBER.search(text):
        yield Identifier.NI_NUMBER
    if _PHONE.search(_DATE.sub("|", text)):  # "03/05/2014 10:30" is no phone number too
        yield Identifier.PHONE
    if _EMAIL.search(text):
        yield Identifier.EMAIL
    if _POSTCODE.search(text):
        yield Identifier.POSTCODE
    if _DATE.search(text):
        yield Identifier.DATE_OF_BIRTH
