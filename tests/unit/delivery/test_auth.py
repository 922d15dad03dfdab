"""SMART Backend Services: a signed assertion, and a token that is kept as long as it is good."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from service.delivery.auth import NoToken, Posted, SmartCredentials
from service.delivery.destination import Failed, Outcome
from service.delivery.http import HttpPeer
from service.delivery.policy import Timeouts
from service.delivery.secrets import Secret
from service.delivery.settings import Smart, Tls
from tests.faults import FaultyServer, faulty, http
from tests.unit.coding.remote.fakes import Clock

TOKEN_URL = "https://ehr.example.org/token"


class TokenServer:
    """Answers as told, and remembers the forms."""

    def __init__(self) -> None:
        self.forms: list[Mapping[str, str]] = []
        self.status = 200
        self.body: Any = {"token_type": "bearer", "expires_in": 300}

    def __call__(self, url: str, form: Mapping[str, str]) -> Posted:
        assert url == TOKEN_URL
        self.forms.append(form)
        body = {"access_token": f"token-{len(self.forms)}", **self.body} if isinstance(self.body, dict) else self.body
        return Posted(self.status, json.dumps(body).encode())


def make_key(folder: Path, algorithm: str, form: str) -> tuple[Any, str]:
    """A private key, and the file that it stands in."""
    key: Any = ECKey.generate_key("P-384") if algorithm == "ES384" else RSAKey.generate_key(2048)
    path = folder / "key"
    path.write_bytes(key.as_pem(private=True) if form == "pem" else json.dumps(key.as_dict(private=True)).encode())
    return key, str(path)


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
@pytest.mark.parametrize("form", ["pem", "jwk"])
def test_the_assertion_is_as_the_guide_wants_it(algorithm: str, form: str, tmp_path: Path) -> None:
    key, path = make_key(tmp_path, algorithm, form)
    server, clock = TokenServer(), Clock()
    smart = Smart(TOKEN_URL, "lesionbridge", Secret(file=path), "key-1", algorithm, "system/Observation.cru")
    made = SmartCredentials(smart, server, clock=clock, now=lambda: 1_700_000_000.0)
    assert made.headers() == {"Authorization": "Bearer token-1"}
    form_sent = server.forms[0]
    assert form_sent["grant_type"] == "client_credentials"
    assert form_sent["scope"] == "system/Observation.cru"
    assert form_sent["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    token = jwt.decode(form_sent["client_assertion"], key, algorithms=[algorithm])
    assert token.header == {"typ": "JWT", "alg": algorithm, "kid": "key-1"}
    assert [token.claims[name] for name in ("iss", "sub", "aud")] == ["lesionbridge", "lesionbridge", TOKEN_URL]
    assert token.claims["exp"] - 1_700_000_000 <= 300


def test_a_token_is_kept_until_shortly_before_it_ends(tmp_path: Path) -> None:
    _, path = make_key(tmp_path, "ES384", "pem")
    server, clock = TokenServer(), Clock()
    made = SmartCredentials(Smart(TOKEN_URL, "me", Secret(file=path)), server, clock=clock)
    assert made.headers() == made.headers()
    clock.sleep(269)
    assert made.headers() == {"Authorization": "Bearer token-1"}
    clock.sleep(2)
    assert made.headers() == {"Authorization": "Bearer token-2"}
    identities = [
        jwt.decode(form["client_assertion"], ECKey.import_key(Path(path).read_bytes()), algorithms=["ES384"])
        for form in server.forms
    ]
    assert len({one.claims["jti"] for one in identities}) == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, {"error": "invalid_client"}), (200, {"access_token": 7}), (200, []), (200, {"access_token": "a\nb"})],
)
def test_no_token_is_told_apart_from_a_token(status: int, body: Any, tmp_path: Path) -> None:
    _, path = make_key(tmp_path, "ES384", "pem")
    server = TokenServer()
    server.status, server.body = status, body
    with pytest.raises(NoToken):
        SmartCredentials(Smart(TOKEN_URL, "me", Secret(file=path)), server).headers()


def test_a_key_of_another_kind_can_not_sign(tmp_path: Path) -> None:
    _, path = make_key(tmp_path, "RS384", "pem")
    with pytest.raises(NoToken, match="ES384"):
        SmartCredentials(Smart(TOKEN_URL, "me", Secret(file=path)), TokenServer()).headers()


@pytest.fixture
def ehr() -> Iterator[FaultyServer]:
    with faulty() as one:
        yield one


@pytest.fixture
def tokens() -> Iterator[FaultyServer]:
    with faulty() as one:
        one.answer = http("200 OK", b'{"access_token": "abc", "expires_in": 300}')
        yield one


def test_a_token_that_the_peer_calls_expired_is_renewed_once(
    ehr: FaultyServer, tokens: FaultyServer, tmp_path: Path
) -> None:
    _, path = make_key(tmp_path, "ES384", "pem")
    peer = HttpPeer(Timeouts(), Tls(), Smart(tokens.url, "me", Secret(file=path)))
    expired = http("401 Unauthorized", b"", WWW_Authenticate='Bearer error="invalid_token"')
    ehr.answers = [expired, http("200 OK")]
    assert peer.ask("GET", ehr.url, {}).status == 200
    ehr.answers = [expired, expired]
    assert peer.ask("GET", ehr.url, {}).status == 401
    assert (len(tokens.asked), len(ehr.asked)) == (3, 4)


def test_several_requests_with_one_expired_token_renew_it_once(tmp_path: Path) -> None:
    _, path = make_key(tmp_path, "ES384", "pem")
    server = TokenServer()
    made = SmartCredentials(Smart(TOKEN_URL, "me", Secret(file=path)), server)
    expired = made.headers()
    assert made.renew(expired)
    fresh = made.headers()
    assert made.renew(expired)  # another request of that time, refused a little later
    assert made.headers() == fresh == {"Authorization": "Bearer token-2"}
    assert len(server.forms) == 2


def test_without_a_token_nothing_is_sent(ehr: FaultyServer, tokens: FaultyServer, tmp_path: Path) -> None:
    _, path = make_key(tmp_path, "ES384", "pem")
    peer = HttpPeer(Timeouts(), Tls(), Smart(tokens.url, "me", Secret(file=path)))
    for way, answer in (("answer", http("400 Bad Request", b'{"error": "invalid_client"}')), ("drop", b"")):
        tokens.way, tokens.answer = way, answer
        with pytest.raises(Failed) as failed:
            peer.ask("POST", ehr.url, {}, b"content")
        assert failed.value.answer.outcome is Outcome.NOT_SENT
        assert "token server" in failed.value.answer.reason
    assert ehr.asked == []


def test_a_token_server_that_asks_for_a_pause_gets_it(ehr: FaultyServer, tokens: FaultyServer, tmp_path: Path) -> None:
    _, path = make_key(tmp_path, "ES384", "pem")
    peer = HttpPeer(Timeouts(), Tls(), Smart(tokens.url, "me", Secret(file=path)))
    tokens.answer = http("503 Service Unavailable", b"{}", Retry_After="120")
    with pytest.raises(Failed) as failed:
        peer.ask("POST", ehr.url, {}, b"content")
    assert (failed.value.answer.outcome, failed.value.answer.retry_after_s) == (Outcome.NOT_SENT, 120.0)
