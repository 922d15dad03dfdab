"""Where the audit trail ends, in a row of its own: so that events which are taken out at its end are found out."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
oldest_program = "0006"


def upgrade() -> None:
    """Make the table with its row, of what stands in the trail now."""
    op.create_table(
        "audit_end",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_end"),
        if_not_exists=True,  # it stayed, where the tables were older meanwhile
    )
    connection = op.get_bind()
    if connection.execute(sa.text("SELECT 1 FROM audit_end")).first() is not None:
        return
    statement = "SELECT position, previous, hash FROM audit ORDER BY position DESC LIMIT 1"
    last = connection.execute(sa.text(statement)).first()
    row = last._asdict() if last is not None else {"position": 0, "previous": "0" * 64, "hash": "0" * 64}
    noted = "INSERT INTO audit_end (id, position, previous, hash) VALUES (1, :position, :previous, :hash)"
    connection.execute(sa.text(noted), row)


def downgrade() -> None:
    """Nothing goes, as with the trail itself: going back and forth would be the way to cut it off unseen."""
