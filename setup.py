"""The wheel: Python alone, or with ``LESIONBRIDGE_COMPILE=1`` the modules below as native code besides, by mypyc.

All else about the package stands in pyproject.toml. The sources are the same, and stand in both wheels. A module is in
the list where a conversion spends its time (docs/performance.md); what calls it need not be.
"""

import os
import sys
from typing import Any

from setuptools import setup

ROOMS = {
    "domain": ("codes", "geometry", "lesion", "loss", "times", "uids"),
    "coding": ("coder", "consistency", "identities", "lesions", "measuring", "naming", "notes", "sides", "terms"),
    "formats": ("decimals", "reading"),
    "formats/findings": (
        *("fields", "images", "lesions", "measurements", "members", "points", "read", "shapes", "terms"),
    ),
    "formats/html": ("header", "images", "narrative", "phrases", "sections", "terms", "text"),
    "formats/sr": (
        *("attributes", "coded", "document", "draft", "encode", "evidence", "geometry", "group", "items"),
        *("library", "measurement", "observers", "patient_study", "statements", "template", "times", "tools", "tree"),
        *("values", "vr", "write"),
        *("content", "elements", "read_group", "read_measurement", "read_notes", "read_places", "read_report"),
        *("read_shapes", "read_words"),
    ),
    "formats/fhir": (
        *("codeable", "documents", "draft", "identity", "imaging", "lesion", "observers", "people", "r4", "r5"),
        *("release", "selections", "statements", "write"),
        *("read", "read_bundle", "read_lesions", "read_node", "read_results", "read_study", "read_terms"),
        *("read_unread", "read_values"),
    ),
}
"""The modules that are compiled, by their room in ``service/``."""


_WITHIN = ["-fvisibility=hidden", "-fno-semantic-interposition", "-fno-plt"]
"""Functions of the library call each other straight: nobody replaces one of them from outside."""


def extensions() -> list[Any]:
    """What there is to compile; mypyc comes with mypy, which only this build needs."""
    if os.environ.get("LESIONBRIDGE_COMPILE") != "1":
        return []
    from mypyc.build import mypycify

    modules = [f"service/{room}/{name}.py" for room, names in ROOMS.items() for name in names]
    made: list[Any] = mypycify(modules, opt_level="2", debug_level="0", group_name="lesionbridge")
    for extension in made if sys.platform == "linux" else ():
        extension.extra_compile_args += _WITHIN
    return made


setup(ext_modules=extensions())
