"""The dialer that places calls by FreeSWITCH, over its event socket."""

from lcm_plugin.dialers.freeswitch.dialer import FreeSwitchDialer

__all__ = ["FreeSwitchDialer"]
