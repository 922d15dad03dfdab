"""The destinations of a deployment: what each kind of them has for settings, and what must hold between these.

docs/delivery.md describes every setting; a test holds it to the classes here.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final
from urllib.parse import urlsplit

from service.delivery.policy import Rate, RetryPolicy, Timeouts, Window
from service.delivery.secrets import Secret

ANY_FORMAT: Final = ("sr", "fhir-r4", "fhir-r5", "hl7v2", "html", "pdf", "findings")
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_AE_TITLE: Final = re.compile(r"[!-\[\]-~](?:[ -\[\]-~]{0,14}[!-\[\]-~])?")  # PS3.5 6.2: no backslash, no control
_MAX_PORT: Final = 65_535
TRANSACTIONS_ONLY: Final = (
    "profile imr is whole transactions, and with update_as_create false requests go one by one: leave the profile out "
    "for this destination, or send imr to a server that takes transactions and lets us name what is new"
)
"""Why a destination can't have what it asks for, and what to do."""
_MIN_PDU, _MAX_PDU = 4_096, 1_048_576


@dataclass(frozen=True, slots=True)
class Tls:
    """Whom to believe and who we are; verification is on unless it is said to be off."""

    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    verify: bool = True

    def __post_init__(self) -> None:
        """Hold that a key comes with its certificate."""
        if bool(self.certificate_file) != bool(self.key_file):
            raise ValueError("certificate_file and key_file come together")


@dataclass(frozen=True, slots=True)
class ServerTls:
    """Our certificate; with ``ca_file`` whoever connects has to show one that those authorities vouch for."""

    certificate_file: str
    key_file: str
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token that somebody else keeps fresh (RFC 6750)."""

    KIND: ClassVar[str] = "bearer"
    token: Secret


@dataclass(frozen=True, slots=True)
class Basic:
    """A user and a password (RFC 7617)."""

    KIND: ClassVar[str] = "basic"
    user: str
    password: Secret


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key in a header."""

    KIND: ClassVar[str] = "api-key"
    key: Secret
    header: str = "X-API-Key"


@dataclass(frozen=True, slots=True)
class Smart:
    """SMART Backend Services: an access token for an assertion signed with our private key (a PEM or a JWK)."""

    KIND: ClassVar[str] = "smart"
    token_url: str
    client_id: str
    key: Secret
    key_id: str = ""
    algorithm: str = "ES384"
    scope: str = "system/*.rs"

    def __post_init__(self) -> None:
        """Hold the algorithm: a server has to take RS384 or ES384 (SMART App Launch 2.2, asymmetric authentication)."""
        _check_url(self.token_url, "token_url")
        if self.algorithm not in ("RS384", "ES384"):
            raise ValueError("algorithm is RS384 or ES384")


Auth = Bearer | Basic | ApiKey | Smart


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationSettings:
    """What every destination has. ``takes`` is a format; dialect, profile, bundle, language say how it is written."""

    KIND: ClassVar[str] = ""
    TAKES: ClassVar[tuple[str, ...]] = ANY_FORMAT
    VERIFY: ClassVar[tuple[str, ...]] = ("none",)

    name: str
    takes: str = ""
    dialect: str = ""
    profile: str = ""
    bundle: str = ""
    language: str = ""
    encoding: str = ""
    verify: str = ""
    dry_run: bool = False
    concurrency: int = 4
    retry_on_application_error: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    rate: Rate = field(default_factory=Rate)
    backfill: Rate = field(default_factory=Rate)
    window: Window | None = None

    def __post_init__(self) -> None:
        """Hold the ranges; what is not said is the first that the kind can do."""
        if not _NAME.fullmatch(self.name):
            raise ValueError("a name is a small letter and up to 31 small letters, digits and hyphens")
        for member, choices in (("takes", self.TAKES), ("verify", self.VERIFY)):
            if not getattr(self, member):
                object.__setattr__(self, member, choices[0])
            if getattr(self, member) not in choices:
                raise ValueError(f"{member} is one of {', '.join(choices)}")
        if self.concurrency < 1:
            raise ValueError("concurrency is 1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stow(DestinationSettings):
    """DICOMweb: STOW-RS to store, WADO-RS to read back (PS3.18 10.5, 10.4); ``url`` is the base of the service.

    ``may_change`` are keywords of attributes that this archive changes on purpose, beside those it may always change.
    """

    KIND: ClassVar[str] = "stow"
    TAKES: ClassVar[tuple[str, ...]] = ("sr",)
    VERIFY: ClassVar[tuple[str, ...]] = ("read-back", "find", "none")
    url: str
    auth: Auth | None = None
    tls: Tls = field(default_factory=Tls)
    may_change: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Hold the URL."""
        DestinationSettings.__post_init__(self)
        _check_url(self.url, "url")


@dataclass(frozen=True, slots=True, kw_only=True)
class CStore(DestinationSettings):
    """DIMSE: C-STORE to store (PS3.4 B), storage commitment, WADO-RS at ``dicomweb_url``, C-GET or C-FIND to verify.

    ``commitment_port`` is where we listen for reports of a peer that opens an association of its own for them; 0: only
    those on ours count; ``commitment_tls`` absent: it comes there without TLS. ``tls`` absent: no TLS.
    """

    KIND: ClassVar[str] = "cstore"
    TAKES: ClassVar[tuple[str, ...]] = ("sr",)
    VERIFY: ClassVar[tuple[str, ...]] = ("commitment", "read-back", "get", "find", "none")
    host: str
    port: int
    called: str
    calling: str = "LESIONBRIDGE"
    tls: Tls | None = None
    max_pdu: int = 16_384
    commitment_port: int = 0
    commitment_host: str = ""
    commitment_s: float = 30.0
    commitment_tls: ServerTls | None = None
    dicomweb_url: str = ""
    dicomweb_auth: Auth | None = None
    dicomweb_tls: Tls = field(default_factory=Tls)
    may_change: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Hold address, titles and what the way to verify needs."""
        DestinationSettings.__post_init__(self)
        _check_host(self.host, self.port)
        for title in (self.called, self.calling):
            if not _AE_TITLE.fullmatch(title):
                raise ValueError("an AE title is 1 to 16 printable characters without backslash (PS3.5 6.2)")
        if self.max_pdu != 0 and not _MIN_PDU <= self.max_pdu <= _MAX_PDU:
            raise ValueError(f"max_pdu is {_MIN_PDU} to {_MAX_PDU}")
        if not 0 <= self.commitment_port <= _MAX_PORT or not 0 < self.commitment_s < math.inf:
            raise ValueError("commitment_port is 0 to 65535, commitment_s above 0")
        if self.verify == "read-back" and not self.dicomweb_url:
            raise ValueError("to read back needs dicomweb_url")
        if self.dicomweb_url:
            _check_url(self.dicomweb_url, "dicomweb_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fhir(DestinationSettings):
    """A FHIR REST server; ``url`` is its base. What is sent is the stored bundle, or its requests one by one.

    ``update_as_create`` false: the server takes no PUT under an id that is not there yet.
    """

    KIND: ClassVar[str] = "fhir"
    TAKES: ClassVar[tuple[str, ...]] = ("fhir-r4", "fhir-r5")
    VERIFY: ClassVar[tuple[str, ...]] = ("read-back", "none")
    url: str
    auth: Auth | None = None
    tls: Tls = field(default_factory=Tls)
    update_as_create: bool = True

    def __post_init__(self) -> None:
        """Hold the URL, and that what is sent are requests: a document is nothing that a server stores whole."""
        DestinationSettings.__post_init__(self)
        _check_url(self.url, "url")
        for member, choices in (("bundle", ("transaction", "single")), ("encoding", ("json", "xml"))):
            if not getattr(self, member):
                object.__setattr__(self, member, choices[0])
            if getattr(self, member) not in choices:
                raise ValueError(f"{member} is one of {', '.join(choices)}")
        if (self.bundle, self.encoding) == ("single", "xml"):
            raise ValueError("a list of requests is JSON: with bundle single encoding is json")
        if not self.takes_profile(self.profile):
            raise ValueError(TRANSACTIONS_ONLY)

    def takes_profile(self, profile: str) -> bool:
        """Whether what is written for a profile can be sent: the transactions of IMR can't be taken apart (RAD-141)."""
        return self.update_as_create or profile != "imr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mllp(DestinationSettings):
    """HL7 v2 over MLLP; which acknowledgments are awaited is said by the message (MSH-15, MSH-16).

    ``retry_on_application_error``: whether AE, AR and CE, CR are repeated. ``tls`` absent: no TLS.
    """

    KIND: ClassVar[str] = "mllp"
    TAKES: ClassVar[tuple[str, ...]] = ("hl7v2",)
    VERIFY: ClassVar[tuple[str, ...]] = ("acknowledgment", "none")
    host: str
    port: int
    tls: Tls | None = None

    def __post_init__(self) -> None:
        """Hold the address."""
        DestinationSettings.__post_init__(self)
        _check_host(self.host, self.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder(DestinationSettings):
    """A folder: each output a file, there whole or not at all."""

    KIND: ClassVar[str] = "folder"
    VERIFY: ClassVar[tuple[str, ...]] = ("read-back", "none")
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(DestinationSettings):
    """An HTTP endpoint that each output is posted to; ``signature`` is the key of an HMAC-SHA256 over what is sent."""

    KIND: ClassVar[str] = "webhook"
    url: str
    auth: Auth | None = None
    tls: Tls = field(default_factory=Tls)
    signature: Secret | None = None

    def __post_init__(self) -> None:
        """Hold the URL."""
        DestinationSettings.__post_init__(self)
        _check_url(self.url, "url")


KINDS: Final[Mapping[str, type[DestinationSettings]]] = {
    kind.KIND: kind for kind in (Stow, CStore, Fhir, Mllp, Folder, Webhook)
}


def place(settings: DestinationSettings) -> str:
    """Where a destination is, in a few words."""
    match settings:
        case Stow() | Fhir() | Webhook():
            return settings.url
        case CStore():
            return f"{settings.called}@{settings.host}:{settings.port}"
        case Mllp():
            return f"{settings.host}:{settings.port}"
        case Folder():
            return settings.path
    raise ValueError("a destination of no kind")


def _check_url(url: str, member: str) -> None:
    """Raise ValueError unless it is a place on a server; a password in it would be logged."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{member} is http(s)://host/path")
    if parts.username or parts.password:
        raise ValueError(f"{member} holds no user and no password: those are settings of `auth`")


def _check_host(host: str, port: int) -> None:
    if not host or any(character.isspace() or character == "/" for character in host):
        raise ValueError("host is a name or an address")
    if not 1 <= port <= _MAX_PORT:
        raise ValueError("port is 1 to 65535")
