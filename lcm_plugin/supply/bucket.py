"""So many a second: tokens that come back with time."""

from attrs import define, field


@define(eq=False)
class Bucket:
    """Instants are those of the running loop.

    Attributes:
        saved: so many seconds' worth may be saved up, and one token at the least.
    """

    per_second: float
    saved: float = 1.0
    _tokens: float = field(init=False)
    _at: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self._tokens = self._most

    def has(self, now: float) -> bool:
        """Whether one may be taken."""
        self._fill(now)
        return self._tokens >= 1

    def take(self, now: float) -> None:
        """Take one."""
        self._fill(now)
        self._tokens -= 1

    def next_at(self, now: float) -> float:
        """When one may be taken."""
        self._fill(now)
        return now + max(0.0, 1 - self._tokens) / self.per_second

    @property
    def _most(self) -> float:
        return max(1.0, self.saved * self.per_second)

    def _fill(self, now: float) -> None:
        self._tokens = min(self._most, self._tokens + (now - self._at) * self.per_second)
        self._at = now
