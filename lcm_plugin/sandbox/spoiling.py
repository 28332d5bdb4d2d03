"""What becomes of a reply under each fault."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import define, field

from lcm_plugin.lcm.decode import LARGEST
from lcm_plugin.sandbox.faults import Fault
from lcm_plugin.sandbox.variants import MALFORMED, VARIANTS

STATUS: Final = {"busy": 503, "error": 500, "reject": 400, "redirect": 307}
_PAGE: Final = "<html><body>Service temporarily confused</body></html>"


@define(kw_only=True)
class Answered:
    """What goes back for one request: a status and a text, None if the connection is cut.

    `unheard`: nothing at all on the bus, as for a message without a reply.
    """

    status: int = 200
    text: str | None = None
    headers: dict[str, str] = field(factory=dict)
    twice: bool = False
    unheard: bool = False


def replied(reply: dict[str, Any] | None) -> Answered:
    """A reply as it is, or word that there is none."""
    return Answered(status=202, text="") if reply is None else Answered(text=json.dumps(reply))


def unprocessed(fault: Fault) -> Answered:
    """What is said of a request that was not looked at."""
    if fault.name == "late_commit":
        return Answered()
    headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    if fault.name == "redirect":
        headers["Location"] = "/elsewhere"
    if fault.retry_after is not None and not fault.retry_after.is_integer():
        headers["Retry-After"] = str(max(1, round(fault.retry_after)))  # the header has whole seconds
    status = fault.status or STATUS[fault.name]
    return Answered(status=status, text=ws_error(f"status {status}"), headers=headers)


def _another(reply: dict[str, Any]) -> str:
    return "DNCBussField" if reply.get("subtopic") == "ContactOD" else "ContactOD"


def _spelt(variant: str, reply: dict[str, Any]) -> str:
    if variant in MALFORMED:
        return MALFORMED[variant](reply)
    return json.dumps(VARIANTS[variant](reply))


def ws_error(text: str) -> str:
    """The shapes in which the documentation has an error reply."""
    return json.dumps({"channel": "LCM", "errorType": "WS_Error", "actualError": text, "message": text})


_WAYS: Final[Mapping[str, Callable[[Fault, dict[str, Any]], Answered]]] = {
    "drop": lambda _, __: Answered(),
    "error": lambda fault, _: Answered(status=fault.status or STATUS["error"], text=ws_error("it broke")),
    "truncated": lambda _, reply: Answered(text=json.dumps(reply), headers={"cut": "yes"}),
    "huge": lambda _, reply: Answered(text=json.dumps({**reply, "padding": "x" * (LARGEST + 1)})),
    "not_json": lambda _, __: Answered(text=_PAGE),
    "wrong_subtopic": lambda _, reply: Answered(text=json.dumps({**reply, "subtopic": _another(reply)})),
    "spelling": lambda fault, reply: Answered(text=_spelt(fault.variant, reply)),
    "late": lambda _, reply: Answered(text=json.dumps(reply)),
    "twice": lambda _, reply: Answered(text=json.dumps(reply), twice=True),
}


def spoilt(fault: Fault, reply: dict[str, Any]) -> Answered:
    """What a reply becomes."""
    return _WAYS[fault.name](fault, reply)
