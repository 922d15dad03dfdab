"""ask_fhirkit.py: fhirkit-rs.

Prints {file, errors} as a line of JSON for each file that a line of its input names.
"""

import json
import sys
from pathlib import Path

import fhirkit

for file in map(str.rstrip, sys.stdin):
    issues = fhirkit.validate(json.loads(Path(file).read_bytes()))
    print(json.dumps({"file": file, "errors": [str(issue) for issue in issues]}), flush=True)
