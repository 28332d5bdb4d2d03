"""The older family: one contact at a time, and requests that name none."""

from typing import Any, Final

from lcm_plugin.sandbox.asked import Asked, RefusedError
from lcm_plugin.sandbox.behaviours.downloads import handed, record
from lcm_plugin.sandbox.lists import Reservation
from lcm_plugin.sandbox.state import State


def contact(state: State, asked: Asked) -> Any:
    """The next contact of any group, as an object; null if there is none."""
    one = state.lists.reserve(asked.agent_id, None, given_by=asked.message.subtopic)
    found = handed(state, asked, [one] if one else [], reserved=False)
    return _record(state, found[0]) if found else None


def reserved(state: State, asked: Asked) -> Any:
    """The contact the agent has."""
    state.lists.reserve_personal(asked.agent_id, given_by=asked.message.subtopic)
    found = handed(state, asked, state.lists.reserved_for(asked.agent_id)[:1], reserved=True)
    return _record(state, found[0]) if found else None


def skip(state: State, asked: Asked) -> None:
    """Puts the contact the agent has by GetContactOD back, at the end."""
    mine = state.lists.reserved_for(asked.agent_id)
    found = next((one for one in mine if one.given_by == "GetContactOD"), None)
    if not found:
        raise RefusedError("no contact is reserved")
    state.lists.release(found.key)


def call_count(state: State, asked: Asked) -> Any:
    """What waits, in texts; `IsAgentReserved` upside down, as documented."""
    callbacks = state.lists.callbacks()
    mine = [person for person in callbacks if person.personal_agent == asked.agent_id]
    anybodys = [person for person in callbacks if person.personal_agent is None]
    return {
        "PCBCount": str(len(mine)),
        "RegularCount": str(len(anybodys)),
        "IsAgentReserved": "0" if state.lists.reserved_for(asked.agent_id) else "1",
    }


def dialer_detail(state: State, asked: Asked) -> None:
    """The row a hand-dialed contact's disposition is written to."""
    state.dialer_details.add(state.delivery(asked).key)


def _record(state: State, one: Reservation) -> dict[str, Any]:
    fields = record(state, one)
    del fields["Consent"]
    return {**fields, "Prefix": "", "Suffix": "", "Queue": ""}


BEHAVIOURS: Final = {
    "GetContactOD": contact,
    "GetReservedContactOD": reserved,
    "SkipNonPEWCContact": skip,
    "GetAgentCallCount": call_count,
    "SetNonPEWCContactOutcome": dialer_detail,
}
