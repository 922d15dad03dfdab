"""Whose turn it is: parts of batches of several senders are taken one after the other."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
oldest_program = "0006"


def upgrade() -> None:
    """Make the column and what finds the next part; of what is kept all are as if nothing had been taken of them."""
    op.add_column("batches", sa.Column("turn", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_batches_turns", "batches", ["state", "sender", "turn", "created", "id"])
    op.create_index("ix_batches_sender_turn", "batches", ["sender", "turn"])
    taken = sa.text("turn > 0")
    op.create_index("ix_batches_turn", "batches", ["turn"], sqlite_where=taken, postgresql_where=taken)
    free = sa.text("state = 'open' AND fed IS NULL")
    op.create_index("ix_batch_parts_free", "batch_parts", ["batch", "number"], sqlite_where=free, postgresql_where=free)


def downgrade() -> None:
    """Take them away."""
    op.drop_index("ix_batch_parts_free", "batch_parts")
    for name in ("ix_batches_turn", "ix_batches_sender_turn", "ix_batches_turns"):
        op.drop_index(name, "batches")
    op.drop_column("batches", "turn")
