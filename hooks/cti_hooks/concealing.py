"""Keeps the numbers in a plugin's exception out of all that shows it later: answers, tracebacks, pages."""

from collections.abc import Iterator
from typing import Any

from cti_hooks.masking import masked_text


def conceal(error: BaseException) -> None:
    """Mask the texts of `error` and of what a traceback shows with it, in place.

    So it is still caught by its type and tells its other facts. Logs mask once more what they write: a class
    that makes up its text elsewhere than from its arguments is out of reach here.
    """
    for one in _shown_with(error, set()):
        one.args = tuple(_masked(argument) for argument in one.args)
        if notes := getattr(one, "__notes__", None):
            one.__notes__ = [masked_text(str(note)) for note in notes]
        for shown in ("strerror", "filename"):  # of an OSError, whose text is not made of its arguments
            if isinstance(text := getattr(one, shown, None), str):
                setattr(one, shown, masked_text(text))


def _shown_with(error: BaseException | None, seen: set[int]) -> Iterator[BaseException]:
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    grouped = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for other in (error.__cause__, error.__context__, *grouped):
        yield from _shown_with(other, seen)
    yield error


def _masked(fact: Any) -> Any:
    """A text masked; anything else as it is, unless it would show a number itself."""
    text = fact if isinstance(fact, str) else repr(fact)
    quiet = masked_text(text)
    return fact if quiet == text else quiet
