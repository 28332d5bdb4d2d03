"""Whom not to call. These replies have what the pages name; the rest is the sandbox's own."""

from typing import Any, Final

from lcm_plugin.sandbox.asked import Asked
from lcm_plugin.sandbox.state import State


def dnc_fields(state: State, asked: Asked) -> Any:
    """The business fields a block may go by."""
    state.delivery(asked)
    return ["LName"]


def add_compliance(state: State, asked: Asked) -> None:
    """Blocks a number."""
    state.block(asked["value"], asked)


def compliance_check(state: State, asked: Asked) -> Any:
    """Each contact asked about, and whether it may be called."""
    return {
        "contacts": [
            {"requestid": one["request_id"], "iscompliant": not _blocked(state, one["key"])}
            for one in asked.items("contacts")
        ]
    }


def check_contacts(state: State, asked: Asked) -> Any:
    """Each number asked about, and whether it is blocked."""
    return {
        "contacts": [
            {"id": one["id"], "isDNC": state.lists.is_blocked(one["phone_number"])}
            for one in asked.items("contacts")
        ]
    }


def _blocked(state: State, key: str) -> bool:
    found = state.lists.delivered(key)
    return found is None or state.lists.is_blocked(found.person.phone_number)


BEHAVIOURS: Final = {
    "GetDNCBussField": dnc_fields,
    "AddCompliance": add_compliance,
    "ComplianceCheck": compliance_check,
    "GetCheckContacts": check_contacts,
}
