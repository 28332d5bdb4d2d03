"""Signed requests: who shares the secret can tell that a body is genuine, and not an old one sent again.

`Lcm-Timestamp` is the second it was signed at, as a Unix time; `Lcm-Signature` is `v1=` and the hexadecimal
HMAC-SHA256, with the secret as key, of the timestamp, a dot, and the body's bytes.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final

TIMESTAMP: Final = "Lcm-Timestamp"
SIGNATURE: Final = "Lcm-Signature"
WINDOW_SECONDS: Final = 300.0
"""How far a timestamp may be from the present, either way."""


class SignatureError(ValueError):
    """The request is not signed, not with this secret, or not now; the text says which."""


def signed(secret: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers that sign a body."""
    timestamp = f"{int(now.timestamp())}"
    return {TIMESTAMP: timestamp, SIGNATURE: _signature(secret, timestamp, body)}


def verify(secret: str, now: datetime, headers: Mapping[str, str], body: bytes) -> None:
    """Whether a request is genuine.

    Raises:
        SignatureError: it is not.
    """
    timestamp, shown = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
    if not shown or not timestamp.isascii() or not timestamp.isdigit():
        raise SignatureError(f"{TIMESTAMP} (a Unix time) and {SIGNATURE} (v1=...) are required")
    told = shown.strip().encode("utf-8", "surrogateescape")  # bytes that are no text are a wrong signature
    if not hmac.compare_digest(_signature(secret, timestamp, body).encode(), told):
        raise SignatureError(f"{SIGNATURE} is not this body's")
    if abs(now.timestamp() - int(timestamp)) > WINDOW_SECONDS:
        raise SignatureError(f"{TIMESTAMP} is more than {WINDOW_SECONDS:g} s from now; see both clocks")


def _signature(secret: str, timestamp: str, body: bytes) -> str:
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1={digest.hexdigest()}"
