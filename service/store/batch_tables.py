"""The tables of batches: their parts until these are published, and what became of each line."""

from typing import Final

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Named,
    String,
    Table,
    TypedColumns,
    and_,
    literal_column,
)

from service.store.tables import INSTANT, METADATA


class _Batch(TypedColumns):
    """A batch of reports; ``asked`` is what was wanted of each of them, as JSON.

    ``turn``: the number of the last part that was taken of it, counted over all batches.
    """

    id: Named[str] = Column(String(36), primary_key=True)
    state: Named[str] = Column(String(16))
    sender: Named[str] = Column(String())
    created: Named[str] = Column(INSTANT)
    settled: Named[str | None] = Column(INSTANT)
    lines: Named[int] = Column(Integer)
    asked: Named[str] = Column(String())
    turn: Named[int] = Column(Integer, server_default="0")


BATCHES: Final = Table(
    "batches",
    METADATA,
    _Batch,
    Index(None, "state", "created"),
    Index("ix_batches_turns", "state", "sender", "turn", "created", "id"),
    Index(None, "sender", "turn"),
)
# Of all turns, the last. Without a condition PostgreSQL looks in it for the last of one sender, too, past all others.
Index("ix_batches_turn", BATCHES.c.turn, info={"where": BATCHES.c.turn > literal_column("0")})


class _BatchPart(TypedColumns):
    """Some lines of a batch, packed until they are done; a worker has them since ``fed``."""

    batch: Named[str] = Column(String(36), ForeignKey("batches.id"), primary_key=True)
    number: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    first: Named[int] = Column(Integer)
    content: Named[bytes] = Column(LargeBinary)
    state: Named[str] = Column(String(16))
    run: Named[int] = Column(Integer)
    fed: Named[str | None] = Column(INSTANT)
    kept: Named[int] = Column(Integer)
    known: Named[int] = Column(Integer)
    refused: Named[int] = Column(Integer)


BATCH_PARTS: Final = Table("batch_parts", METADATA, _BatchPart, Index(None, "state", "fed"))
# Said as the index says it: with a parameter neither database knows that it will do.
IS_FREE: Final = and_(BATCH_PARTS.c.state == literal_column("'open'"), BATCH_PARTS.c.fed.is_(None))
"""Nobody works on it, and it is not done."""
Index("ix_batch_parts_free", BATCH_PARTS.c.batch, BATCH_PARTS.c.number, info={"where": IS_FREE})


class _BatchLine(TypedColumns):
    """What became of a line of a batch: the version it was kept as, or why it was refused."""

    batch: Named[str] = Column(String(36), ForeignKey("batches.id"), primary_key=True)
    line: Named[int] = Column(Integer, primary_key=True, autoincrement=False)
    outcome: Named[str] = Column(String(16))
    report: Named[str | None] = Column(String(36))
    problems: Named[str] = Column(String())


BATCH_LINES: Final = Table("batch_lines", METADATA, _BatchLine, Index(None, "batch", "outcome", "line"))
