"""What waits and what is under way, each in an index that has no more than that."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
oldest_program = "0006"

_BOTH = "ix_deliveries_destination_open_fed_priority_position"


def upgrade() -> None:
    """Make the two, and take away the one for both: PostgreSQL finds no order behind ``fed IS NULL`` in it."""
    waiting, is_open = sa.text("open = 1 AND fed IS NULL"), sa.text("open = 1")
    op.create_index(
        "ix_deliveries_waiting",
        "deliveries",
        ["destination", "priority", "position"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index(
        "ix_deliveries_open",
        "deliveries",
        ["fed", "destination", "created", "priority"],
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.drop_index(_BOTH, "deliveries")


def downgrade() -> None:
    """Back to the one."""
    op.create_index(_BOTH, "deliveries", ["destination", "open", "fed", "priority", "position"])
    op.drop_index("ix_deliveries_open", "deliveries")
    op.drop_index("ix_deliveries_waiting", "deliveries")
