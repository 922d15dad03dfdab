"""Merged patients, the id that a version itself says, and who issued its accession number."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the columns; what is kept says the id that it is kept under."""
    op.create_table(
        "merges",
        sa.Column("prior_id", sa.String(), nullable=False),
        sa.Column("prior_issuer", sa.String(), nullable=False),
        sa.Column("survivor_id", sa.String(), nullable=False),
        sa.Column("survivor_issuer", sa.String(), nullable=False),
        sa.Column("merged", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("prior_id", "prior_issuer", name="pk_merges"),
    )
    for name in ("said_id", "said_issuer", "accession_issuer"):
        op.add_column("versions", sa.Column(name, sa.String(), nullable=True))
    op.execute("UPDATE versions SET said_id = patient_id, said_issuer = patient_issuer")
    op.create_index("ix_versions_said_id", "versions", ["said_id"])


def downgrade() -> None:
    """Take them away; a version is found under the id that it says again."""
    op.execute("UPDATE versions SET patient_id = said_id, patient_issuer = said_issuer WHERE said_id IS NOT NULL")
    op.drop_index("ix_versions_said_id", "versions")
    for name in ("said_id", "said_issuer", "accession_issuer"):
        op.drop_column("versions", name)
    op.drop_table("merges")
