"""What an entry of the catalogue is made of: a message, its fields, and what its reply looks like."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from attrs import frozen

CHANNEL: Final = "LCM"
TOPIC: Final = "WebService"
"""As in every sample; tables write Webservice."""
TIME_ZONE: Final = "time_zone"
"""The value, a tzinfo, in which a message's moments are written: the LCM's texts carry no zone."""


class RequestKind(StrEnum):
    """What a lost answer costs, and so what is sent again: docs/architecture.md#what-a-failure-means."""

    DOWNLOAD = "download"
    """It may reserve a contact."""
    READ = "read"
    SETTER = "setter"


class Shape(StrEnum):
    """What a reply holds."""

    RECORDS = "records"
    """Objects: one alone, or an array of them."""
    FREE = "free"
    """One object with the site's own fields."""
    STRINGS = "strings"
    """An array of texts."""
    ACKNOWLEDGEMENT = "acknowledgement"
    """`success`, or a bare true or false for the whole response."""
    FLAGS = "flags"
    """Named truth values."""
    ECHO = "echo"
    """The request, wrapped: no result."""
    NONE = "none"
    """There is no reply at all."""


def as_given(value: Any) -> object:
    """The value, unchanged."""
    return value


@frozen(kw_only=True)
class Field:
    """A request field.

    Attributes:
        name: our name for it; two fields of one name are two parts of one value (a day and a time).
        wire: its spelling as it is written: as in the sample, if one is known.
        write: how a value is written.
        form: instead of `write`, the strftime form of an aware datetime, written in the value `time_zone`.
        items: instead of `write`, the fields of each item of an array.
        needed: whether the table calls it mandatory. Any other field is left out if it has no value.
        default: what is written if no value is given.
        table, sample: its type in the page's table, and in its sample, if that is known.
        also: its other documented spellings, letter case aside.
        echoed: the reply repeats it, and has to repeat what was sent.
        why: why so.
    """

    name: str
    wire: str
    write: Callable[[Any], object] = as_given
    form: str = ""
    items: "tuple[Field, ...]" = ()
    needed: bool = True
    default: object = None
    table: str = "String"
    sample: str = ""
    also: tuple[str, ...] = ()
    echoed: bool = False
    why: str = ""

    def written(self, values: Mapping[str, Any]) -> object:
        """What goes on the wire, or None if it is left out."""
        value = values.get(self.name)
        if value is None:
            return self.default
        if self.form:
            return _local(self.name, value, values).strftime(self.form)
        if self.items:
            return [_written(self.items, item) for item in value]
        return self.write(value)


@frozen(kw_only=True)
class MessageType:
    """A message of the LCM.

    Attributes:
        subtopic: its name as sent.
        reply: the reply's name, empty if there is none; several messages may share one.
        also: other documented names of the reply, letter case aside.
        kind: what sending it may cost.
        shape: what the reply holds.
        under: where the reply's body is documented: `message` or `data`.
        records: the keys under which the reply's records may be, besides `response` itself.
        flags: the names of the reply's truth values, all of which it needs.
        gives: the fields of the reply's records, as documented.
        fields: the fields of `data`.
        channel, topic: as written; `reply_channels` and `reply_topics` are those a reply may have.
        page: the documentation page.
        silent: what the documentation does not say, and what is inferred instead.
    """

    subtopic: str
    reply: str
    kind: RequestKind
    fields: tuple[Field, ...]
    page: str
    silent: str
    also: tuple[str, ...] = ()
    shape: Shape = Shape.RECORDS
    under: str = "message"
    records: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    channel: str = CHANNEL
    topic: str = TOPIC
    reply_channels: tuple[str, ...] = (CHANNEL,)
    reply_topics: tuple[str, ...] = (TOPIC,)

    def data(self, values: Mapping[str, Any]) -> dict[str, object]:
        """The request's `data`.

        Raises:
            ValueError: a value is lacking, or a moment has no zone; names it.
        """
        if lacking := self.lacking(values):
            raise ValueError(f"{self.subtopic} needs {', '.join(lacking)}")
        return _written(self.fields, values)

    def lacking(self, values: Mapping[str, Any]) -> list[str]:
        """The names of the values without which this message cannot be sent."""
        moments = any(one.form and values.get(one.name) is not None for one in self.fields)
        zone = [TIME_ZONE] if moments and values.get(TIME_ZONE) is None else []
        return [*dict.fromkeys(_lacking(self.fields, values)), *zone]


def _written(fields: Iterable[Field], values: Mapping[str, Any]) -> dict[str, object]:
    written = ((one.wire, one.written(values)) for one in fields)
    return {wire: value for wire, value in written if value is not None}


def _lacking(fields: Iterable[Field], values: Mapping[str, Any], within: str = "") -> Iterator[str]:
    for one in fields:
        value = values.get(one.name)
        if one.needed and one.default is None and value is None:
            yield f"{within}{one.name}"
        for place, item in enumerate(value or () if one.items else ()):
            yield from _lacking(one.items, item, f"{one.name}[{place}].")


def _local(name: str, moment: datetime, values: Mapping[str, Any]) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{name} needs a time zone: {moment!r}")
    return moment.astimezone(values[TIME_ZONE])
