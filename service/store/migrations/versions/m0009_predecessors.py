"""The documents that an SR names as its predecessors: one of them that comes later must not stand beside it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
oldest_program = "0006"


def upgrade() -> None:
    """Make the column; what is kept says nothing."""
    op.add_column("versions", sa.Column("predecessors", sa.String(), nullable=True))


def downgrade() -> None:
    """Take it away."""
    op.drop_column("versions", "predecessors")
