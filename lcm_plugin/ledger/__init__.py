"""The durable record of attempts: written before the side effect, shared by all hosts of a site."""

from lcm_plugin.ledger.database import Database, database_for
from lcm_plugin.ledger.errors import (
    AttemptLostError,
    KeyTakenError,
    LedgerError,
    LedgerUnavailable,
    OpenElsewhereError,
)
from lcm_plugin.ledger.ledger import Ledger
from lcm_plugin.ledger.operations import Doubtful, Line
from lcm_plugin.ledger.states import IN_DOUBT, LIVE, OPEN

__all__ = [
    "IN_DOUBT",
    "LIVE",
    "OPEN",
    "AttemptLostError",
    "Database",
    "Doubtful",
    "KeyTakenError",
    "Ledger",
    "LedgerError",
    "LedgerUnavailable",
    "Line",
    "OpenElsewhereError",
    "database_for",
]
