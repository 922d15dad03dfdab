"""Exchanges with HTTP peers that behave badly: each ends in time, and says whether anything can have arrived."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from service.delivery.destination import Failed, Outcome
from service.delivery.http import HttpPeer, Reply
from service.delivery.policy import Timeouts
from service.delivery.secrets import Secret
from service.delivery.settings import ApiKey, Auth, Basic, Bearer, Tls
from service.delivery.statuses import HTTP, http
from tests.certificates import Authority
from tests.faults import FaultyServer, faulty
from tests.faults import http as told
from tests.oracles.servers import free_port

FAST = Timeouts(connect_s=30, read_s=1, total_s=2)
"""For a peer that does not answer."""
TIMES = Timeouts(connect_s=30, read_s=30, total_s=60)


def ask(server: FaultyServer, auth: Auth | None = None, most: int = 1_000_000) -> Reply:
    times = FAST if server.way in ("hang", "drip") else TIMES
    return HttpPeer(times, Tls(), auth).ask("POST", f"{server.url}/x", {"Accept": "text/plain"}, b"content", most=most)


def failure(server: FaultyServer, most: int = 1_000_000) -> Failed:
    with pytest.raises(Failed) as failed:
        ask(server, most=most)
    assert not server.tired
    return failed.value


@pytest.mark.parametrize("way", ["drop", "reset", "hang", "drip"])
def test_an_answer_that_is_lost_leaves_it_open_what_became_of_the_request(server: FaultyServer, way: str) -> None:
    server.way = way
    assert failure(server).answer.outcome is Outcome.UNKNOWN
    assert server.heard()[0].endswith(b"content")


def test_a_body_that_drips_is_not_waited_for(server: FaultyServer) -> None:
    server.way = "drip"
    server.answer = told("200 OK", b"x" * 1_000)
    assert failure(server).answer.outcome is Outcome.UNKNOWN


def test_a_body_that_ends_too_soon_is_no_answer(server: FaultyServer) -> None:
    server.answer = told("200 OK", b"half", Content_Length="100")
    assert failure(server).answer.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("answer", [b"garbage\r\n\r\n", b"\x00\x01\x02", b"HTTP/1.1 abc\r\n\r\n", b""])
def test_garbage_is_no_answer(server: FaultyServer, answer: bytes) -> None:
    server.answer = answer
    assert failure(server).answer.outcome is Outcome.UNKNOWN


def test_an_answer_without_end_is_not_read_to_it(server: FaultyServer) -> None:
    server.answer = told("200 OK", b"x" * 200_000)
    assert "larger than 100000" in str(failure(server, most=100_000))


def test_a_packed_answer_is_bounded_as_it_is_unpacked(server: FaultyServer) -> None:
    import gzip

    server.answer = told("200 OK", gzip.compress(b"0" * 5_000_000), Content_Encoding="gzip")
    assert "larger than" in str(failure(server))


def test_where_nobody_listens_nothing_was_sent() -> None:
    with pytest.raises(Failed) as failed:
        HttpPeer(TIMES, Tls(), None).ask("POST", f"http://127.0.0.1:{free_port()}/", {}, b"content")
    assert failed.value.answer.outcome is Outcome.NOT_SENT


def test_a_name_that_is_not_known_is_not_sent() -> None:
    with pytest.raises(Failed) as failed:
        HttpPeer(TIMES, Tls(), None).ask("GET", "http://nowhere.invalid/", {})
    assert failed.value.answer.outcome is Outcome.NOT_SENT


def test_a_redirection_is_not_followed(server: FaultyServer) -> None:
    server.answer = told("307 Temporary Redirect", Location=server.url)
    reply = ask(server)
    assert reply.status == 307
    assert len(server.asked) == 1
    assert HttpPeer(TIMES, Tls(), None).unhappy(reply).outcome is Outcome.REFUSED


@pytest.mark.parametrize("status", [*HTTP, 300, 308, 400, 403, 405, 415, 422, 500, 502, 504])
def test_every_status_has_a_meaning_and_none_is_a_success(status: int) -> None:
    outcome, meaning = http(status)
    assert not outcome.is_kept
    assert meaning


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120.0),
        ("Mon, 02 Mar 2026 10:01:00 GMT", 60.0),
        ("Mon, 02 Mar 2026 09:00:00 GMT", 0.0),
        ("999999999999", 86_400.0),
        ("soon", None),
        ("Mon, 02 Mar 99999999999999999999 10:01:00 GMT", None),
        ("", None),
        ("-5", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(said: str, seconds: float | None) -> None:
    peer = HttpPeer(TIMES, Tls(), None, now=lambda: 1_772_445_600.0)  # 2026-03-02T10:00:00Z
    assert peer.pause_s(Reply(503, {"retry-after": said}, b"")) == seconds


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        (Bearer(Secret(environment="SECRET")), b"Authorization: Bearer s3cret"),
        (Basic("me", Secret(environment="SECRET")), b"Authorization: Basic bWU6czNjcmV0"),
        (ApiKey(Secret(environment="SECRET"), "X-Key"), b"X-Key: s3cret"),
    ],
)
def test_says_who_we_are(server: FaultyServer, auth: Auth, header: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    ask(server, auth)
    assert header in server.asked[0]


def test_a_secret_that_is_missing_is_not_sent(server: FaultyServer, tmp_path: Path) -> None:
    with pytest.raises(Failed) as failed:
        ask(server, Bearer(Secret(file=str(tmp_path / "none"))))
    assert failed.value.answer.outcome is Outcome.NOT_SENT
    assert server.asked == []


def test_a_secret_can_not_add_a_header(server: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "a\r\nX-Other: b")
    with pytest.raises(Failed):
        ask(server, Bearer(Secret(environment="SECRET")))
    assert server.asked == []


def test_what_a_peer_says_is_bounded_and_on_one_line() -> None:
    reply = Reply(500, {}, b"a\r\nb\x00" + b"x" * 10_000)
    assert reply.text(100).startswith("a b")
    assert len(reply.text(100)) == 100


def over_tls(url: str, tls: Tls) -> Reply:
    return HttpPeer(TIMES, tls, None).ask("GET", url, {})


def test_only_a_certificate_that_is_vouched_for_is_believed(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    trusted = Tls(ca_file=str(authority.certificate))
    with faulty(authority.identity("server", "127.0.0.1").server()) as server:
        url = f"https://127.0.0.1:{server.port}/"
        assert over_tls(url, trusted).status == 200
        assert over_tls(url, Tls(verify=False)).status == 200
        for wrong in (Tls(ca_file=str(other.certificate)), Tls()):
            with pytest.raises(Failed, match="TLS") as failed:
                over_tls(url, wrong)
            assert failed.value.answer.outcome is Outcome.NOT_SENT
    with (
        faulty(authority.identity("elsewhere", "pacs.example.org").server()) as server,
        pytest.raises(Failed, match="TLS"),
    ):
        over_tls(f"https://127.0.0.1:{server.port}/", trusted)


def test_shows_its_own_certificate_where_it_has_one(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    me = authority.identity("me")
    with faulty(authority.identity("server", "127.0.0.1").server(authority)) as server:
        url = f"https://127.0.0.1:{server.port}/"
        known = Tls(str(authority.certificate), str(me.certificate), str(me.key))
        assert over_tls(url, known).status == 200
        with pytest.raises(Failed) as failed:
            over_tls(url, Tls(ca_file=str(authority.certificate)))
        assert not failed.value.answer.outcome.is_final
        with pytest.raises(Failed, match="can't be read") as failed:
            over_tls(url, Tls(str(authority.certificate), "/nonexistent.pem", "/nonexistent.key"))
        assert failed.value.answer.outcome is Outcome.NOT_SENT


@contextmanager
def closing_after_one() -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers the first request of a connection, and hangs up once a second one has come on it."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    asked: list[bytes] = []
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection, suppress(TimeoutError):
                connection.settimeout(2)
                asked.append(connection.recv(65_536))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                asked.append(connection.recv(65_536))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/", asked
    finally:
        over.set()
        thread.join()
        listener.close()


@pytest.mark.parametrize(("method", "safe"), [("GET", False), ("POST", True)])
def test_what_changes_nothing_is_asked_again_where_the_peer_has_hung_up_meanwhile(method: str, *, safe: bool) -> None:
    with closing_after_one() as (url, asked):
        peer = HttpPeer(TIMES, Tls(), None)
        assert [peer.ask(method, url, {}, safe=safe).status for _ in range(2)] == [200, 200]
        assert len(asked) == 3


def test_what_may_have_been_done_is_left_to_the_next_attempt() -> None:
    with closing_after_one() as (url, asked):
        peer = HttpPeer(TIMES, Tls(), None)
        assert peer.ask("POST", url, {}).status == 200
        with pytest.raises(Failed) as failed:
            peer.ask("POST", url, {})
        assert failed.value.answer.outcome is Outcome.UNKNOWN
        assert len(asked) == 2
