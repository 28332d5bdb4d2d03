"""Embedding in a site's own pluggy host: `python examples/embed.py`.

The site has a plugin manager already. With the contract's hookspecs added, `Hooks` calls them, async and
plain implementations alike, beside whatever hooks the site has of its own.
"""

import asyncio

import pluggy

from cti_hooks import Agent, Call, Contact, Hooks, hookimpl, register, spec


class Waiting:
    """A source of contacts."""

    def __init__(self) -> None:
        self.people = [Contact(key="walk-in|1", phone_number="+12125550123", consent="given")]

    @hookimpl
    async def request_next_contact(self) -> Contact | None:
        return self.people.pop() if self.people else None


class Desktop:
    """Hears when an agent is ready, and fetches."""

    def __init__(self) -> None:
        self.hooks: Hooks | None = None

    @hookimpl
    async def on_agent_ready(self, agent: Agent) -> None:
        assert self.hooks
        while contact := await self.hooks.first(
            "request_next_contact", agent=agent, campaign_group="Walk-ins"
        ):
            print(f"{agent.id} gets {contact}")
        print(f"{agent.id} waits")


async def main() -> None:
    """The site's own start."""
    pm = pluggy.PluginManager("cti")
    pm.add_hookspecs(spec)
    desktop = Desktop()
    for plugin in (desktop, Waiting()):
        register(pm, plugin, type(plugin).__name__)
    desktop.hooks = Hooks(pm)
    await desktop.hooks.all("on_agent_ready", agent=Agent(id="1001"))
    found: list[Call | None] = [
        answer.value for answer in await desktop.hooks.all("find_call", attempt_id="none")
    ]
    print(f"calls found: {found}")


if __name__ == "__main__":
    asyncio.run(main())
