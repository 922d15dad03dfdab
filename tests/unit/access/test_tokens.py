"""Bearer tokens: only what the provider signed, for us, now."""

import base64
import hmac
import json
import socket
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from time import sleep
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import RSAKey

from service.access.principal import Scope
from service.access.tokens import Provider, Tokens, fetched
from service.domain.errors import Unauthenticated, Unavailable

NOW = 1_770_000_000
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
PROVIDER = Provider("https://idp.example", "lesionbridge", "https://idp.example/jwks")


def key_set(*keys: RSAKey) -> bytes:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


def tokens(*keys: RSAKey) -> Tokens:
    return Tokens(PROVIDER, lambda _: key_set(*(keys or (KEY,))), now=lambda: NOW)


def token(key: Any = KEY, algorithm: str = "RS256", **changes: Any) -> str:
    claims = {
        "iss": "https://idp.example",
        "aud": "lesionbridge",
        "sub": "robot",
        "client_id": "north",
        "scope": "convert report.write profile",
        "exp": NOW + 60,
    } | changes
    header = {"alg": algorithm, "kid": key.kid}
    said = json.dumps({name: value for name, value in claims.items() if value is not None})
    return jws.serialize_compact(header, said.encode(), key)


def test_a_token_names_the_caller_its_sender_and_its_scopes() -> None:
    caller = tokens().principal(token())
    assert (caller.name, caller.sender) == ("robot", "north")
    assert caller.scopes == {Scope.CONVERT, Scope.REPORT_WRITE}


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"exp": NOW - 61},
        {"exp": None},
        {"nbf": NOW + 3600},
        {"client_id": None},
        {"client_id": 7},
        {"client_id": " north"},
        {"client_id": "north\0"},
        {"client_id": "nor\nth"},
        {"client_id": "north\ud800"},
        {"client_id": "north" * 60},
        {"sub": "robot\ud800"},
    ],
)
def test_a_token_that_is_not_for_us_now_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated) as raised:
        tokens().principal(token(**changes))
    assert "north" not in str(raised.value)


def test_claims_deeper_than_can_be_read_are_refused() -> None:
    with pytest.raises(Unauthenticated):
        tokens().principal(jws.serialize_compact({"alg": "RS256", "kid": "one"}, b"[" * 9_000, KEY))


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "x" * 20_000, token()[:-4] + "AAAA", token(OTHER)])
def test_what_nobody_we_know_signed_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens().principal(text)


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused() -> None:
    _, body, _ = token().split(".")
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "one"}).encode()).rstrip(b"=").decode()
    mac = hmac.new(KEY.as_pem(private=False), f"{head}.{body}".encode(), "sha256").digest()
    with pytest.raises(Unauthenticated):
        tokens().principal(f"{head}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}")


def test_a_new_key_of_the_provider_is_fetched_once_it_is_met() -> None:
    sets, clock = [key_set(KEY), key_set(KEY, OTHER)], [0.0]
    reader = Tokens(PROVIDER, lambda _: sets.pop(0), clock=lambda: clock[0], now=lambda: NOW)
    reader.principal(token())
    with pytest.raises(Unauthenticated):
        reader.principal(token(OTHER))
    clock[0] = 31.0
    assert reader.principal(token(OTHER)).sender == "north"


def test_a_new_key_under_no_id_is_fetched_too() -> None:
    def anonymous(key: RSAKey) -> RSAKey:
        return RSAKey.import_key({name: value for name, value in key.as_dict(private=True).items() if name != "kid"})

    def signed(key: RSAKey) -> str:
        claims = {"iss": "https://idp.example", "aud": "lesionbridge", "client_id": "north", "exp": NOW + 60}
        return jwt.encode({"alg": "RS256"}, claims, key)

    sets, clock = [key_set(anonymous(KEY)), key_set(anonymous(OTHER))], [0.0]
    reader = Tokens(PROVIDER, lambda _: sets.pop(0), clock=lambda: clock[0], now=lambda: NOW)
    reader.principal(signed(anonymous(KEY)))
    clock[0] = 31.0
    assert reader.principal(signed(anonymous(OTHER))).sender == "north"


@pytest.mark.parametrize(
    "odd",
    [
        {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"},
        {"kty": "OKP", "crv": "Ed448", "x": "zz"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "use": "x"},
        {"kty": "ABC"},
        {"kty": "oct", "k": "AAAA"},
        {},
        None,
    ],
)
def test_a_key_of_the_provider_that_is_not_understood_is_passed_over(odd: object) -> None:
    document = json.dumps({"keys": [odd, KEY.as_dict(private=False)]}).encode()
    assert Tokens(PROVIDER, lambda _: document, now=lambda: NOW).principal(token()).sender == "north"


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"keys": null}', b'{"keys": []}', b"[" * 5000])
def test_what_is_no_key_set_is_no_fault_of_the_caller(document: bytes) -> None:
    with pytest.raises(Unavailable):
        Tokens(PROVIDER, lambda _: document, now=lambda: NOW).principal(token())


def test_while_the_provider_is_away_the_last_keys_go_on_and_it_is_not_asked_each_time() -> None:
    asked, clock = [0], [0.0]

    def fetch(_: Provider) -> bytes:
        asked[0] += 1
        if asked[0] > 1:
            raise OSError
        return key_set(KEY)

    reader = Tokens(PROVIDER, fetch, clock=lambda: clock[0], now=lambda: NOW)
    for clock[0] in (0.0, 301.0, 302.0, 330.0):
        assert reader.principal(token()).sender == "north"
    assert asked == [2]
    clock[0] = 332.0
    reader.principal(token())
    assert asked == [3]


def test_a_provider_that_never_gave_keys_is_asked_again_soon() -> None:
    asked, clock = [0], [0.0]

    def fetch(_: Provider) -> bytes:
        asked[0] += 1
        if asked[0] == 1:
            raise OSError
        return key_set(KEY)

    reader = Tokens(PROVIDER, fetch, clock=lambda: clock[0], now=lambda: NOW)
    for clock[0] in (0.0, 1.0):
        with pytest.raises(Unavailable):
            reader.principal(token())
    assert asked == [1]
    clock[0] = 5.0
    assert reader.principal(token()).sender == "north"


def test_a_provider_that_is_away_is_no_fault_of_the_caller() -> None:
    def away(_: Provider) -> bytes:
        raise OSError

    with pytest.raises(Unavailable):
        Tokens(PROVIDER, away).principal(token())


def test_the_keys_are_fetched_without_a_proxy_or_a_password_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    came: list[Any] = []

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came.append(self.headers)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(key_set(KEY))

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")  # nobody listens there
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with HTTPServer(("127.0.0.1", 0), Keys) as server:
        serving = Thread(target=server.handle_request)
        serving.start()
        got = fetched(Provider("https://idp.example", "lesionbridge", f"http://127.0.0.1:{server.server_port}/jwks"))
        serving.join()
    assert got == key_set(KEY)
    assert [one["Authorization"] for one in came] == [None]


def test_a_provider_whose_answer_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.access.tokens._TIMES_S", (30.0, 30.0, 1.5))

    def serve() -> None:
        line, _ = listening.accept()
        with line, suppress(OSError):
            line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                line.sendall(b" ")
                sleep(0.2)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = Thread(target=serve, daemon=True)
        serving.start()
        with pytest.raises(OSError, match="too long"):
            fetched(Provider("https://idp.example", "us", f"http://127.0.0.1:{listening.getsockname()[1]}/jwks"))
        serving.join(60)
        assert not serving.is_alive()
