"""When an attempt's agent is to call back, in a column of its own, so that no body has to be read for it."""

import json
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    """Add the column, and fill it in if a personal callback was booked."""
    op.add_column("attempts", sa.Column("callback_at", sa.BigInteger))
    told = sa.text("callback_at IS NOT NULL")
    columns = ["agent_digest", "callback_at"]
    op.create_index("attempts_by_callback", "attempts", columns, sqlite_where=told, postgresql_where=told)
    booked = sa.text("""SELECT id, body FROM attempts WHERE body LIKE '%"kind": "personal"%'""")
    for row in op.get_bind().execute(booked).all():
        callback = (json.loads(row.body).get("disposition") or {}).get("callback")
        if callback and callback["kind"] == "personal":
            at = (datetime.fromisoformat(callback["starts_at"]) - _EPOCH) // timedelta(microseconds=1)
            filled = sa.text("UPDATE attempts SET callback_at = :at WHERE id = :id")
            op.get_bind().execute(filled, {"at": at, "id": row.id})
