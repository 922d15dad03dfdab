"""How far each caller is with its requests, and which programs may run on a step."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
oldest_program = "0006"


def upgrade() -> None:
    """Make both tables; rates need not outlive a crash of the server, so they wait for no disk on PostgreSQL."""
    is_server = op.get_bind().dialect.name == "postgresql"
    op.create_table(
        "rates",
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("caller", name="pk_rates"),
        prefixes=["UNLOGGED"] if is_server else [],
    )
    op.create_table(
        "schema_steps",
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("oldest_program", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("step", name="pk_schema_steps"),
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("schema_steps")
    op.drop_table("rates")
