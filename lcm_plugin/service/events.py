"""The feed of events: each subscriber is told what is theirs. A slow one is dropped, and holds up nobody."""

import asyncio
import json
from functools import cached_property
from typing import Final

from attrs import define, field, frozen

from lcm_plugin.identity import LOCAL, Caller, Role
from lcm_plugin.service.callers import shown_to
from lcm_plugin.service.happenings import Happening

WAITING: Final = 1000
"""Events a subscriber may be behind."""
_AUDITOR: Final = Caller(role=Role.AUDITOR, subject="")


@define(eq=False)
class Subscription:
    """One subscriber's events, as text. `missed` tells that it was too slow and gets no more."""

    caller: Caller = LOCAL
    events: "asyncio.Queue[str]" = field(factory=lambda: asyncio.Queue(WAITING))
    missed: asyncio.Event = field(factory=asyncio.Event)


@define(eq=False)
class Feed:
    """Passes each event on to those who may hear it."""

    _subscriptions: set[Subscription] = field(factory=set, init=False)

    def subscribe(self, caller: Caller = LOCAL) -> Subscription:
        """Hear from now on what this caller may."""
        subscription = Subscription(caller)
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Hear no more."""
        self._subscriptions.discard(subscription)

    def publish(self, happening: Happening, *, of: str | None) -> None:
        """Tell what happened, and `of` which agent; a subscriber that is too far behind is dropped."""
        told = _Told(happening)
        for subscription in [one for one in self._subscriptions if one.caller.may_see(of)]:
            try:
                subscription.events.put_nowait(told.to(subscription.caller))
            except asyncio.QueueFull:
                subscription.missed.set()
                self._subscriptions.discard(subscription)


@frozen(slots=False)
class _Told:
    """An event, written once for all who hear it whole, and once for auditors."""

    happening: Happening

    def to(self, caller: Caller) -> str:
        return self._veiled if caller.role is Role.AUDITOR else self._whole

    @cached_property
    def _whole(self) -> str:
        return self._written(None)

    @cached_property
    def _veiled(self) -> str:
        return self._written(_AUDITOR)

    def _written(self, caller: Caller | None) -> str:
        return json.dumps({"event": self.happening.event, **shown_to(caller, self.happening)})
