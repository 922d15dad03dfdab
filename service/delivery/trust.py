"""TLS that is not spoken over HTTP: with peers that we connect to, and with those that connect to us."""

import socket
import ssl
from typing import Any

from service.delivery.destination import Failed, Outcome
from service.delivery.settings import ServerTls, Tls


def context(tls: Tls) -> ssl.SSLContext:
    """A client's context: TLS 1.2 or later, certificate and name verified unless the setting says not to.

    Raises Failed where a file can't be read.
    """
    try:
        made = ssl.create_default_context(cafile=tls.ca_file or None)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        if tls.certificate_file:
            made.load_cert_chain(tls.certificate_file, tls.key_file)
    except (OSError, ValueError) as error:
        reason = "TLS: the file of authorities, certificate or key can't be read"
        raise Failed(Outcome.NOT_SENT, reason) from error
    if not tls.verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def server_context(tls: ServerTls, made: ssl.SSLContext | None = None) -> ssl.SSLContext:
    """TLS 1.2 or later with our certificate; with authorities those who connect have to show theirs. Raises OSError."""
    made = made or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(tls.certificate_file, tls.key_file)
    if tls.ca_file:
        made.load_verify_locations(tls.ca_file)
        made.verify_mode = ssl.CERT_REQUIRED
    return made


def association_context(tls: ServerTls, timeout_s: float) -> ssl.SSLContext:
    """The same for pynetdicom, whose listener takes one connection after the other. Raises OSError.

    Its handshake would be made before the next connection is taken: one that connects and says nothing, as a health
    check does, would keep all others out. So it is made with the first bytes, in the thread of the association.
    """
    made = _Later(ssl.PROTOCOL_TLS_SERVER)
    made.timeout_s = timeout_s
    return server_context(tls, made)


class _Later(ssl.SSLContext):
    """Leaves the handshake to the first read; ``timeout_s`` are seconds without a byte."""

    timeout_s: float = 0.0

    def wrap_socket(self, sock: socket.socket, *args: Any, **settings: Any) -> ssl.SSLSocket:
        sock.settimeout(self.timeout_s)
        return super().wrap_socket(sock, *args, **{**settings, "do_handshake_on_connect": False})
