"""References within a bundle, as our own check, our walk over HL7's definitions, HAPI and pyfhircheck judge them.

Where all agree nothing is to be said. Where they do not, the case says who objects and why the others do not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from service.check.compare import compare
from service.pipeline import Format, Options, Source, convert
from tests.conftest import AskFhir

Json = dict[str, Any]
EXAMPLES = Path(__file__).parents[2] / "examples"
JUDGES = ("walk", "hapi", "pyfhircheck")
ALL = frozenset({"ours", *JUDGES})
NOBODY = "urn:uuid:00000000-0000-4000-8000-000000000000"
HERE_ONLY = (
    "ours: a bundle of ours leaves nothing to be found elsewhere; to FHIR a reference may lead out of the bundle"
)
BY_TEXT = "pyfhircheck knows the type of a target by the text of a reference alone, and a urn or a search has none"


def resource(bundle: Json, kind: str) -> Json:
    """The first entry of a type."""
    found: Json = next(entry for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind)
    return found


def lesion(bundle: Json) -> Json:
    """The first Observation of a lesion."""
    found: Json = next(entry["resource"] for entry in bundle["entry"] if "focus" in entry["resource"])
    return found


def subject(**members: str) -> Callable[[Json], None]:
    """Another reference to the patient of that Observation."""
    return lambda bundle: lesion(bundle)["subject"].update(members)


def subject_is(kind: str) -> Callable[[Json], None]:
    """The subject is the first entry of a type."""
    return lambda bundle: lesion(bundle)["subject"].update(reference=resource(bundle, kind)["fullUrl"])


def contained(reference: str, kind: str = "Practitioner", by: str = "") -> Callable[[Json], None]:
    """The Observation contains ``#in``; a performer is referred to, by the first resource of the type ``by`` if any."""

    def change(bundle: Json) -> None:
        held: Json = {"resourceType": kind, "id": "in"}
        if kind == "BodyStructure":
            held["patient"] = dict(lesion(bundle)["subject"])
        lesion(bundle)["contained"] = [held]
        owner = resource(bundle, by)["resource"] if by else lesion(bundle)
        owner.setdefault("performer", []).append({"reference": reference})
        if by:
            lesion(bundle)["performer"] = [*lesion(bundle).get("performer", ()), {"reference": "#in"}]

    return change


def conditional(bundle: Json) -> None:
    """The patient by an identifier that is in the bundle."""
    identifier = resource(bundle, "Patient")["resource"]["identifier"][0]
    lesion(bundle)["subject"]["reference"] = f"Patient?identifier={identifier['system']}|{identifier['value']}"


@dataclass(frozen=True)
class Case:
    """A change of a bundle, who objects to it, and why the others do not."""

    change: Callable[[Json], None]
    object_to_it: Iterable[str] = ALL
    why: str = ""
    kind: str = "collection"


CASES = {
    "as it was written": Case(lambda _: None, ()),
    "as it was written, transaction": Case(lambda _: None, (), kind="transaction"),
    "to no entry": Case(subject(reference=NOBODY), {"ours", "walk"}, f"{HERE_ONLY}; the walk is of ours, too"),
    "to no entry, transaction": Case(
        subject(reference=NOBODY), {"ours", "walk"}, f"{HERE_ONLY}; the walk is of ours, too", "transaction"
    ),
    "to no entry, by an OID": Case(
        subject(reference="urn:oid:1.2.3"), {"ours", "walk"}, f"{HERE_ONLY}; the walk is of ours, too"
    ),
    "to an entry of another type": Case(subject_is("ImagingStudy"), ALL - {"pyfhircheck"}, BY_TEXT),
    "to an entry of another type, transaction": Case(
        subject_is("ImagingStudy"), ALL - {"pyfhircheck"}, BY_TEXT, "transaction"
    ),
    "to what may be a subject and is another one": Case(
        subject_is("Device"), {"ours"}, "it is right by FHIR, and wrong: only who has the report knows its patient"
    ),
    "says its type": Case(subject(type="Patient"), ()),
    "says another type": Case(
        subject(type="Device"),
        {"walk", "hapi"},
        "ours: the writer says no type, and what is referred to is right; pyfhircheck asks only whether it may be one",
    ),
    "contained": Case(contained("#in"), {"ours"}, "right by FHIR; nothing of ours is contained (standards.md 2)"),
    "contained, of another id": Case(contained("#out")),
    "contained, of another type": Case(contained("#in", "BodyStructure")),
    "contained in another resource": Case(contained("#in", by="DiagnosticReport")),
    "conditional": Case(conditional, (), kind="transaction"),
    "conditional, outside of a transaction": Case(
        conditional, {"walk", "hapi"}, "ours asks whom it names; pyfhircheck looks at no conditional reference"
    ),
    "conditional, of nobody here": Case(
        subject(reference="Patient?identifier=x|y"), {"ours"}, f"{HERE_ONLY}: the server searches", "transaction"
    ),
    "conditional, of another type": Case(
        subject(reference="ImagingStudy?identifier=x|y"),
        {"ours", "walk"},
        "HAPI and pyfhircheck look at no conditional reference",
        "transaction",
    ),
    "relative, to no entry": Case(subject(reference="Patient/17"), {"ours"}, HERE_ONLY),
    "relative, to another type": Case(
        subject(reference="ImagingStudy/17"),
        ALL - {"hapi"},
        "HAPI asks for the type of what it finds, and finds nothing",
    ),
    "absolute, elsewhere": Case(subject(reference="http://127.0.0.1:9/fhir/Patient/17"), {"ours"}, HERE_ONLY),
    "absolute, to another type": Case(
        subject(reference="http://127.0.0.1:9/fhir/ImagingStudy/17"),
        ALL - {"hapi"},
        "HAPI asks for the type of what it finds, and finds nothing",
    ),
    "no reference": Case(subject(reference="somebody")),
    "of no type that there is": Case(
        subject(reference="Somebody/17"), ALL - {"hapi"}, "HAPI asks for the type of what it finds, and finds nothing"
    ),
}


def written(kind: str) -> tuple[Any, Json]:
    """A report and its bundle."""
    body = (EXAMPLES / "brain-mr-images-and-regions.json").read_bytes()
    made = convert(Source(body), (Format.FHIR_R4,), Options(bundle=kind))
    bundle: Json = json.loads(made.outputs[Format.FHIR_R4].content)
    return made.report, bundle


@pytest.mark.oracle("fhir")
def test_references_are_judged_alike_or_the_difference_has_its_reason(tmp_path: Path, fhir_complaints: AskFhir) -> None:
    objecting: dict[str, set[str]] = {}
    files: dict[str, str] = {}
    for number, (name, case) in enumerate(CASES.items()):
        report, bundle = written(case.kind)
        case.change(bundle)
        content = json.dumps(bundle).encode()
        file = tmp_path / f"{number}.json"
        file.write_bytes(content)
        files[str(file)] = name
        objecting[name] = {"ours"} if _ours_objects(report, content) else set()
    complaints = fhir_complaints(map(Path, files), only=JUDGES)
    for complaint in complaints:
        objecting[files[complaint.file]].add(complaint.oracle)

    assert objecting == {name: set(case.object_to_it) for name, case in CASES.items()}, [str(one) for one in complaints]


def _ours_objects(report: Any, content: bytes) -> bool:
    try:
        return compare(report, None, content) != ()
    except ValueError:
        return True


def test_every_difference_has_its_reason() -> None:
    for name, case in CASES.items():
        assert (set(case.object_to_it) in (set(), set(ALL))) == (case.why == ""), name
