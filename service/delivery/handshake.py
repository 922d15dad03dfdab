"""The TLS handshake of who connects to us: what fails in it is said, since no protocol above TLS ever hears of it."""

from __future__ import annotations

import socket
import ssl
import time
from typing import Final

import structlog
from prometheus_client import Counter

from service.delivery.pem import EXPIRED, NO_ISSUER, NOT_YET

FAILED: Final = Counter("lesionbridge_handshakes_failed", "Handshakes of a listener that failed.", ("way", "reason"))

_REASONS: Final = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "no-certificate",
    "UNSUPPORTED_PROTOCOL": "no-common-version",
    "TLSV1_ALERT_PROTOCOL_VERSION": "no-common-version",
    "NO_SHARED_CIPHER": "no-common-cipher",
    "NO_SUITABLE_SIGNATURE_ALGORITHM": "no-common-cipher",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "no-common-cipher",
    "WRONG_VERSION_NUMBER": "no-tls",
    "HTTP_REQUEST": "no-tls",
    "HTTPS_PROXY_REQUEST": "no-tls",
    "PACKET_LENGTH_TOO_LONG": "no-tls",
    "RECORD_LAYER_FAILURE": "no-tls",
}
"""What OpenSSL calls it, and what it is to whoever sets up the peer."""

_log = structlog.get_logger()


def shake(connected: ssl.SSLSocket, way: str, address: str, timeout_s: float) -> None:
    """Make the handshake of a connection from ``address``; ``timeout_s`` are for the whole of it, however it drips.

    Raises OSError. Where the peer said anything before that, one line and one count say why, without its words.
    """
    until = time.monotonic() + timeout_s
    connected.settimeout(timeout_s)
    # Below TLS: a health check connects and goes, and has not failed at anything.
    if not socket.socket.recv(connected, 1, socket.MSG_PEEK):
        raise ConnectionError("nothing came")
    try:
        connected.settimeout(max(0.001, until - time.monotonic()))
        connected.do_handshake()
    except OSError as error:
        why = reason(error)
        FAILED.labels(way, why).inc()
        openssl = error.reason if isinstance(error, ssl.SSLError) else None
        _log.warning("handshake failed", way=way, address=address, reason=why, openssl=openssl)
        raise
    finally:
        connected.settimeout(timeout_s)


def reason(error: OSError) -> str:
    """Why a handshake failed, one of few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        code = error.verify_code
        if code in NO_ISSUER:
            return "unknown-authority"
        return {EXPIRED: "certificate-expired", NOT_YET: "certificate-not-yet-valid"}.get(code, "certificate")
    if isinstance(error, TimeoutError):
        return "too-slow"
    if isinstance(error, ssl.SSLEOFError | ConnectionError):
        return "hung-up"
    said = str(getattr(error, "reason", None) or "")
    # An alert is the peer's own verdict (RFC 8446 6.2), all but these of our certificate.
    return _REASONS.get(said) or ("refused-by-peer" if "_ALERT_" in said else "other")
