"""Keeps people out of logs, exception texts and reprs."""

import re
import traceback

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_DAY = r"(?:19|20|21)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_TIME = r"[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:[+-]\d\d:\d\d)?"
_DATE = rf"(?<!\d){_DAY}(?:{_TIME})?(?![-.]?\d)"
_IPV4 = r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)"
_NUMBER = rf"(?<![\d|])\+?\d(?:[\s().\-\u2010-\u2015]{{0,2}}(?!{_UUID})\d){{6,}}|\+\d{{5,}}|\d{{7,}}"
"""No letter bounds it: a number may follow an `x`, or the n of a line break in a repr."""
_NUMBER_LIKE = re.compile(f"(?P<kept>{_UUID}|{_DATE}|{_IPV4})|(?P<number>{_NUMBER})")


def masked(number: str | None) -> str:
    """What may be shown of a phone number or a name: its last two characters, if it has more than five."""
    if not number:
        return ""
    return f"***{number[-2:]}" if len(number) > 5 else "***"  # noqa: PLR2004  (as the docstring says)


def masked_text(text: str) -> str:
    """`text` with every run of seven or more digits masked; UUIDs, dates and IP addresses stay readable."""
    return _NUMBER_LIKE.sub(lambda found: found["kept"] or masked(found["number"]), text)


def described(error: BaseException) -> str:
    """An exception in one masked line: `ValueError: no such customer`."""
    text = " ".join(str(error).split())
    return masked_text(f"{type(error).__name__}: {text}" if text else type(error).__name__)


def masked_traceback(error: BaseException) -> str:
    """The traceback of `error`, its texts masked."""
    return masked_text("".join(traceback.format_exception(error)))
