"""A FHIR bundle as plain JSON: its resources by the references between them, its concepts by our keys.

What R5 has in another place is a method, of R4 here.
The layout is that of `service.formats.fhir`; nothing of its code is used, so that a fault there is not repeated here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from service.check.values import ABSENT, codes_value
from service.coding import Vocabulary
from service.domain.codes import Code

Json = dict[str, Any]

URN_OID = "urn:oid:"
DICOM_UID = "urn:dicom:uid"
_REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_DOCUMENT = {"corrected": "amended", "appended": "amended", "cancelled": "entered-in-error"}
_GROUPS = {"ABC": 0, "IDE": 1, "SYL": 2}


class Bundle:
    """The resources of one bundle; ``designators`` are those of the schemes that no table knows, by URI."""

    study = "imagingStudy"
    """The member of DiagnosticReport that names the study."""

    def __init__(self, bundle: Json, vocabulary: Vocabulary, designators: Mapping[str, str]) -> None:
        """Take a bundle whose numbers are Decimals."""
        self.entries: list[Json] = bundle["entry"]
        self.resources: dict[str, Json] = {entry["fullUrl"]: entry["resource"] for entry in self.entries}
        self.vocabulary = vocabulary
        self._designators = designators
        self._keys: dict[str, str] = {}

    def learn(self, concepts: Iterable[str], members: Iterable[str]) -> None:
        """Know the names that the layout itself uses: concepts by their key, coded members by that of their row."""
        named = {key: key for key in concepts} | {key: self.vocabulary.members[key].concept for key in members}
        terms = {key: self.vocabulary.name(concept) for key, concept in named.items()}
        self._keys |= {codes_value(term.codes, term.text): key for key, term in terms.items()}

    def of_type(self, name: str) -> Iterator[Json]:
        """The resources of a type."""
        return (resource for resource in self.resources.values() if resource["resourceType"] == name)

    def documents(self, report: Json) -> Iterator[Json]:
        """The DocumentReferences of the SR of this report: they name it. Those of the versions before do not."""
        for document in self.of_type("DocumentReference"):
            references = [one for one in self.related(document) if "reference" in one]
            if any(self.resources.get(url) is report for url in self.urls(references)):
                yield document

    def target(self, reference: Json) -> Json:
        """What a reference refers to."""
        return self.resources[self.url(reference)]

    def url(self, reference: Json) -> str:
        """The fullUrl of what a reference refers to: by that, by id, or by identifier where it is conditional."""
        wanted: str = reference["reference"]
        if wanted in self.resources:
            return wanted
        kind, _, criterion = wanted.partition("?identifier=")
        if criterion:
            system, _, value = criterion.partition("|")
            sought = tuple(re.sub(r"\\(.)", r"\1", unquote(one)) for one in (system, value))
            return next(url for url, one in self._urls_of(kind) if sought in _identifiers(one))
        kind, _, identity = wanted.partition("/")
        return next(url for url, one in self._urls_of(kind) if one.get("id") == identity)

    def urls(self, references: Iterable[Json]) -> list[str]:
        """The fullUrls of what references refer to; of one that is a display only, that."""
        return [self.url(one) if "reference" in one else str(one.get("display")) for one in references]

    def _urls_of(self, kind: str) -> Iterator[tuple[str, Json]]:
        return ((url, one) for url, one in self.resources.items() if one["resourceType"] == kind)

    def codes(self, concept: Json) -> list[Code]:
        """The codes of a CodeableConcept."""
        codes = []
        for coding in concept.get("coding", ()):
            uri = coding["system"]
            designator = self._designators.get(uri) or self.vocabulary.designator(uri) or uri
            codes.append(Code(designator, coding["code"], coding.get("display", "")))
        return codes

    def concept(self, concept: Json) -> str:
        """A CodeableConcept as one value."""
        return codes_value(self.codes(concept), concept["text"])

    def answer(self, concept: Json) -> str:
        """A CodeableConcept as an answer."""
        return ABSENT if self.key(concept) == ABSENT else self.concept(concept)

    def key(self, concept: Json) -> str | None:
        """The key of a name that the layout itself uses: all its codes and its text."""
        return self._keys.get(self.concept(concept))

    def modality(self, coding: Json) -> str:
        """A modality; one without a code is its display."""
        if "code" in coding:
            return codes_value(self.codes({"coding": [coding]}))
        return codes_value((), coding.get("display", ""))

    def is_known(self, modality: Json) -> bool:
        """Whether a series says its modality."""
        return modality.get("system") != _ABSENT

    def procedures(self, study: Json) -> list[Json]:
        """What was done in an ImagingStudy."""
        return list(study["procedureCode"])

    def ordered(self, order: Json) -> Json:
        """What a ServiceRequest is for."""
        code: Json = order["code"]
        return code

    def device_name(self, device: Json) -> str:
        """What a Device is called."""
        return str(device["deviceName"][0]["name"])

    def device_property(self, held: Json) -> str:
        """A property of a Device that is text."""
        return str(held["valueCode"][0]["text"])

    def document_status(self, status: str) -> str:
        """Status of a Composition, docStatus of a DocumentReference, of a report in this state."""
        return _DOCUMENT.get(status, status)

    def master(self, document: Json) -> Json:
        """The identifier of the document that a DocumentReference is of."""
        found: Json = document["masterIdentifier"]
        return found

    def format_of(self, content: Json) -> Json:
        """The format of a document."""
        found: Json = content["format"]
        return found

    def related(self, document: Json) -> list[Json]:
        """What a document is of: the report, the study, the series, and the UIDs of what it replaces."""
        return list(document["context"]["related"])

    def relation(self, older: Json) -> str:
        """How a document relates to another."""
        return str(older["code"])

    def authenticator(self, document: Json) -> Json | None:
        """Who vouches for a document."""
        return document.get("authenticator")

    def composed(self, composition: Json) -> tuple[Json, Json]:
        """Identifier and subject of a Composition."""
        return composition["identifier"], composition["subject"]


def _identifiers(resource: Json) -> list[tuple[str | None, str | None]]:
    return [(one.get("system"), one.get("value")) for one in resource.get("identifier", ())]


def dicom_uids(resource: Json) -> list[str]:
    """The DICOM UIDs that a resource is identified by."""
    identifiers = resource.get("identifier", ())
    return [one["value"].removeprefix(URN_OID) for one in identifiers if one.get("system") == DICOM_UID]


def of_accession(resource: Json) -> list[Json]:
    """The accession numbers among the identifiers of a resource (v2-0203)."""
    return [
        one
        for one in resource.get("identifier", ())
        if one.get("type", {}).get("coding", [{}])[0].get("code") == "ACSN"
    ]


def human_name(names: list[Json]) -> str:
    """HumanNames as one PN."""
    groups = ["", "", ""]
    for name in names:
        marks = (part["valueCode"] for part in name.get("extension", ()) if part["url"] == _REPRESENTATION)
        mark = next(marks, "ABC")
        given = [*name.get("given", ()), "", ""]
        parts = [name.get("family", ""), *given[:2], *(name.get(part, [""])[0] for part in ("prefix", "suffix"))]
        groups[_GROUPS[mark]] = "^".join(parts).rstrip("^")
    return "=".join(groups).rstrip("=")
