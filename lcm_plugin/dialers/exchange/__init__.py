"""What dialers share that place both legs of a call at a telephone engine.

`course` leads a call over its two legs, each a `leg`; `lookout` looks for them, and `reports` tells of them.
`dialer` is the plugin around all. A backend brings an `Exchange` (`legs`) that places, hangs up and looks for
legs. `wire` is one TCP connection and `connection` keeps one up, for engines that have one.
"""

from lcm_plugin.dialers.exchange.connection import Connection
from lcm_plugin.dialers.exchange.course import Course
from lcm_plugin.dialers.exchange.dialer import ExchangeDialer
from lcm_plugin.dialers.exchange.legs import Exchange, Heard, News, Order, Party, PutsThrough
from lcm_plugin.dialers.exchange.settings import EngineSettings, Secret
from lcm_plugin.dialers.exchange.wire import (
    Address,
    EngineDownError,
    EngineError,
    EngineLostError,
    EngineRefusedError,
    Wire,
)

__all__ = [
    "Address",
    "Connection",
    "Course",
    "EngineDownError",
    "EngineError",
    "EngineLostError",
    "EngineRefusedError",
    "EngineSettings",
    "Exchange",
    "ExchangeDialer",
    "Heard",
    "News",
    "Order",
    "Party",
    "PutsThrough",
    "Secret",
    "Wire",
]
