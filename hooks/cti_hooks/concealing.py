"""Keeps the numbers in a plugin's exception out of all that shows it later: answers, tracebacks, pages."""

from collections.abc import Iterator
from typing import Any

from cti_hooks.masking import masked_text


def conceal(error: BaseException) -> None:
    """Mask the texts of `error` and of what a traceback shows with it, in place.

    So it is still caught by its type and tells its other facts: an integer and a file's name keep their value
    and are masked where they are shown. Out of reach are the message of an exception group, a file's name in
    bytes, and the text of a class that makes it up elsewhere than from its arguments: logs mask once more
    what they write of these, and who shows them otherwise has to.
    """
    for one in _shown_with(error, set()):
        one.args = tuple(_masked(argument) for argument in one.args)
        if notes := getattr(one, "__notes__", None):
            one.__notes__ = [masked_text(str(note)) for note in notes]
        if isinstance(one, OSError):  # its text is not made of its arguments
            _conceal_file(one)


def _shown_with(error: BaseException | None, seen: set[int]) -> Iterator[BaseException]:
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    grouped = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for other in (error.__cause__, error.__context__, *grouped):
        yield from _shown_with(other, seen)
    yield error


def _conceal_file(error: OSError) -> None:
    if isinstance(error.strerror, str):
        error.strerror = masked_text(error.strerror)
    for which in ("filename", "filename2"):
        if isinstance(name := getattr(error, which, None), str):
            setattr(error, which, _Name(name))


def _masked(fact: Any) -> Any:
    """A text masked; anything else as it is, unless it would show a number itself."""
    if isinstance(fact, bytes):
        return masked_text(fact.decode("latin-1")).encode("latin-1")
    text = fact if isinstance(fact, str) else repr(fact)
    quiet = masked_text(text)
    if quiet == text:
        return fact
    return _Integer(fact) if isinstance(fact, int) else quiet


class _Name(str):
    """A file's name, by which it can still be opened, as an OSError's text shows it: masked."""

    __slots__ = ()

    def __repr__(self) -> str:
        return masked_text(super().__repr__())


class _Integer(int):
    """An integer, still equal to itself, masked in its text."""

    def __repr__(self) -> str:
        return masked_text(super().__repr__())
