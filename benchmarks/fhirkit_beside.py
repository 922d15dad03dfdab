"""fhirkit-rs in an environment of its own: ``fhirkit_beside.py BUNDLE``; see `benchmarks.measure.Beside`.

Reads a bundle into its objects with all its checks, and writes it again.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import fhirkit

content = Path(sys.argv[1]).read_bytes()
WORKS: dict[str, Callable[[], Any]] = {
    "read": lambda: fhirkit.parse(content),
    "write": lambda: fhirkit.parse(content).to_json(),
}
made = json.loads(WORKS["write"]())
print(json.dumps({"fhirkit-rs": version("fhirkit-rs"), "entries": len(made["entry"])}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    work = WORKS[asked["work"]]
    began = time.process_time()
    for _ in range(asked["repeats"]):
        work()
    print(json.dumps({"seconds": time.process_time() - began}), flush=True)
