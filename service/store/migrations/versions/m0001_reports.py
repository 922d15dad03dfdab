"""Reports, versions, emitted bytes and idempotency keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("report_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reports"),
        sa.UniqueConstraint("sender", "report_id", name="uq_reports_sender_report_id"),
    )
    op.create_table(
        "versions",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("report", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("issued", sa.String(27), nullable=False),
        sa.Column("received", sa.String(27), nullable=False),
        sa.Column("study_uid", sa.String(64), nullable=False),
        sa.Column("accession", sa.String(), nullable=True),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("patient_issuer", sa.String(), nullable=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("sr_class", sa.String(64), nullable=False),
        sa.Column("sr_instance", sa.String(64), nullable=False),
        sa.Column("sr_series", sa.String(64), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["report"], ["reports.id"], name="fk_versions_report"),
        sa.PrimaryKeyConstraint("id", name="pk_versions"),
        sa.UniqueConstraint("report", "version", name="uq_versions_report_version"),
        sa.UniqueConstraint("sr_instance", name="uq_versions_sr_instance"),
    )
    for column in ("accession", "study_uid", "patient_id", "issued"):
        op.create_index(f"ix_versions_{column}", "versions", [column])
    op.create_table(
        "outputs",
        sa.Column("version", sa.String(36), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("media_type", sa.String(128), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["version"], ["versions.id"], name="fk_outputs_version"),
        sa.PrimaryKeyConstraint("version", "role", name="pk_outputs"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("version", sa.String(36), nullable=False),
        sa.Column("created", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(["version"], ["versions.id"], name="fk_idempotency_keys_version"),
        sa.PrimaryKeyConstraint("sender", "key", name="pk_idempotency_keys"),
    )


def downgrade() -> None:
    """Remove them."""
    for table in ("idempotency_keys", "outputs", "versions", "reports"):
        op.drop_table(table)
