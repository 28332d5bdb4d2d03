"""Keeps people out of logs, exception texts and reprs."""

import re
import traceback

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_DATE = r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?"
_IPV4 = r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)"
_NUMBER = r"(?<![\w|])\+?\d(?:[\s().-]{0,2}\d){6,}(?!\w)|\+\d{5,}|\d{7,}"
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
