"""The tables of a release in PostgreSQL: those of `schema`, filled from the finished SQLite file in one transaction.

Words are compared byte by byte (collation C), as SQLite does. The index of words holds each concept's words as they
are (tsvector without a dictionary): no extension is needed, and no right beyond that to make a schema.
"""

from collections.abc import Iterator
from typing import Final

TABLES: Final = """
create table meta (key text primary key, value text);
create table code_system (id int primary key, designator text, uri text, name text, version text);
create table module (id int primary key, code text);
create table concept (n int, system int, code text collate "C", active int, defined int, effective int, module int);
create table label (n int, display text, tag int);
create table tag (id int primary key, text text);
create table closure (n int, ancestors bytea, descendants bytea);
create table isa (child int, parent int);
create table property (id int primary key, code text);
create table attribute (rowid int, n int, grp int, type int, target int, value text);
create table dialect (bit int primary key, code text, name text);
create table designation (
  rowid int, n int, language text, use int, term text, preferred bigint, acceptable bigint);
create table association (rowid int, n int, kind text, target text);
create table member (refset int, n int);
create table reason (n int, value text);
create table value_set (id int primary key, url text, version text, name text, body bytea);
create table value_set_member (value_set int, system text collate "C", code text collate "C", display text);
create table translation (
  rowid int, map text, from_system text, from_code text, to_system text, to_code text, relationship text);
create table word (
  word text collate "C", first text collate "C", length int, skeleton text collate "C", concepts int);
create table form (hash bigint, n int);
create table ranked (rank int, n int);
create temporary table posting (word text collate "C", rank int) on commit drop;
"""

INDEXES: Final = """
create table search as
  select r.rank, r.n, array_to_tsvector(array_agg(p.word)) as words
  from ranked r join posting p on p.rank = r.rank group by r.rank, r.n order by r.rank;
alter table concept add primary key (n);
create unique index on concept (code, system);
alter table label add primary key (n);
alter table closure add primary key (n);
alter table isa add primary key (child, parent);
create index on isa (parent, child);
create index on attribute (n);
create index on attribute (type, target);
create index on designation (n);
create index on association (n);
alter table member add primary key (refset, n);
create index on member (n);
create index on value_set (url);
alter table value_set_member add primary key (value_set, system, code);
create index on translation (map);
create index on translation (from_system, from_code);
create index on translation (to_system, to_code);
alter table word add primary key (word);
create index on word (first, length, concepts);
create index on word (skeleton, concepts);
alter table form add primary key (hash, n);
alter table search add primary key (rank);
alter table search alter column words set statistics 1000;
create index on search using gin (words) with (fastupdate = off);
"""

POSTINGS: Final = "create virtual table temp.posting using fts5vocab(main, search, instance)"
"""Every word with every rank that has it (SQLite FTS5, 8.2)."""


def copied() -> Iterator[tuple[str, str, str]]:
    """Of each table its name, its columns, and the SQLite query that gives its rows."""
    for statement in filter(str.strip, TABLES.split(";")):
        name, _, rest = statement.strip().removeprefix("create ").removeprefix("temporary ").partition("(")
        name = name.removeprefix("table ").strip()
        columns = ", ".join(one.split()[0] for one in rest.rpartition(")")[0].split(","))
        columns = columns.replace(" on commit drop", "")
        yield name, columns, f"select {columns} from {name}"  # noqa: S608 - the names are ours


def statements(script: str) -> Iterator[str]:
    """The statements of a script."""
    return filter(str.strip, script.split(";"))
