"""When a server over a network counts as vanished: whoever connects to a PostgreSQL says the same."""

from collections.abc import Mapping
from typing import Final

VANISHED: Final[Mapping[str, str]] = {
    "tcp_user_timeout": "30000",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
}
"""Of a server of which no packet is acknowledged: milliseconds of what was sent to it, and the seconds of silence after
which it is sent something (libpq, Parameter Key Words; not through a Unix socket).

A statement may take as long as it likes: the system of the server acknowledges it at once.
"""
