"""Signs as Bot Framework does, with keys that are made here and told under a local address.

Source of what is in tokens and keys: Microsoft, "Authentication with the Bot Connector API".
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

ISSUER = "https://api.botframework.com"
METADATA_PATH = "/v1/.well-known/openidconfiguration"
KEYS_PATH = "/v1/.well-known/keys"

type Json = dict[str, Any]


@cache
def key(name: str) -> RSAPrivateKey:
    """Made once for all tests, since that takes a while."""
    del name
    return generate_private_key(65_537, 2_048)


@dataclass
class Signer:
    """`known`: the names of the keys that are told of, each for its channels."""

    app: str
    known: dict[str, list[str]] = field(default_factory=lambda: {"first": ["msteams"]})

    def metadata(self, url: str) -> Json:
        return {
            "issuer": ISSUER,
            "authorization_endpoint": "https://invalid.botframework.com",
            "jwks_uri": f"{url}{KEYS_PATH}",
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        }

    def keys(self) -> Json:
        return {"keys": [self._listed(name, told) for name, told in self.known.items()]}

    def token(
        self,
        service_url: str,
        *,
        by: str = "first",
        algorithm: str = "RS256",
        head: Json | None = None,
        **claims: Any,
    ) -> str:
        """A good one, unless something of it is changed; a claim that is None is left out."""
        now = int(time.time())
        said = {
            "iss": ISSUER,
            "aud": self.app,
            "nbf": now - 60,
            "exp": now + 3_600,
            "serviceurl": service_url,
            **claims,
        }
        return jwt.encode(
            {name: value for name, value in said.items() if value is not None},
            key(by) if algorithm.startswith(("RS", "PS")) else "x" * 64,
            algorithm,
            headers={"kid": by, **(head or {})},
        )

    def _listed(self, name: str, channels: list[str]) -> Json:
        public: Json = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key(name).public_key()))
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": name,
            "x5t": name,
            "n": public["n"],
            "e": public["e"],
            "endorsements": channels,
        }
