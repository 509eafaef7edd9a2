"""The moderators' channel. They read comments one by one, and nobody else does before them.

Words of a comment only ever answer a moderator's own tap; what is posted holds none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.turns.account import moderator_did
from bot.turns.visit import Handler, Visit
from cards.help import moderator_help_card
from cards.moderation import (
    MOST_IN_A_NOTE,
    comment_card,
    escalated_card,
    moderation_done,
    moderation_notice,
    theme_card,
)
from cards.parts import Card, with_note
from cards.verbs import Verb
from snapshot.acts import Did
from snapshot.comments import (
    Comment,
    CommentState,
    Decision,
    decide,
    fits,
    keep_theme,
    next_comment,
    pass_on,
    printed,
    read_comment,
    undecided,
    wanting_a_theme,
)
from snapshot.errors import NotOffered
from snapshot.instrument import DomainId
from snapshot.screening import clean_up
from snapshot.snapshot import Phase


async def review(visit: Visit) -> Card:
    """The next comment; once all are read and the snapshot has closed, the next theme."""
    return await _next(visit, "comments_empty")


async def queue(visit: Visit) -> Card:
    """The typed word is answered where everybody in the channel sees it: without any words."""
    running, records = visit.running, visit.service.records
    if any((await undecided(records, running.snapshot.id)).values()):
        return moderation_notice(visit.page, "comments_queue")
    if running.phase is Phase.CLOSED and await wanting_a_theme(
        running, records, visit.page.instrument
    ):
        return moderation_notice(visit.page, "comments_themes_wait")
    return moderation_notice(visit.page, "comments_empty")


async def help(visit: Visit) -> Card:
    known = [c for c in visit.page.words.channel if c.id in WORDS]
    return moderator_help_card(visit.page, known)


async def judge(visit: Visit) -> Card:
    """Carry out what a moderator decided, and show the next comment."""
    turn, running, records = visit.turn, visit.running, visit.service.records
    comment = await read_comment(running, records, turn.text("comment"))
    is_told = turn.is_set("told")
    if comment.state is not (CommentState.ESCALATED if is_told else CommentState.WAITING):
        raise NotOffered  # an old card must not bring back what has been decided
    if is_told:
        return await _told(visit, comment)
    decision = _decision(turn.typed("decision"))
    words = clean_up(turn.typed("paraphrase"))
    if decision is None:
        note = _look_again(visit, ["decision"])
        return comment_card(visit.page, comment, _typed(visit), note)
    if decision is Decision.PARAPHRASE and (problem := _problem_with(visit, words)):
        return comment_card(visit.page, comment, _typed(visit), note=problem)
    if decision is Decision.APPROVE and words:  # theirs would be printed, and cannot be taken back
        note = visit.page.text("comments_approve_or_paraphrase")
        return comment_card(visit.page, comment, _typed(visit), note)
    await decide(running, records, comment.id, decision, words)
    await moderator_did(visit, Did.DECIDED, f"{decision} {comment.id}")
    if decision is Decision.ESCALATE:
        return _comment(visit, await read_comment(running, records, comment.id))
    return await _next(visit, "comments_done")


async def theme(visit: Visit) -> Card:
    """Keep the moderators' own summary of a domain, and show the next that needs one."""
    records, snapshot = visit.service.records, visit.running.snapshot.id
    domain = _domain(visit)
    words = clean_up(visit.turn.typed("theme"))
    if problem := _problem_with(visit, words):
        return with_note(await _theme(visit, domain), problem)
    await keep_theme(records, snapshot, domain, words)
    await moderator_did(visit, Did.WROTE_THEME, domain)
    return await _next(visit, "comments_done")


async def _told(visit: Visit, comment: Comment) -> Card:
    to = " ".join(clean_up(visit.turn.typed("passed_to")).split())
    when = " ".join(clean_up(visit.turn.typed("passed_when")).split())
    if not (_fits(to) and _fits(when)):
        missing = [
            box for box, said in (("passed_to", to), ("passed_when", when)) if not _fits(said)
        ]
        return escalated_card(visit.page, comment, _typed(visit), _look_again(visit, missing))
    await pass_on(visit.running, visit.service.records, comment.id, to=to, when=when)
    await moderator_did(visit, Did.PASSED_ON, comment.id)
    return moderation_notice(visit.page, "comments_passed_on", passed_to=to, passed_when=when)


def _fits(said: str) -> bool:
    return 0 < len(said) <= MOST_IN_A_NOTE


def _look_again(visit: Visit, boxes: Sequence[str]) -> str:
    labels = (visit.page.words.inputs[box].text for box in boxes)
    return "\n\n".join(visit.page.text("form_problem", field_label=label) for label in labels)


async def _next(visit: Visit, nothing_left: str) -> Card:
    running, records = visit.running, visit.service.records
    if comment := await next_comment(running, records):
        return _comment(visit, comment)
    if running.phase is Phase.CLOSED:
        for domain in await wanting_a_theme(running, records, visit.page.instrument):
            return await _theme(visit, domain)
    return moderation_done(visit.page, nothing_left)


def _comment(visit: Visit, comment: Comment) -> Card:
    if comment.state is CommentState.ESCALATED:
        return escalated_card(visit.page, comment, {})
    return comment_card(visit.page, comment, {})


async def _theme(visit: Visit, domain: DomainId) -> Card:
    comments = await printed(visit.running, visit.service.records)
    about = visit.page.instrument.domain(domain)
    return theme_card(visit.page, about, comments.get(domain, []), _typed(visit))


def _problem_with(visit: Visit, words: str) -> str:
    """What is wrong with a moderator's own words; empty: nothing."""
    page = visit.page
    if not words:
        return page.text("comments_paraphrase")
    if not fits(words, page.instrument.comments):
        most = str(page.instrument.comments.max_characters)
        return page.text("comment_too_long", max_characters=most)
    if visit.service.screener.screen(words).identifiers:
        return page.text("comments_paraphrase")
    return ""


def _typed(visit: Visit) -> dict[str, str]:
    """The boxes of the card as they were left."""
    boxes = ("decision", "paraphrase", "theme", "passed_to", "passed_when")
    return {box: visit.turn.typed(box) for box in boxes}


def _decision(value: str) -> Decision | None:
    if not value:
        return None
    try:
        return Decision(value)
    except ValueError:
        raise NotOffered from None


def _domain(visit: Visit) -> DomainId:
    wanted = visit.turn.text("domain")
    found = next((d.id for d in visit.page.instrument.domains if d.id == wanted), None)
    if found is None:
        raise NotOffered
    return found


VERBS: Mapping[str, Handler] = {
    Verb.READ_COMMENTS: review,
    Verb.DECIDE: judge,
    Verb.THEME: theme,
}
WORDS: Mapping[str, Handler] = {
    "comments": queue,
}
