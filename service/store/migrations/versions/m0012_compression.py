"""What is kept as bytes is compressed with lz4, where PostgreSQL has it: that takes a fraction of the time of pglz.

Only what is written from now on; a value that is there says itself how it was compressed, and is read as before
(PostgreSQL, ALTER TABLE, SET COMPRESSION; from 14, and only where the server was built with lz4).
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
oldest_program = "0006"

# In the order in which who keeps a report asks for them: neither waits for the other in a ring.
_KEPT = (("overlays", "content"), ("versions", "receipt"), ("outputs", "content"))
_METHODS = sa.text("SELECT enumvals FROM pg_settings WHERE name = 'default_toast_compression'")


def upgrade() -> None:
    """Choose lz4, where there is a choice."""
    if "lz4" in _methods():
        _compress("lz4")


def downgrade() -> None:
    """Back to what the server is set to."""
    if _methods():
        _compress("default")


def _methods() -> list[str]:
    """How the server can compress; empty where it can't be told."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return []
    return list(connection.execute(_METHODS).scalar() or ())


def _compress(method: str) -> None:
    for table, column in _KEPT:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET COMPRESSION {method}")
