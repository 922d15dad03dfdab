"""Certificates at `serve` and at who is asked over HTTPS: which of them is not believed, and why, is said."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.access.tokens import Provider, Tokens
from service.api.unreadable import Worker
from service.coding.remote import Away, Client, RemotePolicy
from service.domain.errors import Unavailable
from tests.certificates import Authority, Identity
from tests.faults import faulty
from tests.unit.access.test_tokens import NOW, token
from tests.unit.receiving.lines import captured

SERVERS: dict[str, tuple[Callable[[Authority, Path], Identity], str, str]] = {
    "expired": (
        lambda authority, _: authority.identity("old", "127.0.0.1", valid=(-9, -1)),
        "has expired, or that of who vouches for it",
        "certificate has expired",
    ),
    "not yet": (
        lambda authority, _: authority.identity("new", "127.0.0.1", valid=(1, 2)),
        "is not valid yet",
        "certificate is not yet valid",
    ),
    "other name": (
        lambda authority, _: authority.identity("elsewhere", "idp.example.org"),
        "is of another name than the one that we connect to",
        "IP address mismatch",
    ),
    "other authority": (
        lambda _, folder: Authority(folder, "other").identity("theirs", "127.0.0.1"),
        "is vouched for by nobody in tls.ca_file",
        "unable to get local issuer certificate",
    ),
    "itself": (lambda _, folder: Authority(folder, "own").itself("127.0.0.1"), "vouches for itself", "self-signed"),
}


@pytest.mark.parametrize("fault", SERVERS)
def test_why_the_keys_of_tokens_are_not_there_is_logged(tmp_path: Path, fault: str) -> None:
    make, why, _ = SERVERS[fault]
    authority = Authority(tmp_path)
    with faulty(make(authority, tmp_path).server()) as idp, captured() as lines:
        provider = Provider(
            "https://idp.example", "us", f"https://127.0.0.1:{idp.port}/", ca_file=str(authority.certificate)
        )
        with pytest.raises(Unavailable):
            Tokens(provider, now=lambda: NOW).principal(token())
    (line,) = [one for one in lines if one["event"] == "token keys not fetched"]
    assert line["why"].startswith(f"TLS: its certificate {why}")


@pytest.mark.parametrize("fault", SERVERS)
def test_why_a_terminology_server_is_not_believed_is_said(tmp_path: Path, fault: str) -> None:
    make, _, why = SERVERS[fault]
    authority = Authority(tmp_path)
    with faulty(make(authority, tmp_path).server()) as server:
        policy = RemotePolicy(f"https://127.0.0.1:{server.port}/fhir", ca_file=str(authority.certificate))
        with pytest.raises(Away, match=rf"is not trusted \(terminology_ca_file\): .*{why}"):
            Client(policy).ask("metadata", ())


@pytest.mark.parametrize(
    ("code", "reason"),
    [(10, "certificate-expired"), (9, "certificate-not-yet-valid"), (18, "unknown-authority"), (26, "certificate")],
)
def test_why_a_client_of_serve_is_not_believed_is_logged(code: int, reason: str) -> None:
    error: Any = ssl.SSLCertVerificationError(1, "refused")
    error.verify_code, error.reason = code, "CERTIFICATE_VERIFY_FAILED"
    with captured() as lines:
        Worker.handle_error(Any, None, None, ("192.0.2.7", 1), error)  # type: ignore[arg-type]  # nothing of the worker
    (line,) = lines
    said = {"error": "SSLCertVerificationError", "address": "192.0.2.7", "openssl": "CERTIFICATE_VERIFY_FAILED"}
    assert line == {"event": "unreadable", "log_level": "warning", "reason": reason, **said}
