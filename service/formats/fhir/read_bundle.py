"""The resources of a document and where references between them lead (R4 references.html, bundle.html#references)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from service.domain.errors import Invalid, Problem
from service.formats.fhir.read_node import Json, Node, Noted

ENTRY: Final = "Bundle.entry"
_IN_ERROR: Final = ("Composition", "ImagingSelection", "ServiceRequest")
_OF_PATIENT: Final = ("BodyStructure", "ImagingSelection", "ImagingStudy", "ServiceRequest")
_HISTORY: Final = "/_history/"


class Document:
    """A bundle, or one resource alone with what it contains."""

    def __init__(self, value: object, noted: Noted) -> None:
        """Index the resources; raises Invalid for what is no resource."""
        if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
            raise Invalid(Problem("", "fhir-resource", "Give a FHIR resource: an object with a resourceType."))
        kind = str(value["resourceType"])
        self.noted = noted
        self.root = Node(value, kind, noted, kind)
        self.entries: list[Node] = []
        self.resources: list[Node] = []
        self._by_url: dict[str, Node] = {}
        self._by_name: dict[str, Node] = {}
        self._contained: dict[tuple[int, str], Node] = {}
        self._owner: dict[int, Node] = {}
        self._identified: dict[tuple[str, str], Node] | None = None
        if kind == "Bundle":
            self._index_entries()
        else:
            self._add(self.root, "")

    def _index_entries(self) -> None:
        limit = self.noted.intake.limits.entries
        self.root.take("resourceType")
        entries = self.root.value.get("entry")
        if isinstance(entries, list) and len(entries) > limit:
            why = f"A bundle has at most {limit} entries here; split it."
            raise Invalid(Problem("Bundle.entry", "limit", why))
        for entry in self.root.nodes("entry"):
            entry.kind = ENTRY
            self.entries.append(entry)
            found = entry.value.get("resource")
            if not isinstance(found, dict) or not isinstance(found.get("resourceType"), str):
                continue
            (resource,) = entry.nodes("resource")
            resource.kind = str(found["resourceType"])
            url = entry.value.get("fullUrl")
            self._add(resource, url if isinstance(url, str) else "")

    def _add(self, resource: Node, url: str) -> None:
        resource.take("resourceType")
        if not self._may_be_read(resource):
            return
        self.resources.append(resource)
        if url:
            self._by_url.setdefault(url, resource)
        name = resource.value.get("id")
        if isinstance(name, str):
            self._by_name.setdefault(f"{resource.kind}/{name}", resource)
        if "contained" not in resource:
            return
        for inner in resource.nodes("contained"):
            kind = inner.value.get("resourceType")
            if isinstance(kind, str):
                inner.kind = kind
                inner.take("resourceType")
                if not self._may_be_read(inner):
                    continue
                self.resources.append(inner)
                self._owner[id(inner)] = resource
                key = inner.value.get("id")
                if isinstance(key, str):
                    self._contained.setdefault((id(resource), key), inner)

    def _may_be_read(self, resource: Node) -> bool:
        """Whether nothing says that it means something else than it seems to (R4 extensibility.html)."""
        if "modifierExtension" not in resource.value and "implicitRules" not in resource.value:
            return True
        modifier = resource.first_of("modifierExtension", "implicitRules")
        resource.take(*resource.value)
        why = f"{modifier} changes what it means, and is not known here"
        self.noted.skip(resource.path, resource.kind, why, "fhir-modifier")
        return False

    def leave_errors(self) -> None:
        """Leave out, and list, the orders, selections and compositions that were entered in error."""
        wrong = [
            one for one in self.resources if one.kind in _IN_ERROR and one.value.get("status") == "entered-in-error"
        ]
        self._leave(wrong, "it was entered in error: it does not hold", "fhir-status")

    def leave_others(self, patient: Node) -> None:
        """Leave out, and list, the studies, orders, structures and selections of another patient of the document."""
        others = [one for one in self.resources if one.kind in _OF_PATIENT and self._is_of_another(one, patient)]
        self._leave(others, "it is of another patient", "fhir-other-patient")

    def _is_of_another(self, resource: Node, patient: Node) -> bool:
        said = resource.value.get("subject", resource.value.get("patient"))
        found = self.find(said, resource)
        return found is not None and found.kind == "Patient" and found is not patient

    def _leave(self, resources: list[Node], why: str, rule: str) -> None:
        """List resources as left out, and let no reference lead to them."""
        if not resources:
            return
        for one in resources:
            one.take(*one.value)
            self.noted.skip(one.path, one.kind, why, rule)
        left = set(map(id, resources))
        self.resources = [one for one in self.resources if id(one) not in left]
        self._by_url = {key: one for key, one in self._by_url.items() if id(one) not in left}
        self._by_name = {key: one for key, one in self._by_name.items() if id(one) not in left}
        self._contained = {key: one for key, one in self._contained.items() if id(one) not in left}
        self._identified = None

    def of_kind(self, kind: str) -> Iterator[Node]:
        """The resources of a type, in their order."""
        return (resource for resource in self.resources if resource.kind == kind)

    def target(self, reference: Node, owner: Node) -> Node | None:
        """The resource that a reference within ``owner`` leads to; None where it leads out of the document.

        It is found by ``fullUrl``, by type and id, among what the owner contains, and by a logical identifier.
        """
        found = self.look(reference, owner)
        if found is not None:
            # What stands beside the reference is said by the resource itself.
            reference.take("reference", "type", "display", "identifier")
        return found

    def look(self, reference: Node, owner: Node) -> Node | None:
        """As `target`, but nothing is marked as read."""
        return self.find(reference.value, owner)

    def find(self, reference: object, owner: Node) -> Node | None:
        """Where a Reference leads, whatever is read of it."""
        if not isinstance(reference, dict):
            return None
        text = reference.get("reference")
        found = self._by_text(text, owner) if isinstance(text, str) else None
        return found if found is not None else self._by_identifier(reference.get("identifier"))

    def _by_text(self, text: str, owner: Node) -> Node | None:
        if text.startswith("#"):
            holder = self._owner.get(id(owner), owner)
            return self._contained.get((id(holder), text[1:])) if len(text) > 1 else holder
        found = self._by_url.get(text)
        if found is not None:
            return found
        plain = text.partition(_HISTORY)[0]
        found = self._by_url.get(plain)
        return found if found is not None else self._by_name.get("/".join(plain.rsplit("/", 2)[-2:]))

    def _by_identifier(self, identifier: object) -> Node | None:
        if not isinstance(identifier, dict):
            return None
        key = _identity(identifier)
        if key is None:
            return None
        if self._identified is None:
            self._identified = {}
            for resource in self.resources:
                listed = resource.value.get("identifier")
                for one in listed if isinstance(listed, list) else [listed]:
                    known = _identity(one) if isinstance(one, dict) else None
                    if known is not None:
                        self._identified.setdefault(known, resource)
        return self._identified.get(key)

    def linked(self, owner: Node, name: str, kind: str) -> list[Node]:
        """The resources of one type among those that a member refers to; the rest is left to others."""
        found = []
        for reference in owner.nodes(name):
            resource = self.look(reference, owner)
            if resource is not None and resource.kind == kind:
                self.target(reference, owner)
                found.append(resource)
        return found

    def follow(self, owner: Node, name: str, *kinds: str) -> list[tuple[Node, Node]]:
        """The resources of these types that a member of ``owner`` refers to, each with the reference.

        A reference that leads out of the document stays unread, and so is listed.
        """
        found = []
        for reference in owner.nodes(name):
            resource = self.target(reference, owner)
            if resource is None:
                continue
            if kinds and resource.kind not in kinds:
                self.noted.skip(reference.path, resource.kind, f"it leads to no {' or '.join(kinds)}", "fhir-reference")
                continue
            found.append((resource, reference))
        return found


def _identity(identifier: Json) -> tuple[str, str] | None:
    """System and value of an identifier; one without a system names nothing across resources."""
    system, value = identifier.get("system"), identifier.get("value")
    return (system, value) if isinstance(system, str) and isinstance(value, str) and system else None
