"""What a button can ask for. The table in `bot/turns` says who does it."""

from __future__ import annotations

from enum import StrEnum


class Verb(StrEnum):
    BEGIN = "survey.begin"
    SHOW = "survey.show"
    ANSWER = "survey.answer"
    BACK = "survey.back"
    CHANGE = "survey.change"
    REVIEW = "survey.review"
    SUBMIT = "survey.submit"
    WITHDRAW = "survey.withdraw"
    COMMENTS = "survey.comments"
    LANGUAGE = "survey.language"
    QUIET = "survey.quiet"
    CHOOSE = "snapshot.choose"
    WORRIED = "help.worried"
    PRIVACY = "help.privacy"
    WELLBEING = "help.wellbeing"
    NEW = "snapshot.new"
    CONTACTS = "snapshot.contacts"
    OPEN = "snapshot.open"
    STATUS = "snapshot.status"
    EXTEND = "snapshot.extend"
    CLOSE = "snapshot.close"
    ADD_LEADS = "leads.add"
    STOP_LEAD = "leads.stop"
    EMAIL_LEADS = "leads.email"
    READ_COMMENTS = "comments.review"
    DECIDE = "comments.decide"
    THEME = "comments.theme"
    PLAN = "plan.show"
    ADVICE = "plan.advice"
    EDIT_ACTION = "plan.edit"
    TAKE_OFF = "plan.remove"
