"""How the commands log: a record is a line of its own, whatever its texts hold."""

import logging
from types import TracebackType
from typing import Final

from cti_hooks import masked_text, printable

_FORM: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
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
