"""ask_fhircraft.py R4|R5: fhircraft on each entry and on the bundle.

Prints {file, errors} as a line of JSON for each file that a line of its input names.
"""

import importlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")
MODELS = getattr(importlib.import_module("fhircraft"), sys.argv[1])


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
