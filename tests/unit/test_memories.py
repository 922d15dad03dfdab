"""Every memory of a process is bounded, whatever comes: one table of all that has no bound in its own words."""

import ast
from collections.abc import Sized
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest

from service.coding import measuring, modalities, vocabulary
from service.domain.codes import Code, Term
from service.formats.fhir import read_results, read_terms
from service.formats.hl7v2 import tables as system_tables
from service.pipeline import Format, Options, Source, convert
from tests.findings import make_body

FEW: Final = 4
ROOT: Final = Path(__file__).parents[2]
OF_FEW: Final = {
    "service/api/answers.py: LOSSES.labels": "kinds of loss",
    "service/api/observe.py: REQUESTS.labels": "routes, five words for methods, statuses",
    "service/api/observe.py: SECONDS.labels": "routes",
    "service/api/observe.py: STAGE_SECONDS.labels": "stages",
    "service/api/terms.py: engine": "settings",
    "service/coding/labels.py: _table": "languages that have labels",
    "service/coding/modalities.py: _modality": "concepts of OF_CLASS",
    "service/coding/releases/postgres.py: _spoken": "queries of ours, with a number of marks",
    "service/coding/releases/postgres.py: database": "settings",
    "service/coding/releases/shelves.py: open_shelf": "settings",
    "service/coding/remote/client.py: client_of": "settings",
    "service/coding/server/maps.py: canonical": "keys of maps and value sets of ours",
    "service/commands/speaking.py: habits": "settings",
    "service/delivery/table.py: _hints": "classes of settings",
    "service/formats/fhir/codeable.py: answer": "keys of concepts",
    "service/formats/fhir/codeable.py: field_name": "keys of concepts",
    "service/formats/fhir/codeable.py: member_name": "rows of report.toml",
    "service/formats/fhir/elements.py: elements": "releases of FHIR",
    "service/formats/fhir/profiles/guide_codes.py: of_concept": "concepts that rules name in the code",
    "service/formats/fhir/profiles/rules.py: profiles": "modes of the table",
    "service/formats/fhir/read_results.py: _headings": "keys of concepts, named in the code",
    "service/formats/fhir/xml.py: _placed": "releases of FHIR",
    "service/formats/hl7v2/tables.py: _paired": "columns of a table",
    "service/formats/hl7v2/tables.py: _rows": "tables",
    "service/formats/html/phrases.py: _phrases": "languages that have labels",
    "service/formats/sr/attributes.py: head": "keywords of the table of attributes",
    "service/formats/sr/meanings.py: _meanings": "dialects",
    "service/formats/sr/names.py: member": "rows of report.toml",
    "service/formats/sr/names.py: name": "keys of concepts",
    "service/formats/sr/tools.py: _codes": "keys of concepts, named in the code",
    "service/formats/sr/tree.py: template_sequence": "templates, named in the code",
    "service/formats/sr/values.py: _graphic_type": "Graphic Types (check_points refuses others)",
    "service/pipeline.py: tables": "settings",
    "service/store/receipt.py: _members_of": "classes of a report",
}
"""What remembers by arguments without a bound, and what those are: of tables, settings or code, never of a request."""
BOUNDED: Final = {
    "service/check/displays.py: _of_tables": "one: emptied before another vocabulary",
    "service/formats/fhir/codeable.py: _codeables": "_KEPT",
    "service/formats/fhir/codeable.py: _latest": "_KEPT",
    "service/formats/fhir/read_unread.py: _NOTHING": "never written",
    "service/formats/html/terms.py: _fields": "_KEPT",
    "service/formats/sr/coded.py: _entries": "_KEPT",
    "service/formats/sr/content.py: _entries": "_KEPT",
    "service/formats/sr/items.py: _frames": "_KEPT",
    "service/formats/sr/statements.py: _coded": "_KEPT",
    "service/formats/sr/statements.py: _evaluated": "_KEPT",
    "service/formats/sr/statements.py: _kept": "_KEPT",
    "service/stages.py: _listeners": "each once",
    "service/workflows/engine.py: _clerk": "one of a process",
    "service/workflows/engine.py: _courier": "one of a process",
}
"""Containers of modules that are empty at first: the constant of the module that bounds each, or why it stays small."""


def modules() -> list[tuple[str, ast.Module]]:
    """All of the service, parsed."""
    found = sorted((ROOT / "service").rglob("*.py"))
    return [(str(file.relative_to(ROOT)), ast.parse(file.read_text(encoding="utf-8"))) for file in found]


def name_of(node: ast.expr) -> str:
    """`lru_cache` of `functools.lru_cache(8)`."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def without_bound() -> set[str]:
    """What is remembered by arguments under `cache`, or `lru_cache` without a bound."""
    found = set()
    for path, module in modules():
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef) and (node.args.args or node.args.kwonlyargs or node.args.vararg):
                if any(is_endless(mark) for mark in node.decorator_list):
                    found.add(f"{path}: {node.name}")
            elif isinstance(node, ast.Call) and node.args and is_endless(node.func):
                found.add(f"{path}: {ast.unparse(node.args[0])}")
    return found


def is_endless(mark: ast.expr) -> bool:
    """Whether a decorator remembers without a bound."""
    if name_of(mark) == "cache":
        return True
    if name_of(mark) != "lru_cache":
        return False
    said = [*mark.args, *(one.value for one in mark.keywords)] if isinstance(mark, ast.Call) else []
    return any(isinstance(one, ast.Constant) and one.value is None for one in said)


def of_modules() -> set[str]:
    """Containers of modules that are empty when these are imported."""
    found = set()
    for path, module in modules():
        for node in module.body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and is_empty(node.value):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                found.add(f"{path}: {ast.unparse(target)}")
    return found


def is_empty(value: ast.expr) -> bool:
    """`{}`, `[]`, `set()`, `OrderedDict()` ..."""
    if isinstance(value, ast.Dict):
        return not value.keys
    if isinstance(value, ast.List):
        return not value.elts
    kinds = {"dict", "list", "set", "OrderedDict", "defaultdict", "deque", "WeakValueDictionary", "WeakKeyDictionary"}
    return isinstance(value, ast.Call) and not value.args and name_of(value) in kinds


def test_what_remembers_without_a_bound_is_asked_for_few_things() -> None:
    assert without_bound() == set(OF_FEW)


def test_each_memory_of_a_module_has_a_bound() -> None:
    assert of_modules() == set(BOUNDED)


@pytest.mark.parametrize("memory", [one for one, bound in BOUNDED.items() if bound == "_KEPT"])
def test_endless_different_documents_leave_no_more_than_the_bound(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _, name = memory.partition(": ")
    module = import_module(path.removesuffix(".py").replace("/", "."))
    kept: Sized = getattr(module, name)
    monkeypatch.setattr(module, "_KEPT", FEW)
    for one in (one for one in BOUNDED if one.startswith(path)):  # what one has, another is not asked for
        getattr(module, one.partition(": ")[2]).clear()
    most = 0
    for turn in range(6 * FEW):
        code = {"system": "99MINE", "code": f"c{turn}", "display": f"thing {turn}"}
        said = make_body(report__id=f"r{turn}", lesions__0__finding=code, lesions__0__site={**code, "code": f"s{turn}"})
        made = convert(Source(said, Format.FINDINGS), (Format.SR, Format.FHIR_R4, Format.HTML), Options())
        convert(Source(made.outputs[Format.SR].content, Format.SR), (Format.FINDINGS,), Options())
        most = max(most, len(kept))
    assert 0 < most <= FEW


def test_endless_displays_of_a_unit_leave_no_more_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    tables, row = vocabulary(), vocabulary().measurements["long-axis"]
    monkeypatch.setattr(measuring, "KEPT", FEW)
    monkeypatch.setattr(tables, "cache", {})
    for turn in range(6 * FEW):
        measuring.unit_of(tables, Term("", Code("UCUM", "mm", f"millimetre {turn}")), row)
    assert 0 < len(tables.cache) <= FEW


def test_endless_sop_classes_and_code_systems_are_not_remembered() -> None:
    modalities.modality_of("1.2.840.10008.5.1.4.1.1.2")
    before = modalities._modality.cache_info().currsize, system_tables._paired.cache_info().currsize
    for turn in range(6 * FEW):
        assert modalities.modality_of(f"1.2.3.{turn}") is None
        assert system_tables.designator(f"99X{turn}") == system_tables.system_name(f"X{turn}") == f"99X{turn}"
    assert modalities._modality.cache_info().currsize == before[0]
    assert not hasattr(system_tables.designator, "cache_info")
    assert not hasattr(system_tables.system_name, "cache_info")


LONG: Final = "Mrs Doe was told on the phone. " * 40


@pytest.mark.parametrize(
    "concept", [{"text": LONG}, {"coding": [{"system": "http://x.y", "code": "1", "display": LONG}]}]
)
def test_words_of_a_fhir_document_that_are_no_name_are_not_remembered(concept: dict[str, Any]) -> None:
    memories = [read_terms._whole, read_terms.choose, read_terms._known_in, read_results._named]
    before = [one.cache_info() for one in memories]
    read_terms._plain(concept, "finding", "local")
    read_terms.known_in(concept, "finding")
    read_results._rows(concept)
    assert [one.cache_info()[:2] for one in memories[:3]] == [one[:2] for one in before[:3]]
    assert read_results._named.cache_info().currsize - before[3].currsize <= (0 if "text" in concept else 1)


@pytest.mark.parametrize(
    ("source", "endless"),
    [
        ("@cache\ndef f(x): ...", True),
        ("@functools.lru_cache(maxsize=None)\ndef f(x): ...", True),
        ("@lru_cache\ndef f(x): ...", False),
        ("@lru_cache(64)\ndef f(x): ...", False),
    ],
)
def test_an_endless_memory_is_seen(source: str, *, endless: bool) -> None:
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    assert is_endless(function.decorator_list[0]) is endless
