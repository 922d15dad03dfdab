"""TLS that is not spoken over HTTP: with peers that we connect to, and with those that connect to us."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from service.delivery.destination import Failed, Outcome
from service.delivery.pem import EXPIRED, ITSELF, NO_ISSUER, NOT_YET, OTHER_NAME, locked, unusable
from service.delivery.settings import ServerTls, Tls


def context(tls: Tls) -> ssl.SSLContext:
    """A client's context: TLS 1.2 or later, certificate and name verified unless the setting says not to.

    Raises Failed where a file can't be read.
    """
    try:
        made = ssl.create_default_context(cafile=tls.ca_file or None)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        if tls.certificate_file:
            made.load_cert_chain(tls.certificate_file, tls.key_file, password=locked)
    except (OSError, ValueError) as error:
        raise Failed(Outcome.NOT_SENT, files_unusable(tls) or "TLS: its files can't be used") from error
    if not tls.verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


@contextmanager
def connection(host: str, port: int, tls: Tls | None, timeout_s: float) -> Iterator[socket.socket]:
    """A connection, its handshake made where it speaks TLS; raises Failed with the reason where none stands."""
    try:
        raw = socket.create_connection((host, port), timeout=timeout_s)
    except OSError as error:
        raise Failed(Outcome.NOT_SENT, no_connection(error)) from error
    with raw:
        if tls is None:
            yield raw
            return
        try:
            secured = context(tls).wrap_socket(raw, server_hostname=host)
        except TimeoutError as error:  # the time to connect holds for the whole handshake, however it drips
            raise Failed(Outcome.NOT_SENT, "TLS: the handshake took too long") from error
        except OSError as error:
            raise Failed(Outcome.NOT_SENT, no_trust(error)) from error
        with secured:
            yield secured


def no_connection(error: BaseException) -> str:
    """Why a connection did not come about, as far as the system says it."""
    causes = tuple(_causes(error))
    if any(isinstance(one, socket.gaierror) for one in causes):
        return "no connection: the name of the host is not known"
    if any(isinstance(one, ConnectionRefusedError) for one in causes):
        return "no connection: nobody listens on this port there"
    if any(isinstance(one, TimeoutError) for one in causes):
        return "no connection within the time allowed"
    return "no connection: nobody listens there, or there is no way to it"


def files_unusable(tls: Tls | ServerTls) -> str:
    """Which file of a setting of TLS can't be used, and why; empty where all can."""
    found = unusable(tls.certificate_file, tls.key_file, tls.ca_file)
    return f"TLS: tls.{found[0]}: {found[1]}" if found is not None else ""


def no_trust(error: BaseException) -> str:
    """Why TLS did not come about, and which setting to look at."""
    for one in _causes(error):
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"TLS: its certificate {_disbelief(one.verify_code)} ({one.verify_message})"
        if isinstance(one, ssl.SSLError) and one.reason:
            if "ALERT" in one.reason:
                return f"TLS: it refuses us, as where it wants our certificate (tls.certificate_file): {one.reason}"
            if one.reason in _NO_TLS:
                return "TLS: it does not speak TLS on this port"
    return "TLS: no trust could be established (certificate, name, age), or it does not speak TLS"


_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})
"""What OpenSSL calls an answer that is no record of TLS."""


def _disbelief(code: int) -> str:
    """What is wrong with a certificate, by OpenSSL's code, and what to do."""
    if code == EXPIRED:
        return "has expired, or that of who vouches for it: it has to be renewed"
    if code == NOT_YET:
        return "is not valid yet: is a clock wrong, there or here?"
    if code in OTHER_NAME:
        return "is of another name than the one that we connect to: say the name that it has, or let it have this one"
    if code == ITSELF:
        return "vouches for itself: put it into tls.ca_file, once it is known to be the right one"
    if code in NO_ISSUER:
        return "is vouched for by nobody in tls.ca_file (none said: in the system's list)"
    return "is not believed"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and those that it came from; urllib3 has the first one as ``reason``, requests in its arguments."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or one in seen:
            continue
        seen.append(one)
        yield one
        waiting += [one.__context__, one.__cause__, getattr(one, "reason", None), *one.args]


def server_context(tls: ServerTls, made: ssl.SSLContext | None = None) -> ssl.SSLContext:
    """TLS 1.2 or later with our certificate; with authorities those who connect have to show theirs. Raises OSError."""
    made = made or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(tls.certificate_file, tls.key_file, password=locked)
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
