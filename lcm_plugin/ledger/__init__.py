"""The durable record of attempts: written before the side effect, shared by all hosts of a site."""

from lcm_plugin.attempt.states import IN_DOUBT, LIVE, OPEN, WAITING
from lcm_plugin.ledger.barring import Bar
from lcm_plugin.ledger.database import Database, database_for
from lcm_plugin.ledger.errors import (
    AttemptLostError,
    BarredError,
    CalledMeanwhileError,
    DialingStoppedError,
    KeyTakenError,
    LedgerError,
    LedgerUnavailable,
    OpenElsewhereError,
)
from lcm_plugin.ledger.housekeeping import GONE, Housekeeping
from lcm_plugin.ledger.ledger import Ledger
from lcm_plugin.ledger.letters import KEPT, Draft, Letter, LetterState
from lcm_plugin.ledger.lists import DoubtfulAgent, Lease, Message, Past
from lcm_plugin.ledger.news import LedgerNews
from lcm_plugin.ledger.outbox import Delivery, Outbox
from lcm_plugin.ledger.reading import Doubtful, Line, Objection
from lcm_plugin.ledger.rows import key_of
from lcm_plugin.ledger.stops import Stop

__all__ = [
    "GONE",
    "IN_DOUBT",
    "KEPT",
    "LIVE",
    "OPEN",
    "WAITING",
    "AttemptLostError",
    "Bar",
    "BarredError",
    "CalledMeanwhileError",
    "Database",
    "Delivery",
    "DialingStoppedError",
    "Doubtful",
    "DoubtfulAgent",
    "Draft",
    "Housekeeping",
    "KeyTakenError",
    "Lease",
    "Ledger",
    "LedgerError",
    "LedgerNews",
    "LedgerUnavailable",
    "Letter",
    "LetterState",
    "Line",
    "Message",
    "Objection",
    "OpenElsewhereError",
    "Outbox",
    "Past",
    "Stop",
    "database_for",
    "key_of",
]
