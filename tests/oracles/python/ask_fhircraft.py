"""ask_fhircraft.py R4|R5: fhircraft on each entry and on the bundle.

Prints {file, errors} as a line of JSON for each file that a line of its input names.
"""

import importlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any

from pydantic import BaseModel

warnings.simplefilter("ignore")
RELEASES = {"R4", "R4B", "R5"}


def models(release: str) -> Any:
    """The models of a release. The import builds those of all three: of the others it is left out."""
    build = BaseModel.__dict__["model_rebuild"]
    others = RELEASES - {release}

    def build_own(model: type[BaseModel], /, **said: Any) -> bool | None:
        if others.intersection(model.__module__.split(".")):
            return None
        # One frame more between the model and the names that it is built with.
        built: bool | None = build.__func__(model, _parent_namespace_depth=3, **said)
        return built

    BaseModel.model_rebuild = classmethod(build_own)  # type: ignore[assignment]  # until the import is done
    try:
        return getattr(importlib.import_module("fhircraft"), release)
    finally:
        BaseModel.model_rebuild = build  # type: ignore[method-assign]  # as it was


MODELS = models(sys.argv[1])


def validate(resource: dict[str, Any], place: str) -> list[str]:
    """Errors of one resource, each with its place."""
    model = getattr(MODELS, resource["resourceType"], None)
    if model is None:
        return [f"{place}: unknown resource {resource['resourceType']}"]
    try:
        model.model_validate(resource)
    except Exception as error:  # noqa: BLE001  # whatever it raises is its verdict
        if hasattr(error, "errors"):
            return [f"{place}.{'.'.join(map(str, found['loc']))}: {found['msg'][:200]}" for found in error.errors()]
        return [f"{place}: {error!r}"[:300]]
    return []


for file in map(str.rstrip, sys.stdin):
    bundle = json.loads(Path(file).read_bytes())
    errors = validate(bundle, bundle["resourceType"])
    for number, entry in enumerate(bundle.get("entry", [])):
        errors += validate(entry["resource"], f"entry[{number}].{entry['resource']['resourceType']}")
    print(json.dumps({"file": file, "errors": errors}), flush=True)
