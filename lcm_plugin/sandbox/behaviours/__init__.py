"""What the sandbox does for each message of the catalogue: a function of its state and the request.

It gives what the reply holds, by the shape the catalogue says, and raises `RefusedError` for a no.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from lcm_plugin.sandbox.asked import Asked
from lcm_plugin.sandbox.behaviours import (
    agent_states,
    callbacks,
    compliance,
    details,
    dispositions,
    downloads,
    non_pewc,
    outcome_lists,
)
from lcm_plugin.sandbox.state import State

BEHAVIOURS: Final[Mapping[str, Callable[[State, Asked], Any]]] = {
    **downloads.BEHAVIOURS,
    **outcome_lists.BEHAVIOURS,
    **dispositions.BEHAVIOURS,
    **callbacks.BEHAVIOURS,
    **details.BEHAVIOURS,
    **compliance.BEHAVIOURS,
    **non_pewc.BEHAVIOURS,
    **agent_states.BEHAVIOURS,
}
