"""What a failure means for each kind of request, as a table: docs/architecture.md#what-a-failure-means."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from lcm_plugin.errors import Fault
from lcm_plugin.lcm.catalogue import RequestKind


class Verdict(StrEnum):
    """What to do next."""

    RETRY = "retry"
    DOUBT = "doubt"
    """The LCM may have reserved a contact for this agent: ask for reserved ones, never for a fresh one."""
    UNCONFIRMED = "unconfirmed"
    """It may have been done: keep it, show it, never send it again by itself."""
    RAISE = "raise"


_EACH_RETRY: Final = dict.fromkeys(RequestKind, Verdict.RETRY)
_EACH_RAISE: Final = dict.fromkeys(RequestKind, Verdict.RAISE)

RULES: Final[Mapping[Fault, Mapping[RequestKind, Verdict]]] = {
    Fault.NOT_SENT: _EACH_RETRY,
    Fault.BUSY: _EACH_RETRY,
    Fault.NO_ANSWER: {
        RequestKind.DOWNLOAD: Verdict.DOUBT,
        RequestKind.READ: Verdict.RETRY,
        RequestKind.SETTER: Verdict.UNCONFIRMED,
    },
    Fault.UNUSABLE: _EACH_RAISE,
    Fault.REDIRECTED: _EACH_RAISE,
    Fault.REJECTED: _EACH_RAISE,
}
