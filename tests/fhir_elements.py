"""The elements of FHIR's types as fhir.resources has them, for the table ``mappings/fhir_elements.csv``.

``python -m tests.fhir_elements`` writes the table anew.
"""

import csv
import re
from collections.abc import Iterator
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any, Final

TABLE: Final = Path(__file__).parents[1] / "mappings" / "fhir_elements.csv"
RELEASES: Final = {"R4": "fhir.resources.R4B", "R5": "fhir.resources"}
"""R4B (4.3) has the same elements as R4 (4.0.1) in the resources below."""
TYPES: Final = (
    *("Binary", "BodyStructure", "Bundle", "Composition", "Condition", "Device", "DiagnosticReport"),
    *("DocumentReference", "Encounter", "Endpoint", "ImagingSelection", "ImagingStudy", "List", "Location", "Media"),
    *("Observation", "OperationOutcome", "Organization", "Patient", "Practitioner", "PractitionerRole", "Procedure"),
    *("Provenance", "ServiceRequest", "Specimen", "Element"),
)
ONLY: Final = {"ImagingSelection": "R5", "Media": "R4"}
_CALLED = {"encodedBytes": "base64Binary", "uuidVersion": "uuid"}
"""Primitive types that pydantic has under another name."""
_PRIMITIVE = re.compile(r"Annotated\[.*?(\w+)(?: object at|\()")


def _module(release: str, name: str) -> Any:
    return import_module(f"{RELEASES[release]}.{name.lower()}")


def _type(annotation: str) -> str:
    """The FHIR type that an annotation stands for: complex types have a capital."""
    complex_type = re.search(r"(\w+?)Type\b", annotation)
    if complex_type:
        return complex_type[1]
    if "bool" in annotation:
        return "boolean"
    primitive = _PRIMITIVE.search(annotation)
    if primitive is None:
        raise ValueError(annotation)
    name = primitive[1][0].lower() + primitive[1][1:]
    return _CALLED.get(name, name)


def _elements(model: Any) -> Iterator[tuple[str, str, bool]]:
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for name in model.elements_sequence():
        annotation = str(fields[name].annotation)
        yield name, _type(annotation), "List[" in annotation


def rows() -> list[tuple[str, str, str]]:
    """Releases, type and elements of every type that the resources are made of."""
    found: dict[tuple[str, str], list[str]] = {}
    for release in RELEASES:
        models: dict[str, Any] = {
            name: getattr(_module(release, name), name) for name in TYPES if ONLY.get(name, release) == release
        }
        waiting = list(models)
        while waiting:
            name = waiting.pop(0)
            model = models[name]
            elements = list(_elements(model))
            said = " ".join(f"{element}:{kind}{'*' if many else ''}" for element, kind, many in elements)
            found.setdefault((name, said), []).append(release)
            for kind in dict.fromkeys(kind for _, kind, _ in elements):
                if kind[0].isupper() and kind not in models and kind != "Resource":
                    models[kind] = _model(release, kind, model)
                    waiting.append(kind)
    made = [(" ".join(releases), name, said) for (name, said), releases in found.items()]
    return sorted(made, key=lambda row: (row[1], row[0]))


def _model(release: str, name: str, owner: Any) -> Any:
    """A type by its name: a part of the resource that uses it, or a module of its own."""
    within = import_module(owner.__module__)
    return getattr(within, name) if hasattr(within, name) else getattr(_module(release, name), name)


def as_text() -> str:
    """The table."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("releases", "type", "elements"))
    writer.writerows(rows())
    return text.getvalue()


if __name__ == "__main__":
    TABLE.write_text(as_text(), encoding="utf-8")
