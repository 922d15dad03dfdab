"""BodyStructure, R4 and R5, to members of a lesion: its ids, site with qualifiers, morphology."""

from __future__ import annotations

from typing import Any, Final

from service.formats.fhir.read_bundle import Document
from service.formats.fhir.read_node import Node
from service.formats.fhir.read_terms import known_in, layout, of_concept, term
from service.formats.fhir.read_values import line, uid

DATA_ABSENT_REASON: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"


class Structures:
    """Reads the BodyStructures that lesions are."""

    def __init__(self, document: Document, sender: str) -> None:
        """``sender`` is who may have named private schemes."""
        self._document = document
        self._noted = document.noted
        self._sender = sender

    def read(self, body: Node, members: dict[str, Any]) -> None:
        """What a BodyStructure says: ids, site with its qualifiers, morphology (R4 and R5)."""
        self._ids(body, members)
        places: list[tuple[Node, str, str]] = [(body, "location", "locationQualifier")]
        places += [(one, "structure", "qualifier") for one in body.nodes("includedStructure")]
        for owner, site, qualifier in places:
            self._again(owner, site, "site", "site", members)
            self._again(owner, "laterality", "laterality", "laterality", members)
            for concept in owner.nodes(qualifier):
                self._qualifier(concept, members)
        if "morphology" in body:
            self._again(body, "morphology", "finding", "finding", members)
        if "patient" in body:
            for reference in body.nodes("patient"):
                self._document.target(reference, body)

    def _again(self, owner: Node, name: str, member: str, field_key: str, members: dict[str, Any]) -> None:
        said = term(owner, name, field_key, self._sender)
        if said is None:
            for concept in owner.nodes(name):
                for extension in concept.extensions(DATA_ABSENT_REASON):
                    extension.take("url", "valueCode")
            return
        known = members.setdefault(member, said)
        if not same(known, said):
            self._noted.skip(said.where, member, "the lesion has another one already", "fhir-further")

    def _qualifier(self, concept: Node, members: dict[str, Any]) -> None:
        """A qualifier of the site is its side or its topography, as the tables know it."""
        is_side = known_in(concept.value, "laterality") is not None
        member = "laterality" if is_side else "topography"
        said = of_concept(concept, member, self._sender)
        if said is None:
            return
        if not is_side and any(same(members[one], said) for one in ("laterality", "topography") if one in members):
            return
        known = members.setdefault(member, said)
        if not same(known, said):
            self._noted.skip(said.where, member, "the lesion has another one already", "fhir-further")

    def _ids(self, body: Node, members: dict[str, Any]) -> None:
        for identifier in body.nodes("identifier"):
            kind = layout(identifier.value.get("type"))
            is_uid = kind == "tracking-unique-identifier" or identifier.value.get("system") == "urn:dicom:uid"
            if is_uid and "tracking_uid" not in members:
                found = uid(identifier, "value")
                if found is not None:
                    identifier.take("system", "type", "assigner")
                    members["tracking_uid"] = found
            elif not is_uid and "id" not in members:
                text = line(identifier, "value")  # Tracking Identifier is a text in DICOM: a backslash is one, too
                if text is not None:
                    identifier.take("system", "type", "use", "assigner")
                    members["id"] = text


def same(one: Any, other: Any) -> bool:
    """Whether two terms say the same: one code, or one text."""
    if one.code is not None and other.code is not None:
        return bool(one.code == other.code)
    return bool(one.text == other.text)
