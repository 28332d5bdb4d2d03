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

    _tasks: dict[asyncio.Task[object], None] = field(factory=dict, init=False)
    """An empty set takes three times as much, and most desks have none."""

    def __iter__(self) -> Iterator[asyncio.Task[object]]:
        return iter(list(self._tasks))

    def spawn(self, work: Coroutine[Any, Any, object], name: str) -> None:
        """Begin it now."""
        task = asyncio.create_task(_logged(work), name=name)
        self._tasks[task] = None
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[object]) -> None:
        self._tasks.pop(task, None)


async def _logged(work: Coroutine[Any, Any, object]) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001  (nobody waits for it)
        log.error("%s", described(error))  # noqa: TRY400  (masked)
