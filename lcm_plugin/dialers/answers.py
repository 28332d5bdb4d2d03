"""What an engine or a site's endpoint says, read within limits: neither its size nor its depth is ours."""

import json
from typing import Any, Final

import aiohttp

from cti_hooks import masked_text, printable

_CHUNK: Final = 1 << 16
IDENTITY: Final = {"Accept-Encoding": "identity"}
"""A small answer must not become a large one."""


_MANY_DIGITS: Final = 10
_SMALL: Final = 1000
_SHOWN: Final = 200


class UnreadableError(ValueError):
    """The answer is too large, no JSON, or of another shape; the text quotes nothing of it."""


async def body_of(reply: aiohttp.ClientResponse, largest: int) -> bytes:
    """The body of a reply, of `largest` bytes at the most.

    Raises:
        UnreadableError: it is larger; what is left of it is not read.
    """
    body = bytearray()
    async for chunk in reply.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > largest:
            reply.close()
            raise UnreadableError(f"an answer of more than {largest} bytes")
    return bytes(body)


def json_of(text: str | bytes) -> Any:
    """What a text says.

    Raises:
        UnreadableError: it is no JSON, or nested without end.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UnreadableError("an answer that is no JSON") from None


def whole_number(text: str) -> int | None:
    """The number that a text stands for; None if it is no number, or one of more than nine digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < _MANY_DIGITS else None


def small_number(value: Any) -> int:
    """A cause or a status; 0 if it is none of at most three digits."""
    return value if type(value) is int and 0 <= value < _SMALL else 0


def short_text(value: Any) -> str | None:
    """A text for people, 200 characters of it, on one line; None if it is none."""
    return printable(masked_text(value[:_SHOWN]))[:_SHOWN] if isinstance(value, str) and value else None


def object_of(value: Any) -> dict[str, Any]:
    """The value, an object.

    Raises:
        UnreadableError: it is none.
    """
    if not isinstance(value, dict):
        raise UnreadableError("an answer that is no object")
    return value


def objects_of(value: Any, name: str) -> dict[str, dict[str, Any]]:
    """An array of objects, each by what is its field `name`.

    One may be told twice, as Asterisk 22 does with a channel for a moment: the last one counts.

    Raises:
        UnreadableError: it is none, or one of them has no such text.
    """
    found = value if isinstance(value, list) else [None]
    named = [one for one in found if isinstance(one, dict) and isinstance(one.get(name), str)]
    if len(named) < len(found):
        raise UnreadableError(f"an answer that is no array of objects, each with {name}")
    return {one[name]: one for one in named}
