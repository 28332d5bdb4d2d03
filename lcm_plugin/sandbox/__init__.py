"""An LCM on a real socket to develop and test against, with faults to order."""

from lcm_plugin.sandbox.account import Account, Handed, Received
from lcm_plugin.sandbox.faults import MEANINGS, Fault
from lcm_plugin.sandbox.people import SandboxContact, generate_contacts
from lcm_plugin.sandbox.sandbox import Sandbox
from lcm_plugin.sandbox.variants import VARIANTS

__all__ = [
    "MEANINGS",
    "VARIANTS",
    "Account",
    "Fault",
    "Handed",
    "Received",
    "Sandbox",
    "SandboxContact",
    "generate_contacts",
]
