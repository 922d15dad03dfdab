"""The settings of a deployment: defaults, then an optional TOML file, then the environment; the last said wins.

Each field of `Settings` and of `Limits` is one setting. Its name in the environment is ``LESIONBRIDGE_`` and the
field's name in capitals (of a limit: ``LESIONBRIDGE_LIMIT_...``), in the file the field's name (a limit: in the table
``[limits]``). ``LESIONBRIDGE_CONFIG`` names the file.
"""

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from service.access.principal import name_fault
from service.domain.limits import Limits
from service.domain.processing import PRODUCTION, listed

if TYPE_CHECKING:
    from service.coding.remote import Client, RemoteTerms

PREFIX = "LESIONBRIDGE_"
ACCESS = ("open", "required")
LOG_LEVELS = ("debug", "info", "warning", "error")
DESTINATION = f"{PREFIX}DESTINATION__"
"""How a variable begins that says a setting of a destination; `service.delivery.settings` reads those."""
FOR_TESTS = frozenset({"CASES", "COMPILE", "REFERENCE", "ORACLES", "REQUIRE_ORACLES", "SEED", "WRITE_GOLDENS"})
"""What the project's tests and its build (setup.py) are steered by, beside ``LESIONBRIDGE_TEST_...``; no settings."""
DEFAULT: Final = "by default"
"""Where a setting comes from that nobody said."""
_MOST: Final = 1_000  # processes, threads: a mistyped number is not to take the machine down
_DAY_S: Final = 86_400
_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "port": (0, 65_535),
    "workers": (0, _MOST),
    "threads": (1, _MOST),
    "keepalive_s": (0, _DAY_S),
    "timeout_s": (1, _DAY_S),
    "keep_days": (0, 36_500),
    "terminology_timeout_s": (1, _DAY_S),
    "rate_per_minute": (0, 2**31 - 1),
}
"""The least and the most of each number."""
_MOST_BODY: Final = 1_000_000_000
"""Bytes of a document, which is held in memory and kept as one value: SQLite takes no longer one, as it is built."""
_MOST_OF_A_LIMIT: Final = 2**40


class BadSetting(ValueError):
    """A setting that can't be used: ``name`` is its name, ``origin`` says where it was said."""

    def __init__(self, name: str, detail: str, origin: str = "") -> None:
        """Keep the name and say what is wrong."""
        super().__init__(f"setting {name}{f' ({origin})' if origin else ''}: {detail}")
        self.name, self.detail, self.origin = name, detail, origin


def _is_zone(name: str) -> bool:
    """Whether there is a time zone of this name."""
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # a name that is not there is a KeyError
        return False
    return True


def _is_trusted(address: str) -> bool:
    """Whether what is fetched there is what was put there: over TLS, or from this machine."""
    try:
        parts = urlsplit(address)
    except ValueError:  # no address at all, as https://[x
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost"))


def _data_folder() -> Path:
    """The user's data folder (XDG Base Directory: $XDG_DATA_HOME, by default ~/.local/share)."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "lesionbridge"


def _default_database() -> str:
    """SQLite in the user's data folder."""
    return f"sqlite:///{_data_folder() / 'lesionbridge.sqlite3'}"


@dataclass(frozen=True, slots=True)
class Settings:
    """All a deployment can set, checked."""

    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 0  # 0: one on SQLite, one a processor on PostgreSQL
    threads: int = 4
    keepalive_s: int = 2  # 0: no connection is kept
    timeout_s: int = 60
    tls_cert: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    default_sender: str = "local"
    default_zone: str = "UTC"
    hl7_processing: str = PRODUCTION
    database_url: str = field(default_factory=_default_database)
    migrate: bool = True
    issuers_file: str = ""
    overlays_folder: str = ""
    mappings_folder: str = ""
    destinations_file: str = ""
    receiving_file: str = ""
    study_context: str = ""
    deliver_inside: bool = True
    keep_days: int = 0  # 0: nothing is removed
    terminology_folder: str = ""
    terminology_url: str = ""
    terminology_timeout_s: int = 5
    terminology_ca_file: str = ""
    log_level: str = "info"
    access: str = "open"
    audit: bool = True
    rate_per_minute: int = 0  # 0: without bound
    oidc_issuer: str = ""
    oidc_audience: str = ""
    oidc_jwks: str = ""
    oidc_sender_claim: str = "client_id"
    oidc_ca_file: str = ""
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        """Hold the ranges."""
        for name, (least, most) in _RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise BadSetting(name, f"is {least} to {most}")
        for bound in fields(Limits):
            most = _MOST_BODY if bound.name == "body_bytes" else _MOST_OF_A_LIMIT
            if not 1 <= getattr(self.limits, bound.name) <= most:
                raise BadSetting(f"limits.{bound.name}", f"is 1 to {most}")
        if not self.host:
            raise BadSetting("host", "is a name or an address of this machine; for all of it say 0.0.0.0 or ::")
        if self.log_level not in LOG_LEVELS:
            raise BadSetting("log_level", f"is one of {', '.join(LOG_LEVELS)}")
        if self.access not in ACCESS:
            raise BadSetting("access", f"is one of {', '.join(ACCESS)}")
        if self.oidc_issuer and not (self.oidc_audience and self.oidc_jwks):
            raise BadSetting("oidc_issuer", "needs oidc_audience and oidc_jwks beside it")
        if "://" in self.oidc_jwks and not _is_trusted(self.oidc_jwks):
            raise BadSetting("oidc_jwks", "is an https address, or a file")
        if not _is_zone(self.default_zone):
            raise BadSetting("default_zone", "is the IANA name of a time zone, as Europe/Berlin")
        try:
            listed(self.hl7_processing)
        except ValueError as error:
            raise BadSetting("hl7_processing", str(error)) from error
        if fault := name_fault(self.default_sender):
            raise BadSetting("default_sender", f"is {fault}")

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is an SQLite file."""
        return self.database_url.startswith("sqlite")

    @property
    def terminology(self) -> Path:
        """The folder of the site's imported terminology."""
        return Path(self.terminology_folder) if self.terminology_folder else _data_folder() / "terminology"

    @property
    def terminology_database(self) -> str:
        """The PostgreSQL that holds the imported terminology; empty where a folder does."""
        return "" if self.is_sqlite or self.terminology_folder else self.database_url

    @property
    def worker_count(self) -> int:
        """Worker processes to start: SQLite has one writer at a time, so one process is its default."""
        return self.workers or (1 if self.is_sqlite else os.cpu_count() or 1)


def terminology_client(settings: Settings) -> "Client | None":
    """What speaks to the remote terminology server, where there is one; raises BadSetting for what is no URL."""
    if not settings.terminology_url:
        return None
    from service.coding.remote import RemotePolicy, client_of  # most deployments have none

    seconds = float(settings.terminology_timeout_s)
    try:
        policy = RemotePolicy(settings.terminology_url, read_s=seconds, total_s=2 * seconds)
    except ValueError as error:
        raise BadSetting("terminology_url", str(error)) from error
    return client_of(replace(policy, ca_file=settings.terminology_ca_file))


def remote_terms(settings: Settings) -> "RemoteTerms | None":
    """What asks that server about the terms of reports."""
    client = terminology_client(settings)
    if client is None:
        return None
    from service.coding.remote import RemoteTerms

    return RemoteTerms(client, seconds=2.0 * settings.terminology_timeout_s)


def environment_names() -> Iterator[str]:
    """The environment variable of every setting."""
    yield f"{PREFIX}CONFIG"
    for setting in fields(Settings):
        if setting.name != "limits":
            yield PREFIX + setting.name.upper()
    for bound in fields(Limits):
        yield f"{PREFIX}LIMIT_{bound.name.upper()}"


def load(environ: Mapping[str, str]) -> Settings:
    """The settings that a file and the environment say; raises BadSetting for one that is unknown or can't be used."""
    said = _said(environ)
    try:
        return _build({name: value for name, (value, _) in said.items()})
    except BadSetting as error:
        _, origin = said.get(error.name, ("", DEFAULT))
        raise BadSetting(error.name, error.detail, origin) from None


def origin(name: str, environ: Mapping[str, str]) -> str:
    """Where a setting is said: its variable, the file, or by default. Raises BadSetting for an unknown variable."""
    return _said(environ).get(name, ("", DEFAULT))[1]


def _said(environ: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    """Each setting that is said, with where; a limit as ``limits.NAME``. Raises BadSetting for an unknown variable."""
    path = environ.get(f"{PREFIX}CONFIG")
    said = _from_file(path) if path else {}
    known = set(environment_names())
    for name, text in environ.items():
        if not name.startswith(PREFIX) or name == f"{PREFIX}CONFIG" or not text:
            continue
        if name not in known:
            if name.startswith((DESTINATION, f"{PREFIX}TEST_")) or name.removeprefix(PREFIX) in FOR_TESTS:
                continue
            raise BadSetting(name, _unknown(name, known))
        key = name.removeprefix(PREFIX).lower()
        said[f"limits.{key.removeprefix('limit_')}" if key.startswith("limit_") else key] = (text, name)
    return said


def _from_file(path: str) -> dict[str, tuple[Any, str]]:
    """What a TOML file says, limits as ``limits.NAME``."""
    try:
        said = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSetting(f"{PREFIX}CONFIG", f"the file {path} can't be read ({error.strerror})") from error
    except ValueError as error:
        raise BadSetting(f"{PREFIX}CONFIG", f"the file {path} is not TOML: {error}") from error
    limits = said.pop("limits", {})
    if not isinstance(limits, dict):
        raise BadSetting("limits", "is a table, [limits]", path)
    return {name: (value, path) for name, value in (*said.items(), *_prefixed(limits))}


def _prefixed(limits: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in limits.items():
        yield f"limits.{name}", value


def _build(said: Mapping[str, Any]) -> Settings:
    """Settings from what was said, each as its field's type."""
    types = {one.name: one.type for one in fields(Settings) if one.name != "limits"}
    types |= {f"limits.{one.name}": int for one in fields(Limits)}
    for name in said:
        if name not in types:
            raise BadSetting(name, _unknown(name, types))
    made = {name: _typed(name, types[name], value) for name, value in said.items()}
    limits = {name.removeprefix("limits."): made.pop(name) for name in list(made) if name.startswith("limits.")}
    return Settings(**made, limits=Limits(**limits))


def _unknown(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"there is no such setting; did you mean {near[0]}?" if near else "there is no such setting"


def _typed(name: str, kind: Any, value: object) -> Any:
    """A value as its setting's type; text is read as the environment gives it."""
    if kind is bool:
        spelled = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        if str(value).lower() not in spelled:
            raise BadSetting(name, "is true or false")
        return spelled[str(value).lower()]
    if kind is int:
        try:
            return int(str(value))
        except ValueError:
            raise BadSetting(name, "is a whole number") from None
    if not isinstance(value, str):
        raise BadSetting(name, "is text, in quotes")
    if "\0" in value or any("\ud800" <= one <= "\udfff" for one in value):
        raise BadSetting(name, "is text in UTF-8, without the character NUL")
    return value
