"""The ledger's tables, as `migrations` makes them. Free text is kept as JSON, so that any character can be.

Digests stand in indexes for keys and agent ids, which have no length limit; personal data is in `body` only.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

metadata = sa.MetaData()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(sa.TypeDecorator[datetime]):
    """An instant, as microseconds since 1970 in UTC."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002
        """To microseconds."""
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """From microseconds."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Json(sa.TypeDecorator[Any]):
    """Anything JSON has, in ASCII: neither database takes every character a text of the LCM's may hold."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        """To text."""
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:  # noqa: ARG002
        """From text."""
        return None if value is None else json.loads(value)


def digest(text: str) -> str:
    """What stands for a key or an agent's id in an index."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


_WITH_CALLBACK: Final = sa.text("callback_at IS NOT NULL")
attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("agent_digest", sa.Text, nullable=False),
    sa.Column("key_digest", sa.Text),
    sa.Column("open_agent", sa.Text, unique=True),
    sa.Column("open_key", sa.Text, unique=True),
    sa.Column("holder", sa.Text),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("expires_at", Instant),
    sa.Column("dialed_at", Instant),
    sa.Column("pruned_at", Instant),
    sa.Column("callback_at", Instant),
    sa.Column("body", Json, nullable=False),
    sa.Index("attempts_by_agent", "agent_digest", "opened_at"),
    sa.Index("attempts_by_key", "key_digest"),
    sa.Index("attempts_by_state", "state", "changed_at"),
    sa.Index(
        "attempts_by_callback",
        "agent_digest",
        "callback_at",
        sqlite_where=_WITH_CALLBACK,
        postgresql_where=_WITH_CALLBACK,
    ),
)
"""`open_agent` and `open_key` are set while the attempt is open: their indexes keep it one for each key, and
for each place of an agent's (`rows.place_digest`).
`callback_at` is when its agent is to call back in person."""

history = sa.Table(
    "history",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("attempt_id", sa.Text, nullable=False, index=True),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("host", Json, nullable=False),
    sa.Column("reason", Json, nullable=False),
)
"""A line for each transition: the audit."""

dials = sa.Table(
    "dials",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("attempt_id", sa.Text, nullable=False, index=True),
    sa.Column("number_hash", sa.Text, nullable=False),
    sa.Column("contact_digest", sa.Text, nullable=False),
    sa.Column("dialed_at", Instant, nullable=False),
    sa.Column("ended_at", Instant),
    sa.Column("outcome", sa.Text),
    sa.Index("dials_by_number", "number_hash", "dialed_at"),
    sa.Index("dials_by_contact", "contact_digest", "dialed_at"),
)
"""Every call placed: what call caps count. It outlives the personal data."""

doubts = sa.Table(
    "doubts",
    metadata,
    sa.Column("agent_digest", sa.Text, primary_key=True),
    sa.Column("agent_id", Json, nullable=False),
    sa.Column("campaign_group", Json, nullable=False),
    sa.Column("reason", Json, nullable=False),
    sa.Column("since", Instant, nullable=False),
)
"""Agents for whom the LCM may have reserved a contact that never arrived."""

holders = sa.Table(
    "holders",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("host", Json, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("beat", sa.Integer, nullable=False),
    sa.Column("beat_at", Instant, nullable=False),
    sa.Column("ended", sa.Boolean, nullable=False),
)
"""The hosts, each with its lease: held for as long as `beat` goes on counting."""

facts = sa.Table(
    "facts",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", Json, nullable=False),
)
"""What the ledger knows of itself: its own key for hashes, the file it was made in."""

stops = sa.Table(
    "stops",
    metadata,
    sa.Column("scope_digest", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", Json, nullable=False),
    sa.Column("actor", Json, nullable=False),
    sa.Column("since", Instant, nullable=False),
)
"""Where nothing may be dialed: the site, a campaign, an agent."""

barred = sa.Table(
    "barred",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False, index=True),
    sa.Column("campaign", Json),
    sa.Column("actor", Json, nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("until", Instant),
    sa.Column("attempt_id", sa.Text, index=True),
)
"""Whom nobody may dial any more: hashes of numbers and contacts, which outlive everything else."""

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("attempt_id", sa.Text, nullable=False, index=True),
    sa.Column("key_digest", sa.Text, nullable=False, index=True),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("body", Json, nullable=False),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("holder", sa.Text),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("written_at", Instant, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("error", Json),
)
"""What must reach the LCM."""
