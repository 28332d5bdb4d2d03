"""What a stop of dialing says when a contact is explained: nothing is dialed there."""

from typing import Final

from cti_hooks import Agent, Check, Contact
from lcm_plugin.ledger import Ledger

STOPPED: Final = "stopped"


async def stop_check(ledger: Ledger, agent: Agent, contact: Contact) -> Check:
    """What stops this agent's dialing of this contact; a stop holds until somebody resumes, so at any moment.

    Raises:
        LedgerUnavailable: that cannot be told now.
    """
    found = await ledger.stops_on(agent, contact)
    if not found:
        return Check(rule=STOPPED, passed=True, reason="nobody has stopped dialing here")
    evidence = {"stops": [{"where": f"{one.kind} {one.name}".strip(), "by": one.actor} for one in found]}
    return Check(rule=STOPPED, passed=False, reason="; ".join(one.said for one in found), evidence=evidence)
