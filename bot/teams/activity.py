"""Activities in and out: from checked JSON to the few fields that a turn needs, and back.

Built by hand, since msrest takes 100 times as long and turns odd input into odd errors.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

import orjson
from botbuilder.schema import Activity, Attachment, ChannelAccount, ConversationAccount

from bot.turns.turn import Address, Consent, Given, Offer, Place, Turn
from snapshot.sealing import Person

CHANNEL = "msteams"
ADAPTIVE_CARD = "application/vnd.microsoft.card.adaptive"
FILE = "application/vnd.microsoft.teams.file.download.info"
OFFER = "application/vnd.microsoft.teams.card.file.consent"
GIVEN = "application/vnd.microsoft.teams.card.file.info"

_MENTION = re.compile(r"<at\b[^>]*>.*?</at>", re.IGNORECASE | re.DOTALL)
_PLACES = {"personal": Place.PRIVATE, "channel": Place.CHANNEL, "groupChat": Place.GROUP}
_MOST_CHARACTERS = 2_048
_MOST_IN_A_FILE_ADDRESS = 8_192


class BadActivity(Exception):
    """The body is not an activity that Teams sends; it is answered with 400."""


class Nobody(BadActivity):
    """Somebody in a channel or a meeting who has no account, such as an anonymous guest."""


def read_body(raw: bytes) -> Mapping[str, Any]:
    """Raises `BadActivity`."""
    try:
        return _mapping(orjson.loads(raw))
    except orjson.JSONDecodeError:
        raise BadActivity("not JSON") from None


def activity_from(fields: Mapping[str, Any]) -> Activity:
    """Raises `BadActivity`."""
    sender = _mapping(fields.get("from"))
    conversation = _mapping(fields.get("conversation"))
    recipient = _mapping(fields.get("recipient"))
    return Activity(
        type=_text(fields, "type"),
        id=_text(fields, "id", ""),
        name=_text(fields, "name", ""),
        action=_text(fields, "action", ""),
        text=_text(fields, "text", ""),
        locale=_text(fields, "locale", ""),
        reply_to_id=_text(fields, "replyToId", ""),
        channel_id=_text(fields, "channelId"),
        service_url=_text(fields, "serviceUrl"),
        value=fields.get("value"),
        channel_data=_mapping(fields.get("channelData") or {}),
        members_added=[],
        attachments=_attachments(fields),
        from_property=ChannelAccount(
            id=_text(sender, "id"), aad_object_id=_text(sender, "aadObjectId", "")
        ),
        recipient=ChannelAccount(id=_text(recipient, "id")),
        conversation=ConversationAccount(
            id=_text(conversation, "id"),
            conversation_type=_text(conversation, "conversationType"),
            tenant_id=_text(conversation, "tenantId", ""),
        ),
    )


def turn_from(activity: Activity) -> Turn:
    """Raises `BadActivity` when it does not say who acts, or where."""
    tenant = _tenant(activity)
    place = _PLACES.get(activity.conversation.conversation_type)
    if place is None:
        raise BadActivity("unknown type of conversation")
    if place is not Place.PRIVATE and not activity.from_property.aad_object_id:
        raise Nobody("no object id")
    try:
        # Ids are GUIDs: in other letter case they would make one person two.
        person = Person(tenant.lower(), activity.from_property.aad_object_id.lower())
    except ValueError:
        raise BadActivity("no tenant or object id") from None
    return Turn(
        person=person,
        place=place,
        address=Address(
            service_url=activity.service_url,
            conversation=activity.conversation.id.partition(";messageid=")[0],
            bot=activity.recipient.id,
            tenant=person.tenant,
            team=_team(activity) if place is Place.CHANNEL else "",
        ),
        words=_words(activity.text),
        locale=activity.locale,
        file=_file(activity),
        id=activity.from_property.id,
    )


def pressed(value: Any) -> tuple[str, Mapping[str, Any]]:
    """Verb and data of an `adaptiveCard/action`. Raises `BadActivity`."""
    action = _mapping(_mapping(value).get("action"))
    if action.get("type") not in ("Action.Execute", "Action.Submit"):
        raise BadActivity("unknown action")
    return _text(action, "verb", ""), _mapping(action.get("data") or {})


def consented(value: Any) -> Consent:
    """What was chosen by a `fileConsent/invoke`. Raises `BadActivity`."""
    fields = _mapping(value)
    about = _mapping(fields.get("context") or {})
    action = _text(fields, "action")
    if action == "decline":
        return Consent(about)
    if action != "accept":
        raise BadActivity("unknown choice")
    place = _mapping(fields.get("uploadInfo"))
    return Consent(
        about,
        upload=_text(place, "uploadUrl", most=_MOST_IN_A_FILE_ADDRESS),
        name=_text(place, "name"),
        id=_text(place, "uniqueId"),
        kind=_text(place, "fileType", ""),
        url=_text(place, "contentUrl", most=_MOST_IN_A_FILE_ADDRESS),
    )


def with_file(file: Offer | Given) -> Attachment:
    if isinstance(file, Given):
        content = {"uniqueId": file.id, "fileType": file.kind}
        return Attachment(content_type=GIVEN, name=file.name, content_url=file.url, content=content)
    offered = {
        "description": file.description,
        "sizeInBytes": file.size,
        "acceptContext": file.about,
        "declineContext": file.about,
    }
    return Attachment(content_type=OFFER, name=file.name, content=offered)


def activity_to(activity: Activity) -> dict[str, Any]:
    """What goes to Teams: a message with at most one card in it."""
    sent: dict[str, Any] = {"type": activity.type}
    if activity.summary:
        sent["summary"] = activity.summary
    if activity.attachments:
        sent["attachments"] = [_attached(a) for a in activity.attachments]
    return sent


def _attached(attachment: Attachment) -> dict[str, Any]:
    sent = {"contentType": attachment.content_type, "content": attachment.content}
    more = {"name": attachment.name, "contentUrl": attachment.content_url}
    return sent | {key: value for key, value in more.items() if value}


def _attachments(fields: Mapping[str, Any]) -> list[Attachment]:
    found = fields.get("attachments")
    if found is None:
        return []
    if not isinstance(found, list):
        raise BadActivity("attachments must be a list")
    return [
        Attachment(content_type=_text(each, "contentType", ""), content=each.get("content"))
        for each in map(_mapping, found)
    ]


def _file(activity: Activity) -> str:
    """Where the first attached file can be fetched for some minutes; empty: there is none.

    The text of a message comes as an attachment too, and is no file.
    """
    for attachment in activity.attachments:
        if attachment.content_type == FILE:
            return _text(_mapping(attachment.content), "downloadUrl", most=_MOST_IN_A_FILE_ADDRESS)
    return ""


def _tenant(activity: Activity) -> str:
    """The Playground gives it in the channel data only, Teams in both."""
    tenant = _mapping(activity.channel_data.get("tenant") or {})
    return activity.conversation.tenant_id or _text(tenant, "id", "")


def tenants_in(body: Mapping[str, Any]) -> set[str]:
    """Every tenant that an activity names. Raises `BadActivity`."""
    data = _mapping(body.get("channelData") or {})
    places = (
        (_mapping(body.get("conversation")), "tenantId"),
        (_mapping(data.get("tenant") or {}), "id"),
    )
    return {_text(fields, key, "").lower() for fields, key in places} - {""}


def _team(activity: Activity) -> str:
    return _text(_mapping(activity.channel_data.get("team") or {}), "id", "")


def _words(text: str) -> str:
    return " ".join(html.unescape(_MENTION.sub(" ", text)).split())


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadActivity("an object was expected")
    return value


def _text(
    fields: Mapping[str, Any],
    key: str,
    default: str | None = None,
    most: int = _MOST_CHARACTERS,
) -> str:
    value = fields.get(key)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise BadActivity(f"{key} must be a text")
    # What people type may be long and is cut; an id that long is none.
    if len(value) > most:
        if key != "text":
            raise BadActivity(f"{key} is too long")
        return value[:most]
    return value
