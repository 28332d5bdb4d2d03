"""What carries a request to an LCM. Nothing above `send` may assume one channel shared by all agents."""

from collections.abc import Mapping
from typing import Any, Protocol

from cti_hooks import Agent
from lcm_plugin.lcm.envelope import Request


class Transport(Protocol):
    """Carries one request and brings its reply."""

    async def send(self, agent: Agent, message: Request, deadline: float) -> bytes | str | Mapping[str, Any]:
        """Send `message` for `agent`; the reply's envelope, as it came or decoded already.

        A message whose type has no `reply` is only sent; what is returned for it does not count.

        Arguments:
            agent: whose request it is; LCM's own bus has one route per agent.
            message: the request.
            deadline: instant of the running loop's clock after which nobody waits for the reply.

        Raises:
            LcmUnavailable: with the fault that tells whether it may have been sent.
            LcmRejected: 4xx.
            LcmBadReply: 3xx, or a reply of more than 1 MiB.
        """

    async def close(self) -> None:
        """Close what is open."""
