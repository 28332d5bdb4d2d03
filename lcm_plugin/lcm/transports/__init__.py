"""How requests reach an LCM: by HTTP, or over a publish/subscribe bus."""

from pathlib import Path

from cti_hooks import Clock
from lcm_plugin.config import LcmSettings
from lcm_plugin.lcm.transports.http import HttpTransport
from lcm_plugin.lcm.transports.transport import Transport
from lcm_plugin.lcm.transports.websocket import WebSocketTransport

__all__ = ["HttpTransport", "Transport", "WebSocketTransport", "transport_for"]


def transport_for(settings: LcmSettings, directory: Path, clock: Clock) -> Transport:
    """The transport that the scheme of `url` names; nothing is opened yet."""
    if settings.url.startswith("http"):
        return HttpTransport(settings=settings, directory=directory, clock=clock)
    return WebSocketTransport(settings=settings, directory=directory, clock=clock)
