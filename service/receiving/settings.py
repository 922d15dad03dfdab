"""The file of what is received: ``[sites.NAME]``, ``[[routes]]``, ``[listen.dicom]``, ``.hl7``, ``.folder``.

docs/receiving.md describes every member; a test holds it to the classes here.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from service.access.principal import name_fault
from service.delivery.settings import DestinationSettings, ServerTls
from service.delivery.table import build
from service.domain.errors import Problem, ReceivingError
from service.domain.received import Habits
from service.domain.report import Status

WAYS: Final = ("rest", "stow", "dicom", "hl7", "folder")
"""The ways by which a report comes in, as a route names them."""
RULE: Final = "receiving"
"""The rule of all that is wrong in the file."""
_MAX_PORT: Final = 65_535
_MIN_PDU, _MAX_PDU = 4_096, 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site whose systems send to us; its name is the sender of their reports.

    ``ae_titles`` are calling AE titles, ``facilities`` what stands in MSH-4. ``zone`` is that of times without one, the
    issuers are those of ids without one: a key of the issuer table, a URI or an OID.
    """

    name: str
    ae_titles: tuple[str, ...] = ()
    facilities: tuple[str, ...] = ()
    zone: str = ""
    patient_issuer: str = ""
    accession_issuer: str = ""

    def __post_init__(self) -> None:
        """Hold the zone, and the name, which is that of a sender."""
        if fault := name_fault(self.name):
            raise ValueError(f"its name is {fault}")
        if self.zone:
            try:
                ZoneInfo(self.zone)
            except (OSError, ValueError, KeyError):
                raise ValueError("zone is the IANA name of a time zone, as Europe/Berlin") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A rule: a report that meets every condition that is said goes to ``deliver``; no destination: it goes nowhere.

    ``modality``, ``site`` and ``procedure`` name concepts by key or code; ``source`` is a way of `WAYS`.
    """

    name: str
    deliver: tuple[str, ...]
    sender: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    site: tuple[str, ...] = ()
    procedure: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    source: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Hold the words that are of a closed list."""
        for member, known in (("status", tuple(Status)), ("source", WAYS)):
            for word in getattr(self, member):
                if word not in known:
                    raise ValueError(f"{member} {word!r} is none of {', '.join(known)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomListener:
    """A Storage SCP of SR classes, and a Verification SCP (PS3.4 B, A). ``calling``: who may; none: anybody.

    ``timeout_s``: for one PDU to come whole; ``message_s``: for one message, as an object with its command.
    """

    port: int
    host: str = "127.0.0.1"
    ae_title: str = "LESIONBRIDGE"
    calling: tuple[str, ...] = ()
    check_called: bool = True
    max_pdu: int = 16_384
    associations: int = 10
    timeout_s: float = 30.0
    message_s: float = 300.0
    tls: ServerTls | None = None

    def __post_init__(self) -> None:
        """Hold the ranges."""
        _check(self.port, (self.timeout_s, self.message_s), self.associations, "associations")
        if not _MIN_PDU <= self.max_pdu <= _MAX_PDU:
            raise ValueError(f"max_pdu is {_MIN_PDU} to {_MAX_PDU}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hl7Listener:
    """A receiver of HL7 v2 over MLLP. ``timeout_s``: for one message to come whole; ``idle_s``: between messages."""

    port: int
    host: str = "127.0.0.1"
    connections: int = 10
    timeout_s: float = 30.0
    idle_s: float = 600.0
    tls: ServerTls | None = None

    def __post_init__(self) -> None:
        """Hold the ranges."""
        _check(self.port, (self.timeout_s, self.idle_s), self.connections, "connections")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderListener:
    """A folder that is looked into every ``poll_s``; a file that did not change for ``settle_s`` is whole."""

    path: str
    site: str = ""
    poll_s: float = 2.0
    settle_s: float = 2.0

    def __post_init__(self) -> None:
        """Hold the ranges."""
        if not (0 < self.poll_s < math.inf and 0 <= self.settle_s < math.inf):
            raise ValueError("poll_s is above 0, settle_s 0 or more")


LISTENERS: Final[Mapping[str, Any]] = {"dicom": DicomListener, "hl7": Hl7Listener, "folder": FolderListener}


@dataclass(frozen=True, slots=True)
class Receiving:
    """All that the file says."""

    sites: Mapping[str, Site] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    dicom: DicomListener | None = None
    hl7: Hl7Listener | None = None
    folder: FolderListener | None = None

    @property
    def habits(self) -> Mapping[str, Habits]:
        """What each site leaves out, by the name of its sender."""
        return {one.name: Habits(one.zone, one.patient_issuer, one.accession_issuer) for one in self.sites.values()}

    def site_of_title(self, title: str) -> Site | None:
        """The site that a calling AE title is of."""
        return next((one for one in self.sites.values() if title in one.ae_titles), None)

    def site_of_facility(self, facility: str) -> Site | None:
        """The site that a sending facility (MSH-4) is of."""
        return next((one for one in self.sites.values() if facility and facility in one.facilities), None)


def load(file: str, destinations: Mapping[str, DestinationSettings]) -> Receiving:
    """What the file says, nothing where there is none; raises ReceivingError with everything that is wrong."""
    if not file:
        return Receiving()
    problems: list[Problem] = []
    said = _from_file(file, problems)
    sites = _tables(said.pop("sites", {}), "sites", problems)
    listeners = _tables(said.pop("listen", {}), "listen", problems)
    rows = said.pop("routes", [])
    problems.extend(_wrong(name, "there is no such table") for name in said)
    problems.extend(
        _wrong(f"listen.{name}", "there is no such listener") for name in listeners if name not in LISTENERS
    )
    found: dict[str, Any] = {}
    for name, table in sites.items():
        found[name] = build(Site, {**table, "name": name}, f"sites.{name}", problems)
    made = {
        name: build(LISTENERS[name], table, f"listen.{name}", problems)
        for name, table in listeners.items()
        if name in LISTENERS
    }
    routes = _routes(rows, destinations, problems)
    problems.extend(_twice(found.values()))
    folder = made.get("folder")
    if folder is not None and folder.site and folder.site not in found:
        problems.append(_wrong("listen.folder.site", "there is no site of this name"))
    if problems:
        raise ReceivingError(*(replace(one, rule=RULE) for one in problems))
    return Receiving(found, tuple(routes), **made)


def _routes(rows: Any, destinations: Mapping[str, DestinationSettings], problems: list[Problem]) -> list[Any]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        problems.append(_wrong("routes", "is a list of tables: [[routes]]"))
        return []
    for number, row in enumerate(rows):
        problems += [*_blank(number, row), *_without_values(number, row)]
    routes = [build(Route, row, f"routes[{number}]", problems) for number, row in enumerate(rows)]
    names: set[str] = set()
    for number, route in enumerate(routes):
        if route is None:
            continue
        if route.name in names:
            problems.append(_wrong(f"routes[{number}].name", "another route has this name"))
        names.add(route.name)
        unknown = [name for name in route.deliver if name not in destinations]
        known = ", ".join(destinations) or "none"
        problems.extend(
            _wrong(f"routes[{number}].deliver", f"there is no destination {name}; there are {known}")
            for name in unknown
        )
    return routes


def _blank(number: int, row: Mapping[str, Any]) -> list[Problem]:
    """Values that are blank, which would be left out and the condition with them, or that blanks keep from a match."""
    said = {member: value for member, value in row.items() if member != "name"}
    lists = {member: [value] if isinstance(value, str) else value for member, value in said.items()}
    return [
        _wrong(f"routes[{number}].{member}", "a value is blank, or begins or ends with a blank: take that out")
        for member, value in lists.items()
        if isinstance(value, list) and any(isinstance(text, str) and text != (text.strip() or None) for text in value)
    ]


def _without_values(number: int, row: Mapping[str, Any]) -> list[Problem]:
    """Conditions that are said and have no value: they would be none, and the rule be that of every report."""
    why = "has no value, and so would be met by every report: name one, or leave the condition out"
    return [
        _wrong(f"routes[{number}].{member}", why)
        for member, value in row.items()
        if member not in ("name", "deliver") and value == []
    ]


def _twice(sites: Any) -> list[Problem]:
    """A title or a facility can be of one site only."""
    seen: dict[tuple[str, str], str] = {}
    said = [
        (site.name, member, text)
        for site in sites
        if site is not None
        for member in ("ae_titles", "facilities")
        for text in getattr(site, member)
    ]
    return [
        _wrong(f"sites.{name}.{member}", f"{text} is of {seen[member, text]} already")
        for name, member, text in said
        if seen.setdefault((member, text), name) != name
    ]


def _tables(said: Any, place: str, problems: list[Problem]) -> Mapping[str, Mapping[str, Any]]:
    if isinstance(said, dict) and all(isinstance(table, dict) for table in said.values()):
        return said
    problems.append(_wrong(place, f"is a table for each: [{place}.NAME]"))
    return {}


def _from_file(file: str, problems: list[Problem]) -> dict[str, Any]:
    try:
        return tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(_wrong("receiving_file", f"the file can't be read ({error.strerror})"))
    except ValueError as error:
        problems.append(_wrong("receiving_file", f"the file is not TOML: {error}"))
    return {}


def _check(port: int, times_s: tuple[float, ...], most: int, name: str) -> None:
    if not 0 <= port <= _MAX_PORT:
        raise ValueError("port is 0 to 65535")
    if not all(0 < one < math.inf for one in times_s) or most < 1:
        raise ValueError(f"seconds are above 0, {name} is 1 or more")


def _wrong(place: str, detail: str) -> Problem:
    return Problem(place, RULE, detail)
