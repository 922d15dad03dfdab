"""The table of FHIR's elements is what fhir.resources says, and HL7's own definitions agree with it."""

import pytest

from service.formats.fhir.elements import elements
from tests.fhir_elements import TABLE, TYPES, as_text
from tests.oracles.complaint import NotInstalled
from tests.oracles.fhir_definitions import Definitions


def test_the_table_is_made_of_fhir_resources() -> None:
    assert TABLE.read_text(encoding="utf-8") == as_text()


@pytest.mark.parametrize("release", ["R4", "R5"])
def test_every_type_that_an_element_has_is_in_the_table(release: str) -> None:
    known = elements(release)

    named = {one.kind for of_type in known.values() for one in of_type.values() if not one.is_primitive}

    assert named - {"Resource"} <= known.keys()


@pytest.mark.oracle("fhir")
@pytest.mark.parametrize("release", ["R4", "R5"])
def test_the_order_is_that_of_the_definitions(release: str) -> None:
    """The rows of R4 are made of R4B, which has R4's elements in their order: these definitions are of 4.0.1."""
    try:
        defined = Definitions(release)
    except NotInstalled as missing:
        pytest.skip(str(missing))
    held = 0
    for name in set(TYPES) & defined.elements.keys() & elements(release).keys():
        said = [one.name for one in elements(release)[name].values()]
        order = [_bare(one) for one in defined.children(name, name)]
        found = [next((at for at, wanted in enumerate(order) if _is(one, wanted)), -1) for one in said]
        assert -1 not in found, name
        assert found == sorted(found), name
        held += 1
    assert held > 20


def _bare(name: str) -> str:
    return name.removesuffix("[x]")


def _is(name: str, defined: str) -> bool:
    """Whether an element is the defined one, or one of its types where it is a choice."""
    rest = name.removeprefix(defined)
    return name == defined or (name.startswith(defined) and rest[0].isupper())
