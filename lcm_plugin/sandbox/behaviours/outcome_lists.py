"""The outcomes there are."""

from typing import Any, Final

from lcm_plugin.sandbox.asked import Asked
from lcm_plugin.sandbox.state import BUSINESS, TELEPHONY, SandboxOutcome, State


def telephony(_: State, __: Asked) -> Any:
    """The telephony outcomes."""
    return [{"OutComeID": one.id, "Description": one.description} for one in TELEPHONY]


def telephony_of(state: State, asked: Asked) -> Any:
    """The telephony outcomes of a contact."""
    state.delivery(asked)
    return telephony(state, asked)


def business_of(state: State, asked: Asked) -> Any:
    """The business outcomes of a contact."""
    state.delivery(asked)
    return business(state, asked)


def business(_: State, __: Asked) -> Any:
    """All business outcomes, with their parents."""
    return [_business(one) for one in BUSINESS]


def children(state: State, asked: Asked) -> Any:
    """The business outcomes under one."""
    state.delivery(asked)
    return [_business(one) for one in BUSINESS if one.parent_id == asked["parent_id"]]


def _business(one: SandboxOutcome) -> dict[str, Any]:
    return {
        "OutComeID": one.id,
        "Description": one.description,
        "CampaignID": "1",
        "LeadScore": "0",
        "ParentID": one.parent_id,
    }


BEHAVIOURS: Final = {
    "GetCallOutCome": telephony,
    "SetCallOutComeOffline": telephony_of,
    "GetBusinessOutcome": business_of,
    "GetBusinessOutcomeParent": children,
    "GetOutcomeByOutcomegroup": business,
}
