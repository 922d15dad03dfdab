"""A connection to the port for commitment reports that is ended or refused is a line of the log with its address."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, closing

import pytest

from service.delivery.commitment import _ASSOCIATIONS, _DESK
from service.delivery.policy import Timeouts
from service.delivery.settings import CStore
from tests.oracles.servers import free_port
from tests.unit.receiving.lines import captured

PATIENCE_S = 60.0


def too_large(port: int, stack: ExitStack) -> None:
    """A PDU (PS3.8 9.3.2) that announces more than is taken."""
    connected(port, stack).sendall(b"\x01\x00\x7f\xff\xff\xff")


def too_many(port: int, stack: ExitStack) -> None:
    """More connections than are held, none of which says anything."""
    for _ in range(2 * _ASSOCIATIONS + 1):
        connected(port, stack)


def connected(port: int, stack: ExitStack) -> socket.socket:
    return stack.enter_context(closing(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)))


@pytest.mark.parametrize(
    ("speak", "why"), [(too_large, "the object is too large"), (too_many, "it said nothing, and its place was wanted")]
)
def test_who_is_ended_or_refused_is_logged_with_its_address(speak: Callable[[int, ExitStack], None], why: str) -> None:
    port = free_port()
    settings = CStore(
        name="p",
        host="127.0.0.1",
        port=1,
        called="P",
        commitment_host="127.0.0.1",
        commitment_port=port,
        timeouts=Timeouts(read_s=5.0),
    )
    with captured() as lines, _DESK.listening(settings), ExitStack() as held:
        speak(port, held)
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and not about(lines):
            time.sleep(0.05)
    said = {"reason": why, "address": "127.0.0.1"}
    assert {"event": "commitment association ended", "log_level": "warning", **said} in about(lines)


def about(lines: list[dict[str, object]]) -> list[dict[str, object]]:
    return [one for one in lines if one["event"] == "commitment association ended"]
