"""The contract between a CTI host, its contact sources, its policies and its dialers.

Import from here; the modules below are the shelves it is kept on.
"""

from cti_hooks.clock import Clock, SystemClock
from cti_hooks.dispatch import Hooks
from cti_hooks.errors import (
    ConfigError,
    HookCancelledError,
    HookError,
    HookOverrunError,
    HookResultError,
    HookUsageError,
    PluginError,
    Problem,
    nearest,
)
from cti_hooks.health import health_of
from cti_hooks.host import Host
from cti_hooks.markers import Declaration, Way, hookimpl, hookspec
from cti_hooks.masking import described, masked, masked_text
from cti_hooks.registration import register
from cti_hooks.values import (
    Agent,
    AgentState,
    Answer,
    AnswerKind,
    Attempt,
    AttemptState,
    Call,
    Callback,
    CallbackKind,
    CallEvent,
    CallEventKind,
    CallType,
    Check,
    ConnectionState,
    Consent,
    Contact,
    Dial,
    Disposition,
    Health,
    Mode,
    Outcome,
    PastCall,
    Refusal,
    TimeZone,
)

__all__ = [
    "Agent",
    "AgentState",
    "Answer",
    "AnswerKind",
    "Attempt",
    "AttemptState",
    "Call",
    "CallEvent",
    "CallEventKind",
    "CallType",
    "Callback",
    "CallbackKind",
    "Check",
    "Clock",
    "ConfigError",
    "ConnectionState",
    "Consent",
    "Contact",
    "Declaration",
    "Dial",
    "Disposition",
    "Health",
    "HookCancelledError",
    "HookError",
    "HookOverrunError",
    "HookResultError",
    "HookUsageError",
    "Hooks",
    "Host",
    "Mode",
    "Outcome",
    "PastCall",
    "PluginError",
    "Problem",
    "Refusal",
    "SystemClock",
    "TimeZone",
    "Way",
    "described",
    "health_of",
    "hookimpl",
    "hookspec",
    "masked",
    "masked_text",
    "nearest",
    "register",
]
