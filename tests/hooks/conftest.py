"""Hooks around a plain manager, and what the examples of the contract need."""

import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pluggy
import pytest

from cti_hooks import (
    Activity,
    Agent,
    Attempt,
    Call,
    CallEvent,
    ConnectionState,
    Contact,
    Dial,
    Hooks,
    hookimpl,
    register,
    spec,
)
from lcm_plugin.sandbox.virtual_time import LoopClock

Plug = Callable[..., Hooks]


class Plugin:
    """A plugin object with these functions as its hook implementations."""


def plugin(**functions: Any) -> Plugin:
    made = Plugin()
    for name, function in functions.items():
        marked = function if hasattr(function, "cti_impl") else hookimpl(function)
        setattr(made, name, marked)
    return made


@pytest.fixture
def plug(clock: LoopClock) -> Plug:
    """Makes `Hooks` with plugins named p1, p2 ... in call order; a mapping of functions is a plugin."""

    def plugged(*plugins: Any, **options: Any) -> Hooks:
        pm = pluggy.PluginManager("cti")
        pm.add_hookspecs(spec)
        named = [(f"p{number}", one) for number, one in enumerate(plugins, start=1)]
        for name, one in reversed(named):
            register(pm, plugin(**one) if isinstance(one, dict) else one, name)
        return Hooks(pm, clock=clock, **options)

    return plugged


@pytest.fixture
def facts(clock: LoopClock) -> Callable[[str], dict[str, Any]]:
    """Arguments for any hook, by its name; needs a running loop."""

    def given(hook: str) -> dict[str, Any]:
        agent = Agent(id="alice")
        contact = Contact(key="k", phone_number="+12125550123")
        now = clock.now()
        attempt = Attempt(
            id="a1", agent=agent, contact=contact, state="offered", campaign_group="G", opened_at=now
        )
        call = Call(id="c1", attempt_id="a1", state=ConnectionState.INITIATED)
        known = {
            "agent": agent, "contact": contact, "attempt": attempt, "call": call, "moment": now,
            "since": now, "at": now,
            "activity": Activity(kind="talking", since=now, wants=False),
            "campaign_group": "G", "reason": None, "state": "ready", "attempt_id": "a1", "answer": "dial",
            "actor": "alice", "dial": Dial(to="+12125550123", not_after=now + timedelta(seconds=20)),
            "event": CallEvent(kind="established", call_id="c1", at=now), "disposition": None, "host": None,
        }  # fmt: skip
        return {name: known[name] for name in inspect.signature(getattr(spec, hook)).parameters}

    return given
