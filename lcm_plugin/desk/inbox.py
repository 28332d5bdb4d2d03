"""What the ledger tells desks: noted at once, and dealt with in order once whoever wrote has gone on."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from attrs import define, field

from cti_hooks import Attempt, described
from lcm_plugin.ledger import LedgerNews

log = logging.getLogger("lcm_plugin.desk")


@define(eq=False)
class Inbox:
    """The ledger's news for `reader`; without a reader it is dropped."""

    reader: LedgerNews | None = field(default=None, init=False)
    _news: deque[Callable[[LedgerNews], None]] = field(factory=deque, init=False)

    def changed(self, attempt: Attempt) -> None:
        """It is so from now on."""
        self._note(lambda reader: reader.changed(attempt))

    def lost(self, attempt: Attempt) -> None:
        """Another host has it."""
        self._note(lambda reader: reader.lost(attempt))

    def adopted(self, attempt: Attempt) -> None:
        """A host that ended has left it behind."""
        self._note(lambda reader: reader.adopted(attempt))

    def deal(self) -> None:
        """Have all of it read now."""
        while self._news:
            news = self._news.popleft()
            if self.reader:
                self._read(news, self.reader)

    @staticmethod
    def _read(news: Callable[[LedgerNews], None], reader: LedgerNews) -> None:
        try:
            news(reader)
        except Exception as error:  # noqa: BLE001  (one agent's fault keeps no other's news)
            log.error("%s", described(error))  # noqa: TRY400  (masked)

    def _note(self, news: Callable[[LedgerNews], None]) -> None:
        if not self._news:
            asyncio.get_running_loop().call_soon(self.deal)
        self._news.append(news)
