"""Calls of the hooks that lcm-plugin brings: one typed method for each, for a type checker to look at.

Made from `lcm_plugin.spec` by `python hooks/facade.py`; a test keeps it current.
"""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from cti_hooks.dispatch import Hooks
from lcm_plugin.config import LcmSettings


@frozen
class LcmCalls:
    """The hooks of `hooks`, each called the way it declares."""

    hooks: Hooks

    async def lcm_transport(self, *, settings: LcmSettings) -> object | None:
        """Bring a transport of your own to the LCM."""
        result: object | None = await self.hooks.first("lcm_transport", settings=settings)
        return result

    async def lcm_adjust_request(self, *, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change an envelope before it is sent: another spelling, a field the site's gateway wants."""
        result: Mapping[str, Any] = await self.hooks.chain("lcm_adjust_request", message=message)
        return result

    async def lcm_adjust_reply(self, *, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change a reply's envelope before it is read."""
        result: Mapping[str, Any] = await self.hooks.chain("lcm_adjust_reply", message=message)
        return result
