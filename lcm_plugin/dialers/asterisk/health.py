"""Whether the customer's endpoint makes sense at this Asterisk."""

from lcm_plugin.dialers.asterisk.ari import Ari
from lcm_plugin.dialers.asterisk.endpoints import NumberEndpoint


async def wrong_endpoint(ari: Ari) -> str | None:
    """What is wrong with the template, and the way out; None if nothing is, or nothing can be told.

    A telephone number taken for a PJSIP endpoint's name is the classic mistake.

    Raises:
        AriError: Asterisk cannot be asked.
    """
    template = ari.settings.endpoint
    name = NumberEndpoint(template).pjsip_endpoint
    if name is None:
        return None
    endpoints = await ari.pjsip_endpoints()
    if not name:
        trunk = next((one for one in endpoints if "trunk" in one), "trunk")
        right = "PJSIP/{number}@" + trunk
        return f"endpoint {template!r} takes the number for a PJSIP endpoint's name: write {right!r}"
    if name not in endpoints:
        names = ", ".join(sorted(endpoints)) or "none"
        return f"endpoint {template!r}: there is no PJSIP endpoint {name!r}; there are: {names}"
    if endpoints[name] == "offline":
        return f"endpoint {template!r}: PJSIP endpoint {name!r} is offline"
    return None
