"""Every LCM message the plugin sends, declared: fields, reply, kind, and where the documentation is silent.

A new message is a new entry in its family's module, not a new code path. What is sent is spelled as in
the documentation's sample, if there is one: samples look captured, and tables typed by hand. What is read may
be spelled more loosely (`lcm_plugin.lcm.spelling`). Pages are slugs of the vendor's documentation site.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Final

from lcm_plugin.lcm.catalogue import (
    agent_states,
    callbacks,
    compliance,
    details,
    dispositions,
    downloads,
    non_pewc,
    outcome_lists,
)
from lcm_plugin.lcm.catalogue.downloads import CAMPAIGN_GROUPS, DOWNLOAD, DOWNLOAD_ALL, RESERVED_CONTACTS
from lcm_plugin.lcm.catalogue.message import CHANNEL, TIME_ZONE, TOPIC, Field, MessageType, RequestKind, Shape

__all__ = [
    "CAMPAIGN_GROUPS",
    "CATALOGUE",
    "CHANNEL",
    "DOWNLOAD",
    "DOWNLOAD_ALL",
    "FAMILIES",
    "RESERVED_CONTACTS",
    "TIME_ZONE",
    "TOPIC",
    "VALUES",
    "Field",
    "MessageType",
    "RequestKind",
    "Shape",
]


def _messages(family: ModuleType) -> tuple[MessageType, ...]:
    return tuple(value for value in vars(family).values() if isinstance(value, MessageType))


FAMILIES: Final[Mapping[ModuleType, tuple[MessageType, ...]]] = {
    family: _messages(family)
    for family in (
        downloads, outcome_lists, dispositions, callbacks, details, compliance, non_pewc, agent_states,
    )
}  # fmt: skip
"""Each module of messages, and those it declares, in the order in which a shift needs them."""
CATALOGUE: Final[Mapping[str, MessageType]] = {
    message.subtopic: message for family in FAMILIES.values() for message in family
}
VALUES: Final = frozenset(
    {field.name for message in CATALOGUE.values() for field in message.fields} | {TIME_ZONE}
)
"""Every value that some message has; whatever else is given is misspelt."""
