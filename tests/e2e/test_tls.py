"""`lesionbridge serve` with TLS: real handshakes, with and without a certificate of the client."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.certificates import Authority, Identity
from tests.e2e.test_service import FINDINGS, serving
from tests.findings import make_body


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Vouches for the service and its clients."""
    return Authority(tmp_path)


@pytest.fixture
def ours(authority: Authority) -> Identity:
    """The service's own certificate."""
    return authority.identity("server", "127.0.0.1")


def test_speaks_https_and_no_http(tmp_path: Path, authority: Authority, ours: Identity) -> None:
    with serving(tmp_path, tls_cert=str(ours.certificate), tls_key=str(ours.key)) as service:
        assert service.address.startswith("https://")
        sent = {"data": make_body(), "headers": FINDINGS, "timeout": 60}
        kept = requests.post(f"{service.address}/v1/reports", verify=str(authority.certificate), **sent)  # type: ignore[arg-type]  # a mixed bag
        assert kept.status_code == 201
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(f"{service.address}/health/live", timeout=60)
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get(f"{service.address.replace('https', 'http')}/health/live", timeout=60)


def test_old_versions_of_tls_are_not_spoken(tmp_path: Path, authority: Authority, ours: Identity) -> None:
    with serving(tmp_path, tls_cert=str(ours.certificate), tls_key=str(ours.key)) as service:
        host, port = service.address.removeprefix("https://").split(":")
        client = ssl.create_default_context(cafile=str(authority.certificate))
        client.set_ciphers("ALL:@SECLEVEL=0")
        client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection((host, int(port)), timeout=20) as raw, pytest.raises(ssl.SSLError):
            client.wrap_socket(raw, server_hostname=host)


def test_clients_show_a_certificate_where_they_have_to(tmp_path: Path, authority: Authority, ours: Identity) -> None:
    theirs = authority.identity("client")
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "stranger").identity("stranger")
    files = {"tls_cert": ours.certificate, "tls_key": ours.key, "tls_client_ca": authority.certificate}
    with serving(tmp_path, threads="1", **{name: str(file) for name, file in files.items()}) as service:

        def ask(who: Identity | None) -> int:
            certificate = (str(who.certificate), str(who.key)) if who else None
            place = f"{service.address}/health/live"
            return requests.get(place, verify=str(authority.certificate), cert=certificate, timeout=60).status_code

        assert ask(theirs) == 200
        for refused in (None, stranger):
            with pytest.raises(requests.exceptions.ConnectionError):
                ask(refused)
        assert ask(theirs) == 200
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if line.startswith("{")]
    told = [line for line in lines if line["event"] == "unreadable"]
    assert len(told) == 2
    assert not any("request_id" in line for line in told), "the id of a request that was answered before"


def test_a_renewed_certificate_counts_at_once(tmp_path: Path, authority: Authority, ours: Identity) -> None:
    with serving(tmp_path, tls_cert=str(ours.certificate), tls_key=str(ours.key)) as service:
        (tmp_path / "next").mkdir()
        following = Authority(tmp_path / "next", "following")
        renewed = following.identity("renewed", "127.0.0.1")
        ours.key.write_bytes(renewed.key.read_bytes())
        ours.certificate.write_bytes(renewed.certificate.read_bytes())
        place = f"{service.address}/health/live"
        assert requests.get(place, verify=str(following.certificate), timeout=60).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(place, verify=str(authority.certificate), timeout=60)


def test_files_that_do_not_fit_are_said_before_anything_is_served(
    tmp_path: Path, authority: Authority, ours: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = authority.identity("other", "127.0.0.1")
    monkeypatch.setenv("LESIONBRIDGE_TLS_CERT", str(ours.certificate))
    monkeypatch.setenv("LESIONBRIDGE_DATABASE_URL", f"sqlite:///{tmp_path / 'x.sqlite3'}")
    for key in (str(other.key), str(tmp_path / "nowhere.key"), ""):
        monkeypatch.setenv("LESIONBRIDGE_TLS_KEY", key)
        command = [sys.executable, "-m", "service.cli", "serve", "--port", "0"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        assert (done.returncode, "tls_key" in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "x.sqlite3").exists()
