"""What a command says of an error that ended it, and the exit status that names it."""

import logging

from cti_hooks import ConfigError, HookOverrunError, described
from cti_hooks.masking import masked_traceback
from lcm_plugin.attempts import NoAttemptError
from lcm_plugin.commands.running import BAD_REPLY, FAILED, NOTHING, REJECTED, SETTINGS, UNAVAILABLE
from lcm_plugin.errors import LcmBadReply, LcmConfigError, LcmError, LcmRejected
from lcm_plugin.ledger import DialingStoppedError, LedgerUnavailable
from lcm_plugin.listening import AddressError

log = logging.getLogger("lcm_plugin")

_STATUSES: dict[type[Exception], int] = {
    ConfigError: SETTINGS,
    LcmConfigError: SETTINGS,
    LcmRejected: REJECTED,
    LcmBadReply: BAD_REPLY,
    LcmError: UNAVAILABLE,
    LedgerUnavailable: UNAVAILABLE,
    HookOverrunError: UNAVAILABLE,
    AddressError: FAILED,
    NoAttemptError: NOTHING,
    DialingStoppedError: NOTHING,
}
"""An error is of the first kind that fits. What is not listed is a surprise: its traceback is in the log."""


def text_and_status(error: Exception) -> tuple[str, int]:
    """One clear message, and the exit status."""
    status = next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), None)
    if status is None:
        log.debug("%s", masked_traceback(error))
        return _noted(described(error), error), FAILED
    return (_noted(str(error), error) if isinstance(error, HookOverrunError) else str(error)), status


def _noted(text: str, error: Exception) -> str:
    return " ".join([text, *getattr(error, "__notes__", [])])
