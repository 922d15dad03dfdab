"""Nothing is dropped silently: change any value of a document, and the report or the list of losses changes.

What a loss names is said already. What is left stands in the reader's own table of FHIR's machinery, or in the table
here, with the reason why a change of it changes nothing.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.errors import LesionBridgeError
from service.domain.limits import Limits
from service.domain.received import Intake
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.read import of_value
from service.formats.fhir.read_unread import INFRASTRUCTURE
from service.formats.fhir.release import Release
from service.formats.fhir.write import write
from service.formats.findings.read import read as read_findings
from tests.fhir_bundles import sr_of

Json = dict[str, Any]
Path_ = tuple[str | int, ...]
EXAMPLES = Path(__file__).parents[4] / "examples"
SAYS_NOTHING = {
    r"\.display$": "a code is equal to another by system and code, and a reference leads to what says more",
    r"^meta\.(profile|lastUpdated|versionId|source)": "what a server knows of a resource",
    r"^text\.(div|status)$": "a generated narrative says what its resource says",
    r"^identifier\.(use|type\..*|system)$": "the value is what is read, whatever it is called",
    r"^identifier\.value$": "our own UUID, by which we find the resource again",
    r"^category\.": "the kind of an Observation; another kind is listed by its code",
    r"^section\.(title|code\..*|text\.status)$": "a heading over what is read from the Observations",
    r"\bcode\.(text|coding\.(system|code))$": "a name of the layout is known by any of its codes, and by its words",
    r"^(series\.)?modality\.(coding\.)?system$": "the code of a series says again what the study says",
    r"\bsopClass\.system$": "the UID is what is read",
    r"\.type$": "a reference leads to a resource, which has a type",
    r"^agent\.type\.|^attester\.mode": "whoever is named observed, whatever it is called",
    r"^(deviceName|name)\.type$": "the first name of a device is its name",
    r"^(derivedFrom|partOf)\.(reference$|identifier\.)": "of a study both stand there, and each leads to it",
    r"^url$|extension\.url$": "of an extension that is read",
    r"^status$": "of an ImagingSelection: whether the images can be fetched",
    r"^relatesTo\.target\.(type|identifier\.system)$": "the UID is what is read",
    r"^context\.related\.identifier\.(type\..*|system)$": "the UID is what is read",
    r"^event\.reference\.identifier\.(type\..*|system)$": "the UID is what is read",
}
"""Elements of a resource, indices left out, a change of which changes nothing, each with the reason."""
NAMES_THE_SR = "DocumentReference"
"""The resource that names our own SR: it is made anew, with a UID that is derived from its content."""


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves(item, (*path, number))
    else:
        yield path, value


def place(root: str, path: Path_) -> str:
    return root + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | Decimal) else f"{value}x"


def outcome(document: Json) -> Any:
    """What a reading gives: the report and the losses, or the refusal."""
    try:
        received = of_value(document, Intake("site"))
    except LesionBridgeError as error:
        return str(error)
    return repr(received.report), tuple((loss.where, loss.rule) for loss in received.losses)


def unheard(document: Json) -> list[str]:
    """The places of a document that may be changed without anything being said."""
    before = outcome(document)
    assert not isinstance(before, str), before
    listed = [where for where, _ in before[1]]
    root = document["resourceType"]
    found = []
    for path, value in list(leaves(document)):
        where = place(root, path)
        if any(where == one or where.startswith((f"{one}.", f"{one}[")) for one in listed):
            continue
        owner: Any = document
        for step in path[:-1]:
            owner = owner[step]
        owner[path[-1]] = other(value)
        if outcome(document) == before and not is_known(document, path):
            found.append(f"{where} = {value}")
        owner[path[-1]] = value
    return found


def is_known(document: Json, path: Path_) -> bool:
    """Whether a table says why a change here changes nothing."""
    resource, inner = document, path
    if path[0] == "entry":
        _, number, member, *rest = path
        if member != "resource":
            return member in INFRASTRUCTURE["Bundle.entry"]
        resource, inner = document["entry"][number]["resource"], tuple(rest)
    kind = resource["resourceType"].removesuffix("x")
    names = [step for step in inner if isinstance(step, str)]
    if names[0] in (*INFRASTRUCTURE[""], *INFRASTRUCTURE.get(kind, {})):
        return True
    if kind == NAMES_THE_SR:
        return True
    return any(re.search(pattern, ".".join(names)) for pattern in SAYS_NOTHING)


def ours(name: str, bundle: str, release: Release) -> Json:
    """An example as a bundle, its numbers as Decimals."""
    document = (EXAMPLES / f"{name}.json").read_bytes()
    report = code_report(read_findings(document, default_sender="local", limits=Limits()), vocabulary())
    content = write(report, sr_of(report), bundle=bundle, release=release).content
    made: Json = json.loads(content, parse_float=Decimal)
    return made


@pytest.mark.parametrize(
    ("name", "bundle", "release"),
    [
        ("brain-mr-corrected", "document", R4),
        ("bone-fdg-pet-ct", "transaction", R4),
        ("brain-mr-names-in-three-scripts", "collection", R4),
        ("bone-radiograph-humerus", "transaction", R5),
        ("brain-mr-corrected", "document", R5),
    ],
)
def test_every_value_of_ours_is_heard(name: str, bundle: str, release: Release) -> None:
    assert unheard(ours(name, bundle, release)) == []


def joined(files: list[Path]) -> Json:
    """Resources of others in one bundle."""
    resources = [json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal) for file in files]
    entries = [{"fullUrl": f"http://x/{one['resourceType']}/{one['id']}", "resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


@pytest.mark.cases
@pytest.mark.parametrize("guide", ["mii", "uscore"])
def test_every_value_of_others_is_heard(guide: str, cases: Path) -> None:
    assert unheard(joined(sorted(cases.glob(f"fhir/{guide}_*.json")))) == []


@pytest.mark.cases
def test_every_value_of_an_stu3_bundle_is_heard(cases: Path) -> None:
    content = (cases / "pairs/tid1500-fhir_dcmqi/expected.json").read_text(encoding="utf-8")

    assert unheard(json.loads(content, parse_float=Decimal) | {"timestamp": "2018-11-22T12:00:00Z"}) == []
