"""From what came over the wire to a reply's records; tolerant of spelling and shape, strict about the rest.

Whatever the bytes are, a `Reply`, `LcmBadReply` or `LcmRejected` comes of them (message facts, 11, 12).
"""

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from attrs import frozen

from cti_hooks import masked_text
from lcm_plugin.errors import Fault, LcmBadReply, LcmRejected
from lcm_plugin.lcm.catalogue import CHANNEL, TOPIC, MessageType
from lcm_plugin.lcm.spelling import MISSING, field, folded, pick

log = logging.getLogger("lcm_plugin.lcm")

LARGEST: Final = 1 << 20
"""Bytes of a reply at the most (DESIGN 6)."""
_LAYERS: Final = 4
"""How often a packet may be wrapped in another (1.1), or JSON in a text (12.7)."""
_SHOWN: Final = 200


@frozen(kw_only=True)
class Reply:
    """A reply's records (contacts, campaign groups) as they came, and the reason that came with them."""

    records: tuple[Mapping[str, Any], ...] = ()
    reason: str = ""


def decode(message: MessageType, raw: bytes | str | Mapping[str, Any]) -> Reply:
    """Read the reply to `message`.

    Raises:
        LcmBadReply: not LCM's shape, not the reply to this message, or larger than 1 MiB.
        LcmRejected: an error reply, `success: false`, or a failure reason without contacts.
    """
    try:
        return _reply(message, inner(parse(raw)))
    except LcmBadReply:
        log.debug("a bad reply to %s: %s", message.subtopic, _beginning(raw))
        raise


def parse(raw: bytes | str | Mapping[str, Any]) -> Mapping[str, Any]:
    """The envelope as a mapping.

    Raises:
        LcmBadReply: larger than 1 MiB, not JSON, or not an object.
    """
    if isinstance(raw, Mapping):
        return raw
    if len(raw) > LARGEST:
        _bad("larger than 1 MiB")
    try:
        envelope = json.loads(raw)
    except (ValueError, RecursionError):
        _bad("not JSON")
    return envelope if isinstance(envelope, dict) else _bad("not a JSON object")


def inner(envelope: Mapping[str, Any]) -> Mapping[str, Any]:
    """The inner message: LCM's outer packet carries it under `message` or `okmessage` (1.1)."""
    for _ in range(_LAYERS):
        inner = pick(envelope, "okmessage", "message")
        if not isinstance(inner, Mapping) or pick(inner, "subtopic") is MISSING:
            break
        envelope = inner
    return envelope


def _reply(message: MessageType, envelope: Mapping[str, Any]) -> Reply:
    body = pick(envelope, "message")
    if body is MISSING:
        body = pick(envelope, "data")  # 11.7
        if folded(pick(envelope, "subtopic")) != folded(message.reply):
            body = MISSING  # an echo of the request, or an error
    _refuse_errors(envelope, body)
    if folded(pick(envelope, "subtopic")) != folded(message.reply):
        _bad("to another message")
    for name, right in (("channel", CHANNEL), ("topic", TOPIC)):
        if folded(pick(envelope, name)) not in {folded(right), folded(MISSING)}:
            _bad(f"of another {name}")
    return _body(message, _unwrapped(body))


def _body(message: MessageType, body: Any) -> Reply:
    """The records of a body: an object is one, an array many, nothing none (12.7)."""
    if isinstance(body, Mapping):
        response = pick(body, "response")
        if response is not MISSING:
            return _body(message, _unwrapped(response))
        return _object(message, body)
    if body in (None, MISSING, ""):
        return Reply()
    if isinstance(body, list):
        return Reply(records=tuple(_records(body)))
    return _bad("neither an object nor an array")


def _object(message: MessageType, body: Mapping[str, Any]) -> Reply:
    reason = field(body, "reason")
    reason = "" if reason in (MISSING, None) else str(reason).strip()
    listed = pick(body, *message.records) if message.records else MISSING
    records = () if listed in (MISSING, None, "") else _body(message, _unwrapped(listed)).records
    if listed is MISSING and not reason and body:
        records = (body,)
    if reason and not records:
        raise LcmRejected(f"the LCM says: {masked_text(reason)[:_SHOWN]}", fault=Fault.REJECTED)
    return Reply(records=records, reason=masked_text(reason)[:_SHOWN])


def _records(items: list[Any]) -> Iterator[Mapping[str, Any]]:
    for item in items:
        record = _unwrapped(item)
        if not isinstance(record, Mapping):
            _bad("an array of something else than objects")
        if record:
            yield record


def _refuse_errors(envelope: Mapping[str, Any], body: Any) -> None:
    """The error families of section 1.3: `WS_Error` with a message, or `success: false`."""
    for place in (envelope, body, pick(body, "response") if isinstance(body, Mapping) else MISSING):
        if not isinstance(place, Mapping):
            continue
        kind = pick(place, "ErrorType", "Error Type", "error")
        if isinstance(kind, str) and kind.strip():
            raise LcmRejected(f"the LCM says: {masked_text(kind)[:_SHOWN]}", fault=Fault.REJECTED)
        if folded(pick(place, "success")) == "false":
            raise LcmRejected("the LCM says: no success", fault=Fault.REJECTED)


def _unwrapped(value: Any) -> Any:
    """A text that is JSON stands for what it says (12.7)."""
    for _ in range(_LAYERS):
        if not isinstance(value, str) or not value.strip():
            break
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            break
    return None if isinstance(value, str) and not value.strip() else value


def _bad(what: str) -> NoReturn:
    raise LcmBadReply(f"the LCM's reply is {what}", fault=Fault.NO_ANSWER)


def _beginning(raw: bytes | str | Mapping[str, Any]) -> str:
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    return masked_text(text[: 4 * _SHOWN])[:_SHOWN]
