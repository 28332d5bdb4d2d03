"""The feed of events for subscribers. A slow one is dropped, and holds up nobody."""

import asyncio
from typing import Any, Final

from attrs import define, field

WAITING: Final = 1000
"""Events a subscriber may be behind."""


@define(eq=False)
class Subscription:
    """One subscriber's events. `missed` tells that it was too slow and gets no more."""

    events: "asyncio.Queue[dict[str, Any]]" = field(factory=lambda: asyncio.Queue(WAITING))
    missed: asyncio.Event = field(factory=asyncio.Event)


@define(eq=False)
class Feed:
    """Passes each event on to all subscribers."""

    _subscriptions: set[Subscription] = field(factory=set, init=False)

    def subscribe(self) -> Subscription:
        """Hear everything from now on."""
        subscription = Subscription()
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Hear no more."""
        self._subscriptions.discard(subscription)

    def publish(self, event: str, **facts: Any) -> None:
        """Tell everybody; a subscriber that is too far behind is dropped."""
        for subscription in list(self._subscriptions):
            try:
                subscription.events.put_nowait({"event": event, **facts})
            except asyncio.QueueFull:
                subscription.missed.set()
                self._subscriptions.discard(subscription)
