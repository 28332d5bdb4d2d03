"""What dialers that hold a TCP connection to a telephone engine share.

`wire` is one connection and `connection` keeps one up; `course` leads a call over its two legs, and `reports`
tells of it; `dialer` is the plugin around all. A backend brings its protocol's `Wire`, and an `Exchange` that
places, hangs up and looks for legs.
"""

from lcm_plugin.dialers.exchange.connection import Connection
from lcm_plugin.dialers.exchange.course import Course
from lcm_plugin.dialers.exchange.dialer import ExchangeDialer
from lcm_plugin.dialers.exchange.legs import Exchange, Heard, News, Order, Party
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
    "Secret",
    "Wire",
]
