"""What a waiting agent waits for, in words."""

from collections.abc import Iterable, Iterator

from lcm_plugin.supply.line import Line
from lcm_plugin.supply.waiter import Waiter


def said(waiter: Waiter, lines: Iterable[Line], now: float) -> str:
    """Which of their groups had nothing, and when; how many wait before them. Empty if they are next."""
    return "; ".join(_parts(waiter, list(lines), now))


def _parts(waiter: Waiter, lines: list[Line], now: float) -> Iterator[str]:
    dry = [
        f"{line.group} had nothing {now - line.dry_at:.0f} s ago" for line in lines if line.dry_at is not None
    ]
    if dry:
        yield ", ".join(dry)
    places = [line.place_of(waiter, now) for line in lines]
    if places and min(places) > 1:
        yield f"{min(places) - 1} agents wait before you"
