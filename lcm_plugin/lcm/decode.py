"""From what came over the wire to a `Reply`; tolerant of spelling and shape, strict about the rest.

Whatever the bytes are, a `Reply`, `LcmBadReply` or `LcmRejected` comes of them.
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from lcm_plugin.errors import Fault, LcmBadReply, LcmRejected
from lcm_plugin.lcm.catalogue import CATALOGUE, MessageType, Shape
from lcm_plugin.lcm.catalogue.downloads import COUNT
from lcm_plugin.lcm.limits import too_deep, too_many
from lcm_plugin.lcm.reply import LAYERS, Reply, bad, read, reject, shown, unwrapped
from lcm_plugin.lcm.spelling import MISSING, Named, folded, pick, truth

__all__ = ["LARGEST", "Reply", "decode", "inner", "is_request", "parse", "reply_name"]

log = logging.getLogger("lcm_plugin.lcm")

LARGEST: Final = 1 << 20
"""Bytes of a reply at the most."""
_LOOKED_AT: Final = 4096
_NAME: Final = re.compile(r'"([^"\\]{1,40})"\s*:')
_REQUESTS: Final = {folded(name) for name in CATALOGUE}
_REPLIES: Final = {
    folded(name): folded(message.reply)
    for message in CATALOGUE.values()
    for name in (message.reply, *message.also)
}


def decode(
    message: MessageType,
    raw: bytes | str | Mapping[str, Any],
    sent: Mapping[str, Any] | None = None,
) -> Reply:
    """Read the reply to `message`; `sent` is the request's `data`, of which a reply may repeat a part.

    Raises:
        LcmBadReply: not in the LCM's shape, the reply to another message or call, larger than 1 MiB, nested
            too deep, or with more records or fields than anybody asked for.
        LcmRejected: an error reply, `success: false`, or a failure reason without contacts.
    """
    try:
        return _within_limits(_reply(message, Named(inner(parse(raw))), sent or {}), sent or {})
    except (LcmBadReply, RecursionError) as error:
        log.debug("a bad reply to %s: %s", message.subtopic, _outline(raw))
        if isinstance(error, LcmBadReply):
            raise
        bad("nested without end")


def parse(raw: bytes | str | Mapping[str, Any]) -> Mapping[str, Any]:
    """The envelope as a mapping.

    Raises:
        LcmBadReply: larger than 1 MiB, not JSON, not an object, or nested too deep.
    """
    if isinstance(raw, Mapping):
        return bad("nested without end") if too_deep(raw) else raw
    if len(raw) > LARGEST:
        bad("larger than 1 MiB")
    try:
        envelope = json.loads(raw)
    except (ValueError, RecursionError):
        bad("not JSON")
    return parse(envelope) if isinstance(envelope, dict) else bad("not a JSON object")


def inner(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    """The inner message, which the outer packet has under `message` or `okmessage`; it names none."""
    for _ in range(LAYERS):
        inner = pick(envelope, "okmessage", "message")
        named = folded(pick(envelope, "subtopic")) not in {"", folded(MISSING), "none"}
        if named or not isinstance(inner, Mapping) or pick(inner, "subtopic") is MISSING:
            break
        envelope = inner
    return envelope


def reply_name(envelope: Mapping[str, Any]) -> str:
    """The name a reply goes by, folded: one for all its documented spellings."""
    name = folded(pick(envelope, "subtopic"))
    return _REPLIES.get(name, name)


def is_request(envelope: Mapping[str, Any]) -> bool:
    """Whether it is a request heard on the bus: some replies go by the name of their request."""
    return pick(envelope, "message") is MISSING and folded(pick(envelope, "subtopic")) in _REQUESTS


def _reply(message: MessageType, envelope: Mapping[str, Any], sent: Mapping[str, Any]) -> Reply:
    right = folded(pick(envelope, "subtopic")) in {folded(name) for name in (message.reply, *message.also)}
    body = pick(envelope, "message")
    if body is MISSING and right and not is_request(envelope):
        body = pick(envelope, "data")  # 11.7
    body = unwrapped(body)
    _refuse_errors(message, envelope, body)
    if not right:
        bad("to another message")
    if is_request(envelope):
        bad("the request itself, heard again")
    _refuse_others(message, envelope, body, sent)
    return read(message, body)


def _within_limits(reply: Reply, sent: Mapping[str, Any]) -> Reply:
    excess = too_many(reply.records, sent.get(COUNT.wire))
    return bad(excess) if excess else reply


def _refuse_errors(message: MessageType, envelope: Mapping[str, Any], body: Any) -> None:
    """The documentation's families of errors: `WS_Error` with a message, or `success: false`."""
    for place in (envelope, *_places(message, body)):
        kind = pick(place, "ErrorType", "Error Type", "error")
        if isinstance(kind, str) and kind.strip():
            why = pick(place, "ActualError", "Actual Error")
            said = f"{kind}: {why}" if isinstance(why, str) else kind
            raise LcmRejected(f"the LCM says: {shown(said)}", fault=Fault.REJECTED)
        if truth(pick(place, "success", "RequestResult")) is False:
            reject(place)


def _refuse_others(
    message: MessageType, envelope: Mapping[str, Any], body: Any, sent: Mapping[str, Any]
) -> None:
    """No correlation id is documented. Channel and topic are, and some replies repeat parts of a request."""
    for name, right in (("channel", message.reply_channels), ("topic", message.reply_topics)):
        if folded(pick(envelope, name)) not in {folded(MISSING), *map(folded, right)}:
            bad(f"of another {name}")
    for field in message.fields:
        mine = folded(sent.get(field.wire) or "")
        for place in _places(message, body) if field.echoed and mine else ():
            if folded(pick(place, field.wire) or "") not in {mine, "", folded(MISSING)}:
                bad(f"of another {field.wire}")


def _places(message: MessageType, body: Any) -> Iterator[Mapping[str, Any]]:
    """Where a reply may say something besides its records; a site's own fields say nothing."""
    inside = {Shape.FREE: (), Shape.ECHO: ("data",)}.get(message.shape, ("response",))
    if isinstance(body, Mapping):
        named = Named(body)
        yield named
        if isinstance(nested := pick(named, *inside), Mapping):
            yield Named(nested)


def _outline(raw: bytes | str | Mapping[str, Any]) -> str:
    """Its size and the names of its first fields; their values may be somebody's data."""
    if isinstance(raw, Mapping):
        return f"an object with {_listed(map(str, raw))}"
    text = raw[:_LOOKED_AT]
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{len(raw)} bytes with {_listed(_NAME.findall(text))}"


def _listed(names: Iterable[str]) -> str:
    return shown(", ".join(names)) or "no names"
