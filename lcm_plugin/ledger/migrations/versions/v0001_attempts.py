"""Attempts, their history, doubts, holders, and the evidence of calls placed."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "attempts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("agent_digest", sa.Text, nullable=False),
        sa.Column("key_digest", sa.Text),
        sa.Column("open_agent", sa.Text, unique=True),
        sa.Column("open_key", sa.Text, unique=True),
        sa.Column("holder", sa.Text),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("dialed_at", sa.BigInteger),
        sa.Column("pruned_at", sa.BigInteger),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("attempts_by_agent", "attempts", ["agent_digest", "opened_at"])
    op.create_index("attempts_by_key", "attempts", ["key_digest"])
    op.create_index("attempts_by_state", "attempts", ["state", "changed_at"])
    op.create_table(
        "history",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("attempt_id", sa.Text, nullable=False, index=True),
        sa.Column("at", sa.BigInteger, nullable=False, index=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "dials",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("attempt_id", sa.Text, nullable=False, index=True),
        sa.Column("number_hash", sa.Text, nullable=False),
        sa.Column("contact_digest", sa.Text, nullable=False),
        sa.Column("dialed_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("outcome", sa.Text),
    )
    op.create_index("dials_by_number", "dials", ["number_hash", "dialed_at"])
    op.create_index("dials_by_contact", "dials", ["contact_digest", "dialed_at"])
    op.create_table(
        "doubts",
        sa.Column("agent_digest", sa.Text, primary_key=True),
        sa.Column("agent_id", sa.Text, nullable=False),
        sa.Column("campaign_group", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "holders",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("beat", sa.Integer, nullable=False),
        sa.Column("beat_at", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.Boolean, nullable=False),
    )
    op.create_table(
        "facts",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
