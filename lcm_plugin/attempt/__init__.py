"""An attempt's life: its states, what leads from one to the next, and what its call's events mean. Pure."""

from lcm_plugin.attempt.states import IN_DOUBT, INTENDED, LIVE, OPEN, WAITING

__all__ = ["INTENDED", "IN_DOUBT", "LIVE", "OPEN", "WAITING"]
