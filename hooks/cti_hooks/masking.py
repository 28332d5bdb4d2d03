"""Keeps people out of logs, exception texts and reprs."""

import re
import traceback

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_TIME = r"[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:[+-]\d\d:\d\d)?"
_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_DATE = (
    rf"(?<!\d)(?:(?:19|20|21)\d\d-(?:0[1-9]|1[0-2])-{_DAY}|{_DAY}/{_DAY}/(?:19|20|21)\d\d)"
    rf"(?:{_TIME})?(?![-./]?\d)"
)
_BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = rf"(?<![\d.])(?!(?!10\.)(?:\d\d\.){{3}}\d\d(?!\d)){_BYTE}(?:\.{_BYTE}){{3}}(?!\.?\d)"
"""Not of two digits four times: 32.34.56.78 is a number in Denmark. None begins with 10, as addresses do."""
_KEPT = rf"{_UUID}|{_DATE}|{_IPV4}"
_BETWEEN = (
    r"(?:[\s()./_\-\u00ad\u00b7\u2010-\u2015\u2212\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
    r"|,(?!\s)|%20|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\[nrt])"
)
"""What people, spreadsheets and reprs put between digits; a comma with a blank behind it parts a list."""
_NUMBER = (
    rf"\+\d(?:{_BETWEEN}{{0,5}}(?!{_UUID})\d){{5,}}"
    rf"|(?<![\d|])\d(?:{_BETWEEN}{{0,5}}(?!{_KEPT})\d){{6,}}|\d{{7,}}"
)
"""No letter bounds it: a number may follow an `x`, or the n of a line break in a repr.

What is between two digits is read in one way only, so the time this takes grows with a text's length.
"""
_NUMBER_LIKE = re.compile(f"(?P<kept>{_KEPT})|(?P<number>{_NUMBER})")


def masked(number: str | None) -> str:
    """What may be shown of a phone number or a name: its last two characters, if it has more than five."""
    if not number:
        return ""
    return f"***{number[-2:]}" if len(number) > 5 else "***"  # noqa: PLR2004  (as the docstring says)


def masked_text(text: str) -> str:
    """`text` with every run of seven or more digits masked; UUIDs, dates and IP addresses stay readable.

    What cannot be told from a number is masked, too: an amount such as 1,234,567, an Asterisk channel's
    1732588800.42, an address of two digits four times unless it begins with 10.
    """
    return _NUMBER_LIKE.sub(lambda found: found["kept"] or masked(found["number"]), text)


def masked_repr(value: object) -> str:
    """The repr of what somebody wrote, its numbers masked."""
    return masked_text(repr(value))


def printable(text: str) -> str:
    """A text from outside on one line: what is no letter, sign or blank is escaped.

    So it can begin no line of its own in a log or a list, and steers no terminal.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def described(error: BaseException) -> str:
    """An exception in one masked line: `ValueError: no such customer`."""
    text = " ".join(str(error).split())
    return printable(masked_text(f"{type(error).__name__}: {text}" if text else type(error).__name__))


def masked_traceback(error: BaseException) -> str:
    """The traceback of `error`, its texts masked."""
    return masked_text("".join(traceback.format_exception(error)))
