"""Which numbers a dialer may be given: nothing that a dial string, a URI or a command could be broken by."""

import re
from typing import Final

from cti_hooks import masked

_DIALABLE: Final = re.compile(r"\+?[0-9]+")
_VISUAL: Final = re.compile(r"[-.() ]")
"""RFC 3966's visual separators and blanks: for people, not for dialing."""


class UndialableNumberError(ValueError):
    """The number has characters that are none of a telephone number's."""


def dialable(number: str) -> str:
    """The number as it is dialed: digits, perhaps after a plus.

    Raises:
        UndialableNumberError: it is no telephone number; nothing may be placed.
    """
    dialed = _VISUAL.sub("", number)
    if not _DIALABLE.fullmatch(dialed):
        raise UndialableNumberError(f"no telephone number: {masked(number)}")
    return dialed
