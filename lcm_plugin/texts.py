"""Names that are told from outside: short, and of characters that can be shown."""

from typing import Final

MOST: Final = 200
"""Characters of an id, of a name, or of an actor."""


def named(_: object, __: object, value: str | None) -> None:
    """An attrs validator; None is no name.

    Raises:
        ValueError: it is empty, too long, or has what no terminal can show.
    """
    if value is None:
        return
    if not 1 <= len(value) <= MOST:
        raise ValueError(f"must have 1 to {MOST} characters")
    if not value.isprintable():
        raise ValueError("must have no control characters")
