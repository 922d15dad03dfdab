"""Certificates for tests: an authority, and servers and clients that it vouches for, valid for this run."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path

    def lock(self, place: Path) -> None:
        """Write the key encrypted."""
        key = serialization.load_pem_private_key(self.key.read_bytes(), None)
        made = serialization.BestAvailableEncryption(b"secret")
        pem = serialization.Encoding.PEM
        place.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, made))

    def server(self, authority: Authority | None = None) -> ssl.SSLContext:
        """A server with this identity; with an authority it asks clients for theirs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        if authority is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(authority.certificate)
        return context


class Authority:
    """Vouches for others; its certificate is a file."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._sign(self._name, self._key, x509.BasicConstraints(ca=True, path_length=None))
        self.certificate = folder / f"{name}.pem"
        self.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def itself(self, *hosts: str) -> Identity:
        """A server that nobody but itself vouches for."""
        certificate, key = self._folder / "self-signed.pem", self._folder / "self-signed.key"
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host)) for host in hosts])
        made = self._sign(self._name, self._key, x509.BasicConstraints(ca=False, path_length=None), names)
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        key.write_bytes(_pem(self._key))
        return Identity(certificate, key)

    def identity(self, name: str, *hosts: str, valid: tuple[float, float] = (-1, 12)) -> Identity:
        """Somebody with these host names and addresses, from and until so many hours after now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names: list[x509.GeneralName] = []
        for host in hosts:
            try:
                names.append(x509.IPAddress(ipaddress.ip_address(host)))
            except ValueError:
                names.append(x509.DNSName(host))
        more = [x509.SubjectAlternativeName(names)] if names else []
        made = self._sign(subject, key, x509.BasicConstraints(ca=False, path_length=None), *more, valid=valid)
        certificate, private = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(_pem(key))
        return Identity(certificate, private)

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *extensions: x509.ExtensionType,
        valid: tuple[float, float] = (-1, 12),
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(hours=valid[0]))
            .not_valid_after(now + timedelta(hours=valid[1]))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(self._key, hashes.SHA256())


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
