"""TLS for peers that are not spoken to over HTTP."""

import ssl

from service.delivery.destination import Failed, Outcome
from service.delivery.settings import Tls


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
