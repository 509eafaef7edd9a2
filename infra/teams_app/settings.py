"""What a package is made from: a few variables of the environment, read once and checked.

Apart from the bot's own settings, since whoever packs has neither its store nor its keys at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from bot.settings import BadSettings
from infra.teams_app.checks import (
    MOST_IN_A_DEVELOPER,
    MOST_IN_A_NAME,
    is_address,
    is_id,
    is_text,
    is_version,
)


def _held_to(rule: Callable[[str], bool]) -> AfterValidator:
    def checked(value: str) -> str:
        if not rule(value):
            raise ValueError
        return value

    return AfterValidator(checked)


def _folder(value: Path | None) -> Path | None:
    if value and not value.is_dir():
        raise ValueError
    return value


type _Id = Annotated[str, AfterValidator(str.lower), _held_to(is_id)]
type _Address = Annotated[str, _held_to(is_address)]
type _Name = Annotated[str, _held_to(partial(is_text, most=MOST_IN_A_NAME))]
type _Developer = Annotated[str, _held_to(partial(is_text, most=MOST_IN_A_DEVELOPER))]
type _Version = Annotated[str, _held_to(is_version)]
type _Folder = Annotated[Path | None, AfterValidator(_folder)]

_PAGE = "an address of your organisation's, https://HOST/PAGE, "


class AppSettings(BaseModel):
    """Each field is read from the variable in its alias; its description is what mends it."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    bot: _Id = Field(
        alias="MicrosoftAppId",
        description="the application (client) id of the bot's app registration, as Entra shows it",
    )
    app: _Id = Field(
        alias="TEAMS_APP_ID",
        description="an id for the app itself, made once and then kept, for instance with "
        "python3 -c 'import uuid; print(uuid.uuid4())'; give the bot the same one",
    )
    version: _Version = Field(
        default="1.0.0",
        alias="TEAMS_APP_VERSION",
        description="three numbers such as 1.0.1, higher with each package that you upload",
    )
    name: _Name | None = Field(
        default=None,
        alias="TEAMS_APP_NAME",
        description="what the bot is called in Teams, in at most "
        f"{MOST_IN_A_NAME} characters; leave it out for the one in the content packs",
    )
    developer: _Developer = Field(
        alias="TEAMS_APP_DEVELOPER",
        description="the organisation that answers for the app, in at most "
        f"{MOST_IN_A_DEVELOPER} characters",
    )
    website: _Address = Field(
        alias="TEAMS_APP_WEBSITE", description=_PAGE + "where people find help with the app"
    )
    privacy: _Address = Field(
        alias="TEAMS_APP_PRIVACY", description=_PAGE + "with the privacy notice"
    )
    terms: _Address = Field(alias="TEAMS_APP_TERMS", description=_PAGE + "with the terms of use")
    content: _Folder = Field(
        default=None,
        alias="SNAPSHOT_CONTENT",
        description="the folder of the packs that the bot speaks from; leave it out for our own",
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str | None]) -> Self:
        """Raises `BadSettings` with all that is missing or wrong, and never with a value."""
        try:
            return cls.model_validate({name: value for name, value in environ.items() if value})
        except ValidationError as error:
            raise BadSettings(_say(error)) from None


def _say(error: ValidationError) -> str:
    cures = {field.alias: field.description for field in AppSettings.model_fields.values()}
    return "\n".join(
        f"{name} is {'missing' if found['type'] == 'missing' else 'wrong'}: {cures[name]}"
        for found in error.errors(include_url=False, include_input=False, include_context=False)
        for name in map(str, found["loc"][:1])
    )
