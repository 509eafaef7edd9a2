"""What is looked for in a comment before it is stored: who it may point to, and who may be at risk.

A seat belt, not a promise: names in particular have no shape of their own, so moderators read
every comment afterwards. Each pattern repeats a bounded number of times or over what the next
part cannot match, so that no text makes it slow.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from snapshot.identifiers import Identifier, shaped

__all__ = ["Finding", "Identifier", "Lists", "Screener", "clean_up"]

# -- what comes of it ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """A likely name is asked about, identifiers are refused, risk is signposted."""

    identifiers: frozenset[Identifier]
    likely_name: bool
    risk: bool

    @property
    def clean(self) -> bool:
        return not (self.identifiers or self.likely_name or self.risk)


@dataclass(frozen=True, slots=True)
class Lists:
    """The words of one language. Capitals, accents and the kind of apostrophe do not matter.

    In a phrase, `...` stands for up to three words.
    """

    titles: tuple[str, ...]
    plain_titles: tuple[str, ...]
    """The titles that are understood before a name in small letters too."""
    common: tuple[str, ...]
    """Words that are no name after a title, or where a sentence begins."""
    birth: tuple[str, ...]
    months: tuple[str, ...]
    ages: tuple[str, ...]
    """What stands before or after somebody's age."""
    name_cues: tuple[str, ...]
    harmless: tuple[str, ...]
    """Words that are written with a capital and are no name of a person."""
    risk: tuple[str, ...]
    ordinary: tuple[str, ...]
    """Phrases that hold one of `risk` and yet speak of the work in general."""


# -- what is stored ------------------------------------------------------------------------------

_LINE_END = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
# Controls, soft hyphen, marks that turn the direction of writing, spaces of no width, halves of
# characters and tags. Kept are the joiners that emoji and Persian need, the marks beside
# right-to-left words, and tags where they make the flag of a nation.
_HIDDEN = re.compile(
    "(\U0001f3f4[\U000e0030-\U000e007a]{1,8}\U000e007f)"
    "|[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u180e\u200b\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*+\n){3,}+")


def clean_up(text: str) -> str:
    """The text as it is stored: NFC, nothing hidden, at most two blank lines in a row.

    A text of nothing but accents takes time in the square of its length: the caller limits that.
    """
    text = _HIDDEN.sub(lambda m: m[1] or "", _LINE_END.sub("\n", text))
    return _BLANK_LINES.sub("\n\n\n", unicodedata.normalize("NFC", text).strip())


# -- what is looked at ---------------------------------------------------------------------------

_APOSTROPHES = dict.fromkeys(map(ord, "‘’‛ʹʻʼ′`´"), "'")  # noqa: RUF001 - that is what they are
_DASHES = dict.fromkeys(map(ord, "\N{MINUS SIGN}\N{HYPHEN BULLET}"), "-")
_BLANKS = dict.fromkeys(map(ord, "\t\u115f\u1160\u2800\u3164\uffa0"), " ")  # letters without ink
_SAME = {**_APOSTROPHES, **_DASHES, **_BLANKS, ord("*"): None}  # * makes words bold


def _folded(text: str) -> str:
    """A copy in plain letters and digits: no accents, nothing hidden, one dash, one space."""
    text = _LINE_END.sub("\n", text).translate(_SAME)
    return "".join(_fold(part) for c in text for part in unicodedata.normalize("NFKD", c))


def _fold(char: str) -> str:
    if char == "\n" or (char.isascii() and char.isprintable()):
        return char
    match unicodedata.category(char):
        case "Nd":
            return str(unicodedata.decimal(char))
        case "Zs":
            return " "
        case "Pd":
            return "-"
        case "Mn" | "Mc" | "Me" | "Cf" | "Cc" | "Cs":
            return ""
    return char


# -- names and risk, by the lists ----------------------------------------------------------------

_LETTERS = r"[^\W\d_]++"
_WORD = rf"{_LETTERS}(?:['-]{_LETTERS}){{0,3}}+"
_WORDS = re.compile(_WORD)
# A full stop between words ends a sentence where a space follows it; in "d.o.b" none does.
_NEXT = r"(?:[^\w.!?]|\.(?!\s)){1,2}"
_RUNS_ON = re.compile(r"[ ,;&/(]*+")
_SHORTENED = re.compile(r"'(?:s|t|m|d|ll|re|ve|r|n|i|u|w|ch|th)?$", re.IGNORECASE)  # it's, Cymru'n


def _phrases(phrases: Iterable[str]) -> str:
    """A pattern for any of the phrases, the longest first; of none, one that finds nothing."""
    longest_first = sorted(set(phrases), key=lambda p: (-len(p), p))
    return rf"(?<!\w)(?:{'|'.join(map(_phrase, longest_first)) or '(?!)'})(?!\w)"


def _phrase(phrase: str) -> str:
    pattern, between = "", ""
    for word in re.findall(r"\.{3}|[\w']+", _folded(phrase)):
        if word == "...":
            between = rf"(?:{_NEXT}\w{{1,20}}){{0,3}}{_NEXT}"
        else:
            pattern += between + word.replace("'", "'?")
            between = _NEXT
    return pattern


def _any_case(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


class Screener:
    """Looks for identifiers, likely names and words of risk.

    The lists of all languages count, whatever language somebody writes in.
    """

    def __init__(self, lists: Sequence[Lists]) -> None:
        months = [m for one in lists for m in one.months]
        titles = [t for one in lists for t in (*one.titles, *one.plain_titles)]
        # Without its first boundary it follows a number too: "14yo".
        ages = _phrases(a for one in lists for a in one.ages)
        harmless = [w for one in lists for w in one.harmless]
        common = [w for one in lists for w in one.common]
        no_names = (*harmless, *common, *titles, *months)
        self._no_names = {_folded(w).casefold() for w in no_names}
        self._well_known = _any_case(_phrases(w for w in harmless if " " in w))
        self._plain_titles = {t.casefold() for one in lists for t in one.plain_titles}
        # Ranks have no full stop after them: in "ask the DS. Training" a sentence ends.
        ranks, others = [t for t in titles if t.isupper()], [t for t in titles if not t.isupper()]
        self._titled = _any_case(
            rf"(?P<title>{_phrases(ranks)}(?=\s)|{_phrases(others)}(?=[\s.]))"
            rf"\.?\s{{0,3}}(?=(?P<name>{_WORD}))"
        )
        month = _phrases(months)
        birth = _phrases(b for one in lists for b in one.birth)
        self._born = _any_case(
            rf"{birth}\W{{0,4}}(?:\w{{1,15}}\W{{1,3}}){{0,4}}"
            rf"(?:\d{{1,2}}(?:[a-z]{{1,4}})?\W{{1,3}}(?:[a-z]{{1,3}}\W{{1,3}})?{month}"
            rf"|{month}\W{{1,3}}\d|\d{{1,2}}[/.]\d{{1,2}}(?!\d))"
        )
        self._cued = _any_case(
            rf"{_phrases(c for one in lists for c in one.name_cues)}\W{{1,3}}(?=({_WORD}))"
        )
        self._aged = _any_case(
            rf"(?<!\w)(?P<name>{_WORD})(?=\.?\s?(?P<link>[,(]?)\s?(?P<before>{ages}\W{{1,2}})?"
            rf"\d{{1,2}}(?![\d%])(?P<after>\W{{0,2}}{ages.removeprefix(r'(?<!\w)')})?"
            rf"(?P<end>\s{{0,2}}(?:[,.;:)!?\n]|\Z))?)"
        )
        self._risk = _any_case(_phrases(r for one in lists for r in one.risk))
        self._ordinary = _any_case(_phrases(o for one in lists for o in one.ordinary))

    def screen(self, text: str) -> Finding:
        """Never raises, whatever the text; how long it may be is for the caller to say."""
        text = _folded(text)
        return Finding(
            frozenset(self._identifiers(text)),
            self._has_likely_name(text),
            bool(self._risk.search(self._ordinary.sub(" . ", text))),
        )

    def _identifiers(self, text: str) -> Iterable[Identifier]:
        yield from shaped(text)
        if self._born.search(text):
            yield Identifier.DATE_OF_BIRTH
        if any(self._is_titled(match) for match in self._titled.finditer(text)):
            yield Identifier.TITLED_NAME

    def _is_titled(self, match: re.Match[str]) -> bool:
        plain = match["title"].casefold() in self._plain_titles
        return self._could_be_name(match["name"]) and (plain or match["name"][0].isupper())

    def _has_likely_name(self, text: str) -> bool:
        text = self._well_known.sub(lambda m: m[0].lower(), text)  # "Sarah's Law" is no Sarah
        return (
            any(self._is_name(match[1]) for match in self._cued.finditer(text))
            or any(self._is_aged(match) for match in self._aged.finditer(text))
            or any(
                self._is_name(word[0])
                for before, word in pairwise(_WORDS.finditer(text))
                if _RUNS_ON.fullmatch(text, before.end(), word.start())
            )
        )

    def _is_aged(self, match: re.Match[str]) -> bool:
        name = match["name"]
        if not (name[0].isupper() and self._could_be_name(name)):
            return False
        initials = name.isupper() and len(name) <= 3
        listed = match["link"] and (initials or match["end"])
        return bool(match["before"] or match["after"] or listed)

    def _is_name(self, word: str) -> bool:
        """Whether a name begins here. Acronyms are none: CSA, GPs, MASH's."""
        bare = _SHORTENED.sub("", word).removesuffix("s")
        return word[0].isupper() and not bare.isupper() and self._could_be_name(word)

    def _could_be_name(self, word: str) -> bool:
        """In small letters no part may be a common word: "miss non-verbal cues"."""
        parts = _SHORTENED.sub("", word).casefold().split("-")
        known = [part in self._no_names for part in parts]
        return not (all(known) if word[0].isupper() else any(known))
