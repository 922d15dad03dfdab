"""ask_pyfhircheck.py PACKAGE: pyfhircheck over the R4 core package.

Prints {file, errors} as a line of JSON for each file that a line of its input names.
"""

import contextlib
import io
import json
import sys
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path

from pyfhircheck.config import ValidatorConfig
from pyfhircheck.core.engine import Validator


def main(package: str, files: Iterable[str]) -> None:
    """Ask for each file; what the library prints itself is thrown away."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as evidence:
        settings = {
            "fhirVersion": "4.0.1",
            "localPackagePaths": [package],
            "terminology": {"mode": "local"},
            "evidenceOutputDir": evidence,
        }
        validator = Validator(ValidatorConfig.load_dict(settings))
        for file in files:
            with contextlib.redirect_stdout(io.StringIO()):
                report = validator.validate_resource(json.loads(Path(file).read_bytes()))
            errors = [
                f"{getattr(issue, 'path', None) or getattr(issue, 'location', '')}: {issue.code} {issue.message}"
                for issue in report.issues
                if str(getattr(issue.severity, "value", issue.severity)).lower() in ("error", "fatal")
            ]
            print(json.dumps({"file": file, "errors": errors}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], map(str.rstrip, sys.stdin))
