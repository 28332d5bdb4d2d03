"""Tells what has happened to agents, in order, without the desk waiting for whoever listens."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from attrs import define, field

Tell = Callable[[], Awaitable[None]]


@define
class Announcements:
    """A queue for each agent, so that one slow listener delays no other agent's news."""

    _waiting: dict[str, deque[Tell]] = field(factory=dict, init=False)
    _tellers: dict[str, asyncio.Task[None]] = field(factory=dict, init=False)

    def add(self, agent_id: str, tell: Tell) -> None:
        """Tell this after all earlier news of the same agent."""
        self._waiting.setdefault(agent_id, deque()).append(tell)
        if agent_id not in self._tellers:
            name = f"announcements of agent {agent_id}"
            self._tellers[agent_id] = asyncio.create_task(self._tell_all(agent_id), name=name)

    async def close(self) -> None:
        """Tell what is left."""
        await asyncio.gather(*self._tellers.values())

    async def _tell_all(self, agent_id: str) -> None:
        waiting = self._waiting[agent_id]
        try:
            while waiting:
                await waiting.popleft()()
        finally:  # an agent of whom nothing is told costs nothing
            del self._tellers[agent_id], self._waiting[agent_id]
