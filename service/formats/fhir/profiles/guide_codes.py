"""Codes as the rules of profiles have them (``system|code``): those of our concepts, and those only a guide fixes."""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from service.coding import vocabulary
from service.formats.fhir.codeable import system_uri


@cache
def of_concept(key: str, designator: str) -> str:
    """The code that a concept of the tables has in a code system."""
    code = next(one for one in vocabulary().name(key).codes if one.system == designator)
    return f"{system_uri(code.system, '')}|{code.code}"


def of_guide(key: str) -> str:
    """The code that a guide fixes and that is no concept of the tables (``mappings/fhir_guide_codes.csv``)."""
    return _guide_codes()[key]


@cache
def _guide_codes() -> Mapping[str, str]:
    table = files("mappings").joinpath("fhir_guide_codes.csv").read_text(encoding="utf-8")
    return {row["key"]: f"{row['system']}|{row['code']}" for row in csv.DictReader(table.splitlines())}
