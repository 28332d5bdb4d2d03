"""A request on its way out, in the LCM's envelope (its documentation's page `api-structure`)."""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from cti_hooks import Agent, nearest
from lcm_plugin.lcm.catalogue import VALUES, MessageType


@frozen(kw_only=True)
class Request:
    """One request: its type, the envelope as it is written, and for whom.

    `idempotency_key` travels as `Idempotency-Key` if the transport has headers: the attempt's id, on what
    must not be done twice. The repr hides the envelope.
    """

    type: MessageType
    envelope: Mapping[str, Any] = field(repr=False)
    agent_id: str
    attempt_id: str = ""
    idempotency_key: str = ""


def request(
    message: MessageType,
    *,
    source: str,
    agent: Agent,
    attempt_id: str = "",
    idempotency_key: str = "",
    **values: Any,
) -> Request:
    """Put a request together.

    `values` are the message's other fields, by their names in the catalogue; what only other messages have is
    left out, so that a caller may offer all it knows.

    Raises:
        ValueError: a value is lacking, a moment has no zone, or no message has a value of this name.
    """
    for name in values:
        if name not in VALUES:
            raise ValueError(f'no message of the LCM has a value "{name}"{nearest(name, VALUES)}')
    envelope = {
        "channel": message.channel,
        "topic": message.topic,
        "subtopic": message.subtopic,
        "data": message.data({**values, "agent": agent}),
        "source": source,
    }
    return Request(
        type=message,
        envelope=envelope,
        agent_id=agent.id,
        attempt_id=attempt_id,
        idempotency_key=idempotency_key,
    )
