"""What dialers that hold a TCP connection to a telephone engine share.

`connection` keeps the connection up, `course` leads a call over its two legs, `dialer` is the plugin around
both. A backend brings its protocol's `Wire` and an `Exchange` that places, hangs up and looks for legs.
"""

from lcm_plugin.dialers.exchange.connection import (
    Address,
    Connection,
    EngineDownError,
    EngineError,
    EngineLostError,
    EngineRefusedError,
    Wire,
)
from lcm_plugin.dialers.exchange.course import Course
from lcm_plugin.dialers.exchange.dialer import ExchangeDialer
from lcm_plugin.dialers.exchange.legs import Exchange, Heard, News, Order, Party
from lcm_plugin.dialers.exchange.settings import EngineSettings, Secret

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
