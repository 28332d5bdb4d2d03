"""Writes docs/lcm-messages.md from the catalogue: `python docs/messages.py`. A test keeps the page current."""

import inspect
from collections.abc import Iterator
from pathlib import Path

from lcm_plugin.lcm.catalogue import CHANNEL, FAMILIES, TOPIC, Field, MessageType, RequestKind, Shape

HEAD = """# LCM messages

Every LCM message that this plugin sends, as `lcm_plugin.lcm.catalogue` declares it. This page is made from it by `python docs/messages.py`; a test keeps it current.

Channel is `LCM` and topic `WebService` if nothing else is said. What is written has the spelling of the documentation's sample, if one is known; what is read may have any letter case, blanks around names, numbers or truth values as texts, an object or an array, and the reply's body under `message` or `data`.

| kind | what a lost answer means |
| --- | --- |
| download | it may have reserved a contact: the reserved ones are asked for, never blindly a fresh one |
| read | it is asked again |
| setter | it may have been done: it is not sent again by itself, unless it surely was not delivered |

| reply | what the plugin makes of it |
| --- | --- |
| records | objects: one alone, or an array of them; nothing is none |
| free | one object with the site's own fields |
| strings | an array of texts |
| acknowledgement | `success`, or a bare true or false; anything else leaves the request unconfirmed |
| flags | named truth values, each of which it needs |
| echo | the request, wrapped: it says that it was heard, not what came of it |
| none | nobody waits for one; over HTTP any 2xx will do |

In the tables, *value* is the name by which `LcmClient.ask(message, agent, **values)` takes it; two fields of one value are its day and its time, written from an aware datetime in the zone of the value `time_zone`. A field that is not mandatory is left out if it has no value. *Type* is the type in the page's table, then in its sample, if that is known.
"""


def page() -> str:
    """The page."""
    return "\n".join([HEAD, *(line for family in FAMILIES for line in _family(family)), ""]).rstrip() + "\n"


def _family(family: object) -> Iterator[str]:
    yield f"## {(inspect.getdoc(family) or '').partition('.')[0]}"
    yield ""
    for message in FAMILIES[family]:  # type: ignore[index]
        yield from _message(message)


def _message(message: MessageType) -> Iterator[str]:
    yield f"### {message.subtopic}"
    yield ""
    yield f"{message.kind} · {_reply(message)} · page `{message.page}`"
    yield ""
    if (message.channel, message.topic) != (CHANNEL, TOPIC):
        yield f"Sent on channel `{message.channel}`, topic `{message.topic}`; {_answered(message)}."
        yield ""
    elif message.reply_topics != (TOPIC,):
        yield f"{_answered(message).capitalize()}."
        yield ""
    yield "| field | value | type | mandatory | notes |"
    yield "| --- | --- | --- | --- | --- |"
    for field in message.fields:
        yield from _field(field)
    yield ""
    if message.gives:
        yield f"The reply has {_code(*message.gives)}."
        yield ""
    yield f"Not documented: {message.silent}"
    yield ""


def _reply(message: MessageType) -> str:
    if message.shape is Shape.NONE:
        return "no reply"
    names = " or ".join(f"`{name}`" for name in (message.reply, *message.also))
    under = "" if message.under == "message" else f" under `{message.under}`"
    listed = f", in {_code(*message.records)}" if message.records else ""
    return f"{names}: {message.shape}{under}{listed}"


def _answered(message: MessageType) -> str:
    channels = " or ".join(f"`{name}`" for name in message.reply_channels)
    topics = " or ".join(f"`{name}`" for name in message.reply_topics)
    return f"answered on channel {channels}, topic {topics}"


def _field(field: Field, within: str = "") -> Iterator[str]:
    types = f"{field.table}; {field.sample}" if field.sample not in {"", field.table} else field.table
    notes = [
        f"also {_code(*field.also)}" if field.also else "",
        f"`{field.default!r}` if no value is given" if field.default is not None else "",
        "the reply repeats it" if field.echoed else "",
        field.why,
    ]
    name = f"{within}{field.wire}"
    needed = "yes" if field.needed else ""
    yield f"| `{name}` | `{field.name}` | {types} | {needed} | {'; '.join(note for note in notes if note)} |"
    for item in field.items:
        yield from _field(item, f"{name}[].")


def _code(*names: str) -> str:
    return ", ".join(f"`{name}`" for name in names)


def summary() -> str:
    """How many messages of which kind."""
    kinds = [message.kind for family in FAMILIES.values() for message in family]
    return ", ".join(f"{kinds.count(kind)} {kind}s" for kind in RequestKind)


if __name__ == "__main__":
    Path(__file__).with_name("lcm-messages.md").write_text(page(), encoding="utf-8")
    print(summary())  # noqa: T201  (a script)
