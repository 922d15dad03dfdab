"""ask_pyfhircheck.py PACKAGE: pyfhircheck over the R4 core package.

Prints {file, errors} as a line of JSON for each file that a line of its input names.
"""

import contextlib
import functools
import io
import json
import sys
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pyfhircheck.config import ValidatorConfig
from pyfhircheck.core import engine, fhirpath


class Once:
    """pyfhircheck's `evaluate`, but for when it makes what expressions are evaluated over: once a resource.

    The library copies the resource and the one that it stands in for every expression: three quarters of its time.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[int, bool], tuple[Any, Any]] = {}

    def forget(self) -> None:
        """Begin a file: the next resources are others, and may stand where those stood in memory."""
        self._made.clear()

    def evaluate(self, resource: Any, expression: str, *, root_resource: Any = None) -> bool | None:
        """What the library's own function of this name answers."""
        root = resource if root_resource is None else root_resource
        around = self._copy(root, resolved=True)
        here = around if resource is root else self._copy(resource, resolved=False)
        found: bool | None = fhirpath._evaluate_with_fhirpathpy(here, expression, around)
        return fhirpath._evaluate_fallback(here, expression) if found is None else found

    def _copy(self, resource: Any, *, resolved: bool) -> Any:
        key = (id(resource), resolved)
        if key not in self._made:
            copy = with_choices(resource)
            if resolved:
                fhirpath._annotate_resolved_references(copy)
            self._made[key] = (resource, copy)  # the resource too, so that no other gets its id
        return self._made[key][1]


def with_choices(data: Any) -> Any:
    """A copy with `value` beside each `valueQuantity` and the like, as by the library's `_augment_choice_types`."""
    if isinstance(data, dict):
        made = {name: with_choices(value) for name, value in data.items()}
        for name in data:
            choice = choice_of(name)
            if choice is not None:
                made.setdefault(choice, made[name])
        return made
    return [with_choices(item) for item in data] if isinstance(data, list) else data


@functools.cache
def choice_of(name: str) -> str | None:
    """The name of a choice without its type; None for any other."""
    for suffix in fhirpath._CHOICE_SUFFIXES:
        if name.endswith(suffix) and len(name) > len(suffix) and name[0].islower():
            return name[: -len(suffix)]
    return None


def main(package: str, files: Iterable[str]) -> None:
    """Ask for each file; what the library prints itself is thrown away."""
    warnings.simplefilter("ignore")
    once = Once()
    engine.evaluate = once.evaluate
    with tempfile.TemporaryDirectory() as evidence:
        settings = {
            "fhirVersion": "4.0.1",
            "localPackagePaths": [package],
            "terminology": {"mode": "local"},
            "evidenceOutputDir": evidence,
        }
        validator = engine.Validator(ValidatorConfig.load_dict(settings))
        for file in files:
            once.forget()
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
