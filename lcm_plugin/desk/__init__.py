"""One agent's flow: ready, contact, call, and the next."""

from lcm_plugin.desk.callbacks import CallbackList
from lcm_plugin.desk.desk import Desk
from lcm_plugin.desk.desks import Desks
from lcm_plugin.desk.expiry import expiry_refusal
from lcm_plugin.desk.intake import OpenAttemptError
from lcm_plugin.desk.outcome_lists import OutcomeLists
from lcm_plugin.desk.said import Said

__all__ = ["CallbackList", "Desk", "Desks", "OpenAttemptError", "OutcomeLists", "Said", "expiry_refusal"]
