"""Fetching stops for one agent though they are ready: nobody answers, or nothing can be called."""

from attrs import define

from lcm_plugin.desk.hand import Hand
from lcm_plugin.desk.readiness import Readiness
from lcm_plugin.desk.site import Site
from lcm_plugin.desk.tasks import Tasks


@define(kw_only=True, eq=False)
class Stopping:
    """Stops the fetching for one agent."""

    readiness: Readiness
    hand: Hand
    site: Site
    tasks: Tasks

    def stop(self, reason: str) -> None:
        """Look for nothing more though the agent is ready, and ask the host for not ready."""
        if self.readiness.ready and not self.readiness.stopped:
            self.readiness.stop(reason)
            name = f"asking for {self.hand.agent.id} to be not ready"
            self.tasks.spawn(self._ask_for_not_ready(reason), name)

    async def _ask_for_not_ready(self, reason: str) -> None:
        if await self.site.request_not_ready(self.hand.agent, reason):
            self.readiness.granted()
