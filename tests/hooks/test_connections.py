"""What call events say of the customer's connection, for all dialers alike."""

import pytest

from cti_hooks import CallEventKind, ConnectionState, connection_after

SAID = {
    CallEventKind.SERVICE_INITIATED: ConnectionState.INITIATED,
    CallEventKind.DELIVERED: ConnectionState.ALERTING,
    CallEventKind.ESTABLISHED: ConnectionState.CONNECTED,
    CallEventKind.HELD: ConnectionState.HOLD,
    CallEventKind.RETRIEVED: ConnectionState.CONNECTED,
    CallEventKind.FAILED: ConnectionState.FAIL,
    CallEventKind.CONNECTION_CLEARED: ConnectionState.NULL,
    CallEventKind.CALL_CLEARED: ConnectionState.NULL,
}


@pytest.mark.parametrize("before", ConnectionState)
@pytest.mark.parametrize("kind", CallEventKind)
def test_each_event_leads_to_one_state(kind: CallEventKind, before: ConnectionState) -> None:
    """An event of the table leads to its state from any; any other leaves the state as it is."""
    assert connection_after(kind, before) is SAID.get(kind, before)
