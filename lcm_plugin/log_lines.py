"""How the commands log: a record is a line of its own, whatever its texts hold; or a JSON object."""

import json
import logging
import re
from datetime import UTC, datetime
from types import TracebackType
from typing import Final

from cti_hooks import masked_text, printable

_FORM: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_PLACEHOLDER: Final = re.compile(r"%[-#0 +.*\d]*[a-zA-Z]")
_NAMED: Final = re.compile(r"\b(attempt|agent|key) %s")
_INDENT: Final = "    "
_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class LogLines(logging.Formatter):
    """Escapes what no line can show, and indents a traceback: no text can be taken for another record."""

    def __init__(self) -> None:
        super().__init__(_FORM)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (the library's name)
        """The line; what follows it in a message, as a traceback does, is indented below."""
        first, *others = super().formatMessage(record).split("\n")
        return "\n".join([printable(first), *map(_indented, others)])

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802  (as above)
        """The traceback, its texts masked: what is in them was checked by nobody."""
        return "\n".join(map(_indented, masked_text(super().formatException(ei)).split("\n")))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802  (as above)
        """The stack."""
        return "\n".join(map(_indented, stack_info.split("\n")))


def _indented(line: str) -> str:
    return f"{_INDENT}{printable(line)}"


class JsonLines(logging.Formatter):
    """A record as one JSON object: when, how grave, whose, the text; and what it is about, as fields.

    These are the `attempt`, `agent` and `key` that the text names: a message of this program that names one
    writes `attempt %s`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The object, on one line."""
        told = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_about(record),
        }
        if record.exc_info:
            told["traceback"] = masked_text(self.formatException(record.exc_info))
        return json.dumps(told)


def _about(record: logging.LogRecord) -> dict[str, str]:
    if not isinstance(record.msg, str) or not isinstance(record.args, tuple):
        return {}
    places = [found.start() for found in _PLACEHOLDER.finditer(record.msg)]
    named = [(found[1], places.index(found.end() - 2)) for found in _NAMED.finditer(record.msg)]
    return {name: str(record.args[place]) for name, place in named}
