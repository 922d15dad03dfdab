"""What a database that fails says, in words of ours, and what to do. Never the driver's text: it may hold a row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

READ_ONLY: Final = "25006"
LOCKED: Final = "55P03"
"""A lock was not to be had in time (PostgreSQL, Appendix A, lock_not_available)."""
DEADLOCK: Final = "40P01"
_BLOCKED: Final = "which one it is pg_stat_activity and pg_blocking_pids() tell"
FAILURES: Final[Mapping[str, str]] = {
    "28000": "the database does not let this user in (role, pg_hba.conf): look at the user and the host in its address",
    "28P01": "the database does not take the password of this user: look at the user and the password in its address",
    "3D000": "there is no database of this name on that server: make it (createdb), or say another name",
    "53100": "the database's disk is full: make room there, then ask again",
    "53200": "the database is out of memory: it needs more, or fewer connections; then ask again",
    "53300": "the database has no connection left: fewer processes, or a larger max_connections; then ask again",
    "57014": "the database ended a statement that took longer than its statement_timeout, or that somebody cancelled: "
    "ask again",
    "57P01": "the database was shut down meanwhile: ask again once it is back",
    "57P02": "the database broke down meanwhile: ask again once it is back",
    "57P03": "the database is starting or stopping: ask again once it is there",
    READ_ONLY: "the database takes no writes: is it a standby, or is default_transaction_read_only on?",
    "refused": "nobody listens at the address of the database: is it running, and are its host and port right?",
    "host": "the host of the database is not known by its name",
    "late": "the database gives no connection within the time allowed: is its address right, is there a way to it?",
    "option": "the address of the database has an option that libpq does not know, or a value that is none of it",
    "tls": "no TLS with the database came about: look at sslmode, sslrootcert and its certificate",
    "SQLITE_BUSY": "another process has been writing into the database for too long: ask again",
    "SQLITE_CANTOPEN": "the file of the database can't be opened or made: is it a file, and may this user read and "
    "write it and its folder?",
    "SQLITE_CORRUPT": "the file of the database is damaged: restore a backup (lesionbridge restore)",
    "SQLITE_FULL": "the disk of the database is full: make room there, then ask again",
    "SQLITE_NOTADB": "the file is no database of SQLite: name another one, or put it away",
    "SQLITE_READONLY": "the file of the database, or its folder, may not be written by this user",
}
"""What to do about a server that fails, by SQLSTATE (PostgreSQL, Appendix A: Error Codes), about a file, by the name of
SQLite's code, and about a server that is not reached, by words of ours.
"""
TOLD: Final[Mapping[str, str]] = {
    "too many clients already": "53300",
    "too many connections for ": "53300",
    "remaining connection slots are reserved": "53300",
    "the database system is starting up": "57P03",
    "the database system is shutting down": "57P03",
    "the database system is in recovery mode": "57P03",
    "the database system is not yet accepting connections": "57P03",
    "password authentication failed for ": "28P01",
    "no password supplied": "28P01",
    "no pg_hba.conf entry for ": "28000",
    'FATAL:  role "': "28000",
    'FATAL:  database "': "3D000",
    "failed: Connection refused": "refused",
    "failed: No such file or directory": "refused",
    "failed to resolve host": "host",
    "could not translate host name": "host",
    "timeout expired": "late",
    "invalid URI query parameter": "option",
    "invalid connection option": "option",
    "for connection option": "option",
    "invalid sslmode value": "option",
    "SSL error": "tls",
    "server does not support SSL": "tls",
    "root certificate file": "tls",
}
"""What a server or libpq says to who connects, with its SQLSTATE or word: libpq gives no more of that than the words.

One that says them in another language (``lc_messages``) is not understood.
"""
_RELATION: Final = re.compile(r'relation "(\w+)"')


def state_of(error: object) -> str:
    """The SQLSTATE of what the driver says, or the word of `FAILURES`; empty where there is none that is known."""
    named = "_".join(str(getattr(error, "sqlite_errorname", "")).split("_")[:2])
    state: str | None = getattr(error, "sqlstate", None) or named
    return state or next((state for words, state in TOLD.items() if words in str(error)), "")


def why(error: object) -> str:
    """Why a database can't be used, and what to do."""
    state = state_of(error)
    if state in (LOCKED, DEADLOCK):
        return _waited(error, state)
    asked = "is it there, has it a connection free, and may it be read and written?"
    return FAILURES.get(state, f"the database can not be used ({type(error).__name__}): {asked}")


def _waited(error: object, state: str) -> str:
    """What was waited for; of what the server says only the name of the table is passed on."""
    said = str(getattr(getattr(error, "diag", None), "context", None) or "")
    found = _RELATION.search(said)
    what = f"a row of the table {found[1]}" if found else "a lock"
    if state == DEADLOCK:
        return f"two transactions waited for each other, this one for {what}, and it was ended: ask again"
    return (
        f"another transaction has {what} for longer than lock_timeout lets this one wait: ask again; where it stays "
        f"so, end that transaction ({_BLOCKED})"
    )
