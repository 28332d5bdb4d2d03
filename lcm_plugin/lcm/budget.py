"""A retry budget: when the LCM fails for everybody, retries stop before they become the load."""

from typing import Final

from attrs import define, field

PAID_BACK: Final = 0.1
"""What one success pays back, in retries."""


@define
class RetryBudget:
    """A bucket of `size` retries; a retry takes one out, a success puts a tenth back."""

    size: float
    _left: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._left = self.size

    def spend(self) -> bool:
        """Take a retry out; whether there was one."""
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def earn(self) -> None:
        """Note a success."""
        self._left = min(self.size, self._left + PAID_BACK)
