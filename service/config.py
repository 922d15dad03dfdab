"""The settings of a deployment: defaults, then an optional TOML file, then the environment; the last said wins.

Each field of `Settings` and of `Limits` is one setting. Its name in the environment is ``LESIONBRIDGE_`` and the
field's name in capitals (of a limit: ``LESIONBRIDGE_LIMIT_...``), in the file the field's name (a limit: in the table
``[limits]``). ``LESIONBRIDGE_CONFIG`` names the file.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from service.access.principal import MAX_SENDER, is_name
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
_MAX_PORT = 65_535
_MOST = 1_000  # processes, threads: a mistyped number is not to take the machine down
_MOST_DAYS = 36_500


class BadSetting(ValueError):
    """A setting that can't be used; ``name`` is its name where it was said."""

    def __init__(self, name: str, detail: str) -> None:
        """Keep the name and say what is wrong."""
        super().__init__(f"setting {name}: {detail}")
        self.name = name


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
        if not 0 <= self.port <= _MAX_PORT:
            raise BadSetting("port", "a port is 0 to 65535")
        if not 0 <= self.workers <= _MOST or not 1 <= self.threads <= _MOST:
            raise BadSetting("workers, threads", f"workers is 0 to {_MOST}, threads 1 to {_MOST}")
        if self.timeout_s < 1 or self.terminology_timeout_s < 1:
            raise BadSetting("timeout_s, terminology_timeout_s", "each is at least 1")
        if self.keepalive_s < 0 or not 0 <= self.keep_days <= _MOST_DAYS:
            raise BadSetting("keepalive_s, keep_days", f"each is 0 or more, keep_days at most {_MOST_DAYS}")
        if self.log_level not in LOG_LEVELS:
            raise BadSetting("log_level", f"one of {', '.join(LOG_LEVELS)}")
        if self.access not in ACCESS:
            raise BadSetting("access", f"one of {', '.join(ACCESS)}")
        if self.rate_per_minute < 0:
            raise BadSetting("rate_per_minute", "is 0 or more")
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
        if not is_name(self.default_sender):
            raise BadSetting("default_sender", f"is 1 to {MAX_SENDER} printable characters, with no blank around them")
        if any(getattr(self.limits, bound.name) < 1 for bound in fields(Limits)):
            raise BadSetting("limits", "each is at least 1")

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
    path = environ.get(f"{PREFIX}CONFIG")
    said = _from_file(Path(path)) if path else {}
    limits: dict[str, Any] = said.pop("limits", {})
    known = set(environment_names())
    for name, text in environ.items():
        if not name.startswith(PREFIX) or name == f"{PREFIX}CONFIG" or not text:
            continue
        if name not in known:
            if name.startswith((DESTINATION, f"{PREFIX}TEST_")) or name.removeprefix(PREFIX) in FOR_TESTS:
                continue
            raise BadSetting(name, "there is no such setting")
        key = name.removeprefix(PREFIX).lower()
        if key.startswith("limit_"):
            limits[key.removeprefix("limit_")] = text
        else:
            said[key] = text
    return _build(said, limits)


def _from_file(path: Path) -> dict[str, Any]:
    """The tables of a TOML file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSetting(f"{PREFIX}CONFIG", f"the file can't be read ({error.strerror})") from error
    except ValueError as error:
        raise BadSetting(f"{PREFIX}CONFIG", f"the file is not TOML: {error}") from error


def _build(said: Mapping[str, Any], limits: Mapping[str, Any]) -> Settings:
    """Settings from what was said, each as its field's type."""
    types = {setting.name: setting.type for setting in fields(Settings) if setting.name != "limits"}
    bounds = {bound.name for bound in fields(Limits)}
    for name in [
        *(name for name in said if name not in types),
        *(f"limits.{name}" for name in limits if name not in bounds),
    ]:
        raise BadSetting(name, "there is no such setting")
    made = {name: _typed(name, types[name], value) for name, value in said.items()}
    return replace(
        Settings(**made),
        limits=Limits(**{name: _typed(f"limits.{name}", int, value) for name, value in limits.items()}),
    )


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
    return str(value)
