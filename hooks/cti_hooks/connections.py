"""What a call event says of the customer's connection: one table for dialers and whoever hears them."""

from collections.abc import Mapping
from typing import Final

from cti_hooks.values import CallEventKind, ConnectionState

AFTER: Final[Mapping[CallEventKind, ConnectionState]] = {
    CallEventKind.SERVICE_INITIATED: ConnectionState.INITIATED,
    CallEventKind.DELIVERED: ConnectionState.ALERTING,
    CallEventKind.ESTABLISHED: ConnectionState.CONNECTED,
    CallEventKind.HELD: ConnectionState.HOLD,
    CallEventKind.RETRIEVED: ConnectionState.CONNECTED,
    CallEventKind.FAILED: ConnectionState.FAIL,
    CallEventKind.CONNECTION_CLEARED: ConnectionState.NULL,
    CallEventKind.CALL_CLEARED: ConnectionState.NULL,
}
"""By CSTA (ECMA-269): the state that each event about a party leaves that party's connection in.

Not listed is what leaves it as it is: `originated` and `network_reached`, which are about the way there, and
`transferred`, `conferenced` and `diverted`, after which the events of the new call tell.
"""


def connection_after(kind: CallEventKind, before: ConnectionState) -> ConnectionState:
    """The customer's connection after an event about the customer, or one that clears the whole call."""
    return AFTER.get(kind, before)
