"""Run the steps on the connection that `service.store.database.migrate` hands over.

Each step leaves a row that says the oldest step whose program may run on it (``oldest_program`` of its module; without
one, no older program). So an older program knows of a newer step whether it fits, without knowing the step.
"""

from typing import Any

from alembic import context
from sqlalchemy import delete, insert, inspect

from service.store.tables import METADATA, SCHEMA_STEPS


def _mark(ctx: Any, step: Any, *_: Any, **__: Any) -> None:
    """Keep the row of a step that was made; take away that of one that is no more."""
    if not inspect(ctx.connection).has_table(SCHEMA_STEPS.name):
        return
    ctx.connection.execute(delete(SCHEMA_STEPS).where(SCHEMA_STEPS.c.step == step.up_revision_id))
    if step.is_upgrade:
        oldest = getattr(step.up_revision.module, "oldest_program", step.up_revision_id)
        ctx.connection.execute(insert(SCHEMA_STEPS).values(step=step.up_revision_id, oldest_program=oldest))


context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, on_version_apply=_mark)
with context.begin_transaction():
    context.run_migrations()
