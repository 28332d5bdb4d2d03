"""How much a reply may hold: more than anybody asked for is refused before it is read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

DEEPEST: Final = 32
"""Levels of objects and arrays in each other; the documented replies have six."""
MOST_FIELDS: Final = 1000
"""Of one record."""
SLACK: Final = 100
"""Records that may come beside those asked for: some LCMs hand out all that are reserved."""
MOST_RECORDS: Final = 2000
"""Of a list that was asked for without a count: outcomes, numbers, groups."""


def too_deep(value: Any) -> bool:
    """Whether it is nested deeper than anybody reads. It recurses nowhere itself."""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return False
    return any(isinstance(one, Mapping | list) for one in level)


def too_many(records: Sequence[Mapping[str, Any]], asked: object) -> str | None:
    """What there is too much of, in words; None if nothing is. `asked` is a count, or no number."""
    most = asked + SLACK if isinstance(asked, int) else MOST_RECORDS
    if len(records) > most:
        return f"{len(records)} records, where {most} may come"
    most_fields = max(map(len, records), default=0)
    return f"a record of {most_fields} fields" if most_fields > MOST_FIELDS else None


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()
