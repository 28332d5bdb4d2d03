"""Who asks the LCM what, and when: decided for all waiting agents of one LCM, in one place: docs/supply.md.

It knows no LCM and no ledger: it grants questions, and is told how they were answered.
"""

from lcm_plugin.supply.question import Answer, Kind, Question
from lcm_plugin.supply.reserved_schedule import ReservedSchedule
from lcm_plugin.supply.rules import Rules
from lcm_plugin.supply.supply import Supply
from lcm_plugin.supply.waiter import Waiter

__all__ = ["Answer", "Kind", "Question", "ReservedSchedule", "Rules", "Supply", "Waiter"]
