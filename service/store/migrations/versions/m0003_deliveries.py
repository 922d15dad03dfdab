"""Deliveries with their attempts, the state of destinations and workers; an output may be made for one destination."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_INSTANT = sa.String(27)


def upgrade() -> None:
    """Make the tables; roles get room for the name of a destination."""
    with op.batch_alter_table("outputs") as outputs:
        outputs.alter_column(
            "role", existing_type=sa.String(16), type_=sa.String(128), existing_nullable=False, nullable=False
        )
    op.create_table(
        "deliveries",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("version", sa.String(36), nullable=False),
        sa.Column("report", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("destination", sa.String(64), nullable=False),
        sa.Column("format", sa.String(16), nullable=False),
        sa.Column("role", sa.String(128), nullable=False),
        sa.Column("identifiers", sa.String(), nullable=False),
        sa.Column("sr", sa.String(), nullable=False),
        sa.Column("parent", sa.String(36), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("fed", _INSTANT, nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("changed", _INSTANT, nullable=False),
        sa.Column("next_at", _INSTANT, nullable=False),
        sa.Column("settled", _INSTANT, nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("trace", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["version"], ["versions.id"], name="fk_deliveries_version"),
        sa.ForeignKeyConstraint(["report"], ["reports.id"], name="fk_deliveries_report"),
        sa.PrimaryKeyConstraint("position", name="pk_deliveries"),
        sa.UniqueConstraint("id", name="uq_deliveries_id"),
        sqlite_autoincrement=True,
    )
    for columns in (
        ("version",),
        ("report", "destination", "number"),
        ("state", "destination", "position"),
        ("destination", "open", "fed", "priority", "position"),
    ):
        op.create_index(f"ix_deliveries_{'_'.join(columns)}", "deliveries", list(columns))
    op.create_table(
        "attempts",
        sa.Column("delivery", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("destination", sa.String(64), nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("started", _INSTANT, nullable=False),
        sa.Column("ended", _INSTANT, nullable=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["delivery"], ["deliveries.id"], name="fk_attempts_delivery"),
        sa.PrimaryKeyConstraint("delivery", "number", name="pk_attempts"),
    )
    op.create_index("ix_attempts_destination_started", "attempts", ["destination", "started"])
    op.create_table(
        "circuits",
        sa.Column("destination", sa.String(64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("opened", _INSTANT, nullable=True),
        sa.Column("until", _INSTANT, nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("changed", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("destination", name="pk_circuits"),
    )
    op.create_table(
        "workers",
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("token", sa.String(36), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("revision", sa.String(64), nullable=False),
        sa.Column("heartbeat", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("slot", name="pk_workers"),
    )


def downgrade() -> None:
    """Remove them, with the outputs that were made for one destination only."""
    for table in ("workers", "circuits", "attempts", "deliveries"):
        op.drop_table(table)
    op.execute("DELETE FROM outputs WHERE role LIKE '%@%'")
    with op.batch_alter_table("outputs") as outputs:
        outputs.alter_column(
            "role", existing_type=sa.String(128), type_=sa.String(16), existing_nullable=False, nullable=False
        )
