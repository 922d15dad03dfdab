"""The check sees every fact: of a report, of a bundle, of an SR. What it does not look at is listed with the reason."""

import re
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from functools import cache
from types import ModuleType

import pytest

from service.check.compare import Difference, compare
from service.domain import geometry, report
from service.domain.errors import LesionBridgeError
from service.domain.report import CodedReport, LesionReport, Person, Predecessor
from service.formats.fhir import write as fhir
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.release import Release
from service.formats.sr import write as sr
from service.formats.sr.decode import decode_file
from tests.report_set import REPORTS
from tests.report_terms import term
from tests.unit.check.altering import (
    UNSAID,
    Alteration,
    Leaf,
    altered,
    altered_bundles,
    altered_documents,
    leaves,
    other,
    said_fields,
)


def _fullest() -> CodedReport:
    """The rich report, with what it lacks."""
    rich = REPORTS["rich"]()
    predecessor = Predecessor("1.2.3.99.1", "1.2.3.99", "1.2.840.10008.5.1.4.1.1.88.22", study="1.2.3.98")
    referring = rich.study.referring_physician
    assert isinstance(referring, Person)
    study = replace(rich.study, referring_physician=replace(referring, role=term("general practitioner")))
    return replace(rich, predecessor=predecessor, study=study)


SAMPLES: dict[str, Callable[[], CodedReport]] = {
    "fullest": _fullest,
    **{name: REPORTS[name] for name in ("regions", "regions3d", "segment")},
}

_SYSTEM = "the system of an Identifier is one: the URI, where there is one"
_GEOMETRY = "R4 has no place for coordinates, which is named as lost"
NOT_IN = {
    "sr": {
        "id": "no attribute of an SR is for the sender's id of a report: the DocumentReference ties both",
        "sender": "no attribute of an SR is for the sender",
        "patient.issuer.uri": "a universal id is one: the OID, where there is one (PS3.3 table 10-17)",
        "study.accession_issuer.uri": "a universal id is one: the OID, where there is one (PS3.3 table 10-17)",
        "study.referring_physician.role": "no attribute of an SR has it, which is named as lost",
    },
    "fhir": {
        "patient.issuer.oid": _SYSTEM,
        "study.accession_issuer.oid": _SYSTEM,
        "lesions.images.regions": _GEOMETRY,
        "lesions.images.regions.measurement": _GEOMETRY,
        "lesions.images.regions.points": _GEOMETRY,
        "lesions.regions3d.frame_of_reference": _GEOMETRY,
        "lesions.regions3d.graphic": _GEOMETRY,
        "lesions.regions3d.points": _GEOMETRY,
    },
    "fhir r5": {"patient.issuer.oid": _SYSTEM, "study.accession_issuer.oid": _SYSTEM},
}
"""What a format has no place for."""


def _place(leaf: Leaf) -> str:
    return ".".join(step for step in leaf.path if isinstance(step, str))


def _facts() -> Iterable[tuple[str, str]]:
    return dict.fromkeys((name, _place(leaf)) for name, make in SAMPLES.items() for leaf in leaves(make()))


@pytest.mark.parametrize(("sample", "place"), _facts())
def test_sees_every_fact_of_a_report_that_an_output_says_otherwise(sample: str, place: str) -> None:
    """The outputs are those of a report that says one thing else."""
    said = SAMPLES[sample]()
    here = [leaf for leaf in leaves(said) if _place(leaf) == place]
    # One of them; where that contradicts another, as two classes of one image do, all of them.
    changed = next(filter(None, (_written(said, leaf) for leaf in here)), None) or _written(said, *here)
    assert changed is not None
    document, older, newer = changed
    usual = compare(said, sr.write(said).content, None)
    found = {
        "sr": set(compare(said, document, None)) - set(usual),
        "fhir": set(compare(said, None, older)),
        "fhir r5": set(compare(said, None, newer)),
    }
    assert {output for output, differences in found.items() if not differences} == {
        output for output, places in NOT_IN.items() if place in places
    }


def _written(said: CodedReport, *of: Leaf) -> tuple[bytes, bytes, bytes] | None:
    """SR and bundles, R4 and R5, of the report with other leaves; None where no such report can be."""
    try:
        changed = said
        for leaf in of:
            changed = altered(changed, leaf.path, other(leaf.value))
        document = sr.write(changed)
        older, newer = (fhir.write(changed, document.reference, release=release) for release in (R4, R5))
        return document.content, older.content, newer.content
    except (ValueError, LesionBridgeError):
        return None


def test_the_samples_say_something_in_every_field_of_the_domain() -> None:
    said = {field for make in SAMPLES.values() for field in said_fields(make())}
    assert not _fields(report, geometry) - said


def _fields(*modules: ModuleType) -> set[str]:
    kinds = {kind for module in modules for kind in vars(module).values() if isinstance(kind, type)}
    own = {kind for kind in kinds if is_dataclass(kind) and kind.__module__ in {module.__name__ for module in modules}}
    return {
        f"{kind.__name__.removeprefix('Coded')}.{one.name}"
        for kind in own - {LesionReport}
        for one in fields(kind)
        if one.name not in UNSAID
    }


_STRUCTURE = "says what kind of thing it is; validators and goldens hold it"
UNSEEN_IN_A_BUNDLE = {
    r"(resourceType|type|timestamp|identifier\..*)": "of the Bundle itself: validators and goldens hold it",
    r"(Observation.*|DiagnosticReport|DocumentReference|Composition): resource\.category\..*": _STRUCTURE,
    r"(DocumentReference|Composition): resource\.type\..*": _STRUCTURE,
    r"Composition: resource\.section\.(title|code\..*)": _STRUCTURE,
    r"(Composition|DocumentReference): resource\.attester\.mode(\..*)?": _STRUCTURE,
    r".*: resource\.(section\.)?text\.(status|div)": "the narrative is made by the HTML writer, whose tests hold it",
    r"(Composition|DocumentReference): resource\.attester\.time": "Provenance says it",
    r"(DocumentReference|Composition): fullUrl": "nothing refers to it",
    r"DiagnosticReport: resource\.identifier\.(system|use)": "derived from the sender, for the server to find it by",
    r"DocumentReference: resource\.content\.(format|profile\.valueCoding)\.system": _STRUCTURE,
    r"DocumentReference: resource\.(context\.related|event\.reference)\.display": _STRUCTURE,
    r"DocumentReference: resource\.relatesTo\.target\.type": _STRUCTURE,
    r"DocumentReference: resource\.relatesTo\.code\.(coding\.(system|display)|text)": _STRUCTURE,
    r"Device: resource\.(deviceName|name)\.type": _STRUCTURE,
    r"BodyStructure: resource\.includedStructure\.structure\.extension\..*": "a site that nobody named is unknown",
    r"(ImagingSelection: resource\.derivedFrom|Observation.*: resource\.partOf)\.identifier\.type\..*": _STRUCTURE,
    r"ImagingSelection: resource\.code\.(coding\.(code|system)|text)": "of an image alone: the lesion's, all the same",
    r"ImagingStudy: resource\.identifier\.(system|type\..*)": _STRUCTURE,
    r"(ImagingStudy: resource\.series|ImagingSelection: resource)\.instance\.sopClass\.system": _STRUCTURE,
    r"Patient: resource\.name\.extension\.url": "without it a name is alphabetic, which it is",
    r"Practitioner: resource\.name\.extension\.url": "without it a name is alphabetic, which it is",
    r"Practitioner: resource\.identifier\.assigner\.display": "its system is derived from the sender",
    r"Provenance: resource\.agent\.type\.(coding\.(system|display)|text)": _STRUCTURE,
}


UNSEEN_WITHOUT_REQUESTS = {
    r"(Device|ImagingSelection|Observation.*|Organization|Practitioner.*): resource\.identifier\.(system|value)": (
        "derived for a server to find it by; a transaction's requests are held to it"
    )
}


@pytest.mark.parametrize("release", [R4, R5], ids=["R4", "R5"])
@pytest.mark.parametrize("kind", ["transaction", "document"])
def test_sees_every_value_of_a_bundle_that_is_altered(
    kind: str, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The SR beside the bundle stays the same: its bytes are parsed once, not for each of a thousand alterations.
    monkeypatch.setattr("service.check.sr_document.decode_file", cache(decode_file))
    said = _fullest()
    document = sr.write(said)
    content = fhir.write(said, document.reference, bundle=kind, release=release).content
    unseen = _unseen(altered_bundles(content), lambda bundle: compare(said, document.content, bundle, document.losses))
    explained = UNSEEN_IN_A_BUNDLE | (UNSEEN_WITHOUT_REQUESTS if kind != "transaction" else {})
    assert _unexplained(unseen, explained) == []


UNSEEN_IN_AN_SR = {
    r"(SOPClassUID|SOPInstanceUID|SeriesInstanceUID)": "its own identity, which the bundle beside it is held to",
    r"(Modality|Manufacturer|ManufacturerModelName|SoftwareVersions|SeriesNumber|SeriesDescription)": "always the same",
    r"SpecificCharacterSet": "always the same; what is not ASCII would be read otherwise",
    r"(ContentSequence\.)*ContentTemplateSequence\..*": _STRUCTURE,
    r"CodingSchemeIdentificationSequence\..*": "names schemes for people; every scheme stands with its code",
    r".*PersonIdentificationCodeSequence\.CodeMeaning": "the name stands beside it",
    r"VerifyingObserverSequence\.VerifyingObserverIdentificationCodeSequence\.CodeMeaning": "the name stands beside it",
    r"AuthorObserverSequence\.ObserverType": _STRUCTURE,
    r"OtherPatientIDsSequence\.TypeOfPatientID": _STRUCTURE,
    r"ContributingEquipmentSequence\.PurposeOfReferenceCodeSequence\..*": _STRUCTURE,
}


@pytest.mark.parametrize("sample", SAMPLES)
def test_sees_every_value_of_an_sr_that_is_altered(sample: str) -> None:
    said = SAMPLES[sample]()
    document = sr.write(said)
    unseen = _unseen(altered_documents(document.content), lambda content: compare(said, content, None, document.losses))
    assert _unexplained(unseen, UNSEEN_IN_AN_SR) == []


def test_sees_that_a_bundle_names_another_sr() -> None:
    said = _fullest()
    document = sr.write(said)
    content = fhir.write(said, sr.write(REPORTS["minimal"]()).reference).content
    assert {one.place for one in compare(said, document.content, content, document.losses)} == {"document"}


def test_an_output_of_another_form_is_no_output_of_ours() -> None:
    for content in (b"{}", b"[]", b'{"entry": []}', b'{"entry": [{"fullUrl": "a", "resource": {}}]}'):
        with pytest.raises(ValueError, match="not of the form"):
            compare(REPORTS["default"](), None, content)


def _unseen(alterations: Iterable[Alteration], ask: Callable[[bytes], tuple[Difference, ...]]) -> list[str]:
    """The places whose alteration makes no difference; an output that can't be read back is seen."""
    unseen = []
    for one in alterations:
        try:
            differences = ask(one.content)
        except ValueError:
            continue
        if not differences:
            unseen.append(one.place)
    return unseen


def _unexplained(places: Iterable[str], explained: dict[str, str]) -> list[str]:
    return sorted({place for place in places if not any(re.fullmatch(pattern, place) for pattern in explained)})
