"""Attempt ids: UUID version 7 (RFC 9562, section 5.7), from the host's clock and chance."""

from datetime import datetime
from random import Random
from uuid import UUID


def new_attempt_id(now: datetime, random: Random) -> str:
    """A UUIDv7 of this moment; ids of later milliseconds sort behind it."""
    milliseconds = int(now.timestamp() * 1000) & (1 << 48) - 1
    number = (
        milliseconds << 80 | 0x7 << 76 | random.getrandbits(12) << 64 | 0b10 << 62 | random.getrandbits(62)
    )
    return str(UUID(int=number))
