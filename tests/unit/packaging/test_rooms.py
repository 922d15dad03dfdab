"""Who imports what: the house's table against the sources. import-linter holds the arrows, this the direct imports."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCES = sorted((ROOT / "service").rglob("*.py"))
# Dear to import: only inside the functions that need them, never to serve findings.
LAZY = ("highdicom", "fhir", "numpy", "reportlab")
# What all formats in JSON share: the text, its numbers and their limits, nothing of any format.
TEXT = ("service.formats.jsontext", "service.formats.reading", "service.formats.decimals")
# Room -> what it may import of the service, itself aside. Rooms that string the others together are not listed.
MAY_IMPORT = {
    "service.domain": (),
    "service.coding": ("service.domain",),
    "service.formats.fhir": ("service.domain", "service.coding", "service.formats.html", *TEXT),
    "service.formats": ("service.domain", "service.coding", *TEXT),
    "service.imaging": ("service.domain",),
    "service.check": ("service.domain", "service.coding", "service.formats"),
    "service.tracking": ("service.domain", "service.coding"),
    "service.store": ("service.domain",),
    "service.delivery": ("service.domain", "service.store"),
}


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _imported(nodes: Iterator[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes that run when the module is imported: not those in functions, nor those for type checkers."""
    for child in ast.iter_child_nodes(node):
        for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and not for_types:
            yield child
            yield from _at_import(child)


@pytest.mark.parametrize("path", SOURCES, ids=_module)
def test_a_room_imports_only_what_the_house_allows(path: Path) -> None:
    module = _module(path)
    # The longest name: service.formats.fhir before service.formats.
    room = max((name for name in MAY_IMPORT if _within(module, name)), key=len, default=None)
    if room is None:
        return
    # Each format is a room of its own: service.formats.sr.tree belongs to service.formats.sr.
    own = ".".join(module.split(".")[:3]) if room == "service.formats" else room
    imported = _imported(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    allowed = (own, *MAY_IMPORT[room])

    wrong = [name for name in imported if _within(name, "service") and not any(_within(name, ok) for ok in allowed)]

    assert wrong == []


def test_the_domain_imports_only_the_standard_library() -> None:
    imported = {
        name.split(".")[0]
        for path in SOURCES
        if _within(_module(path), "service.domain")
        for name in _imported(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    }

    assert imported - set(sys.stdlib_module_names) == {"service"}


@pytest.mark.parametrize("path", SOURCES, ids=_module)
def test_what_is_dear_to_import_waits_until_it_is_needed(path: Path) -> None:
    imported = _imported(_at_import(ast.parse(path.read_text(encoding="utf-8"))))

    assert [name for name in imported if name.split(".")[0] in LAZY] == []
