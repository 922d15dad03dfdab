"""ask_fhirkit.py FILE ...: fhirkit-rs.

Prints {file, errors} as a line of JSON for each file.
"""

import json
import sys
from pathlib import Path

import fhirkit

for file in sys.argv[1:]:
    issues = fhirkit.validate(json.loads(Path(file).read_bytes()))
    print(json.dumps({"file": file, "errors": [str(issue) for issue in issues]}), flush=True)
