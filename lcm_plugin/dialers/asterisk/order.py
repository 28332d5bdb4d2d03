"""What is to be placed, as Asterisk is told."""

import math
from typing import Any, Final

from attrs import field, frozen

from cti_hooks import Dial

LEAST_RING: Final = 15.0
"""Seconds a phone rings at the least, whatever `Dial.ring_seconds` says."""


@frozen(kw_only=True)
class Order:
    """What is to be placed, dial strings and all."""

    dial: Dial
    agent_endpoint: str
    customer_endpoint: str = field(repr=False)
    agent_caller_id: str = field(repr=False)
    """What the agent's phone shows: the customer's number."""
    caller_id: str | None = field(repr=False)
    """What the customer's phone shows."""
    agent_ring_seconds: float
    setup_seconds: float

    def for_agent(self, seconds_left: float) -> dict[str, Any]:
        """The agent's leg; it rings no longer than the customer's may still be placed."""
        return {
            "endpoint": self.agent_endpoint,
            "callerId": self.agent_caller_id,
            "timeout": max(1, math.ceil(min(self.agent_ring_seconds, seconds_left))),
            "variables": dict(self.dial.variables),
        }

    def for_customer(self) -> dict[str, Any]:
        """The customer's leg. The time-out is Asterisk's own, for a host that is there no more."""
        order = {
            "endpoint": self.customer_endpoint,
            "timeout": math.ceil(self.ring_seconds + self.setup_seconds),
            "variables": dict(self.dial.variables),
        }
        return order | ({"callerId": self.caller_id} if self.caller_id else {})

    @property
    def ring_seconds(self) -> float:
        """How long the customer's phone rings."""
        return max(self.dial.ring_seconds, LEAST_RING)
