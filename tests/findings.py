"""Findings documents for tests: the contract's own example, of which a test overrides what matters."""

import json
from copy import deepcopy
from typing import Any

from tests.documents import EXAMPLE as CONTRACT

EXAMPLE: dict[str, Any] = deepcopy(CONTRACT)
"""That of the contract, but for a number that ends in a zero, which has to stay, and without a degree."""
EXAMPLE["lesions"][0]["measurements"]["long axis"] = "14.20 mm"
del EXAMPLE["lesions"][0]["descriptors"]["edema degree"]


def make_findings(**changes: Any) -> dict[str, Any]:
    """The example with members replaced: ``report__version=2`` sets /report/version, None removes a member."""
    made = deepcopy(EXAMPLE)
    for path, value in changes.items():
        *steps, last = path.split("__")
        place: Any = made
        for step in steps:
            place = place[int(step)] if step.isdigit() else place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return made


def make_body(**changes: Any) -> bytes:
    """`make_findings` as JSON bytes."""
    return json.dumps(make_findings(**changes)).encode()
