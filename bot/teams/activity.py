"""Activities in and out: from checked JSON to the few fields that a turn needs, and back.

Built by hand, since msrest takes 100 times as long and turns odd input into odd errors.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from botbuilder.schema import Activity, Attachment, ChannelAccount, ConversationAccount

from bot.teams.body import BadActivity, mapping, text_of
from bot.turns.turn import Address, Consent, Given, Offer, Place, Turn
from snapshot.sealing import Person

ADAPTIVE_CARD = "application/vnd.microsoft.card.adaptive"
FILE = "application/vnd.microsoft.teams.file.download.info"
OFFER = "application/vnd.microsoft.teams.card.file.consent"
GIVEN = "application/vnd.microsoft.teams.card.file.info"

_MENTION = re.compile(r"<at\b[^>]*>.*?</at>", re.IGNORECASE | re.DOTALL)
_PLACES = {"personal": Place.PRIVATE, "channel": Place.CHANNEL, "groupChat": Place.GROUP}
_MOST_IN_A_FILE_ADDRESS = 8_192


class Nobody(BadActivity):
    """Somebody in a channel or a meeting who has no account, such as an anonymous guest."""


def activity_from(fields: Mapping[str, Any]) -> Activity:
    """Raises `BadActivity`."""
    sender = mapping(fields.get("from"))
    conversation = mapping(fields.get("conversation"))
    recipient = mapping(fields.get("recipient"))
    return Activity(
        type=text_of(fields, "type"),
        id=text_of(fields, "id", ""),
        name=text_of(fields, "name", ""),
        action=text_of(fields, "action", ""),
        text=text_of(fields, "text", ""),
        locale=text_of(fields, "locale", ""),
        reply_to_id=text_of(fields, "replyToId", ""),
        channel_id=text_of(fields, "channelId"),
        service_url=text_of(fields, "serviceUrl"),
        value=fields.get("value"),
        channel_data=mapping(fields.get("channelData") or {}),
        members_added=[],
        attachments=_attachments(fields),
        from_property=ChannelAccount(
            id=text_of(sender, "id"), aad_object_id=text_of(sender, "aadObjectId", "")
        ),
        recipient=ChannelAccount(id=text_of(recipient, "id")),
        conversation=ConversationAccount(
            id=text_of(conversation, "id"),
            conversation_type=text_of(conversation, "conversationType"),
            tenant_id=text_of(conversation, "tenantId", ""),
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
    action = mapping(mapping(value).get("action"))
    if action.get("type") not in ("Action.Execute", "Action.Submit"):
        raise BadActivity("unknown action")
    return text_of(action, "verb", ""), mapping(action.get("data") or {})


def consented(value: Any) -> Consent:
    """What was chosen by a `fileConsent/invoke`. Raises `BadActivity`."""
    fields = mapping(value)
    about = mapping(fields.get("context") or {})
    action = text_of(fields, "action")
    if action == "decline":
        return Consent(about)
    if action != "accept":
        raise BadActivity("unknown choice")
    place = mapping(fields.get("uploadInfo"))
    return Consent(
        about,
        upload=text_of(place, "uploadUrl", most=_MOST_IN_A_FILE_ADDRESS),
        name=text_of(place, "name"),
        id=text_of(place, "uniqueId"),
        kind=text_of(place, "fileType", ""),
        url=text_of(place, "contentUrl", most=_MOST_IN_A_FILE_ADDRESS),
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
        Attachment(content_type=text_of(each, "contentType", ""), content=each.get("content"))
        for each in map(mapping, found)
    ]


def _file(activity: Activity) -> str:
    """Where the first attached file can be fetched for some minutes; empty: there is none.

    The text of a message comes as an attachment too, and is no file.
    """
    for attachment in activity.attachments:
        if attachment.content_type == FILE:
            return text_of(mapping(attachment.content), "downloadUrl", most=_MOST_IN_A_FILE_ADDRESS)
    return ""


def _tenant(activity: Activity) -> str:
    """The Playground gives it in the channel data only, Teams in both."""
    tenant = mapping(activity.channel_data.get("tenant") or {})
    return activity.conversation.tenant_id or text_of(tenant, "id", "")


def _team(activity: Activity) -> str:
    return text_of(mapping(activity.channel_data.get("team") or {}), "id", "")


def _words(text: str) -> str:
    return " ".join(html.unescape(_MENTION.sub(" ", text)).split())
