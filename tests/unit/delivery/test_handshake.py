"""A peer whose TLS handshake drips on is given up once the time to connect is over, whatever came of it by then."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest

from service.delivery.cstore import CStoreDestination
from service.delivery.destination import Destination
from service.delivery.mllp import MllpDestination
from service.delivery.policy import Timeouts
from service.delivery.settings import CStore, Mllp, Stow, Tls
from service.delivery.stow import StowDestination

DRIPS_S = 30.0
TIMES = Timeouts(connect_s=1.0, read_s=2.0, total_s=60.0)
TRUST = Tls(verify=False)
HELLO = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03"
"""The head of a record of 16 KB with a Server Hello in it (RFC 8446 5.1, 4), which then comes byte by byte."""


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server whose handshake drips, without end as far as a client here would wait."""
    over = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        listening.settimeout(0.1)

        def drip(connected: socket.socket) -> None:
            until = time.monotonic() + DRIPS_S
            with closing(connected), suppress(OSError):
                connected.recv(65_536)
                connected.sendall(HELLO)
                while time.monotonic() < until and not over.wait(0.1):
                    connected.sendall(b"\0")

        def serve() -> None:
            while not over.is_set():
                with suppress(TimeoutError):
                    threading.Thread(target=drip, args=(listening.accept()[0],), daemon=True).start()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        over.set()
        thread.join()


def mllp(port: int) -> Destination:
    return MllpDestination(Mllp(name="p", host="127.0.0.1", port=port, tls=TRUST, timeouts=TIMES))


def dimse(port: int) -> Destination:
    peer = CStore(
        name="p", host="127.0.0.1", port=port, called="P", calling="C", verify="none", tls=TRUST, timeouts=TIMES
    )
    return CStoreDestination(peer)


def https(port: int) -> Destination:
    return StowDestination(Stow(name="p", url=f"https://127.0.0.1:{port}", tls=TRUST, timeouts=TIMES))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (mllp, "TLS: the handshake took too long"),
        (dimse, "TLS: the handshake took too long"),
        (https, "no connection within the time allowed"),
    ],
)
def test_a_handshake_that_drips_is_given_up_in_time(made: Callable[[int], Destination], port: int, said: str) -> None:
    began = time.monotonic()
    told = made(port).probe()[0]
    assert time.monotonic() - began < DRIPS_S / 2
    assert (told.passed, told.said) == (False, said)
