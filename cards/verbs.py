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
    WORRIED = "help.worried"
    PRIVACY = "help.privacy"
    WELLBEING = "help.wellbeing"
    STATUS = "snapshot.status"
    CLOSE = "snapshot.close"
