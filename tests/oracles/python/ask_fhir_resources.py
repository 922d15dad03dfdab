"""ask_fhir_resources.py R4|R5: fhir.resources (R4B stands for R4).

Prints {file, errors} as a line of JSON for each file that a line of its input names.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError


def main(release: str, files: Iterable[str]) -> None:
    """Ask for each file."""
    warnings.simplefilter("ignore")
    package = {"R4": "fhir.resources.R4B", "R5": "fhir.resources"}[release]
    for file in files:
        resource = json.loads(Path(file).read_bytes())
        kind = resource["resourceType"]
        errors = []
        try:
            getattr(importlib.import_module(f"{package}.{kind.lower()}"), kind).model_validate(resource)
        except ValidationError as error:
            errors = [f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()]
        except (KeyError, ImportError, AttributeError) as error:
            errors = [f"a resource that it does not know: {error!r}"]
        print(json.dumps({"file": file, "errors": errors}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], map(str.rstrip, sys.stdin))
