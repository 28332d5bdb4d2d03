"""Where an agent's phone may be, by the dialer that would ring it."""

from collections.abc import Iterator

from cti_hooks import Agent, Hooks, KnowsEndpoints, KnowsEngines


def wrong_endpoint(hooks: Hooks, agent: Agent) -> str | None:
    """What is wrong with the agent's endpoint, and the way out; None if nothing is, or nobody can tell.

    The first dialer that serves the agent is asked. One that is not both `KnowsEngines` and `KnowsEndpoints`
    says nothing of it, and the next is asked.
    """
    for dialer in _dialers(hooks):
        if not isinstance(dialer, KnowsEngines) or not isinstance(dialer, KnowsEndpoints):
            continue
        if dialer.engine_of(agent) is None:
            continue
        try:
            dialer.endpoint_of(agent)
        except ValueError as error:
            return f"{error}"
        return None
    return None


def _dialers(hooks: Hooks) -> Iterator[object]:
    """In the order they are asked to place a call."""
    return (one.plugin for one in reversed(hooks.pm.hook.make_call.get_hookimpls()))
