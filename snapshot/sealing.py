"""Seals: what is written at the time that it is given can be read by nobody without the key.

One secret for each snapshot. Every person and purpose gets a key of its own, so a sealed ballot
that is moved to another person's envelope does not open. Ballots all have one length, and so have
contacts: the length says nothing about how much somebody wrote.
Scheme: docs/decisions/0003-slips-not-rows.md and docs/glossary.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from typing import Any, NewType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from snapshot.errors import Damaged, TooLong

Tag = NewType("Tag", str)

BALLOT_BYTES = 8192
CONTACT_BYTES = 1024
COMMENT_BYTES = 2048
LEAD_BYTES = 1536
PARTNER_BYTES = 4096
ACT_BYTES = 1536
KEY_BYTES = 32
CODE_LETTERS = 8
_READABLE = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without 0, O, 1 and I. As many as a power of two, so that none is likelier than another."""
_SCHEME = "csa1"
_NONCE_BYTES = 12
_LENGTH_BYTES = 4
_BETWEEN = "\x1f"


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is to Microsoft Entra. One object id means nothing without its tenant."""

    tenant: str
    object_id: str

    def __post_init__(self) -> None:
        for part in (self.tenant, self.object_id):
            # A control character could make two people share a tag, since one joins the parts.
            if not 0 < len(part) <= 128 or not part.isprintable():
                raise ValueError("a person is a tenant and an object id, 1 to 128 characters each")


class Sealer:
    """Seals and opens for one snapshot, or for the service itself (`scope`)."""

    def __init__(self, key: bytes, scope: str) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self._key = key
        self._scope = scope
        self._tags = self._derive("tag")

    def tag(self, person: Person) -> Tag:
        """The name of a person's envelope: without the key, a list of staff matches none."""
        text = _BETWEEN.join((person.tenant, person.object_id)).encode()
        return Tag(hmac.new(self._tags, text, hashlib.sha256).hexdigest()[:32])

    def name(self, purpose: str, *parts: str) -> str:
        """A name for what must not be named plainly: without the key, it matches nothing."""
        text = _BETWEEN.join(parts).encode()
        return hmac.new(self._derive("name", purpose), text, hashlib.sha256).hexdigest()[:32]

    def code(self, purpose: str) -> str:
        """Eight letters and digits that nobody can guess without the key, easy to read out."""
        raw = self._derive("code", purpose)[:CODE_LETTERS]
        return "".join(_READABLE[byte % len(_READABLE)] for byte in raw)

    def seal(self, value: Any, *context: str, size: int | None = None) -> str:
        """Seal a JSON value for a context, in base64.

        `size`: bytes to which the value is padded before sealing; None keeps its own length.
        Raises `TooLong` when the value does not fit into `size`.
        """
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        room = len(text) + _LENGTH_BYTES if size is None else size
        if len(text) + _LENGTH_BYTES > room:
            raise TooLong
        plain = (len(text).to_bytes(_LENGTH_BYTES) + text).ljust(room, b"\0")
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher(context).encrypt(nonce, plain, _associated(context))
        return base64.b64encode(sealed).decode()

    def open(self, sealed: str, *context: str) -> Any:
        """What was sealed for this context. Raises `Damaged`, and never says what was inside."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            nonce, text = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
            plain = self._cipher(context).decrypt(nonce, text, _associated(context))
            length = int.from_bytes(plain[:_LENGTH_BYTES])
            return json.loads(plain[_LENGTH_BYTES : _LENGTH_BYTES + length])
        except (InvalidTag, binascii.Error, ValueError, TypeError):
            raise Damaged from None

    def _cipher(self, context: tuple[str, ...]) -> AESGCM:
        return AESGCM(self._derive("seal", *context))

    def _derive(self, *purpose: str) -> bytes:
        text = _BETWEEN.join((_SCHEME, self._scope, *purpose)).encode()
        return hmac.new(self._key, text, hashlib.sha256).digest()


def _associated(context: tuple[str, ...]) -> bytes:
    return "|".join(context).encode()
