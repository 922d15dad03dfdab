"""The tables of a store: one SQLite file, written once and then only read."""

from typing import Final

FORMAT: Final = "1"
"""Of the file; one of another format is imported again."""

TABLES: Final = """
create table if not exists meta (key text primary key, value text not null) without rowid;
create table if not exists done (step text primary key, rows integer not null) without rowid;
create table if not exists code_system (
  id integer primary key, designator text not null unique, uri text not null, name text not null,
  version text not null);
create table if not exists module (id integer primary key, code text not null unique);
create table if not exists concept (
  n integer primary key, system integer not null, code text not null, active integer not null, defined integer not null,
  effective integer not null, module integer not null);
create table if not exists label (n integer primary key, display text not null, tag integer not null);
create table if not exists tag (id integer primary key, text text not null unique);
create table if not exists closure (n integer primary key, ancestors blob not null, descendants blob not null);
create table if not exists isa (child integer not null, parent integer not null, primary key (child, parent))
  without rowid;
create table if not exists property (id integer primary key, code text not null unique);
create table if not exists attribute (
  n integer not null, grp integer not null, type integer not null, target integer, value text not null);
create table if not exists dialect (bit integer primary key, code text not null unique, name text not null);
create table if not exists designation (
  n integer not null, language text not null, use integer not null, term text not null, preferred integer not null,
  acceptable integer not null);
create table if not exists association (n integer not null, kind text not null, target text not null);
create table if not exists member (refset integer not null, n integer not null, primary key (refset, n)) without rowid;
create table if not exists reason (n integer primary key, value text not null);
create table if not exists value_set (
  id integer primary key, url text not null, version text not null, name text not null, body blob not null);
create table if not exists value_set_member (
  value_set integer not null, system text not null, code text not null, display text not null,
  primary key (value_set, system, code)) without rowid;
create table if not exists translation (
  map text not null, from_system text not null, from_code text not null, to_system text not null,
  to_code text not null, relationship text not null);
create table if not exists word (word text primary key, first text not null, length integer not null,
  skeleton text not null, concepts integer not null) without rowid;
create table if not exists ranked (rank integer primary key, n integer not null);
"""

INDEXES: Final = """
create unique index if not exists concept_code on concept (code, system);
create index if not exists isa_parent on isa (parent, child);
create index if not exists attribute_source on attribute (n);
create index if not exists attribute_target on attribute (type, target);
create index if not exists designation_concept on designation (n);
create index if not exists association_source on association (n);
create index if not exists member_concept on member (n);
create index if not exists translation_map on translation (map);
create index if not exists translation_from on translation (from_system, from_code);
create index if not exists translation_to on translation (to_system, to_code);
"""

WORD_INDEXES: Final = """
create index if not exists word_shape on word (first, length, concepts);
create index if not exists word_skeleton on word (skeleton);
"""

# One document a concept: every word of its designations. Only which concepts have a word is kept (detail=none), no
# text and no lengths, which is a quarter of the size. Short beginnings have their own index (prefix).
SEARCH: Final = """
create virtual table if not exists search using fts5(
  words, content='', columnsize=0, detail=none, prefix='1 2 3 4', tokenize="unicode61 remove_diacritics 0");
create table if not exists form (hash integer not null, n integer not null, primary key (hash, n)) without rowid;
"""
