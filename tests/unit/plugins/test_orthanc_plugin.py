"""The Orthanc plugin: what its README says of its settings is so, and it needs nothing beyond the standard library."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "plugins" / "orthanc"
TREE = ast.parse((FOLDER / "lesionbridge.py").read_text(encoding="utf-8"), feature_version=(3, 9))


def test_it_imports_the_standard_library_and_orthanc_only() -> None:
    names = {alias.name for node in ast.walk(TREE) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(TREE) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} - sys.stdlib_module_names == {"orthanc"}


def test_every_setting_is_in_its_readme() -> None:
    value = next(
        node.value
        for node in TREE.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "DEFAULTS"
    )
    assert isinstance(value, ast.Dict)
    names = {str(ast.literal_eval(key)) for key in value.keys if key is not None}
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", readme, re.MULTILINE)
    assert {name for row in table for name in re.findall(r"`(\w+)`", row)} == names
