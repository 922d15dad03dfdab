"""The file of destinations: a table ``[destinations.NAME]`` each, laid over by the environment.

``LESIONBRIDGE_DESTINATION__PACS__TLS__CA_FILE`` says ``ca_file`` in ``[destinations.pacs.tls]``; a hyphen of a name is
an underscore there.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from service.delivery.settings import KINDS, DestinationSettings
from service.delivery.table import build
from service.domain.errors import DestinationsError, Problem

ENVIRONMENT: Final = "LESIONBRIDGE_DESTINATION__"


def load(file: str, environ: Mapping[str, str]) -> Mapping[str, DestinationSettings]:
    """The destinations by name, in the file's order; raises DestinationsError with everything that is wrong."""
    problems: list[Problem] = []
    tables = _from_file(file, problems) if file else {}
    problems.extend(_wrong(name, "names a destination and no setting of it") for name in _without_member(environ))
    _lay_over(tables, environ)
    found = {name: _destination(name, table, problems) for name, table in tables.items()}
    if problems:
        raise DestinationsError(*problems)
    return {name: one for name, one in found.items() if one is not None}


def _from_file(file: str, problems: list[Problem]) -> dict[str, Any]:
    try:
        said = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(_wrong("destinations_file", f"the file can't be read ({error.strerror})"))
        return {}
    except ValueError as error:
        problems.append(_wrong("destinations_file", f"the file is not TOML: {error}"))
        return {}
    problems.extend(_wrong(name, "there is no such table") for name in said if name != "destinations")
    tables = said.get("destinations", {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        problems.append(_wrong("destinations", "is a table for each destination: [destinations.NAME]"))
        return {}
    return tables


def _lay_over(tables: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Put what the environment says into the tables."""
    for path, text in _said(environ):
        name, *steps, last = path
        table = tables.setdefault(name.replace("_", "-"), {})
        for step in steps:
            inner = table.get(step)
            table[step] = table = dict(inner) if isinstance(inner, dict) else {}
        table[last] = text


def _said(environ: Mapping[str, str]) -> Iterator[tuple[list[str], str]]:
    for variable, text in environ.items():
        path = variable.removeprefix(ENVIRONMENT).lower().split("__")
        if variable.startswith(ENVIRONMENT) and len(path) > 1 and text:
            yield path, text


def _without_member(environ: Mapping[str, str]) -> Iterator[str]:
    """Variables that end with the destination's name: whoever said it meant a setting."""
    for variable, text in environ.items():
        if variable.startswith(ENVIRONMENT) and text and "__" not in variable.removeprefix(ENVIRONMENT):
            yield variable


def _destination(name: str, table: Mapping[str, Any], problems: list[Problem]) -> DestinationSettings | None:
    place = f"destinations.{name}"
    kind = KINDS.get(str(table.get("kind", "")))
    if kind is None:
        problems.append(_wrong(f"{place}.kind", f"is one of {', '.join(KINDS)}"))
        return None
    rest = {member: value for member, value in table.items() if member != "kind"}
    if "name" in rest:
        problems.append(_wrong(f"{place}.name", "its name is that of the table"))
        return None
    made: DestinationSettings | None = build(kind, {"name": name, **rest}, place, problems)
    return made


def _wrong(place: str, detail: str) -> Problem:
    return Problem(place, "destination", detail)
