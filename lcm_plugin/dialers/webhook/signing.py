"""Signed requests, as Standard Webhooks (standardwebhooks.com) has them, both ways.

`webhook-id` names the message, and is the same if it is sent again. `webhook-timestamp` is the second it was
signed at, as a Unix time. `webhook-signature` is `v1,` and the base64 of the HMAC-SHA256 of id, timestamp and
the body's bytes, with dots between; several with blanks between, one for each secret.

A secret that begins with `whsec_` is base64 behind it, as the standard has it; another is taken as it is.
Several with blanks between are for a change of secrets: all sign, and each is accepted.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
WINDOW_SECONDS: Final = 300.0
"""How far a timestamp may be from the present, either way."""
LONGEST_ID: Final = 200
"""Characters of a message's id."""
_MANY: Final = 8
"""Signatures of a request that are looked at."""
_PREFIX: Final = "whsec_"


class SignatureError(ValueError):
    """The request is not signed, not with this secret, or not now; the text says which."""


def signed(secret: str, now: datetime, body: bytes, message_id: str | None = None) -> dict[str, str]:
    """The headers that sign a body; without an id of its own the message gets one by chance.

    Raises:
        ValueError: the secret begins with `whsec_`, and is no base64 behind it.
    """
    named = message_id or f"msg_{secrets.token_hex(16)}"
    timestamp = f"{int(now.timestamp())}"
    signatures = (_signature(key, named, timestamp, body) for key in keys_of(secret))
    return {ID: named, TIMESTAMP: timestamp, SIGNATURE: " ".join(signatures)}


def verify(secret: str, now: datetime, headers: Mapping[str, str], body: bytes) -> str:
    """The id of a genuine request.

    Raises:
        SignatureError: it is none.
        ValueError: the secret cannot be one.
    """
    named, timestamp, shown = (headers.get(name, "").strip() for name in (ID, TIMESTAMP, SIGNATURE))
    if not named or not shown or not timestamp.isascii() or not timestamp.isdigit():
        raise SignatureError(f"{ID}, {TIMESTAMP} (a Unix time) and {SIGNATURE} (v1,...) are required")
    if len(named) > LONGEST_ID or not named.isprintable():
        raise SignatureError(f"{ID} may have {LONGEST_ID} characters that can be shown")
    if not _is_signed(secret, named, timestamp, shown, body):
        raise SignatureError(f"{SIGNATURE} is not this body's")
    if abs(now.timestamp() - int(timestamp)) > WINDOW_SECONDS:
        raise SignatureError(f"{TIMESTAMP} is more than {WINDOW_SECONDS:g} s from now; see both clocks")
    return named


def keys_of(secret: str) -> Iterator[bytes]:
    """The keys of a secret, or of several.

    Raises:
        ValueError: one begins with `whsec_`, and is no base64 behind it.
    """
    for one in secret.split():
        if not one.startswith(_PREFIX):
            yield one.encode()
            continue
        try:
            yield base64.b64decode(one.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            raise ValueError(f"a secret that begins with {_PREFIX} must be base64 behind it") from None


def _is_signed(secret: str, named: str, timestamp: str, shown: str, body: bytes) -> bool:
    told = [one.encode("utf-8", "surrogateescape") for one in shown.split()[:_MANY]]
    wanted = [_signature(key, named, timestamp, body).encode() for key in keys_of(secret)]
    return any(hmac.compare_digest(one, other) for one in wanted for other in told)


def _signature(key: bytes, named: str, timestamp: str, body: bytes) -> str:
    message = f"{named}.{timestamp}.".encode("utf-8", "surrogateescape") + body
    return f"v1,{base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()}"
