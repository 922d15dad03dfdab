"""What the wheel is made of is said to the last folder: setuptools warns of each that it may leave out some day."""

from __future__ import annotations

import tomllib
from pathlib import Path

from setuptools import find_namespace_packages

ROOT = Path(__file__).parents[3]


def test_every_folder_of_the_packages_is_named_as_one() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    how = told["tool"]["setuptools"]["packages"]["find"]
    tops = [pattern.removesuffix("*") for pattern in how["include"]]
    folders = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for top in tops
        for file in (ROOT / top).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }

    assert how["namespaces"]
    found = find_namespace_packages(str(ROOT), exclude=how["exclude"], include=how["include"])
    assert folders - set(found) == set()
