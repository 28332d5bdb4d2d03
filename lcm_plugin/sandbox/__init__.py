"""An LCM on a real socket to develop and test against, with faults to order."""

from lcm_plugin.sandbox.account import (
    Account,
    AgentStateTold,
    Blocked,
    BookedCallback,
    Disposed,
    Handed,
    Received,
)
from lcm_plugin.sandbox.faults import MEANINGS, Fault
from lcm_plugin.sandbox.lists import Callbacks
from lcm_plugin.sandbox.people import SandboxContact, SandboxMode, generate_contacts
from lcm_plugin.sandbox.sandbox import Sandbox
from lcm_plugin.sandbox.variants import MALFORMED, VARIANTS

__all__ = [
    "MALFORMED",
    "MEANINGS",
    "VARIANTS",
    "Account",
    "AgentStateTold",
    "Blocked",
    "BookedCallback",
    "Callbacks",
    "Disposed",
    "Fault",
    "Handed",
    "Received",
    "Sandbox",
    "SandboxContact",
    "SandboxMode",
    "generate_contacts",
]
