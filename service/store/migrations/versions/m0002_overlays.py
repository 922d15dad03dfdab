"""Overlays with their versions, the terms that were kept as text, and reports by the time they came."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "overlays",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created", sa.String(27), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(128), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_overlays"),
        sa.UniqueConstraint("sender", "version", name="uq_overlays_sender_version"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "unmapped",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("term", sa.String(), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_seen", sa.String(27), nullable=False),
        sa.Column("last_seen", sa.String(27), nullable=False),
        sa.Column("suggestions", sa.String(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("decided", sa.String(27), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_unmapped"),
        sa.UniqueConstraint(
            "sender", "field", "system", "form", "language", name="uq_unmapped_sender_field_system_form_language"
        ),
    )
    op.create_index("ix_unmapped_state_count", "unmapped", ["state", "count"])
    op.create_index("ix_versions_received", "versions", ["received"])


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_versions_received", "versions")
    op.drop_table("unmapped")
    op.drop_table("overlays")
