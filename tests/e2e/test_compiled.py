"""The compiled build says what Python says: the same bytes, losses and refusals, of the same sources."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from benchmarks import work
from tests.answers import corpus
from tests.bad_input.cases import CASES
from tests.codable import codable_documents
from tests.conftest import Missing
from tests.documents import FULL, Json, as_bytes
from tests.e2e.test_packaging import ROOT, tracked
from tests.strategies import documents

GENERATED, CHANGES = 100, 3
"""Documents of each strategy, and changes of each output that is read again."""
# One worker builds it, once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("compiled")]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled wheel, built from a copy so that nothing is left in the repository, and unpacked."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("compiled")
    for name in [*tracked(), "pyproject.toml", "setup.py", "README.md", "LICENSE", "NOTICE"]:
        place = source / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, place)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps", "--no-build-isolation")
    done = subprocess.run(
        [*pip, "--wheel-dir", str(target), str(source)],
        env=_environment() | {"LESIONBRIDGE_COMPILE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    (wheel,) = target.glob("lesionbridge-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(target / "tree")
    return target / "tree"


@pytest.fixture
def compiled(missing: Missing, request: pytest.FixtureRequest) -> Path:
    """The tree of the compiled build, where it can be built."""
    if shutil.which("gcc") is None and shutil.which("cc") is None:
        missing.skip("C compiler", "neither gcc nor cc is installed")
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        missing.skip("Python.h", "the headers of Python are not installed")
    built: Path = request.getfixturevalue("tree")
    return built


def _environment(*folders: Path) -> dict[str, str]:
    """Nothing of ours but these folders; the folder of a call is none (PYTHONSAFEPATH)."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LESIONBRIDGE_")}
    return clean | {"PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONSAFEPATH": "1"}


def _begin(file: Path, *folders: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.answers", str(file)]
    return subprocess.Popen(
        command, env=_environment(*folders), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=file.parent
    )


def _ended(process: subprocess.Popen[str]) -> list[str]:
    said, error = process.communicate(timeout=900)
    assert process.returncode == 0, error[-4000:]
    return said.splitlines()


def _generated() -> list[bytes]:
    """Documents over the whole schema: words that no table has, and words that the tables have."""
    made: list[bytes] = []
    for strategy in (documents(), codable_documents()):

        @settings(
            max_examples=GENERATED,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def gather(document: Json) -> None:
            made.append(as_bytes(document))

        gather()
    return made


def test_both_builds_give_the_same_bytes_losses_and_refusals(compiled: Path, tmp_path: Path) -> None:
    bodies = [path.read_bytes() for path in sorted((ROOT / "examples").glob("*.json"))]
    bodies += [as_bytes(FULL), work.document_bytes(10), work.document_bytes(3, axes=True)]
    bodies += [case.body for case in CASES]
    bodies += _generated()
    file = tmp_path / "corpus.jsonl"
    asked = [(str(form), base64.b64encode(body).decode()) for form, body in corpus(bodies, CHANGES)]
    file.write_text("\n".join(map(json.dumps, asked)))

    processes = [_begin(file, ROOT), _begin(file, compiled, ROOT)]
    (ours, *python), (theirs, *native) = map(_ended, processes)

    assert (json.loads(ours), json.loads(theirs)) == ("pure Python", "compiled")
    assert len(python) == len(asked)
    differing = [
        (form, base64.b64decode(body)[:2000], one, other)
        for (form, body), one, other in zip(asked, python, native, strict=True)
        if one != other
    ]
    assert differing[:1] == []


LEFT = """
import gc, sys
from benchmarks import work
from service.doors import Format, Options
from service.pipeline import Source, convert

body = work.document_bytes(3)

def blocks(times):
    for _ in range(times):
        convert(Source(body), (Format.SR, Format.FHIR_R4), Options())
    gc.collect()
    return sys.getallocatedblocks()

before = blocks(100)
print(blocks(400) - before)
"""


def test_a_conversion_leaves_nothing_in_memory(compiled: Path) -> None:
    call = [sys.executable, "-c", LEFT]
    for folders in ((ROOT,), (compiled, ROOT)):
        done = subprocess.run(call, env=_environment(*folders), capture_output=True, text=True, check=True)
        assert int(done.stdout) < 400, "less than one block of memory for each conversion; five were lost for each once"


def test_the_command_says_which_build_it_is(compiled: Path) -> None:
    call = [sys.executable, "-m", "service.cli", "--version"]
    said = [
        subprocess.run(call, env=_environment(folder), capture_output=True, text=True, check=True).stdout
        for folder in (ROOT, compiled)
    ]
    assert "pure Python" in said[0]
    assert "compiled" in said[1]


def test_every_compiled_module_stands_beside_its_source(compiled: Path) -> None:
    native = list((compiled / "service").rglob(f"*{EXTENSION_SUFFIXES[0]}"))
    assert native
    assert [path for path in native if not path.with_name(f"{path.name.partition('.')[0]}.py").exists()] == []


_TERMS = """
from dataclasses import FrozenInstanceError, fields, replace
from service.domain.codes import Code, CodedTerm, Resolution, Term
for made in (Term("a", Code("SCT", "1", "b"), "/c"), CodedTerm("a", (Code("SCT", "1", "b"),), where="/c")):
    print(repr(made), [(one.name, one.default, one.compare) for one in fields(made) if one.name != "text"])
    moved = replace(made, where="/d")
    print(made == moved, hash(made) == hash(moved), made == replace(made, text="d"))
    for wrong in (lambda: setattr(made, "text", "d"), lambda: delattr(made, "text"), lambda: type(made)()):
        try:
            wrong()
        except (FrozenInstanceError, TypeError) as error:
            print(type(error).__name__)
print(CodedTerm("a").resolution is Resolution.TEXT, CodedTerm("a").code, hasattr(Term, "__slots__"))
"""


def test_a_term_is_native_and_the_same_frozen_data_class(compiled: Path) -> None:
    call = [sys.executable, "-c", _TERMS]
    python, native = [
        subprocess.run(call, env=_environment(folder), capture_output=True, text=True, check=True).stdout.splitlines()
        for folder in (ROOT, compiled)
    ]
    assert python[:-1] == native[:-1]
    assert (python[-1], native[-1]) == ("True None True", "True None False")


_ITEMS = """
from dataclasses import FrozenInstanceError
from decimal import Decimal
from service.formats.sr.items import CodeItem, Container, Num, Text
from service.formats.sr.names import name
key, unit = name("finding"), name("unit-pixels")
made = Num(key, Decimal("12.5"), unit, "CONTAINS")
root = Container(key, None, (made,), "1500")
print(made.encoded.hex(), made.link, root.width, [item.value_type for item in root.walk()])
for text in ("12.5", "12.50"):
    other = Num(key, Decimal(text), unit, "CONTAINS")
    print(made == other, hash(made) == hash(other), made.value == other.value)
for wrong in (
    lambda: setattr(made, "encoded", b""),
    lambda: delattr(made, "value"),
    lambda: setattr(made.value, "digits", "13"),
    lambda: Text(key, " ", "CONTAINS"),
    lambda: Container(key, None, (root,)),
    lambda: CodeItem(key, key, "CONTAINS", (made,)),
    lambda: CodeItem(key, key, "PART OF"),
):
    try:
        print("taken", wrong())
    except (FrozenInstanceError, ValueError) as error:
        print(type(error).__name__, error)
print(hasattr(Num, "__slots__"))
"""


def test_a_content_item_is_native_and_frozen_and_no_wrong_one_can_be_built(compiled: Path) -> None:
    call = [sys.executable, "-c", _ITEMS]
    python, native = [
        subprocess.run(call, env=_environment(folder), capture_output=True, text=True, check=True).stdout.splitlines()
        for folder in (ROOT, compiled)
    ]
    assert python[:-1] == native[:-1]
    assert not [line for line in native if line.startswith("taken")]
    assert (python[-1], native[-1]) == ("True", "False")


_LESIONS = """
from dataclasses import MISSING, FrozenInstanceError, fields, replace
from decimal import Decimal
from service.domain.codes import Code, CodedTerm
from service.domain.geometry import Graphic, ImageReference, LesionImage, Region2D
from service.domain.lesion import Evaluation, Lesion, Measurement, TimePoint
name, other = CodedTerm("a", (Code("SCT", "1", "b"),), where="/n"), CodedTerm("c")
number = Measurement(name, Decimal("12.50"), name, where="/m")
said, seen = Evaluation(name, name, "row", "/e"), TimePoint("baseline", name, 1)
image = ImageReference("1.2.840.10008.5.1.4.1.1.4", "1.2.3", "1.2.4")
shape = Region2D(Graphic.POINT, ((1.5, 2.0),), name, "/r")
shown = LesionImage(image, (shape,))
held = {"time_point": seen, "measurements": (number,), "evaluations": (said,), "images": (shown,)}
lesion = Lesion("L1", name, "1.2.5", **held, where="/l")
for made, changed in (
    (number, {"concept": other}),
    (said, {"value": other}),
    (seen, {"order": 2}),
    (shape, {"measurement": None}),
    (shown, {"regions": ()}),
    (lesion, {"finding": other}),
):
    members = fields(made)
    first = members[0].name
    print(repr(made), [(one.name, one.compare, one.default is MISSING or one.default) for one in members])
    print(type(made).__match_args__, len({made, replace(made)}))
    moved = replace(made, where="/elsewhere") if members[-1].name == "where" else replace(made)
    print(made == moved, hash(made) == hash(moved), made is moved, made == replace(made, **changed), made == 1)
    for wrong in (
        lambda: setattr(made, first, None),
        lambda: setattr(made, members[-1].name, "/elsewhere"),
        lambda: setattr(made, "other", 1),
        lambda: delattr(made, first),
        lambda: type(made)(),
        lambda: replace(made, other=1),
    ):
        try:
            print("taken", wrong())
        except (FrozenInstanceError, TypeError) as error:
            print(type(error).__name__)
for wrong in (
    lambda: replace(lesion, tracking_uid="x"),
    lambda: replace(lesion, count=0),
    lambda: replace(shape, points=()),
):
    try:
        print("taken", wrong())
    except ValueError as error:
        print(type(error).__name__, error)
print(*("__slots__" in type(one).__dict__ for one in (number, said, seen, shape, shown, lesion)))
"""


def test_a_lesion_and_its_parts_are_native_and_the_same_frozen_data_classes(compiled: Path) -> None:
    call = [sys.executable, "-c", _LESIONS]
    python, native = [
        subprocess.run(call, env=_environment(folder), capture_output=True, text=True, check=True).stdout.splitlines()
        for folder in (ROOT, compiled)
    ]
    assert python[:-1] == native[:-1]
    assert not [line for line in native if line.startswith("taken")]
    assert (python[-1], native[-1]) == (" ".join(["True"] * 6), " ".join(["False"] * 6))
