"""What a reply says, read by the shape its message has in the catalogue."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NoReturn

from attrs import field, frozen

from cti_hooks import masked_text, printable
from lcm_plugin.errors import Fault, LcmBadReply, LcmRejected
from lcm_plugin.lcm import spelling
from lcm_plugin.lcm.catalogue import MessageType, Shape
from lcm_plugin.lcm.limits import too_deep
from lcm_plugin.lcm.spelling import MISSING, folded, pick, truth

LAYERS: Final = 4
"""How often a packet may be wrapped in another, or JSON in a text."""
_SHOWN: Final = 200


@frozen(kw_only=True)
class Reply:
    """What the LCM said. The repr hides what it holds of people.

    Attributes:
        records: the objects of a reply (contacts, outcomes, numbers), as they came.
        reason: the failure reason that came beside them, masked.
        acknowledged: whether the LCM said that it did what was asked.
        flags: a reply's truth values, by their names in the catalogue.
        strings: a reply that is an array of texts.
    """

    records: tuple[Mapping[str, Any], ...] = field(default=(), repr=lambda records: f"<{len(records)}>")
    reason: str = ""
    acknowledged: bool = False
    flags: Mapping[str, bool] = field(factory=dict)
    strings: tuple[str, ...] = field(default=(), repr=lambda strings: f"<{len(strings)}>")


def read(message: MessageType, body: Any) -> Reply:
    """The reply to `message` whose body this is.

    Raises:
        LcmBadReply: it has another shape.
        LcmRejected: a no, or a failure reason without records.
    """
    return _READERS[message.shape](message, _response(message, body))


def _response(message: MessageType, body: Any) -> Any:
    """What is under `response`, or in the body itself, beside what the reply repeats of the request."""
    body = unwrapped(body)
    for _ in range(LAYERS):
        inside = pick(body, "response") if isinstance(body, Mapping) else MISSING
        if inside is MISSING:
            break
        body = unwrapped(inside)
    else:
        bad("nested without end")
    if not isinstance(body, Mapping):
        return body
    repeated = {folded(one.wire) for one in message.fields if one.echoed}
    return {key: value for key, value in body.items() if folded(key) not in repeated}


def _records(message: MessageType, response: Any) -> Reply:
    """An object is one record, an array many, nothing none."""
    if isinstance(response, list) and len(response) == 1 and _is_list(message, unwrapped(response[0])):
        response = unwrapped(response[0])
    if not isinstance(response, Mapping):
        return Reply(records=tuple(_each(response)))
    reason = spelling.field(response, "reason")
    reason = "" if reason in (MISSING, None) else shown(str(reason))
    listed = pick(response, *message.records)
    if listed is MISSING:
        listed = None if reason or not response else dict(response)
    records = tuple(_each(unwrapped(listed)))
    if reason and not records:
        raise LcmRejected(f"the LCM says: {reason}", fault=Fault.REJECTED)
    return Reply(records=records, reason=reason)


def _is_list(message: MessageType, item: Any) -> bool:
    """Whether what looks like a record is the object the records are in."""
    names = (*message.records, *spelling.ALIASES["reason"])
    return isinstance(item, Mapping) and pick(item, *names) is not MISSING


def _each(found: Any) -> Iterator[Mapping[str, Any]]:
    if found in (None, MISSING, ""):
        return
    for item in found if isinstance(found, list) else [found]:
        record = unwrapped(item)
        if not isinstance(record, Mapping):
            bad("neither an object nor an array of objects")
        if record:
            yield record


def _free(_: MessageType, response: Any) -> Reply:
    return Reply(records=tuple(_each(response)))


def _strings(_: MessageType, response: Any) -> Reply:
    found = [] if response in (None, MISSING) else response
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        bad("no array of texts")
    return Reply(strings=tuple(text.strip() for text in found))


def _acknowledgement(_: MessageType, response: Any) -> Reply:
    """Anything but a plain yes or no is no acknowledgement: what was asked stays unconfirmed.

    An array of one stands for that one: SkipNonPEWCContact's table has an array.
    """
    if isinstance(response, list) and len(response) == 1:
        response = unwrapped(response[0])
    done = truth(pick(response, "success") if isinstance(response, Mapping) else response)
    if done is None:
        bad("no acknowledgement")
    if not done:
        reject(response)
    return Reply(acknowledged=True)


def _flags(message: MessageType, response: Any) -> Reply:
    found = {name: truth(pick(response, name)) for name in message.flags} if _is_object(response) else {}
    flags = {name: value for name, value in found.items() if value is not None}
    if len(flags) < len(message.flags):
        bad(f"without {' and '.join(message.flags)}")
    return Reply(flags=flags)


def _echo(message: MessageType, response: Any) -> Reply:
    if not _is_object(response) or folded(pick(response, "subtopic")) != folded(message.subtopic):
        bad("not the request, wrapped")
    return Reply(acknowledged=True)


def _none(_: MessageType, __: Any) -> Reply:
    return Reply()


_READERS: Final[Mapping[Shape, Callable[[MessageType, Any], Reply]]] = {
    Shape.RECORDS: _records,
    Shape.FREE: _free,
    Shape.STRINGS: _strings,
    Shape.ACKNOWLEDGEMENT: _acknowledgement,
    Shape.FLAGS: _flags,
    Shape.ECHO: _echo,
    Shape.NONE: _none,
}


def unwrapped(value: Any) -> Any:
    """A text that is JSON stands for what it says.

    Raises:
        LcmBadReply: it is nested too deep.
    """
    for _ in range(LAYERS):
        if not isinstance(value, str) or not value.strip():
            break
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            break
        if too_deep(value):
            bad("nested without end")
    return None if isinstance(value, str) and not value.strip() else value


def reject(response: Any) -> NoReturn:
    """The LCM said no; its own word for it is `msg`."""
    word = pick(response, "msg", "message") if isinstance(response, Mapping) else MISSING
    said = shown(word) if isinstance(word, str) else ""
    raise LcmRejected(f"the LCM says: {said or 'no success'}", fault=Fault.REJECTED)


def shown(words: str) -> str:
    """What the LCM says, as an error or a log may have it: its beginning, numbers masked, on one line."""
    return printable(masked_text(words[: 4 * _SHOWN].strip()))[:_SHOWN]


def bad(what: str) -> NoReturn:
    """The reply cannot be used."""
    raise LcmBadReply(f"the LCM's reply is {what}", fault=Fault.NO_ANSWER)


def _is_object(response: Any) -> bool:
    return isinstance(response, Mapping)
