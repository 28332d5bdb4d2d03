"""What a desk has under way beside its own work."""

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from typing import Any

from attrs import define, field

from cti_hooks import described

log = logging.getLogger("lcm_plugin.desk")


@define(eq=False)
class Tasks:
    """Tasks that nobody waits for: a failure is in the log."""

    _tasks: set[asyncio.Task[object]] = field(factory=set, init=False)

    def __iter__(self) -> Iterator[asyncio.Task[object]]:
        return iter(list(self._tasks))

    def spawn(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """Begin it now."""
        task = asyncio.create_task(_logged(work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _logged(work: Coroutine[Any, Any, object]) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001  (nobody waits for it)
        log.error("%s", described(error))  # noqa: TRY400  (masked)
