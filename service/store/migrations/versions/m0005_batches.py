"""Batches of reports: their parts, and what became of each line."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INSTANT = sa.String(27)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "batches",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("settled", _INSTANT, nullable=True),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("asked", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
    )
    op.create_index("ix_batches_state_created", "batches", ["state", "created"])
    op.create_table(
        "batch_parts",
        sa.Column("batch", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("fed", _INSTANT, nullable=True),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batches.id"], name="fk_batch_parts_batch"),
        sa.PrimaryKeyConstraint("batch", "number", name="pk_batch_parts"),
    )
    op.create_index("ix_batch_parts_state_fed", "batch_parts", ["state", "fed"])
    op.create_table(
        "batch_lines",
        sa.Column("batch", sa.String(36), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("report", sa.String(36), nullable=True),
        sa.Column("problems", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batches.id"], name="fk_batch_lines_batch"),
        sa.PrimaryKeyConstraint("batch", "line", name="pk_batch_lines"),
    )
    op.create_index("ix_batch_lines_batch_outcome_line", "batch_lines", ["batch", "outcome", "line"])


def downgrade() -> None:
    """Remove them."""
    for table in ("batch_lines", "batch_parts", "batches"):
        op.drop_table(table)
