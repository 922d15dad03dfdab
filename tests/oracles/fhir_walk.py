"""A walk over HL7's structure definitions for what the published validators leave out: our own reading of the rules.

Required bindings (R4), invariants (evaluated by fhirpathpy), targets of references resolved within the bundle, DICOM
UIDs, forms of identifiers. `python -m tests.oracles.fhir_walk R4|R5` prints {file, errors} for each file that a line of
its input names.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from fhirpathpy import compile as compile_fhirpath
from fhirpathpy.models import models

from tests.oracles.fhir_definitions import Definitions
from tests.oracles.fhir_values import PATTERNS, dicom_uids, identifiers, narrative, primitive

# Held by the walk itself, or not computable from the resource alone.
SKIPPED = frozenset(
    {"dom-3", "dom-6", "ref-1", "txt-1", "txt-2", "ele-1", "ext-1", "bdl-3a", "bdl-3b", "bdl-3c", "bdl-3d"}
)
REFERENCE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)(?:/[A-Za-z0-9\-.]{1,64}(?:/_history/.+)?|\?.+)$")


class Walk:
    """One resource, walked element by element; `errors` is the outcome."""

    def __init__(
        self, definitions: Definitions, root: dict[str, Any], compiled: dict[Any, Callable[..., Any] | None]
    ) -> None:
        self.definitions = definitions
        self.root = root
        self.resource = root
        self.errors: list[str] = []
        self._compiled = compiled
        self.kinds = {
            entry["fullUrl"]: entry["resource"]["resourceType"]
            for entry in root.get("entry", [])
            if "fullUrl" in entry and "resource" in entry
        }

    def judge(self) -> list[str]:
        """Everything that is wrong with the resource."""
        self._resource(self.root, "")
        for number, entry in enumerate(self.root.get("entry", [])):
            self._entry(f"entry[{number}]", entry)
        return self.errors

    def _entry(self, place: str, entry: dict[str, Any]) -> None:
        url = entry.get("fullUrl", "")
        if url.startswith("urn:uuid:") and not re.fullmatch(PATTERNS["uuid"], url):
            self.errors.append(f"{place}.fullUrl: {url} is no urn:uuid in lower case")
        request, kind = entry.get("request", {}), entry.get("resource", {}).get("resourceType")
        asked = request.get("url", "")
        if kind and asked and re.split(r"[/?]", asked)[0] != kind:
            self.errors.append(f"{place}.request.url: {asked}, but the resource is {kind}")
        if request.get("method") == "PUT" and re.fullmatch(r"[A-Za-z]+", asked):
            self.errors.append(f"{place}.request.url: PUT without an id or a search")

    def _resource(self, resource: dict[str, Any], place: str) -> None:
        kind = resource.get("resourceType", "")
        here = f"{place}.{kind}" if place else kind
        if self.definitions.structures.get(kind, {}).get("kind") != "resource":
            self.errors.append(f"{place}: unknown resource {kind}")
            return
        if kind == "ImagingStudy":
            self.errors += [here + wrong for wrong in dicom_uids(resource)]
        outer, self.resource = self.resource, resource
        self._object(kind, kind, resource, here)
        self._invariants(self.definitions.elements[kind][kind], resource, here)
        self.resource = outer

    def _object(self, kind: str, path: str, value: dict[str, Any], place: str) -> None:
        children = self.definitions.children(kind, path)
        named: dict[
            str, tuple[dict[str, Any], str, str]
        ] = {}  # JSON name -> element, its type, its name in the definition
        for name, element in children.items():
            types = [entry["code"] for entry in element.get("type", [])] or [""]
            if name.endswith("[x]"):
                named.update({name[:-3] + code[0].upper() + code[1:]: (element, code, name) for code in types})
            else:
                named[name] = (element, types[0], name)
        present: dict[str, list[str]] = {}
        for name, content in value.items():
            if name == "resourceType" or name.startswith("_"):
                continue
            if name not in named:
                self.errors.append(f"{place}.{name}: unknown element")
                continue
            element, code, defined = named[name]
            present.setdefault(defined, []).append(name)
            self._member(element, code, content, f"{place}.{name}")
        for name, element in children.items():
            given = present.get(name, [])
            if len(given) > 1:
                self.errors.append(f"{place}.{name}: more than one of a choice: {given}")
            if element["min"] > 0 and not given and f"_{name}" not in value:
                self.errors.append(f"{place}.{name}: is required")

    def _member(self, element: dict[str, Any], code: str, content: object, place: str) -> None:
        if content is None or content in ([], {}):
            self.errors.append(f"{place}: empty")
            return
        many = element["max"] != "1"
        if many != isinstance(content, list):
            self.errors.append(f"{place}: {'an array' if many else 'a single value'} expected")
            return
        for number, item in enumerate(content) if isinstance(content, list) else [(0, content)]:
            self._item(element, code, item, f"{place}[{number}]" if many else place)

    def _item(self, element: dict[str, Any], code: str, value: Any, place: str) -> None:
        if element.get("contentReference"):
            path = element["contentReference"].split("#")[1]
            self._object(path.split(".")[0], path, value, place)
            return
        if code.startswith("http://hl7.org/fhirpath/"):
            code = "id" if element["path"].endswith(".id") and element["path"].count(".") == 1 else "string"
        if code == "xhtml":
            self.errors += [f"{place}: {wrong}" for wrong in narrative(value)]
        elif code and code[0].islower():
            wrong = primitive(code, value)
            if wrong:
                self.errors.append(f"{place}: {wrong}")
            else:
                self._binding(element, code, value, place)
        elif not isinstance(value, dict):
            self.errors.append(f"{place}: {code} expected, got {type(value).__name__}")
        elif code == "Resource":
            self._resource(value, place)
        elif code in ("BackboneElement", "Element"):
            self._object(element["path"].split(".")[0], element["path"], value, place)
            self._invariants(element, value, place)
        elif code in self.definitions.elements:
            self._object(code, code, value, place)
            self._invariants(self.definitions.elements[code][code], value, place)
            self._binding(element, code, value, place)
            if code == "Reference" and "reference" in value:
                self._reference(element, value, place)
            if code in ("Coding", "Identifier", "Quantity"):
                self.errors += [place + wrong for wrong in identifiers(code, value)]

    def _binding(self, element: dict[str, Any], code: str, value: Any, place: str) -> None:
        binding = element.get("binding", {})
        if binding.get("strength") != "required":
            return
        allowed = self.definitions.codes(binding.get("valueSet", ""))
        if isinstance(value, str):
            given = [value]
        elif isinstance(value, dict):
            codings = value.get("coding", []) if code == "CodeableConcept" else [value]
            given = [coding["code"] for coding in codings if coding.get("code")]
        else:
            return
        if allowed is not None and given and not allowed.intersection(given):
            self.errors.append(f"{place}: {given} is not of the required {binding['valueSet'].split('/')[-1]}")

    def _reference(self, element: dict[str, Any], value: dict[str, Any], place: str) -> None:
        reference = value["reference"]
        allowed = {profile.split("/")[-1] for entry in element["type"] for profile in entry.get("targetProfile", [])}
        if reference.startswith("#"):
            kind = next(
                (
                    found["resourceType"]
                    for found in self.resource.get("contained", [])
                    if found.get("id") == reference[1:]
                ),
                None,
            )
            if kind is None and reference != "#":
                self.errors.append(f"{place}: {reference} has no contained resource")
        elif reference in self.kinds:
            kind = self.kinds[reference]
        elif reference.startswith("urn:"):
            self.errors.append(f"{place}: {reference} is no fullUrl of the bundle")
            return
        else:
            match = REFERENCE.search(reference)
            kind = match[1] if match else None
            if kind is not None and "?" in reference and self.root.get("type") != "transaction":
                self.errors.append(f"{place}: {reference} is conditional, which only a transaction may be (http.html)")
            if kind is None:
                self.errors.append(f"{place}: {reference!r} is no FHIR reference")
        if kind and allowed and "Resource" not in allowed and kind not in allowed:
            self.errors.append(f"{place}: {kind} is no allowed target ({', '.join(sorted(allowed))})")
        if kind and value.get("type") and value["type"].split("/")[-1] != kind:
            self.errors.append(f"{place}.type: {value['type']}, but the target is {kind}")

    def _invariants(self, element: dict[str, Any], value: Any, place: str) -> None:
        for rule in element.get("constraint", []):
            if rule["severity"] != "error" or rule["key"] in SKIPPED or not rule.get("expression"):
                continue
            judge = self._compile(rule["expression"], element["path"])
            if judge is None:
                continue
            scope = {"resource": self.resource, "rootResource": self.root, "context": self.resource}
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    outcome = judge(value, scope)
            except Exception:  # noqa: BLE001  # an expression that the library can't evaluate says nothing about the resource
                continue
            if outcome and outcome[0] is False:
                self.errors.append(f"{place}: {rule['key']} {rule['human']}")

    def _compile(self, expression: str, path: str) -> Callable[..., Any] | None:
        key = (expression, path if "." in path else "")
        if key not in self._compiled:
            model = models[self.definitions.release.lower()]
            self._compiled[key] = None
            for form in ([{"base": key[1], "expression": expression}] if key[1] else []) + [expression]:
                try:
                    self._compiled[key] = compile_fhirpath(form, model)  # type: ignore[arg-type]  # it also takes base and expression
                    break
                except Exception:  # noqa: BLE001  # the library raises many kinds for what it can't parse
                    continue
        return self._compiled[key]


def main(release: str, files: Iterable[str]) -> None:
    """Judge each file."""
    warnings.simplefilter("ignore")
    definitions = Definitions(release)
    compiled: dict[Any, Callable[..., Any] | None] = {}
    for file in files:
        errors = Walk(definitions, json.loads(Path(file).read_bytes()), compiled).judge()
        print(json.dumps({"file": file, "errors": errors}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], map(str.rstrip, sys.stdin))
