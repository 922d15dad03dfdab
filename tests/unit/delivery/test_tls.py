"""TLS at each kind of destination that has a network, with real handshakes; and where tokens come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.access.tokens import Provider, Tokens
from service.delivery.destination import Outcome, Outgoing
from service.delivery.http import HttpPeer
from service.delivery.opening import open_destination
from service.delivery.policy import Timeouts
from service.delivery.secrets import Secret
from service.delivery.settings import KINDS, CStore, DestinationSettings, Fhir, Mllp, Smart, Stow, Tls, Webhook
from service.domain.errors import Unauthenticated, Unavailable
from tests.certificates import Authority, Identity
from tests.contract.benches import sr, written
from tests.faults import faulty, http
from tests.unit.access.test_tokens import KEY, NOW, key_set, token
from tests.unit.delivery.test_auth import make_key

TIMES = Timeouts(connect_s=30, read_s=30, total_s=60)
Make = Callable[[int, Tls], DestinationSettings]
OFFLINE = {"folder"}
PEERS: dict[str, tuple[Make, bytes]] = {
    "stow": (lambda port, tls: Stow(name="x", url=f"https://127.0.0.1:{port}", tls=tls, timeouts=TIMES), b"POST /"),
    "fhir": (lambda port, tls: Fhir(name="x", url=f"https://127.0.0.1:{port}", tls=tls, timeouts=TIMES), b"POST /"),
    "webhook": (
        lambda port, tls: Webhook(name="x", url=f"https://127.0.0.1:{port}/in", tls=tls, timeouts=TIMES),
        b"POST /in",
    ),
    "mllp": (lambda port, tls: Mllp(name="x", host="127.0.0.1", port=port, tls=tls, timeouts=TIMES), b"\x0bMSH|"),
    "cstore": (
        lambda port, tls: CStore(name="x", host="127.0.0.1", port=port, called="PACS", tls=tls, timeouts=TIMES),
        b"\x01\x00",  # A-ASSOCIATE-RQ (PS3.8 9.3.2)
    ),
}
"""Each kind that has a network: its settings for a port, and what its first words begin with."""


def outgoing(kind: str) -> Outgoing:
    """What a kind sends."""
    if kind in ("stow", "cstore"):
        return sr(1)
    if kind == "fhir":
        return Outgoing("delivery-1", "application/fhir+json", written(1).fhir.content, "r.json")
    return Outgoing("delivery-1", "application/hl7-v2", b"MSH|^~\\&|A|B|C|D|20260302||ORU^R01|M1|P|2.5.1\r", "r.hl7")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Vouches for the peer and for us."""
    return Authority(tmp_path)


@pytest.fixture
def me(authority: Authority) -> Identity:
    """Our own certificate."""
    return authority.identity("me")


def test_every_kind_is_here() -> None:
    assert PEERS.keys() | OFFLINE == KINDS.keys()


@pytest.mark.parametrize("kind", PEERS)
def test_our_words_come_to_a_peer_that_knows_us_and_that_we_know(kind: str, authority: Authority, me: Identity) -> None:
    make, first = PEERS[kind]
    with faulty(authority.identity("server", "127.0.0.1").server(authority)) as server:
        open_destination(make(server.port, Tls(str(authority.certificate), str(me.certificate), str(me.key)))).send(
            outgoing(kind)
        )
        assert server.heard()[0].startswith(first)


@pytest.mark.parametrize("kind", PEERS)
def test_nothing_is_said_to_a_peer_that_nobody_we_trust_vouches_for(
    kind: str, authority: Authority, me: Identity, tmp_path: Path
) -> None:
    make, _ = PEERS[kind]
    other = Authority(tmp_path, "other")
    for name, trusted in (("server", other), ("elsewhere", authority)):
        hosts = ("127.0.0.1",) if name == "server" else ("pacs.example.org",)
        with faulty(authority.identity(name, *hosts).server()) as server:
            tls = Tls(str(trusted.certificate), str(me.certificate), str(me.key))
            answer = open_destination(make(server.port, tls)).send(outgoing(kind))
            assert answer.outcome is Outcome.NOT_SENT
            assert server.heard(0.2) == []


@pytest.mark.parametrize("kind", PEERS)
def test_a_peer_that_wants_our_certificate_takes_nothing_without(kind: str, authority: Authority) -> None:
    make, _ = PEERS[kind]
    with faulty(authority.identity("server", "127.0.0.1").server(authority)) as server:
        answer = open_destination(make(server.port, Tls(str(authority.certificate)))).send(outgoing(kind))
        assert answer.outcome not in (Outcome.STORED, Outcome.VERIFIED, Outcome.REFUSED)
        assert server.heard(0.2) == []


def test_a_token_is_asked_for_over_the_same_tls(authority: Authority, me: Identity, tmp_path: Path) -> None:
    key = make_key(tmp_path, "ES384", "pem")[1]
    identity = authority.identity("server", "127.0.0.1")
    with faulty(identity.server(authority)) as tokens, faulty(identity.server(authority)) as ehr:
        tokens.answer = http("200 OK", b'{"access_token": "abc", "expires_in": 300}')
        smart = Smart(f"https://127.0.0.1:{tokens.port}/token", "me", Secret(file=key))
        place = f"https://127.0.0.1:{ehr.port}/"
        known = Tls(str(authority.certificate), str(me.certificate), str(me.key))
        expired = http("401 Unauthorized", b"", WWW_Authenticate='Bearer error="invalid_token"')
        ehr.answers = [expired, http("200 OK")]
        assert HttpPeer(TIMES, known, smart).ask("GET", place, {}).status == 200
        assert [b"Bearer abc" in one for one in ehr.asked] == [True, True]
        assert len(tokens.asked) == 2
        with pytest.raises(Exception, match="token server"):
            HttpPeer(TIMES, Tls(str(authority.certificate)), smart).ask("GET", place, {})
        assert (len(tokens.asked), len(ehr.asked)) == (2, 2)


def _keys(port: int, authority: Authority, **more: Any) -> Tokens:
    place = f"https://127.0.0.1:{port}/jwks"
    provider = Provider("https://idp.example", "lesionbridge", place, ca_file=str(authority.certificate))
    return Tokens(provider, now=lambda: NOW, **more)


def test_the_keys_of_a_provider_come_over_tls_and_are_kept(authority: Authority, tmp_path: Path) -> None:
    passed = [0.0]
    with faulty(authority.identity("idp", "127.0.0.1").server()) as idp:
        idp.answer = http("200 OK", key_set(KEY))
        reads = _keys(idp.port, authority, clock=lambda: passed[0])
        assert [reads.principal(token()).sender for _ in range(3)] == ["north"] * 3
        assert len(idp.asked) == 1
        passed[0] = 301.0
        reads.principal(token())
        assert len(idp.asked) == 2
        with pytest.raises(Unauthenticated):
            reads.principal(token(exp=NOW - 61))
        with pytest.raises(Unavailable):
            _keys(idp.port, Authority(tmp_path, "other")).principal(token())
        assert len(idp.asked) == 2
