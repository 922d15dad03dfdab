"""Files of certificates, keys and authorities (PEM): which of them can't be used, and why."""

from __future__ import annotations

import ssl
from errno import EACCES
from pathlib import Path
from typing import Final, NoReturn

MEMBERS: Final = ("certificate_file", "key_file", "ca_file")
"""What they are called in the settings of TLS."""
EXPIRED: Final = 10  # X509_V_ERR_CERT_HAS_EXPIRED; these are of OpenSSL's x509_vfy.h
NOT_YET: Final = 9  # X509_V_ERR_CERT_NOT_YET_VALID
OTHER_NAME: Final = frozenset({62, 64})
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
ITSELF: Final = 18  # X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
NO_ISSUER: Final = frozenset({2, ITSELF, 19, 20, 21})
"""X509_V_ERR of an issuer that can't be got or is nobody but itself, and of a leaf that can't be verified by one."""
_OTHER_KEY: Final = frozenset({"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"})


class Locked(OSError):
    """A key is encrypted: nobody is there to say the pass phrase each time that it is read."""


def locked() -> NoReturn:
    """Given as the pass phrase of a key: without it OpenSSL would ask for one on the terminal. Raises Locked."""
    raise Locked(EACCES, "the key is encrypted")


def unusable(certificate: str, key: str, authorities: str) -> tuple[str, str] | None:
    """The first of three files, as `MEMBERS` names it, that can't be used, and why; a name that is empty is none."""
    for member, file in zip(MEMBERS, (certificate, key, authorities), strict=True):
        if file and (why := _unread(file)):
            return member, why
    tried = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for member, file in (("certificate_file", certificate), ("ca_file", authorities)):
        try:
            if file:
                tried.load_verify_locations(file)
        except (OSError, ValueError):
            return member, f"{file} holds no certificate in PEM"
    try:
        if certificate:
            tried.load_cert_chain(certificate, key or None, password=locked)
    except Locked:
        return "key_file", f"{key} is encrypted: give the key without a pass phrase"
    except (OSError, ValueError) as error:
        if isinstance(error, ssl.SSLError) and error.reason in _OTHER_KEY:
            return "key_file", f"{key} is not the key of {certificate}"
        return "key_file", f"{key} holds no key in PEM"
    return None


def out_of_date(certificate: str, key: str) -> str:
    """Why nobody believes a certificate of ours at this time; empty where its time is right. Raises OSError.

    OpenSSL is asked, as by who connects: a handshake in memory with one who trusts this very certificate.
    """
    ours, theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ours.load_cert_chain(certificate, key, password=locked)
    theirs.check_hostname = False
    theirs.load_verify_locations(certificate)
    theirs.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    sent, came = ssl.MemoryBIO(), ssl.MemoryBIO()
    client, server = theirs.wrap_bio(came, sent), ours.wrap_bio(sent, came, server_side=True)
    for side in (client, server, client):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError as error:
            said = {EXPIRED: "has expired: renew it", NOT_YET: "is not valid yet: is a clock wrong?"}
            return f"{certificate} {said[error.verify_code]}" if error.verify_code in said else ""
    return ""


def _unread(file: str) -> str:
    try:
        with Path(file).open("rb"):
            return ""
    except OSError as error:
        return f"{file} can't be read ({error.strerror})"
