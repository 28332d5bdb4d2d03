"""The dialer that has the agent's own softphone place the call: baresip, over its control socket."""

from lcm_plugin.dialers.baresip.dialer import BaresipDialer

__all__ = ["BaresipDialer"]
